// The API as the operation table says: replies against the schemas of openapi.json, permission of every row, the officer's whole way.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { cddy, cdss, dataDir, json, PASSWORD, serve, session, until, zb, zbTry } from '../lib.mjs'
const M = '140214900001', FAR = '150303900002'
let d, s, officer, operator, viewer, token, api
before(async () => {
  d = dataDir()
  for (const [u, r, a] of [['duty', 'officer', '14'], ['admin', 'operator', '14'], ['look', 'viewer', '140214']]) zb(['user', d.dir, 'add', u, '--role', r, '--area', a])
  s = await serve(d.dir)
  officer = await session(s, 'duty'); operator = await session(s, 'admin'); viewer = await session(s, 'look')
  token = (await operator('POST', '/tokens', { mine: M })).body.token
  api = (await officer('GET', '/openapi.json')).body
})
after(async () => { await s.stop(); d.remove() })

function check(schema, v, where) {
  const types = [schema.type ?? []].flat()
  const is = { string: x => typeof x === 'string', integer: Number.isInteger, number: x => typeof x === 'number', boolean: x => typeof x === 'boolean', object: x => x && typeof x === 'object' && !Array.isArray(x), array: Array.isArray, null: x => x === null }
  if (types.length) assert.ok(types.some(t => is[t](v)), `${where}: ${JSON.stringify(v)} is not ${types}`)
  if (v && schema.properties) {
    for (const k of schema.required ?? []) assert.ok(k in v, `${where}.${k} is missing`)
    for (const k of Object.keys(v)) { assert.ok(k in schema.properties, `${where}.${k} is not in the schema`); check(schema.properties[k], v[k], `${where}.${k}`) }
  }
  if (Array.isArray(v) && schema.items) v.forEach((x, i) => check(schema.items, x, `${where}[${i}]`))
}
const schemaOf = (method, path) => api.paths[path][method].responses['200'].content['application/json'].schema
const upload = (f, t = token) => fetch(`${s.url}/api/v1/uploads/${f.name}?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${t}` }, body: f.text })

test('an upload becomes an alarm, is answered step by step, and the journal has it', async () => {
  const now = Math.floor(Date.now() / 30000) * 30000
  assert.equal((await upload(cddy(M, now - 600000))).status, 200)
  const events = []
  const stream = await fetch(s.url + '/api/v1/events', { headers: { cookie: await cookie('duty') } })
  const rd = stream.body.getReader();
  (async () => { for (;;) { const x = await rd.read().catch(() => ({ done: true })); if (x.done) return; events.push(Buffer.from(x.value).toString()) } })()
  for (let i = 0; i < 4; i++) assert.equal((await upload(cdss(M, now - 120000 + i * 30000, { P1: ['0.5', '1.2', '1.6', '1.7'][i] }))).status, 200)
  const list = (await officer('GET', '/alarms?active=1')).body.alarms
  const a = list.find(x => x.kind === 'over-limit')
  assert.equal(a.peak, 1.7); assert.equal(a.limit, 1); assert.equal(a.level, 'orange'); assert.ok(list.find(x => x.kind === 'cut' && x.level === 'red'))
  const act = (name, body) => officer('POST', `/alarms/${a.id}/${name}`, body)
  assert.equal((await act('cause', { cause: 'emission' })).status, 409) // not before it is acknowledged
  assert.equal((await act('ack')).body.acked_by, 'duty')
  assert.equal((await act('ack')).status, 409)
  assert.equal((await act('cause', { cause: 'nonsense' })).status, 400)
  assert.equal((await act('cause', {})).status, 400)
  assert.equal((await act('cause', { cause: 'emission', note: '"quoted" 备注' })).body.state, 'caused')
  assert.equal((await act('measure', { note: '加大风量' })).body.state, 'measured')
  assert.equal((await act('verify')).body.state, 'verified')
  assert.match((await act('close')).body.error, /still lasts/)
  assert.equal((await act('shelve', { minutes: 10, reason: 'x', approver: '总工' })).status, 409) // a legal limit is not shelved
  const j = (await officer('GET', '/journal?n=50')).body.entries.map(e => e.what)
  for (const w of ['alarm.ack', 'alarm.cause', 'alarm.measure', 'alarm.verify', 'findings', 'login', 'policy.set']) assert.ok(j.includes(w), w)
  assert.deepEqual((await officer('GET', '/cause-counts')).body.counts, [{ mine: M, cause: 'emission', n: 1 }])
  const seen = s => events.join('').includes(s)
  await until('the stream tells it', () => seen('event: hello') && seen(`"id":"${a.id}"`) && seen('"state":"verified"'))
  await rd.cancel()
})
const cookies = {}
async function cookie(user) {
  if (!cookies[user]) cookies[user] = (await fetch(s.url + '/api/v1/login', { method: 'POST', body: JSON.stringify({ user, password: PASSWORD }) })).headers.get('set-cookie').split(';')[0]
  return cookies[user]
}

// What a GET row must be asked with where the common arguments below do not fit it.
const GET_ARGS = { list: { list: 'plan_actors' }, statistic: { key: 'enforcement_organs' }, 'statistic.export': { key: 'enforcement_organs' }, report: { kind: 'evaluation' }, indicator: { id: 'I08.3' }, 'indicator.rows': { id: 'I08.3' } }

test('every GET row replies by its schema', async () => {
  const made = async (path, body) => { const r = await operator('POST', path, body); assert.equal(r.status, 200, r.text); return r.body }
  const site = (await made('/ledgers/site/records', { values: { code: M, name: '示范一矿', kind: 'coal_ug', county: '140214' } })).id
  const file = (await made(`/ledgers/site/records/${site}/files?name=note.txt`, '附件')).file
  const alarm = (await officer('GET', '/alarms')).body.alarms[0].id
  for (const [path, methods] of Object.entries(api.paths)) {
    const m = methods.get
    if (!m || m.operationId === 'events') continue
    const arg = { mine: M, point: 'P1', ledger: 'site', file, id: path.includes('/ledgers/') ? site : alarm, ...GET_ARGS[m.operationId] }
    const q = m.parameters.filter(p => p.in === 'query' && (p.required || p.name === 'mine')).map(p => `${p.name}=${arg[p.name] ?? ''}`).join('&')
    const r = await operator('GET', path.slice('/api/v1'.length).replace(/\{(\w+)\}/g, (_, k) => arg[k]) + (q ? '?' + q : ''))
    assert.equal(r.status, 200, path + ' ' + r.text)
    const content = m.responses['200'].content
    if (content['application/json']) check(content['application/json'].schema, r.body, path)
    else assert.ok(r.text.length > 0, path)
  }
  check(schemaOf('post', '/api/v1/alarms/{id}/ack'), (await officer('GET', '/alarms')).body.alarms[0], 'alarm')
})

test('permission of every row: nobody, viewer, upload token', async () => {
  const viewerMay = ['mine.read', 'alarm.read', 'health.read']
  for (const [path, methods] of Object.entries(api.paths))
    for (const [method, m] of Object.entries(methods)) {
      const where = path.replace(/\{\w+\}/g, 'x').slice('/api/v1'.length), M_ = method.toUpperCase()
      if (m['x-who'] === 'anyone' || m.operationId === 'logout') continue
      const none = await fetch(s.url + '/api/v1' + where, { method: M_, body: M_ === 'GET' ? undefined : '{}' })
      assert.equal(none.status, 401, `${M_} ${path} without a session`)
      if (m['x-who'] === 'token') continue
      const tok = await fetch(s.url + '/api/v1' + where, { method: M_, headers: { Authorization: `Bearer ${token}` }, body: M_ === 'GET' ? undefined : '{}' })
      assert.ok([401, 403].includes(tok.status), `${M_} ${path} with an upload token: ${tok.status}`)
      if (m['x-who'] === 'session') continue
      const r = await viewer(M_, where)
      if (viewerMay.includes(m['x-who'])) assert.notEqual(r.status, 403, `${M_} ${path}`)
      else assert.equal(r.status, 403, `${M_} ${path} as viewer: ${r.status}`)
    }
})

test('a POST without the session\'s CSRF header is refused', async () => {
  const r = await fetch(s.url + '/api/v1/tokens', { method: 'POST', headers: { cookie: await cookie('admin') }, body: JSON.stringify({ mine: M }) })
  assert.equal(r.status, 403)
})

test('an area sees itself only', async () => {
  const t = (await operator('POST', '/tokens', { mine: FAR })).body.token, now = Math.floor(Date.now() / 30000) * 30000
  await upload(cddy(FAR, now), t); await upload(cdss(FAR, now, { P1: '1.9' }), t)
  assert.ok((await operator('GET', '/mines')).body.mines.length === 1) // 15.... lies outside the province's area 14
  assert.equal((await viewer('GET', '/mines/' + FAR)).status, 404)
  assert.ok(!(await viewer('GET', '/alarms')).body.alarms.some(a => a.mine === FAR))
  assert.equal((await upload(cdss(FAR, now + 30000, { P1: '1' }), token)).status, 403) // over another mine's link
})

test('the command line speaks to the server, and names its actor', async () => {
  assert.equal(json(['points', d.dir, M])[0].point, 'P1')
  assert.deepEqual(json(['query', d.dir, M + '/P1']).map(x => x.v), [0.5, 1.2, 1.6, 1.7])
  const id = json(['alarms', d.dir, M, '--kind', 'cut'])[0].id
  assert.match(zbTry(['alarm', d.dir, 'ack', id]).err, /--as USER/)
  assert.equal(json(['alarm', d.dir, 'ack', id, '--as', 'duty'])[0].acked_by, 'duty')
  assert.equal(zbTry(['alarms', d.dir, '--nonsense', '1']).code, 2)
  assert.equal(zbTry(['points', d.dir, '999999999999']).code, 1)
  assert.equal(json(['audit', d.dir, 'verify'])[0].ok, true)
})

test('five wrong passwords and the sixth waits', async () => {
  const go = p => fetch(s.url + '/api/v1/login', { method: 'POST', body: JSON.stringify({ user: 'look', password: p }) }).then(r => r.status)
  for (let i = 0; i < 5; i++) assert.equal(await go('wrong'), 401)
  assert.equal(await go(PASSWORD), 429)
})
