// How steady the figures of `bench accuracy` are when the same rows are cut otherwise: halves learnt from each other, each third judged by the rest, the later half
// alone, a short piece, columns in another order with empty cells, several files, coarser values. One line of JSON a cut. Usage: splits.mjs BUILD NAME DATA [cut ...]
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
const [build, name, data, ...only] = process.argv.slice(2)
const SETS = { // a column only the table of rows has; columns that become coarser and their step; the least rows worth learning from
  'methane-mm116': { column: 'MM116_pred', coarse: { MM31: 0.02, MM116: 0.2, MM116_pred: 0.2, AS038: 0.2 }, short: 3000, key: ['MM31', 'MM116', 'AS038', 'PG072', 'PD'] },
  'seismic-bumps': { column: 'nbumps', coarse: {}, short: 500, key: ['genergy', 'gimpuls', 'nbumps', 'senergy'] },
  'tailings-pond': { column: 'Primary Pond Level[m]', coarse: { 'Primary Pond Level[m]': 0.02 }, short: 2500, key: ['Primary Pond Level[m]'] },
  'industrial-power': { column: 'Usage_kWh', coarse: { Usage_kWh: 1 }, short: 96 * 60, key: ['Usage_kWh'] },
  'nab-sensor-faults': { column: 'value', each: true, coarse: {}, short: 2000, key: ['value'] },
  'slope-century-mine': { column: 'displacement_mm', group: 'prism_id', coarse: { displacement_mm: 2 }, short: 60, key: ['displacement_mm'] }
}
const set = SETS[name]
if (!set || !data) { console.error('usage: splits.mjs BUILD NAME DATA [cut ...]; NAME: ' + Object.keys(SETS).join(' ')); process.exit(2) }

function table(path) { // the head as it stands, the names of the columns, the lines of the rows
  const bytes = readFileSync(path), lines = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().split(/\r?\n/), arff = /^[@%]/.test(lines[0])
  const at = arff ? lines.findIndex(l => /^@data/i.test(l)) : 0
  const names = arff ? lines.slice(0, at).filter(l => /^@attribute/i.test(l)).map(l => l.split(/\s+/)[1].replace(/'/g, '')) : lines[0].split(',')
  return { file: basename(path).replace(/\.gz$/, '').replace(/\.arff$/, '.csv'), names, rows: lines.slice(at + 1).filter(l => l.trim()).map(l => l.split(',')) }
}
const files = readdirSync(data).filter(f => /\.(csv|arff|txt)(\.gz)?$/.test(f)), tables = [], beside = []
for (const f of files) { const t = table(join(data, f)); (t.names.includes(set.column) ? tables : beside).push(t.names.includes(set.column) ? t : f) }
for (const f of readdirSync(data)) if (f.endsWith('.json')) beside.push(f)

const base = mkdtempSync(join(tmpdir(), 'zb-splits-'))
function folder(cut, list) {
  const dir = join(base, cut)
  mkdirSync(dir)
  for (const f of beside) copyFileSync(join(data, f), join(dir, f))
  for (const t of list) writeFileSync(join(dir, t.file), [t.names, ...t.rows].map(r => r.join(',')).join('\n') + '\n')
  return dir
}
const part = (a, b) => tables.map(t => ({ ...t, rows: t.rows.slice(Math.floor(t.rows.length * a), Math.floor(t.rows.length * b)) }))
const without = (a, b) => tables.map(t => ({ ...t, rows: t.rows.filter((_, i) => i < Math.floor(t.rows.length * a) || i >= Math.floor(t.rows.length * b)) }))
const shuffled = t => { // columns from the last to the first; every 50th row without one value
  const order = t.names.map((_, i) => i).reverse(), key = set.key.map(k => t.names.indexOf(k))
  return { ...t, names: order.map(i => t.names[i]), rows: t.rows.map((r, n) => order.map(i => (n % 50 === 7 && i === key[(n / 50 | 0) % key.length] ? '' : r[i]))) }
}
const coarse = t => ({ ...t, rows: t.rows.map(r => r.map((v, i) => { const s = set.coarse[t.names[i]]; return s && v !== '' ? (Math.round(v / s) * s).toFixed(2) : v })) })
const files2 = t => [{ ...t, file: '1-' + t.file, rows: t.rows.slice(0, t.rows.length >> 1) }, { ...t, file: '2-' + t.file, rows: t.rows.slice(t.rows.length >> 1) }]
const CUTS = {
  whole: () => [null, folder('whole', tables)],
  'early>late': () => [folder('el-t', part(0, 0.5)), folder('el-d', part(0.5, 1))],
  'late>early': () => [folder('le-t', part(0.5, 1)), folder('le-d', part(0, 0.5))],
  'third 1': () => [folder('t1-t', without(0, 1 / 3)), folder('t1-d', part(0, 1 / 3))],
  'third 2': () => [folder('t2-t', without(1 / 3, 2 / 3)), folder('t2-d', part(1 / 3, 2 / 3))],
  'third 3': () => [folder('t3-t', without(2 / 3, 1)), folder('t3-d', part(2 / 3, 1))],
  'late half alone': () => [null, folder('late', part(0.5, 1))],
  short: () => [null, folder('short', tables.map(t => ({ ...t, rows: t.rows.slice(0, set.short) })))],
  'columns, gaps': () => [null, folder('gaps', tables.map(shuffled))],
  'two files': () => [null, folder('two', set.each ? tables : tables.flatMap(files2))],
  coarse: () => [null, folder('coarse', tables.map(coarse))]
}
if (set.group) { // nothing is learnt: the groups are what may be missing
  for (const k of Object.keys(CUTS)) if (!['whole', 'columns, gaps', 'two files', 'coarse'].includes(k)) delete CUTS[k]
  const at = tables[0].names.indexOf(set.group)
  for (const g of new Set(tables.flatMap(t => t.rows.map(r => r[at])))) {
    CUTS['only ' + g] = () => [null, folder('o' + g, tables.map(t => ({ ...t, rows: t.rows.filter(r => r[at] === g) })))]
    CUTS['without ' + g] = () => [null, folder('w' + g, tables.map(t => ({ ...t, rows: t.rows.filter(r => r[at] !== g) })))]
  }
}
const run = args => new Promise(done => execFile(join(build, 'bench_accuracy'), args, { maxBuffer: 1 << 24 }, (error, out, err) => done(error ? { error: err.trim() || String(error) } : JSON.parse(out))))
let failed = 0
for (const [cut, make] of Object.entries(CUTS)) {
  if (only.length && !only.includes(cut)) continue
  const [train, dir] = make(), got = await run([process.env.POLICY ?? 'policies/shanxi', name, ...(train ? ['--train', train] : []), '--data', dir])
  failed += got.error ? 1 : 0
  console.log(JSON.stringify({ cut, ...got }))
}
rmSync(base, { recursive: true })
process.exit(failed ? 1 : 0)
