// Helpers of the Node tests: a data directory of its own, a server on a free port, the API with a session.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// The criterion of the edition in force on a day: working on over the gas limit; main fans without a standby.
export const gasOn = day => (day < '2026-07-01' ? 'COAL-2020-02.02' : 'COAL-2026-02.01'), fansOn = day => (day < '2026-07-01' ? 'COAL-2020-05.02' : 'COAL-2026-05.02')
export const ROOT = process.env.ROOT ?? new URL('..', import.meta.url).pathname
export const ZHIBEN = process.env.ZHIBEN ?? join(ROOT, 'build/zhiben')
export const PASSWORD = 'a-long-test-password'
export const sleep = ms => new Promise(r => setTimeout(r, ms))
// Waits for a condition; what it gave. `more` is what may explain why it never came.
export async function until(what, fn, more = () => '') { for (const end = Date.now() + 90e3; ;) { const v = await fn(); if (v) return v; if (Date.now() > end) throw new Error(`never: ${what}: ${more()}`); await sleep(100) } }
export const zb = (args, opt = {}) => execFileSync(opt.bin ?? ZHIBEN, args, { encoding: 'utf8', cwd: ROOT, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ZHIBEN_PASSWORD: PASSWORD }, ...opt })
export const lines = text => text.split('\n').filter(Boolean).map(l => JSON.parse(l))
export const json = (args, opt) => lines(zb([...args, '--json'], opt))
export function zbTry(args, opt = {}) { try { return { code: 0, out: zb(args, opt), err: '' } } catch (e) { return { code: e.status, out: String(e.stdout ?? ''), err: String(e.stderr ?? '') } } }
// A PostgreSQL server of the test's own, on a socket in its folder.
const PG = '/usr/lib/postgresql/15/bin'
export const hasPostgres = existsSync(PG + '/initdb')
function postgres(base) {
  const dir = join(base, 'pg'), root = process.getuid() === 0
  const sh = (bin, args) => root ? execFileSync('runuser', ['-u', 'postgres', '--', PG + '/' + bin, ...args], { cwd: '/tmp', stdio: 'ignore' }) : execFileSync(PG + '/' + bin, args, { cwd: '/tmp', stdio: 'ignore' })
  mkdirSync(dir); chmodSync(base, 0o755)
  if (root) execFileSync('chown', ['postgres', dir])
  sh('initdb', ['-D', dir + '/data', '-E', 'UTF8', '--locale=C', '-U', 'postgres', '-A', 'trust', '-N'])
  sh('pg_ctl', ['-D', dir + '/data', '-l', dir + '/log', '-s', '-w', '-o', `-c listen_addresses='' -c fsync=off -k ${dir}`, 'start'])
  return { url: `postgresql://postgres@/postgres?host=${dir}`, stop: () => { try { sh('pg_ctl', ['-D', dir + '/data', '-s', '-m', 'immediate', 'stop']) } catch { /* gone already */ } } }
}
export function dataDir() {
  const base = mkdtempSync(join(tmpdir(), 'zb-')), dir = join(base, 'd')
  const pg = process.env.DB === 'postgres' ? postgres(base) : null
  zb(['init', dir, ...(pg ? ['--db', pg.url] : [])])
  return { base, dir, pg: !!pg, remove: () => { pg?.stop(); rmSync(base, { recursive: true, force: true }) } }
}
export async function serve(dir, extra = [], bin = ZHIBEN, listen = '127.0.0.1:0') {
  const p = spawn(bin, ['serve', dir, '--listen', listen, '--web', join(ROOT, 'web/dist'), ...extra], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = '', err = ''
  p.stderr.on('data', d => { err += d })
  const port = await new Promise((ok, no) => {
    p.stdout.on('data', d => { out += d; const m = /on port (\d+)/.exec(out); if (m) ok(+m[1]) })
    p.on('exit', c => no(new Error(`serve ended with ${c}: ${err}`)))
  })
  const gone = new Promise(r => p.on('exit', (code, signal) => r({ code, signal })))
  return { port, url: `http://127.0.0.1:${port}`, pid: p.pid, kill: s => p.kill(s), gone, log: () => err, stop: async () => { p.kill('SIGTERM'); return gone } }
}
export async function session(s, user, password = PASSWORD) {
  const r = await fetch(s.url + '/api/v1/login', { method: 'POST', body: JSON.stringify({ user, password }) })
  if (r.status !== 200) throw new Error('login: ' + await r.text())
  const cookie = r.headers.get('set-cookie').split(';')[0], me = await r.json()
  return async (method, path, body, headers = {}) => {
    const q = await fetch(s.url + '/api/v1' + path, { method, headers: { cookie, ...(method === 'GET' ? {} : { 'X-CSRF': me.csrf }), ...headers }, body: body === undefined ? (method === 'GET' ? undefined : '{}') : typeof body === 'string' ? body : JSON.stringify(body) })
    const text = await q.text()
    let o = null
    try { o = JSON.parse(text) } catch { /* not JSON */ }
    return { status: q.status, body: o, text }
  }
}
// Raw bytes to the port; the status of the answer, or 0 when the connection was just closed.
export const raw = (port, bytes, ms = 4000) => new Promise(ok => {
  let got = ''
  const c = net.connect(port, '127.0.0.1', () => c.write(bytes))
  const done = () => { c.destroy(); ok(+(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1] ?? 0)) }
  c.on('data', d => { got += d; if (got.includes('\r\n\r\n')) done() })
  c.on('close', done); c.on('error', done)
  setTimeout(done, ms)
})
const p2 = n => String(n).padStart(2, '0')
export const beijing = ms => { const d = new Date(ms + 8 * 3600e3); return `${d.getUTCFullYear()}-${p2(d.getUTCMonth() + 1)}-${p2(d.getUTCDate())} ${p2(d.getUTCHours())}:${p2(d.getUTCMinutes())}:${p2(d.getUTCSeconds())}` }
export const stamp = ms => beijing(ms).replace(/[-: ]/g, '')
export const cddy = (mine, at, points = ['P1']) => ({ name: `${mine}_CDDY_${stamp(at)}.txt`, text: `${mine};示范矿;K;S;M;2027-12-31;${beijing(at)}~` + points.map(p => `${p};01;001;0001;MN;%CH4;4;0;1.0;1.0;;;1.5;1.0;;;;;1101工作面上隅角;;;;;${beijing(at)}~`).join('') + '||' })
export const cdss = (mine, at, values) => ({ name: `${mine}_CDSS_${stamp(at)}.txt`, text: `${mine};示范矿;${beijing(at)}~` + Object.entries(values).map(([p, v]) => `${p};环境瓦斯;1101工作面上隅角;${v};%CH4;0;${beijing(at)}~`).join('') + '||' })
