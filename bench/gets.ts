/// GETs: what a token's statistics cost the server against Fastify's empty route, and how long a ranking over 100,000 tokens
/// takes while 1,000 of them change each second.
///
///   node dist/bench/gets.js [requests]
///
/// The server is another process; its cost is its CPU time per request, so the client's own does not count. 16 kept-alive
/// connections, one request under way on each. Routes are alternated, so that what else the machine does hits all of them.

import { connect, type Socket } from 'node:net'
import { Checksum, report } from './report.js'
import { WebProcess } from './web-ipc.js'

const CONNECTIONS = 16
const TOKENS = 100_000
/// Short ones in turns: what else the machine does is shared alike.
const ROUNDS = 40

const requests = Number(process.argv[2] ?? 20_000)

/// A connection that asks the same thing again and again, and reads no more of an answer than its length.
class Asker {
  readonly #socket: Socket
  readonly #done: () => void
  #text = ''
  #until = 0

  constructor(port: number, done: () => void) {
    this.#done = done
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setNoDelay(true)
    this.#socket.on('data', chunk => this.#take(chunk.toString('latin1')))
  }

  ask(path: string): void {
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  }

  end(): void {
    this.#socket.destroy()
  }

  #take(chunk: string): void {
    this.#text += chunk
    if (this.#until === 0) {
      const head = this.#text.indexOf('\r\n\r\n')
      if (head < 0) return
      if (!this.#text.startsWith('HTTP/1.1 200')) throw new Error(this.#text.slice(0, 500))
      this.#until = head + 4 + Number(/content-length: (\d+)/i.exec(this.#text)?.[1] ?? 0)
    }
    if (this.#text.length < this.#until) return
    this.#text = ''
    this.#until = 0
    this.#done()
  }
}

interface Load {
  readonly perSecond: number
  readonly delays: readonly number[]
}

function load(
  port: number,
  count: number,
  pathOf: (i: number) => string,
  connections = CONNECTIONS,
): Promise<Load> {
  return new Promise(resolve => {
    const delays: number[] = []
    const began = performance.now()
    let asked = 0
    let answered = 0
    const askers = Array.from({ length: connections }, () => {
      let at = 0
      const next = () => {
        if (asked === count) return
        at = performance.now()
        asker.ask(pathOf(asked++))
      }
      const asker = new Asker(port, () => {
        delays.push(performance.now() - at)
        if (++answered < count) return next()
        for (const each of askers) each.end()
        resolve({ perSecond: (count / (performance.now() - began)) * 1000, delays })
      })
      next()
      return asker
    })
  })
}

const server = await WebProcess.start()
await server.ask({ do: 'fill', tokens: TOKENS })
const token = (i: number) => `/v1/tokens/t${(i * 7) % 1000}`
const cost = { empty: 0, constant: 0, token: 0 }
const rate = { empty: 0, constant: 0, token: 0 }
const perRound = Math.ceil((3 * requests) / ROUNDS)
await load(server.port, requests, token)
await load(server.emptyPort, requests, i => (i % 2 === 0 ? '/' : '/4k'))
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, port, path] of [
    ['empty', server.emptyPort, () => '/'],
    ['constant', server.emptyPort, () => '/4k'],
    ['token', server.port, token],
  ] as const) {
    await server.ask({ do: 'cost' })
    const { perSecond } = await load(port, perRound, path)
    const { cpuMs } = await server.ask({ do: 'cost' })
    cost[name] += (cpuMs * 1000) / perRound / ROUNDS
    rate[name] += perSecond / ROUNDS
  }
}

await server.ask({ do: 'trade', tokens: TOKENS, perSecond: 1000 })
const sorts = ['volume.h24', 'txns.m5.traders', 'priceChange.h1', 'trending.m5']
const ranking = (i: number) =>
  `/v1/tokens?sort=${sorts[i % sorts.length]}&limit=50&fields=volume,priceUsd&window=1h`
await load(server.port, 1000, ranking)
const alone = await load(server.port, Math.max(2000, requests / 4), ranking, 1)
const ranked = await load(server.port, Math.max(2000, requests / 4), ranking)
const rare = await load(
  server.port,
  100,
  i => `/v1/tokens?sort=volume.h24&limit=50&filter=volume.h1>${i}&fields=volume&window=1h`,
  1,
)
await server.ask({ do: 'rest' })
server.stop()

const at = (delays: readonly number[], share: number): number =>
  delays.toSorted((a, b) => a - b)[Math.ceil(delays.length * share) - 1] ?? 0
const checksum = new Checksum()
checksum.add(ranked.delays.length)
report({
  name: 'gets',
  measures: [
    { what: 'GET token, server CPU a request', value: cost.token, unit: 'µs' },
    { what: 'Fastify’s empty route, server CPU a request', value: cost.empty, unit: 'µs' },
    {
      what: 'GET token ÷ empty route',
      value: cost.token / cost.empty,
      unit: '×',
      target: { value: 1.5, atLeast: false },
    },
    { what: 'a route of Fastify’s with a constant of 4 KB', value: cost.constant, unit: 'µs' },
    { what: 'GET token, one client process', value: rate.token, unit: 'requests/s' },
    { what: 'empty route, one client process', value: rate.empty, unit: 'requests/s' },
    { what: 'GET ranking of 100,000, p50', value: at(alone.delays, 0.5), unit: 'ms' },
    {
      what: 'GET ranking of 100,000, p99',
      value: at(alone.delays, 0.99),
      unit: 'ms',
      target: { value: 5, atLeast: false },
    },
    { what: 'GET ranking, p99 of 16 at a time', value: at(ranked.delays, 0.99), unit: 'ms' },
    { what: 'GET ranking, 16 at a time', value: ranked.perSecond, unit: 'requests/s' },
    { what: 'GET ranking never asked for before, p50', value: at(rare.delays, 0.5), unit: 'ms' },
  ],
  checksum: checksum.toString(),
  notes: [
    `eleven windows; a token's answer has about 4 KB, a ranking's 8 KB; ${TOKENS.toLocaleString('en')} tokens`,
    'while rankings are asked for, 1,000 tokens change each second',
  ],
})
