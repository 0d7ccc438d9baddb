/// The largest and the newest swaps of a stretch of event time. Blocks come newest first.

import type { EpochMs } from '../../units.js'
import { epochMs } from '../../units.js'
import type { Ledger } from '../ledger.js'
import type { Block } from '../rows/block.js'

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

export class TradeLists {
  readonly #ledger: Ledger
  readonly #most: number
  readonly #newestMost: number
  /// Largest first; of equal ones the newer first.
  readonly largest: ScannedTrade[] = []
  /// Newest first.
  readonly newest: ScannedTrade[] = []

  constructor(ledger: Ledger, { largest, newest }: { readonly largest: number; readonly newest: number }) {
    this.#ledger = ledger
    this.#most = largest
    this.#newestMost = newest
  }

  /// How many of the newest are missing.
  get missing(): number {
    return this.#newestMost - this.newest.length
  }

  /// Only larger swaps matter, once none of the newest is missing.
  get least(): number {
    return this.largest.length < this.#most ? -1 : (this.largest.at(-1)?.usd ?? Number.POSITIVE_INFINITY)
  }

  /// Takes swaps of the stretch: all of a block that matter, in descending chain order.
  take(rows: Block, found: readonly number[]): void {
    for (const row of found.slice(0, this.missing)) this.newest.push(this.#tradeOf(rows, row))
    for (const row of found) this.#offer(rows, row)
  }

  #offer(rows: Block, row: number): void {
    const usd = rows.usd[row] as number
    const { largest } = this
    if (usd <= this.least) return
    let at = largest.length
    while (at > 0 && (largest[at - 1]?.usd ?? 0) < usd) at--
    largest.splice(at, 0, this.#tradeOf(rows, row))
    if (largest.length > this.#most) largest.length = this.#most
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
}
