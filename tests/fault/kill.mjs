// kill -9 at random moments under load: nothing acknowledged is lost, no alarm doubled, rebuild equals live, the journal verifies.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cddy, cdss, dataDir, json, serve, sleep, stamp, zb } from '../lib.mjs'
const ROUNDS = process.env.ALL ? 50 : 20, MINES = ['140214900001', '140303900002', '140402900003']
test(`${ROUNDS} kills`, { timeout: 540000 }, async () => {
  const d = dataDir(), tokens = {}
  for (const m of MINES) tokens[m] = json(['token', d.dir, 'add', m])[0].token
  const start = Math.floor(Date.now() / 30000) * 30000 - 30 * 86400e3, acked = Object.fromEntries(MINES.map(m => [m, new Map()])), next = Object.fromEntries(MINES.map(m => [m, 0]))
  let s = await serve(d.dir), doubled = 0
  const put = (m, f) => fetch(`${s.url}/api/v1/uploads/${f.name}`, { method: 'POST', headers: { Authorization: `Bearer ${tokens[m]}` }, body: f.text })
  for (const m of MINES) assert.equal((await put(m, cddy(m, start - 60000))).status, 200)
  for (let round = 0; round < ROUNDS; round++) {
    let stop = false
    const load = MINES.map(async m => {
      while (!stop) {
        const k = next[m]++, at = start + k * 30000, v = k % 60 > 30 && k % 60 < 36 ? '1.62' : '0.40'
        try { if ((await put(m, cdss(m, at, { P1: v }))).status === 200) acked[m].set(at, +v); else next[m] = k } catch { next[m] = k; return } // not acknowledged: sent again
      }
    })
    await sleep(20 + Math.random() * 250)
    s.kill('SIGKILL')
    stop = true
    await Promise.all(load)
    assert.equal((await s.gone).signal, 'SIGKILL')
    s = await serve(d.dir)
  }
  for (const m of MINES) { // what was durable but not acknowledged at the last kill is sent again: acknowledged as a duplicate
    const k = next[m]++, at = start + k * 30000
    assert.equal((await put(m, cdss(m, at, { P1: k % 60 > 30 && k % 60 < 36 ? '1.62' : '0.40' }))).status, 200)
    acked[m].set(at, k % 60 > 30 && k % 60 < 36 ? 1.62 : 0.4)
  }
  await s.stop()
  for (const m of MINES) {
    const got = new Map(json(['query', d.dir, m + '/P1']).map(x => [Date.parse(x.t), x.v]))
    for (const [at, v] of acked[m]) assert.equal(got.get(at), v, `${m} ${stamp(at)} was acknowledged`)
    const cuts = json(['alarms', d.dir, m, '--kind', 'cut', '--limit', '10000']), starts = cuts.map(a => a.raised)
    doubled += starts.length - new Set(starts).size
    const last = Math.max(...acked[m].keys()), expected = new Set([...Array(next[m]).keys()].filter(k => k % 60 === 31 && start + k * 30000 <= last)).size
    assert.equal(cuts.length, expected, `${m}: cut alarms`)
  }
  assert.equal(doubled, 0)
  const before = json(['alarms', d.dir, '--limit', '10000'])
  const r = json(['rebuild', d.dir])[0]
  assert.equal(r.differ, 0)
  assert.deepEqual(json(['alarms', d.dir, '--limit', '10000']), before)
  assert.equal(json(['audit', d.dir, 'verify'])[0].ok, true)
  console.log(`# ${[...Object.values(acked)].reduce((n, a) => n + a.size, 0)} files acknowledged over ${ROUNDS} kills, ${before.length} alarms`)
  d.remove()
})
