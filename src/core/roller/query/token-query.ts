/// A question about one token that the configured windows do not answer, taken in steps: any stretches of event time,
/// the sizes of swaps, the largest ones, the traders.
///
/// One scan answers everything that is asked at once. All of it is as of one state of the machine: its version is that
/// of the beginning.
///
/// What the order of swaps does not change is added up block by block: from summaries (summaries.ts) where a block lies whole in
/// a stretch, else from rows. Traders and medians want single swaps, of which then only who, when and how much is read. Then the blocks at the ends of each stretch are
/// looked at in chain order (stretch-ends.ts). A median of many swaps takes the rows a second time (trade-sizes.ts).

import { FIELDS_PER_WINDOW } from '../../stats.js'
import { type EpochMs, epochMs, type Offset, type Tick } from '../../units.js'
import type { Ledger } from '../ledger.js'
import type { Block } from '../rows/block.js'
import type { PairTable } from './pair-table.js'
import { StretchEnds } from './stretch-ends.js'
import { StretchSums } from './stretch-sums.js'
import { type ScannedBlock, TokenScan } from './token-scan.js'
import { TradeSizes } from './trade-sizes.js'
import { TraderSums } from './trader-sums.js'

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

/// One swap.
export interface ScannedTrade {
  readonly time: EpochMs
  readonly who: string
  readonly side: 'buy' | 'sell'
  /// Micro-dollars.
  readonly usd: number
  /// 10^-18 tokens = amountLow + amountMid × 10^12 + amountHigh × 10^27.
  readonly amountLow: number
  readonly amountMid: number
  readonly amountHigh: number
  /// NaN where unknown.
  readonly price: number
  /// -1 where the producer did not give it.
  readonly block: number
  readonly txIndex: number
  readonly logIndex: number
}

export interface ScannedTrader {
  readonly who: string
  /// Micro-dollars = low + high × 10^12.
  readonly buyUsd: number
  readonly buyUsdHigh: number
  readonly sellUsd: number
  readonly sellUsdHigh: number
  readonly buys: number
  readonly sells: number
  readonly lastSeen: EpochMs
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
  readonly #ledger: Ledger
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
  readonly #traders: TraderSums | null
  /// Of the block that was added last, in the first stretch; -1 without swaps there.
  #largestUsd = -1
  #largest: ScannedTrade[] = []
  /// Newest first.
  readonly #newest: ScannedTrade[] = []
  /// Stretches with swaps of the tick that was looked at last.
  #active: readonly number[] = []
  #activeTick = Number.NaN
  /// Stretches whose sizes are wanted in this pass.
  #sized: readonly number[]
  #endBlocks: number[] | null = null
  #phase: 'sums' | 'sizes' | 'ends' = 'sums'
  /// Blocks of the phase that are still to be looked at, newest first.
  #left: number
  /// Swaps that were looked at, in whatever way.
  rows = 0

  constructor(ledger: Ledger, token: number, origin: number, offset: Offset, question: TokenQuestion) {
    this.#ledger = ledger
    this.#question = question
    this.#offset = offset
    this.#after = question.stretches.map(({ after }) => after - origin)
    this.#to = question.stretches.map(({ to }) => to - origin)
    const summaries = ledger.summaries.use(token, ledger.view.tokens.pairs[token] as number)
    this.#numbers = summaries.numbers
    this.#scan = new TokenScan(ledger, token, summaries, Math.min(...this.#after), Math.max(...this.#to))
    this.#left = this.#scan.blocks.length
    this.#sums = question.stretches.map(() => new StretchSums())
    this.#ends = new StretchEnds(question.stretches.length)
    this.#sized = question.medians
    for (const index of question.medians) this.#sizes.set(index, new TradeSizes())
    this.#traders = question.traders > 0 ? new TraderSums(summaries.numbers) : null
  }

  /// Goes on for a block. `done` when all is found; `expired` when a block was taken away from memory, or left the
  /// retention, since the beginning: then the question has to be asked again.
  step(): 'more' | 'done' | 'expired' {
    if (this.#scan.isExpired) return 'expired'
    if (this.#phase === 'ends') return this.#stepEnds()
    const block = this.#scan.blocks[--this.#left]
    if (block !== undefined) {
      const isHere = this.#phase === 'sums' ? this.#add(block) : this.#addSizes(block)
      return isHere ? 'more' : 'expired'
    }
    this.#sized = this.#sized.filter(index => this.#sizes.get(index)?.endPass())
    this.#phase = this.#sized.length > 0 ? 'sizes' : 'ends'
    this.#left = this.#scan.blocks.length
    return 'more'
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
      largest: this.#largest,
      newest: this.#newest,
      traders: this.#topTraders(),
      firstSeen: Number.isFinite(firstMs) ? epochMs(firstMs) : null,
      lastSeen: Number.isFinite(lastMs) ? epochMs(lastMs) : null,
      price: this.#ends.lastPrice,
    }
  }

  /// Adds a block. False when it has been taken away.
  #add(block: ScannedBlock): boolean {
    const { begin, last } = block
    const active = this.#overlapping(begin, last)
    if (active.length === 0) return true
    this.#largestUsd = -1
    const isWhole = active.every(i => this.#isWithin(i, begin, last))
    const summary = isWhole ? this.#scan.summaryOf(block) : null
    if (summary === null) {
      const isHere = this.#scan.visitRows(block, 'all', (rows, row) => this.#addRow(rows, row, begin))
      return isHere && this.#list(block)
    }
    if (active.includes(0)) this.#largestUsd = summary.sums.largest
    this.rows += summary.count
    for (const i of active) {
      this.#sums[i]?.addSummary(summary)
      this.#ends.note(i, this.#left, summary.sums.pricedSlot >= 0)
    }
    if (active.some(i => this.#wantsRows(i))) {
      this.#scan.visitParts(block, 'sizes', (rows, row) => this.#addSize(rows, row, active))
    }
    const { late } = block
    for (let row = 0; row < (late?.rows ?? 0); row++) if (late !== null) this.#addRow(late, row, begin)
    return this.#list(block)
  }

  #addRow(rows: Block, row: number, begin: number): void {
    const active = this.#activeAt(begin + (rows.slot[row] as number))
    if (active.length === 0) return
    this.rows++
    const trader = this.#numbers.numberOf((rows.pairSide[row] as number) >> 1)
    const isPriced = !Number.isNaN(rows.price[row] as number)
    for (const i of active) {
      this.#sums[i]?.add(rows, row, trader)
      this.#ends.note(i, this.#left, isPriced)
      if (this.#sizes.size > 0) this.#sizes.get(i)?.add(rows.usd[row] as number)
      if (i > 0) continue
      this.#traders?.add(rows, row, trader)
      if ((rows.usd[row] as number) > this.#largestUsd) this.#largestUsd = rows.usd[row] as number
    }
  }

  /// Adds what a summary does not tell of a row that lies in some stretches.
  #addSize(rows: Block, row: number, active: readonly number[]): void {
    for (const i of active) {
      if (this.#sizes.size > 0) this.#sizes.get(i)?.add(rows.usd[row] as number)
      if (i === 0) this.#traders?.add(rows, row, this.#numbers.numberOf((rows.pairSide[row] as number) >> 1))
    }
  }

  #addSizes(block: ScannedBlock): boolean {
    const { begin, last } = block
    if (!this.#overlapping(begin, last).some(i => this.#sized.includes(i))) return true
    return this.#scan.visitRows(block, 'sizes', (rows, row) => {
      for (const i of this.#activeAt(begin + (rows.slot[row] as number))) {
        if (this.#sized.includes(i)) this.#sizes.get(i)?.add(rows.usd[row] as number)
      }
    })
  }

  #stepEnds(): 'more' | 'done' | 'expired' {
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

  /// Whether more of a stretch is wanted than summaries know.
  #wantsRows(stretch: number): boolean {
    return this.#sizes.has(stretch) || (stretch === 0 && this.#traders !== null)
  }

  /// The stretches that hold a tick: many rows share one.
  #activeAt(tick: number): readonly number[] {
    if (tick === this.#activeTick) return this.#active
    this.#activeTick = tick
    this.#active = this.#after.flatMap((_, i) => (this.#holds(i, tick) ? [i] : []))
    return this.#active
  }

  /// Goes on with the lists of the first stretch. False when the block has been taken away.
  #list(block: ScannedBlock): boolean {
    const { largest, newest } = this.#question
    const missing = newest - this.#newest.length
    const least =
      this.#largest.length < largest ? -1 : (this.#largest.at(-1)?.usd ?? Number.POSITIVE_INFINITY)
    if (this.#largestUsd < 0 || (missing === 0 && this.#largestUsd <= least)) return true
    const isWanted = (rows: Block, row: number) =>
      (missing > 0 || (rows.usd[row] as number) > least) &&
      this.#holds(0, block.begin + (rows.slot[row] as number))
    const chain = this.#scan.chainOf(block, isWanted)
    if (chain === null) return false
    const { rows, order } = chain
    const found: number[] = []
    for (let i = order.length - 1; i >= 0; i--) {
      const row = order[i] as number
      if (isWanted(rows, row)) found.push(row)
    }
    for (const row of found.slice(0, missing)) this.#newest.push(this.#tradeOf(rows, row))
    for (const row of found) this.#offer(rows, row)
    return true
  }

  /// Largest first; of equal ones the newer first: swaps come newest first.
  #offer(rows: Block, row: number): void {
    const most = this.#question.largest
    const usd = rows.usd[row] as number
    const largest = this.#largest
    if (largest.length === most && usd <= (largest.at(-1)?.usd ?? Number.POSITIVE_INFINITY)) return
    let at = largest.length
    while (at > 0 && (largest[at - 1]?.usd ?? 0) < usd) at--
    largest.splice(at, 0, this.#tradeOf(rows, row))
    if (largest.length > most) largest.length = most
  }

  #tradeOf(rows: Block, row: number): ScannedTrade {
    const pairSide = rows.pairSide[row] as number
    return {
      time: epochMs(rows.timeMs[row] as number),
      who: this.#ledger.traderNames.text(this.#ledger.pairs.trader(pairSide >> 1)),
      side: (pairSide & 1) === 0 ? 'buy' : 'sell',
      usd: rows.usd[row] as number,
      amountLow: rows.amountLow[row] as number,
      amountMid: rows.amountMid[row] as number,
      amountHigh: rows.amountHigh[row] as number,
      price: rows.price[row] as number,
      block: rows.block[row] as number,
      txIndex: rows.txIndex[row] as number,
      logIndex: rows.logIndex[row] as number,
    }
  }

  #topTraders(): ScannedTrader[] {
    const { pairs, traderNames } = this.#ledger
    const found = this.#traders?.top(this.#question.traders, pair => traderNames.bytesOf(pairs.trader(pair)))
    return (found ?? []).map(({ pair, lastMs, ...sums }) => ({
      who: traderNames.text(pairs.trader(pair)),
      ...sums,
      lastSeen: epochMs(lastMs),
    }))
  }
}
