// Records over the API: a hazard's whole way with its roles, four eyes, levels, conflicts, hidden records, clocks, history, files, sealed fields, import and export.
import assert from 'node:assert/strict'
import { writeFileSync, readFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { dataDir, gasOn, json, PASSWORD, serve, session, until, zb, zbTry } from '../lib.mjs'
const M = '140214900001', day = n => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10), GAS = gasOn(day(0))
let d, s, who = {}, site
const people = { insp: ['inspector', '140214'], insp2: ['inspector', '1402'], haz1: ['hazard_officer', '140214'], haz2: ['hazard_officer', '140214'], hazcity: ['hazard_officer', '1402'], hazcity2: ['hazard_officer', '1402'], head: ['head', '140214'], headcity: ['head', '1402'], boss: ['principal', M], safe: ['safety_manager', M], other: ['principal', '140214900002'], far: ['inspector', '140105'], issuer: ['issuer', '14'], team: ['working_team', '14'], lead: ['team_leader', '140214'] }
before(async () => {
  d = dataDir()
  for (const [u, [role, area]] of Object.entries(people)) zb(['user', d.dir, 'add', u, '--role', role, '--area', area])
  s = await serve(d.dir)
  for (const u of Object.keys(people)) who[u] = await session(s, u)
  const r = await who.head('POST', '/ledgers/site/records', { values: { code: M, name: '示范一矿', kind: 'coal_ug', county: '140214', sup_level: 'city', gas: 'high' } })
  assert.equal(r.status, 200, r.text)
  site = r.body.id
  assert.equal((await who.head('POST', '/ledgers/site/records', { values: { code: '140214900002', name: '示范二矿', kind: 'coal_ug', county: '140214', sup_level: 'county' } })).status, 200)
})
after(async () => { await s?.stop(); d?.remove() })
const show = async (u, l, id) => (await who[u]('GET', `/ledgers/${l}/records/${id}`))
const act = async (u, l, id, a, values = {}, more = {}) => {
  const r = await show(u, l, id)
  return r.status !== 200 ? r : who[u]('POST', `/ledgers/${l}/records/${id}/do`, { act: a, rev: r.body.rev, values, ...more })
}
const good = r => { assert.equal(r.status, 200, r.text); return r.body }
const sign = { password: PASSWORD }
const hazard = async (more = {}) => good(await who.insp('POST', '/ledgers/major_hazard/records', { values: { site, place: '1101工作面', criterion: GAS, source: 'county', found_on: day(0), text: '上隅角瓦斯超限仍在作业', ...more } })).id
const five = { resp_person: '张某', measures: '停止作业，增加风量', fund_plan: 12.5, deadline: day(20), emergency_plan: '瓦斯超限应急预案' }

test('a major hazard: stop and withdraw, five in place, self-accept, two officers close', async () => {
  const id = await hazard()
  assert.match((await show('insp', 'major_hazard', id)).body.no, /^ZDYH-\d{4}-140214-\d{4}$/)
  let r = await act('safe', 'major_hazard', id, 'register', five)
  assert.equal(r.status, 409, 'first the stop-and-withdraw order: ' + r.text)
  assert.equal((await act('insp', 'major_hazard', id, 'withdraw', { stop_scope: '1101工作面', withdraw_at: day(0) + ' 00:00:00' })).status, 403, 'signed: the password again')
  assert.equal((await act('insp', 'major_hazard', id, 'withdraw', { stop_scope: '1101工作面', withdraw_at: day(0) + ' 00:00:00' }, { password: 'wrong-password-x' })).status, 403)
  good(await act('insp', 'major_hazard', id, 'withdraw', { stop_scope: '1101工作面', withdraw_at: day(0) + ' 00:00:00' }, sign))
  r = await act('safe', 'major_hazard', id, 'register', { ...five, fund_plan: null })
  assert.equal(r.status, 400); assert.match(r.text, /整改资金/)
  r = await act('safe', 'major_hazard', id, 'register', { ...five, deadline: '2020-01-01' })
  assert.equal(r.status, 409, 'guard'); assert.match(r.text, /整改期限早于发现日期/)
  assert.equal((await act('insp', 'major_hazard', id, 'register', five)).status, 403, 'not the inspector\'s')
  good(await act('safe', 'major_hazard', id, 'register', five))
  assert.equal((await show('insp', 'major_hazard', id)).body.state, 'rectifying')
  good(await act('safe', 'major_hazard', id, 'note', { notes: { add: [{ day: day(0), text: '已增加风量', pct: 60 }] }, progress_pct: 60 }))
  r = await act('boss', 'major_hazard', id, 'self_accept', { self_accept_note: '合格', progress_pct: 60 }, sign)
  assert.equal(r.status, 409); assert.match(r.text, /100%/)
  good(await act('boss', 'major_hazard', id, 'self_accept', { self_accept_note: '合格', progress_pct: 100 }, sign))
  const v = { verify_note: '现场核查合格', closed_on: day(0) }
  r = await act('haz1', 'major_hazard', id, 'verify', v, sign)
  assert.equal(r.status, 403, 'the city supervises this mine'); assert.match(r.text, /市级/)
  assert.equal((await act('insp', 'major_hazard', id, 'verify', v, sign)).status, 403, 'who found it may not verify it')
  assert.deepEqual(good(await act('hazcity', 'major_hazard', id, 'verify', v, sign)).done, false)
  assert.equal((await show('hazcity', 'major_hazard', id)).body.state, 'self_accepted', 'one signature does not close')
  assert.equal((await act('hazcity', 'major_hazard', id, 'verify', v, sign)).status, 403, 'the same officer twice')
  assert.equal(good(await act('hazcity2', 'major_hazard', id, 'verify', v, sign)).done, true)
  assert.equal((await show('hazcity', 'major_hazard', id)).body.state, 'closed')
  const h = good(await who.insp('GET', `/ledgers/major_hazard/records/${id}/history`)).versions
  assert.deepEqual(h.map(x => x.act), ['new', 'withdraw', 'register', 'note', 'self_accept', 'verify'])
  assert.ok(h[2].changes.some(c => c.field === 'fund_plan' && c.old === '' && c.new === '12.5'))
  assert.equal((await show('boss', 'major_hazard', id)).body.subs.notes[0].text, '已增加风量')
  const j = json(['journal', d.dir, '--n', '100'])
  assert.ok(j.some(x => x.what === 'major_hazard.verify' && x.body.signed === true && x.body.set.closed_on))
})

test('a second one of the same kind within a year proposes a review; the mine does not see the draft', async () => {
  const id = await hazard({ text: '同一情形再次出现' })
  assert.equal((await show('insp', 'major_hazard', id)).body.values.repeat_n, 1)
  assert.equal(good(await who.head('GET', '/ledgers/measure/records')).total, 0, 'the clock needs its minute')
})

test('areas: another mine and a far county see nothing; asking by id is absent', async () => {
  const id = await hazard({ text: '只有本辖区可见' })
  for (const u of ['other', 'far']) {
    assert.equal((await show(u, 'major_hazard', id)).status, 404)
    assert.equal(good(await who[u]('GET', '/ledgers/major_hazard/records')).total, 0)
    assert.equal((await act(u, 'major_hazard', id, 'withdraw')).status, 404)
  }
  assert.equal(good(await who.insp2('GET', '/ledgers/major_hazard/records')).total, 3, 'the city sees its county')
  const r = await who.far('POST', '/ledgers/major_hazard/records', { values: { site, place: 'x', criterion: GAS, source: 'county', found_on: day(0), text: 'x' } })
  assert.ok(r.status >= 400, 'a record outside the area: ' + r.text)
})

test('planned inspections are not there for the mine: not in list, total, history or number', async () => {
  const r = good(await who.insp('POST', '/ledgers/inspection/records', { values: { site, subject_note: '瓦斯专项', kind: 'special', mode: 'four_no_two_direct', plan_on: day(3), leader: '李某', members: '李某、王某' } }))
  assert.equal((await show('insp', 'inspection', r.id)).body.no, null, 'no number before arrival')
  assert.equal((await show('boss', 'inspection', r.id)).status, 404)
  assert.equal(good(await who.boss('GET', '/ledgers/inspection/records')).total, 0)
  assert.equal((await who.boss('GET', `/ledgers/inspection/records/${r.id}/history`)).status, 404)
  assert.equal((await show('boss', 'site', site)).body.linked.filter(x => x.ledger === 'inspection').length, 0)
  assert.equal((await act('insp', 'inspection', r.id, 'approve', { approval_no: 'X' }, sign)).status, 403)
  assert.equal((await show('haz1', 'inspection', r.id)).status, 404, 'nor for another officer of the county')
  good(await act('lead', 'inspection', r.id, 'approve', { approval_no: '批-1', item_code: '0101' }, sign))
  const start = { arrive_at: day(0) + ' 00:00:00', cards: 'A1 A2', notice_no: '通-1' }
  assert.equal((await act('insp', 'inspection', r.id, 'start', start)).status, 409, 'two valid cards')
  const org = good(await who.head('POST', '/ledgers/org/records', { values: { code: '11140214MB0000001X', name: '县应急管理局', kind: 'regulator', region: '140214', level: 'county' } })).id
  for (const number of ['A1', 'A2']) good(await who.issuer('POST', '/ledgers/credential/records', { values: { number, kind: 'enforcement_cert', org, issued_on: day(-30), valid_to: day(700) } }))
  good(await act('insp', 'inspection', r.id, 'start', start))
  const seen = await show('boss', 'inspection', r.id)
  assert.equal(seen.status, 200, 'after arrival the mine sees it')
  assert.equal(seen.body.values.approval_no, undefined, 'not the approval')
  const h = good(await who.boss('GET', `/ledgers/inspection/records/${r.id}/history`)).versions
  assert.deepEqual(h.map(x => x.state), ['started'], 'not what was hidden then')
  assert.ok(json(['journal', d.dir, '--n', '200']).some(x => x.what === 'inspection.read' && x.who === 'boss'), 'reads are journalled')
})

test('bodies: services are a set; a third party sees its own reports, a parent its mines, by the code of the body', async () => {
  const org = async values => good(await who.head('POST', '/ledgers/org/records', { values: { region: '140214', ...values } })).id
  const parent = await org({ code: '91140214MA0PARENTX', name: '示范集团', kind: 'parent' })
  const owner = await org({ code: '91140214MA0OWNER0X', name: '示范煤业', kind: 'enterprise', parent })
  const lab = await org({ code: '91140214MA0LAB000X', name: '检测公司', kind: 'third_party', services: '检测、设计' })
  assert.equal((await show('head', 'org', lab)).body.values.services, 'design testing', 'in the order of the list')
  assert.equal((await who.head('POST', '/ledgers/org/records', { values: { code: '91140214MA0BAD000X', name: 'x', kind: 'third_party', region: '140214', services: '算命' } })).status, 400)
  assert.equal(good(await who.head('GET', '/ledgers/org/records?where=' + encodeURIComponent('services~testing'))).total, 1)
  good(await who.head('POST', `/ledgers/site/records/${site}`, { rev: (await show('head', 'site', site)).body.rev, values: { org: owner } }))
  for (const [u, role, area] of [['lab', 'third_party', '91140214MA0LAB000X'], ['lab2', 'third_party', '91140214MA0LAB002X'], ['group', 'parent', '91140214MA0PARENTX']]) {
    zb(['user', d.dir, 'add', u, '--role', role, '--area', area])
    who[u] = await session(s, u)
  }
  const report = good(await who.lab('POST', '/ledgers/service_report/records', { values: { org: lab, site, kind: 'testing', doc_no: 'JC-1', issued_on: day(0) } })).id
  assert.equal((await who.lab2('POST', '/ledgers/service_report/records', { values: { org: lab, site, kind: 'testing', doc_no: 'JC-2', issued_on: day(0) } })).status, 400, 'another body cannot name it')
  assert.equal((await show('lab', 'service_report', report)).status, 200)
  assert.equal((await show('lab2', 'service_report', report)).status, 404)
  assert.equal((await show('boss', 'service_report', report)).status, 200, 'the mine sees what is said of it')
  assert.equal(good(await who.group('GET', '/ledgers/site/records')).total, 1, 'its mine, not the neighbour')
  assert.ok(good(await who.group('GET', '/ledgers/major_hazard/records')).total >= 3)
  const seen = (await show('lab', 'site', site)).body.values
  assert.deepEqual(Object.keys(seen).sort(), ['code', 'county', 'kind', 'name'], 'a body sees of a mine its name')
  assert.equal((await who.group('GET', '/mines')).status, 403)
})

test('two officers edit one record: the second is told and nothing is lost', async () => {
  const id = await hazard({ text: '编辑冲突' })
  const { rev } = (await show('insp', 'major_hazard', id)).body
  good(await who.insp('POST', `/ledgers/major_hazard/records/${id}`, { rev, values: { cause: '风筒漏风' } }))
  const r = await who.haz1('POST', `/ledgers/major_hazard/records/${id}`, { rev, values: { cause: '另一个原因' } })
  assert.equal(r.status, 409); assert.match(r.text, /insp/)
  assert.equal((await show('haz1', 'major_hazard', id)).body.values.cause, '风筒漏风')
})

test('as of a date and as known on a date', async () => {
  const r = good(await who.head('POST', '/ledgers/site/records', { values: { code: '140214900003', name: '旧名矿', kind: 'coal_ug', county: '云冈区' }, at: '2026-01-01 00:00:00' }))
  const t1 = new Date().toISOString()
  await new Promise(ok => setTimeout(ok, 30))
  const { rev } = (await show('head', 'site', r.id)).body
  good(await who.head('POST', `/ledgers/site/records/${r.id}`, { rev, values: { name: '新名矿' }, at: '2026-03-01 00:00:00', why: '更名' }))
  const at = async q => (await who.head('GET', `/ledgers/site/records/${r.id}?${q}`)).body?.values?.name
  assert.equal(await at('asof=2026-02-01'), '旧名矿')
  assert.equal(await at('asof=2026-03-02'), '新名矿')
  assert.equal(await at('known=' + encodeURIComponent(t1)), '旧名矿', 'what was known before')
  assert.equal((await who.head('GET', `/ledgers/site/records/${r.id}?asof=2025-01-01`)).status, 404)
})

test('search finds two Chinese letters; filters and sort; unknown names are refused', async () => {
  const find = async q => good(await who.insp('GET', '/ledgers/major_hazard/records?' + q))
  assert.equal(good(await who.insp('GET', '/ledgers/site/records?where=' + encodeURIComponent('county=140203'))).records[0].county, '140214', 'a code of before 2018')
  assert.ok((await find('q=' + encodeURIComponent('超限'))).total >= 1)
  assert.equal((await find('q=' + encodeURIComponent('限超'))).total, 0)
  assert.ok((await find('q=' + encodeURIComponent('瓦'))).total >= 1)
  assert.equal((await find('where=' + encodeURIComponent('state=closed'))).total, 1)
  assert.ok((await find('where=' + encodeURIComponent(`found_on>=${day(0)};criterion=${GAS}|COAL-2026-07.10`))).total >= 3)
  assert.equal((await who.insp('GET', '/ledgers/major_hazard/records?where=' + encodeURIComponent('nothing=1'))).status, 400)
  assert.equal((await who.insp('GET', '/ledgers/major_hazard/records?sort=' + encodeURIComponent('id;drop table'))).status, 400)
  const rows = (await find('sort=-found_on')).records
  assert.ok(rows.length >= 3 && rows[0].site_name === '示范一矿')
})

test('files: kind by content, digest, not for strangers', async () => {
  const id = await hazard({ text: '附件' })
  const put = (name, bytes) => who.insp('POST', `/ledgers/major_hazard/records/${id}/files?name=${encodeURIComponent(name)}`, bytes)
  const f = good(await put('整改方案.txt', '增加风量'))
  assert.equal((await put('evil.exe', 'MZ\u0000\u0001')).status, 400)
  assert.equal((await put('../x', 'a')).status, 400)
  const r = await who.boss('GET', `/files/${f.file}`)
  assert.equal(r.text, '增加风量')
  assert.equal((await who.other('GET', `/files/${f.file}`)).status, 404)
})

test('sealed fields: masked, opened with a reason by whom it concerns, erased for ever', async () => {
  const r = good(await who.issuer('POST', '/ledgers/credential/records', { values: { number: 'TZ-1', kind: 'special_op_cert', site, holder: '某人', id_number: '140200199001010011', issued_on: day(-100), valid_to: day(200) } }))
  assert.equal((await show('issuer', 'credential', r.id)).body.values.id_number, '***')
  assert.equal((await who.boss('POST', `/ledgers/credential/records/${r.id}/unseal`, { field: 'id_number', why: '看看' })).status, 403)
  assert.equal((await who.issuer('POST', `/ledgers/credential/records/${r.id}/unseal`, { field: 'id_number', why: '' })).status, 400)
  assert.equal(good(await who.issuer('POST', `/ledgers/credential/records/${r.id}/unseal`, { field: 'id_number', why: '换证核对' })).value, '140200199001010011')
  if (!d.pg) assert.ok(!readFileSync(join(d.dir, 'zhiben.db')).includes('140200199001010011') && !readFileSync(join(d.dir, 'zhiben.db-wal')).includes('140200199001010011'), 'nowhere in the database')
  good(await who.issuer('POST', `/ledgers/credential/records/${r.id}/erase`, { why: '保存期满' }))
  assert.equal((await who.issuer('POST', `/ledgers/credential/records/${r.id}/unseal`, { field: 'id_number', why: '换证核对' })).status, 404)
})

test('import: dry run tells sheet, row, column and reason; export comes back unchanged; formulas are text', async () => {
  const csv = '\ufeff煤矿编码,矿山名称,类型,县（市、区）,核定生产能力\r\n140214900011,甲矿,井工煤矿,云冈区,1200\r\n140214900012,"=cmd|\'/c calc\'!A1",coal_ug,140214,12x\r\n140214900013,丙矿,煤矿,云冈区,90\r\n'
  const dry = good(await who.head('POST', '/ledgers/site/import?dry=1', csv))
  assert.deepEqual([dry.rows, dry.made, dry.refused, dry.dry], [3, 1, 2, true])
  assert.deepEqual(dry.refusals.map(x => [x.line, x.column]), [[3, 'E'], [4, 'C']])
  assert.match(dry.refusals[0].reason, /12x/)
  assert.equal(good(await who.head('GET', '/ledgers/site/records?where=code%3D140214900011')).total, 0, 'a dry run keeps nothing')
  good(await who.head('POST', '/ledgers/site/import', csv.replace('12x', '120').replace(',煤矿,云', ',井工煤矿,云')))
  const again = good(await who.head('POST', '/ledgers/site/import', csv.replace('12x', '120').replace(',煤矿,云', ',井工煤矿,云')))
  assert.deepEqual([again.made, again.changed, again.unchanged], [0, 0, 3])
  const twice = good(await who.head('POST', '/ledgers/site/import?dry=1', csv.split('\r\n').slice(0, 2).join('\r\n') + '\r\n140214900011,甲矿,井工煤矿,云冈区,4100\r\n'))
  assert.deepEqual([twice.unchanged, twice.changed, twice.refused], [1, 0, 1], 'two lines about one mine do not overwrite each other')
  assert.match(twice.refusals[0].reason, /line 3 repeats code 140214900011 of line 2/)
  const out = await who.head('GET', '/ledgers/site/export?format=csv')
  assert.match(out.text, /"'=cmd/, 'a formula is defused on the way out')
  const x = await fetch(`${s.url}/api/v1/ledgers/site/export`, { headers: { cookie: '' } })
  assert.equal(x.status, 401)
  assert.equal((await who.boss('POST', '/ledgers/site/import', csv)).status, 403)
})

test('command line: a named actor, numbers for ledgers, one record a line', () => {
  const r = zbTry(['ledger', d.dir, 'L10', 'list', '--json'])
  assert.equal(r.code, 1, 'the owner of the machine has no rights on hazards'); assert.match(r.err, /no ledger/)
  const rows = json(['ledger', d.dir, 'L10', 'list', '--where', 'state=found', '--as', 'insp'])
  assert.ok(rows.length >= 2 && rows.every(x => x.state === 'found' && x.site_name === '示范一矿'))
  const one = json(['ledger', d.dir, 'L10', 'show', String(rows[0].id), '--as', 'insp'])[0]
  assert.equal(one.id, rows[0].id)
  const n = json(['ledger', d.dir, 'major_hazard', 'do', String(one.id), 'withdraw', '--rev', String(one.rev), '--values', JSON.stringify({ stop_scope: '全矿', withdraw_at: day(0) + ' 00:00:00' }), '--as', 'insp'])[0]
  assert.equal(n.done, true)
})

test('a licence that runs out expires by itself, once, also over a restart', async () => {
  const r = good(await who.issuer('POST', '/ledgers/credential/records', { values: { number: 'GQ-1', kind: 'safety_licence', site, issued_on: day(-400), valid_to: day(-1) } }))
  await until('it expires', async () => (await show('issuer', 'credential', r.id)).body.state === 'expired')
  await s.stop(); s = await serve(d.dir)
  for (const u of Object.keys(people)) who[u] = await session(s, u)
  await new Promise(ok => setTimeout(ok, 1500))
  const h = good(await who.issuer('GET', `/ledgers/credential/records/${r.id}/history`)).versions
  assert.equal(h.filter(x => x.act === 'expire').length, 1)
  assert.equal(json(['audit', d.dir, 'verify'])[0].ok, true)
})

test('backup while serving, restore elsewhere: the same records, the journal verifies; a strange archive is refused', { skip: process.env.DB === 'postgres' && 'records in PostgreSQL are taken with pg_dump' }, async () => {
  const file = join(d.base, 'b.zip'), other = join(d.base, 'r')
  zb(['backup', d.dir, file])
  zb(['restore', other, file])
  assert.equal(zbTry(['restore', other, file]).code, 1, 'not over something')
  const rows = dir => json(['ledger', dir, 'L10', 'list', '--as', 'insp2', '--sort', 'id']).map(({ id, rev, state, text }) => [id, rev, state, text])
  assert.ok(rows(d.dir).length > 4)
  assert.deepEqual(rows(other), rows(d.dir))
  assert.equal(json(['audit', other, 'verify'])[0].ok, true)
  writeFileSync(join(d.base, 'bad.zip'), 'PK nothing')
  assert.equal(zbTry(['restore', join(d.base, 'x'), join(d.base, 'bad.zip')]).code, 1)
})
