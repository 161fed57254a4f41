// Helpers of the browser tests: one Chromium, a page a user, forms filled by the names of their fields, axe.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PASSWORD, ROOT } from './lib.mjs'
const CHROME = process.env.CHROME ?? '/usr/bin/chromium'
if (!existsSync(CHROME)) { console.log('no chromium here'); process.exit(77) }
const { chromium } = await import(join(ROOT, 'web/node_modules/playwright-core/index.mjs'))
const AXE = readFileSync(join(ROOT, 'web/node_modules/axe-core/axe.min.js'), 'utf8')
export const launch = () => chromium.launch({ executablePath: CHROME, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
// A phone: nothing sticks out, once what was loading is there and charts are drawn anew.
export const narrow = (page, what) => page.waitForFunction(() => !/载入中|Loading/.test(document.querySelector('main')?.textContent ?? '') && document.documentElement.scrollWidth <= innerWidth + 1).catch(() => assert.fail(what + ' sticks out on a phone'))
export async function browse(url, users) {
  const browser = await launch()
  const page = {}
  for (const u of users) {
    const c = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true })
    page[u] = await c.newPage()
    page[u].on('pageerror', e => { throw e })
    await page[u].goto(url)
    await page[u].fill('[name=user]', u); await page[u].fill('[name=password]', PASSWORD); await page[u].click('form button:not(.quiet)')
    await page[u].waitForSelector('header nav a')
  }
  // A page anew, even when only what stands behind the # is the same.
  const open = async (u, hash, wait = 'h2') => { await page[u].goto('about:blank'); await page[u].goto(url + '/#' + hash); await page[u].waitForSelector(wait) }
  const fill = async (p, values) => { for (const [k, v] of Object.entries(values)) { const tag = await p.$eval(`[name="${k}"]`, e => e.tagName); tag === 'SELECT' ? await p.selectOption(`[name="${k}"]`, v) : await p.fill(`[name="${k}"]`, v) } }
  const act = async (u, a, values = {}, sign = false) => {
    const p = page[u]
    await p.click('#do-' + a); await p.waitForSelector('form.form')
    await fill(p, values)
    if (sign) await p.fill('form.form [name=password]', PASSWORD)
    await p.click('#send'); await p.waitForSelector('.said')
  }
  const shot = (u, name) => process.env.SHOTS && page[u].screenshot({ path: join(process.env.SHOTS, name + '.png') })
  // No serious or critical violation of WCAG 2 A and AA on what stands there now.
  const axe = async (u, what, rules) => { // rules: only these
    await page[u].evaluate(AXE)
    const bad = await page[u].evaluate(async rules => (await globalThis.axe.run(document, { runOnly: rules ? { type: 'rule', values: rules } : ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations'] })).violations
      .filter(v => ['serious', 'critical'].includes(v.impact)).map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' — ' + n.failureSummary.split('\n')[1]).join('\n    ')}`), rules)
    assert.deepEqual(bad, [], what)
  }
  return { page, open, fill, act, shot, axe, close: () => browser.close() }
}
