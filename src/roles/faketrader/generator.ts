/// Realistic swaps as JSON lines: what faketrader publishes, and what tests and benchmarks feed on.
///
/// The stream is a pure function of the options and of the calls of `next`: the same seed and the same clock
/// ticks give the same bytes. Nothing here reads a clock or waits; pacing is faketrader's work.
///
/// Each line is a fresh swap or the exact repetition of an earlier line:
/// - token by Zipf's law (BTC, then ETH), trader from the token's own few, side about balanced;
/// - usd log-normal (median $120, mean about $600), price a geometric walk per token, amount = usd ÷ price with
///   18 decimals; every tenth order is for a round sum;
/// - block = event time ÷ 2 s, txIndex and logIndex ascending within it, id `0x<64 hex>:<logIndex>`; about one
///   transaction in twelve holds a second swap of the same trader in another token;
/// - the share `late` of the fresh swaps is dated back: mostly by seconds, 9 % of them by minutes, 1 % by hours
///   (up to twelve), so their blocks arrive shuffled;
/// - the share `duplicates` of all lines repeats an earlier line: after up to 30 s, one in twenty after up to
///   five minutes.

import type { KeyedRecords } from '../../core/keyed-records.js'
import { Market, writeHex32 } from './market.js'
import { Random } from './random.js'
import { type Repeat, Repeats } from './repeats.js'

export interface GeneratorOptions {
  /// Integer from 0 to 2^53 − 1.
  readonly seed: number
  /// How many tokens are traded; at least 1.
  readonly tokens: number
  /// How many traders there are; at least 1.
  readonly traders: number
  /// Share of all lines that repeat an earlier one, 0 … 0.5.
  readonly duplicates: number
  /// Share of fresh swaps that are dated back, 0 … 1.
  readonly late: number
}

/// The receiver's own. `bytes` is UTF-8, one JSON document per line, `\n` after each.
export type GeneratedLines = KeyedRecords

const LINE_BYTES_MAX = 480
const BLOCK_MS = 2000
const FIRST_BLOCK = 21_000_000
const FIRST_BLOCK_MS = 1_700_000_000_000
const USD_MEDIAN = 120
const USD_SIGMA = 1.8
const USD_MAX = 50_000_000
const SAME_TX = 0.08
const ROUND_SUM = 0.1
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const ID = ascii('{"id":"0x')
const TIME = ascii('","time":')
const WHO = ascii(',"who":"')
const TOKEN = ascii('","token":"')
const SIDE_BUY = ascii('","side":"buy","amount":"')
const SIDE_SELL = ascii('","side":"sell","amount":"')
const USD = ascii('","usd":"')
const BLOCK = ascii('","block":')
const TX_INDEX = ascii(',"txIndex":')
const LOG_INDEX = ascii(',"logIndex":')
const END = ascii('}\n')

export class SwapGenerator {
  readonly #random: Random
  readonly #market: Market
  readonly #repeats = new Repeats()
  readonly #repeatChance: number
  readonly #lateChance: number
  #out = new Uint8Array(64 * LINE_BYTES_MAX)
  #at = 0
  #lastMs = 0
  /// Where the token of the last swap was written.
  #tokenAt = 0
  #tokenLength = 0

  // The transaction under way.
  readonly #hash = new Uint32Array(8)
  #timeMs = 0
  #trader = 0
  #block = 0
  #txIndex = 0
  #logIndex = 0
  #headBlock = 0
  #headTxIndex = -1
  #headLogIndex = -1
  #another = false

  constructor(options: GeneratorOptions) {
    this.#random = new Random(options.seed)
    this.#market = new Market(options.tokens, options.traders, this.#random)
    this.#repeatChance = options.duplicates / (1 - options.duplicates)
    this.#lateChance = options.late
  }

  /// The next `count` lines, published at `nowMs`. Fresh swaps are dated evenly over the time since the last call
  /// (at most a second of it), ending with `nowMs`. Calls with a time that does not decrease.
  next(nowMs: number, count: number): GeneratedLines {
    if (this.#out.length < count * LINE_BYTES_MAX) this.#out = new Uint8Array(count * LINE_BYTES_MAX)
    this.#at = 0
    const span = this.#lastMs === 0 ? 0 : Math.min(1000, Math.max(0, nowMs - this.#lastMs))
    const columns = keyColumns(count)
    for (let i = 1; i <= count; i++) {
      const repeat = this.#repeats.takeDue(nowMs)
      const start = this.#at
      if (repeat !== null) {
        this.#out.set(repeat.line, start)
        this.#at += repeat.line.length
        place(columns, i - 1, start, repeat)
        continue
      }
      this.#writeSwap(nowMs - span + Math.floor((span * i) / count))
      const tokenAt = this.#tokenAt - start
      const written = { line: this.#out.subarray(start, this.#at), tokenAt, tokenLength: this.#tokenLength }
      place(columns, i - 1, start, written)
      const wanted = this.#repeatChance
      if (wanted > 0 && this.#random.unit() < wanted) {
        const after =
          this.#random.unit() < 0.05
            ? 30_000 + this.#random.below(5 * MINUTE_MS - 30_000)
            : this.#random.below(30_000)
        this.#repeats.add(nowMs + after, { ...written, line: written.line.slice() })
      }
    }
    this.#lastMs = nowMs
    return { size: count, bytes: this.#out.slice(0, this.#at), ...columns }
  }

  #writeSwap(nowMs: number): void {
    const random = this.#random
    const market = this.#market
    const rank = market.drawToken(random)
    if (this.#another) this.#nextInTransaction()
    else this.#beginTransaction(nowMs, rank)
    this.#another = random.unit() < SAME_TX

    const price = market.walk(rank, nowMs, random)
    const buy = random.unit() < 0.505
    let usd = Math.min(USD_MAX, Math.max(0.01, USD_MEDIAN * Math.exp(USD_SIGMA * random.normal())))
    if (random.unit() < ROUND_SUM) usd = roundSum(usd)
    const microUsd = Math.round(usd * 1e6)

    this.#write(ID)
    for (const word of this.#hash) this.#at = writeHex32(this.#out, this.#at, word)
    this.#byte(0x3a)
    this.#integer(this.#logIndex)
    this.#write(TIME)
    this.#integer(this.#timeMs)
    this.#write(WHO)
    this.#at = market.writeTrader(this.#out, this.#at, this.#trader)
    this.#write(TOKEN)
    const name = market.names[rank] ?? TOKEN
    this.#tokenAt = this.#at
    this.#tokenLength = name.length
    this.#write(name)
    this.#write(buy ? SIDE_BUY : SIDE_SELL)
    this.#amount(microUsd / 1e6 / price)
    this.#write(USD)
    this.#integer(Math.floor(microUsd / 1e6))
    this.#byte(0x2e)
    this.#digits(microUsd % 1e6, 6)
    this.#write(BLOCK)
    this.#integer(this.#block)
    this.#write(TX_INDEX)
    this.#integer(this.#txIndex)
    this.#write(LOG_INDEX)
    this.#integer(this.#logIndex)
    this.#write(END)
  }

  #beginTransaction(nowMs: number, rank: number): void {
    const random = this.#random
    for (let i = 0; i < 8; i++) this.#hash[i] = random.uint32()
    this.#trader = this.#market.drawTrader(rank, random)
    const late = this.#lateChance > 0 && random.unit() < this.#lateChance
    this.#timeMs = Math.max(1, nowMs - (late ? this.#delayMs() : 0))
    this.#block = Math.max(0, FIRST_BLOCK + Math.floor((this.#timeMs - FIRST_BLOCK_MS) / BLOCK_MS))
    if (late) {
      this.#txIndex = random.below(400)
      this.#logIndex = random.below(1200)
      return
    }
    if (this.#block !== this.#headBlock) {
      this.#headBlock = this.#block
      this.#headTxIndex = -1
      this.#headLogIndex = -1
    }
    this.#headTxIndex += 1 + random.below(2)
    this.#headLogIndex += 1 + random.below(6)
    this.#txIndex = this.#headTxIndex
    this.#logIndex = this.#headLogIndex
  }

  #nextInTransaction(): void {
    this.#logIndex += 1 + this.#random.below(3)
    if (this.#block === this.#headBlock) this.#headLogIndex = Math.max(this.#headLogIndex, this.#logIndex)
  }

  #delayMs(): number {
    const random = this.#random
    const kind = random.unit()
    if (kind < 0.9) return Math.ceil(Math.min(MINUTE_MS, random.exponential(5000)))
    if (kind < 0.99) return MINUTE_MS + random.below(29 * MINUTE_MS)
    const u = random.unit()
    return Math.floor(30 * MINUTE_MS + u * u * u * 11.5 * HOUR_MS)
  }

  #write(bytes: Uint8Array): void {
    const out = this.#out
    let at = this.#at
    for (let i = 0; i < bytes.length; i++) out[at++] = bytes[i] ?? 0
    this.#at = at
  }

  #byte(value: number): void {
    this.#out[this.#at++] = value
  }

  /// A non-negative integer below 2^53.
  #integer(value: number): void {
    let length = 1
    for (let bound = 10; value >= bound; bound *= 10) length++
    this.#digits(value, length)
  }

  /// The last `length` decimal digits, leading zeros included.
  #digits(value: number, length: number): void {
    const out = this.#out
    const end = this.#at + length
    let rest = value
    let at = end
    // Numbers below 2^31 divide far faster, so long ones are taken nine digits at a time.
    while (at - this.#at > 9) {
      const high = Math.floor(rest / 1e9)
      let low = (rest - high * 1e9) | 0
      for (let i = 0; i < 9; i++) {
        const next = (low / 10) | 0
        out[--at] = 0x30 + low - next * 10
        low = next
      }
      rest = high
    }
    let small = rest | 0
    while (at > this.#at) {
      const next = (small / 10) | 0
      out[--at] = 0x30 + small - next * 10
      small = next
    }
    this.#at = end
  }

  /// An amount with 18 decimals: as many true digits as a double has, then drawn ones, as amounts that come out
  /// of a pool's formula look. Never zero.
  #amount(value: number): void {
    const whole = Math.floor(value)
    const fraction = (value - whole) * 1e9
    const high = Math.min(999_999_999, Math.floor(fraction))
    const low = Math.floor((fraction - high) * 1e9 + this.#random.below(1000))
    this.#integer(whole)
    this.#byte(0x2e)
    this.#digits(high, 9)
    this.#digits(Math.min(999_999_999, Math.max(1, low)), 9)
  }
}

type KeyColumns = Pick<KeyedRecords, 'recordAt' | 'recordLength' | 'tokenAt' | 'tokenLength'>

function keyColumns(size: number): KeyColumns {
  const column = () => new Int32Array(size)
  return { recordAt: column(), recordLength: column(), tokenAt: column(), tokenLength: column() }
}

/// Notes where record i is: its line begins at `start`.
function place(columns: KeyColumns, i: number, start: number, { line, tokenAt, tokenLength }: Repeat): void {
  columns.recordAt[i] = start
  columns.recordLength[i] = line.length - 1
  columns.tokenAt[i] = start + tokenAt
  columns.tokenLength[i] = tokenLength
}

/// The nearest sum that people type: 1, 2 or 5 times a power of ten.
function roundSum(usd: number): number {
  const power = 10 ** Math.floor(Math.log10(usd))
  const digit = usd / power
  return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10)
}
