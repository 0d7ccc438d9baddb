/// Candles of one second, summed from DuckDB's columns of a token's swaps: of the busiest token an hour has half a million,
/// which SQL goes through twice, since open and close are looked for once it is known when they were.
///
/// What decides open and close of a second are time, block, txIndex and logIndex, and only where these are equal the id or
/// its fingerprint (core/chain-place.ts), which take as long to read as all else. So they are read when two swaps were
/// met that nothing else tells apart.

import type { DuckDBDataChunk } from '@duckdb/node-api'
import { bucketOf, CANDLE_INTERVALS, type Candle } from '../../core/candles.js'
import type { EpochMs } from '../../core/units.js'
import type { CandleQuery } from '../../ports/trade-archive.js'
import { ofToken } from '../archive/candle-questions.js'
import { partitionName } from '../archive/partitions.js'
import { idOf } from '../archive/questions.js'
import type { Snapshot } from './database.js'
import { CHUNK_ROWS, doubles, longs, vectorBytes, words } from './vectors.js'

const SECOND = CANDLE_INTERVALS['1s']

export async function secondCandles(
  snapshot: Snapshot,
  { token, from, to }: Pick<CandleQuery, 'token' | 'from' | 'to'>,
): Promise<readonly Candle[]> {
  const tokenId = await idOf(snapshot, 'token', token)
  if (tokenId === null) return []
  // Candles that begin in the range: the first may begin after `from`, the last ends after `to`.
  const begin = Math.ceil(from / SECOND) * SECOND
  const end = Math.ceil(to / SECOND) * SECOND
  const where = ofToken(snapshot.dialect, tokenId, begin, end)
  const candles: Candle[] = []
  for (const hour of await snapshot.partitions('trades', begin, end)) {
    const swaps = `${partitionName('trades', hour)} ${where}`
    const seconds = new Seconds()
    for await (const _ of snapshot.chunks(`SELECT ${COLUMNS} FROM ${swaps}`, seconds.take)) {
      if (seconds.undecided) break
    }
    if (seconds.undecided) {
      seconds.clear()
      const sql = `SELECT ${COLUMNS}, ${LAST_COLUMNS} FROM ${swaps}`
      for await (const _ of snapshot.chunks(sql, seconds.take)) {
      }
    }
    candles.push(...seconds.candles())
  }
  return candles
}

const COLUMNS = `epoch_ms("time"), trader_id, buy, usd, coalesce(price, 'NaN'::DOUBLE), coalesce(block, -1),
  coalesce(tx_index, -1), coalesce(log_index, -1)`
/// The id counts only where the chain's numbers leave something open, else the fingerprint does.
const LAST_COLUMNS = `fingerprint, CASE WHEN block IS NULL OR tx_index IS NULL OR log_index IS NULL THEN id ELSE '' END`
const FINGERPRINT = 8
const ID = 9

class Seconds {
  readonly #sums = new Map<number, SecondSum>()
  readonly #swaps = new Swaps()
  readonly #met = new Distinct()
  /// Swaps were met that only the last columns tell apart.
  undecided = false

  take = (chunk: DuckDBDataChunk): void => {
    const swaps = this.#swaps
    swaps.hold(chunk)
    let second: SecondSum | null = null
    for (let row = 0; row < swaps.count; row++) {
      const after: number = second === null ? -1 : (swaps.time[row] as number) - second.time
      // Rows of one second nearly always lie together.
      if (second === null || after < 0 || after >= SECOND) second = this.#secondOf(swaps.time[row] as number)
      if (this.#met.add(second.number, swaps.trader[row] as number)) second.traders++
      if (!second.add(swaps, row)) this.undecided = true
    }
  }

  clear(): void {
    this.#sums.clear()
    this.#met.clear()
    this.undecided = false
  }

  /// Ascending.
  candles(): readonly Candle[] {
    return [...this.#sums.values()].sort((a, b) => a.time - b.time).map(second => second.candle())
  }

  #secondOf(timeMs: number): SecondSum {
    const time = bucketOf(timeMs, SECOND)
    let second = this.#sums.get(time)
    if (second === undefined) {
      second = new SecondSum(time, this.#sums.size)
      this.#sums.set(time, second)
    }
    return second
  }
}

/// A chunk's swaps in columns. Prices are NaN where unknown, places in the chain -1 where not given.
class Swaps {
  count = 0
  readonly time = new Float64Array(CHUNK_ROWS)
  /// Micro-dollars.
  readonly usd = new Float64Array(CHUNK_ROWS)
  readonly block = new Float64Array(CHUNK_ROWS)
  trader: Int32Array = new Int32Array(0)
  buy: Uint8Array = new Uint8Array(0)
  price: Float64Array = new Float64Array(0)
  txIndex: Int32Array = new Int32Array(0)
  logIndex: Int32Array = new Int32Array(0)
  #chunk: DuckDBDataChunk | null = null

  /// Takes the place of the chunk before.
  hold(chunk: DuckDBDataChunk): void {
    const { rowCount } = chunk
    this.count = rowCount
    longs(vectorBytes(chunk, 0, 8), this.time, rowCount)
    this.trader = words(vectorBytes(chunk, 1, 4))
    this.buy = vectorBytes(chunk, 2, 1)
    longs(vectorBytes(chunk, 3, 8), this.usd, rowCount)
    this.price = doubles(vectorBytes(chunk, 4, 8))
    longs(vectorBytes(chunk, 5, 8), this.block, rowCount)
    this.txIndex = words(vectorBytes(chunk, 6, 4))
    this.logIndex = words(vectorBytes(chunk, 7, 4))
    this.#chunk = chunk.columnCount > ID ? chunk : null
  }

  /// What else decides the swap's place; null where it was not read.
  last(row: number): LastPlace | null {
    if (this.#chunk === null) return null
    const [low, high] = words(vectorBytes(this.#chunk, FINGERPRINT, 8)).subarray(2 * row, 2 * row + 2)
    const id = Buffer.from(String(this.#chunk.getColumnVector(ID).getItem(row)))
    return { id, high: high as number, low: (low as number) >>> 0 }
  }
}

interface LastPlace {
  readonly id: Buffer
  /// Words of the fingerprint.
  readonly high: number
  readonly low: number
}

const compareLast = (a: LastPlace, b: LastPlace): number =>
  Buffer.compare(a.id, b.id) || a.high - b.high || a.low - b.low

/// A swap of known price and its place in chain order. Rows go with their chunk, so they are copied.
class Edge {
  price = 0
  #time = 0
  #block = 0
  #txIndex = 0
  #logIndex = 0
  #last: LastPlace | null = null

  constructor(swaps: Swaps, row: number) {
    this.set(swaps, row)
  }

  set(swaps: Swaps, row: number): void {
    this.price = swaps.price[row] as number
    this.#time = swaps.time[row] as number
    this.#block = swaps.block[row] as number
    this.#txIndex = swaps.txIndex[row] as number
    this.#logIndex = swaps.logIndex[row] as number
    this.#last = swaps.last(row)
  }

  /// Negative where the row comes before it, positive where it comes after; 0 where that cannot be told.
  compare(swaps: Swaps, row: number): number {
    const difference =
      (swaps.time[row] as number) - this.#time ||
      (swaps.block[row] as number) - this.#block ||
      (swaps.txIndex[row] as number) - this.#txIndex ||
      (swaps.logIndex[row] as number) - this.#logIndex
    if (difference !== 0 || this.#last === null) return difference
    const last = swaps.last(row)
    return last === null ? 0 : compareLast(last, this.#last)
  }
}

/// A candle as far as its swaps were added.
class SecondSum {
  readonly time: EpochMs
  /// Of the seconds that were met before it.
  readonly number: number
  traders = 0
  readonly #buyUsd = new ExactSum()
  readonly #sellUsd = new ExactSum()
  #buys = 0
  #sells = 0
  #high = Number.NaN
  #low = Number.NaN
  #open: Edge | null = null
  #close: Edge | null = null

  constructor(time: EpochMs, number: number) {
    this.time = time
    this.number = number
  }

  /// Returns whether it is certain which of the swaps opens and closes.
  add(swaps: Swaps, row: number): boolean {
    const usd = swaps.usd[row] as number
    if (swaps.buy[row] === 0) {
      this.#sells++
      this.#sellUsd.add(usd)
    } else {
      this.#buys++
      this.#buyUsd.add(usd)
    }
    const price = swaps.price[row] as number
    if (Number.isNaN(price)) return true
    if (this.#open === null || this.#close === null) {
      this.#high = price
      this.#low = price
      this.#open = new Edge(swaps, row)
      this.#close = new Edge(swaps, row)
      return true
    }
    if (price > this.#high) this.#high = price
    if (price < this.#low) this.#low = price
    const afterOpen = this.#open.compare(swaps, row)
    const afterClose = this.#close.compare(swaps, row)
    if (afterOpen < 0) this.#open.set(swaps, row)
    if (afterClose > 0) this.#close.set(swaps, row)
    return afterOpen !== 0 && afterClose !== 0
  }

  candle(): Candle {
    const isPriced = this.#open !== null
    return {
      time: this.time,
      open: this.#open?.price ?? null,
      high: isPriced ? this.#high : null,
      low: isPriced ? this.#low : null,
      close: this.#close?.price ?? null,
      buyUsd: this.#buyUsd.value,
      sellUsd: this.#sellUsd.value,
      buys: this.#buys,
      sells: this.#sells,
      traders: this.traders,
    }
  }
}

/// Pairs of a second and a trader that were met. A set for each second takes several times as long, most of it to be
/// collected as garbage.
class Distinct {
  /// Two for each place: the second's number, -1 where nothing is, and the trader.
  #keys = new Int32Array(64).fill(-1)
  #size = 0

  /// Returns whether the pair is new.
  add(second: number, trader: number): boolean {
    const at = this.#placeOf(second, trader)
    if (this.#keys[at] === second) return false
    this.#keys[at] = second
    this.#keys[at + 1] = trader
    this.#size++
    if (this.#size * 4 > this.#keys.length) this.#grow()
    return true
  }

  clear(): void {
    this.#keys.fill(-1)
    this.#size = 0
  }

  /// Where the pair is, or would be.
  #placeOf(second: number, trader: number): number {
    const keys = this.#keys
    const mask = keys.length - 2
    let hash = Math.imul(trader, 0x9e3779b1) ^ Math.imul(second, 0x85ebca77)
    hash ^= hash >>> 15
    let at = (hash << 1) & mask
    while (keys[at] !== -1 && (keys[at] !== second || keys[at + 1] !== trader)) at = (at + 2) & mask
    return at
  }

  #grow(): void {
    const before = this.#keys
    this.#keys = new Int32Array(before.length * 4).fill(-1)
    for (let i = 0; i < before.length; i += 2) {
      const second = before[i] as number
      if (second < 0) continue
      const at = this.#placeOf(second, before[i + 1] as number)
      this.#keys[at] = second
      this.#keys[at + 1] = before[i + 1] as number
    }
  }
}

/// A sum of whole numbers up to 2^53, of any size.
class ExactSum {
  #low = 0
  #beyond = 0n

  add(value: number): void {
    const sum = this.#low + value
    if (sum <= Number.MAX_SAFE_INTEGER) {
      this.#low = sum
      return
    }
    this.#beyond += BigInt(this.#low)
    this.#low = value
  }

  get value(): bigint {
    return this.#beyond + BigInt(this.#low)
  }
}
