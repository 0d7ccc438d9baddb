/// From the POST of a swap to the WebSocket frame that shows it, at 1,000 swaps a second: a real server in one
/// process, the client that posts and watches in this one. Embedded storage: every swap is durable on disk before it
/// is rolled.
///
///   node dist/bench/latency.js [seconds] [none|duckdb] [swaps a second]      with an archive or, unless said, without
///   node dist/bench/latency.js [seconds] kafka [swaps a second]              through Kafka: the web that takes and shows swaps, and the roller are
///                                                                          processes of their own, the broker is on the same cores
///
/// One swap per request, over 16 kept-alive connections. The swaps go round 200 tokens, five a second each, so that
/// the watcher's 20 updates a second per token hold none back; the k-th swap of a token is seen when a frame says
/// that 24 h hold k. Delays are of the client's clock, its own work included.

import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'
import { Server } from '../test/integration/server.js'
import { TestCluster } from '../tools/kafka/cluster.js'
import { Checksum, report } from './report.js'

const TOKENS = 200
const CONNECTIONS = 16
const WARM_SECONDS = 3
const WAIT_MS_MAX = 5000
const NAMES: Readonly<Record<string, string>> = { none: 'latency', kafka: 'latency through Kafka' }

const seconds = Number(process.argv[2] ?? 20)
const folder = mkdtempSync(join(tmpdir(), 'volumer-bench-latency-'))
const perSecond = Number(process.argv[4] ?? 1000)
const over = process.argv[3] ?? 'none'
const brokers =
  over === 'kafka' ? await TestCluster.start({ directory: join(folder, 'brokers'), brokers: 1 }) : null

/// The server that is asked, and those that it needs; all of them ready.
async function startServers(): Promise<[Server, ...Server[]]> {
  if (brokers === null) return [await Server.start(folder, ['--archive', over])]
  const start = (role: string) =>
    Server.start(folder, [
      ...['--kafka', brokers.bootstrap(), '--roles', role],
      ...['--data', join(folder, role)],
    ])
  const roller = await start('roller')
  const web = await start('web')
  for (const each of [roller, web]) if (!(await each.ready())) throw new Error(each.output)
  return [web, roller]
}

const servers = await startServers()
const [server] = servers
const url = new URL(server.url)
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
/// By token and count: when the swap was sent.
const sent = new Map<string, number>()
const delays: number[] = []
const acknowledged: number[] = []
let refused = 0

function post(token: string, count: number, measured: boolean): void {
  const time = Date.now()
  const body = `{"id":"${token}:${count}","time":${time},"who":"w${count % 97}","token":"${token}","side":"buy","amount":"1.5","usd":"${count % 50}.25","block":1,"txIndex":${count},"logIndex":1}\n`
  const at = performance.now()
  if (measured) sent.set(`${token} ${count}`, at)
  const posting = request(
    {
      agent,
      host: url.hostname,
      port: url.port,
      path: '/v1/trades',
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'content-length': Buffer.byteLength(body) },
    },
    answer => {
      if (answer.statusCode !== 200) refused++
      answer.resume().on('end', () => {
        if (measured) acknowledged.push(performance.now() - at)
      })
    },
  )
  posting.on('error', () => {
    refused++
  })
  posting.end(body)
}

function seen(frame: string): void {
  const now = performance.now()
  const token = /"token":"(t\d+)"/.exec(frame)?.[1]
  const count = /"h24":\{"buys":\d+,"sells":\d+,"total":(\d+)/.exec(frame)?.[1]
  const key = `${token} ${count}`
  const at = sent.get(key)
  if (at === undefined) return
  sent.delete(key)
  delays.push(now - at)
}

const socket = new WebSocket(`ws://${url.host}/ws`)
await new Promise(done => socket.once('open', done))
const tokens = Array.from({ length: TOKENS }, (_, i) => `t${i}`)
socket.send(JSON.stringify({ op: 'subscribe', id: 1, tokens }))
socket.on('message', data => seen(String(data)))

const begin = performance.now()
const total = (WARM_SECONDS + seconds) * perSecond
for (let n = 0; n < total; ) {
  const due = Math.min(total, ((performance.now() - begin) / 1000) * perSecond)
  for (; n < due; n++) post(`t${n % TOKENS}`, Math.floor(n / TOKENS) + 1, n >= WARM_SECONDS * perSecond)
  await pause(1)
}
const deadline = performance.now() + WAIT_MS_MAX
while (sent.size > 0 && performance.now() < deadline) await pause(20)

socket.close()
agent.destroy()
for (const each of servers) await each.kill()
await brokers?.close()
rmSync(folder, { recursive: true, force: true })
if (delays.length === 0) {
  throw new Error(`No swap was seen, and ${refused} requests were refused: the machine does not keep up.`)
}
delays.sort((a, b) => a - b)
acknowledged.sort((a, b) => a - b)
const at = (values: readonly number[], share: number): number =>
  values[Math.ceil(values.length * share) - 1] ?? 0
const checksum = new Checksum()
checksum.add(delays.length)
checksum.add(refused)
report({
  name: NAMES[over] ?? `latency with an archive in ${over}`,
  measures: [
    {
      what: 'POST → WebSocket frame, p50',
      value: at(delays, 0.5),
      unit: 'ms',
      target: { value: 3, atLeast: false },
    },
    { what: 'POST → WebSocket frame, p90', value: at(delays, 0.9), unit: 'ms' },
    {
      what: 'POST → WebSocket frame, p99',
      value: at(delays, 0.99),
      unit: 'ms',
      target: { value: brokers === null ? 10 : 15, atLeast: false },
    },
    { what: 'POST → WebSocket frame, p99.9', value: at(delays, 0.999), unit: 'ms' },
    { what: 'POST → WebSocket frame, largest', value: at(delays, 1), unit: 'ms' },
    { what: 'POST → answer (durable), p50', value: at(acknowledged, 0.5), unit: 'ms' },
    { what: 'POST → answer (durable), p99', value: at(acknowledged, 0.99), unit: 'ms' },
  ],
  checksum: checksum.toString(),
  notes: [
    `${delays.length.toLocaleString('en')} swaps seen, ${sent.size} not seen, ${refused} requests refused`,
    `one swap per request, ${perSecond} a second, ${TOKENS} tokens, ${CONNECTIONS} connections, ${brokers === null ? 'durable on disk' : 'acknowledged by the broker, which shares the cores'}`,
  ],
})
if (sent.size > 0 || refused > 0) process.exitCode = 1
