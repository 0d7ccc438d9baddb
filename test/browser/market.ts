/// A real server with a small market in it: an hour of swaps of some tokens, made from a seed, and new ones as a test wants them.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Server } from '../integration/server.js'
import { Random } from '../simulation/random.js'

/// Token, its price an hour ago, its swaps within the hour. The first ones have the most volume.
export const TOKENS: readonly (readonly [string, number, number])[] = [
  ['BTC', 84_040, 420],
  ['ETH', 3099, 300],
  ['SOL', 164.9, 220],
  ['XRP', 2.301, 150],
  ['DOGE', 0.2099, 140],
  ['ADA', 0.7099, 110],
  ['LINK', 16.38, 100],
  ['AVAX', 24.12, 90],
  ['SHIB', 0.00001342, 80],
  ['PEPE', 0.000008886, 80],
  ['0x6982508145454ce325ddbe47a25d4ec3d2311933', 0.00000741, 60],
  ['UNI', 7.2, 60],
  ['AAVE', 189.8, 50],
  ['LTC', 90.9, 50],
  ['ARB', 0.379, 40],
  ['<b>bold</b>', 1.5, 40],
  ['WIF', 0.609, 40],
  ['BONK', 0.0000181, 40],
  ['OP', 0.8194, 30],
  ['NEAR', 2.898, 30],
  ['JUP', 0.5186, 30],
  ['LDO', 0.93, 30],
  ['COMP', 46.9, 30],
  ['TIA', 4.71, 20],
  ['SEI', 0.31, 20],
  ['INJ', 17.2, 20],
  ['RUNE', 3.3, 10],
  ['DYDX', 0.9, 10],
  ['MKR', 1480, 10],
  ['QUIET', 12, 1],
]

export interface Swap {
  readonly token: string
  readonly side: 'buy' | 'sell'
  readonly usd: number
  readonly price: number
  readonly who?: string
  /// Now, unless given.
  readonly time?: number
}

export interface MarketOptions {
  readonly flags?: readonly string[]
  /// False leaves it without any.
  readonly swaps?: boolean
  /// Does something in the data directory before the server is started.
  prepare?(data: string): void
}

const HOUR_MS = 3_600_000

export class Market {
  readonly data: string
  readonly #flags: readonly string[]
  readonly #prices = new Map(TOKENS.map(([token, price]) => [token, price]))
  readonly #random: Random
  #server: Server
  #nextId = 1

  private constructor(server: Server, data: string, flags: readonly string[], random: Random) {
    this.#server = server
    this.data = data
    this.#flags = flags
    this.#random = random
  }

  static async open(
    t: TestContext,
    { flags = [], swaps = true, prepare }: MarketOptions = {},
  ): Promise<Market> {
    const data = mkdtempSync(join(tmpdir(), 'volumer-browser-'))
    prepare?.(data)
    const server = await Server.start(data, flags)
    const market = new Market(server, data, flags, new Random(6))
    t.after(async () => {
      await market.server.kill()
      rmSync(data, { recursive: true, force: true })
    })
    assert.ok(await server.ready(), server.output)
    if (swaps) await market.#hour()
    return market
  }

  get server(): Server {
    return this.#server
  }

  get url(): string {
    return this.#server.url
  }

  /// The same data on the same port. The server that was before must be gone.
  async startAgain(): Promise<void> {
    const { port } = new URL(this.url)
    this.#server = await Server.start(this.data, [...this.#flags, '--port', port])
    assert.ok(this.#server.running, this.#server.output)
  }

  async send(swaps: readonly Swap[]): Promise<void> {
    const lines = swaps.map(({ token, side, usd, price, who, time }) =>
      JSON.stringify({
        id: `s${this.#nextId++}`,
        time: time ?? Date.now(),
        who: who ?? `trader-${this.#random.below(400)}`,
        token,
        side,
        amount: (usd / price).toFixed(9),
        usd: usd.toFixed(6),
        price: price.toPrecision(8),
      }),
    )
    const response = await fetch(`${this.url}/v1/trades`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    })
    const answer = await response.text()
    assert.equal(response.status, 200, answer)
    assert.deepEqual(JSON.parse(answer), { appended: swaps.length, invalid: [] })
  }

  /// One swap of a token at its price, which moves a little.
  next(token: string, time?: number): Swap {
    const random = this.#random
    const before = this.#prices.get(token) ?? 1
    const price = before * (1 + (random.next() - 0.49) * 0.004)
    this.#prices.set(token, price)
    const usd = Math.exp(4 + 3 * random.next()) * (1 + random.next())
    const side = random.chance(0.52) ? 'buy' : 'sell'
    return { token, side, usd, price, ...(time === undefined ? {} : { time }) }
  }

  /// Swaps as they come, some each tenth of a second, until the signal; the last request is answered then.
  async live(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.send(Array.from({ length: 5 }, () => this.next(this.#random.pick(TOKENS.slice(0, 20))[0])))
      await pause(100)
    }
  }

  async #hour(): Promise<void> {
    const now = Date.now()
    const swaps = TOKENS.flatMap(([token, , count]) =>
      Array.from({ length: count }, (_, i) =>
        this.next(token, Math.floor(now - HOUR_MS * 0.97 * (1 - (i + 1) / (count + 1)))),
      ),
    )
    for (let i = 0; i < swaps.length; i += 1000) await this.send(swaps.slice(i, i + 1000))
  }
}
