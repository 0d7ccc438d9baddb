/// What a token's swaps of a block on disk come to, for whoever asks about a stretch that holds the whole block: their
/// sums, and who traded. It is kept in memory (summaries.ts), for a block's parts never change; when one is added, for swaps
/// that came late, its rows are added here.

import type { Block } from '../rows/block.js'
import type { RunReader } from '../storage/run-reader.js'
import type { RunSums } from '../storage/run-sums.js'
import type { PairTable } from './pair-table.js'
import { WhoTraded } from './who-traded.js'

/// Runs of fewer rows have no summary: reading them takes less than keeping it is worth.
export const SUMMARY_ROWS = 256

/// Objects and heads of arrays, roughly.
const FIXED_BYTES = 600

export class BlockSummary {
  readonly sums: RunSums
  readonly who: WhoTraded
  /// Swaps in it.
  count: number
  /// Parts of the block whose rows are in it: the first ones.
  parts = 1

  /// Of rows of the base part, and what they come to.
  constructor(sums: RunSums, pairSide: Int32Array, count: number, numbers: PairTable) {
    this.sums = sums.copy()
    this.count = count
    for (let row = 0; row < count; row++) numbers.numberOf((pairSide[row] as number) >> 1)
    this.who = new WhoTraded(numbers.size)
    for (let row = 0; row < count; row++) {
      const value = pairSide[row] as number
      this.who.add(numbers.numberOf(value >> 1), value)
    }
  }

  static ofRun({ sums, rows, count }: RunReader, numbers: PairTable): BlockSummary {
    return new BlockSummary(sums, rows.pairSide, count, numbers)
  }

  /// Adds the rows of further parts, up to the first `parts` of the block.
  addLate(rows: Block | null, parts: number, numbers: PairTable): void {
    this.parts = parts
    if (rows === null) return
    this.count += rows.rows
    for (let row = 0; row < rows.rows; row++) {
      this.sums.add(rows, row)
      const value = rows.pairSide[row] as number
      this.who.add(numbers.numberOf(value >> 1), value)
    }
  }

  /// Bytes that the cache has counted for it.
  charged = 0

  get bytes(): number {
    return FIXED_BYTES + this.who.bytes
  }
}
