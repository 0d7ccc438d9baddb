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
import type { RunReader } from '../storage/run-reader.js'
import type { TokenSummaries } from './summaries.js'
import type { BlockSummary, SpanSummary } from './summary.js'

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

/// Of a question that is answered in steps. `expired` when a block was taken away from memory, or left the retention, since the
/// beginning: then the question has to be asked again.
export type Step = 'more' | 'done' | 'expired'

export type VisitRow = (rows: Block, row: number) => void

/// What is in a summary of a block.
export type Looked = Pick<BlockSummary, 'parts' | 'hotRows'>

/// A span that has a summary, with relative ticks of its first and last slice, and the first of its blocks in the scan, by its
/// place.
export interface ScannedSpan {
  readonly summary: SpanSummary
  readonly begin: number
  readonly last: number
  readonly from: number
}

export class TokenScan {
  readonly #ledger: Ledger
  readonly #token: number
  readonly #summaries: TokenSummaries
  /// Oldest first.
  readonly blocks: readonly ScannedBlock[]
  /// Where there are spans: how many parts every block had at the beginning, also those without swaps of the token, from the
  /// first one's span on.
  readonly #partCounts: Uint16Array
  #firstCounted = 0

  /// The swaps with after < tick ≤ to, in relative ticks: whole blocks, of which those at the ends hold others too.
  constructor(ledger: Ledger, token: number, summaries: TokenSummaries, after: number, to: number) {
    this.#ledger = ledger
    this.#token = token
    this.#summaries = summaries
    this.blocks = to > after ? this.#between(after + 1, to) : []
    this.#partCounts = summaries.isEmpty ? new Uint16Array(0) : this.#countParts()
  }

  /// Whether a block has left the retention since the beginning, and with it perhaps names: what the scan has found is
  /// then of no use. So it is when a block has moved to disk.
  get isExpired(): boolean {
    const oldest = this.blocks[0]
    return oldest !== undefined && !this.#isKept(oldest)
  }

  /// What the rows of a block's first parts come to, or its first rows in memory; null where that is not known, and rows are to
  /// be read.
  summaryOf(block: ScannedBlock): BlockSummary | null {
    const summary = this.#summaries.block(block.entry.index)
    if (summary === undefined || summary.parts > 0 !== (block.hot === null)) return null
    // One that was made meanwhile may hold what came after the beginning.
    return summary.parts <= block.parts && summary.hotRows <= block.hotRows ? summary : null
  }

  /// Whether a summary holds all rows of the block.
  isAll({ parts, hotRows, late }: ScannedBlock, summary: BlockSummary): boolean {
    return summary.parts === parts && summary.hotRows === hotRows && late === null
  }

  /// The span that ends with the block at a place, with all that its blocks' parts hold; null where that is not known.
  spanEndingAt(place: number): ScannedSpan | null {
    const { spanBlocks } = this.#summaries.limits
    const index = Math.floor(this.#indexAt(place) / spanBlocks)
    const summary = this.#summaries.span(index)
    if (summary === undefined || Math.floor(this.#indexAt(place + 1) / spanBlocks) === index) return null
    const counted = index * spanBlocks - this.#firstCounted
    if (!summary.parts.every((parts, i) => this.#partCounts[counted + i] === parts)) return null
    let from = place
    while (Math.floor(this.#indexAt(from - 1) / spanBlocks) === index) from--
    const { slices } = this.#ledger
    const begin = slices.beginOf(index * spanBlocks)
    return { summary, begin, last: slices.beginOf((index + 1) * spanBlocks) - 1, from }
  }

  /// Visits the token's rows of a block, in any order, but for those that a summary holds: all of their values but places and
  /// ids, or only who, time and size. False when the block has moved meanwhile.
  visitRows(block: ScannedBlock, but: Looked | null, values: 'all' | 'sizes', visit: VisitRow): boolean {
    if (!this.#isKept(block)) return false
    this.visitParts(block, but?.parts ?? 0, values, visit)
    this.visitInMemory(block, but?.hotRows ?? 0, visit)
    return true
  }

  /// Those that are in memory; where all of the block is, from the `from`-th row on.
  visitInMemory({ hot, hotRows, late }: ScannedBlock, from: number, visit: VisitRow): void {
    for (let row = from; row < hotRows; row++) if (hot?.token[row] === this.#token) visit(hot, row)
    for (let row = 0; row < (late?.rows ?? 0); row++) if (late !== null) visit(late, row)
  }

  /// Those that are on disk, in parts from the `from`-th on.
  visitParts(block: ScannedBlock, from: number, values: 'all' | 'sizes', visit: VisitRow): void {
    for (let part = from; part < block.parts; part++) {
      const run = this.#ledger.parts.runOf(block.entry.index, this.#token, part)
      if (run === null) continue
      if (values === 'all') run.readRows(false)
      else run.readSizes()
      for (let row = 0; row < run.count; row++) visit(run.rows, row)
    }
  }

  /// The token's rows of a part of a block, as far as RunReader.seek reads it; null without any.
  runOf(block: ScannedBlock, part: number): RunReader | null {
    return this.#ledger.parts.runOf(block.entry.index, this.#token, part)
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
    const late = this.#readLateParts(block)
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
      parts: onDisk ? this.#ledger.parts.countOf(entry.index) : 0,
      hot: onDisk ? null : rows,
      hotRows: onDisk ? 0 : (rows?.rows ?? 0),
      late: onDisk && rows !== null ? copyToken(rows, this.#token, null) : null,
    }
  }

  #countParts(): Uint16Array {
    const first = this.blocks[0]?.entry.index ?? 0
    const last = this.blocks.at(-1)?.entry.index ?? 0
    const { spanBlocks } = this.#summaries.limits
    const begin = first - (first % spanBlocks)
    this.#firstCounted = begin
    const { slices, parts } = this.#ledger
    return Uint16Array.from({ length: last - begin + spanBlocks }, (_, i) =>
      slices.get(begin + i)?.onDisk === true ? parts.countOf(begin + i) : 0,
    )
  }

  /// The index of the block at a place, or NaN.
  #indexAt(place: number): number {
    return this.blocks[place]?.entry.index ?? Number.NaN
  }

  #isKept({ entry, hot }: ScannedBlock): boolean {
    return this.#ledger.slices.get(entry.index) === entry && (hot === null || entry.rows === hot)
  }

  /// The token's rows of all parts but the first; null without any.
  #readLateParts({ entry, parts }: ScannedBlock): Block | null {
    let rows: Block | null = null
    for (let part = 1; part < parts; part++) {
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
