// What comes in from outside is hostile: bad files, bad HTTP, floods. Each gets a clear refusal, memory stays under its cap, the server keeps serving.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { beijing, cddy, cdss, dataDir, json, raw, serve, session, sleep, stamp, until, zb, zbTry } from '../lib.mjs'
const M = '140214900001', now = Math.floor(Date.now() / 30000) * 30000
let d, s, token, admin
before(async () => {
  d = dataDir()
  zb(['user', d.dir, 'add', 'admin', '--role', 'operator'])
  token = json(['token', d.dir, 'add', M])[0].token
  s = await serve(d.dir)
  admin = await session(s, 'admin')
})
after(async () => { await s.stop(); d.remove() })
const rss = () => +/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${s.pid}/status`, 'utf8'))[1] / 1024
const alive = async () => assert.equal((await admin('GET', '/me')).status, 200)
const name = i => `${M}_CDSS_${stamp(now - i * 30000)}.txt`
const head = `${M};示范矿;${beijing(now)}~`

test('a folder of bad files: a reason each, good ones among them taken', async () => {
  const dir = join(d.base, 'bad'), file = (n, b) => writeFileSync(join(dir, n), b)
  mkdirSync(dir)
  file(name(1), Buffer.from([0, 1, 2, 255, 254, 0, 7])); file(name(2), ''); file(name(3), head + `a;x;x;1,0;;0;${beijing(now)}~||`)
  file(name(4), cdss(M, now, { P1: '0.4' }).text + cdss('140214900002', now, { P1: '0.4' }).text) // two mines in one file
  const bomb = Buffer.alloc(50 << 20); file(name(5), gzipSync(bomb)); file(name(6), Buffer.concat([Buffer.from('PK\x03\x04'), deflateRawSync(bomb)]))
  const fd = openSync(join(dir, name(7)), 'w'); ftruncateSync(fd, 1 << 30); closeSync(fd) // 1 GB
  file(name(8), head + '~'.repeat(100000) + '||'); file(name(9), head + ';'.repeat(1000000) + '~||'); file('evil;rm -rf.txt', 'x'); file(`${M}_CDSS_99999999999999.txt`, head + '||')
  file(name(10), Buffer.concat([Buffer.from(head), Buffer.from([0xc4, 0xe3, 0xba, 0xc3]), Buffer.from('||')])) // GBK
  file(name(11), head.replace(beijing(now), beijing(now + 3600e3)) + '||'); file(name(12), head + 'a;b') // the future; cut off
  symlinkSync('/etc/passwd', join(dir, name(13)))
  file(name(14), cdss(M, now - 14 * 30000, { P1: '0.4' }).text)
  const r = zbTry(['import', d.dir, dir, '--json']), got = r.out.split('\n').filter(Boolean).map(l => JSON.parse(l))
  assert.equal(r.code, 1)
  assert.equal(got.length, 16)
  for (const g of got) {
    const good = g.file === name(14) || g.file === name(8)
    assert.equal(g.reasons.length > 0, !good, JSON.stringify(g))
    if (!good) assert.ok(g.accepted === 0 && g.reasons[0].length > 10, JSON.stringify(g))
  }
  let reasons = []
  await until('refusals are visible with their reasons', async () => (reasons = (await admin('GET', '/health')).body.links.find(l => l.mine === M).reasons).length >= 8)
  await alive()
})

test('malformed HTTP requests', async () => {
  const H = 'Host: x\r\n', bad = [
    ['GET / HTTP/1.1\r\n' + H + 'Content-Length: 1\r\nContent-Length: 1\r\n\r\nx', 400], ['GET / HTTP/1.1\r\n' + H + H + '\r\n', 400], ['GET / HTTP/1.1\r\n\r\n', 400], ['POST /api/v1/login HTTP/1.1\r\n' + H + 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 501],
    ['POST /api/v1/login HTTP/1.1\r\n' + H + 'Content-Length: +5\r\n\r\nhello', 400], ['POST /api/v1/login HTTP/1.1\r\n' + H + 'Content-Length: 5,5\r\n\r\nhello', 400], ['POST /api/v1/login HTTP/1.1\r\n' + H + 'Content-Length: -5\r\n\r\n', 400],
    ['POST /api/v1/login HTTP/1.1\r\n' + H + 'Content-Length: 99999999999999999999999\r\n\r\n', 400], ['GET / HTTP/1.1\nHost: x\n\n', 400], ['GET / HTTP/1.1\r\n' + H + 'X : y\r\n\r\n', 400], ['GET / HTTP/1.1\r\n' + H + 'X: y\r\n z\r\n\r\n', 400],
    ['BREW / HTTP/1.1\r\n' + H + '\r\n', 501], ['GET / HTTP/9.9\r\n' + H + '\r\n', 505], ['GET /%00 HTTP/1.1\r\n' + H + '\r\n', 400], ['GET /../../etc/passwd HTTP/1.1\r\n' + H + '\r\n', 400], ['GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n' + H + '\r\n', 400],
    ['GET / HTTP/1.1\r\n' + H + 'X: y\r\n'.repeat(101) + '\r\n', 431], ['GET / HTTP/1.1\r\n' + H + 'X: ' + 'y'.repeat(20000) + '\r\n\r\n', 431], ['GET / HTTP/1.1\r\n' + H + 'X: a\0b\r\n\r\n', 400], ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n', 400]]
  for (const [text, status] of bad) assert.equal(await raw(s.port, Buffer.from(text, 'latin1')), status, JSON.stringify(text.slice(0, 70)))
  for (const p of ['/.git/config', '/assets/../../zhiben.db', '/assets/.hidden']) assert.notEqual((await fetch(s.url + p)).headers.get('content-type'), 'application/octet-stream', p)
  await alive()
})

test('1,000 unauthenticated posts of 20 MB are refused before their bodies', { timeout: 180000 }, async () => {
  const before = rss(), part = Buffer.alloc(1 << 20)
  let refused = 0
  const one = () => new Promise(ok => {
    let got = '', left = 20
    const c = net.connect(s.port, '127.0.0.1', () => { c.write(`POST /api/v1/uploads/${M}_CDSS_20260301000030.txt HTTP/1.1\r\nHost: x\r\nContent-Length: ${20 << 20}\r\n\r\n`); push() })
    const push = () => { while (left > 0 && !c.destroyed) { left--; if (!c.write(part)) return } }
    c.on('drain', push); c.on('data', x => { got += x }); c.on('error', () => {}); c.on('close', () => { refused += /^HTTP\/1\.1 401/.test(got); ok() })
    setTimeout(() => c.destroy(), 20000)
  })
  for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, one))
  assert.ok(refused >= 900, `${refused} clear refusals`) // some clients meet the closed connection before they read
  assert.ok(rss() - before < 100, `memory grew by ${rss() - before} MiB`)
  await alive()
})

test('slow heads and idle connections do not hold the door', async () => {
  const held = Array.from({ length: 200 }, () => net.connect(s.port, '127.0.0.1', function () { this.write('GET / HT') }).on('error', () => {}))
  await sleep(300)
  await alive()
  held.forEach(c => c.destroy())
})

test('a wrong token, a body over the cap, JSON that is none', async () => {
  const put = (t, body) => fetch(`${s.url}/api/v1/uploads/${name(20)}`, { method: 'POST', headers: { Authorization: `Bearer ${t}` }, body }).then(r => r.status)
  assert.equal(await put('0'.repeat(64), 'x'), 401)
  assert.equal(await put(token, 'x'), 400)
  const big = await put(token, Buffer.alloc(21 << 20)).catch(() => 413) // the connection may close while the client still sends
  assert.equal(big, 413)
  for (const body of ['{', '[]', '{"mine":"x","mine":"y"}', '{"nope":1}', '{"mine":{"a":1}}']) assert.equal((await admin('POST', '/tokens', body)).status, 400, body)
  assert.equal((await admin('GET', "/alarms?mine=' or 1=1--")).body.alarms.length, 0)
  assert.equal((await admin('GET', '/alarms?limit=1e9')).status, 400)
  await alive()
})

test('several files in one body: each its own verdict; of an archive that does not hold nothing is taken', async () => {
  const folder = join(d.base, 'many'), post = (body, t = token) => fetch(`${s.url}/api/v1/uploads?wait=1`, { method: 'POST', headers: { Authorization: `Bearer ${t}` }, body }).then(async r => ({ status: r.status, body: await r.json() }))
  const tar = (...args) => execFileSync('tar', ['-C', d.base, '-cf', '-', ...args]), put = f => writeFileSync(join(folder, f.name), f.text)
  mkdirSync(folder, { recursive: true })
  const good = [50, 51, 52].map(k => cdss(M, now - k * 30000, { P1: '0.3' + k % 10 })), other = cdss('140303900002', now, { P1: '9' })
  good.forEach(put); put(other); put({ name: name(53), text: 'rubbish' })
  const made = tar('many')
  let r = await post(made)
  assert.equal(r.status, 200, JSON.stringify(r.body))
  const verdict = Object.fromEntries(r.body.files.map(f => [f.file, f]))
  assert.equal(r.body.files.length, 5)
  for (const f of good) assert.deepEqual([verdict[f.name].code, verdict[f.name].accepted, verdict[f.name].duplicate], ['ok', 1, false])
  assert.equal(verdict[other.name].code, 'denied')
  assert.equal(verdict[name(53)].code, 'input')
  assert.ok(verdict[name(53)].reasons[0])
  assert.equal(r.body.wait, 0)
  r = await post(made)
  assert.deepEqual(r.body.files.filter(f => f.code === 'ok').map(f => f.duplicate), [true, true, true])
  const twice = cdss(M, now - 54 * 30000, { P1: '0.3' }), one = (put(twice), tar('many/' + twice.name)).subarray(0, 1024) // one header, one block
  r = await post(Buffer.concat([one, one, Buffer.alloc(1024)]))
  assert.deepEqual(r.body.files.map(f => f.duplicate), [false, true], 'the same file twice in one body is one record')
  symlinkSync('/etc/passwd', join(folder, 'link.txt'))
  const fresh = cdss(M, now - 55 * 30000, { P1: '0.3' })
  put(fresh)
  for (const [body, why] of [[tar('many/' + fresh.name, 'many/link.txt'), /plain files/], [tar('many/' + fresh.name).subarray(0, 560), /left/], ['x'.repeat(600), /no tar header/], [Buffer.alloc(1024), /no file/], ['', /tar header/]]) {
    r = await post(body)
    assert.equal(r.status, 400)
    assert.match(r.body.error, why)
  }
  assert.equal((await post(made, '0'.repeat(64))).status, 401)
  assert.equal((await post(tar('many/' + fresh.name))).body.files[0].duplicate, false, 'nothing of a refused archive was taken')
  await alive()
})

test('drop folders: taken, refused with a reason beside, unfinished left alone', async () => {
  const dir = join(d.dir, 'drop', M), put = f => writeFileSync(join(dir, f.name), f.text)
  mkdirSync(dir, { recursive: true })
  put(cddy(M, now - 40 * 30000)); put(cdss(M, now - 30 * 30000, { P1: '0.33' }))
  put({ name: name(31), text: head + 'a;x;x;1,0;;0;x~||' }); put({ name: name(32), text: cdss(M, now - 32 * 30000, { P1: '1' }).text.slice(0, -2) }); put({ name: name(33) + '.tmp', text: 'x' }); put({ name: '.hidden.txt', text: 'x' })
  symlinkSync('/etc/passwd', join(dir, name(34)))
  await until('the bad one is laid aside', () => existsSync(join(dir, 'bad', name(31) + '.reason')))
  assert.match(readFileSync(join(dir, 'bad', name(31) + '.reason'), 'utf8'), /1,0/)
  readFileSync(join(dir, name(32))); readFileSync(join(dir, name(33) + '.tmp')) // still there
  await until('the good one is stored', () => json(['query', d.dir, M + '/P1']).some(x => x.v === 0.33))
  await alive()
})
