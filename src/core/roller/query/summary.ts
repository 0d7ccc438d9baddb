/// What a token's swaps of a block come to, or of a span of many blocks, for whoever asks about a stretch that holds
/// all of it. Summaries are kept in memory (summaries.ts): the parts that are in one never change, and when one is added, for
/// swaps that came late, it is made again (summarizing.ts).

import type { Block } from '../rows/block.js'
import { ByteReader, ByteWriter } from '../storage/bytes.js'
import { NO_ID, RowColumnsReader, RowColumnsWriter } from '../storage/row-columns.js'
import type { RunSums } from '../storage/run-sums.js'
import type { SortedSizes } from './sorted-sizes.js'
import type { TraderList } from './trader-list.js'

/// Objects and heads of arrays, roughly.
const FIXED_BYTES = 1200

/// Of a block.
export interface BlockSummary {
  /// Parts of the block whose rows are in it: the first ones.
  readonly parts: number
  /// Of a block that is not on disk yet, rows that were looked at: the first ones, of all tokens.
  readonly hotRows: number
  /// Swaps in it.
  readonly count: number
  readonly sums: RunSums
  readonly traders: TraderList
  readonly sizes: SortedSizes
  /// Null where only rows can tell.
  readonly largest: LargestRows | null
}

/// Of a span: the blocks from `first` on, SPAN in number.
export interface SpanSummary {
  /// Of each of its blocks.
  readonly parts: readonly number[]
  readonly count: number
  readonly sums: RunSums
  readonly traders: TraderList
  /// The first and the last block with a swap of known price; -1 without one.
  readonly firstPriced: number
  readonly lastPriced: number
}

export function bytesOf(summary: BlockSummary | SpanSummary): number {
  const { traders } = summary
  if (!('sizes' in summary)) return FIXED_BYTES + traders.bytes
  return FIXED_BYTES + traders.bytes + summary.sizes.bytes + (summary.largest?.bytes ?? 0)
}

/// So many of the largest swaps of a block are kept whole: questions seldom want more.
const LARGEST_ROWS = 16
const WRITER = new RowColumnsWriter(NO_ID)
const READER = new RowColumnsReader(NO_ID)

/// The largest swaps of a block, in chain order: of equal ones, the newer.
export class LargestRows {
  readonly #bytes: Uint8Array
  readonly #beginMs: number
  readonly #size: number
  /// No other swap is larger.
  readonly least: number
  /// They are all the swaps that there are.
  readonly #isAll: boolean

  /// Of the rows of a run, which are in chain order and begin at `beginMs` or later.
  constructor(rows: Block, beginMs: number) {
    const { usd } = rows
    const largest: number[] = []
    for (let row = rows.rows - 1; row >= 0; row--) {
      const size = usd[row] as number
      let at = largest.length
      if (at === LARGEST_ROWS && size <= (usd[largest[at - 1] as number] as number)) continue
      while (at > 0 && (usd[largest[at - 1] as number] as number) < size) at--
      largest.splice(at, 0, row)
      if (largest.length > LARGEST_ROWS) largest.length = LARGEST_ROWS
    }
    this.least = usd[largest.at(-1) ?? 0] as number
    this.#isAll = largest.length === rows.rows
    this.#size = largest.length
    this.#beginMs = beginMs
    WRITER.begin(beginMs)
    for (const row of largest.sort((a, b) => a - b))
      WRITER.add(rows, row, (rows.pairSide[row] as number) >> 1)
    const out = new ByteWriter(64 * LARGEST_ROWS)
    WRITER.finish(out)
    this.#bytes = out.take()
  }

  get bytes(): number {
    return this.#bytes.length
  }

  /// Whether the `wanted` largest of the block's swaps above a size are among them.
  isEnough(wanted: number, above: number): boolean {
    return this.#isAll || wanted <= LARGEST_ROWS || this.least <= above
  }

  /// Puts them in place of what `rows` holds; of columns, only what RowColumnsReader reads.
  read(rows: Block): void {
    const size = this.#size
    const reader = new ByteReader(this.#bytes)
    rows.hold(size)
    READER.readPairs(reader, size, rows, 0, null)
    READER.readTimes(reader, size, rows, 0, this.#beginMs)
    READER.readValues(reader, size, rows, 0)
    READER.readPlaces(reader, size, rows, 0)
  }
}
