// Indicators counted a second time, from the files the generator wrote and by nothing of the program: records are put together here, change by change, and what
// each formula of the plan asks is written here once more. Province, cities and counties must agree, as of two days of three simulated years.
// A larger province by hand: MINES=400 node tests/api/recount.mjs
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { beijing, dataDir, json, lines, zb } from '../lib.mjs'
let d, past
before(() => {
  d = dataDir(); past = join(d.base, 'past')
  zb(['simulate', past, '--mines', process.env.MINES ?? '20', '--years', '3', '--seed', '11'])
  zb(['history', d.dir, past])
  zb(['user', d.dir, 'add', 'team', '--role', 'working_team', '--area', '14'])
})
after(() => d?.remove())

// ---- days are texts, so that they compare ----
const plus = (day, n) => new Date(Date.parse(day + 'T00:00:00Z') + n * 864e5).toISOString().slice(0, 10)
const month = (day, n = 0) => { const m = +day.slice(0, 4) * 12 + +day.slice(5, 7) - 1 + n; return `${Math.floor(m / 12)}-${String(m % 12 + 1).padStart(2, '0')}` } // '2025-06', n months on
const monthsBack = (day, n) => { const first = month(day, -n) + '-01', last = plus(month(day, 1 - n) + '-01', -1), same = first.slice(0, 8) + day.slice(8); return same > last ? last : same }
const start = (unit, day) => unit === 'year' ? day.slice(0, 4) + '-01-01' : unit === 'half' ? day.slice(0, 4) + (day.slice(5, 7) < '07' ? '-01-01' : '-07-01') : unit === 'quarter' ? month(day, -((+day.slice(5, 7) - 1) % 3)) + '-01' : month(day) + '-01'

// ---- the records as the files tell them up to a day ----
let told
function world(D) {
  told ??= readdirSync(past).filter(f => f !== 'truth.jsonl').map(f => [f.replace('.jsonl', ''), lines(readFileSync(join(past, f), 'utf8'))])
  const w = { D, all: {}, by: new Map() }
  for (const [ledger, changes] of told) {
    const recs = new Map()
    for (const c of changes) {
      if (c.at.slice(0, 10) > D) continue
      const r = recs.get(c.id) ?? { id: c.id, ledger, did: new Set() }
      r.did.add(c.act)
      for (const [k, v] of Object.entries(c.v)) r[k] = v && v.add ? [...(r[k] ?? []), ...v.add] : v
      recs.set(c.id, r)
    }
    w.all[ledger] = [...recs.values()]
    for (const r of recs.values()) w.by.set('@' + r.id, r)
  }
  w.get = n => w.all[n] ?? []
  w.site = r => r.ledger === 'site' ? r : w.by.get(r.site)
  w.area = r => { const s = w.site(r); return s ? s.county : r.region ?? w.by.get(r.org)?.region }
  w.of = (n, s) => { const k = n + ' ' + s.id; return (w.memo ??= new Map()).get(k) ?? (w.memo.set(k, w.get(n).filter(r => r.site === '@' + s.id)), w.memo.get(k)) }
  w.classes = new Map() // of a person
  for (const c of w.get('training')) for (const p of c.participants ?? []) { if (!w.classes.has(p.person)) w.classes.set(p.person, []); w.classes.get(p.person).push({ ...p, c, on: c.end_on ?? c.start_on }) }
  w.sat = p => w.classes.get('@' + p.id) ?? []
  w.sites = w.get('site'); w.pc = w.sites.filter(s => s.state === 'producing')
  w.staff = w.get('person').filter(p => p.site); w.post = (...posts) => w.staff.filter(p => posts.includes(p.post))
  w.holds = u => u.did.has('issue') && !u.did.has('replace') && (!u.valid_to || u.valid_to >= D) && (!u.issued_on || u.issued_on <= D)
  w.counties = [...new Set(w.sites.map(s => s.county))]
  w.since = unit => x => x >= start(unit, D) && x <= D
  return w
}

const FIVE = ['mine_manager', 'chief_engineer', 'dep_safety', 'dep_production', 'dep_mech'], COLLEGE = ['college', 'bachelor', 'master'], SENIOR = ['senior_high', 'secondary_voc', ...COLLEGE]
const CITIES = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11'].map(c => `14${c}00`), UG = ['coal_ug', 'nm_ug'], NM = ['nm_ug', 'nm_open'], COAL = ['coal_ug', 'coal_open']
// Texts with a known day of effect: from, to, for whom.
const TEXTS = { D08: ['2021-01-01', '2026-06-30', COAL], 'D08-2026': ['2026-07-01', '', COAL], D09: ['2022-09-01', '', [...NM, 'tailings']], D11: ['2021-09-01', ''], D12: ['2021-03-01', ''], D13: ['2024-05-01', '', COAL], D14: ['2022-04-01', '2026-01-31', COAL], 'D14-2025': ['2026-02-01', '', COAL] }
const inForce = D => Object.entries(TEXTS).filter(([, [from, to]]) => from <= D && (!to || to >= D))
const one = (w, list, met) => list.map(r => [w.area(r), met(r), 1]) // [area, what counts (null: not known), out of what]
const yes = x => x ? 1 : 0
const has = (x, met) => x === undefined || x === null ? null : yes(met(x))
const passed = (w, p, kinds, from) => w.sat(p).some(t => t.pass && (!kinds || kinds.includes(t.c.kind)) && t.on >= from && t.on <= w.D)
const special = (w, p) => w.sat(p).some(t => t.pass && t.c.kind === 'annual_special' && w.by.get(t.c.organiser)?.kind === 'regulator' && t.on >= start('year', w.D) && t.on <= w.D)
const cert = (w, p, kind) => w.get('credential').some(c => c.person === '@' + p.id && c.kind === kind && !c.did.has('renew') && c.issued_on <= w.D && c.valid_to >= w.D)
const setup = (w, s, ...kinds) => w.of('setup', s).some(u => kinds.includes(u.kind) && w.holds(u))
const level = (w, s, n) => w.of('stdgrade', s).some(g => g.did.has('grant') && g.level <= n && g.valid_to >= w.D)
const checked = w => w.get('inspection').filter(i => i.did.has('record'))
const monthly = (w, s, days, last) => { const m = month(plus(w.D, -days), -1); return w.of('selfcheck', s).find(c => c.kind === 'monthly_major' && c.period === m && c.did.has('submit') && (!last || c.submitted_at.slice(0, 10) <= plus(month(plus(w.D, -days)) + '-01', last - 1))) }

const RECOUNT = {
  'I01.1': w => one(w, w.post('principal').filter(p => w.site(p).kind !== 'nm_open' || ['large', 'medium'].includes(w.site(p).scale)), p => yes(passed(w, p, ['central_class'], '2024-01-01') && w.sat(p).some(t => t.c.kind === 'central_class' && t.pass && t.on <= '2024-12-31'))),
  'I01.2': w => one(w, w.post('principal'), p => yes(special(w, p))),
  'I01.3': w => one(w, w.post(...FIVE), p => yes(special(w, p))),
  'I01.4': w => one(w, w.post(...FIVE), p => p.edu === undefined || p.major_ok === undefined ? null : yes(COLLEGE.includes(p.edu) && p.major_ok)),
  'I01.5': w => one(w, w.post(...FIVE), p => has(p.front_years, n => n >= 10)),
  'I01.6': w => one(w, w.sites, s => { const p = w.post('principal').filter(x => w.site(x) === s); return p.length ? yes(p.some(x => passed(w, x, null, start('year', w.D)))) : null }),
  'I02.1': w => one(w, w.get('credential').filter(c => c.kind === 'special_op_cert' && c.first_issue && UG.includes(w.site(w.by.get(c.person)).kind)).map(c => ({ ...c, site: w.by.get(c.person).site })), c => has(c.edu_at_issue, e => SENIOR.includes(e))),
  'I02.3': w => one(w, w.post('principal', 'safety_mgr', 'special_op'), p => yes(cert(w, p, { principal: 'principal_cert', safety_mgr: 'safety_mgr_cert', special_op: 'special_op_cert' }[p.post]))),
  'I02.4': w => one(w, w.post('section_tech'), p => p.major_ok === undefined || p.graduated === undefined ? null : yes(p.major_ok && p.graduated)),
  'I02.5': w => one(w, w.post('section_tech'), p => has(p.front_years, n => n >= 5)),
  'I02.6': w => one(w, w.post('special_op').filter(p => UG.includes(w.site(p).kind)), p => yes(p.card_no && cert(w, p, 'special_op_cert'))),
  'I03.1': w => one(w, w.staff, p => yes(passed(w, p, ['all_staff', 'new_worker', 'cert_initial', 'cert_refresh', 'annual_special', 'must_know'], monthsBack(w.D, 12)))),
  'I03.2': w => one(w, w.pc.filter(s => UG.includes(s.kind)), s => yes(w.of('training', s).some(c => c.kind === 'self_rescuer' && c.did.has('hold') && w.since('month')(c.start_on)))),
  'I03.2/persons': w => one(w, w.staff.filter(p => p.card_no && UG.includes(w.site(p).kind)), p => yes(w.sat(p).some(t => t.present && t.c.kind === 'self_rescuer' && w.since('month')(t.c.start_on)))),
  'I03.3': w => [...w.classes.values()].flatMap(all => { const tries = all.filter(t => t.present && t.c.kind === 'self_rescuer'), last = tries.map(t => t.c.start_on).sort().pop(); return tries.filter(t => t.c.start_on === last && w.since('month')(last)).map(t => [w.area(t.c), has(t.wear_s, s => s <= 30 && t.blind && t.training_unit), 1]) }),
  'I03.4': w => one(w, w.sites, s => {
    const full = [0, 1, 2].filter(n => plus(month(start('quarter', w.D), n + 1) + '-01', -1) <= w.D).length, seen = new Set(w.of('finding', s).filter(f => f.category === 'unsafe_act' && w.since('quarter')(f.found_on)).map(f => month(f.found_on)))
    return yes(w.of('training', s).some(c => c.kind === 'anti_3v' && c.did.has('hold') && w.since('quarter')(c.start_on)) && seen.size >= full)
  }),
  'I04.1': w => one(w, w.staff, p => yes(w.sat(p).filter(t => t.present && w.since('year')(t.on)).reduce((n, t) => n + (t.hours ?? t.c.hours), 0) >= (['principal', 'safety_mgr'].includes(p.post) ? 16 : 20))),
  'I05.1': w => one(w, w.pc, s => yes(w.of('drill', s).some(x => x.kind === 'evacuation' && x.did.has('hold') && w.since('half')(x.held_on)))),
  'I05.2': w => w.pc.map(s => { const staff = w.staff.filter(p => w.site(p) === s).length, took = w.of('drill', s).filter(x => x.kind === 'evacuation' && x.did.has('hold') && w.since('half')(x.held_on)).map(x => x.attended_n); return [s.county, took.length ? Math.min(staff, took.reduce((a, b) => a + b, 0)) : null, staff] }).filter(c => c[2]),
  'I05.3': w => one(w, w.pc, s => yes(setup(w, s, 'rescue_team', 'rescue_agreement'))),
  'I06.1': w => w.pc.flatMap(s => inForce(w.D).filter(([, t]) => !t[2] || t[2].includes(s.kind)).flatMap(([key, [from]]) => {
    const last = plus(from < '2024-01-01' ? '2024-01-01' : from, 60)
    return last > w.D ? [] : [[s.county, yes(w.of('training', s).some(c => c.kind === 'law_study' && c.did.has('hold') && (c.laws ?? '').split(' ').includes(key) && c.start_on <= last)), 1]]
  })),
  'I06.2': w => w.get('person').filter(p => p.post === 'inspector').flatMap(p => inForce(w.D).filter(([, t]) => plus(t[0], 60) <= w.D).map(([key, [from]]) => [w.area(p), yes(w.sat(p).some(t => t.present && ['law_study', 'officer', 'lecture'].includes(t.c.kind) && (t.c.laws ?? '').split(' ').includes(key) && t.c.start_on >= from)), 1])),
  'I08.1': w => one(w, w.pc, s => yes(monthly(w, s, 5, 5))),
  'I08.2': w => w.sites.map(s => monthly(w, s, 5)).filter(Boolean).map(c => [w.area(c), has(c.lead, p => w.by.get(p).post === 'principal' && c.technicians), 1]),
  'I08.3': w => one(w, w.get('major_hazard').filter(h => !h.closed_on), h => yes(h.resp_person && h.measures && h.fund_plan !== undefined && h.deadline && h.emergency_plan)),
  'I08.4': w => one(w, w.get('major_hazard').filter(h => h.found_on <= '2023-12-31'), h => yes(h.closed_on)),
  'I09.1': w => one(w, w.get('setup').filter(u => u.kind === 'criteria_list' && u.issued_on && w.holds(u)), () => 1),
  'I09.2': w => one(w, w.get('major_hazard').filter(h => h.deadline && h.deadline <= w.D), h => yes(h.closed_on && h.closed_on <= h.deadline)),
  'I09.4': w => w.get('org').filter(o => o.kind === 'regulator').map(o => [o.region, yes(w.get('setup').some(u => u.org === '@' + o.id && u.mechanism === 'cancel_system' && w.holds(u))), 1]),
  'I10.3': w => [...one(w, w.pc, s => yes(monthly(w, s, 8, 5))), ...[...CITIES, ...w.counties].map(a => [a, yes(w.get('filing').some(f => f.kind === 'zero_report' && w.area(f) === a && f.period === month(plus(w.D, -8), -1) && f.did.has('send') && f.sent_at.slice(0, 10) <= plus(month(plus(w.D, -8)) + '-01', 7))), 1])],
  'I15.1': w => one(w, w.pc, s => yes(w.of('survey', s).some(v => v.scope === 'mine' && v.did.has('review') && v.quality === 'clear' && v.range_years >= 3 && (!v.valid_to || v.valid_to >= w.D)))),
  'I15.2': w => one(w, w.get('disaster_grade').filter(g => g.survey_grade !== undefined), g => yes(g.assigned_grade >= g.survey_grade)),
  'I15.6': w => one(w, w.get('factor').filter(f => f.treat_due < w.D), f => yes(f.treated_on && f.treated_on <= f.treat_due)),
  'I16.1': w => one(w, w.get('disaster_grade').filter(g => g.appraise_due), g => yes(g.appraise_due >= w.D || g.appraised_on >= g.appraise_due)),
  'I16.2': w => one(w, w.get('disaster_grade').filter(g => g.assigned_grade > 0), g => yes(g.labelled_on && g.fortified)),
  'I16.4': w => one(w, w.pc.filter(s => w.of('disaster_grade', s).some(g => g.assigned_grade > 0)), s => yes(['disaster_dept', 'disaster_rules', 'disaster_team'].every(k => setup(w, s, k)))),
  'I19.3': w => w.sites.flatMap(s => (s.buildings ?? []).map(b => [s.county, yes(b.fire_ok && b.checked_on > plus(w.D, -184)), 1])),
  'I22.2': w => one(w, w.pc.filter(s => NM.includes(s.kind)), s => yes(setup(w, s, 'mining_team'))),
  'I23.1': w => one(w, w.pc.filter(s => COAL.includes(s.kind)), s => yes(level(w, s, 2))),
  'I23.2': w => one(w, w.pc.filter(s => NM.includes(s.kind) && ['large', 'medium'].includes(s.scale) || s.kind === 'tailings' && s.pond_grade <= 3), s => yes(level(w, s, 2))),
  'I23.3': w => one(w, w.pc.filter(s => !COAL.includes(s.kind)), s => yes(level(w, s, 3))),
  'I24.1': w => one(w, w.pc, s => yes(w.of('selfcheck', s).some(c => c.kind === 'checkup' && c.did.has('accept')))),
  'I24.4': w => one(w, w.pc, s => yes(setup(w, s, 'equipment_lifecycle'))),
  'I25.1': w => one(w, checked(w).filter(i => w.since('quarter')(i.arrive_at.slice(0, 10))), i => yes(['four_no_two_direct', 'covert', 'cross_region', 'remote', 'surprise'].includes(i.mode))),
  'I25.6': w => w.get('org').filter(o => o.kind === 'regulator').map(o => [o.region, yes(w.get('filing').some(f => f.kind === 'enforcement_appraisal' && w.area(f) === o.region && f.did.has('send') && f.period.slice(0, 4) === String(+w.D.slice(0, 4) - 1))), 1]),
  'I28.1': w => w.counties.flatMap(a => [['law_study', 'quarter'], ['constitution_day', 'year'], ['safety_month', 'year']].map(([kind, unit]) => [a, yes(w.get('activity').some(x => x.kind === kind && x.did.has('done') && x.region === a && w.since(unit)(x.date))), 1])),
  'I30.1': w => one(w, w.get('person').filter(p => p.post === 'inspector'), p => yes(w.sat(p).filter(t => ['officer', 'law_study', 'lecture'].includes(t.c.kind) && w.since('year')(t.c.start_on)).reduce((n, t) => n + (t.hours ?? 0), 0) >= 40)),
  'I31.1': w => [...one(w, w.get('person').filter(p => p.post === 'inspector'), () => 1).map(c => [c[0], 1, 0]), ...w.sites.map(s => [s.county, 0, 0.2])],
  'IS3.1': w => w.get('fund').filter(f => f.kind === 'safety_fund' && f.period.slice(0, 4) === w.D.slice(0, 4) && f.due_amount > 0).map(f => [w.area(f), f.received ?? null, f.due_amount]),
  'G3.2': w => one(w, w.sites.filter(s => s.kind !== 'tailings'), s => yes(s.intel === 'accepted')),
  'G8': w => one(w, w.sites.filter(s => NM.includes(s.kind) && s.scale), s => yes(['large', 'medium'].includes(s.scale))),
  'G10': w => checked(w).filter(i => w.since('year')(i.arrive_at.slice(0, 10))).map(i => [w.area(i), (i.found_general ?? 0) + (i.found_major ?? 0), 1]),
}
const COUNTS = new Set(['I09.1']), RATIOS = new Set(['G10'])

const inside = (area, code) => code === '14' ? true : area.startsWith(code.replace(/00$/, '').length === 4 ? code.slice(0, 4) : code)
function sum(id, cases, code) {
  const own = cases.filter(c => inside(c[0], code)), a = own.reduce((n, c) => n + (c[1] ?? 0), 0), b = own.reduce((n, c) => n + c[2], 0), missing = own.filter(c => c[1] === null).length
  const value = own.length && missing === own.length ? null : COUNTS.has(id) ? a : b === 0 ? null : (RATIOS.has(id) ? 1 : 100) * a / b
  return { a, b, cases: own.length, missing, value }
}
const near = (x, y) => (x === null) === (y === null) && (x === null || Math.abs(x - y) < 1e-4)

function agrees(D) {
  const w = world(D), wrong = []
  let compared = 0, unmet = 0
  zb(['plan', d.dir, 'freeze', '--asof', D, '--known', D, '--why', 'counted a second time', '--as', 'team'])
  const counted = Object.fromEntries(Object.entries(RECOUNT).map(([id, f]) => [id, f(w)]))
  for (const code of ['14', ...CITIES.filter(c => w.counties.some(k => inside(k, c)) || c === '140100'), ...w.counties]) {
    const figures = new Map(json(['plan', d.dir, '--area', code, '--asof', D, '--known', D, '--as', 'team']).filter(l => l.line === 'indicator').map(l => [l.id, l]))
    for (const id of Object.keys(RECOUNT)) {
      const f = figures.get(id), mine = sum(id, counted[id], code)
      if (!f) { if (code === '14') wrong.push(`${id}: not shown of the province`); continue } // not told below its level
      compared++; unmet += mine.value !== null && mine.value < 100
      const same = near(f.value, mine.value) && f.cases === mine.cases && f.missing === mine.missing && (!mine.cases || COUNTS.has(id) || near(f.b, mine.b)) && near(f.a ?? 0, mine.a)
      if (!same) wrong.push(`${D} ${id} ${code}: value ${f.value} a ${f.a} b ${f.b} cases ${f.cases} missing ${f.missing}; recounted ${JSON.stringify(mine)}`)
    }
  }
  assert.deepEqual(wrong, [])
  return { compared, unmet, some: Object.keys(counted).filter(id => counted[id].length).length }
}

test('a report of 2025-12-10 made later, as known on that day, is the report made on that day', { skip: beijing(Date.now()).slice(0, 10) <= '2025-12-10' && 'that day is not over' }, () => {
  const then = dataDir(), day = '2025-12-10', out = join(then.base, 'r.json')
  const report = (dir, [kind, area], known) => { zb(['report', dir, kind, '--area', area, '--asof', day, '--known', known, '--format', 'json', '--out', out, '--as', 'team']); return JSON.parse(readFileSync(out, 'utf8')) }
  try {
    zb(['history', then.dir, past, '--until', day]) // nothing is known there of what came later
    zb(['user', then.dir, 'add', 'team', '--role', 'working_team', '--area', '14'])
    for (const kind of [['annual', '1401'], ['evaluation', '14']]) {
      const made = report(then.dir, kind, day)
      assert.ok(JSON.stringify(made).length > 20000)
      assert.deepEqual(report(d.dir, kind, day), made)
      if (kind[0] === 'annual') assert.notDeepEqual(report(d.dir, kind, '2024-12-10'), made, 'as known a year before it is another')
    }
  } finally { then.remove() }
})

const today = beijing(Date.now()).slice(0, 10), LATE = today > '2026-06-30' ? '2026-06-30' : plus(today, -1)
for (const D of ['2024-12-15', LATE])
  test(`as of ${D}: what the program says is what the files say`, () => {
    const got = agrees(D)
    assert.ok(got.some >= 40, `${got.some} indicators have cases`)
    assert.ok(got.compared > 400 && got.unmet > 30, 'not everything is met, or nothing would be proved: ' + JSON.stringify(got))
    console.log(JSON.stringify(got))
  })
