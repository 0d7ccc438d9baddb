/// Archived swaps as columns, straight from DuckDB's vectors: no object and no text is made for a swap. Names are read
/// once, into one stretch of bytes that rows point into.

import type { DuckDBDataChunk } from '@duckdb/node-api'
import { Fingerprint, hash32 } from '../../core/fingerprint.js'
import { invariant } from '../../core/invariant.js'
import { BUY, SELL, SwapBatch } from '../../core/swap-batch.js'
import type { EpochMs, Offset } from '../../core/units.js'
import type { ArchivedRows, ArchivedRowsReader, ArchivePosition } from '../../ports/trade-archive.js'
import { partitionName } from '../archive/partitions.js'
import { countRows, hoursWith, loggedSince, positionBefore } from '../archive/row-batches.js'
import type { Snapshot } from './database.js'
import { CHUNK_ROWS, doubles, longs, vectorBytes, words } from './vectors.js'

const DAY_MS = 86_400_000
const LOGGED_MS = 60_000
/// Of a chunk's ids together.
const ID_BYTES = CHUNK_ROWS * 64

const COLUMNS = `epoch_ms("time"), token_id, trader_id, buy, usd, amount, coalesce(price, 'NaN'::DOUBLE), coalesce(block, -1),
  coalesce(tx_index, -1), coalesce(log_index, -1), fingerprint, log_offset, epoch_ms(log_time)`
const ID_COLUMN = 13
const IS_INCOMPLETE = '(block IS NULL OR tx_index IS NULL OR log_index IS NULL)'

/// Names by their numbers, in one stretch of bytes.
class NameBytes {
  bytes = new Uint8Array(1 << 16)
  used = 0
  readonly #encoder = new TextEncoder()

  add(places: NamePlaces, id: number, name: string): void {
    // A UTF-16 code unit is three bytes of UTF-8 at most.
    this.#room(name.length * 3)
    const { written } = this.#encoder.encodeInto(name, this.bytes.subarray(this.used))
    places.set(id, this.used, written, hash32(this.bytes, this.used, written))
    this.used += written
  }

  #room(bytes: number): void {
    if (this.used + bytes <= this.bytes.length) return
    const wider = new Uint8Array(Math.max(this.used + bytes, 2 * this.bytes.length))
    wider.set(this.bytes)
    this.bytes = wider
  }
}

class NamePlaces {
  at = new Int32Array(1024).fill(-1)
  length = new Int32Array(1024)
  hash = new Int32Array(1024)

  set(id: number, at: number, length: number, hash: number): void {
    if (id >= this.at.length) this.#grow(id + 1)
    this.at[id] = at
    this.length[id] = length
    this.hash[id] = hash
  }

  #grow(needed: number): void {
    const size = Math.max(needed, 2 * this.at.length)
    const widened = (column: Int32Array<ArrayBuffer>, filler: number) => {
      const wider = new Int32Array(size).fill(filler)
      wider.set(column)
      return wider
    }
    this.at = widened(this.at, -1)
    this.length = widened(this.length, 0)
    this.hash = widened(this.hash, 0)
  }
}

interface LoggedStretch {
  /// Log time: from ≤ log_time < to.
  readonly from: number
  readonly to: number
  readonly tables: readonly string[]
}

export class DuckDbRowsReader implements ArchivedRowsReader {
  readonly position: ArchivePosition
  readonly #snapshot: Snapshot
  readonly #partition: number
  readonly #sortedRowsMax: number
  readonly #names = new NameBytes()
  readonly #tokens = new NamePlaces()
  readonly #traders = new NamePlaces()
  readonly #fingerprint = new Fingerprint()
  readonly #batch = new SwapBatch(CHUNK_ROWS)
  readonly #offset = new Float64Array(CHUNK_ROWS)
  readonly #logTime = new Float64Array(CHUNK_ROWS)
  readonly #numbers = { token: new Int32Array(CHUNK_ROWS), who: new Int32Array(CHUNK_ROWS) }
  /// Where names end, and ids of the rows at hand begin, in the batch's bytes.
  #idsFrom = 0

  private constructor(
    snapshot: Snapshot,
    partition: number,
    position: ArchivePosition,
    sortedRowsMax: number,
  ) {
    this.#sortedRowsMax = sortedRowsMax
    this.#snapshot = snapshot
    this.#partition = partition
    this.position = position
  }

  /// Knows the names of swaps since `from`.
  static async open(
    snapshot: Snapshot,
    partition: number,
    position: ArchivePosition,
    from: EpochMs,
    sortedRowsMax: number,
  ): Promise<DuckDbRowsReader> {
    const reader = new DuckDbRowsReader(snapshot, partition, position, sortedRowsMax)
    const day = snapshot.dialect.date(String(Math.floor(from / DAY_MS)))
    for (const [table, id, name, places] of [
      ['tokens', 'token_id', 'token', reader.#tokens],
      ['traders', 'trader_id', 'who', reader.#traders],
    ] as const) {
      const rows = snapshot.stream(`SELECT ${id}, ${name} FROM ${table} WHERE last_day >= ${day}`)
      for await (const chunk of rows) {
        for (const row of chunk) reader.#names.add(places, Number(row[0]), String(row[1]))
      }
    }
    reader.#idsFrom = reader.#names.used
    const bytes = new Uint8Array(reader.#idsFrom + ID_BYTES)
    bytes.set(reader.#names.bytes.subarray(0, reader.#idsFrom))
    reader.#batch.bytes = bytes
    reader.#names.bytes = new Uint8Array(0)
    return reader
  }

  positionBefore(loggedBefore: EpochMs): Promise<ArchivePosition | null> {
    return positionBefore(this.#snapshot, this.#partition, loggedBefore)
  }

  count(from: EpochMs, to: EpochMs, below: Offset): Promise<number> {
    return countRows(this.#snapshot, from, to, `partition = ${this.#partition} AND log_offset < ${below}`)
  }

  async *rows(from: EpochMs, to: EpochMs): AsyncGenerator<ArchivedRows> {
    for (const begins of await this.#snapshot.partitions('trades', from, to)) {
      const table = partitionName('trades', begins)
      const within = this.#within(from, to)
      const [some] = await this.#snapshot.rows(
        `SELECT 1 FROM ${table} WHERE ${within} AND ${IS_INCOMPLETE} LIMIT 1`,
      )
      const id = some === undefined ? '' : `, CASE WHEN ${IS_INCOMPLETE} THEN id ELSE '' END`
      yield* this.#chunks(`SELECT ${COLUMNS}${id} FROM ${table} WHERE ${within}`, false)
    }
  }

  async *rowsLogged(loggedFrom: EpochMs): AsyncGenerator<ArchivedRows> {
    const { at } = this.#snapshot.dialect
    for (const { from, to, tables } of await this.#loggedStretches(loggedFrom)) {
      const logged = `${loggedSince(at(from), this.#partition)} AND log_time < ${at(to)}`
      const all = tables.map(table => `SELECT * FROM ${table} WHERE ${logged}`)
      yield* this.#chunks(`SELECT ${COLUMNS}, id FROM (${all.join(' UNION ALL ')}) ORDER BY log_offset`, true)
    }
  }

  /// Stretches of log time, whole minutes, with as many rows as DuckDB can sort within its memory (a minute with more is
  /// one of its own), and the tables that have them.
  async #loggedStretches(loggedFrom: EpochMs): Promise<readonly LoggedStretch[]> {
    const { at, ms, quotient } = this.#snapshot.dialect
    const logged = loggedSince(at(loggedFrom), this.#partition)
    const minutes = new Map<number, { rows: number; tables: string[] }>()
    for (const begins of await hoursWith(this.#snapshot, logged)) {
      const table = partitionName('trades', begins)
      const counts = `SELECT ${quotient(ms('log_time'), LOGGED_MS)}, count(*) FROM ${table} WHERE ${logged} GROUP BY 1`
      for (const [minute, rows] of await this.#snapshot.rows(counts)) {
        const known = minutes.get(Number(minute)) ?? { rows: 0, tables: [] }
        minutes.set(Number(minute), { rows: known.rows + Number(rows), tables: [...known.tables, table] })
      }
    }
    const stretches: { from: number; to: number; rows: number; tables: Set<string> }[] = []
    for (const [minute, { rows, tables }] of [...minutes].sort(([a], [b]) => a - b)) {
      const last = stretches.at(-1)
      const to = (minute + 1) * LOGGED_MS
      if (last !== undefined && last.rows + rows <= this.#sortedRowsMax) {
        last.to = to
        last.rows += rows
        for (const table of tables) last.tables.add(table)
      } else stretches.push({ from: minute * LOGGED_MS, to, rows, tables: new Set(tables) })
    }
    // The first minute may have begun before.
    return stretches.map(({ from, to, tables }) => ({
      from: Math.max(from, loggedFrom),
      to,
      tables: [...tables],
    }))
  }

  async close(): Promise<void> {
    this.#snapshot.close()
  }

  async *#chunks(sql: string, wholeIds: boolean): AsyncGenerator<ArchivedRows> {
    const rows = {
      batch: this.#batch,
      offset: this.#offset,
      logTime: this.#logTime,
      numbers: this.#numbers,
    }
    for await (const _ of this.#snapshot.chunks(sql, chunk => this.#takeChunk(chunk, wholeIds))) yield rows
  }

  #takeChunk(chunk: DuckDBDataChunk, wholeIds: boolean): void {
    const { rowCount } = chunk
    this.#take(rowCount, (index, width) => vectorBytes(chunk, index, width))
    if (chunk.columnCount > ID_COLUMN) {
      const ids = chunk.getColumnVector(ID_COLUMN)
      this.#takeIds(rowCount, row => String(ids.getItem(row)), wholeIds)
    } else this.#batch.idLength.fill(0)
  }

  #within(from: number, to: number): string {
    return `partition = ${this.#partition} AND "time" >= epoch_ms(${from}) AND "time" < epoch_ms(${to})`
  }

  #take(rows: number, column: (index: number, width: number) => Uint8Array): void {
    const batch = this.#batch
    batch.size = rows
    longs(column(0, 8), batch.timeMs, rows)
    const { token, who } = this.#numbers
    token.set(words(column(1, 4)))
    who.set(words(column(2, 4)))
    this.#takeNames(token, this.#tokens, rows, batch.tokenAt, batch.tokenLength, batch.tokenHash)
    this.#takeNames(who, this.#traders, rows, batch.whoAt, batch.whoLength, batch.whoHash)
    const buys = column(3, 1)
    for (let i = 0; i < rows; i++) batch.side[i] = buys[i] === 0 ? SELL : BUY
    longs(column(4, 8), batch.usd, rows)
    amounts(words(column(5, 16)), batch, rows)
    batch.price.set(doubles(column(6, 8)))
    batch.priceGiven.fill(1, 0, rows)
    longs(column(7, 8), batch.block, rows)
    batch.txIndex.set(words(column(8, 4)))
    batch.logIndex.set(words(column(9, 4)))
    const fingerprints = words(column(10, 8))
    for (let i = 0; i < rows; i++) {
      batch.id0[i] = fingerprints[2 * i + 1] as number
      batch.id1[i] = (fingerprints[2 * i] as number) ^ 0x8000_0000
      batch.record[i] = i
    }
    batch.id2.fill(0, 0, rows)
    longs(column(11, 8), this.#offset, rows)
    longs(column(12, 8), this.#logTime, rows)
  }

  #takeNames(
    ids: Int32Array,
    places: NamePlaces,
    rows: number,
    at: Int32Array,
    length: Int32Array,
    hash: Int32Array,
  ): void {
    for (let i = 0; i < rows; i++) {
      const id = ids[i] as number
      const place = places.at[id]
      invariant(place !== undefined && place >= 0, 'a swap’s names are in the archive')
      at[i] = place
      length[i] = places.length[id] as number
      hash[i] = places.hash[id] as number
    }
  }

  #takeIds(rows: number, idOf: (row: number) => string, wholeIds: boolean): void {
    const batch = this.#batch
    let used = this.#idsFrom
    for (let i = 0; i < rows; i++) {
      const id = Buffer.from(idOf(i))
      if (used + id.length > batch.bytes.length) {
        const wider = new Uint8Array(used + id.length + ID_BYTES)
        wider.set(batch.bytes)
        batch.bytes = wider
      }
      batch.bytes.set(id, used)
      batch.idAt[i] = used
      batch.idLength[i] = id.length
      if (wholeIds) {
        this.#fingerprint.hash(batch.bytes, used, id.length)
        batch.id2[i] = this.#fingerprint.word2
      }
      used += id.length
    }
  }
}

/// 128-bit integers, not negative, in limbs of nine decimal digits: schoolbook division by 10^9 in digits of 16 bits, so that
/// each step stays below 2^53.
function amounts(quads: Int32Array, batch: SwapBatch, rows: number): void {
  const digits = new Float64Array(8)
  const limbs = [batch.amount0, batch.amount1, batch.amount2, batch.amount3]
  for (let i = 0; i < rows; i++) {
    let top = 7
    for (let k = 0; k < 4; k++) {
      const word = quads[4 * i + k] as number
      digits[2 * k] = word & 0xffff
      digits[2 * k + 1] = word >>> 16
    }
    for (const limb of limbs) {
      while (top >= 0 && digits[top] === 0) top--
      let rest = 0
      for (let k = top; k >= 0; k--) {
        const value = rest * 65_536 + (digits[k] as number)
        const quotient = Math.floor(value / 1e9)
        digits[k] = quotient
        rest = value - quotient * 1e9
      }
      limb[i] = rest
    }
  }
}
