// A simulated province is cut off for hours and comes back: what is found equals what an uncut twin finds, nothing is lost or doubled; how fast the backlog comes in,
// newest first, and how long a live alarm takes meanwhile. One line of JSON. Usage: outage.mjs [BUILD] [mines] [hours cut] [seed]
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
process.env.ZHIBEN ??= join(process.argv[2] ?? 'build', 'zhiben')
const { beijing, cddy, cdss, json, ROOT, serve, session, sleep, zb } = await import('../tests/lib.mjs')
const MINES = +(process.argv[3] ?? 20), CUT = +(process.argv[4] ?? 6), SEED = process.argv[5] ?? '1', BEFORE = 10 * 60e3, PROBE = '140402900999'
const base = mkdtempSync(join(tmpdir(), 'zb-outage-')), policy = join(base, 'policy'), agent = new http.Agent({ keepAlive: true, maxSockets: 32 })
cpSync(join(ROOT, 'policies/shanxi'), policy, { recursive: true })
// What is planted: a set of faults a mine, shared out in turn; beside it main and local fans that stand and a power supply on its battery, written into the readings.
const FAULTS = Array.from({ length: 5 * MINES }, (_, i) => ['over-limit', 'burst', 'masked', 'dropout', 'over-limit'][Math.floor(i / MINES)]).join(',')
const hours = CUT + 0.5, start = Math.floor(Date.now() / 60000) * 60000 - hours * 3600e3
zb(['simulate', join(base, 'in'), '--mines', String(MINES), '--hours', String(hours), '--faults', FAULTS, '--start', beijing(start), '--seed', SEED, '--policy', policy])
const files = readdirSync(join(base, 'in'), { recursive: true }).filter(f => /_[A-Z]+_\d{14}\.\w+$/.test(f)).map(f => {
  const name = f.split('/').pop(), [mine, type] = name.split('_')
  return { name, mine, type, at: name.slice(-18, -4), bytes: readFileSync(join(base, 'in', f)) }
}).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.name < b.name ? -1 : 1))
const STOPS = [['局部通风机', '0', 5], ['主通风机', '0', 3], ['馈电器', '0', 2], ['电源状态', '2', 4]] // type, value, minutes
for (const [i, m] of [...new Set(files.map(f => f.mine))].entries()) STOPS.forEach(([type, v, minutes], k) => {
  const from = start + BEFORE + ((i * 7 + k * 17) % (CUT * 50) + 5) * 60e3
  for (const f of files) {
    const at = Date.parse(f.at.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6+08:00'))
    if (f.mine !== m || f.type !== 'CDSS' || at < from || at >= from + minutes * 60e3) continue
    f.bytes = Buffer.from(f.bytes.toString().split('~').map(r => { const c = r.split(';'); if (c[1] === type) c[3] = v; return c.join(';') }).join('~'))
  }
})
const stamp = ms => beijing(ms).replace(/[-: ]/g, ''), mines = [...new Set(files.map(f => f.mine))]
const cut = stamp(start + BEFORE), back = stamp(start + BEFORE + CUT * 3600e3)
const post = (s, path, token, body) => new Promise((ok, no) => {
  const r = http.request({ host: '127.0.0.1', port: s.port, path: '/api/v1/uploads/' + path, method: 'POST', agent, headers: { Authorization: 'Bearer ' + token, 'Content-Length': body.length } }, q => { let t = ''; q.on('data', d => { t += d }); q.on('end', () => ok({ status: q.statusCode, wait: +(q.headers['retry-after'] ?? 1), text: t })) })
  r.on('error', no)
  r.end(body)
})
let told = 0
async function send(s, token, list) { // each mine in its order, all mines side by side
  const own = new Map(mines.map(m => [m, []]))
  for (const f of list) own.get(f.mine).push(f)
  await Promise.all([...own].map(async ([m, fs]) => {
    for (const f of fs) for (;;) {
      const r = await post(s, f.name, token[m], f.bytes).catch(() => ({ status: 0, wait: 0 }))
      if (r.status === 200) break
      if (r.status === 429) told++
      else if (r.status) throw new Error(`${f.name}: ${r.status} ${r.text}`)
      await sleep(r.status === 429 ? r.wait * 1000 : 20)
    }
  }))
}
const KINDS = ['over-limit', 'under-limit', 'cut', 'over-range', 'feed', 'masked', 'calibration', 'fault', 'state', 'reported'] // silence and lateness of a link differ by their nature
async function settle(admin) { // no alarm changes any more, and nothing late is waiting
  for (let last = '', same = 0; same < 4;) {
    await sleep(4000)
    const all = (await admin('GET', '/alarms?limit=2000')).body.alarms.filter(a => a.mine !== PROBE), now = JSON.stringify(all)
    same = now === last ? same + 1 : 0
    last = now
    if (same >= 4) return all
  }
}
const key = a => JSON.stringify([a.id, a.mine, a.point, a.kind, a.level, a.raised, a.cleared, a.peak, a.limit, a.count])
const quantile = (v, q) => v.sort((a, b) => a - b)[Math.min(v.length - 1, Math.floor(v.length * q))]
async function run(name, fn) {
  const dir = join(base, name)
  zb(['init', dir, '--policy', policy])
  zb(['user', dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
  const token = Object.fromEntries([...mines, PROBE].map(m => [m, json(['token', dir, 'add', m])[0].token]))
  const s = await serve(dir), admin = await session(s, 'admin')
  try {
    const more = await fn(s, token)
    const all = await settle(admin), found = all.filter(a => KINDS.includes(a.kind)), kinds = {}
    for (const a of all) kinds[a.kind] = (kinds[a.kind] ?? 0) + 1
    const links = (await admin('GET', '/health')).body.links.filter(l => l.mine !== PROBE)
    await s.stop()
    return { ...more, kinds, mines: new Set(found.map(a => a.mine)).size, found: new Set(found.map(key)), late: found.filter(a => a.late).length, ids: found.length, records: links.reduce((n, l) => n + l.records, 0), files: links.reduce((n, l) => n + l.files, 0), dir }
  } finally { s.kill('SIGKILL') }
}
const uncut = await run('uncut', async (s, t) => send(s, t, files))
const line = await run('line', async (s, t) => {
  const backlog = files.filter(f => f.at >= cut && f.at < back), defines = f => f.type === 'CDDY'
  await send(s, t, files.filter(f => f.at < cut))
  await post(s, ...(f => [f.name, t[PROBE], Buffer.from(f.text)])(cddy(PROBE, Date.now() - 60000)))
  let over = false, high = false
  const latency = { idle: [], catching: [] }
  const probe = async into => { // an over-limit sample of a live mine: answered when its alarm is judged and stored
    const f = cdss(PROBE, Date.now(), { P1: (high = !high) ? '1.62' : '0.40' }), from = performance.now()
    const r = await post(s, f.name + '?wait=1', t[PROBE], Buffer.from(f.text))
    if (high && r.status === 200) into.push(performance.now() - from)
    await sleep(1010)
  }
  for (let i = 0; i < 20; i++) await probe(latency.idle)
  const from = performance.now()
  const beside = (async () => { while (!over) await probe(latency.catching) })()
  await send(s, t, files.filter(f => f.at >= back))
  const live = performance.now() - from
  await send(s, t, [...backlog.filter(defines), ...backlog.filter(f => !defines(f)).reverse()])
  over = true
  const ms = performance.now() - from
  await beside
  return { ms, live, latency, backlog: backlog.length, bytes: backlog.reduce((n, f) => n + f.bytes.length, 0) }
})
const count = dir => zb(['points', dir, '--json']).split('\n').filter(Boolean).map(l => JSON.parse(l)).filter(p => p.mine !== PROBE).length
const missing = [...uncut.found].filter(k => !line.found.has(k)), extra = [...line.found].filter(k => !uncut.found.has(k))
const tally = of => Object.fromEntries([...new Set([...Object.keys(uncut.kinds), ...Object.keys(line.kinds)])].filter(of).map(k => [k, [uncut.kinds[k] ?? 0, line.kinds[k] ?? 0]])) // uncut, cut
const seconds = line.ms / 1000
console.log(JSON.stringify({
  mines: MINES, hours_cut: CUT, files: files.length, backlog_files: line.backlog, backlog_bytes: line.bytes, catch_up_s: +seconds.toFixed(1), times_live_rate: +((CUT * 3600) / seconds).toFixed(1),
  files_per_s: Math.round(line.backlog / seconds), told_to_wait: told, records: line.records, records_uncut: uncut.records, files_counted: line.files, files_counted_uncut: uncut.files,
  points: count(line.dir), points_uncut: count(uncut.dir), alarms: line.ids, alarms_uncut: uncut.ids, mines_with_alarms: line.mines, kinds: tally(k => KINDS.includes(k)), not_compared: tally(k => !KINDS.includes(k)), found_late: line.late, missing: missing.length, extra: extra.length, first_difference: missing[0] ?? extra[0] ?? null,
  live_alarm_ms: { idle_p50: +quantile(line.latency.idle, 0.5).toFixed(1), idle_max: +Math.max(...line.latency.idle).toFixed(1), catching_n: line.latency.catching.length, catching_p50: +quantile(line.latency.catching, 0.5).toFixed(1), catching_max: +Math.max(...line.latency.catching).toFixed(1) }
}))
rmSync(base, { recursive: true, force: true })
