// The night's work beside live uploads: parts become day chunks, samples read the same, a late file undoes its day and is worked in again.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cddy, cdss, dataDir, json, ROOT, serve, until, zb } from '../lib.mjs'
const M = '140214900001'
const chunks = dir => JSON.parse(execFileSync('python3', ['-c', 'import sqlite3,json,sys; print(json.dumps(sqlite3.connect(sys.argv[1]).execute("select sum(whole), sum(1-whole), (select count(*) from roll) from chunk").fetchone()))', join(dir, 'series.db')], { encoding: 'utf8' }))
test('day chunks are made while uploads come in', async () => {
  const d = dataDir(), dir = join(d.base, 'e')
  try {
    const policy = join(d.base, 'policy'), f = join(policy, 'storage.yaml')
    cpSync(join(ROOT, 'policies/shanxi'), policy, { recursive: true })
    writeFileSync(f, readFileSync(f, 'utf8').replace(/night_from_hour: \d+/, 'night_from_hour: 0').replace(/night_to_hour: \d+/, 'night_to_hour: 24'))
    zb(['init', dir, '--policy', policy])
    const token = json(['token', dir, 'add', M])[0].token, midnight = Math.floor((Date.now() + 8 * 3600e3) / 86400e3) * 86400e3 - 8 * 3600e3, start = midnight - 2 * 86400e3
    const s = await serve(dir), put = async f => { const r = await fetch(`${s.url}/api/v1/uploads/${f.name}?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: f.text }); assert.equal(r.status, 200, await r.text()) }
    await put(cddy(M, start))
    const rows = []
    const day = from => { for (let i = 0; i < 1400; i++) rows.push({ t: from + i * 60000, v: ((i * 7) % 90) / 100 }) }
    day(start); day(start + 86400e3)
    const csv = (name, list) => ({ name: `${M}_CSV_${name}.csv`, text: 'point,time,value\n' + list.map(r => `P1,${new Date(r.t + 8 * 3600e3).toISOString().slice(0, 19).replace('T', ' ')},${r.v}`).join('\n') + '\n' })
    await put(csv('20260101000001', rows.filter((_, i) => i % 10)))
    await put(cdss(M, midnight + 1000, { P1: '0.4' })) // a new day begins: yesterday's head is sealed
    await until('day chunks alone', () => String(chunks(dir)) === '2,0,2', () => chunks(dir))
    const read = () => json(['query', dir, `${M}/P1`, '--from', new Date(start).toISOString().replace('Z', '+00:00'), '--limit', '100000']).filter(x => Date.parse(x.t) < midnight).map(x => [Date.parse(x.t), x.v])
    assert.deepEqual(read(), rows.filter((_, i) => i % 10).map(r => [r.t, r.v]))
    await put(csv('20260101000002', rows.filter((_, i) => i % 10 === 0)))
    assert.deepEqual(read(), rows.map(r => [r.t, r.v]))
    await s.stop()
  } finally { d.remove() }
})
