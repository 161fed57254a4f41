// From the files a mine sends to a clue: simulated mines with faults come in by the front door, the nights judge them, and what was planted is found at that mine,
// and nothing at the mines without a fault.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataDir, json, lines, ROOT, zb } from '../lib.mjs'

// What a fault should be found by; "" for what is innocent. stop: the mine's records say that it stands still.
const WANT = {
  understated: { rule: 'R36', by: ['upload'] }, hidden: { rule: 'R30', by: ['place'] }, clock: { rule: 'R19', by: ['clock'] },
  pair: { rule: 'R36', by: ['pair'] }, overtime: { rule: 'R22', by: ['overtime'] }, 'no-leader': { rule: 'X16', by: ['leader'] },
  balance: { rule: 'R33', by: ['balance'] }, secret: { rule: 'X04', by: ['idle', 'share'], stop: true }, standstill: { by: [], stop: true }
}
const COUNTY = ['140214', '140303', '140403', '140525', '140623', '140729']
const mineOf = i => `${COUNTY[i]}9${String(i + 1).padStart(5, '0')}`

// A night that judges and fits no models of methane (warnings.mjs): they are most of its time.
function judging(d) {
  const policy = join(d.base, 'policy'), f = join(policy, 'rules/forecast.yaml'), dir = join(d.base, 'own')
  cpSync(join(ROOT, 'policies/shanxi'), policy, { recursive: true })
  const text = readFileSync(f, 'utf8'), none = text.replace(/(- \{key: most, value: )\d+/, '$10')
  assert.notEqual(none, text)
  writeFileSync(f, none)
  zb(['init', dir, '--policy', policy])
  return { ...d, dir }
}

// Faults stand one a mine, then come mines without any: one simulation, one import, the nights of its days.
function lived({ faults, clean, from, to, options }) {
  const d = judging(dataDir()), sim = join(d.base, 'sim'), mines = [...faults, ...Array(clean).fill('')].map((fault, i) => ({ code: mineOf(i), fault }))
  try {
    zb(['simulate', sim, '--mines', String(mines.length), '--start', from + ' 00:00:00', '--faults', faults.join(','), ...options])
    const truth = lines(readFileSync(join(sim, 'truth.jsonl'), 'utf8'))
    assert.deepEqual(truth.map(t => [t.mine, t.fault]), mines.filter(m => m.fault).map(m => [m.code, m.fault]))
    zb(['user', d.dir, 'add', 'head', '--role', 'head', '--area', '14'])
    zb(['user', d.dir, 'add', 'duty', '--role', 'officer', '--area', '14'])
    const make = (ledger, values) => json(['ledger', d.dir, ledger, 'new', '--as', 'head', '--values', JSON.stringify(values)])[0].id
    for (const m of mines) {
      m.site = make('site', { code: m.code, name: '示范矿', kind: 'coal_ug', county: m.code.slice(0, 6), state: 'producing',
        places: [{ name: '1101工作面', kind: 'face', zone_id: m.code + '0002' }, { name: '1203掘进工作面', kind: 'heading', zone_id: m.code + '0003' }] })
      const t = truth.find(x => x.mine === m.code)
      if (t && WANT[t.fault].stop) make('suspension', { site: m.site, cause: 'self_stop', reason: '停产检修', scope: 'all', ordered_on: t.from.slice(0, 10), allowed_crew_n: 45 })
      if (m.fault === 'no-leader') { // its leaders are on file, so that one can be missed
        const roster = readdirSync(join(sim, m.code)).find(n => n.includes('_RYXX_'))
        for (const row of readFileSync(join(sim, m.code, roster), 'utf8').split('~').map(r => r.split(';')).filter(r => r.includes('副矿长')))
          make('person', { name: row[1], site: m.site, post: 'dep_production', card_no: row[0], employ_type: 'own' })
      }
    }
    zb(['import', d.dir, ...mines.map(m => join(sim, m.code))])
    zb(['night', d.dir, '--from', from, '--day', to])
    const code = new Map(mines.map(m => [m.site, m.code]))
    const clues = json(['ledger', d.dir, 'clue', 'list', '--limit', '2000', '--as', 'duty']).map(c => {
      const e = typeof c.evidence === 'string' ? JSON.parse(c.evidence) : c.evidence
      return { mine: code.get(c.site?.id ?? c.site), rule: c.rule, by: e.detector, from: Date.parse(e.from), to: Date.parse(e.to), reason: c.reason }
    })
    for (const t of truth) {
      const want = WANT[t.fault], here = clues.filter(c => c.mine === t.mine)
      const hit = here.some(c => c.rule === want.rule && want.by.includes(c.by) && c.from < Date.parse(t.to) + 86400e3 && c.to > Date.parse(t.from))
      assert.equal(hit, want.by.length > 0, `${t.fault} at ${t.mine}: ${JSON.stringify(here)}`)
      if (!want.by.length) assert.deepEqual(here, [], t.fault)
    }
    for (const m of mines.filter(x => !x.fault)) assert.deepEqual(clues.filter(c => c.mine === m.code), [], 'nothing where nothing was planted')
  } finally { d.remove() }
}

test('statistics below the readings, a crew at an undeclared place and a clock set back are found in the files sent', () =>
  lived({ faults: ['understated', 'hidden', 'clock'], clean: 1, from: '2026-03-02', to: '2026-03-02', options: ['--hours', '4', '--every', '60', '--seed', '5'] }))

test('two cards of one man, two shifts in one and a shift without a leader are found in the hours of the past days', () =>
  lived({ faults: ['pair', 'overtime', 'no-leader'], clean: 1, from: '2026-03-04', to: '2026-03-05', options: ['--hours', '33', '--every', '300', '--whole', 'yes', '--seed', '6'] }))

test('a belt that shows too little and work by night behind a declared stop are found; a stop that is kept is not', () =>
  lived({ faults: ['balance', 'secret', 'standstill'], clean: 1, from: '2026-03-02', to: '2026-03-16', options: ['--hours', String(15 * 24), '--every', '3600', '--whole', 'yes', '--seed', '7'] }))
