// A real pond's level re-shaped as official files: every reading comes back as it was, and a level that honestly rests for a day alarms nobody.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataDir, json, ROOT, zb } from '../lib.mjs'
const CSV = process.env.POND ?? join(ROOT, '../shared/data/tailings-pond/pond_2020-06_07.csv'), ROWS = process.env.ALL ? 17556 : 4000
if (!existsSync(CSV)) { console.log('pond_2020-06_07.csv is not here'); process.exit(77) }
test('the level is stored whole and raises no alarm', () => {
  const d = dataDir(), out = mkdtempSync(join(tmpdir(), 'zb-pond-'))
  execFileSync(join(ROOT, 'tools/pond_csv'), [CSV, out, String(ROWS)])
  zb(['import', d.dir, out])
  const truth = readFileSync(CSV, 'utf8').split(/\r?\n/).slice(1).filter(Boolean).slice(0, ROWS).map(l => +l.split(',')[4])
  const got = json(['query', d.dir, '140981999007/140981999007KSW010001'])
  assert.deepEqual(got.map(x => x.v), truth)
  let rest = 1, longest = 1
  for (let i = 1; i < truth.length; i++) { rest = truth[i] === truth[i - 1] ? rest + 1 : 1; longest = Math.max(longest, rest) }
  assert.ok(longest > 200, 'the series does rest for most of a day')
  assert.deepEqual(json(['alarms', d.dir, '--limit', '1000']), [])
  rmSync(out, { recursive: true }); d.remove()
})
