// The plan office's way through the screens: a city's figures come in by XLSX, differences and the rows behind them, the next rung becomes a letter that is
// checked, signed, numbered and sealed, the reply comes, the light turns.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { browse } from '../browser.mjs'
import { ROOT, serve, session, until, zb } from '../lib.mjs'
const M = '140214900001', day = n => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10)
const ROLES = { clerk: ['working_team', '14'], legal: ['legal', '14'], leader: ['head', '14'], county: ['head', '140214'] }
let base, s, b, page, who = {}, person
const good = r => { assert.equal(r.status, 200, r.text); return r.body }
before(async () => {
  base = mkdtempSync(join(tmpdir(), 'zb-'))
  // The first rung of this test is due on the day a light turns red: time does not pass here.
  cpSync(join(ROOT, 'policies/shanxi'), join(base, 'p'), { recursive: true })
  const prove = join(base, 'p/prove.yaml'), was = readFileSync(prove, 'utf8'), now = was.replace('{days: 1, means: E02}', '{days: 0, means: E02}')
  assert.notEqual(now, was)
  writeFileSync(prove, now)
  // Squares for outlines: what an office would take from its approved map.
  const cities = ['140100', '140200', '140300', '140400', '140500', '140600', '140700', '140800', '140900', '141000', '141100']
  writeFileSync(join(base, 'p/basemap.yaml'), `source: 示例\napproval: 示例审图号\nview: "0 0 400 300"\nareas:\n${cities.map((c, i) => `  - {area: "${c}", path: "M${i % 4 * 100} ${Math.floor(i / 4) * 100}h95v95h-95z"}\n`).join('')}`)
  zb(['init', join(base, 'd'), '--policy', join(base, 'p')])
  for (const [u, [role, area]] of Object.entries(ROLES)) zb(['user', join(base, 'd'), 'add', u, '--role', role, '--area', area])
  s = await serve(join(base, 'd'))
  who.county = await session(s, 'county')
  const make = async (ledger, values) => good(await who.county('POST', `/ledgers/${ledger}/records`, { values })).id
  const site = await make('site', { code: M, name: '示范一矿', kind: 'coal_ug', county: '140214', sup_level: 'county' })
  person = await make('person', { name: '甲', post: 'mine_manager', site, edu: 'senior_high', major_ok: true, state: 'active' })
  b = await browse(s.url, Object.keys(ROLES))
  page = b.page
})
after(async () => { await b?.close(); await s?.stop(); rmSync(base, { recursive: true, force: true }) })

// A workbook of one sheet, entries stored: enough for what a city sends.
function xlsx(rows) {
  const esc = t => String(t).replace(/&/g, '&amp;').replace(/</g, '&lt;')
  const sheet = `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>${rows.map((r, i) => `<row r="${i + 1}">${r.map((v, k) => `<c r="${String.fromCharCode(65 + k)}${i + 1}" t="inlineStr"><is><t>${esc(v)}</t></is></c>`).join('')}</row>`).join('')}</sheetData></worksheet>`
  const files = {
    '[Content_Types].xml': '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    '_rels/.rels': '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    'xl/workbook.xml': '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="上报" sheetId="1" r:id="r1"/></sheets></workbook>',
    'xl/_rels/workbook.xml.rels': '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
    'xl/worksheets/sheet1.xml': sheet }
  const parts = [], central = []
  let at = 0
  for (const [name, text] of Object.entries(files)) {
    const n = Buffer.from(name), d = Buffer.from(text), h = Buffer.alloc(30), c = Buffer.alloc(46)
    h.writeUInt32LE(0x04034b50, 0); h.writeUInt16LE(20, 4); h.writeUInt32LE(crc32(d), 14); h.writeUInt32LE(d.length, 18); h.writeUInt32LE(d.length, 22); h.writeUInt16LE(n.length, 26)
    c.writeUInt32LE(0x02014b50, 0); c.writeUInt16LE(20, 4); c.writeUInt16LE(20, 6); c.writeUInt32LE(crc32(d), 16); c.writeUInt32LE(d.length, 20); c.writeUInt32LE(d.length, 24); c.writeUInt16LE(n.length, 28); c.writeUInt32LE(at, 42)
    parts.push(h, n, d); central.push(c, n); at += 30 + n.length + d.length
  }
  const end = Buffer.alloc(22), dir = Buffer.concat(central)
  end.writeUInt32LE(0x06054b50, 0); end.writeUInt16LE(5, 8); end.writeUInt16LE(5, 10); end.writeUInt32LE(dir.length, 12); end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, dir, end])
}
const HEAD = ['地区', '指标编号', '数据截止日', '上报值', '分子', '分母', '证明材料', '签发人']

test('the clerk imports what the city reported: the trial names row and column, then the difference stands there', { timeout: 180000 }, async () => {
  const p = page.clerk, f = join(base, '上报.xlsx')
  await b.open('clerk', '/reported', '.empty')
  writeFileSync(f, xlsx([HEAD, ['云冈区', 'I01.4', day(0), '100', '1', '1', '学历证明', '王'], ['大同市', 'I01.5', '昨天', '90', '9', '10', '汇总', '李']]))
  await p.setInputFiles('details input[type=file]', f); await p.waitForSelector('.report tbody tr')
  assert.match((await p.textContent('.report tbody')).replace(/\s+/g, ' '), /上报 ?3 ?C ?昨天/)
  writeFileSync(f, xlsx([HEAD, ['云冈区', 'I01.4', day(0), '100', '1', '1', '学历证明', '王']]))
  await p.setInputFiles('details input[type=file]', f) // the corrected file has the same name
  await p.waitForSelector('.report:has-text("拒收 0")'); await p.click('.report button')
  await p.waitForSelector('table.reported tbody tr')
  assert.match((await p.textContent('table.reported tbody tr')).replace(/\s+/g, ' '), /云冈区.*I01.4.*100%.*1\/1.*0%.*0\/1.*▲ \+100.*学历证明/)
  await b.shot('clerk', 'reported')
  await p.click('table.reported a:has-text("看记录")')
  await p.waitForSelector('a[href="#/record/person/' + person + '"]')
  await p.waitForSelector('.tiles:has-text("相差")')
  assert.match(await p.textContent('.tiles'), /上报.*100%.*相差/s, 'both stand beside each other there too')
})

test('from the province to the record in three clicks', { timeout: 180000 }, async () => {
  const p = page.leader
  await until('the light is red', async () => { await b.open('leader', '/wall', 'table.matrix tbody tr'); return p.$('a[aria-label^="T01 大同"] .light.red') })
  await b.shot('leader', 'wall')
  await p.click('button:has-text("地区图")'); await p.waitForSelector('.basemap svg path')
  assert.deepEqual([await p.locator('.basemap path').count(), await p.locator('.basemap path.red').count() > 0, await p.textContent('.basemap figcaption')], [11, true, '示例审图号 示例'])
  await b.shot('leader', 'map'); await p.click('button:has-text("任务×地区")')
  await p.click('a[aria-label^="T01 大同"]')
  await p.click('td a[href^="#/indicator/I01.4/"]')
  await p.click('a[href="#/record/person/' + person + '"]')
  await p.waitForSelector('h2:has-text("人员档案")')
})

test('a letter is proposed with its reason, drafted, checked by another, signed, numbered and sealed', { timeout: 180000 }, async () => {
  const p = page.clerk
  await b.open('clerk', '/duties', '#proposals table')
  const row = '#proposals tr:has(a[href="#/indicator/I01.4/140214"])'
  assert.match((await p.textContent(row)).replace(/\s+/g, ' '), /云冈区.*督促函.*现值0%/)
  await p.click(row + ' button'); await p.waitForSelector('form.form [name=text]')
  assert.match(await p.inputValue('[name=text]'), /I01.4|五职矿长学历/)
  assert.equal(await p.inputValue('[name=region]'), '140214')
  await p.fill('[name=text]', '你区1名五职矿长学历不达标。请于十日内整改并书面回复。')
  await b.shot('clerk', 'draft')
  await p.click('#send'); await p.waitForSelector('#do-check')
  assert.ok(await p.isDisabled('#do-check'), 'who drafts does not check')
  const path = (await p.evaluate(() => location.hash)).slice(1)
  await b.open('legal', path, '#do-check'); await b.act('legal', 'check', { checked_by: '核稿人' })
  await b.open('leader', path, '#do-approve'); await b.act('leader', 'approve', { signed_name: '签发人' }, true)
  const [down] = await Promise.all([page.leader.waitForEvent('download'), page.leader.click('.paper a:has-text("DOCX")')])
  assert.match(down.suggestedFilename(), /\.docx$/)
  await b.open('clerk', path, '#do-issue')
  await b.act('clerk', 'issue', { doc_no: '晋安办函〔2026〕1号', issued_on: day(0), sealed_on: day(0), reply_due: day(10) })
  assert.match(await p.textContent('.record'), /晋安办函〔2026〕1号/)
  await b.open('clerk', '/duties', '#proposals')
  assert.equal(await p.locator(row).count(), 0, 'while it is out nothing more is proposed')
  // the county mends and answers
  await b.open('county', '/record/person/' + person, '#do-edit')
  const c = page.county
  await c.click('#do-edit'); await c.waitForSelector('[name=edu]'); await c.selectOption('[name=edu]', 'college'); await c.click('#send'); await c.waitForSelector('.said')
  await b.open('county', path, '#do-reply'); await b.act('county', 'reply', { reply: '已调整，现任大专学历', replied_on: day(0) }, true)
  await b.open('clerk', path, '#do-verify')
  await b.act('clerk', 'verify', { verify_note: '已核对学历证明', verified_on: day(0), result: 'accepted' })
  await b.act('clerk', 'close')
  await p.waitForSelector('h2 .state:has-text("已办结")')
})

test('and the light has turned; reports and statistics have their buttons', { timeout: 180000 }, async () => {
  const p = page.leader
  await b.open('leader', '/indicator/I01.4/140214', '.light.green')
  await b.open('leader', '/reports', '.paperline a')
  const [down] = await Promise.all([p.waitForEvent('download'), p.click('.paperline:has-text("行动评估报告") a:has-text("XLSX")')])
  assert.match(down.suggestedFilename(), /评估.*\.xlsx$/)
  assert.equal(readFileSync(await down.path()).subarray(0, 2).toString(), 'PK')
  await b.open('leader', '/supervision/enforcement_organs', '#xlsx')
  const [sheet] = await Promise.all([p.waitForEvent('download'), p.click('#xlsx')])
  assert.equal(readFileSync(await sheet.path()).subarray(0, 2).toString(), 'PK')
})
