// replay: what another policy would have found in the log, while the directory is served and without touching it.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cddy, cdss, dataDir, json, ROOT, serve, zbTry } from '../lib.mjs'
const M = '140214900001'
test('a stricter limit finds more, a laxer one less; the directory stays as it was', async () => {
  const d = dataDir(), token = json(['token', d.dir, 'add', M])[0].token, s = await serve(d.dir)
  try {
    const start = Math.floor(Date.now() / 60000) * 60000 - 3600e3
    const put = async f => assert.equal((await fetch(`${s.url}/api/v1/uploads/${f.name}?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: f.text })).status, 200)
    const own = cddy(M, start); own.text = own.text.replace('1.0;1.0;;;1.5;1.0', ';;;;;') // no limits of the mine's own
    await put(own)
    for (let i = 0; i < 40; i++) await put(cdss(M, start + i * 30000, { P1: i > 4 && i < 9 ? '1.2' : i > 20 && i < 26 ? '0.85' : '0.3' }))
    const change = (name, from, to) => {
      const dir = join(d.base, name)
      cpSync(join(ROOT, 'policies/shanxi'), dir, { recursive: true })
      const f = join(dir, 'limits.yaml'), text = readFileSync(f, 'utf8')
      assert.ok(from.test(text)); writeFileSync(f, text.replace(from, to))
      return dir
    }
    const before = readdirSync(d.dir).sort()
    assert.deepEqual(json(['replay', d.dir, '--policy', 'policies/shanxi']), [], 'the same policy finds the same')
    const strict = json(['replay', d.dir, '--policy', change('strict', /hi_alarm: 1\.0\b/g, 'hi_alarm: 0.8')])
    assert.ok(strict.some(x => x.change === 'new' && x.kind === 'over-limit' && x.peak === 0.85 && x.limit === 0.8), JSON.stringify(strict))
    const lax = json(['replay', d.dir, '--policy', change('lax', /hi_alarm: 1\.0\b/g, 'hi_alarm: 1.3')])
    assert.ok(lax.some(x => x.change === 'gone' && x.kind === 'over-limit' && x.peak === 1.2), JSON.stringify(lax))
    assert.deepEqual(json(['replay', d.dir, '--policy', join(d.base, 'strict'), '--from', '2030-01-01 00:00:00']), [])
    const none = zbTry(['replay', d.dir])
    assert.equal(none.code, 2); assert.match(none.err, /--policy/)
    assert.deepEqual(readdirSync(d.dir).sort(), before)
    assert.equal(json(['alarms', d.dir, '--kind', 'over-limit']).length, 1)
  } finally { await s.stop(); d.remove() }
})
