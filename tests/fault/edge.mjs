// The program at the mine: all it was given arrives once, whatever is killed, away or full; live first, then the backlog, newest first; over HTTP and MQTT; meters.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync, renameSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { cddy, cdss, dataDir, json, ROOT, serve, session, sleep, zb, ZHIBEN, zbTry } from '../lib.mjs'
import { broker } from '../mqtt.mjs'
const M = '140214900001'
const until = async (what, fn, more) => { for (let i = 0; i < 300; i++) { const r = await fn(); if (r) return r; await sleep(150) } throw new Error(`never: ${what} ${typeof more === 'function' ? more() : ''}`) }
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
test('order, waiting, refusals', { timeout: 60000 }, async () => {
  const d = dataDir(), got = [], now = Date.now()
  let answer = () => [503, {}, '{"error":"not yet"}'], e
  const s = http.createServer((q, r) => { const b = []; q.on('data', c => b.push(c)); q.on('end', () => { const name = q.url.split('/').pop(), [c, h, t] = answer(name); if (c === 200) got.push(name); r.writeHead(c, h); r.end(t) }) })
  await new Promise(ok => s.listen(0, '127.0.0.1', ok))
  try {
    e = edge(d.base, 'order', { to: `http://127.0.0.1:${s.address().port}`, token: 'x' })
    const old = [5, 4, 3, 2, 1].map(h => cdss(M, now - h * 3600e3, { P1: '0.4' })), live = [60, 30, 0].map(k => cdss(M, now - k * 1000, { P1: '0.4' })), bad = cdss(M, now - 9 * 3600e3, {})
    for (const f of [...old, bad, ...live]) e.put(f)
    await until('taken', () => e.left() === 0)
    await e.stop('SIGKILL')
    let told = 0
    answer = name => (name === live[0].name && told++ < 1 ? [429, { 'Retry-After': '1' }, '{"error":"busy","code":"busy"}'] : name === bad.name ? [400, {}, '{"reasons":["no record is good"]}'] : [200, {}, '{}'])
    e.start()
    await until('all', () => got.length === 8 && existsSync(join(e.dir, 'bad', bad.name + '.reason')))
    assert.deepEqual(got, [...live, ...old.reverse()].map(f => f.name))
    assert.equal(readFileSync(join(e.dir, 'bad', bad.name + '.reason'), 'utf8'), 'no record is good')
    const st = await until('state', () => { const x = e.state(); return x.pending === 0 && x.refused === 1 && x })
    assert.equal(st.sent, 8)
    assert.equal(JSON.parse(zb(['edge', e.config, 'state'])).mine, M)
    assert.match(st.last_refusal, /no record is good/)
    await e.stop()
    e.start()
    await sleep(700)
    assert.equal(got.length, 8, 'nothing is sent again')
    for (const [text, why] of [['mine: 1\n', /dir/], [`mine: "${M}"\ndir: x\nto: ftp://x\ntoken_file: ${e.config.replace('.yaml', '.token')}\nfolders: [x]\n`, /https:/], [`mine: "${M}"\nnonsense: 1\n`, /:2:\d+: .*nonsense/]]) {
      writeFileSync(join(d.base, 'bad.yaml'), text)
      const r = zbTry(['edge', join(d.base, 'bad.yaml')], { cwd: d.base })
      assert.equal(r.code, 1)
      assert.match(r.err, why)
    }
  } finally { await e?.stop('SIGKILL'); s.close(); s.closeAllConnections(); d.remove() }
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
    const late = Array.from({ length: 10 }, (_, k) => cdss(M, start + (N + k) * 30000, { P1: '0.9' }))
    for (const f of late) e2.put(f)
    await until('taken', () => e2.left() === 0)
    await until('over the broker', () => json(['query', d.dir, M + '/P1', '--limit', '10000']).length === N + 10 && e2.state().sent === 10)
  } finally { await e?.stop('SIGKILL'); await e2?.stop('SIGKILL'); s?.kill('SIGKILL'); await b?.stop(); m.close(); d.remove() }
})
