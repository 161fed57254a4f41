// A real longwall series re-shaped as official files. Needs the data set beside the project (it has no licence to ship): skipped without it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataDir, json, ROOT, zb } from '../lib.mjs'
const ARFF = process.env.METHANE ?? join(ROOT, '../shared/data/methane-mm116/methane-train.arff'), ROWS = process.env.ALL ? 13368 : 2000
if (!existsSync(ARFF)) { console.log('methane-train.arff is not here'); process.exit(77) }
test('rows 689-700 are over-limit and cut; the calibration is a labelled alarm; query gives exactly the file', () => {
  const d = dataDir(), out = mkdtempSync(join(tmpdir(), 'zb-mm-')), P = '140214999116/14021499911601MN00010002', t = k => new Date(Date.parse('2026-03-01T00:00:00+08:00') + k * 30000)
  execFileSync(join(ROOT, 'tools/methane_arff'), [ARFF, out, String(ROWS)])
  zb(['import', d.dir, out])
  const text = readFileSync(ARFF, 'utf8').split(/\r?\n/), at = text.findIndex(l => /^@data/i.test(l)), col = text.filter(l => /^@attribute/i.test(l)).findIndex(l => /MM116\b/.test(l) && !/DMM116|pred/.test(l))
  const truth = text.slice(at + 1).filter(Boolean).slice(0, ROWS).map(l => +l.split(',')[col])
  const got = json(['query', d.dir, P])
  assert.equal(got.length, ROWS)
  got.forEach((x, k) => { assert.equal(Date.parse(x.t), t(k).getTime()); assert.equal(x.v, truth[k]); assert.equal(x.state, k >= 1587 && k <= 1606 ? 4 : 0) })
  const alarms = json(['alarms', d.dir, '--point', P.split('/')[1], '--limit', '10000']), during = (a, k) => Date.parse(a.raised) <= t(k) && (!a.cleared || Date.parse(a.cleared) > t(k))
  for (let k = 689; k <= 700; k++) {
    if (truth[k] >= 1.0) assert.ok(alarms.some(a => a.kind === 'over-limit' && during(a, k)), `row ${k} over limit`)
    if (truth[k] >= 1.5) assert.ok(alarms.some(a => a.kind === 'cut' && during(a, k)), `row ${k} cut`)
  }
  assert.ok(truth.slice(689, 701).some(v => v >= 2.1))
  const calib = alarms.filter(a => a.kind === 'calibration')
  assert.equal(calib.length, 1)
  assert.equal(Date.parse(calib[0].raised), t(1587).getTime())
  assert.ok(alarms.some(a => a.kind === 'over-limit' && a.labels.includes('标校') && during(a, truth.findIndex((v, k) => k >= 1587 && v >= 1.0))), 'over limit under calibration is labelled, not silenced')
  assert.ok(!alarms.some(a => ['fault', 'point-silent'].includes(a.kind)))
  for (const k of truth.keys()) if (truth[k] >= 1.0) assert.ok(alarms.some(a => a.kind === 'over-limit' && during(a, k)), `row ${k}`)
  assert.equal(json(['rebuild', d.dir])[0].differ, 0)
  rmSync(out, { recursive: true }); d.remove()
})
