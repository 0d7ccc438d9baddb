/// Deltas: the rows accepted between two checkpoints, in the order of the log, with everything that folding them
/// again needs. Deterministic: whoever covers the same offsets writes the same rows.
///
/// Payload (version 3; docs/formats/deltas.md): version; the fate totals at the end; the delta's own dictionary; the
/// runs of log time (row count, milliseconds since the run before); the rows' distances in offset; the digests of their
/// content; the rows as columns; then the fate totals by token. Version 2 ends before those.

import { hash32 } from '../../fingerprint.js'
import { invariant } from '../../invariant.js'
import { type FateCounts, fateNames } from '../fates.js'
import { Block } from '../rows/block.js'
import type { TokenTotals } from '../token-fates.js'
import { ByteReader, ByteWriter } from './bytes.js'
import type { DictionaryWriter } from './dictionary.js'
import { DeltaDictionary, type Interner } from './dictionary-reader.js'
import { RowColumnsReader, RowColumnsWriter, WHOLE_ID } from './row-columns.js'
import { TokenTotalsReader, type TokenTotalsWriter } from './token-totals.js'

export const DELTA_VERSION = 3
const WITHOUT_TOTALS_BY_TOKEN = 2

/// Collects rows as they are accepted.
export class DeltaBuilder {
  readonly #dictionary: DictionaryWriter
  readonly #totals: TokenTotalsWriter
  readonly #names = new ByteWriter(1 << 16)
  readonly #runs = new ByteWriter(256)
  readonly #offsets = new ByteWriter(1 << 12)
  readonly #digests = new ByteWriter(1 << 12)
  readonly #rows = new RowColumnsWriter(WHOLE_ID)
  #runCount = 0
  #runRows = 0
  #runTime = 0
  #lastRunTime = 0
  #previousOffset = 0
  #maxBlock = -1

  constructor(dictionary: DictionaryWriter, totals: TokenTotalsWriter) {
    this.#dictionary = dictionary
    this.#totals = totals
    this.begin(0)
  }

  get count(): number {
    return this.#rows.count
  }

  /// Starts the delta that covers offsets from `coversFrom` on.
  begin(coversFrom: number): void {
    this.#dictionary.begin()
    this.#names.clear()
    this.#rows.begin(0)
    this.#runs.clear()
    this.#offsets.clear()
    this.#digests.clear()
    this.#runCount = 0
    this.#runRows = 0
    this.#lastRunTime = 0
    this.#previousOffset = coversFrom
    this.#maxBlock = -1
  }

  /// Adds a row of the block with this index; `digest` is that of its content (digest.ts).
  add(index: number, rows: Block, row: number, digest: number, logTimeMs: number): void {
    if (logTimeMs !== this.#runTime || this.#runRows === 0) {
      this.#endRun()
      this.#runTime = logTimeMs
    }
    this.#runRows++
    const pair = (rows.pairSide[row] as number) >> 1
    this.#rows.add(rows, row, this.#dictionary.number(pair, this.#names))
    const offset = rows.offset[row] as number
    this.#offsets.varint(offset - this.#previousOffset)
    this.#previousOffset = offset
    this.#digests.uint32(digest)
    if (index > this.#maxBlock) this.#maxBlock = index
  }

  /// The highest block with a row, -1 without rows.
  get maxBlock(): number {
    return this.#maxBlock
  }

  payload(fates: Readonly<FateCounts>): Uint8Array {
    this.#endRun()
    const out = new ByteWriter(this.#names.length + this.#rows.count * 48 + this.#runs.length + 128)
    out.uint8(DELTA_VERSION)
    for (const name of fateNames) out.varint(fates[name])
    out.varint(this.#dictionary.size)
    out.raw(this.#names.bytes.subarray(0, this.#names.length))
    out.varint(this.#runCount)
    out.raw(this.#runs.bytes.subarray(0, this.#runs.length))
    out.varint(this.count)
    out.raw(this.#offsets.bytes.subarray(0, this.#offsets.length))
    out.raw(this.#digests.bytes.subarray(0, this.#digests.length))
    this.#rows.finish(out)
    this.#totals.write(out)
    return out.take()
  }

  #endRun(): void {
    if (this.#runRows === 0) return
    this.#runs.varint(this.#runRows)
    this.#runs.varint(this.#runTime - this.#lastRunTime)
    this.#lastRunTime = this.#runTime
    this.#runRows = 0
    this.#runCount++
  }
}

/// What a delta holds.
export interface DeltaRows {
  /// Totals at the delta's end.
  readonly fates: FateCounts
  /// Every row. Offsets are set; slots and links are not. Pairs are local numbers, which `pairs` gives a meaning.
  readonly rows: Block
  readonly digests: Int32Array
  readonly pairs: DeltaDictionary
  /// Rows with one log time, in order.
  readonly runs: readonly { readonly rows: number; readonly logTimeMs: number }[]
  /// Gives the totals of each token of which the delta says something; token ids are those of the interner.
  eachTotals(take: (token: number, totals: TokenTotals) => void): void
}

export function readDelta(payload: Uint8Array, coversFrom: number, interner: Interner): DeltaRows {
  const reader = new ByteReader(payload)
  const version = reader.uint8()
  const isKnown = version === DELTA_VERSION || version === WITHOUT_TOTALS_BY_TOKEN
  invariant(isKnown, `deltas are of version ${DELTA_VERSION} or ${WITHOUT_TOTALS_BY_TOKEN}, found ${version}`)
  const fates: FateCounts = { accepted: 0, duplicate: 0, late: 0, early: 0, invalid: 0, conflict: 0 }
  for (const name of fateNames) fates[name] = reader.varint()
  const pairs = new DeltaDictionary(reader, reader.varint(), interner)
  const runs: { rows: number; logTimeMs: number }[] = []
  let logTimeMs = 0
  let announced = 0
  for (let count = reader.varint(); count > 0; count--) {
    const rows = reader.varint()
    logTimeMs += reader.varint()
    announced += rows
    runs.push({ rows, logTimeMs })
  }
  const count = reader.varint()
  const rows = new Block(Math.max(1, count))
  rows.extend(0, count)
  let offset = coversFrom
  for (let row = 0; row < count; row++) {
    offset += reader.varint()
    rows.offset[row] = offset
  }
  const digests = new Int32Array(count)
  for (let row = 0; row < count; row++) digests[row] = reader.int32()
  const columns = new RowColumnsReader(WHOLE_ID)
  columns.readPairs(reader, count, rows, 0, null)
  columns.readTimes(reader, count, rows, 0, 0)
  columns.readValues(reader, count, rows, 0)
  columns.readPlaces(reader, count, rows, 0)
  invariant(announced === count, 'a delta holds the rows it announces')
  const eachTotals: DeltaRows['eachTotals'] = take => {
    if (version !== WITHOUT_TOTALS_BY_TOKEN) readTotals(reader, pairs, interner, take)
    invariant(reader.done, 'a delta ends with the totals of its tokens')
  }
  return { fates, rows, digests, pairs, runs, eachTotals }
}

function readTotals(
  reader: ByteReader,
  tokens: DeltaDictionary,
  interner: Interner,
  take: (token: number, totals: TokenTotals) => void,
): void {
  const entries = new TokenTotalsReader(reader)
  for (let number = 0; number < tokens.tokenCount; number++) {
    const totals = entries.next()
    if (totals !== null) take(tokens.token(number), totals)
  }
  for (let count = reader.varint(); count > 0; count--) {
    const { length } = reader.sized()
    const at = reader.at - length
    const totals = entries.next()
    const id = interner.internToken(reader.bytes, at, length, hash32(reader.bytes, at, length))
    if (totals !== null) take(id, totals)
  }
}
