// A full disk and a read-only folder: a clear error, nothing acknowledged lost, and work goes on when there is room again.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { cddy, cdss, json, serve, session, sleep, until, zb, zbTry } from '../lib.mjs'
const M = '140214900001', mnt = mkdtempSync(join(tmpdir(), 'zb-full-'))
const mount = (...a) => execFileSync('mount', a, { stdio: 'pipe' })
let can = true, s
after(() => s?.kill('SIGKILL'))
try { mount('-t', 'tmpfs', '-o', 'size=512m', 'tmpfs', mnt) } catch { can = false }
test('full disk', { skip: can ? false : 'mounting is not allowed here' }, async () => {
  const dir = join(mnt, 'd')
  zb(['init', dir])
  zb(['user', dir, 'add', 'admin', '--role', 'operator'])
  const token = json(['token', dir, 'add', M])[0].token, start = Math.floor(Date.now() / 30000) * 30000 - 86400e3
  s = await serve(dir)
  const put = f => fetch(`${s.url}/api/v1/uploads/${f.name}?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: f.text }).then(async r => ({ status: r.status, text: await r.text() }))
  assert.equal((await put(cddy(M, start))).status, 200)
  assert.equal((await put(cdss(M, start, { P1: '0.4' }))).status, 200)
  const boss = await session(s, 'admin'), filler = join(mnt, 'filler'), room = () => { const f = statfsSync(mnt); return f.bavail / f.blocks }
  const used = async () => (await boss('GET', '/health')).body
  const fill = part => { while (room() > part) appendFileSync(filler, Buffer.alloc(256 << 10, 1)) }
  writeFileSync(filler, '')
  fill(0.04)
  await until('uploads are refused', async () => { const h = await used(); return h.disk_used_percent >= 95 && h.disk_state === 'refuse' })
  const wait = await put(cdss(M, start + 600e3, { P1: '0.4' }))
  assert.equal(wait.status, 503); assert.match(wait.text, /% full/)
  const record = await boss('POST', '/ledgers/site/records', { values: { code: M, name: '示范一矿', kind: 'coal_ug', county: '140214' } })
  assert.equal(record.status, 200, `records are still taken: ${JSON.stringify(record.body)}`)
  try { fill(0) } catch { /* that is the point */ }
  const noise = () => Array.from({ length: 300 }, () => Math.random().toString(36)).join('')
  let refusal = null
  for (let k = 1; k < 200 && !refusal; k++) {
    const f = cdss(M, start + k * 30000, { P1: '0.4' })
    f.text = f.text.replace('1101工作面上隅角', noise().slice(0, 390))
    const r = await Promise.race([put(f), sleep(3000).then(() => ({ status: 0, text: '' }))])
    if (r.status !== 200) refusal = r
  }
  assert.ok(refusal, 'the disk never filled')
  if (refusal.status) { assert.equal(refusal.status, 503); assert.match(refusal.text, /No space left|disk|full|cannot/i) }
  const admin = await session(s, 'admin').catch(() => null) // logging in writes too: it may be refused while the disk is full
  if (admin) assert.equal((await admin('GET', '/mines')).status, 200)
  rmSync(join(mnt, 'filler'))
  await until('with room again uploads are taken', async () => (await put(cdss(M, start + 3600e3, { P1: '1.7' }))).status === 200)
  await until('the alarm', () => json(['alarms', dir, '--kind', 'cut']).length === 1)
  await s.stop()
  assert.ok(json(['query', dir, M + '/P1']).some(x => x.v === 1.7))
  assert.equal(json(['rebuild', dir])[0].differ, 0)
  mount('-o', 'remount,ro', mnt)
  const r = zbTry(['serve', dir, '--listen', '127.0.0.1:0'])
  assert.equal(r.code, 1)
  assert.match(r.err, /Read-only|read-only|readonly/)
  mount('-o', 'remount,rw', mnt)
  s = await serve(dir)
  assert.equal((await put(cdss(M, start + 7200e3, { P1: '0.4' }))).status, 200)
  await s.stop()
})
process.on('exit', () => { if (can) try { execFileSync('umount', ['-l', mnt]) } catch { /* gone */ } })
