// A mine comes on line in the browser: token, trial files, codes and classes confirmed, report, acceptance, its alarm live on the desk; then its completeness.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, narrow } from '../browser.mjs'
import { beijing, dataDir, PASSWORD, serve, stamp, zb } from '../lib.mjs'
const M = '140214900001', OTHER = '140214900777', now = Math.floor(Date.now() / 30000) * 30000
let d, s, browser, page, token, began
before(async () => {
  d = dataDir()
  zb(['user', d.dir, 'add', 'duty', '--role', 'officer'])
  const intake = join(d.dir, 'policy/intake.yaml') // small shares, so that a flood is soon told to wait
  writeFileSync(intake, readFileSync(intake, 'utf8').replace(/files_per_second: .*/, 'files_per_second: 1').replace(/files_saved_up: .*/, 'files_saved_up: 60'))
  s = await serve(d.dir)
  browser = await launch()
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  page.on('pageerror', e => { throw e })
})
after(async () => { await browser?.close(); await s?.stop(); d?.remove() })
const put = (type, at, body, code = M, head = '') => fetch(`${s.url}/api/v1/uploads/${code}_${type}_${stamp(at)}.txt?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: `${code};示范矿;${head}${beijing(Date.now())}~${body}||` }).then(r => r.status)
const point = (p, place, limit = '1.0') => `${p};01;001;0001;MN;%CH4;4;0;${limit};${limit};;;1.5;1.0;;;;;${place};;;;;${beijing(now)}~`
const sample = (p, v, at) => `${p};环境瓦斯;x;${v};%CH4;0;${beijing(at)}~`
const text = async sel => (await page.textContent(sel)).replace(/\s+/g, ' ')
const verdict = key => text(`#checks tr[data-key=${key}] td:last-child`)

test('from the token to live', { timeout: 180000 }, async () => {
  await page.goto(s.url)
  await page.fill('[name=user]', 'duty'); await page.fill('[name=password]', PASSWORD); await page.click('form button:not(.quiet)')
  await page.waitForSelector('header')
  began = Date.now()
  await page.goto(s.url + '/#/links'); await page.click('#open-link')
  await page.fill('[name=mine]', M); await page.fill('[name=name]', '示范矿'); await page.selectOption('[name=gas]', 'high'); await page.click('#make-token')
  token = (await text('#token')).trim()
  assert.match(token, /^[0-9a-f]{64}$/)
  await page.click('#go-trial'); await page.waitForSelector('.stations .here')
  assert.match(await text('.stations .here'), /令牌/)
  assert.equal(await put('CDDY', now - 700000, point('P1', '1101工作面回风隅角') + point('P2', '总回风巷', '0.75'), M, 'K;S;M;2027-12-31;'), 200)
  for (let i = 20; i >= 0; i--) assert.equal(await put('CDSS', now - i * 30000, sample('P1', i ? '0.40' : '1.60', now - i * 30000) + sample('P2', '0.10', now - i * 30000)), 200)
  assert.equal(await put('CDSS', now - 15000, sample('P1', '0.4', now - 15000), OTHER), 403)
  await page.waitForSelector('.map'); await page.click('.map') // another code of this mine
  await page.waitForFunction(c => document.querySelector('main').textContent.includes(c + ' →'), OTHER)
  assert.equal(await put('CDSS', now - 15000, sample('P1', '1.6', now - 15000), OTHER), 200)
  assert.match(await verdict('classes'), /不符合/)
  await page.click('#confirm-all') // each suggestion stands in its own row
  await page.waitForFunction(() => document.querySelector('#checks tr[data-key=classes]').className === 'pass')
  for (const k of ['minutes', 'files', 'samples', 'clock', 'refused_files', 'unknown_codes', 'undefined', 'units', 'limits']) assert.match(await verdict(k), /✓/, k)
  assert.match(await text('.report'), /试运行期间的报警（未上报警台） ?超限 1/)
  await page.goto(s.url + '/#/'); await page.waitForSelector('.empty') // the desk is quiet
  await page.goto(s.url + '/#/link/' + M); await page.waitForSelector('#accept')
  const pdf = await page.evaluate(async u => { const r = await fetch(u); return [r.status, (await r.text()).slice(0, 4)] }, await page.getAttribute('#pdf', 'href'))
  assert.deepEqual(pdf, [200, '%PDF'])
  if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT + '/link.png', fullPage: true })
  await page.fill('[name=note]', '无档案，应接入数据流待核；人员定位下月接入'); await page.click('#accept')
  await page.waitForSelector('#accepted')
  assert.match(await text('#accepted'), /已验收.*duty.*人员定位下月接入/)
  await page.goto(s.url + '/#/'); await page.waitForSelector('.alarm')
  assert.match(await text('.list'), /断电.*示范矿.*1.6 %CH4.*超限.*示范矿.*1.6 %CH4/) // the cut value is reached too, and stands first
  assert.ok(Date.now() - began < 600000)
})
test('completeness, a value read at the mine, English and a phone', { timeout: 180000 }, async () => {
  await page.goto(s.url + '/#/complete/' + M); await page.waitForSelector('#points tbody tr')
  assert.match(await text('#points'), /P1.*回风隅角/)
  const minute = beijing(Math.floor((now - 300000) / 60000) * 60000).slice(0, 16).replace(' ', 'T')
  await page.selectOption('[name=point]', 'P1'); await page.fill('[name=minute]', minute); await page.fill('[name=value]', '0.9'); await page.click('form.bar button')
  await page.waitForSelector('#sampled tbody tr')
  assert.match(await text('#sampled tbody tr'), /P1 ?0\.9 ?0\.4 ?0\.5 ?监管 duty/)
  if (process.env.SHOT) await page.screenshot({ path: process.env.SHOT + '/complete.png', fullPage: true })
  await page.goto(s.url + '/#/links'); await page.waitForSelector('.rows tbody tr')
  assert.match(await text('.rows tbody'), /示范矿.*正式运行/)
  await page.click('#lang')
  for (const h of ['/#/links', '/#/link/' + M, '/#/complete/' + M]) {
    await page.goto(s.url + h); await page.waitForSelector('main table')
    assert.ok(!/[\u4e00-\u9fff]/.test((await text('main h2')).replace('示范矿', '').replace(/[\u4e00-\u9fff]+(区|县|市)/, '')), h)
    await page.setViewportSize({ width: 375, height: 700 }); await narrow(page, h)
    await page.setViewportSize({ width: 1280, height: 900 })
  }
})
test('a mine that is told to wait is seen on the page of what is received', { timeout: 180000 }, async () => {
  await page.goto(s.url + '/#/health'); await page.waitForSelector('.share')
  assert.match(await text('.share'), /^within/)
  let status = 200, n = 0
  while (status === 200 && n++ < 200) status = await put('CDSS', now - 86400000 - n * 30000, sample('P1', '0.4', now - 86400000 - n * 30000))
  assert.equal(status, 429)
  await page.waitForSelector('.share .bad', { timeout: 15000 })
  assert.match(await text('.share'), /told to wait.*1 times/)
  assert.ok(!/[\u4e00-\u9fff]/.test(await text('.share')))
  await page.click('#lang')
  assert.match(await text('.share'), /须等待.*已令等待1次/)
})
