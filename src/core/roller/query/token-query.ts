/// A question about one token that the configured windows do not answer, taken in steps: any stretches of event time,
/// the sizes of swaps, the largest ones, the traders.
///
/// One scan answers everything that is asked at once. All of it is as of one state of the machine: its version is that
/// of the beginning.

import { FIELDS_PER_WINDOW } from '../../stats.js'
import { type EpochMs, epochMs, type Offset, type Tick } from '../../units.js'
import type { Ledger } from '../ledger.js'
import type { Block } from '../rows/block.js'
import { StretchSums } from './stretch-sums.js'
import { TokenScan } from './token-scan.js'
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
  readonly #after: readonly number[]
  readonly #to: readonly number[]
  readonly #sums: readonly StretchSums[]
  readonly #sizes = new Map<number, TradeSizes>()
  readonly #all = new StretchSums()
  readonly #traders: TraderSums | null
  #largest: ScannedTrade[] = []
  /// Newest first.
  #newest: ScannedTrade[] = []
  readonly #active: number[] = []
  #activeTick = Number.NaN
  /// Swaps that were looked at.
  rows = 0

  constructor(ledger: Ledger, token: number, origin: number, offset: Offset, question: TokenQuestion) {
    this.#ledger = ledger
    this.#question = question
    this.#offset = offset
    this.#after = question.stretches.map(({ after }) => after - origin)
    this.#to = question.stretches.map(({ to }) => to - origin)
    this.#scan = new TokenScan(ledger, token, Math.min(...this.#after), Math.max(...this.#to))
    this.#sums = question.stretches.map(() => new StretchSums())
    for (const index of question.medians) this.#sizes.set(index, new TradeSizes())
    this.#traders = question.traders > 0 ? new TraderSums() : null
  }

  /// Goes on for a block. See TokenScan.step.
  step(): 'more' | 'done' | 'expired' {
    return this.#scan.step((rows, order, begin) => {
      this.rows += order.length
      for (const row of order) this.#take(rows, row, begin + (rows.slot[row] as number))
      if (this.#question.newest > 0) this.#keepNewest(rows, order, begin)
    })
  }

  /// In the same turn as the step that was the last.
  findings(): TokenFindings {
    const cells = new Float64Array(this.#sums.length * FIELDS_PER_WINDOW)
    for (const [i, sums] of this.#sums.entries()) sums.write(cells, i * FIELDS_PER_WINDOW)
    const { firstMs, lastMs, close } = this.#all
    return {
      offset: this.#offset,
      cells,
      medians: this.#question.medians.map(index => this.#sizes.get(index)?.middle() ?? null),
      largest: this.#largest,
      newest: this.#newest,
      traders: this.#topTraders(),
      firstSeen: Number.isFinite(firstMs) ? epochMs(firstMs) : null,
      lastSeen: Number.isFinite(lastMs) ? epochMs(lastMs) : null,
      price: close,
    }
  }

  #take(rows: Block, row: number, tick: number): void {
    if (tick !== this.#activeTick) this.#activate(tick)
    if (this.#active.length === 0) return
    for (const i of this.#active) {
      this.#sums[i]?.add(rows, row)
      if (this.#sizes.size > 0) this.#sizes.get(i)?.add(rows.usd[row] as number)
      if (i > 0) continue
      this.#traders?.add(rows, row)
      if (this.#question.largest > 0) this.#offer(rows, row)
    }
    this.#all.add(rows, row)
  }

  /// The stretches that hold a tick: swaps come by ticks, and there may be many stretches.
  #activate(tick: number): void {
    this.#activeTick = tick
    this.#active.length = 0
    for (let i = 0; i < this.#after.length; i++) {
      if (tick > (this.#after[i] as number) && tick <= (this.#to[i] as number)) this.#active.push(i)
    }
  }

  /// Largest first; of equal ones the newer first, since swaps come in chain order.
  #offer(rows: Block, row: number): void {
    const most = this.#question.largest
    const usd = rows.usd[row] as number
    const largest = this.#largest
    if (largest.length === most && usd < (largest.at(-1)?.usd ?? 0)) return
    let at = largest.length
    while (at > 0 && (largest[at - 1]?.usd ?? 0) <= usd) at--
    largest.splice(at, 0, this.#tradeOf(rows, row))
    if (largest.length > most) largest.length = most
  }

  /// Of a block, whose swaps are newer than all before it: no more than can stay are made.
  #keepNewest(rows: Block, order: readonly number[], begin: number): void {
    const most = this.#question.newest
    const after = this.#after[0] as number
    const to = this.#to[0] as number
    const found: ScannedTrade[] = []
    for (let k = order.length - 1; k >= 0 && found.length < most; k--) {
      const row = order[k] as number
      const tick = begin + (rows.slot[row] as number)
      if (tick > after && tick <= to) found.push(this.#tradeOf(rows, row))
    }
    this.#newest = [...found, ...this.#newest.slice(0, most - found.length)]
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
