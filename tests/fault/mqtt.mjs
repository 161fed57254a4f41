// Uploads over a real broker: each mine its own topics, acknowledged after the sync, kill -9 of the server in the middle: nothing lost, nothing doubled.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cddy, cdss, dataDir, json, serve, session, sleep, until as wait, zb } from '../lib.mjs'
import { broker, client, hasty } from '../mqtt.mjs'
const M = '140214900001', OTHER = '140303900002', STRAY = '140402900003', FILES = 360, KILLS = 3
test('mqtt', { timeout: 180000 }, async () => {
  const d = dataDir()
  let s, b
  try {
    zb(['user', d.dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
    const token = m => json(['token', d.dir, 'add', m])[0].token, users = { [M]: token(M), [OTHER]: token(OTHER), [STRAY]: 'known-to-the-broker-only', zhiben: 'the-servers-password' }
    b = await broker(d.base, users)
    writeFileSync(join(d.dir, 'keys/mqtt'), 'the-servers-password\n')
    const up = () => serve(d.dir, ['--mqtt', b.url('zhiben')])
    s = await up()
    const told = new Map(), c = await client(b.port, M, users[M], (t, m) => { const r = JSON.parse(m); told.set(r.file, r) })
    await c.subscribe('zhiben/down/' + M)
    const until = (what, fn) => wait(what, fn, () => s.log())
    const send = (m, f) => c.publish(`zhiben/up/${m}/${f.name}`, f.text)
    const start = Math.floor(Date.now() / 30000) * 30000 - FILES * 30000, def = cddy(M, start - 60000)
    await until('the server listens', () => /event=mqtt .*state=connected/.test(s.log()))
    await send(M, def)
    await until('the definition is told', () => told.has(def.name))
    assert.equal(told.get(def.name).accepted, 1)
    const files = Array.from({ length: FILES }, (_, k) => cdss(M, start + k * 30000, { P1: k % 60 > 30 && k % 60 < 36 ? '1.62' : '0.40' }))
    const all = (async () => { for (const f of files) { await send(M, f); await sleep(4) } })()
    for (let i = 0; i < KILLS; i++) {
      await sleep(500)
      s.kill('SIGKILL')
      await s.gone
      s = await up()
    }
    await all
    await until('all are stored', async () => { const r = await fetch(s.url + '/api/v1/health').catch(() => null); return r && told.has(files[FILES - 1].name) })
    // hostile: another mine's topic and an unknown mine, a wrong name, rubbish, nothing, too much
    await c.publish(`zhiben/up/${OTHER}/${cdss(OTHER, start, {}).name}`, cdss(OTHER, start, { P1: '9.9' }).text)
    const bad = { 'no-such-name': 'x', [`${OTHER}_CDSS_20260101000000.txt`]: cdss(OTHER, start, { P1: '9' }).text, [`${M}_CDSS_20260101000000.txt`]: '\xff\x00~||', [`${M}_CDSS_20260101000001.txt`]: '' }
    for (const [n, t] of Object.entries(bad)) await c.publish(`zhiben/up/${M}/${n}`, t)
    await until('each is refused with its reason', () => Object.keys(bad).every(n => told.get(n)?.reasons.length && told.get(n).code))
    const x = await client(b.port, STRAY, users[STRAY])
    await x.publish(`zhiben/up/${STRAY}/${STRAY}_CDSS_20260101000000.txt`, cdss(STRAY, start, { P1: '1' }).text)
    x.close()
    await assert.rejects(client(b.port, M, 'wrong'))
    const admin = await session(s, 'admin')
    await until('the stray one is logged', () => /mqtt_stray/.test(s.log()))
    const links = (await admin('GET', '/health')).body.links
    assert.deepEqual(links.map(l => l.mine).filter(m => m !== M), [], 'nobody else got in')
    await s.stop()
    // sent while the server is away: the broker keeps it
    const last = cdss(M, start + FILES * 30000, { P1: '0.77' })
    await send(M, last)
    s = await up()
    await until('what came meanwhile', () => told.get(last.name)?.accepted === 1)
    await s.stop()
    // no room on the disk: what cannot be kept is not acknowledged, so the broker sends it again when there is room
    const storage = join(d.dir, 'policy/storage.yaml'), rule = readFileSync(storage, 'utf8')
    writeFileSync(storage, rule.replace(/(disk_warn_percent|disk_refuse_percent): .*/g, '$1: 0'))
    s = await up()
    await until('uploads wait', () => /state=uploads_wait/.test(s.log()))
    const kept = cdss(M, start + (FILES + 1) * 30000, { P1: '0.78' })
    await send(M, kept)
    await until('it is not taken', () => /mqtt_waits/.test(s.log()))
    s.kill('SIGKILL')
    await s.gone
    writeFileSync(storage, rule)
    s = await up()
    await until('what could not be kept', () => told.get(kept.name)?.accepted === 1)
    c.close()
    await s.stop()
    const got = new Map(json(['query', d.dir, M + '/P1', '--limit', '100000']).map(v => [Date.parse(v.t), v.v]))
    for (let k = 0; k < FILES; k++) assert.equal(got.get(start + k * 30000), k % 60 > 30 && k % 60 < 36 ? 1.62 : 0.4, `file ${k}`)
    assert.equal(got.size, FILES + 2)
    const cuts = json(['alarms', d.dir, M, '--kind', 'cut', '--limit', '10000']), starts = new Set(cuts.map(a => a.raised))
    assert.equal(starts.size, cuts.length)
    assert.equal(cuts.length, FILES / 60)
    const r = json(['rebuild', d.dir])[0]
    assert.equal(r.differ, 0, r.first)
  } finally { s?.kill('SIGKILL'); await b?.stop(); d.remove() }
})
test('what the broker kept is answered though it comes before the subscription is confirmed', { timeout: 180000 }, async () => {
  const d = dataDir()
  let s, b
  try {
    json(['token', d.dir, 'add', M])
    writeFileSync(join(d.dir, 'keys/mqtt'), 'password\n')
    const def = cddy(M, Date.now() - 60000)
    b = await hasty(`zhiben/up/${M}/${def.name}`, def.text)
    s = await serve(d.dir, ['--mqtt', `mqtt://zhiben@127.0.0.1:${b.port}`])
    const [topic, text] = await b.answer
    assert.equal(topic, 'zhiben/down/' + M)
    assert.equal(JSON.parse(text).accepted, 1)
  } finally { s?.kill('SIGKILL'); b?.close(); d.remove() }
})
