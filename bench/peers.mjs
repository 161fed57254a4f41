// VictoriaMetrics (Debian's package, unpacked beside the system, never installed) and zhiben on the same samples in the same run; prints the ratios.
// usage: node bench/peers.mjs BUILD
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
const BUILD = resolve(process.argv[2] ?? 'build'), PEERS = join(BUILD, 'peers'), PORT = 18428, tmp = mkdtempSync(join(tmpdir(), 'zb-peers-'))
const out = o => console.log(JSON.stringify(o)), sleep = ms => new Promise(r => setTimeout(r, ms))
if (!existsSync(join(PEERS, 'usr/bin/victoria-metrics'))) {
  mkdirSync(PEERS, { recursive: true })
  execFileSync('apt-get', ['download', '-qq', 'victoria-metrics'], { cwd: PEERS })
  execFileSync('dpkg', ['-x', readdirSync(PEERS).find(f => f.endsWith('.deb')), '.'], { cwd: PEERS })
}
const lines = join(tmp, 'lines')
mkdirSync(lines)
const ours = execFileSync(join(BUILD, 'bench_engine'), ['policies/shanxi', join(tmp, 'zb'), '18000', '120', '2', lines], { encoding: 'utf8' }).trim().split('\n').map(l => JSON.parse(l))
ours.forEach(out)
const our = what => ours.find(o => o.bench === what)
const vm = spawn(join(PEERS, 'usr/bin/victoria-metrics'), [`-storageDataPath=${join(tmp, 'vm')}`, `-httpListenAddr=127.0.0.1:${PORT}`, '-retentionPeriod=12', '-memory.allowedPercent=50'], { stdio: 'ignore' })
const call = (path, body) => new Promise((ok, no) => {
  const r = http.request({ host: '127.0.0.1', port: PORT, path, method: body ? 'POST' : 'GET', agent }, res => { let t = ''; res.on('data', d => { t += d }); res.on('end', () => (res.statusCode < 300 ? ok(t) : no(new Error(`${path}: ${res.statusCode} ${t}`)))) })
  r.on('error', no); r.end(body)
})
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 })
try {
  for (let i = 0; i < 100; i++) { if (await call('/health').then(() => true, () => false)) break; await sleep(100) }
  const bodies = readdirSync(lines).sort().map(f => readFileSync(join(lines, f))), n = 18000 * 120 * 2
  const t0 = performance.now()
  let next = 0
  await Promise.all([0, 1].map(async () => { while (next < bodies.length) await call('/write?precision=s', bodies[next++]) }))
  const per = n / ((performance.now() - t0) / 1000)
  const rss = +/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${vm.pid}/status`, 'utf8'))[1] / 1000
  await call('/internal/force_flush'); await call('/internal/force_merge'); await sleep(5000)
  const m = await call('/metrics'), size = k => +(new RegExp(`^${k.replace(/[{}"/]/g, '\\$&')} (.*)$`, 'm').exec(m)?.[1] ?? 0)
  const bytes = size('vm_data_size_bytes{type="storage/small"}') + size('vm_data_size_bytes{type="storage/big"}') + size('vm_data_size_bytes{type="storage/inmemory"}')
  const end = +/ (\d+)\n/.exec(bodies[bodies.length - 1].toString('utf8', 0, 200))[1], q = `/prometheus/api/v1/query_range?query=${encodeURIComponent('ch4_v{m="1",p="7"}')}&start=${end - 3600}&end=${end}&step=60&nocache=1`, ms = []
  for (let i = 0; i < 20; i++) { const a = performance.now(); await call(q); ms.push(performance.now() - a) }
  ms.sort((a, b) => a - b)
  out({ bench: 'victoria-metrics', samples: n, per_s: Math.round(per), bytes_per_sample: +(bytes / n).toFixed(3), rss_mb: Math.round(rss), query_hour_ms: +ms[10].toFixed(2), note: 'acknowledged before it is on disk; no rules' })
  out({ bench: 'ratio', acknowledged: +(our('ingest').acknowledged_per_s / per).toFixed(2), judged: +(our('ingest').judged_per_s / per).toFixed(2), storage: +(our('storage').series_bytes_per_sample / (bytes / n)).toFixed(2) })
} finally { vm.kill(); rmSync(tmp, { recursive: true, force: true }) }
