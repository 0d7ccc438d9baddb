/// The accepted swaps of one token in a stretch of event time, block by block, newest first: what everything is computed
/// from that the configured windows do not hold.
///
/// A scan shows one state of the machine, that of its beginning, however much is rolled between its steps. Of a block in
/// the hot range it remembers how many rows there were: rows are only ever appended. Of a block on disk it remembers how
/// many parts it had, and copies the rows that are in memory only: a token's are few.

import type { Ledger } from '../ledger.js'
import { BLOCK_TICKS, Block } from '../rows/block.js'
import { chainOrder, chainOrderOf } from '../slices/block-runs.js'
import { type BlockEntry, copyToken } from '../slices/slices.js'
import { BlockSummary, SUMMARY_ROWS } from './block-summary.js'
import type { TokenSummaries } from './summaries.js'

/// A block that the scan comes to.
export interface ScannedBlock {
  readonly entry: BlockEntry
  /// Relative ticks of its first and last slice.
  readonly begin: number
  readonly last: number
  /// Parts on disk.
  readonly parts: number
  /// All rows of the block, of which the first `hotRows` are looked at; null when it is on disk.
  readonly hot: Block | null
  readonly hotRows: number
  /// Of a block on disk, the token's rows that are in memory only.
  readonly late: Block | null
}

/// Some rows, in an order: order[0], order[1], …
export interface OrderedRows {
  readonly rows: Block
  readonly order: ArrayLike<number>
}

export type VisitRow = (rows: Block, row: number) => void

export class TokenScan {
  readonly #ledger: Ledger
  readonly #token: number
  readonly #summaries: TokenSummaries
  /// Oldest first.
  readonly blocks: readonly ScannedBlock[]

  /// The swaps with after < tick ≤ to, in relative ticks: whole blocks, of which those at the ends hold others too.
  constructor(ledger: Ledger, token: number, summaries: TokenSummaries, after: number, to: number) {
    this.#ledger = ledger
    this.#token = token
    this.#summaries = summaries
    this.blocks = to > after ? this.#between(after + 1, to) : []
  }

  /// Whether a block has left the retention since the beginning, and with it perhaps names: what the scan has found is
  /// then of no use. So it is when a block has moved to disk.
  get isExpired(): boolean {
    const oldest = this.blocks[0]
    return oldest !== undefined && !this.#isKept(oldest)
  }

  /// What all rows of a block come to, but for those of `late`; null where that is not known, and rows are to be read.
  summaryOf(block: ScannedBlock): BlockSummary | null {
    if (block.hot !== null || block.parts === 0) return null
    const { parts, summaries } = this.#ledger
    const { numbers, byBlock } = this.#summaries
    const { index } = block.entry
    let summary = byBlock.get(index)
    // Another question has added what came after the beginning of this one.
    if (summary !== undefined && summary.parts > block.parts) return null
    if (summary?.parts === block.parts) return summary
    if (summary === undefined) {
      const run = parts.runOf(index, this.#token, 0)
      if (run === null || run.count < SUMMARY_ROWS) return null
      summary = BlockSummary.ofRun(run, numbers)
    }
    summary.addLate(this.#readParts(block, summary.parts), block.parts, numbers)
    summaries.keep(this.#token, this.#summaries, index, summary)
    return summary
  }

  /// Visits the token's rows of a block, in any order: all of their values but places and ids, or only who, time and size.
  /// False when the block has moved meanwhile.
  visitRows(block: ScannedBlock, values: 'all' | 'sizes', visit: VisitRow): boolean {
    if (!this.#isKept(block)) return false
    const { hot, hotRows, late } = block
    if (hot !== null) {
      const { token } = hot
      for (let row = 0; row < hotRows; row++) if (token[row] === this.#token) visit(hot, row)
      return true
    }
    this.visitParts(block, values, visit)
    if (late !== null) for (let row = 0; row < late.rows; row++) visit(late, row)
    return true
  }

  /// The same of those that are on disk.
  visitParts(block: ScannedBlock, values: 'all' | 'sizes', visit: VisitRow): void {
    for (let part = 0; part < block.parts; part++) {
      const run = this.#ledger.parts.runOf(block.entry.index, this.#token, part)
      if (run === null) continue
      if (values === 'all') run.readRows(false)
      else run.readSizes()
      for (let row = 0; row < run.count; row++) visit(run.rows, row)
    }
  }

  /// The token's rows of a block in chain order, with their places: those that are wanted, or more. They are the
  /// caller's until the next call. Null when the block has moved meanwhile.
  chainOf(block: ScannedBlock, wanted: (rows: Block, row: number) => boolean): OrderedRows | null {
    if (!this.#isKept(block)) return null
    const { hot, hotRows } = block
    if (hot !== null) {
      const which: number[] = []
      for (let row = 0; row < hotRows; row++) {
        if (hot.token[row] === this.#token && wanted(hot, row)) which.push(row)
      }
      return { rows: hot, order: chainOrderOf(hot, which) ?? [] }
    }
    const late = this.#readParts(block, 1)
    const run = block.parts > 0 ? this.#ledger.parts.runOf(block.entry.index, this.#token, 0) : null
    run?.readRows(true)
    // The rows of a run are in chain order.
    if (run !== null && late === null && block.late === null) {
      return { rows: run.rows, order: Array.from({ length: run.count }, (_, row) => row) }
    }
    const rows = new Block(256)
    for (const some of [run?.rows ?? null, late, block.late]) if (some !== null) rows.copyRows(some)
    return { rows, order: chainOrder(rows) ?? this.#orderWithIds(block, rows) }
  }

  #between(from: number, to: number): ScannedBlock[] {
    const { slices } = this.#ledger
    const { tokenBlocks } = slices
    const last = slices.blockOf(to)
    const found: ScannedBlock[] = []
    let node = tokenBlocks.from(this.#token, slices.blockOf(from))
    for (; node >= 0 && tokenBlocks.blockOf(node) <= last; node = tokenBlocks.next(node)) {
      const entry = slices.get(tokenBlocks.blockOf(node))
      if (entry !== undefined) found.push(this.#scanned(entry))
    }
    return found
  }

  #scanned(entry: BlockEntry): ScannedBlock {
    const { begin, rows, onDisk } = entry
    return {
      ...{ entry, begin, last: begin + BLOCK_TICKS - 1 },
      parts: onDisk ? this.#ledger.parts.piecesOf(entry.index).length : 0,
      hot: onDisk ? null : rows,
      hotRows: onDisk ? 0 : (rows?.rows ?? 0),
      late: onDisk && rows !== null ? copyToken(rows, this.#token, null) : null,
    }
  }

  #isKept({ entry, hot }: ScannedBlock): boolean {
    return this.#ledger.slices.get(entry.index) === entry && (hot === null || entry.rows === hot)
  }

  /// The token's rows of the parts from the `from`-th on; null without any.
  #readParts({ entry, parts }: ScannedBlock, from: number): Block | null {
    let rows: Block | null = null
    for (let part = from; part < parts; part++) {
      const run = this.#ledger.parts.runOf(entry.index, this.#token, part)
      if (run === null) continue
      run.readRows(true)
      rows ??= new Block(16)
      rows.copyRows(run.rows)
    }
    return rows
  }

  /// Fingerprints decide: never on a chain, but then exactly.
  #orderWithIds({ entry, parts, late }: ScannedBlock, rows: Block): readonly number[] {
    rows.clear()
    this.#ledger.parts.readWithIds(entry.index, parts, token => token === this.#token, rows)
    if (late !== null) rows.copyRows(late)
    return chainOrder(rows) ?? []
  }
}
