/// Archived swaps as columns, by way of the decoder that made them from JSON: whatever it does with a swap is done
/// again. Some 200,000 a second; databases that can do better have their own way (duckdb/row-reader.ts).

import { formatUsd } from '../../core/decimal.js'
import { JsonDecoder } from '../../core/decode/json-decoder.js'
import { invariant } from '../../core/invariant.js'
import { type EpochMs, epochMs, type Offset, offset } from '../../core/units.js'
import type {
  ArchivedRows,
  ArchivedRowsReader,
  ArchivedSwap,
  ArchivePosition,
} from '../../ports/trade-archive.js'
import { partitionName } from './partitions.js'
import { archivedSwapOf, swapColumns, WITH_NAMES } from './questions.js'
import type { Reading } from './session.js'

/// The last millisecond of the year 9999, and one more.
const TIMES_END = 253_402_300_800_000

export class RowBatches {
  readonly #decoder = new JsonDecoder()
  readonly #encoder = new TextEncoder()

  of(swaps: readonly ArchivedSwap[]): ArchivedRows {
    const text = swaps.map(swap => `${JSON.stringify(sentOf(swap))}\n`).join('')
    const { batch, rejects } = this.#decoder.decodeLines(this.#encoder.encode(text))
    invariant(batch.size === swaps.length, `what was a swap is one: ${rejects[0]?.reason}`)
    return {
      batch,
      offset: Float64Array.from(swaps, ({ offset }) => offset),
      logTime: Float64Array.from(swaps, ({ logTime }) => logTime),
      numbers: null,
    }
  }
}

/// A swap as it could have been sent.
function sentOf({ partition: _p, offset: _o, logTime: _l, usd, ...swap }: ArchivedSwap): object {
  const given = Object.entries(swap).filter(([, value]) => value !== null)
  return { ...Object.fromEntries(given), usd: formatUsd(usd, 0) }
}

/// Reads the rows of a database in its own snapshot.
export class SqlRowsReader implements ArchivedRowsReader {
  readonly position: ArchivePosition
  readonly #reading: Reading
  readonly #partition: number
  readonly #batches = new RowBatches()
  readonly #close: () => Promise<void>

  constructor(reading: Reading, partition: number, position: ArchivePosition, close: () => Promise<void>) {
    this.#reading = reading
    this.#partition = partition
    this.position = position
    this.#close = close
  }

  positionBefore(loggedBefore: EpochMs): Promise<ArchivePosition | null> {
    return positionBefore(this.#reading, this.#partition, loggedBefore)
  }

  count(from: EpochMs, to: EpochMs, below: Offset): Promise<number> {
    return countRows(this.#reading, from, to, `partition = ${this.#partition} AND log_offset < ${below}`)
  }

  async *rows(from: EpochMs, to: EpochMs): AsyncGenerator<ArchivedRows> {
    const { dialect } = this.#reading
    for (const begins of await this.#reading.partitions('trades', from, to)) {
      const rows = this.#reading.stream(
        `SELECT ${swapColumns(dialect)} FROM ${partitionName('trades', begins)} ${WITH_NAMES}
         WHERE ${this.#within(from, to)}`,
      )
      for await (const chunk of rows) yield this.#batches.of(chunk.map(row => archivedSwapOf(dialect, row)))
    }
  }

  async *rowsLogged(loggedFrom: EpochMs): AsyncGenerator<ArchivedRows> {
    const { dialect } = this.#reading
    const logged = loggedSince(dialect.at(loggedFrom), this.#partition)
    const hours = await hoursWith(this.#reading, logged)
    if (hours.length === 0) return
    const all = hours.map(begins => `SELECT * FROM ${partitionName('trades', begins)} WHERE ${logged}`)
    const rows = this.#reading.stream(
      `SELECT ${swapColumns(dialect)} FROM (${all.join(' UNION ALL ')}) logged ${WITH_NAMES} ORDER BY log_offset`,
    )
    for await (const chunk of rows) yield this.#batches.of(chunk.map(row => archivedSwapOf(dialect, row)))
  }

  close(): Promise<void> {
    return this.#close()
  }

  #within(from: number, to: number): string {
    const { at } = this.#reading.dialect
    return `partition = ${this.#partition} AND "time" >= ${at(from)} AND "time" < ${at(to)}`
  }
}

export const loggedSince = (at: string, partition: number): string =>
  `partition = ${partition} AND log_time >= ${at}`

/// The hours with a swap of which the condition holds.
export async function hoursWith(reading: Reading, condition: string): Promise<readonly number[]> {
  const found: number[] = []
  for (const begins of await reading.partitions('trades', 0, TIMES_END)) {
    const [row] = await reading.rows(
      `SELECT 1 FROM ${partitionName('trades', begins)} WHERE ${condition} LIMIT 1`,
    )
    if (row !== undefined) found.push(begins)
  }
  return found
}

export async function countRows(
  reading: Reading,
  from: EpochMs,
  to: EpochMs,
  condition: string,
): Promise<number> {
  const { at } = reading.dialect
  let sum = 0
  for (const begins of await reading.partitions('trades', from, to)) {
    const [row] = await reading.rows(
      `SELECT count(*) FROM ${partitionName('trades', begins)}
       WHERE ${condition} AND "time" >= ${at(from)} AND "time" < ${at(to)}`,
    )
    sum += Number(row?.[0])
  }
  return sum
}

export async function positionBefore(
  reading: Reading,
  partition: number,
  loggedBefore: EpochMs,
): Promise<ArchivePosition | null> {
  const { at, ms } = reading.dialect
  let found: ArchivePosition | null = null
  for (const begins of await reading.partitions('trades', 0, TIMES_END)) {
    const [row] = await reading.rows(
      `SELECT max(log_offset), ${ms('max(log_time)')} FROM ${partitionName('trades', begins)}
       WHERE partition = ${partition} AND log_time < ${at(loggedBefore)}`,
    )
    if (row === undefined || row[0] === null) continue
    const end = Number(row[0]) + 1
    if (found === null || end > found.offset) {
      found = { offset: offset(end), logTime: epochMs(Number(row[1])) }
    }
  }
  return found
}
