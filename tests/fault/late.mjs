// A mine cut off for hours: the newest comes first, the backlog after it. What is found equals what an uncut twin finds, nothing lost, nothing doubled, also over kill -9.
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { beijing, dataDir, json, ROOT, serve, session, until, zb } from '../lib.mjs'
const HOURS = 3, MINES = 2
function upload(dir, policy) {
  zb(['init', dir, '--policy', policy])
  zb(['user', dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
  const token = {}
  return { token: m => (token[m] ??= json(['token', dir, 'add', m])[0].token) }
}
test('the past is judged again', { timeout: 200000 }, async () => {
  const d = dataDir(), policy = join(d.base, 'policy'), silence = join(policy, 'silence.yaml')
  try {
    cpSync(join(ROOT, 'policies/shanxi'), policy, { recursive: true })
    writeFileSync(silence, readFileSync(silence, 'utf8').replace(/late_settle: .*/, 'late_settle: 2 s'))
    const start = Math.floor(Date.now() / 60000) * 60000 - (HOURS * 60 + 1) * 60000
    zb(['simulate', join(d.base, 'in'), '--mines', String(MINES), '--hours', String(HOURS), '--faults', 'over-limit,burst,masked', '--start', beijing(start), '--policy', policy])
    const files = readdirSync(join(d.base, 'in'), { recursive: true }).filter(f => /_(CDDY|CDSS)_\d{14}\.txt$/.test(f)).map(f => ({ f: join(d.base, 'in', f), name: f.split('/').pop() })).map(x => ({ ...x, mine: x.name.split('_')[0], at: x.name.slice(-18, -4) })).sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : a.name < b.name ? -1 : 1)
    assert.ok(files.length > 400)
    const after = ms => beijing(start + ms).replace(/[-: ]/g, ''), cut = after(10 * 60000)
    const truth = readFileSync(join(d.base, 'in/truth.jsonl'), 'utf8').trim().split('\n').map(l => JSON.parse(l)), over = truth.find(x => x.fault === 'over-limit')
    const back = beijing((Date.parse(over.from) + Date.parse(over.to)) / 2).replace(/[-: ]/g, '') // the line comes back in the middle of an alarm
    const orders = { uncut: files, cut: [...files.filter(x => x.at < cut), ...files.filter(x => x.at >= back), ...files.filter(x => x.at >= cut && x.at < back)] }
    const found = {}
    for (const [name, order] of Object.entries(orders)) {
      const dir = join(d.base, name), t = upload(dir, policy)
      for (const m of new Set(order.map(x => x.mine))) t.token(m)
      let s = await serve(dir)
      const put = async x => { const r = await fetch(`${s.url}/api/v1/uploads/${x.name}`, { method: 'POST', headers: { Authorization: `Bearer ${t.token(x.mine)}` }, body: readFileSync(x.f) }); assert.equal(r.status, 200, await r.text()) }
      for (let i = 0; i < order.length; i++) {
        await put(order[i])
        if (name === 'cut' && i === Math.floor(order.length * 0.6)) { s.kill('SIGKILL'); await s.gone; s = await serve(dir) }
      }
      const admin = await session(s, 'admin')
      const kinds = ['over-limit', 'under-limit', 'cut', 'over-range', 'feed', 'masked', 'calibration', 'fault']
      const standing = a => a.cleared === undefined || a.cleared === null
      const read = async () => {
        const all = (await admin('GET', '/alarms?limit=2000')).body.alarms.filter(a => kinds.includes(a.kind))
        found[name] = new Map(all.map(a => [a.id, { mine: a.mine, point: a.point, kind: a.kind, level: a.level, raised: a.raised, cleared: a.cleared, peak: a.peak, limit: a.limit, count: a.count }]))
        return all
      }
      const same = () => name === 'uncut' || isDeepStrictEqual([...found.cut].sort(), [...found.uncut].sort())
      const all = await until('all is judged', async () => { const idle = (await admin('GET', '/health')).body.queue === 0, all = await read(); return idle && !all.some(standing) && same() && all }, () => JSON.stringify([...found[name].values()]))
      if (name === 'cut') {
        assert.ok(all.some(a => a.late), 'something was found in the late data')
        const began = all.find(a => a.point === over.point && a.kind === 'over-limit')
        assert.ok(began.late && Date.parse(began.raised) < Date.parse(over.from) + 120e3, 'the alarm that stood when the line came back has its true beginning')
        const links = (await admin('GET', '/health')).body.links
        assert.ok(links.every(l => l.late > 0))
      }
      await s.stop()
      if (name === 'cut') { const r = json(['rebuild', dir])[0]; assert.equal(r.differ, 0, r.first) }
    }
    assert.ok(found.uncut.size >= 5, String(found.uncut.size))
    assert.deepEqual([...found.cut].sort(), [...found.uncut].sort())
  } finally { d.remove() }
})
