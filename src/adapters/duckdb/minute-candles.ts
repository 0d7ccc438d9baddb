/// Candles of one token, of minutes and longer, from the rows of minutes that there are.
///
/// They are summed here and not in SQL, since for a day of minutes planning and running that takes three times as long as
/// reading the rows: a row of minutes is nearly always alone, and 1,440 of them are few. Rows that share a minute (each
/// append adds its own) and minutes that share a candle are added up as `mergedMinutes` and `spanned` do it in SQL, for
/// the views.

import { type DuckDBBlobValue, DuckDBBlobVector, type DuckDBDataChunk } from '@duckdb/node-api'
import { bucketOf, CANDLE_INTERVALS, type Candle, type CandleInterval } from '../../core/candles.js'
import { invariant } from '../../core/invariant.js'
import { epochMs } from '../../core/units.js'
import type { CandleQuery } from '../../ports/trade-archive.js'
import { ofToken } from '../archive/candle-questions.js'
import { PARTITION_MS, partitionName } from '../archive/partitions.js'
import { idOf } from '../archive/questions.js'
import type { Snapshot } from './database.js'
import { RECENT_CANDLES } from './schema.js'
import { doubles, longs, vectorBytes, words } from './vectors.js'

/// Tables that are read with one question: two milliseconds of adding up here, where others wait.
const DAYS_A_QUESTION = 2

export type MinuteInterval = Exclude<CandleInterval, '1s'>

export async function minuteCandles(
  snapshot: Snapshot,
  { token, from, to }: Pick<CandleQuery, 'token' | 'from' | 'to'>,
  interval: MinuteInterval,
): Promise<readonly Candle[]> {
  const tokenId = await idOf(snapshot, 'token', token)
  if (tokenId === null) return []
  const intervalMs = CANDLE_INTERVALS[interval]
  // Candles that begin in the range: the first may begin after `from`, the last ends after `to`.
  const begin = Math.ceil(from / intervalMs) * intervalMs
  const end = Math.ceil(to / intervalMs) * intervalMs
  // Rows that are not in their day's table yet have one nevertheless.
  const days = await snapshot.partitions('candles', begin, end)
  const candles = new Map<number, CandleSum>()
  for (let i = 0; i < days.length; i += DAYS_A_QUESTION) {
    const some = days.slice(i, i + DAYS_A_QUESTION)
    const tables = [...RECENT_CANDLES, ...some.map(day => partitionName('candles', day))]
    const last = (some.at(-1) ?? begin) + PARTITION_MS.candles
    const where = ofToken(snapshot.dialect, tokenId, Math.max(begin, some[0] ?? begin), Math.min(end, last))
    const rows = tables.map(table => `SELECT ${columnsFor(interval)} FROM ${table} ${where}`)
    for (const chunk of await snapshot.columns(rows.join(' UNION ALL '))) {
      const minutes = new Minutes(chunk)
      for (let row = 0; row < minutes.count; row++) {
        const time = bucketOf(minutes.time[row] as number, intervalMs)
        let candle = candles.get(time)
        if (candle === undefined) {
          candle = new CandleSum(time)
          candles.set(time, candle)
        }
        candle.add(minutes, row)
      }
    }
  }
  return [...candles.values()].sort((a, b) => a.time - b.time).map(sum => sum.candle())
}

const columnsFor = (interval: MinuteInterval) =>
  `epoch_ms("time"), ${['open', 'high', 'low', 'close']
    .map(price => `coalesce(${price}, 'NaN'::DOUBLE)`)
    .join(', ')}, buy_volume, sell_volume, buys, sells, traders_${interval}, open_place, close_place`

const OPEN_PLACE = 10
const CLOSE_PLACE = 11

/// Rows of minutes in columns. Prices are NaN where none is known.
class Minutes {
  readonly #chunk: DuckDBDataChunk
  readonly count: number
  readonly time: Float64Array
  readonly open: Float64Array
  readonly high: Float64Array
  readonly low: Float64Array
  readonly close: Float64Array
  /// Micro-dollars, four words each.
  readonly buyVolume: Int32Array
  readonly sellVolume: Int32Array
  readonly buys: Float64Array
  readonly sells: Float64Array
  readonly traders: Float64Array

  constructor(chunk: DuckDBDataChunk) {
    this.#chunk = chunk
    this.count = chunk.rowCount
    const price = (column: number) => doubles(vectorBytes(chunk, column, 8))
    this.time = this.#whole(0)
    this.open = price(1)
    this.high = price(2)
    this.low = price(3)
    this.close = price(4)
    this.buyVolume = words(vectorBytes(chunk, 5, 16))
    this.sellVolume = words(vectorBytes(chunk, 6, 16))
    this.buys = this.#whole(7)
    this.sells = this.#whole(8)
    this.traders = this.#whole(9)
  }

  openPlace(row: number): Uint8Array {
    return this.#blob(OPEN_PLACE, row)
  }

  closePlace(row: number): Uint8Array {
    return this.#blob(CLOSE_PLACE, row)
  }

  #whole(column: number): Float64Array {
    const values = new Float64Array(this.count)
    longs(vectorBytes(this.#chunk, column, 8), values, this.count)
    return values
  }

  /// Wanted only of minutes with several rows.
  #blob(column: number, row: number): Uint8Array {
    const vector = this.#chunk.getColumnVector(column)
    invariant(vector instanceof DuckDBBlobVector, 'a place is a blob')
    const value: DuckDBBlobValue | null = vector.getItem(row)
    invariant(value !== null, 'a minute with an open price has its place')
    return value.bytes
  }
}

/// A candle as far as its rows were added.
class CandleSum {
  readonly time: number
  readonly #buyUsd = new HugeSum()
  readonly #sellUsd = new HugeSum()
  #buys = 0
  #sells = 0
  #traders = 0
  #high = Number.NaN
  #low = Number.NaN
  /// The rows that decide open and close; null while no price is known.
  #first: Minutes | null = null
  #firstRow = 0
  #last: Minutes | null = null
  #lastRow = 0

  constructor(time: number) {
    this.time = time
  }

  add(rows: Minutes, row: number): void {
    this.#buyUsd.add(rows.buyVolume, row)
    this.#sellUsd.add(rows.sellVolume, row)
    this.#buys += rows.buys[row] as number
    this.#sells += rows.sells[row] as number
    this.#traders += rows.traders[row] as number
    const high = rows.high[row] as number
    if (Number.isNaN(high)) return
    const low = rows.low[row] as number
    if (!(this.#high >= high)) this.#high = high
    if (!(this.#low <= low)) this.#low = low
    if (this.#first === null || this.#opensBefore(rows, row, this.#first)) {
      this.#first = rows
      this.#firstRow = row
    }
    if (this.#last === null || this.#closesAfter(rows, row, this.#last)) {
      this.#last = rows
      this.#lastRow = row
    }
  }

  candle(): Candle {
    const first = this.#first
    const last = this.#last
    return {
      time: epochMs(this.time),
      open: first === null ? null : (first.open[this.#firstRow] as number),
      high: first === null ? null : this.#high,
      low: first === null ? null : this.#low,
      close: last === null ? null : (last.close[this.#lastRow] as number),
      buyUsd: this.#buyUsd.value,
      sellUsd: this.#sellUsd.value,
      buys: this.#buys,
      sells: this.#sells,
      traders: this.#traders,
    }
  }

  /// By the minute, and where that is the same by the place of the swap that decided.
  #opensBefore(rows: Minutes, row: number, first: Minutes): boolean {
    const minutes = (rows.time[row] as number) - (first.time[this.#firstRow] as number)
    if (minutes !== 0) return minutes < 0
    return Buffer.compare(rows.openPlace(row), first.openPlace(this.#firstRow)) < 0
  }

  #closesAfter(rows: Minutes, row: number, last: Minutes): boolean {
    const minutes = (rows.time[row] as number) - (last.time[this.#lastRow] as number)
    if (minutes !== 0) return minutes > 0
    return Buffer.compare(rows.closePlace(row), last.closePlace(this.#lastRow)) > 0
  }
}

/// A sum of 128-bit integers that are not negative. Words are added up apart, so that few values become bigints: up to two
/// million of them stay below 2^53.
class HugeSum {
  #word0 = 0
  #word1 = 0
  #beyond = 0n

  add(quads: Int32Array, row: number): void {
    const at = 4 * row
    this.#word0 += (quads[at] as number) >>> 0
    this.#word1 += (quads[at + 1] as number) >>> 0
    const word2 = (quads[at + 2] as number) >>> 0
    const word3 = (quads[at + 3] as number) >>> 0
    if (word2 + word3 !== 0) this.#beyond += (BigInt(word3) << 96n) + (BigInt(word2) << 64n)
  }

  get value(): bigint {
    const sum = this.#word1 * 0x1_0000_0000 + this.#word0
    if (this.#beyond === 0n && sum <= Number.MAX_SAFE_INTEGER) return BigInt(sum)
    return this.#beyond + (BigInt(this.#word1) << 32n) + BigInt(this.#word0)
  }
}
