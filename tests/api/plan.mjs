// The plan room over the API: figures follow records within seconds, an area sees itself and a mine its own lines, the records behind a figure, another day,
// reported beside computed, dated duties, the next rung.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { dataDir, json, PASSWORD, serve, session, until, zb } from '../lib.mjs'
const M = '140214900001', day = n => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10)
const people = { team: ['working_team', '14'], head: ['head', '140214'], hazcity: ['head', '1402'], far: ['head', '140105'], boss: ['principal', M] }
let d, s, who = {}, site, person
const good = r => { assert.equal(r.status, 200, r.text); return r.body }
const make = async (u, ledger, values) => good(await who[u]('POST', `/ledgers/${ledger}/records`, { values })).id
const line = async (u, id, q = '') => good(await who[u]('GET', `/plan?id=${id}${q}`)).lines.find(l => l.id === id)
before(async () => {
  d = dataDir()
  for (const [u, [role, area]] of Object.entries(people)) zb(['user', d.dir, 'add', u, '--role', role, '--area', area])
  s = await serve(d.dir)
  for (const u of Object.keys(people)) who[u] = await session(s, u)
  site = await make('head', 'site', { code: M, name: '示范一矿', kind: 'coal_ug', county: '140214', sup_level: 'county' })
  person = await make('head', 'person', { name: '甲', post: 'mine_manager', site, edu: 'senior_high', major_ok: true, state: 'active' })
})
after(async () => { await s?.stop(); d?.remove() })

test('a changed record is on the wall map, with the worst reason, and nothing secret is', async () => {
  const cell = async (u, area) => good(await who[u]('GET', '/wallmap')).tasks.find(t => t.id === 'T01').cells.find(c => c.area === area)
  await until('red', async () => (await cell('team', '140200')).light === 'red')
  assert.equal((await cell('head', '140214')).light, 'red')
  assert.match((await cell('team', '140200')).worst, /^I01\./)
  const l = await line('team', 'I01.4', '&area=140214')
  assert.deepEqual([l.value, l.a, l.b, l.light], [0, 0, 1, 'red'])
  const r = good(await who.head('GET', `/ledgers/person/records/${person}`))
  good(await who.head('POST', `/ledgers/person/records/${person}`, { rev: r.rev, values: { edu: 'college' } }))
  await until('green', async () => (await line('team', 'I01.4', '&area=140200')).light === 'green')
  const map = JSON.stringify(good(await who.team('GET', '/wallmap')))
  assert.ok(!map.includes('I07.1'), 'clues are not on a wall')
  assert.ok(JSON.stringify(good(await who.team('GET', '/plan'))).includes('I07.1'), 'the team sees them in the office')
})

test('an area sees itself, a mine its own lines', async () => {
  assert.equal((await who.head('GET', '/plan?area=1402')).status, 403)
  assert.equal((await who.head('GET', '/wallmap?area=14')).status, 403)
  assert.equal((await who.far('GET', `/plan?area=${M}`)).status, 400)
  assert.equal((await who.boss('GET', '/wallmap')).status, 403)
  assert.equal((await who.boss('GET', '/proposals')).status, 403)
  const mine = good(await who.boss('GET', '/plan'))
  assert.equal(mine.area, M)
  const ids = mine.lines.filter(l => l.line === 'indicator').map(l => l.id)
  assert.ok(ids.includes('I01.4') && !ids.includes('I07.1') && !ids.includes('I07.4'), ids.join(' '))
  assert.equal((await who.boss('GET', '/indicators/I07.1/rows')).status, 404)
})

test('the rows behind a figure are its records', async () => {
  const r = good(await who.team('GET', '/indicators/I01.4/rows?area=140214')).rows
  assert.equal(r.length, 1)
  assert.deepEqual([r[0].ledger, r[0].id, r[0].title, r[0].a, r[0].b], ['person', person, '甲', 1, 1])
  const i = good(await who.team('GET', '/indicators/I01.4?area=140214'))
  assert.deepEqual(i.below.map(x => [x.area, x.area_name, x.light]), [[M, '示范一矿', 'green']])
  assert.ok(good(await who.team('GET', '/indicators/I01.4')).below.length === 11)
})

test('another day: nothing was there yesterday; what is frozen stays and is what a report says', async () => {
  const y = day(-1)
  assert.equal((await line('team', 'I01.4', `&area=140214&asof=${y}`)).light, 'no_case')
  assert.equal((await line('team', 'I01.4', `&area=140214&asof=${day(0)}`)).value, 100)
  const f = good(await who.team('POST', '/plan/freeze', { asof: day(0), known: day(0), why: '年度总结' })).frozen
  const r = good(await who.head('GET', `/ledgers/person/records/${person}`))
  good(await who.head('POST', `/ledgers/person/records/${person}`, { rev: r.rev, values: { edu: 'primary' } }))
  const p = good(await who.team('GET', `/plan?id=I01.4&area=140214&asof=${day(0)}&known=${day(0)}`))
  assert.deepEqual([p.frozen, p.lines.find(l => l.id === 'I01.4').value], [f, 100])
  await until('today says otherwise', async () => (await line('team', 'I01.4', '&area=140214')).value === 0)
  assert.equal((await who.head('POST', '/plan/freeze', { why: 'x' })).status, 403, 'the province freezes')
})

test('reported beside computed: a dry run names sheet, row and column; a correction leaves both', async () => {
  const csv = `地区,指标编号,数据截止日,上报值,分子,分母,证明材料,签发人\n140214,I01.4,${day(0)},100,1,1,学历证明,王\n140214,I01.5,昨天,1o,,,证明,王\n`
  const dry = good(await who.head('POST', '/ledgers/reported/import?dry=1', csv))
  assert.equal(dry.dry, true)
  assert.deepEqual(dry.refusals.map(x => [x.line, x.column]), [[3, 'C'], [3, 'D']])
  assert.equal(good(await who.head('GET', '/ledgers/reported/records')).total, 0, 'a dry run keeps nothing')
  good(await who.head('POST', '/ledgers/reported/import', csv.split('\n').slice(0, 2).join('\n') + '\n'))
  const city = await make('hazcity', 'reported', { region: '140200', indicator: 'I01.4', asof: day(0), value: 90, a: 9, b: 10, proof: '市级汇总', signer: '李' })
  let f = good(await who.hazcity('GET', '/reported')).figures
  const county = f.find(x => x.area === '140214'), own = f.find(x => x.area === '140200')
  assert.deepEqual([county.reported, county.computed, county.difference], [100, 0, 100])
  assert.deepEqual([own.reported, own.below_areas, own.below_value], [90, 1, 100])
  const r = good(await who.hazcity('GET', `/ledgers/reported/records/${city}`))
  assert.equal(r.can_edit, false, 'what was reported is frozen')
  good(await who.hazcity('POST', `/ledgers/reported/records/${city}/do`, { act: 'correct', rev: r.rev, why: '重复统计', password: PASSWORD, values: { new_value: 0, new_a: 0, new_b: 1, new_proof: '更正说明', new_signer: '李' } }))
  f = good(await who.hazcity('GET', '/reported')).figures.filter(x => x.area === '140200')
  assert.deepEqual(f.map(x => [x.reported, x.corrected]), [[0, false], [90, true]])
  const again = await who.hazcity('POST', '/ledgers/reported/records', { values: { region: '140200', indicator: 'I01.4', asof: day(0), value: 95, a: 19, b: 20, proof: '再报', signer: '李' } })
  assert.notEqual(again.status, 200, 'a second report of the same day is refused'); assert.match(again.text, /已上报|reported this indicator/)
  const twice = good(await who.head('POST', '/ledgers/reported/import', csv.split('\n').slice(0, 2).join('\n') + '\n'))
  assert.equal(twice.created ?? twice.taken ?? 0, 0, JSON.stringify(twice)); assert.match(JSON.stringify(twice), /已上报|reported this indicator/)
  assert.equal(good(await who.head('GET', '/ledgers/reported/records')).total, 1, 'nothing was added')
  assert.equal(good(await who.far('GET', '/reported')).figures.length, 0)
})

test('dated duties, overdue by owner, ranking, proposals', async () => {
  const duty = async () => good(await who.hazcity('GET', '/duties?from=2024-02-01&to=2024-03-31')).duties.find(x => x.key === 'city_plan')
  let x = await duty()
  assert.deepEqual([x.due, x.owed, x.done, x.state, x.without.join()], ['2024-02-29', 1, 0, 'missed', '140200'])
  const id = await make('hazcity', 'filing', { title: '市级方案', kind: 'city_plan', region: '140200', due_on: '2024-02-29', text: '方案' })
  const r = good(await who.hazcity('GET', `/ledgers/filing/records/${id}`))
  good(await who.hazcity('POST', `/ledgers/filing/records/${id}/do`, { act: 'send', rev: r.rev, password: PASSWORD, values: { sent_at: '2024-03-02 09:00:00', signer: '李' } }))
  x = await duty()
  assert.deepEqual([x.done, x.late, x.state], [1, 1, 'late'])
  const rank = good(await who.team('GET', '/ranking')).areas
  assert.equal(rank.length, 11)
  const datong = rank.find(a => a.area === '140200'), other = rank.find(a => a.area === '140300')
  assert.deepEqual([datong.mines, datong.peers_from, datong.place], [1, 1, 1])
  assert.equal(other.place, null, 'without mines there is nothing to rank')
  assert.ok(Array.isArray(good(await who.team('GET', '/proposals')).proposals))
  assert.ok(Array.isArray(good(await who.team('GET', '/overdue')).owners))
})

test('daily screens count by relative days; statistics count cases of the area and use the days of the rules', async () => {
  for (const n of [30, 91]) await make('head', 'case', { site, category: 'licence', opened_on: day(-n), facts: '示例', serious: n === 91 })
  const stat = async (u, key) => good(await who[u]('GET', '/statistics/' + key))
  const t = await stat('head', 'enforcement_organs'), at = k => t.columns.findIndex(c => c.key === k), row = t.rows.find(r => r.area === '140214')
  const year = n => (day(-n).slice(0, 4) === day(0).slice(0, 4) ? 1 : 0) // cases of this year count
  assert.deepEqual(['opened', 'serious_cases', 'decided'].map(k => row?.cells[at(k)] ?? 0), [year(30) + year(91), year(91), 0])
  const limits = (await stat('hazcity', 'time_limits')).rows.map(r => [r.cells[1].key, r.cells[2], r.cells[4]])
  assert.deepEqual(limits, [['decide', day(-1), 1], ['decide', day(60), null]])
  assert.equal((await stat('far', 'time_limits')).rows.length, 0, 'another county sees its own')
  assert.equal((await who.boss('GET', '/statistics/time_limits')).status, 404)
  const shown = good(await who.head('GET', '/screens')).groups.flatMap(g => g.screens)
  assert.equal(shown.find(x => x.key === 'cases_open').n, 2)
  assert.equal(good(await who.head('GET', `/ledgers/case/records?where=${encodeURIComponent('opened_on>=today-40')}`)).total, 1)
  assert.equal((await who.head('GET', `/ledgers/case/records?where=${encodeURIComponent('opened_on>=todayx')}`)).status, 400)
})

test('the command line prints a line each', async () => {
  const all = json(['plan', d.dir, '--area', '14', '--id', 'T01'])
  assert.ok(all.some(l => l.line === 'requirement' && l.id === 'T01.4') && all.some(l => l.line === 'indicator' && l.id === 'I01.4'))
})
