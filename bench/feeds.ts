/// Feeds: 10,000 WebSockets on one process, each following 10 tokens, at 1,000 swaps a second; then frames a second, saturated.
///
///   node dist/bench/feeds.js [connections] [seconds]
///
/// The server is another process. This one holds the clients: bare sockets that read frames without parsing them, but for one
/// client in a hundred, whose messages are read for the time between rolled and received. Both share two cores.

import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { Checksum, report } from './report.js'
import { type Cost, WebProcess } from './web-ipc.js'

const TOKENS = 10_000
const PER_CLIENT = 10
const SWAPS_PER_SECOND = 1000
const READ_EVERY = 100
const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

const connections = Number(process.argv[2] ?? 10_000)
const seconds = Number(process.argv[3] ?? 15)

/// Counts frames by their headers.
class Reader {
  readonly socket: Socket
  frames = 0
  #ready: () => void = () => {}
  readonly ready = new Promise<void>(resolve => {
    this.#ready = resolve
  })
  readonly #onText: ((text: string, at: number) => void) | null
  #skip = 0
  #rest: Buffer | null = null
  #upgraded = false

  constructor(port: number, onText: ((text: string, at: number) => void) | null) {
    this.#onText = onText
    this.socket = connect(port, '127.0.0.1')
    this.socket.on('data', chunk => this.#take(chunk))
    this.socket.write(HANDSHAKE)
  }

  say(message: object): void {
    const payload = Buffer.from(JSON.stringify(message))
    const head =
      payload.length < 126
        ? Buffer.from([0x81, 0x80 | payload.length])
        : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 255])
    this.socket.write(Buffer.concat([head, Buffer.alloc(4), payload]))
  }

  #take(chunk: Buffer): void {
    let at = 0
    if (!this.#upgraded) {
      at = chunk.indexOf('\r\n\r\n') + 4
      if (at < 4) throw new Error('no upgrade')
      this.#upgraded = true
      this.#ready()
    }
    if (this.#onText !== null) {
      this.#parse(chunk.subarray(at))
      return
    }
    // The payload of a frame that began before is skipped.
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at)
        this.#skip -= step
        at += step
        continue
      }
      if (this.#rest !== null) {
        chunk = Buffer.concat([this.#rest, chunk.subarray(at)])
        this.#rest = null
        at = 0
      }
      const length = frameLength(chunk, at)
      if (length === null) {
        this.#rest = chunk.subarray(at)
        return
      }
      this.frames++
      this.#skip = length
    }
  }

  #parse(chunk: Buffer): void {
    const now = Date.now()
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const length = frameLength(bytes, 0)
      if (length === null || bytes.length < length) break
      this.frames++
      const head = (bytes[1] ?? 0) === 126 ? 4 : (bytes[1] ?? 0) === 127 ? 10 : 2
      this.#onText?.(bytes.toString('utf8', head, length), now)
      bytes = bytes.subarray(length)
    }
    this.#rest = bytes.length === 0 ? null : bytes
  }
}

/// Header and payload; null when the header is not whole.
function frameLength(bytes: Buffer, at: number): number | null {
  const left = bytes.length - at
  if (left < 2) return null
  const short = bytes[at + 1] ?? 0
  if (short < 126) return 2 + short
  if (short === 126) return left < 4 ? null : 4 + bytes.readUInt16BE(at + 2)
  return left < 10 ? null : 10 + bytes.readUInt32BE(at + 6)
}

async function crowd(
  server: WebProcess,
): Promise<{ delays: number[]; frames: number; kibPerConnection: number; cost: Cost }> {
  await server.ask({ do: 'fill', tokens: TOKENS })
  const { rssBytes: before } = await server.ask({ do: 'collect' })
  const delays: number[] = []
  let measuring = false
  const onText = (text: string, at: number) => {
    const rolled = /"type":"update".*"rolled":(\d+)/.exec(text)?.[1]
    if (measuring && rolled !== undefined) delays.push(at - Number(rolled))
  }
  const readers: Reader[] = []
  for (let i = 0; i < connections; i++) {
    const reader = new Reader(server.port, i % READ_EVERY === 0 ? onText : null)
    readers.push(reader)
    if (i % 200 === 199) await Promise.all(readers.slice(-200).map(({ ready }) => ready))
  }
  await Promise.all(readers.map(({ ready }) => ready))
  for (const [i, reader] of readers.entries()) {
    const tokens = Array.from({ length: PER_CLIENT }, (_, k) => `t${(i * PER_CLIENT + k * 7) % TOKENS}`)
    reader.say({ op: 'subscribe', tokens })
    if (i % 500 === 499) await pause(50)
  }
  await pause(2000)
  const { rssBytes: after } = await server.ask({ do: 'collect' })
  await server.ask({ do: 'trade', tokens: TOKENS, perSecond: SWAPS_PER_SECOND })
  await pause(2000)
  await server.ask({ do: 'cost' })
  const framesBefore = readers.reduce((sum, { frames }) => sum + frames, 0)
  measuring = true
  await pause(seconds * 1000)
  measuring = false
  const frames = readers.reduce((sum, each) => sum + each.frames, 0) - framesBefore
  const cost = await server.ask({ do: 'cost' })
  await server.ask({ do: 'rest' })
  for (const { socket } of readers) socket.destroy()
  return { delays, frames: frames / seconds, kibPerConnection: (after - before) / connections / 1024, cost }
}

async function saturated(
  server: WebProcess,
  clients: number,
  tokens: number,
  shape: object,
): Promise<{ perSecond: number; cpuMicros: number; conflated: number }> {
  await server.ask({ do: 'fill', tokens })
  const readers = Array.from({ length: clients }, () => new Reader(server.port, null))
  await Promise.all(readers.map(({ ready }) => ready))
  for (const reader of readers)
    reader.say({ op: 'subscribe', tokens: Array.from({ length: tokens }, (_, i) => `t${i}`), ...shape })
  await pause(1000)
  const count = () => readers.reduce((sum, { frames }) => sum + frames, 0)
  const { updatesConflated } = await server.ask({ do: 'saturate', tokens, ms: 1000 })
  await pause(500)
  await server.ask({ do: 'cost' })
  const before = count()
  const began = performance.now()
  const cost = await server.ask({ do: 'saturate', tokens, ms: seconds * 500 })
  await pause(200)
  const frames = count() - before
  const elapsed = (performance.now() - began - 200) / 1000
  for (const { socket } of readers) socket.destroy()
  await pause(500)
  return {
    perSecond: frames / elapsed,
    cpuMicros: (cost.cpuMs * 1000) / frames,
    conflated: cost.updatesConflated - updatesConflated,
  }
}

const server = await WebProcess.start()
const many = await crowd(server)
await pause(1000)
const small = await saturated(server, 100, 100, { fields: ['volume'], windows: ['5m'] })
const delta = await saturated(server, 100, 100, {
  mode: 'delta',
  fields: ['volume', 'txns'],
  windows: ['5m', '1h', '24h'],
})
const full = await saturated(server, 100, 100, {})
server.stop()

many.delays.sort((a, b) => a - b)
const at = (share: number): number => many.delays[Math.ceil(many.delays.length * share) - 1] ?? 0
const checksum = new Checksum()
checksum.add(connections)
report({
  name: 'feeds',
  measures: [
    { what: `${connections} connections: rolled → frame, p50`, value: at(0.5), unit: 'ms' },
    { what: `${connections} connections: rolled → frame, p99`, value: at(0.99), unit: 'ms' },
    { what: 'frames received (heartbeats too)', value: many.frames, unit: 'frames/s' },
    { what: 'server CPU', value: (many.cost.cpuMs / seconds / 1000) * 100, unit: '% of a core' },
    {
      what: 'RSS of a connection with 10 tokens',
      value: many.kibPerConnection,
      unit: 'KiB',
      target: { value: 15, atLeast: false },
    },
    {
      what: 'saturated, one value (180 bytes)',
      value: small.perSecond,
      unit: 'frames/s',
      target: { value: 300_000, atLeast: true },
    },
    { what: 'the same, server CPU a frame', value: small.cpuMicros, unit: 'µs' },
    { what: 'saturated, delta of two fields, three windows', value: delta.perSecond, unit: 'frames/s' },
    { what: 'saturated, whole statistics (4 KB)', value: full.perSecond, unit: 'frames/s' },
  ],
  checksum: checksum.toString(),
  notes: [
    `${TOKENS.toLocaleString('en')} tokens, ${SWAPS_PER_SECOND.toLocaleString('en')} updates/s, whole statistics of eleven windows; ${many.delays.length.toLocaleString('en')} delays of one client in ${READ_EVERY}`,
    `saturated: 100 clients, 100 tokens; conflated ${small.conflated} of one value, ${delta.conflated} of deltas, ${full.conflated} of whole ones`,
  ],
})
