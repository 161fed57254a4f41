// Adding a ledger needs no C: the one of docs/policy-guide.md is put into a policy, and works. Planted faults are refused with file:line:column.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { json, PASSWORD, ROOT, serve, session, zb, zbTry } from '../lib.mjs'
const base = mkdtempSync(join(tmpdir(), 'zb-')), P = join(base, 'policy')
after(() => rmSync(base, { recursive: true, force: true }))
const fresh = () => { rmSync(P, { recursive: true, force: true }); cpSync(join(ROOT, 'policies/shanxi'), P, { recursive: true }) }
const guide = readFileSync(join(ROOT, 'docs/policy-guide.md'), 'utf8')
const yaml = /```yaml\n(ledger: [\s\S]*?)```/.exec(guide)[1]

test('the ledger of the guide, added to a filled data directory at run time', async () => {
  fresh()
  const d = join(base, 'd')
  zb(['init', d, '--policy', P])
  for (const [u, r, a] of [['head', 'head', '1402'], ['boss', 'principal', '140214900001']]) zb(['user', d, 'add', u, '--role', r, '--area', a])
  const site = json(['ledger', d, 'site', 'new', '--values', JSON.stringify({ code: '140214900001', name: '示范一矿', kind: 'coal_ug', county: '140214' }), '--as', 'head'])[0].id
  writeFileSync(join(d, 'policy/ledgers/L90_self_rescuer.yaml'), yaml)
  const s = await serve(d)
  try {
    const boss = await session(s, 'boss'), head = await session(s, 'head')
    const o = (await boss('GET', '/ledgers')).body.ledgers.find(l => l.key === 'self_rescuer_check')
    assert.ok(o, 'the new ledger is there: ' + JSON.stringify((await boss('GET', '/ledgers')).body.ledgers?.map(l => l.key)))
    const r = await boss('POST', '/ledgers/self_rescuer_check/records', { values: { site, month: '2026-11-01', checked_n: 120, faulty_n: 3 } })
    assert.equal(r.status, 200, r.text)
    const rec = (await boss('GET', `/ledgers/self_rescuer_check/records/${r.body.id}`)).body
    assert.equal(rec.values.faulty_pct, 2.5)
    assert.equal((await boss('POST', `/ledgers/self_rescuer_check/records/${rec.id}/do`, { act: 'accept', rev: rec.rev })).status, 409, 'not from a draft')
    assert.equal((await boss('POST', `/ledgers/self_rescuer_check/records/${rec.id}/do`, { act: 'submit', rev: rec.rev, password: PASSWORD })).status, 200)
    assert.equal((await head('POST', `/ledgers/self_rescuer_check/records/${rec.id}/do`, { act: 'accept', rev: rec.rev + 1 })).status, 200)
  } finally { await s.stop() }
  assert.ok(json(['journal', d, '--n', '50']).some(x => x.what === 'policy' || /policy/.test(x.what)), 'the change of policy is in the journal')
})

const L10 = 'ledgers/L10_major_hazard.yaml'
const plant = [
  ['an unknown key of a field', L10, '{key: place, zh: 地点,', '{key: place, colour: red, zh: 地点,', /L10_major_hazard\.yaml:\d+:\d+: .*colour/],
  ['an unknown field that an act needs', L10, 'needs: "stop_scope withdraw_at"', 'needs: "stop_scope withdraw_when"', /L10_major_hazard\.yaml:\d+:\d+: .*withdraw_when/],
  ['a dead state', L10, '  - {key: closed, zh: 已销号, en: closed}', '  - {key: closed, zh: 已销号, en: closed}\n  - {key: limbo, zh: 虚, en: limbo}', /L10_major_hazard\.yaml:\d+:\d+: state limbo is dead/],
  ['a transition without a role', L10, 'to: withdrawn, roles: "inspector team_leader head officer",', 'to: withdrawn, roles: "",', /L10_major_hazard\.yaml:\d+:\d+: roles/],
  ['a role that is not there', L10, 'roles: "inspector team_leader head officer"', 'roles: "inspectr"', /L10_major_hazard\.yaml:\d+:\d+: role "inspectr"/],
  ['a clock on a missing field', L10, 'due_field: deadline', 'due_field: dedline', /L10_major_hazard\.yaml:\d+:\d+: .*dedline/],
  ['a clock on a text', L10, 'due_field: deadline', 'due_field: place', /L10_major_hazard\.yaml:\d+:\d+: .*not a stored date/],
  ['a ladder that is not there', L10, 'ladder: hazard_deadline', 'ladder: hazard_dedline', /L10_major_hazard\.yaml:\d+:\d+: .*hazard_dedline/],
  ['SQL that does not parse', L10, 'guard: "r.progress_pct = 100"', 'guard: "r.progress_pct = = 100"', /L10_major_hazard\.yaml:\d+:\d+: guard/],
  ['SQL on a missing field', L10, 'derive: "r.found_on <= 19722"', 'derive: "r.found_at <= 19722"', /L10_major_hazard\.yaml:\d+:\d+: derive.*found_at/],
  ['a right the actor lacks', L10, 'roles: "auto head"', 'roles: "auto principal"', /L10_major_hazard\.yaml:\d+:\d+: .*principal.*no right to do new on measure/],
  ['an effect on a ledger that is not there', L10, '- {ledger: measure, act: new, set: {kind: r.late_means', '- {ledger: mesure, act: new, set: {kind: r.late_means', /L10_major_hazard\.yaml:\d+:\d+: .*mesure/],
  ['effects in a circle', L10, '  - {key: reopen, zh: 重新打开, en: reopen, from: [closed], to: rectifying, roles: "head", why: true, signed: true}', '  - {key: reopen, zh: 重新打开, en: reopen, from: [closed], to: rectifying, roles: "head", why: true, signed: true, effects: [{ledger: major_hazard, act: reopen, "on": "select ?1"}]}', /L10_major_hazard\.yaml:\d+:\d+: effects go in a circle/],
  ['a reference to nothing', L10, 'type: ref, to: site,', 'type: ref, to: sight,', /L10_major_hazard\.yaml:\d+:\d+: .*sight/],
  ['a where on a missing column', 'ledgers/L24_contract.yaml', 'where o.id = r.contractor', 'where o.id = r.contracter', /L24_contract\.yaml:\d+:\d+: where.*contracter/],
  ['linked to nothing', 'ledgers/L24_contract.yaml', '{roles: "section dispatcher", see: own}', '{roles: "section dispatcher", see: linked}', /L24_contract\.yaml:\d+:\d+: see linked/],
  ['an import into a missing field', 'imports/gem_mines.yaml', 'to: name_en', 'to: name_fr', /gem_mines|imports:\d+:\d+: .*name_fr/],
  ['a day that is none', 'calendar.yaml', '2024-01-01', '2024-13-01', /calendar\.yaml:\d+:\d+: .*2024-13-01/],
]
for (const [what, file, from, to, want] of plant)
  test('refused: ' + what, () => {
    fresh()
    const text = readFileSync(join(P, file), 'utf8')
    assert.ok(text.includes(from), 'the text to replace is there')
    writeFileSync(join(P, file), text.replace(from, to))
    const r = zbTry(['check', P])
    assert.equal(r.code, 1); assert.match(r.err, want)
  })
