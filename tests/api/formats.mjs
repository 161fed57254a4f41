// Families through the door: a type added by a YAML alone, XML, JSON and lines of the same program, and what becomes of them.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataDir, json, ROOT, serve, zb } from '../lib.mjs'
const fixture = name => readFileSync(join(ROOT, 'tests/fixtures/formats', name))
const YAML = `source: "made up by a test"
family: F11
type: SPJC
zh: 矸石山温度
syntax: json
list: rows
period: 10 min
key: [spot, time]
header:
  fields:
    - mine! code 单位编码
    - time! time 发送时间
body:
  fields:
    - spot! code 测点
    - {name: degrees, zh: 温度, at: t.c, kind: dec, number: true}
    - time! time 时间
facts:
  - {fact: sample, point: spot, value: degrees, sensor: "=0003", location: "=矸石山"}
`
test('a type that is new at run time needs a table and no C', async () => {
  const d = dataDir()
  writeFileSync(join(d.dir, 'policy/formats/SPJC.yaml'), YAML)
  const tokens = Object.fromEntries(['140214900001', '067000123', '140221000009', '140981300007', '140214001', '140214000123'].map(m => [m, /[A-Za-z0-9_-]{20,}/.exec(zb(['token', d.dir, 'add', m]))[0]]))
  const s = await serve(d.dir)
  const send = async (mine, name, body) => { const r = await fetch(`${s.url}/api/v1/uploads/${encodeURIComponent(name)}?wait=1`, { method: 'POST', headers: { Authorization: 'Bearer ' + tokens[mine] }, body }); return { status: r.status, ...(await r.json()) } }
  try {
    let r = await send('140214900001', '140214900001_SPJC_20260301080000.json', JSON.stringify({ mine: '140214900001', time: '2026-03-01 08:00:00', rows: [{ spot: 'G1', t: { c: 41.5 }, time: '2026-03-01 08:00:00' }, { spot: 'G2', t: { c: 'hot' }, time: '2026-03-01 08:00:00' }, ...[3, 4, 5, 6].map(k => ({ spot: 'G' + k, t: { c: 20 + k }, time: '2026-03-01 08:00:00' }))] }))
    assert.deepEqual([r.status, r.family, r.type, r.accepted, r.refused], [200, 'F11', 'SPJC', 5, 1])
    assert.match(r.reasons[0], /record 2, field degrees: "hot" is not a number/)
    r = await send('067000123', '067000123_AQMC_20260301000000.xml', fixture('067000123_AQMC_20260301000000.xml'))
    assert.deepEqual([r.status, r.family, r.accepted], [200, 'F3', 1], JSON.stringify(r))
    r = await send('067000123', '067000123_AQSS_20260301000030.xml', fixture('067000123_AQSS_20260301000030.xml').toString().replace('0.32', '1.62'))
    assert.deepEqual([r.status, r.family, r.accepted], [200, 'F3', 2], JSON.stringify(r))
    r = await send('140221000009', '140221000009_gnssalarm_20260301090000_1234.json', fixture('140221000009_gnssalarm_20260301090000_1234.json'))
    assert.deepEqual([r.status, r.family, r.accepted], [200, 'F8', 1], JSON.stringify(r))
    for (const f of ['140981300007_GTXDY_20260301000000.txt', '140981300007_GTXSS_20260301080000.txt']) assert.equal((await send('140981300007', f, fixture(f))).accepted, 1)
    assert.equal((await send('140214001', '140214001_20260301000030AQSS', fixture('140214001_20260301000030AQSS'))).accepted, 1)
    assert.equal((await send('140214000123', '140214000123_videoAnomaly_20260301080001.json', fixture('140214000123_videoAnomaly_20260301080001.json'))).accepted, 1)
    assert.equal((await send('140214000123', '140214000123_RYCY_20260301081500.txt', fixture('140214000123_RYCY_20260301081500.txt'))).accepted, 1)
    r = await send('140214000123', '140214000123_GJSJ_20260301081500.txt', 'nobody has seen this layout')
    assert.deepEqual([r.status, r.records], [200, 0], 'kept as it came')
    assert.notEqual((await send('140214900001', '067000123_AQSS_20260301000130.xml', fixture('067000123_AQSS_20260301000030.xml'))).status, 200, 'another mine')
  } finally { await s.stop() }
  assert.deepEqual(json(['query', d.dir, '140214900001/G1']), [{ t: '2026-03-01T08:00:00+08:00', v: 41.5, state: 0 }])
  assert.deepEqual(json(['query', d.dir, '067000123/000001.001A01']).map(x => x.v), [1.62])
  const alarms = json(['alarms', d.dir, '--limit', '100']), of = (mine, kind) => alarms.filter(a => a.mine === mine && a.kind === kind)
  assert.ok(of('140214900001', 'over-limit').length, 'the new type is judged: 41.5 degrees')
  assert.ok(of('067000123', 'over-limit').length && of('067000123', 'cut').length, 'methane of the XML family at the corner')
  assert.deepEqual(of('140221000009', 'reported').map(a => [a.point, a.level, a.peak]), [['140221000009010001', 'orange', 11]])
  assert.deepEqual(of('140981300007', 'under-limit').map(a => [a.point, a.level, a.limit]), [['140981300007GT010001', 'yellow', 100]], 'a beach of 85 m under its own line of 100')
  assert.deepEqual(of('140214000123', 'video').map(a => a.point), ['14021400001320000001'])
  assert.deepEqual(of('140214000123', 'over-people').map(a => [a.point, a.peak]), [['1402140001230003', 21]])
  assert.equal(json(['rebuild', d.dir])[0].differ, 0)
  d.remove()
})
