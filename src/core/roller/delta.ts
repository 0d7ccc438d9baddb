/// Deltas: the rows accepted between two checkpoints, in the order of the log, with everything that folding them
/// again needs. Deterministic: whoever covers the same offsets writes the same rows.
///
/// Payload (version 1; docs/formats/deltas.md): version; the fate totals at the end; the count of pairs, the
/// length and the entries of the delta's own dictionary; the runs of log time (row count, milliseconds since the
/// run before); then the rows, each followed by its offset's distance from the row before.

import { invariant } from '../invariant.js'
import type { Block } from './block.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { Dictionary, type DictionaryWriter, type Interner } from './dictionary.js'
import { type FateCounts, fateNames } from './fates.js'
import { RowReader, RowWriter } from './row-codec.js'

export const DELTA_VERSION = 1

/// Collects rows as they are accepted.
export class DeltaBuilder {
  readonly #dictionary: DictionaryWriter
  readonly #names = new ByteWriter(1 << 16)
  readonly #rows = new ByteWriter(1 << 18)
  readonly #runs = new ByteWriter(256)
  readonly #rowWriter = new RowWriter()
  #runCount = 0
  #runRows = 0
  #runTime = 0
  #lastRunTime = 0
  #previousOffset = 0
  #maxBlock = -1
  count = 0

  constructor(dictionary: DictionaryWriter) {
    this.#dictionary = dictionary
    this.begin(0)
  }

  /// Starts the delta that covers offsets from `coversFrom` on.
  begin(coversFrom: number): void {
    this.#dictionary.begin()
    this.#names.clear()
    this.#rows.clear()
    this.#runs.clear()
    this.#rowWriter.begin(0)
    this.#runCount = 0
    this.#runRows = 0
    this.#lastRunTime = 0
    this.#previousOffset = coversFrom
    this.#maxBlock = -1
    this.count = 0
  }

  add(index: number, rows: Block, row: number, logTimeMs: number): void {
    if (logTimeMs !== this.#runTime || this.#runRows === 0) {
      this.#endRun()
      this.#runTime = logTimeMs
    }
    this.#runRows++
    const pair = (rows.pairSide[row] as number) >> 1
    this.#rowWriter.write(this.#rows, rows, row, this.#dictionary.number(pair, this.#names), true)
    const offset = rows.offset[row] as number
    this.#rows.varint(offset - this.#previousOffset)
    this.#previousOffset = offset
    if (index > this.#maxBlock) this.#maxBlock = index
    this.count++
  }

  get maxBlock(): number {
    return this.#maxBlock
  }

  payload(fates: Readonly<FateCounts>): Uint8Array {
    this.#endRun()
    const out = new ByteWriter(this.#names.length + this.#rows.length + this.#runs.length + 128)
    out.uint8(DELTA_VERSION)
    for (const name of fateNames) out.varint(fates[name])
    out.varint(this.#dictionary.size)
    out.raw(this.#names.bytes.subarray(0, this.#names.length))
    out.varint(this.#runCount)
    out.raw(this.#runs.bytes.subarray(0, this.#runs.length))
    out.varint(this.count)
    out.raw(this.#rows.bytes.subarray(0, this.#rows.length))
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

/// Reads a delta. `each` gets a row in `scratch` (row 0, offset set) and its log time; returns the fate totals.
export function readDelta(
  payload: Uint8Array,
  coversFrom: number,
  interner: Interner,
  scratch: Block,
  each: (logTimeMs: number) => void,
): FateCounts {
  const reader = new ByteReader(payload)
  const version = reader.uint8()
  invariant(version === DELTA_VERSION, `deltas are of version ${DELTA_VERSION}, found ${version}`)
  const fates: FateCounts = { accepted: 0, duplicate: 0, late: 0, early: 0, invalid: 0, conflict: 0 }
  for (const name of fateNames) fates[name] = reader.varint()
  const dictionary = new Dictionary()
  dictionary.read(reader, reader.varint(), interner)
  const runs: { rows: number; time: number }[] = []
  let time = 0
  for (let count = reader.varint(); count > 0; count--) {
    const rows = reader.varint()
    time += reader.varint()
    runs.push({ rows, time })
  }
  const rowReader = new RowReader()
  rowReader.begin(0)
  let offset = coversFrom
  let left = reader.varint()
  for (const run of runs) {
    for (let i = 0; i < run.rows; i++) {
      scratch.clear()
      const row = scratch.append(0)
      rowReader.read(reader, scratch, row, dictionary.pairs, interner.tokenOfPair, true)
      offset += reader.varint()
      scratch.offset[row] = offset
      each(run.time)
      left--
    }
  }
  invariant(left === 0 && reader.done, 'a delta holds the rows it announces')
  return fates
}
