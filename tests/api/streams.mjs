// From the files a mine sends to a clue: a simulated mine with faults comes in by the front door, the night judges it, and what was planted is found at that mine,
// and nothing at the mine without a fault.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { dataDir, json, lines, zb } from '../lib.mjs'
const FAULTS = { understated: { rule: 'R36', detector: 'upload' }, hidden: { rule: 'R30', detector: 'place' } }
let d, sim
before(() => { d = dataDir(); sim = join(d.base, 'sim') })
after(() => d?.remove())

test('statistics below the readings and a crew at an undeclared place are found in the files sent', () => {
  zb(['simulate', sim, '--mines', '3', '--hours', '2.6', '--seed', '5', '--start', '2026-03-02 07:00:00', '--faults', Object.keys(FAULTS).join(',')])
  const truth = lines(readFileSync(join(sim, 'truth.jsonl'), 'utf8'))
  assert.deepEqual(truth.map(t => t.fault).sort(), Object.keys(FAULTS).sort())
  zb(['user', d.dir, 'add', 'head', '--role', 'head', '--area', '14'])
  zb(['user', d.dir, 'add', 'duty', '--role', 'officer', '--area', '14'])
  const mines = [['140214900001', '140214'], ['140303900002', '140303'], ['140403900003', '140403']]
  for (const [code, county] of mines)
    zb(['ledger', d.dir, 'site', 'new', '--as', 'head', '--values', JSON.stringify({ code, name: '示范矿' + code.slice(-1), kind: 'coal_ug', county,
      places: [{ name: '1101工作面', kind: 'face', zone_id: code + '0002' }, { name: '1203掘进工作面', kind: 'heading', zone_id: code + '0003' }] })])
  zb(['import', d.dir, ...mines.map(([m]) => join(sim, m))])
  zb(['night', d.dir, '--day', '2026-03-02'])
  const code = new Map(json(['ledger', d.dir, 'site', 'list', '--as', 'head']).map(s => [s.id, s.code]))
  const clues = json(['ledger', d.dir, 'clue', 'list', '--limit', '500', '--as', 'duty']).map(c => ({ mine: code.get(c.site?.id ?? c.site), rule: c.rule, detector: (typeof c.evidence === 'string' ? JSON.parse(c.evidence) : c.evidence)?.detector, reason: c.reason }))
  for (const t of truth) {
    const want = FAULTS[t.fault]
    assert.ok(clues.some(c => c.mine === t.mine && c.rule === want.rule && c.detector === want.detector), `${t.fault} at ${t.mine}: ${JSON.stringify(clues)}`)
  }
  const clean = mines.map(m => m[0]).filter(m => !truth.some(t => t.mine === m))
  assert.equal(clean.length, 1)
  assert.deepEqual(clues.filter(c => clean.includes(c.mine)), [], 'nothing where nothing was planted')
})
