// A simulated past of the ledgers: the same seed gives the same bytes; it is taken over through the rights, guards and clocks of the policy; records have their
// dates; the document rules find on the last day what was planted, and nothing else.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { dataDir, json, zb, zbTry } from '../lib.mjs'
const lines = f => readFileSync(f, 'utf8').split('\n').filter(Boolean).map(l => JSON.parse(l))
// A larger province by hand: MINES=200 YEARS=3 node tests/api/history.mjs
const SIZE = ['--mines', process.env.MINES ?? '90', '--years', process.env.YEARS ?? '1'], END = `${2023 + +SIZE[3]}-12-31`
let d, past
before(() => { d = dataDir(); past = join(d.base, 'past'); zb(['simulate', past, ...SIZE, '--seed', '7']) })
after(() => d?.remove())
const digest = dir => { const h = createHash('sha256'); for (const f of readdirSync(dir).sort()) h.update(f).update(readFileSync(join(dir, f))); return h.digest('hex') }

test('the same seed gives the same bytes, another seed others', () => {
  const again = join(d.base, 'again'), other = join(d.base, 'other')
  zb(['simulate', again, ...SIZE, '--seed', '7'])
  zb(['simulate', other, ...SIZE, '--seed', '8'])
  assert.equal(digest(again), digest(past))
  assert.notEqual(digest(other), digest(past))
  assert.ok(readFileSync(join(past, 'site.jsonl'), 'utf8').includes('示范1矿'), 'fictional mines')
})

test('taken over: dates, clocks, journal; the rules find what was planted and nothing else', () => {
  const found = join(d.base, 'found.jsonl')
  const r = JSON.parse(zb(['history', d.dir, past, '--until', END, '--rules', found, '--json']))
  assert.ok(r.changes > 10000, JSON.stringify(r))
  const all = lines(found)
  const told = readdirSync(past).filter(f => f !== 'truth.jsonl').reduce((n, f) => n + lines(join(past, f)).length, 0)
  assert.equal(r.changes, told, 'every line was taken')
  zb(['user', d.dir, 'add', 'head', '--role', 'head', '--area', '14'])
  const code = new Map(json(['ledger', d.dir, 'site', 'list', '--limit', '1000', '--as', 'head']).map(s => [s.id, s.code]))
  for (const h of all) h.mine = code.get(h.site) ?? ''
  const hits = all.filter(h => /^R\d/.test(h.rule) && !h.unknown && !h.excused), ran = new Set(all.map(h => h.rule))
  const name = o => o.rule + ' ' + o.mine, world = new Set(), truth = new Set()
  for (const t of lines(join(past, 'truth.jsonl'))) t.mine ? truth.add(name(t)) : world.add(t.rule)
  assert.ok(truth.size >= 20)
  const wrong = hits.filter(h => !truth.has(name(h)) && !(h.mine === '' && world.has(h.rule))).map(h => `${name(h)} ${h.area} ${h.zh}`)
  assert.deepEqual(wrong, [], 'nothing but what was planted')
  const got = new Set(hits.map(name)), rules = new Set(hits.map(h => h.rule)), known = ruleIds()
  const missed = [...truth].filter(t => known.has(t.split(' ')[0]) && !got.has(t)).concat([...world].filter(w => known.has(w) && !rules.has(w)))
  assert.deepEqual(missed, [], 'and all of it')
  assert.ok(ran.size > 0)
  assert.equal(json(['audit', d.dir, 'verify'])[0].ok, true)
  const site = json(['ledger', d.dir, 'site', 'list', '--where', 'kind=coal_ug', '--as', 'head'])[0]
  const then = json(['ledger', d.dir, 'selfcheck', 'list', '--where', `site=${site.id};period=2024-06`, '--as', 'head'])[0]
  assert.ok(then.submitted_at.startsWith('2024-06-2'), 'the report has the day it was sent')
  assert.equal(zbTry(['history', d.dir, join(d.base, 'nothing')]).code, 1)
})

const ruleIds = () => {
  const ids = new Set(), dir = join(d.dir, 'policy/rules')
  for (const f of readdirSync(dir)) for (const m of readFileSync(join(dir, f), 'utf8').matchAll(/^ {2}- id: (R\d+)$/gm)) ids.add(m[1])
  return ids
}
