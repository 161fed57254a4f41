// The screens in a real browser: an officer's way, language, chart, phone width.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { launch, narrow } from '../browser.mjs'
import { beijing, cddy, cdss, dataDir, json, PASSWORD, serve, zb } from '../lib.mjs'
const M = '140214900001', now = Math.floor(Date.now() / 30000) * 30000
let d, s, browser, page, token
const put = f => fetch(`${s.url}/api/v1/uploads/${f.name}?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: f.text }).then(r => assert.equal(r.status, 200))
before(async () => {
  d = dataDir()
  zb(['user', d.dir, 'add', 'duty', '--role', 'officer'])
  token = json(['token', d.dir, 'add', M])[0].token
  s = await serve(d.dir)
  await put(cddy(M, now - 600000))
  await put(cdss(M, now - 60000, { P1: '0.5' }))
  await put({ name: cdss(M, now - 60000, {}).name.replace('CDSS', 'RYSS'), text: `${M};示范矿;${beijing(now - 60000)}~C1;模拟甲;1;${beijing(now - 3600000)};;A1;;R1;${beijing(now - 60000)}~||` })
  browser = await launch()
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.on('pageerror', e => { throw e })
})
after(async () => { await browser?.close(); await s?.stop(); d?.remove() })
const text = async sel => (await page.textContent(sel)).replace(/\s+/g, ' ')

test('login, an alarm appears by itself, is acknowledged by key, gets its cause', { timeout: 180000 }, async () => {
  await page.goto(s.url)
  await page.fill('[name=user]', 'duty'); await page.fill('[name=password]', 'wrong-password'); await page.click('form button:not(.quiet)')
  await page.waitForSelector('[role=alert]')
  await page.fill('[name=password]', PASSWORD); await page.click('form button:not(.quiet)')
  await page.waitForSelector('.empty') // nothing stands: the page says what will come
  await put(cdss(M, now, { P1: '1.23' }))
  await page.waitForSelector('.alarm')
  assert.match(await text('.alarm'), /超限.*示范矿.*1.23 %CH4/)
  await page.waitForSelector('.about')
  assert.match(await text('.about'), /井下人员 1 人.*模拟甲/)
  assert.ok(await page.isDisabled('#act-cause'), 'no cause before it is acknowledged')
  await page.keyboard.press('a')
  await page.waitForFunction(() => document.querySelector('.about .state').textContent === '已确认')
  await page.keyboard.press('c')
  await page.selectOption('[name=cause]', 'emission'); await page.fill('[name=note]', '<b>不是标签</b>'); await page.click('#save')
  await page.waitForFunction(() => document.querySelector('.about .state').textContent === '已查因')
  assert.ok((await text('.done')).includes('<b>不是标签</b>'))
  assert.equal(await page.locator('.done b').count(), 0)
})
test('the language switches and stays', async () => {
  await page.click('#lang')
  assert.match(await text('header'), /Alarm desk/)
  await page.reload(); await page.waitForSelector('.alarm')
  assert.match(await text('.alarm'), /Over limit/)
  assert.ok(!/[\u4e00-\u9fff]/.test((await text('header')).replace('治本', '').replace('中文', '')), 'no Chinese left in the English head')
  await page.click('#lang')
})
test('an alarm that comes while the list is being read stays', { timeout: 180000 }, async () => {
  let asked = 0, told
  const late = new Promise(ok => (told = ok))
  await page.route('**/api/v1/alarms?active=1*', async route => {
    const first = ++asked === 1, before = await route.fetch() // what stood before its event was heard
    if (first) { await page.waitForTimeout(1500); await put(cdss(M, now + 30000, { P1: '1.66' })); await page.waitForTimeout(1000) }
    await route.fulfill({ response: before })
    if (first) told()
  })
  await page.reload(); await late
  await page.waitForTimeout(500) // the list is on the screen by then, or soon
  await page.waitForFunction(() => [...document.querySelectorAll('.alarm')].filter(a => a.textContent.includes('断电')).length === 1)
  await page.unroute('**/api/v1/alarms?active=1*')
})
test('mine page and chart', async () => {
  await page.goto(s.url + '/#/mines'); await page.waitForSelector('.rows tbody tr'); await page.click('.rows tbody tr')
  await page.waitForSelector('.points tbody tr')
  assert.match(await text(".points tbody tr"), /1101工作面上隅角.*1.66 %CH4/)
  await page.click('.points tbody tr'); await page.waitForSelector('canvas')
  assert.ok((await page.locator('canvas').boundingBox()).width > 400)
})
test('links page shows a refused file with its reason, journal shows the act', async () => {
  await fetch(`${s.url}/api/v1/uploads/${cdss(M, now + 30000, {}).name}`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: 'rubbish' })
  await page.goto(s.url + '/#/health'); await page.waitForSelector('.done .bad')
  assert.match(await text('.done .bad'), /does not end with/)
  await page.goto(s.url + '/#/journal'); await page.waitForSelector('.rows tbody tr')
  assert.match(await text('.rows'), /alarm\.cause/)
})
test('a phone needs no sideways scrolling', async () => {
  await page.setViewportSize({ width: 375, height: 700 })
  for (const h of ['/#/', '/#/mines', '/#/mine/' + M, '/#/point/' + M + '/P1', '/#/health', '/#/journal']) {
    await page.goto(s.url + h); await page.waitForTimeout(400)
    await narrow(page, h)
  }
})
