/// Reads a data piece of a part run by run: a token's rows, as far as they are wanted.

import { invariant } from '../../invariant.js'
import { BLOCK_TICKS, Block, WITHOUT_ID } from '../rows/block.js'
import type { Pairs } from '../tables/pairs.js'
import { ByteReader } from './bytes.js'
import { NO_ID, RowColumnsReader } from './row-columns.js'
import { RunSums, SUMMED_ROWS } from './run-sums.js'

const NOTHING = new Uint8Array(0)

export class RunReader {
  /// The rows of the run that was read last, 0 … count − 1: those columns that were read.
  readonly rows = new Block(256)
  /// What they come to, if `isSummed`.
  readonly sums = new RunSums()
  token = -1
  count = 0
  isSummed = false
  readonly #resolutionMs: number
  readonly #pairs: Pairs
  readonly #columns = new RowColumnsReader(NO_ID)
  #reader = new ByteReader(NOTHING)
  #beginMs = 0
  #localPairs: Int32Array = new Int32Array(0)
  #end = 0
  #hasTimes = false

  constructor(resolutionMs: number, pairs: Pairs) {
    this.#resolutionMs = resolutionMs
    this.#pairs = pairs
  }

  /// Stands before the first run of a piece of a block; `localPairs` are its dictionary’s.
  begin(piece: Uint8Array, block: number, localPairs: Int32Array): void {
    this.#reader = new ByteReader(piece)
    this.#beginMs = block * BLOCK_TICKS * this.#resolutionMs
    this.#localPairs = localPairs
    this.#end = 0
  }

  /// Goes to the next run; reads its sums, and who traded on which side. False after the last one.
  next(): boolean {
    const reader = this.#reader
    reader.at = this.#end
    if (reader.done) return false
    // The hash, which is of use only to those who look for a token.
    reader.varint()
    this.#enter()
    return true
  }

  /// Goes to the run of a token, given the hash of its name and that of the piece's first one. False if it has none here.
  seek(token: number, hash: number, firstHash: number): boolean {
    const reader = this.#reader
    for (let at = firstHash; ; ) {
      reader.at = this.#end
      if (reader.done) return false
      at += reader.varint()
      if (at > hash) return false
      if (at === hash) {
        this.#enter()
        if (this.token === token) return true
        continue
      }
      reader.varint()
      const length = reader.varint()
      this.#end = reader.at + length
    }
  }

  /// Reads the times; only once each run.
  readTimes(): void {
    if (this.#hasTimes) return
    this.#hasTimes = true
    const { rows, count } = this
    const beginMs = this.#beginMs
    this.#columns.readTimes(this.#reader, count, rows, 0, beginMs)
    const { slot, timeMs } = rows
    for (let row = 0; row < count; row++) slot[row] = ((timeMs[row] as number) - beginMs) / this.#resolutionMs
  }

  /// Reads the times and the sizes; only once each run, and not before `readRows`.
  readSizes(): void {
    this.readTimes()
    this.#columns.readUsd(this.#reader, this.count, this.rows, 0)
  }

  /// Reads the rest: all of the row but its fingerprint, and its place in the chain only if asked for.
  readRows(withPlaces: boolean): void {
    const { rows, count } = this
    this.readSizes()
    this.#columns.readAmounts(this.#reader, count, rows, 0)
    rows.token.fill(this.token, 0, count)
    rows.offset.fill(WITHOUT_ID, 0, count)
    if (!withPlaces) return
    this.#columns.readPlaces(this.#reader, count, rows, 0)
    invariant(this.#reader.at === this.#end, 'a run holds the rows it announces')
  }

  #enter(): void {
    const reader = this.#reader
    const count = reader.varint()
    const length = reader.varint()
    this.#end = reader.at + length
    this.count = count
    this.isSummed = count >= SUMMED_ROWS
    this.#hasTimes = false
    this.rows.hold(count)
    if (this.isSummed) this.sums.read(reader, count)
    this.#columns.readPairs(reader, count, this.rows, 0, this.#localPairs)
    this.token = this.#pairs.token((this.rows.pairSide[0] as number) >> 1)
  }
}
