// Papers from records: each template as PDF, DOCX and XLSX by command line and API, with rights; rendered pages looked at dot by dot.
import assert from 'node:assert/strict'
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { dataDir, gasOn, PASSWORD, serve, session, zb, zbTry, ZHIBEN } from '../lib.mjs'
const M = '140214900001', day = n => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10)
let d, s, who = {}, site, hazard, inspection
const people = { insp: ['inspector', '140214'], haz: ['hazard_officer', '140214'], head: ['head', '140214'], team: ['working_team', '14'], boss: ['principal', M], far: ['working_team', '1401'] }
const good = r => { assert.equal(r.status, 200, r.text); return r.body }
const make = async (u, l, values) => good(await who[u]('POST', `/ledgers/${l}/records`, { values })).id
before(async () => {
  d = dataDir()
  for (const [u, [role, area]] of Object.entries(people)) zb(['user', d.dir, 'add', u, '--role', role, '--area', area])
  s = await serve(d.dir)
  for (const u of Object.keys(people)) who[u] = await session(s, u)
  site = await make('head', 'site', { code: M, name: '示范一号煤矿', kind: 'coal_ug', county: '140214', sup_level: 'county', gas: 'high', address: '示范路1号' })
  hazard = await make('insp', 'major_hazard', { site, place: '1101工作面', criterion: gasOn(day(-40)), source: 'county', found_on: day(-40), text: '上隅角瓦斯超限仍在作业，<&>"未撤人' })
  inspection = await make('insp', 'inspection', { site, subject_note: '通风与瓦斯管理', kind: 'special', mode: 'four_no_two_direct', plan_on: day(0), leader: '张某', members: '张某、李某' })
})
after(async () => { await s?.stop(); d?.remove() })
const letter = (kind, more = {}) => make('team', 'measure', { kind, site, hazard, basis: '示范一号煤矿重大事故隐患逾期未改', text: '该矿未按五落实要求完成整改，通风设施维护不到位，“带病”组织生产。'.repeat(3), issuer: '某市安全生产委员会办公室', reply_due: day(10), ...more })
const url = (kind, q) => s.url + `/api/v1/reports/${kind}?` + new URLSearchParams(q)
const cookies = {}
const cookie = u => cookies[u] ??= fetch(s.url + '/api/v1/login', { method: 'POST', body: JSON.stringify({ user: u, password: PASSWORD }) }).then(r => r.headers.get('set-cookie').split(';')[0])
const get = async (u, kind, q) => { const r = await fetch(url(kind, q), { headers: { cookie: await cookie(u) } }); return { status: r.status, type: r.headers.get('content-type'), name: decodeURIComponent(r.headers.get('content-disposition') ?? ''), bytes: Buffer.from(await r.arrayBuffer()) } }

// A grey picture of pdftoppm: "P5 W H 255" and a byte a dot.
function pixels(file) {
  const b = readFileSync(file), [, w, h] = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(b.toString('latin1', 0, 40))
  return { w: +w, h: +h, out: b.subarray(b.length - w * h) }
}
const DPI = 50, mm = v => v / 25.4 * DPI
// Nothing printed outside the type area but the page number below it; something printed inside.
function inside(pdf, page) {
  const dir = mkdtempSync(join(d.base, 'page-'))
  writeFileSync(join(dir, 'a.pdf'), pdf)
  execFileSync('pdftoppm', ['-r', String(DPI), '-gray', 'a.pdf', 'p'], { cwd: dir })
  const files = readdirSync(dir).filter(f => f.endsWith('.pgm'))
  for (const f of files) {
    const { w, h, out } = pixels(join(dir, f))
    let ink = 0
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
      if (out[y * w + x] > 200) continue
      ink++
      const foot = y > h - mm(page.bottom) && y < h - mm(page.bottom) + mm(13)
      const ok = x >= mm(page.left) - 2 && x <= w - mm(page.right) + 2 && y >= mm(page.top) - 2 && (y <= h - mm(page.bottom) + 2 || foot)
      if (!ok) assert.fail(`${f}: printed at ${(x / DPI * 25.4).toFixed(1)}, ${(y / DPI * 25.4).toFixed(1)} mm, outside the margins`)
    }
    assert.ok(ink > 50, f + ' is empty')
  }
  return files.length
}
const LETTER = { top: 37, right: 26, bottom: 35, left: 28 }, FORM = { top: 25, right: 20, bottom: 22, left: 22 }, SHEET = { top: 20, right: 15, bottom: 18, left: 15 }
const text = pdf => execFileSync('pdftotext', ['-layout', '-', '-'], { input: pdf, encoding: 'utf8' })
const bare = pdf => text(pdf).replace(/\s/g, '')
const tree = async (u, kind, q) => { const r = await get(u, kind, { ...q, format: 'json' }); assert.equal(r.status, 200, String(r.bytes)); return JSON.parse(r.bytes) }
// Pages of a tree by the renderer itself, which also counts characters without a glyph.
function render(t) {
  const r = spawnSync(ZHIBEN, ['paper', 'pdf'], { input: JSON.stringify(t), maxBuffer: 1 << 27 })
  assert.equal(r.status, 0, String(r.stderr))
  assert.equal(JSON.parse(String(r.stderr)).unknown_glyphs, 0)
  return r.stdout
}
async function all(u, kind, q, page, files = []) {
  const pdf = render(await tree(u, kind, q))
  inside(pdf, page)
  for (const format of files) {
    const r = await get(u, kind, { ...q, format })
    assert.equal(r.status, 200, String(r.bytes))
    assert.equal(r.bytes.toString('latin1', 0, 2), format === 'pdf' ? '%P' : 'PK')
    if (format === 'pdf') assert.equal(bare(r.bytes), bare(pdf))
    else await office(r.bytes, format)
  }
  return bare(pdf)
}
// LibreOffice reads what we write, where it is installed (it is not needed to build or test).
const soffice = ['/usr/bin/soffice', '/usr/bin/libreoffice'].find(existsSync)
async function office(bytes, format) {
  if (!soffice) return
  const dir = mkdtempSync(join(d.base, 'lo-'))
  writeFileSync(join(dir, 'a.' + format), bytes)
  await promisify(execFile)(soffice, ['--headless', `-env:UserInstallation=file://${d.base}/lo`, '--convert-to', 'pdf', 'a.' + format], { cwd: dir, timeout: 90000 })
  assert.ok(existsSync(join(dir, 'a.pdf')), 'LibreOffice could not open the ' + format)
}

test('four letters in the proportions of GB/T 9704, and the drafting sheet', async () => {
  for (const [kind, key, title] of [['E02', 'urging', '督促限期整改'], ['E03', 'notice_letter', '特此函告'], ['E04', 'circular', '一、基本情况'], ['E05', 'talk', '约谈事由']]) {
    const id = await letter(kind), q = { record: `measure/${id}` }
    const t = await all('team', 'letter', q, LETTER, kind === 'E02' ? ['pdf', 'docx', 'xlsx'] : [])
    assert.match(t, new RegExp(title)); assert.match(t, /示范一号煤矿：/); assert.match(t, /某市安全生产委员会办公室/); assert.match(t, /<&>"未撤人/)
    assert.match(t, /〔.*〕.*号/, 'the number is left to the office')
    const a = await tree('team', 'letter', q), b = await tree('team', key, q)
    assert.deepEqual(a, b, 'letter finds the template by the kind of the measure')
  }
  const id = await letter('E02'), t = await all('team', 'drafting', { record: `measure/${id}` }, FORM)
  for (const w of ['核稿', '会签', '签发', '拟稿人']) assert.match(t, new RegExp(w))
  assert.equal((await get('team', 'talk', { record: `measure/${id}` })).status, 400, 'an urging letter is no talk')
})

test('22 lines of 28 letters', async () => {
  const t = await tree('team', 'letter', { record: 'measure/' + await letter('E02') })
  t.blocks = [{ style: 'flat', runs: [{ t: '国'.repeat(28 * 44) }] }]
  const lines = text(render(t)).split('\n').filter(l => l.includes('国')).map(l => l.trim().length)
  assert.deepEqual(lines, Array(44).fill(28))
})

test('inspection papers and a list', async () => {
  await make('insp', 'finding', { site, inspection, source: 'county', category: 'ventilation', text: '风门未关严，间隙漏风', found_on: day(0), deadline: day(15) })
  const q = { record: `inspection/${inspection}` }
  let t = await all('insp', 'inspection_record', q, FORM, ['docx', 'xlsx'])
  assert.match(t, /现场检查记录/); assert.match(t, /风门未关严/); assert.match(t, /本次检查未登记重大事故隐患/)
  t = await all('insp', 'correction_order', q, FORM)
  assert.match(t, /责令限期整改指令书/); assert.match(t, /风门未关严/)
  t = await all('team', 'sheet', { record: 'major_hazard', where: 'text~上隅角' }, SHEET)
  assert.match(t, /重大事故隐患/); assert.match(t, /上隅角瓦斯超限/)
  const x = await get('team', 'sheet', { record: 'major_hazard', where: 'text~没有这个词', format: 'json' })
  assert.equal(JSON.parse(x.bytes).blocks.find(b => b.table).table.rows.length, 1, 'the heading alone')
})

test('suspension papers', async () => {
  const sus = await make('head', 'suspension', { site, cause: 'rectify', reason: '重大事故隐患未消除仍在生产', scope: 'all', ordered_on: day(0), deadline: day(15), basis_hazard: hazard })
  let t = await all('head', 'suspension_order', { record: `suspension/${sus}` }, FORM)
  assert.match(t, /停产整顿决定书/); assert.match(t, /编号ZDYH|未撤人/)
  t = await all('head', 'resumption_sheet', { record: `suspension/${sus}` }, FORM)
  assert.match(t, /验收项目：尚未登记/)
})

test('who may: right, area, sight of the record', async () => {
  const id = await letter('E02')
  assert.equal((await get('boss', 'letter', { record: `measure/${id}` })).status, 403, 'a mine makes no papers')
  assert.equal((await get('far', 'letter', { record: `measure/${id}` })).status, 404, 'another city sees no draft')
  assert.equal((await get('far', 'sheet', { record: 'measure', area: '14' })).status, 403)
  assert.equal((await get('team', 'letter', { record: 'measure/DB-2000-00001' })).status, 404)
  assert.equal((await get('team', 'letter', { record: 'nothing/1' })).status, 400)
  assert.equal((await get('team', 'letter', { record: `measure/${id}`, format: 'doc' })).status, 400)
  assert.equal((await get('team', 'letter', { record: `measure/${id}`, area: '15' })).status, 400)
  const kinds = good(await who.team('GET', '/reports')).kinds.map(k => k.kind)
  for (const k of ['urging', 'circular', 'talk', 'drafting']) assert.ok(kinds.includes(k))
})

test('by command line: the ending says the format', async () => {
  const id = await letter('E02'), out = join(d.base, 'x.docx')
  zb(['report', d.dir, 'letter', '--record', `measure/${id}`, '--as', 'team', '--out', out])
  assert.equal(readFileSync(out).toString('latin1', 0, 2), 'PK')
  const r = zbTry(['paper', 'pdf'], { stdio: ['ignore', 'pipe', 'pipe'] })
  assert.equal(r.code, 1); assert.match(r.err, /not JSON/)
  assert.equal(zbTry(['paper', 'doc']).code, 2)
})

// ---- reports of an area ----
const cells = (t, head) => { const out = []; for (const b of t.blocks) for (const r of b.table?.rows ?? []) if (r.cells[0]?.t === head) out.push(r.cells.map(c => c.t)); return out }
const says = t => t.blocks.flatMap(b => b.runs ?? []).map(r => r.t).join('\n')

test('an evaluation says what the plan room says, and what was reported beside it', async () => {
  const today = { area: '1402', asof: day(0), known: day(0) }
  await make('team', 'reported', { region: '140200', indicator: 'I10.1', asof: day(0), value: 75, proof: '市局报表', signer: '王某' })
  const t = await tree('team', 'evaluation', today), lines = good(await who.team('GET', '/plan?' + new URLSearchParams(today))).lines
  const red = lines.filter(l => l.line === 'requirement' && l.light === 'red').length
  assert.match(says(t), new RegExp(`共分解${lines.filter(l => l.line === 'requirement').length}项要求`))
  assert.match(says(t), new RegExp(`未达到${red}项`)); assert.ok(red > 0)
  const one = lines.find(l => l.id === 'I10.1')
  assert.equal(one.value, 0)
  assert.deepEqual(cells(t, 'I10.1')[0].slice(4, 7), ['0', '75', '75'], 'computed, reported, difference')
  assert.deepEqual(cells(t, 'I10.1')[1].slice(0, 1).concat(cells(t, 'I10.1')[1].slice(2)), ['I10.1', '0', '75', '75', day(0), '王某'], 'the list of differences')
  assert.match(says(t), /已上报指标1项，其中截止日与本报告一致、数值与计算值不同的1项/)
  for (const l of lines.filter(x => x.line === 'indicator' && x.light === 'no_data' && !x.reading_of)) assert.ok(cells(t, l.id).length >= 2, l.id + ' is in the gaps too')
  const pdf = render(t)
  assert.ok(inside(pdf, LETTER) > 5)
  assert.match(bare(pdf), /大同市矿山安全生产治本攻坚行动评估报告/)
  for (const format of ['docx', 'xlsx']) await office((await get('team', 'evaluation', { ...today, format })).bytes, format)
})

test('a report of a past day as known then does not change with what is entered later', async () => {
  const then = { area: '140214', asof: day(0), known: day(-1) }, before = await tree('team', 'annual', then), now = await tree('team', 'annual', { ...then, known: day(0) })
  assert.notDeepEqual(before, now, 'yesterday nothing was known')
  await make('insp', 'major_hazard', { site, place: '1102工作面', criterion: gasOn(day(-3)), source: 'county', found_on: day(-3), text: '后来录入的隐患' })
  assert.deepEqual(await tree('team', 'annual', then), before)
  const later = await tree('team', 'annual', { ...then, known: day(0) })
  assert.equal(+cells(later, 'L10')[0][2], +cells(now, 'L10')[0][2] + 1, 'one more record proves it')
})

test('which report for which area, and for whom', async () => {
  assert.equal((await get('team', 'synthesis', { area: '1402' })).status, 400)
  assert.equal((await get('far', 'annual', { area: '1402' })).status, 403)
  assert.equal((await get('boss', 'annual', { area: '140214' })).status, 403)
  assert.equal((await get('haz', 'annual', { area: '140214', asof: day(0), known: day(0), format: 'json' })).status, 200)
})
