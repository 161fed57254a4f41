// A major hazard's way through the screens as five roles: alarm, stop and withdraw, the five in place, self-accept, two officers; drafts, conflict, import.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { browse, narrow } from '../browser.mjs'
import { beijing, cddy, cdss, dataDir, fansOn, gasOn, json, PASSWORD, serve, session, until, zb } from '../lib.mjs'
const M = '140214900001', now = Math.floor(Date.now() / 30000) * 30000, day = n => new Date(Date.now() + 8 * 3600e3 + n * 86400e3).toISOString().slice(0, 10), GAS = gasOn(day(0))
const ROLES = { duty: ['officer', '140214'], safe: ['safety_manager', M], boss: ['principal', M], city1: ['hazard_officer', '1402'], city2: ['hazard_officer', '1402'], head: ['head', '1402'], team: ['working_team', '14'] }
let d, s, b, page, open, act, shot
before(async () => {
  d = dataDir()
  for (const [u, [role, area]] of Object.entries(ROLES)) zb(['user', d.dir, 'add', u, '--role', role, '--area', area])
  const token = json(['token', d.dir, 'add', M])[0].token
  s = await serve(d.dir)
  const head = await session(s, 'head')
  assert.equal((await head('POST', '/ledgers/site/records', { values: { code: M, name: '示范一矿', kind: 'coal_ug', county: '140214', sup_level: 'city', gas: 'high' } })).status, 200)
  for (const f of [cddy(M, now - 600000), cdss(M, now, { P1: '1.35' })]) assert.equal((await fetch(`${s.url}/api/v1/uploads/${f.name}?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: f.text })).status, 200)
  b = await browse(s.url, Object.keys(ROLES))
  ;({ page, open, act, shot } = b)
})
after(async () => { await b?.close(); await s?.stop(); d?.remove() })
let path

test('from the alarm to the registered hazard', { timeout: 180000 }, async () => {
  const p = page.duty
  await p.goto(s.url + '/#/'); await p.waitForSelector('.alarm'); await p.click('.alarm'); await p.waitForSelector('#make-hazard')
  await p.click('#make-hazard')
  await p.waitForSelector('form.form [name=text]')
  assert.match(await p.inputValue('[name=text]'), /上隅角.*1\.35/)
  assert.equal(await p.inputValue('[name=site]'), '示范一矿')
  assert.ok(await p.isDisabled('#send'), 'the criterion is still missing')
  await p.selectOption('[name=criterion]', GAS)
  await p.reload(); await p.waitForSelector('form.form [name=criterion]')
  assert.equal(await p.inputValue('[name=criterion]'), GAS, 'a draft survives the reload')
  await p.waitForFunction(() => !document.querySelector('#send').disabled)
  await shot('duty', 'hazard-form')
  await p.click('#send'); await p.waitForSelector('.acts #do-withdraw')
  path = '/record/' + (await p.evaluate(() => location.hash)).split('/').slice(2).join('/')
  assert.ok(await p.isDisabled('#do-reject'), 'who registers may not judge it: ' + await p.textContent('.acts'))
  await act('duty', 'withdraw', { stop_scope: '1101工作面', withdraw_at: day(0) + 'T00:00' }, true)
})

test('the mine puts the five in place, a lost line keeps the draft', { timeout: 180000 }, async () => {
  await open('safe', path)
  const p = page.safe
  await p.click('#do-register'); await p.waitForSelector('form.form')
  for (const [k, v] of Object.entries({ resp_person: '张某', measures: '增加风量', fund_plan: '12,5', deadline: day(20), emergency_plan: '瓦斯预案' })) await p.fill(`[name=${k}]`, v)
  assert.ok(await p.isDisabled('#send'), '12,5 is not a number')
  await p.fill('[name=fund_plan]', '12.5')
  await p.context().setOffline(true)
  await p.click('#send'); await p.waitForSelector('p.bad[role=alert]')
  assert.match(await p.textContent('p.bad[role=alert]'), /草稿/)
  await p.context().setOffline(false)
  await p.click('#send'); await p.waitForSelector('.said')
  await p.waitForSelector('#do-self_accept:disabled')
  assert.match(await p.textContent('.whynot'), /无权/, 'and it says why')
})

test('self-acceptance by the principal, verification by two officers of the city', { timeout: 180000 }, async () => {
  await open('boss', path)
  await act('boss', 'self_accept', { self_accept_note: '合格', progress_pct: '100' }, true)
  await open('city1', path)
  await act('city1', 'verify', { verify_note: '现场核查合格', closed_on: day(0) }, true)
  assert.match(await page.city1.textContent('.said'), /另一名/)
  await shot('city1', 'record-cosign')
  await open('city2', path)
  await act('city2', 'verify', { verify_note: '现场核查合格', closed_on: day(0) }, true)
  await page.city2.waitForSelector('h2 .state:has-text("已销号")')
  await page.city2.click('#history'); await page.city2.waitForSelector('.versions li')
  assert.equal(await page.city2.locator('.versions > li').count(), 5)
  await shot('city2', 'record-closed')
})

// The days before today are told with `at`: it was so then.
const say = async (u, method, path_, body) => { const r = await (await session(s, u))(method, path_, body); assert.equal(r.status, 200, r.text); return r.body }
const hazard = (site, found, more = {}) => {
  const at = found ? day(found) + ' 08:00:00' : beijing(Date.now() - 2 * 60e3) // today's is older than the minute after which repeats are looked for
  return say('duty', 'POST', '/ledgers/major_hazard/records', { values: { site, place: '1103工作面', criterion: fansOn(at.slice(0, 10)), source: 'county', found_on: at.slice(0, 10), text: '通风设施不可靠', ...more }, at })
}
const does = async (u, id, a, values, ago, sign) => { const r = await say(u, 'GET', `/ledgers/major_hazard/records/${id}`); return say(u, 'POST', `/ledgers/major_hazard/records/${id}/do`, { act: a, rev: r.rev, values, at: day(ago) + ' 09:00:00', ...(sign ? { password: PASSWORD } : {}) }) }
const drafts = (u, text) => until('a draft: ' + text, async () => { // the list is read anew until the clock has done its work
  await open(u, '/ledger/measure')
  return page[u].waitForSelector(`tbody tr:has-text("${text}")`, { timeout: 1000 }).catch(() => null)
})

test('a second hazard runs late and climbs to a drafted letter, which the mine does not see', { timeout: 180000 }, async () => {
  const site = (await say('head', 'GET', '/ledgers/site/records?where=code%3D' + M)).records[0].id
  const { id } = await hazard(site, -40)
  await does('duty', id, 'withdraw', { stop_scope: '1103工作面', withdraw_at: day(-40) + ' 08:30:00' }, -40, true)
  await does('safe', id, 'register', { resp_person: '李某', measures: '修复风门', fund_plan: 3, deadline: day(-3), emergency_plan: '通风预案' }, -39)
  await drafts('head', '逾期未完成整改')
  await page.head.click('tbody tr:has-text("逾期未完成整改")'); await page.head.waitForSelector('#do-check')
  assert.match(await page.head.textContent('main, body'), /督促函/)
  await shot('head', 'letter-draft')
  await page.boss.goto(s.url + '/#/'); await page.boss.goto(s.url + '/#/ledger/measure'); await page.boss.waitForSelector('.empty')
  const boss = await session(s, 'boss')
  assert.equal((await boss('GET', '/ledgers/measure/records')).body.total, 0)
  await open('safe', '/record/major_hazard/' + id)
  assert.ok(await page.safe.isDisabled('#do-extend'), 'the mine does not move its own deadline')
  const safe = await session(s, 'safe'), { rev } = (await safe('GET', `/ledgers/major_hazard/records/${id}`)).body
  assert.equal((await safe('POST', `/ledgers/major_hazard/records/${id}/do`, { act: 'extend', rev, values: { deadline: day(30) }, why: 'x' })).status, 403)
})

test('a third one, back within twelve months, becomes a proposal to review', { timeout: 180000 }, async () => {
  const site = (await say('head', 'GET', '/ledgers/site/records?where=code%3D' + M)).records[0].id
  await hazard(site, 0, { criterion: GAS, text: '上隅角瓦斯再次超限作业' })
  await drafts('head', '同一情形十二个月内第2次出现')
  await shot('head', 'review-proposal')
})

test('list with filters, search in Chinese, language, phone', { timeout: 180000 }, async () => {
  const p = page.city1
  await p.goto(s.url + '/#/ledger/major_hazard'); await p.waitForSelector('tbody tr')
  await p.fill('[name=q]', '上隅角'); await p.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2)
  await p.selectOption('[name=state]', 'rectifying'); await p.waitForSelector('.empty')
  await p.reload(); await p.waitForSelector('.empty')
  assert.equal(await p.inputValue('[name=q]'), '上隅角', 'the filter is kept')
  await p.selectOption('[name=state]', 'closed'); await p.waitForSelector('tbody tr')
  await shot('city1', 'list')
  await p.click('#lang'); await p.waitForSelector('h2:has-text("Major hazards")'); await p.click('#lang')
  await p.setViewportSize({ width: 390, height: 800 })
  await narrow(p, 'the list')
  await shot('city1', 'list-phone')
})

test('two officers edit one record: the second sees the conflict and keeps what was typed', { timeout: 180000 }, async () => {
  const head = await session(s, 'head')
  const id = (await head('GET', '/ledgers/site/records')).body.records[0].id
  for (const u of ['city1', 'city2']) { await page[u].setViewportSize({ width: 1280, height: 900 }); await open(u, '/record/site/' + id); await page[u].click('#do-edit'); await page[u].waitForSelector('[name=address]') }
  await page.city1.fill('[name=address]', '甲路一号'); await page.city1.click('#send'); await page.city1.waitForSelector('.said')
  await page.city2.fill('[name=owner]', '某集团'); await page.city2.click('#send'); await page.city2.waitForSelector('[role=alert]')
  assert.match(await page.city2.textContent('[role=alert]'), /city1/)
  await page.city2.click('[role=alert] button'); await page.city2.waitForTimeout(500)
  assert.equal(await page.city2.inputValue('[name=owner]'), '某集团')
})

test('import: the trial names row and column, then it is kept', { timeout: 180000 }, async () => {
  const f = join(d.base, 'x.csv'), p = page.head
  writeFileSync(f, '\ufeff煤矿编码,矿山名称,类型,县（市、区）,核定生产能力\r\n140214900021,甲矿,井工煤矿,云冈区,1200\r\n140214900022,乙矿,井工煤矿,云冈区,12x\r\n')
  await p.goto(s.url + '/#/ledger/site'); await p.waitForSelector('details')
  await p.click('summary'); await p.setInputFiles('details input[type=file]', f); await p.waitForSelector('.report td')
  assert.match((await p.textContent('.report table tbody')).replace(/\s+/g, ' '), /CSV ?3 ?E ?12x/)
  await shot('head', 'import')
  await p.click('.report button'); await p.waitForSelector('.report:has-text("已导入")')
  await p.waitForSelector('tbody tr:has-text("甲矿")')
})
