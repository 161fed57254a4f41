// A mine's link from its token to live: trial in the shadow, codes, classes, a compared family, the report, acceptance; completeness and values read at the mine.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { beijing, dataDir, serve, session, stamp, until, zb } from '../lib.mjs'
const M = '140214900001', OTHER = '140214900777', now = Math.floor(Date.now() / 30000) * 30000
let d, s, officer, viewer, mine, far, token
before(async () => {
  d = dataDir()
  for (const [u, r, a] of [['duty', 'officer', '14'], ['look', 'viewer', '140214'], ['ctrl', 'dispatcher', M], ['away', 'officer', '1403']]) zb(['user', d.dir, 'add', u, '--role', r, '--area', a])
  s = await serve(d.dir)
  officer = await session(s, 'duty'); viewer = await session(s, 'look'); mine = await session(s, 'ctrl'); far = await session(s, 'away')
})
after(async () => { await s.stop(); d.remove() })
const put = (type, at, body, code = M, head = '') => fetch(`${s.url}/api/v1/uploads/${code}_${type}_${stamp(at)}.txt?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: `${code};示范矿;${head}${beijing(Date.now())}~${body}||` })
const point = (p, limit, unit = '%CH4', place = '1101工作面回风隅角') => `${p};01;001;0001;MN;${unit};4;0;${limit};${limit};;;1.5;1.0;;;;;${place};;;;;${beijing(now)}~`
const define = (...points) => put('CDDY', now - 700000, points.join(''), M, 'K;S;M;2027-12-31;')
const sample = (p, v, at, state = 0) => `${p};环境瓦斯;x;${v};%CH4;${state};${beijing(at)}~`
const ok = async r => { r = await r; assert.equal(r.status, 200, r.text); return r.body }
const link = async () => ok(officer('GET', '/links/' + M))
const check = (l, key) => l.report.checks.find(c => c.key === key)

test('an officer opens a link: the token is shown once, and is kept as a digest', async () => {
  assert.equal((await viewer('POST', '/links', { mine: M })).status, 403)
  assert.equal((await far('POST', '/links', { mine: M })).status, 403) // another city's officer
  assert.equal((await officer('POST', '/links', { mine: 'x' })).status, 400)
  token = (await ok(officer('POST', '/links', { mine: M, name: '示范矿', gas_class: 'high' }))).token
  assert.match(token, /^[0-9a-f]{64}$/)
  assert.equal((await officer('POST', '/links', { mine: M })).status, 409)
  const l = await link()
  assert.equal(l.phase, 'trial'); assert.equal(l.opened_by, 'duty'); assert.equal(l.gas_class, 'high'); assert.ok(!JSON.stringify(l).includes(token))
  assert.equal(check(l, 'minutes').state, 'fail')
  assert.equal((await officer('POST', `/links/${M}/accept`)).status, 400) // nothing came: a reason is asked
})

test('what comes on trial is kept, judged for the report and raises nothing', async () => {
  assert.equal((await define(point('P1', '1.0'), point('P2', '2.0', 'ppm', '总回风巷'))).status, 200)
  for (let i = 20; i >= 0; i--) if (i !== 7) assert.equal((await put('CDSS', now - i * 30000, sample('P1', i ? '0.40' : '1.60', now - i * 30000) + sample('P2', '0.10', now - i * 30000) + (i === 3 ? sample('P9', '0.1', now - i * 30000) : ''))).status, 200)
  assert.equal((await put('CDSS', now - 30000, sample('P1', '9', now - 30000), OTHER)).status, 403)
  assert.equal((await ok(officer('GET', '/alarms'))).alarms.length, 0)
  const l = await until('the last sample is judged', async () => { const l = await link(); return check(l, 'files').value === 95.23 && l.report.alarms.length && l }) // 20 of 21
  assert.equal(check(l, 'minutes').value, 10); assert.equal(check(l, 'minutes').state, 'pass')
  assert.equal(check(l, 'files').value, 95.23); assert.equal(check(l, 'files').state, 'pass')
  assert.equal(check(l, 'clock').state, 'pass')
  assert.equal(check(l, 'undefined').value, 1); assert.equal(check(l, 'units').value, 1); assert.equal(check(l, 'limits').value, 1); assert.equal(check(l, 'classes').value, 3)
  assert.deepEqual(l.report.unknown_codes, [OTHER]); assert.equal(l.report.refusals.length, 1)
  assert.equal(check(l, 'streams').state, 'unknown') // no record of the mine yet
  assert.ok(l.report.alarms.some(a => a.kind === 'over-limit'))
  const p1 = l.report.points.find(p => p.point === 'P1')
  assert.equal(p1.class, 'F_CORNER'); assert.equal(p1.confirmed, false); assert.equal(p1.received, 20); assert.equal(p1.expected, 21)
})

test('codes are mapped, classes confirmed, the definition corrected', async () => {
  assert.equal((await viewer('POST', `/links/${M}/codes`, { code: OTHER })).status, 403)
  await ok(officer('POST', `/links/${M}/codes`, { code: OTHER }))
  assert.equal((await put('CDSS', now - 30000, sample('P1', '0.41', now - 30000), OTHER)).status, 200)
  assert.equal((await officer('POST', `/links/${M}/classes`, { classes: { P1: 'NO_SUCH' } })).status, 400)
  await ok(officer('POST', `/links/${M}/classes`, { classes: { P1: 'F_CORNER', P2: 'R_TOTAL' } }))
  await define(point('P1', '1.0'), point('P2', '0.75', '%CH4', '总回风巷'), point('P9', '1.0', '%CH4', '1102采煤工作面'))
  await ok(officer('POST', `/links/${M}/classes`, { classes: { P9: 'F_FACE' } }))
  const asked = ['unknown_codes', 'undefined', 'units', 'classes', 'limits']
  let l
  await until('each passes', async () => { l = await link(); return asked.every(k => check(l, k).state === 'pass') }, () => JSON.stringify(asked.map(k => check(l, k))))
  assert.deepEqual(l.report.aliases, [OTHER])
})

test('the same sensor by a second family is compared, not judged', async () => {
  const csv = `point,time,value\nQ1,${beijing(now - 60000)},0.55\nQ1,${beijing(now - 30000)},0.44\n`
  const r = await officer('POST', `/links/${M}/families`, { family: 'CSV', compared: true, points: { Q1: 'P1' } })
  assert.equal(r.status, 200, r.text)
  const f = await fetch(`${s.url}/api/v1/uploads/${M}_CSV_${stamp(now)}.csv?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: csv })
  assert.equal(f.status, 200, await f.clone().text())
  const rows = (await ok(officer('GET', `/completeness/${M}/families`))).points
  assert.equal(rows.length, 1); assert.equal(rows[0].point, 'P1'); assert.equal(rows[0].compared, 2); assert.ok(Math.abs(rows[0].difference) > 0)
  assert.ok(!(await link()).report.points.some(p => p.point.startsWith('Q1')), 'no detector knows the compared one')
})

test('required streams follow the kind of mine in its record', async () => {
  zb(['user', d.dir, 'add', 'admin', '--role', 'operator'])
  const admin = await session(s, 'admin')
  await ok(admin('POST', '/ledgers/site/records', { values: { code: M, name: '示范矿', kind: 'coal_ug', county: '140214' } }))
  const l = await link(), st = Object.fromEntries(l.report.streams.map(x => [x.stream, x]))
  assert.equal(st.ST01.came, true); assert.equal(st.ST02.came, false); assert.equal(st.ST12.by_upload, false); assert.equal(check(l, 'streams').state, 'fail')
})

test('acceptance needs a reason for what does not pass, keeps the report, brings what stands to the desk', async () => {
  assert.match((await officer('POST', `/links/${M}/accept`)).body.error, /give the reason/)
  const l = await ok(officer('POST', `/links/${M}/accept`, { note: '人员定位下月接入' }))
  assert.equal(l.phase, 'live'); assert.equal(l.accepted_by, 'duty'); assert.equal(l.note, '人员定位下月接入')
  const a = (await ok(officer('GET', '/alarms?active=1'))).alarms
  assert.ok(a.find(x => x.kind === 'over-limit' && x.point === 'P1' && x.peak === 1.6), 'the alarm that stood in the trial is live')
  assert.equal((await officer('POST', `/links/${M}/accept`, { note: 'x' })).status, 409)
  await put('CDSS', now + 30000, sample('P1', '0.10', now + 30000))
  assert.deepEqual((await link()).report, l.report, 'the report stays as it was accepted')
  const what = (await ok(officer('GET', '/journal?n=100'))).entries.map(e => e.what)
  for (const w of ['link.open', 'link.codes', 'link.classes', 'link.families', 'link.accept']) assert.ok(what.includes(w), w)
  const pdf = await officer('GET', `/reports/link_acceptance?record=${M}`)
  assert.equal(pdf.status, 200, pdf.text.slice(0, 300)); assert.ok(pdf.text.startsWith('%PDF'))
  const tree = JSON.stringify((await officer('GET', `/reports/link_acceptance?record=${M}&format=json`)).body)
  for (const w of ['人员定位下月接入', '文件完整率', 'P1', OTHER]) assert.ok(tree.includes(w), w)
  assert.equal((await far('GET', `/reports/link_acceptance?record=${M}`)).status, 404) // another city's mine
})

test('completeness by hour, and a value read at the mine beside ours', async () => {
  const c = await ok(officer('GET', '/completeness/' + M))
  const p1 = c.points.find(p => p.point === 'P1'), k = c.kinds.find(x => x.type === 'CDSS')
  assert.equal(p1.hours.reduce((a, b) => a + b), 21); assert.equal(p1.hours.length, k.hours.length); assert.ok(k.files >= 21) // files are counted into the table once a minute
  assert.equal(c.offset_ms !== null && Math.abs(c.offset_ms) < 30000, true)
  assert.equal((await viewer('POST', `/completeness/${M}/sampled`, { point: 'P1', t: beijing(now), value: '1.6' })).status, 403)
  const minute = Math.floor((now - 300000) / 60000) * 60000
  let row = (await ok(mine('POST', `/completeness/${M}/sampled`, { point: 'P1', t: beijing(minute), value: '0.40' }))).sampled[0]
  assert.equal(row.way, 'mine'); assert.ok(row.samples >= 1); assert.equal(row.difference, 0)
  row = (await ok(officer('POST', `/completeness/${M}/sampled`, { point: 'P1', t: beijing(minute), value: '0.90' }))).sampled[0]
  assert.equal(row.difference, 0.5); assert.equal(row.way, 'inspector')
  row = (await ok(officer('POST', `/completeness/${M}/sampled`, { point: 'P1', t: beijing(now - 86400000), value: '0.90' }))).sampled[0]
  assert.equal(row.samples, 0); assert.equal(row.difference, null) // we have nothing of that minute
  assert.equal((await officer('POST', `/completeness/${M}/sampled`, { point: 'P1', t: beijing(minute), value: '1,0' })).status, 400)
  assert.equal((await far('GET', '/completeness/' + M)).status, 404)
})

test('a video gateway pushes its events with the mine\'s token and gets its own kind of answer', async () => {
  const push = (type, list, t = token) => fetch(`${s.url}/api/v1/mine/ai/${type}?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${t}` }, body: JSON.stringify(list) })
  const event = { cameraCode: '14021400001320000001', analysisType: '03', analysisCase: '0001', dataTime: beijing(now) }
  let r = await push('videoAnomaly', [event])
  assert.equal(r.status, 200); assert.deepEqual(await r.json(), { code: 200, msg: '' })
  assert.ok((await ok(officer('GET', '/alarms?kind=video'))).alarms.some(a => a.mine === M && a.note.includes('遮挡')))
  r = await push('videoAnomaly', { ...event }) // not a list
  assert.equal(r.status, 400); assert.equal((await r.json()).code, 400)
  assert.equal((await push('noSuchType', [event])).status, 400)
  assert.equal((await push('videoAnomaly', [event], 'x'.repeat(64))).status, 401)
})
