/// A question about one token that the configured windows do not answer, taken in steps: any stretches of event time,
/// the sizes of swaps, the largest ones, the traders.
///
/// One scan answers everything that is asked at once. All of it is as of one state of the machine: its version is that
/// of the beginning.
///
/// What the order of swaps does not change is added up block by block, the newest first: from summaries (summaries.ts) of spans and blocks
/// that lie whole in a stretch, else from rows. Then the median is looked for (trade-sizes.ts), then when the traders at the top
/// were seen last (top-traders.ts), and the blocks at the ends of each stretch are looked at in chain order (stretch-ends.ts).

import { FIELDS_PER_WINDOW } from '../../stats.js'
import { type EpochMs, epochMs, type Offset, type Tick } from '../../units.js'
import type { Ledger } from '../ledger.js'
import { BLOCK_TICKS, Block } from '../rows/block.js'
import type { PairTable } from './pair-table.js'
import { StretchEnds } from './stretch-ends.js'
import { StretchSums } from './stretch-sums.js'
import type { BlockSummary } from './summary.js'
import { swapsOf } from './swaps-of.js'
import { type ScannedBlock, type ScannedSpan, type Step, TokenScan } from './token-scan.js'
import { type ScannedTrader, TopTraders } from './top-traders.js'
import { type ScannedTrade, TradeLists } from './trade-lists.js'
import { TradeSizes } from './trade-sizes.js'
import type { TraderList } from './trader-list.js'
import { WhoTraded } from './who-traded.js'

/// The swaps with after < tick ≤ to.
export interface Stretch {
  readonly after: Tick
  readonly to: Tick
}

export interface TokenQuestion {
  /// Statistics of each of them.
  readonly stretches: readonly Stretch[]
  /// Stretches of which the median size is wanted, by index.
  readonly medians: readonly number[]
  /// How many of the largest and of the newest swaps, and of the traders with the most volume, of the first stretch are
  /// wanted.
  readonly largest: number
  readonly newest: number
  readonly traders: number
}

export interface TokenFindings {
  /// Every record of the log below was rolled.
  readonly offset: Offset
  /// stretches × FIELDS_PER_WINDOW, as TokenStats.cells.
  readonly cells: Float64Array
  /// The two sizes in the middle of each stretch of `medians`, in micro-dollars; null without swaps.
  readonly medians: readonly (readonly [number, number] | null)[]
  readonly largest: readonly ScannedTrade[]
  /// Newest first, in descending chain order.
  readonly newest: readonly ScannedTrade[]
  readonly traders: readonly ScannedTrader[]
  /// Over all stretches; null and NaN without swaps.
  readonly firstSeen: EpochMs | null
  readonly lastSeen: EpochMs | null
  /// The last known price over all stretches.
  readonly price: number
}

export class TokenQuery {
  readonly #question: TokenQuestion
  readonly #offset: Offset
  readonly #scan: TokenScan
  /// The token's traders.
  readonly #numbers: PairTable
  /// By stretch, in relative ticks.
  readonly #after: readonly number[]
  readonly #to: readonly number[]
  readonly #sums: readonly StretchSums[]
  readonly #sizes = new Map<number, TradeSizes>()
  readonly #ends: StretchEnds
  /// Of the first stretch.
  readonly #traders: TopTraders | null
  readonly #lists: TradeLists
  /// The largest swap of the block that was added last, in the first stretch; -1 without one there.
  #largestUsd = -1
  /// Stretches that hold the slices of the block that was looked at last, as far as they were looked for.
  readonly #active = new Array<readonly number[] | null>(BLOCK_TICKS).fill(null)
  #activeBegin = Number.NaN
  /// Those of a summary, for many stretches.
  readonly #who = new WhoTraded(0)
  readonly #fewRows = new Block(16)
  #endBlocks: number[] | null = null
  #phase: 'sums' | 'sizes' | 'traders' | 'ends' = 'sums'
  /// Blocks that are still to be added, newest first: the place of the one that is being added.
  #left: number
  /// Swaps that were looked at, in whatever way.
  rows = 0

  constructor(ledger: Ledger, token: number, origin: number, offset: Offset, question: TokenQuestion) {
    this.#question = question
    this.#offset = offset
    this.#after = question.stretches.map(({ after }) => after - origin)
    this.#to = question.stretches.map(({ to }) => to - origin)
    const pairs = ledger.view.tokens.pairs[token] as number
    const summaries = ledger.summaries.use(token, pairs, swapsOf(ledger, token))
    this.#numbers = summaries.numbers
    this.#scan = new TokenScan(ledger, token, summaries, Math.min(...this.#after), Math.max(...this.#to))
    this.#left = this.#scan.blocks.length
    this.#sums = question.stretches.map(() => new StretchSums())
    this.#ends = new StretchEnds(question.stretches.length)
    for (const index of question.medians) this.#sizes.set(index, new TradeSizes())
    this.#traders = question.traders > 0 ? new TopTraders(ledger, this.#numbers, question.traders) : null
    this.#lists = new TradeLists(ledger, question)
  }

  /// Goes on for a block or a span.
  step(): Step {
    if (this.#scan.isExpired) return 'expired'
    switch (this.#phase) {
      case 'sums':
        return this.#stepSums()
      case 'sizes':
        if ([...this.#sizes.values()].every(sizes => sizes.step())) this.#phase = 'traders'
        return 'more'
      case 'traders':
        return this.#stepTraders()
      default:
        return this.#stepEnds()
    }
  }

  /// In the same turn as the step that was the last.
  findings(): TokenFindings {
    const cells = new Float64Array(this.#sums.length * FIELDS_PER_WINDOW)
    const ends = this.#ends.found
    for (const [i, found] of ends.entries()) this.#sums[i]?.write(cells, i * FIELDS_PER_WINDOW, found)
    const firstMs = Math.min(...ends.map(({ firstMs }) => firstMs))
    const lastMs = Math.max(...ends.map(({ lastMs }) => lastMs))
    return {
      offset: this.#offset,
      cells,
      medians: this.#question.medians.map(index => this.#sizes.get(index)?.middle() ?? null),
      largest: this.#lists.largest,
      newest: this.#lists.newest,
      traders: this.#traders?.found() ?? [],
      firstSeen: Number.isFinite(firstMs) ? epochMs(firstMs) : null,
      lastSeen: Number.isFinite(lastMs) ? epochMs(lastMs) : null,
      price: this.#ends.lastPrice,
    }
  }

  #stepSums(): Step {
    const block = this.#scan.blocks[--this.#left]
    if (block === undefined) {
      this.#phase = 'sizes'
      return 'more'
    }
    const span = this.#scan.spanEndingAt(this.#left)
    if (span !== null) {
      const active = this.#overlapping(span.begin, span.last)
      if (active.every(i => this.#isWithin(i, span.begin, span.last))) {
        return this.#addSpan(span, active) ? 'more' : 'expired'
      }
    }
    return this.#add(block) ? 'more' : 'expired'
  }

  /// Adds a span that lies whole in the active stretches. False when a block has been taken away.
  #addSpan({ summary, from }: ScannedSpan, active: readonly number[]): boolean {
    const last = this.#left
    this.rows += summary.count
    this.#addWho(summary.traders, active)
    for (const i of active) {
      this.#sums[i]?.addSums(summary.sums)
      this.#ends.note(i, from, false)
      this.#ends.note(i, last, false)
    }
    if (active.includes(0)) this.#traders?.addAll(summary.traders, last)
    const isSized = active.some(i => this.#sizes.has(i))
    const isListed =
      active.includes(0) && (this.#lists.missing > 0 || summary.sums.largest > this.#lists.least)
    for (; this.#left >= from; this.#left--) {
      const block = this.#scan.blocks[this.#left]
      if (block === undefined) break
      const { index } = block.entry
      if (index === summary.firstPriced || index === summary.lastPriced) {
        for (const i of active) this.#ends.note(i, this.#left, true)
      }
      const known = (isSized || isListed) && block.hot === null ? this.#scan.summaryOf(block) : null
      if (isSized) this.#addSizes(block, known, active)
      const isKnown = known !== null && known.parts === block.parts
      this.#largestUsd = isListed ? (isKnown ? known : summary).sums.largest : -1
      if (!this.#addLate(block, block.parts, 0) || !this.#list(block, known)) return false
    }
    this.#left = from
    return true
  }

  /// Adds a block. False when it has been taken away.
  #add(block: ScannedBlock): boolean {
    const { begin, last } = block
    const active = this.#overlapping(begin, last)
    if (active.length === 0) return true
    this.#largestUsd = -1
    const isWhole = active.every(i => this.#isWithin(i, begin, last))
    const summary = isWhole ? this.#scan.summaryOf(block) : null
    if (summary !== null) this.#addSummary(summary, active)
    else if (isWhole) for (let part = 0; part < block.parts; part++) this.#addRun(block, part, active)
    else this.#scan.visitParts(block, 0, 'all', (rows, row) => this.#addRow(rows, row, begin))
    return (
      this.#addLate(block, summary?.parts ?? block.parts, summary?.hotRows ?? 0) && this.#list(block, summary)
    )
  }

  /// Adds what some swaps of a block come to that lies whole in the active stretches.
  #addSummary(summary: BlockSummary, active: readonly number[]): void {
    this.rows += summary.count
    this.#addWho(summary.traders, active)
    for (const i of active) {
      this.#sums[i]?.addSums(summary.sums)
      this.#sizes.get(i)?.addAll(summary.sizes)
      this.#ends.note(i, this.#left, summary.sums.pricedSlot >= 0)
    }
    if (!active.includes(0)) return
    this.#largestUsd = summary.sums.largest
    this.#traders?.addAll(summary.traders, this.#left)
  }

  /// Adds the rows of a block in parts from the `parts`-th on, and of those in memory all, or, where all of the block is, those
  /// from the `hotRows`-th on. False when the block has been taken away.
  #addLate(block: ScannedBlock, parts: number, hotRows: number): boolean {
    const { begin } = block
    return this.#scan.visitRows(block, { parts, hotRows }, 'all', (rows, row) =>
      this.#addRow(rows, row, begin),
    )
  }

  /// Adds a part of a block that lies whole in the active stretches: of a long run its sums are there.
  #addRun(block: ScannedBlock, part: number, active: readonly number[]): void {
    const run = this.#scan.runOf(block, part)
    if (run === null) return
    const { rows, count, sums } = run
    if (!run.isSummed) {
      run.readRows(false)
      for (let row = 0; row < count; row++) this.#addRow(rows, row, block.begin)
      return
    }
    this.rows += count
    if (active.includes(0) && sums.largest > this.#largestUsd) this.#largestUsd = sums.largest
    for (const i of active) {
      this.#sums[i]?.addSums(sums)
      this.#ends.note(i, this.#left, sums.pricedSlot >= 0)
    }
    const traders = active.includes(0) ? this.#traders : null
    const sized = active.flatMap(i => this.#sizes.get(i) ?? [])
    if (traders !== null || sized.length > 0) run.readSizes()
    for (let row = 0; row < count; row++) {
      const value = rows.pairSide[row] as number
      const trader = this.#numbers.numberOf(value >> 1)
      for (const i of active) this.#sums[i]?.who.add(trader, value)
      for (const sizes of sized) sizes.add(rows.usd[row] as number)
      traders?.add(rows, row, trader, this.#left)
    }
  }

  #addRow(rows: Block, row: number, begin: number): void {
    const active = this.#activeAt(begin, rows.slot[row] as number)
    if (active.length === 0) return
    this.rows++
    const trader = this.#numbers.numberOf((rows.pairSide[row] as number) >> 1)
    const isPriced = !Number.isNaN(rows.price[row] as number)
    for (const i of active) {
      this.#sums[i]?.add(rows, row, trader)
      this.#ends.note(i, this.#left, isPriced)
      if (this.#sizes.size > 0) this.#sizes.get(i)?.add(rows.usd[row] as number)
      if (i > 0) continue
      this.#traders?.add(rows, row, trader, this.#left)
      if ((rows.usd[row] as number) > this.#largestUsd) this.#largestUsd = rows.usd[row] as number
    }
  }

  /// Says of all active stretches who traded.
  #addWho(traders: TraderList, active: readonly number[]): void {
    // Where the first stretch's traders are wanted, their sums tell who it was (#stepTraders).
    const untold = this.#traders === null ? active : active.filter(i => i > 0)
    const only = untold.length === 1 ? this.#sums[untold[0] ?? 0] : undefined
    if (only !== undefined) {
      traders.addWho(only.who)
      return
    }
    if (untold.length === 0) return
    this.#who.clear()
    traders.addWho(this.#who)
    for (const i of untold) this.#sums[i]?.who.addAll(this.#who)
  }

  /// Adds the sizes of the parts of a block that lies whole in the active stretches.
  #addSizes(block: ScannedBlock, summary: BlockSummary | null, active: readonly number[]): void {
    const sized = active.flatMap(i => this.#sizes.get(i) ?? [])
    if (summary !== null) for (const sizes of sized) sizes.addAll(summary.sizes)
    this.#scan.visitParts(block, summary?.parts ?? 0, 'sizes', ({ usd }, row) => {
      for (const sizes of sized) sizes.add(usd[row] as number)
    })
  }

  #stepTraders(): Step {
    const step = this.#traders?.step(this.#scan, ({ begin }, rows, row) =>
      this.#holds(0, begin + (rows.slot[row] as number)),
    )
    if (step === 'more' || step === 'expired') return step
    const first = this.#sums[0]
    if (first !== undefined) this.#traders?.addWho(first.who)
    this.#phase = 'ends'
    return 'more'
  }

  #stepEnds(): Step {
    this.#endBlocks ??= this.#ends.blocks()
    const at = this.#endBlocks.pop()
    if (at === undefined) return 'done'
    const block = this.#scan.blocks[at]
    const chain = block === undefined ? null : this.#scan.chainOf(block, () => true)
    if (block === undefined || chain === null) return 'expired'
    const { slot } = chain.rows
    this.#ends.read(at, chain, (i, row) => this.#holds(i, block.begin + (slot[row] as number)))
    return 'more'
  }

  /// Stretches that hold some of the ticks.
  #overlapping(begin: number, last: number): number[] {
    const found: number[] = []
    for (let i = 0; i < this.#after.length; i++) {
      if ((this.#after[i] as number) < last && (this.#to[i] as number) >= begin) found.push(i)
    }
    return found
  }

  #isWithin(stretch: number, begin: number, last: number): boolean {
    return (this.#after[stretch] as number) < begin && (this.#to[stretch] as number) >= last
  }

  #holds(stretch: number, tick: number): boolean {
    return tick > (this.#after[stretch] as number) && tick <= (this.#to[stretch] as number)
  }

  /// The stretches that hold a slice of the block: many rows share one.
  #activeAt(begin: number, slot: number): readonly number[] {
    if (begin !== this.#activeBegin) {
      this.#activeBegin = begin
      this.#active.fill(null)
    }
    const known = this.#active[slot] ?? null
    if (known !== null) return known
    const active = this.#after.flatMap((_, i) => (this.#holds(i, begin + slot) ? [i] : []))
    this.#active[slot] = active
    return active
  }

  /// Goes on with the lists of the first stretch. False when the block has been taken away. Of one that lies whole in it the
  /// summary may be known.
  #list(block: ScannedBlock, summary: BlockSummary | null): boolean {
    const { missing, least } = this.#lists
    if (this.#largestUsd < 0 || (missing === 0 && this.#largestUsd <= least)) return true
    const rows = missing > 0 ? null : this.#largestOf(block, summary, least)
    if (rows !== null) {
      const found = Array.from({ length: rows.rows }, (_, i) => rows.rows - 1 - i)
      this.#lists.take(rows, found)
      return true
    }
    const isWanted = (rows: Block, row: number) =>
      (missing > 0 || (rows.usd[row] as number) > least) &&
      this.#holds(0, block.begin + (rows.slot[row] as number))
    const chain = this.#scan.chainOf(block, isWanted)
    if (chain === null) return false
    const found: number[] = []
    for (let i = chain.order.length - 1; i >= 0; i--) {
      const row = chain.order[i] as number
      if (isWanted(chain.rows, row)) found.push(row)
    }
    this.#lists.take(chain.rows, found)
    return true
  }

  /// Of a block that lies whole in the first stretch, the swaps that may be among the largest, in chain order; null where only
  /// its rows tell.
  #largestOf(block: ScannedBlock, summary: BlockSummary | null, least: number): Block | null {
    const known = summary?.parts === block.parts ? summary.largest : null
    if (known === null || !known.isEnough(this.#question.largest, least)) return null
    const { late } = block
    for (let row = 0; row < (late?.rows ?? 0); row++) {
      if ((late?.usd[row] as number) > least) return null
    }
    known.read(this.#fewRows)
    return this.#fewRows
  }
}
