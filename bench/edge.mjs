// How fast the program at the mine brings a backlog in: files lie in its log, the province comes back; until the province has counted all. One JSON line a way.
// Usage: edge.mjs [BUILD] [http|mqtt …]; FILES, POINTS of the environment change the load.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
process.env.ZHIBEN ??= join(resolve(process.argv[2] ?? 'build'), 'zhiben')
const { cdss, json, ROOT, serve, session, sleep, zb, ZHIBEN } = await import('../tests/lib.mjs'), { broker } = await import('../tests/mqtt.mjs')
const ways = process.argv.length > 3 ? process.argv.slice(3) : ['http', 'mqtt'], FILES = +(process.env.FILES ?? 5000), POINTS = +(process.env.POINTS ?? 40), M = '140214900001'
const base = mkdtempSync(join(tmpdir(), 'zb-edge-')), values = Object.fromEntries(Array.from({ length: POINTS }, (_, i) => [`P${i}`, (0.3 + i / 100).toFixed(2)]))
const busy = pid => { const c = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (+c[11] + +c[12]) / 100 } // seconds of processor
const edge = async (dir, to, until) => {
  writeFileSync(dir + '.yaml', `mine: "${M}"\ndir: ${dir}\nto: ${to}\ntoken_file: ${dir}.token\nfolders: [${dir}-in]\n`)
  const p = spawn(ZHIBEN, ['edge', dir + '.yaml'], { cwd: ROOT, stdio: 'ignore' }), gone = new Promise(ok => p.on('exit', ok)), from = performance.now()
  await until()
  const ms = performance.now() - from, cpu = busy(p.pid)
  p.kill('SIGKILL')
  await gone
  return [ms, cpu]
}
try {
  for (const way of ways) {
    const dir = join(base, way), mine = dir + '-mine', now = Date.now()
    zb(['init', dir])
    zb(['user', dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
    const token = json(['token', dir, 'add', M])[0].token, b = way === 'mqtt' ? await broker(base, { [M]: token, zhiben: 'the-servers-password' }) : null
    mkdirSync(mine + '-in', { recursive: true })
    writeFileSync(mine + '.token', token + '\n')
    let bytes = 0
    for (let i = 0; i < FILES; i++) { const f = cdss(M, now - 3600e3 - i * 30e3, values); bytes += f.text.length; writeFileSync(join(mine + '-in', f.name), f.text) }
    const [taken] = await edge(mine, 'http://127.0.0.1:1', async () => { while (readdirSync(mine + '-in').length) await sleep(20) })
    if (b) writeFileSync(join(dir, 'keys/mqtt'), 'the-servers-password\n')
    const s = await serve(dir, b ? ['--mqtt', b.url('zhiben')] : []), admin = await session(s, 'admin')
    while (b && !/state=connected/.test(s.log())) await sleep(20)
    const counted = async () => (await admin('GET', '/health?mine=' + M)).body.links[0]?.files ?? 0
    const before = busy(s.pid), [ms, cpu] = await edge(mine, b ? b.url(M) : s.url, async () => { while (await counted() < FILES) await sleep(20) })
    console.log(JSON.stringify({ bench: 'edge', way, files: FILES, points: POINTS, bytes, taken_s: +(taken / 1000).toFixed(1), sent_s: +(ms / 1000).toFixed(2), files_per_s: Math.round(FILES / (ms / 1000)), edge_cpu_s: cpu, server_cpu_s: +(busy(s.pid) - before).toFixed(2), load: +loadavg()[0].toFixed(1) }))
    s.kill('SIGKILL')
    await s.gone
    await b?.stop()
  }
} finally { rmSync(base, { recursive: true, force: true }) }
