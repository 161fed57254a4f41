// The program at the mine: all it was given arrives once, whatever is killed, away or full; live first, then the backlog, newest first; over HTTP and MQTT; meters.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync, renameSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { cddy, cdss, dataDir, json, ROOT, serve, session, sleep, until, zb, zbTry, ZHIBEN } from '../lib.mjs'
import { broker } from '../mqtt.mjs'
const M = '140214900001'
const edge = (base, name, o) => { // o: to, token, extra yaml
  const dir = join(base, name), folder = join(base, name + '-in'), config = join(base, name + '.yaml')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(base, name + '.token'), o.token + '\n')
  writeFileSync(config, `mine: "${M}"\ndir: ${dir}\nto: ${o.to}\ntoken_file: ${base}/${name}.token\nfolders: [${folder}]\n${o.extra ?? ''}`)
  let p, err = ''
  const x = {
    folder, config, dir, log: () => err,
    start: () => { p = spawn(ZHIBEN, ['edge', config], { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] }); p.stderr.on('data', d => { err += d }) },
    stop: sig => new Promise(ok => { if (!p || p.exitCode !== null || p.signalCode) return ok(); p.on('exit', ok); p.kill(sig ?? 'SIGTERM') }),
    put: f => { writeFileSync(join(folder, f.name + '.tmp'), f.text); renameSync(join(folder, f.name + '.tmp'), join(folder, f.name)) },
    left: () => readdirSync(folder).length, state: () => (existsSync(join(dir, 'state.json')) ? JSON.parse(readFileSync(join(dir, 'state.json'))) : {})
  }
  x.start()
  return x
}
// The files of a request: of its address, or of a tar body.
const filesOf = (q, body) => {
  const one = q.url.split('/uploads/')[1], list = []
  if (one) return [decodeURIComponent(one)]
  for (let at = 0; body[at]; at += 512 + Math.ceil(parseInt(body.toString('latin1', at + 124, at + 135), 8) / 512) * 512) list.push(body.toString('latin1', at, body.indexOf(0, at)))
  return list
}
const listening = fn => new Promise(ok => {
  const s = http.createServer((q, r) => { const b = []; q.on('data', c => b.push(c)); q.on('error', () => {}); q.on('end', () => fn(q, Buffer.concat(b), r)) })
  s.listen(0, '127.0.0.1', () => ok({ url: `http://127.0.0.1:${s.address().port}`, close: () => { s.close(); s.closeAllConnections() } }))
})
test('order, waiting, refusals, sizes', { timeout: 180000 }, async () => {
  const d = dataDir(), got = [], asked = [], now = Date.now()
  let whole = () => [503, '{"error":"not yet"}'], verdict, e
  const s = await listening((q, body, r) => {
    const files = filesOf(q, body), no = whole(files)
    asked.push(files)
    const told = no ? [] : files.map(file => ({ file, ...(verdict?.(file) ?? { code: 'ok', reasons: [] }) }))
    got.push(...told.filter(v => v.code === 'ok').map(v => v.file))
    const one = files.length === 1 && told[0]
    r.writeHead(no ? no[0] : one && one.code === 'busy' ? 429 : one && one.code === 'input' ? 400 : 200, no?.[2] ?? {})
    r.end(no ? no[1] : JSON.stringify(one || { files: told, wait: told.some(v => v.code === 'busy') ? 1 : 0 }))
  })
  try {
    e = edge(d.base, 'order', { to: s.url, token: 'x' })
    const old = [5, 4, 3, 2, 1].map(h => cdss(M, now - h * 3600e3, { P1: '0.4' })), live = [60, 30, 0].map(k => cdss(M, now - k * 1000, { P1: '0.4' })), bad = cdss(M, now - 9 * 3600e3, {})
    const order = [...live, ...old.toReversed(), bad].map(f => f.name)
    for (const f of [...old, bad, ...live]) e.put(f)
    await until('taken', () => e.left() === 0)
    await e.stop('SIGKILL')
    whole = () => [200, '<html>log in first</html>'] // somebody between: that is no acknowledgement
    e.start()
    await until('said so', () => /does not name the file/.test(e.log()))
    await e.stop('SIGKILL')
    assert.equal(got.length, 0)
    asked.length = 0
    let busy = 0
    whole = () => null
    verdict = name => (name === live[0].name && busy++ < 2 ? { code: 'busy', reasons: ['more than its share'] } : name === bad.name ? { code: 'input', reasons: ['no record is good'] } : null)
    e.start()
    await until('all', () => got.length === 8 && existsSync(join(e.dir, 'bad', bad.name + '.reason')))
    assert.deepEqual(asked, [order, [live[0].name], [live[0].name]], 'all at once, in order; then only what was told to wait')
    assert.deepEqual(got, [...order.slice(1, 8), live[0].name])
    assert.equal(readFileSync(join(e.dir, 'bad', bad.name + '.reason'), 'utf8'), 'no record is good')
    const st = await until('state', () => { const x = e.state(); return x.pending === 0 && x.refused === 1 && x })
    assert.equal(st.sent, 8)
    assert.equal(JSON.parse(zb(['edge', e.config, 'state'])).mine, M)
    assert.match(st.last_refusal, /no record is good/)
    await e.stop()
    // a body that is too large for whoever is between goes in halves, whatever it answers; a province without this address takes one file a time
    got.length = 0
    verdict = null
    for (const [most, status] of [[4, 413], [1, 404]]) {
      const more = Array.from({ length: 20 }, (_, k) => cdss(M, now - (20 + most) * 3600e3 - k * 30e3, { P1: '0.4' }))
      whole = () => [503, '{}']
      e.start()
      for (const f of more) e.put(f)
      await until('taken', () => e.left() === 0)
      await e.stop('SIGKILL')
      asked.length = got.length = 0
      whole = files => (files.length > most ? [status, '<html>no</html>'] : null)
      e.start()
      await until('all of them', () => got.length === 20)
      assert.deepEqual(got, more.map(f => f.name), 'nothing is sent again, the order stays')
      assert.ok(asked.some(f => f.length === 20) && asked.every(f => f.length <= most || f.length <= 20))
      await until('done', () => e.state().pending === 0)
      await e.stop()
    }
    for (const [text, why] of [['mine: 1\n', /dir/], [`mine: "${M}"\ndir: x\nto: ftp://x\ntoken_file: ${e.config.replace('.yaml', '.token')}\nfolders: [x]\n`, /https:/], [`mine: "${M}"\nnonsense: 1\n`, /:2:\d+: .*nonsense/]]) {
      writeFileSync(join(d.base, 'bad.yaml'), text)
      const r = zbTry(['edge', join(d.base, 'bad.yaml')], { cwd: d.base })
      assert.equal(r.code, 1)
      assert.match(r.err, why)
    }
  } finally { await e?.stop('SIGKILL'); s.close(); d.remove() }
})
test('either side killed in the middle of a group', { timeout: 180000 }, async () => {
  const d = dataDir(), N = 150
  let s, e, between, step = () => 'through'
  try {
    zb(['user', d.dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
    const token = json(['token', d.dir, 'add', M])[0].token
    s = await serve(d.dir)
    const port = s.port, sizes = [], again = async () => { s.kill('SIGKILL'); await s.gone; s = await serve(d.dir, [], ZHIBEN, `127.0.0.1:${port}`) }
    let busy = Promise.resolve() // what a kill has begun
    // Between the mine and the province: hands on, and at a step kills the one or the other.
    between = await listening(async (q, body, r) => {
      await busy
      const how = step(filesOf(q, body).length)
      if (how === 'cut') return q.socket.destroy()
      const p = http.request({ port, host: '127.0.0.1', path: q.url, method: q.method, headers: { authorization: q.headers.authorization, 'content-length': body.length } }, a => {
        const b = []
        a.on('data', c => b.push(c)); a.on('error', () => q.socket.destroy())
        a.on('end', () => {
          if (how === 'mine') { busy = e.stop('SIGKILL').then(() => { q.socket.destroy(); e.start() }); return }
          r.writeHead(a.statusCode, a.headers); r.end(Buffer.concat(b))
        })
      })
      p.on('error', () => q.socket.destroy())
      if (how === 'half') { p.write(body.subarray(0, body.length / 2), () => { busy = again() }); return }
      p.end(body, () => { if (how === 'province') busy = again() })
    })
    const start = Math.floor(Date.now() / 30000) * 30000 - 7200e3 - N * 30000
    e = edge(d.base, 'mine', { to: 'http://127.0.0.1:1', token })
    e.put(cddy(M, start))
    for (let k = 0; k < N; k++) e.put(cdss(M, start + k * 30000, { P1: (0.3 + (k % 50) / 100).toFixed(2) }))
    await until('taken', () => e.left() === 0)
    await e.stop('SIGKILL')
    const plan = ['cut', 'half', 'province', 'mine', 'through', 'province', 'mine']
    step = n => (sizes.push(n), plan.shift() ?? 'through')
    writeFileSync(e.config, readFileSync(e.config, 'utf8').replace('http://127.0.0.1:1', between.url))
    e.start()
    await until('all is sent', async () => { await busy; return e.state().pending === 0 && plan.length === 0 }, () => JSON.stringify([plan, sizes, e.state(), e.log().slice(-600)]))
    await busy
    assert.ok(sizes.filter(n => n > 20).length > 3, 'groups: ' + sizes)
    const admin = await session(s, 'admin')
    await until('judged', async () => json(['query', d.dir, M + '/P1', '--limit', '10000']).length === N)
    for (const [k, x] of json(['query', d.dir, M + '/P1', '--limit', '10000']).entries()) assert.deepEqual([Date.parse(x.t), x.v], [start + k * 30000, +(0.3 + (k % 50) / 100).toFixed(2)])
    const link = (await admin('GET', '/health?mine=' + M)).body.links[0]
    assert.equal(link.files, N + 1, 'each counted once')
    assert.equal(link.refused, 0)
    assert.ok(link.duplicates >= 20, 'what was stored and not answered came again: ' + link.duplicates)
    await s.stop()
    assert.match(zb(['audit', d.dir, 'verify']), /holds|ok|good/i)
  } finally { await e?.stop('SIGKILL'); s?.kill('SIGKILL'); between?.close(); d.remove() }
})
// holding registers: float 0.42 at 0, 65000 at 2, -3 at 3, 100000 low word first at 4
const REG = [0x3ed7, 0x0a3d, 65000, 0xfffd, 0x86a0, 0x0001]
const meter = () => new Promise(ok => {
  const m = { broken: null }
  const s = net.createServer(c => c.on('data', q => {
    if (m.broken) return c.write(m.broken(q))
    const at = q.readUInt16BE(8), n = q.readUInt16BE(10), b = Buffer.alloc(9 + 2 * n)
    q.copy(b, 0, 0, 4); b.writeUInt16BE(3 + 2 * n, 4); b[6] = q[6]; b[7] = q[7]; b[8] = 2 * n
    for (let i = 0; i < n; i++) b.writeUInt16BE(REG[at + i], 9 + 2 * i)
    c.write(b.subarray(0, 5)); setTimeout(() => c.write(b.subarray(5)), 5)
  }).on('error', () => {})).listen(0, '127.0.0.1', () => ok(Object.assign(m, { port: s.address().port, close: () => s.close() })))
})
test('a real server, killed and away; a small disk; meters; over a broker', { timeout: 150000 }, async () => {
  const d = dataDir(), m = await meter(), N = 300
  let s, e, b, e2
  try {
    zb(['user', d.dir, 'add', 'admin', '--role', 'operator', '--area', '14'])
    const token = json(['token', d.dir, 'add', M])[0].token
    s = await serve(d.dir)
    const port = s.port, again = () => serve(d.dir, [], ZHIBEN, `127.0.0.1:${port}`)
    e = edge(d.base, 'mine', { to: s.url, token, extra: `queue_max: 65536\nmeters:\n  - at: 127.0.0.1:${m.port}\n    every: 1 s\n    values:\n      - {point: W1, address: 0, kind: f32, unit: kW}\n      - {point: W2, address: 2, kind: u16, scale: 0.1}\n      - {point: W3, address: 3, kind: i16}\n      - {point: W4, function: 4, address: 4, kind: u32, swap: true}\n` })
    const start = Math.floor(Date.now() / 30000) * 30000 - 7200e3 - N * 30000
    e.put(cddy(M, start))
    await until('the definition', async () => json(['points', d.dir]).some(p => p.point === 'P1' || p.code === 'P1'))
    const ws = await until('the meter', async () => { try { const x = json(['query', d.dir, M + '/W1']); return x.length && x } catch { return false } })
    assert.ok(ws.every(x => x.v === 0.42))
    for (const [p, v] of [['W2', 6500], ['W3', -3], ['W4', 100000]]) assert.ok(json(['query', d.dir, `${M}/${p}`]).every(x => x.v === v), p)
    const before = e.state().sent
    for (const [broken, why] of [[q => Buffer.from([q[0], q[1], 0, 0, 0, 3, q[6], q[7] | 128, 2]), /refuses W1 with code 2/], [q => Buffer.from([q[0], q[1], 0, 0, 255, 255, q[6], q[7], 250, 1, 2]), /250 bytes for 2 registers/], [() => Buffer.alloc(12, 7), /something else/]]) {
      m.broken = broken
      await until(String(why), () => why.test(e.log()))
    }
    m.broken = () => Buffer.alloc(0)
    s.kill('SIGKILL')
    await s.gone
    // away: what the queue may not hold is left in the folder
    const files = Array.from({ length: N }, (_, k) => cdss(M, start + k * 30000, { P1: (0.3 + (k % 50) / 100).toFixed(2) }))
    for (const f of files) e.put(f)
    await until('the queue is full', () => /queue is full/.test(e.log()))
    const held = e.left()
    assert.ok(held > 10, `${held} files stay in the folder`)
    await until('the disk is bounded', () => { const x = e.state(); return x.disk_bytes > 0 && x.disk_bytes <= x.disk_most })
    await e.stop('SIGKILL')
    e.start()
    s = await again()
    for (let i = 0; i < 2; i++) { await sleep(400); await e.stop('SIGKILL'); e.start() }
    await sleep(300)
    s.kill('SIGKILL')
    await s.gone
    s = await again()
    await until('everything is there', () => e.left() === 0 && e.state().pending === 0 && json(['query', d.dir, M + '/P1', '--limit', '10000']).length === N, () => JSON.stringify([e.left(), e.state(), json(['query', d.dir, M + '/P1', '--limit', '10000']).length, e.log().slice(-600)]))
    const got = new Map(json(['query', d.dir, M + '/P1', '--limit', '10000']).map(x => [Date.parse(x.t), x.v]))
    for (let k = 0; k < N; k++) assert.equal(got.get(start + k * 30000), +(0.3 + (k % 50) / 100).toFixed(2))
    assert.ok(e.state().disk_bytes < 30e3, 'room is given back')
    const admin = await session(s, 'admin'), link = (await admin('GET', '/health?mine=' + M)).body.links[0]
    assert.equal(link.refused, 0)
    assert.ok(link.files >= N + 1 + before - 1, 'counted once: ' + link.files)
    await e.stop()
    await s.stop()
    // the same over a broker
    b = await broker(d.base, { [M]: token, zhiben: 'pw' })
    writeFileSync(join(d.dir, 'keys/mqtt'), 'pw\n')
    s = await serve(d.dir, ['--mqtt', b.url('zhiben')])
    await until('the server is at the broker', () => /state=connected/.test(s.log()))
    e2 = edge(d.base, 'over', { to: b.url(M), token })
    const late = Array.from({ length: 200 }, (_, k) => cdss(M, start + (N + k) * 30000, { P1: '0.9' })), there = () => json(['query', d.dir, M + '/P1', '--limit', '10000'])
    for (const f of late) e2.put(f)
    await until('some are in', () => there().length > N)
    await e2.stop('SIGKILL')
    s.kill('SIGKILL')
    await s.gone
    e2.start()
    s = await serve(d.dir, ['--mqtt', b.url('zhiben')])
    await until('over the broker', () => there().length === N + 200 && e2.left() === 0 && e2.state().pending === 0)
    assert.deepEqual(there().slice(N).map(x => x.v), late.map(() => 0.9))
    assert.equal((await (await session(s, 'admin'))('GET', '/health?mine=' + M)).body.links[0].files, link.files + 200, 'counted once')
  } finally { await e?.stop('SIGKILL'); await e2?.stop('SIGKILL'); s?.kill('SIGKILL'); await b?.stop(); m.close(); d.remove() }
})
