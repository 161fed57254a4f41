// One mine floods: it is told to wait, over HTTP and in its folder; another mine's alarm comes all the same; nothing acknowledged is lost.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { beijing, cddy, cdss, dataDir, json, ROOT, serve, session, until, zb } from '../lib.mjs'
const NOISY = '140214900001', QUIET = '140303900002'
test('a flood', { timeout: 180000 }, async () => {
  let stop = false, s
  const d = dataDir(), policy = join(d.base, 'policy'), dir = join(d.base, 'q'), intake = join(policy, 'intake.yaml')
  try {
    cpSync(join(ROOT, 'policies/shanxi'), policy, { recursive: true })
    writeFileSync(intake, readFileSync(intake, 'utf8').replace(/files_per_second: .*/, 'files_per_second: 100').replace(/files_saved_up: .*/, 'files_saved_up: 100'))
    zb(['init', dir, '--policy', policy])
    zb(['user', dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
    const token = { [NOISY]: json(['token', dir, 'add', NOISY])[0].token, [QUIET]: json(['token', dir, 'add', QUIET])[0].token }
    for (const m of [NOISY, QUIET]) mkdirSync(join(dir, 'drop', m), { recursive: true })
    s = await serve(dir)
    const admin = await session(s, 'admin')
    const put = (m, f) => fetch(`${s.url}/api/v1/uploads/${f.name}`, { method: 'POST', headers: { Authorization: `Bearer ${token[m]}` }, body: f.text })
    const drop = (m, f) => { const to = join(dir, 'drop', m, f.name); writeFileSync(to + '.tmp', f.text); renameSync(to + '.tmp', to) }
    const now = Math.floor(Date.now() / 1000) * 1000, alarm = async (m, point) => (await admin('GET', '/alarms?limit=2000')).body.alarms.find(a => a.mine === m && a.point === point && a.kind === 'over-limit')
    for (const m of [NOISY, QUIET]) assert.equal((await put(m, cddy(m, now - 60000, ['P1', 'P2']))).status, 200)
    // over HTTP: 16 senders of one mine as fast as they can
    const acked = new Map()
    let next = 0, told = 0
    const flood = Array.from({ length: 16 }, async () => {
      while (!stop) {
        const at = now - 40 * 86400e3 + next++ * 30000, r = await put(NOISY, cdss(NOISY, at, { P1: '0.40' })), text = await r.text()
        if (r.status === 200) { acked.set(at, 0.4); continue }
        if (stop) return
        assert.equal(r.status, 429, text)
        assert.ok(+r.headers.get('retry-after') >= 1)
        assert.equal(JSON.parse(text).code, 'busy')
        told++
      }
    })
    await until('the noisy mine is told to wait', async () => told > 100)
    assert.equal((await put(QUIET, cdss(QUIET, Date.now(), { P1: '1.62' }))).status, 200)
    await until('alarm of the quiet mine', () => alarm(QUIET, 'P1'))
    stop = true
    await Promise.all(flood)
    const link = (await admin('GET', '/health?mine=' + NOISY)).body.links[0]
    assert.ok(link.waits >= told && link.last_wait, JSON.stringify(link))
    assert.equal((await admin('GET', '/health?mine=' + QUIET)).body.links[0].waits, 0)
    // a definition out of a backlog defines what nobody had defined, and changes nothing else
    const old = cddy(QUIET, now - 3600e3, ['P1', 'P9'])
    assert.equal((await put(QUIET, { name: old.name, text: old.text.replaceAll('1101工作面上隅角', '旧地点') })).status, 200)
    const place = p => admin('GET', '/points?mine=' + QUIET).then(r => r.body.points.find(x => (x.point ?? x.code) === p)?.location)
    await until('P9 is defined', async () => (await place('P9')) === '旧地点')
    assert.equal(await place('P1'), '1101工作面上隅角')
    // in the folder: a backlog of 400 files lies there first
    for (let i = 0; i < 400; i++) drop(NOISY, cdss(NOISY, now - 20 * 86400e3 + i * 30000, { P1: '0.41' }))
    drop(NOISY, cdss(NOISY, Date.now(), { P2: '1.63' }))
    drop(QUIET, cdss(QUIET, Date.now(), { P2: '1.64' }))
    await until('alarm of the quiet mine from its folder', () => alarm(QUIET, 'P2'))
    await until('alarm of the noisy mine: live before its own backlog', () => alarm(NOISY, 'P2'))
    const left = () => readdirSync(join(dir, 'drop', NOISY)).filter(f => f.endsWith('.txt'))
    const filed = k => cdss(NOISY, now - 20 * 86400e3 + k * 30000, {}).name
    const rest = await until('newest first', async () => { const l = left(); return !l.includes(filed(399)) && l })
    assert.ok(rest.length > 0, 'older files still wait: the backlog is held back by its quota')
    await until('the folder is empty', async () => left().length === 0)
    await s.stop()
    const got = new Map(json(['query', dir, NOISY + '/P1', '--limit', '100000']).map(x => [Date.parse(x.t), x.v]))
    for (const [at, v] of acked) assert.equal(got.get(at), v, `${beijing(at)} was acknowledged`)
    for (let i = 0; i < 400; i++) assert.equal(got.get(now - 20 * 86400e3 + i * 30000), 0.41)
    assert.equal(got.size, acked.size + 400)
  } finally { stop = true; s?.kill('SIGKILL'); d.remove() }
})
