// Forecasts end to end: real upload files of a slope, a pond, a methane point and seismic events become warnings of their colour, two hazards of one mine together
// the next colour; a quiet twin of each becomes none. Fitted by a night, the same after a rebuild; in the shadow no alarm at all.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { beijing, dataDir, json, ROOT, serve, session, stamp, zb } from '../lib.mjs'
const DAY = 86400e3, T0 = Date.parse('2026-03-01T00:00:00+08:00'), moving = { slope: '140221000009', pond: '140981300007', gas: '140214900001', burst: '140214900005' }, quiet = { slope: '140221000019', pond: '140981300017', gas: '140214900011', burst: '140214900015' }
let seed = 7
const uni = () => (seed = (1664525 * seed + 1013904223) >>> 0) / 4294967296
// Three receivers read each morning: 0.7 mm/d, from day 60 on accelerating towards day 80.
function slope(put, mine, moves) {
  const equip = [1, 2, 3].map(i => `${mine}01000${i}`)
  put(`${mine}_gnssbaseinfo_${stamp(T0 - 80 * DAY)}_0001.json`, JSON.stringify({ send_time: beijing(T0 - 80 * DAY), data: equip.map((e, i) => ({ equip_no: e, equip_name: `GNSS-${i + 1}`, equip_location: '北帮1340平台', open_pit_no: mine, slope_no: 'N1' })) }))
  const data = []
  for (let d = 0; d < 80; d++) for (const e of equip) {
    const mm = 0.7 * d + (moves && d > 60 ? 80 * (1 / (80.5 - d) - 1 / 20.5) : 0) + uni() - 0.5
    data.push({ equip_no: e, monitor_time: beijing(T0 - (79 - d) * DAY + 8 * 3600e3), x_disp: mm.toFixed(2), y_disp: (uni() - 0.5).toFixed(2), z_disp: (-0.2 * mm).toFixed(2) })
  }
  put(`${mine}_gnssrealtime_${stamp(T0 + 8 * 3600e3)}_0001.json`, JSON.stringify({ send_time: beijing(T0 + 8 * 3600e3), open_pit_no: mine, data }))
}
// A level that swings by 0.6 m in six days; its flood-limit line lies in the upper part, or far above.
const level = ms => 100 + 0.6 * Math.sin((ms - T0) / DAY)
const rows = (mine, at, list) => `${mine};示范;${beijing(at)}~` + list.map(r => r.join(';') + '~').join('') + '||'
function pondPast(put, mine, line) {
  const from = T0 - 14 * DAY, p = `${mine}KS010001`, list = []
  put(`${mine}_KSWDY_${stamp(from)}.txt`, rows(mine, from, [[p, 'KSW-1', '2025-06-01', '库内', '921', '示范仪器', '雷达', '太阳能', '0.01', '112.7312', '38.7345', '921.50', '', '', line, '1']]))
  for (let t = from; t < T0; t += 300e3) list.push([p, beijing(t), level(t).toFixed(3)])
  put(`${mine}_KSWSS_${stamp(T0 - 1000)}.txt`, rows(mine, T0, list))
}
function pondNow(put, mine) {
  const list = []
  for (let t = T0; t < T0 + 12 * 3600e3; t += 300e3) list.push([`${mine}KS010001`, beijing(t), level(t).toFixed(3)])
  put(`${mine}_KSWSS_${stamp(T0 + 12 * 3600e3)}.txt`, rows(mine, T0 + 12 * 3600e3, list))
}
// Methane at 30 s, each hour a rise to `up` within seven minutes.
const gas = (i, up) => { const k = i % 120; return 0.45 + (k >= 80 && k < 95 ? (k - 80) * up / 15 : k >= 95 && k < 110 ? up : 0) }
function gasFile(put, mine, from, to, up) {
  const p = `${mine}01MN00000001`, list = []
  for (let i = from; i < to; i++) { const t = T0 + i * 30e3; list.push([p, '环境瓦斯', '1101工作面回风', (gas(i + 12000, up) + 0.02 * (uni() - 0.5)).toFixed(2), '%CH4', '0', beijing(t)]) }
  put(`${mine}_CDSS_${stamp(T0 + to * 30e3)}.txt`, rows(mine, T0 + to * 30e3, list))
}
// Shifts of eight hours up to T0: a strong event follows each seventh one, which has many small ones.
const SHIFT = 8 * 3600e3, event = (mine, t, joule) => [`${mine}${t / 1000}`, '', '', '', joule, '', '', beijing(t)]
const shiftOf = (mine, at, busy) => Array.from({ length: busy ? 14 : 2 }, (_, k) => event(mine, at + k * 60e3, 300 + 17 * (k % 9)))
function burstPast(put, mine) {
  const list = []
  for (let i = -240; i < 0; i++) {
    list.push(...shiftOf(mine, T0 + i * SHIFT, i % 7 === 0))
    if ((i - 1) % 7 === 0) list.push(event(mine, T0 + i * SHIFT + 4 * 3600e3, 40000))
  }
  put(`${mine}_WZSS_${stamp(T0 - 1000)}.txt`, rows(mine, T0 - 1000, list))
}
// The k-th shift after T0, closed by an event after it.
function burstShift(put, mine, k, busy) {
  const end = T0 + (k + 1) * SHIFT + 600e3
  put(`${mine}_WZSS_${stamp(end)}.txt`, rows(mine, end, [...shiftOf(mine, T0 + k * SHIFT + 420e3, busy), event(mine, end - 300e3, 300)]))
}
const POLICY = ['gas', 'slope', 'pond', 'burst']
function dirOf(base, name, on) {
  const policy = join(base, name + '-policy'), f = join(policy, 'rules/forecast.yaml'), dir = join(base, name)
  cpSync(join(ROOT, 'policies/shanxi'), policy, { recursive: true })
  let text = readFileSync(f, 'utf8')
  if (on) for (const k of POLICY) text = text.replace(new RegExp(`(- key: ${k}\\n(?:    .*\\n)*?    shadow: )true`), '$1false')
  writeFileSync(f, text)
  zb(['init', dir, '--policy', policy])
  return dir
}
test('uploads become warnings, quiet twins none', async () => {
  const d = dataDir(), dir = dirOf(d.base, 'on', true)
  try {
    const past = join(d.base, 'past'), now = join(d.base, 'now'), later = join(d.base, 'later')
    for (const f of [past, now, later]) mkdirSync(f)
    const putPast = (n, t) => writeFileSync(join(past, n), t), putNow = (n, t) => writeFileSync(join(now, n), t)
    slope(putPast, moving.slope, true); slope(putPast, quiet.slope, false)
    pondPast(putPast, moving.pond, '100.50'); pondPast(putPast, quiet.pond, '103.00')
    for (const k of [moving.gas, quiet.gas]) gasFile(putPast, k, -1680, 0, 0.5) // near the limit, never at it
    for (const k of [moving.burst, quiet.burst, moving.gas]) burstPast(putPast, k)
    for (const r of json(['import', dir, past])) assert.equal(r.refused, 0, JSON.stringify(r))
    assert.equal(json(['night', dir, '--day', '2026-02-28'])[0].models, 7)
    pondNow(putNow, moving.pond); pondNow(putNow, quiet.pond)
    for (const k of [moving.burst, moving.gas]) burstShift(putNow, k, 0, true)
    burstShift(putNow, quiet.burst, 0, false)
    gasFile(putNow, moving.gas, 960, 1070, 0.62); gasFile(putNow, quiet.gas, 960, 1070, 0.05) // in the shift after it
    for (const r of json(['import', dir, now])) assert.equal(r.refused, 0, JSON.stringify(r))
    const alarms = json(['alarms', dir, '--limit', '1000']), of = (mine, kind) => alarms.filter(a => a.mine === mine && a.kind === kind)
    for (const m of Object.values(quiet)) assert.deepEqual([...of(m, 'warning'), ...of(m, 'joint')], [], m)
    const [wall] = of(moving.slope, 'warning')
    assert.equal(of(moving.slope, 'warning').length, 1)
    assert.deepEqual([wall.point, wall.level, wall.group], ['N1', 'red', 'warning/slope'])
    assert.match(wall.note, /测点1402210000090100\d\d?\.x.*位移速率.*改进切线角.*同帮预警测点数 3/)
    const pond = of(moving.pond, 'warning').filter(a => Date.parse(a.raised) >= T0) // its past stood above the line already, before anything was learnt
    assert.deepEqual(pond.map(a => [a.level, a.group]), [['orange', 'warning/pond']])
    assert.match(pond[0].note, /预测24小时内达到防洪限制水位.*24小时后预测水位 100\.\d+ m/)
    assert.ok(of(moving.pond, 'over-limit').every(a => Date.parse(a.raised) < T0), 'before it is there')
    const [over] = of(moving.gas, 'over-limit').slice(-1), first = of(moving.gas, 'warning').filter(a => a.group === 'warning/gas').sort((a, b) => Date.parse(a.raised) - Date.parse(b.raised))[0]
    assert.ok(over && first && Date.parse(first.raised) < Date.parse(over.raised), 'methane is told before the limit is reached')
    assert.match(first.note, /达限概率 \d+(\.\d+)?%.*预计最大值 \d.*报警值 1 %CH4.*预测时段 3 min/)
    const burst = mine => of(mine, 'warning').filter(a => a.group === 'warning/burst')
    assert.deepEqual(burst(moving.burst).map(a => [a.point, a.level, Date.parse(a.raised)]), [['', 'yellow', T0 + SHIFT]])
    assert.match(burst(moving.burst)[0].note, /冲击危险高于常态.*下一班强震概率/)
    assert.equal(burst(moving.gas).length, 1)
    const [both] = of(moving.gas, 'joint')
    assert.deepEqual([of(moving.gas, 'joint').length, both.level, both.raised], [1, 'orange', first.raised])
    assert.equal(both.note, '瓦斯预测（黄）、冲击地压班次危险（黄）同时存在，升为橙色')
    for (const m of [moving.burst, moving.slope]) assert.deepEqual(of(m, 'joint'), [], 'one hazard alone stays what it is')
    for (const k of [1, 2]) burstShift((n, t) => writeFileSync(join(later, n), t), moving.burst, k, false)
    for (const r of json(['import', dir, later])) assert.equal(r.refused, 0, JSON.stringify(r))
    assert.equal(burst(moving.burst)[0].cleared, null)
    const [over1] = json(['alarms', dir, '--limit', '1000']).filter(a => a.id === burst(moving.burst)[0].id)
    assert.ok(Date.parse(over1.cleared) >= T0 + 2 * SHIFT, 'a quiet shift ends it')
    const again = json(['rebuild', dir])[0]
    assert.equal(again.differ, 0, again.first)
    zb(['user', dir, 'add', 'boss', '--role', 'operator', '--area', '14'])
    const s = await serve(dir), boss = await session(s, 'boss')
    const shown = (await boss('GET', '/alarms?kind=warning&limit=100')).body.alarms
    assert.equal(shown.length, alarms.filter(a => a.kind === 'warning').length)
    assert.match(shown.find(a => a.id === pond[0].id).note_en, /forecast to reach the flood limit within 24 h.*level forecast for 24 h ahead 100\.\d+ m/)
    const series = async (mine, point) => (await boss('GET', `/series?mine=${mine}&point=${point}&from=${T0 - DAY}&to=${T0 + DAY}`)).body.forecast
    const g = await series(moving.gas, `${moving.gas}01MN00000001`), p = await series(moving.pond, `${moving.pond}KS010001`)
    assert.deepEqual([g.hazard, g.horizon, p.hazard, p.horizon], ['gas', 180e3, 'pond', DAY])
    assert.ok(g.chance >= 0 && g.chance <= 1 && Math.abs(p.expected - level(p.at + p.horizon)) < 0.15 && p.spread > 0)
    await s.stop()
  } finally { d.remove() }
})
test('as delivered all are in the shadow: no warning on the desk', () => {
  const d = dataDir()
  try {
    const files = join(d.base, 'files')
    mkdirSync(files)
    slope((n, t) => writeFileSync(join(files, n), t), moving.slope, true)
    zb(['import', d.dir, files])
    const alarms = json(['alarms', d.dir, '--limit', '1000'])
    assert.ok(alarms.length > 0 && alarms.every(a => a.kind !== 'warning' && a.kind !== 'joint'), 'the lines of a single point still alarm')
    assert.equal(json(['rebuild', d.dir])[0].differ, 0)
  } finally { d.remove() }
})
