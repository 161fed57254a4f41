// The ways in, from outside and over loopback: files a second with one file a POST, with several, over a broker. One JSON line each.
// Usage: front.mjs [BUILD] [http|pack|mqtt …] (all where none is named); MINES, FILES, SENDERS, POINTS, PACK of the environment change the load.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
const BUILD = resolve(process.argv[2] ?? 'build')
process.env.ZHIBEN ??= join(BUILD, 'zhiben')
const { json, serve, zb } = await import('../tests/lib.mjs'), { broker } = await import('../tests/mqtt.mjs')
const ways = process.argv.length > 3 ? process.argv.slice(3) : ['http', 'pack', 'mqtt']
const MINES = +(process.env.MINES ?? 64), FILES = +(process.env.FILES ?? 20000), SENDERS = +(process.env.SENDERS ?? 32), POINTS = +(process.env.POINTS ?? 40), PACK = +(process.env.PACK ?? 50)
const base = mkdtempSync(join(tmpdir(), 'zb-front-'))
try {
  for (const way of ways) {
    const dir = join(base, way), mines = Array.from({ length: MINES }, (_, i) => String(140214900000 + i))
    zb(['init', dir])
    const token = Object.fromEntries(mines.map(m => [m, json(['token', dir, 'add', m])[0].token]))
    const tokens = join(base, way + '-tokens')
    writeFileSync(tokens, mines.map(m => `${m} ${token[m]}\n`).join(''))
    const b = way === 'mqtt' ? await broker(base, { ...token, zhiben: 'the-servers-password' }) : null
    if (b) writeFileSync(join(dir, 'keys/mqtt'), 'the-servers-password\n')
    const s = await serve(dir, b ? ['--mqtt', b.url('zhiben')] : [])
    const r = JSON.parse(execFileSync(join(BUILD, 'bench_front'), [b ? 'mqtt' : 'http', String(b ? b.port : s.port), tokens, String(FILES), String(SENDERS), String(POINTS), String(way === 'pack' ? PACK : 1)], { encoding: 'utf8' }))
    console.log(JSON.stringify({ bench: way, mines: MINES, senders: SENDERS, points: POINTS, ...r, load: +loadavg()[0].toFixed(1) }))
    s.kill('SIGKILL')
    await s.gone
    await b?.stop()
    rmSync(dir, { recursive: true, force: true })
  }
} finally { rmSync(base, { recursive: true, force: true }) }
