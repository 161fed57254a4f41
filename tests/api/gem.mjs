// A real register with decimal commas, mixed brackets and old county names comes in as it is; the county is found from the address.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { dataDir, json, ROOT, zb } from '../lib.mjs'
const DATA = process.env.DATA ?? join(ROOT, '../shared/data')
if (!existsSync(join(DATA, 'shanxi-coal-mines'))) { console.log('the public register is not here (DATA)'); process.exit(77) }
const rows = text => { // CSV with quotes
  const out = [[]]
  for (const m of text.replace(/^\ufeff/, '').matchAll(/("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/g)) {
    out.at(-1).push(m[1].startsWith('"') ? m[1].slice(1, -1).replaceAll('""', '"') : m[1])
    if (m[2] !== ',') { if (m.index + m[0].length >= text.length) break; out.push([]) }
  }
  const [head, ...body] = out.filter(r => r.length > 1)
  return body.map(r => Object.fromEntries(head.map((h, i) => [h, r[i]])))
}
const read = f => rows(readFileSync(join(DATA, f), 'utf8'))
const within = (x, y, ring) => ring.reduce((on, [xi, yi], i) => { const [xj, yj] = ring.at(i - 1); return (yi > y) !== (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi ? !on : on }, false)

test('the register is imported whole, and 93 % of the mines get the county they stand in', () => {
  const source = read('shanxi-coal-mines/mines_source_format.csv'), changes = read('admin-shanxi/county_changes_2018_2019.csv')
  const outlines = JSON.parse(readFileSync(join(DATA, 'admin-shanxi/shanxi_counties_2017.geojson'), 'utf8')).features
  const d = dataDir()
  try {
    zb(['user', d.dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
    const r = json(['ledger', d.dir, 'site', 'import', join(DATA, 'shanxi-coal-mines/mines_source_format.csv'), '--as', 'admin'])[0]
    const twice = source.length - new Set(source.map(m => m['GEM Mine ID'])).size
    assert.equal(r.made, source.length - twice)
    assert.ok(r.refused === twice && r.refusals.every(x => /repeats code/.test(x.reason)), JSON.stringify(r.refusals))
    const got = new Map(json(['ledger', d.dir, 'site', 'list', '--as', 'admin', '--limit', '2000']).map(m => [m.code, m]))
    let right = 0
    for (const m of source) {
      const x = +m.Longitude.replace(',', '.'), y = +m.Latitude.replace(',', '.')
      const at = outlines.find(f => (f.geometry.type === 'MultiPolygon' ? f.geometry.coordinates : [f.geometry.coordinates]).some(p => within(x, y, p[0])))
      const old = String(at?.properties.adcode), may = new Set([old, ...changes.filter(c => c.old_code === old || c.new_code === old).flatMap(c => [c.old_code, c.new_code])])
      if (may.has(got.get(m['GEM Mine ID']).county)) right++
    }
    assert.ok(right / source.length >= 0.93, `${right} of ${source.length} counties agree with the coordinates`)
    const anda = got.get('M1811')
    assert.deepEqual([anda.capacity_kt, anda.county, anda.gas, anda.state], [1200, '140431', 'high', 'producing'])
  } finally { d.remove() }
})
