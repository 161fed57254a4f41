// A broker of the test's own with users and an access list, and as much of MQTT 3.1.1 as a mine's sender needs.
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { sleep } from './lib.mjs'
const freePort = () => new Promise(ok => { const s = net.createServer().listen(0, '127.0.0.1', () => { const p = s.address().port; s.close(() => ok(p)) }) })
export async function broker(base, users) { // users: name → password; "zhiben" reads what mines send and answers them
  const dir = join(base, 'broker'), port = await freePort(), passwords = join(dir, 'passwords'), data = join(dir, 'data')
  mkdirSync(data, { recursive: true })
  chmodSync(base, 0o755)
  writeFileSync(passwords, Object.entries(users).map(([u, p]) => `${u}:${p}\n`).join(''))
  execFileSync('mosquitto_passwd', ['-U', passwords])
  chmodSync(passwords, 0o644)
  writeFileSync(join(dir, 'acl'), 'user zhiben\ntopic read zhiben/up/#\ntopic write zhiben/down/#\n\npattern write zhiben/up/%u/+\npattern read zhiben/down/%u\n')
  writeFileSync(join(dir, 'conf'), `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${passwords}\nacl_file ${dir}/acl\npersistence true\npersistence_location ${data}/\nmax_queued_messages 1000000\nmax_inflight_messages 20\n`)
  if (process.getuid() === 0) execFileSync('chown', ['-R', 'mosquitto', dir])
  let p
  const start = async () => {
    p = spawn(existsSync('/usr/sbin/mosquitto') ? '/usr/sbin/mosquitto' : 'mosquitto', ['-c', join(dir, 'conf')], { stdio: process.env.MQTT_LOG ? 'inherit' : 'ignore' })
    for (let i = 0; i < 100; i++) { if (await new Promise(ok => { const c = net.connect(port, '127.0.0.1', () => { c.destroy(); ok(true) }); c.on('error', () => ok(false)) })) return; await sleep(50) }
    throw new Error('the broker does not start')
  }
  await start()
  return { port, url: user => `mqtt://${user}@127.0.0.1:${port}`, start, stop: () => new Promise(ok => { p.on('exit', ok); p.kill('SIGTERM') }) }
}
const text = s => { const b = Buffer.from(s), n = Buffer.alloc(2); n.writeUInt16BE(b.length); return Buffer.concat([n, b]) }
const packet = (head, ...parts) => {
  const body = Buffer.concat(parts), len = []
  let n = body.length
  do { len.push((n % 128) | (n > 127 ? 128 : 0)); n = Math.floor(n / 128) } while (n)
  return Buffer.concat([Buffer.from([head, ...len]), body])
}
// The packets of a stream: call with what has come; the rest stays.
const packets = use => {
  let buf = Buffer.alloc(0)
  return d => {
    buf = Buffer.concat([buf, d])
    for (;;) {
      let n = 0, i = 1
      for (let k = 0; ; k++, i++) { if (i >= buf.length) return; n += (buf[i] & 127) * 128 ** k; if (!(buf[i] & 128)) break }
      i++
      if (buf.length < i + n) return
      const head = buf[0], b = buf.subarray(i, i + n)
      buf = buf.subarray(i + n)
      use(head >> 4, (head >> 1) & 3, b)
    }
  }
}
const published = (qos, b) => { const t = b.readUInt16BE(0), at = 2 + t + (qos ? 2 : 0); return [b.subarray(2, 2 + t).toString(), b.subarray(at), b.subarray(2 + t, at)] }
// A broker that hands over a kept message as soon as it is connected to, and confirms the subscription only after the message was answered.
export async function hasty(topic, body) {
  let answered, subscribed
  const answer = new Promise(ok => { answered = ok })
  const server = net.createServer(c => c.on('error', () => {}).on('data', packets((type, qos, b) => {
    if (type === 1) c.write(Buffer.concat([packet(0x20, Buffer.from([1, 0])), packet(0x32, text(topic), Buffer.from([0, 1]), Buffer.from(body))]))
    if (type === 8) subscribed = b.subarray(0, 2)
    if (type === 3) { const [t, m, id] = published(qos, b); c.write(Buffer.concat([packet(0x40, id), packet(0x90, subscribed, Buffer.from([1]))])); answered([t, m.toString()]) }
  })))
  await new Promise(ok => server.listen(0, '127.0.0.1', ok))
  return { port: server.address().port, answer, close: () => server.close() }
}
export async function client(port, user, password, onMessage = () => {}) {
  const c = net.connect(port, '127.0.0.1'), waits = new Map()
  let id = 0, connected
  const up = new Promise((ok, no) => { connected = rc => (rc === 0 ? ok() : no(new Error('connack ' + rc))); c.on('error', no); c.on('close', () => { no(new Error('closed')); for (const w of waits.values()) w.no(new Error('closed')) }) })
  c.on('data', packets((type, qos, b) => {
    if (type === 2) connected(b[1])
    if (type === 4 || type === 9) { waits.get(b.readUInt16BE(0))?.ok(b[2]); waits.delete(b.readUInt16BE(0)) }
    if (type === 3) {
      const [t, m, id] = published(qos, b)
      if (qos) c.write(packet(0x40, id))
      onMessage(t, m)
    }
  }))
  c.write(packet(0x10, text('MQTT'), Buffer.from([4, 0xc2, 0, 60]), text('t' + Math.random()), text(user), text(password)))
  await up
  const wait = make => new Promise((ok, no) => { id = (id % 65535) + 1; waits.set(id, { ok, no }); const b = Buffer.alloc(2); b.writeUInt16BE(id); c.write(make(b)) })
  return {
    publish: (topic, body) => wait(b => packet(0x32, text(topic), b, Buffer.from(body))),
    subscribe: filter => wait(b => packet(0x82, b, text(filter), Buffer.from([1]))),
    raw: b => c.write(b), close: () => c.destroy()
  }
}
