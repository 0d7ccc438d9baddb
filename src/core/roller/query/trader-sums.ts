/// What each trader has bought and sold of a token in a stretch of event time: a line of half a cache line each, by the
/// traders' numbers (pair-table.ts).

import { grownFloat64 } from '../tables/columns.js'
import { USD_LIMB } from '../tables/lines.js'
import type { WhoTraded } from './who-traded.js'

/// Of a line, in binary64 values: micro-dollars bought, sold; and in 32-bit integers.
const LINE = 4
const INTS = 8
const COUNT = 4
const PLACE = 6

export interface TraderSum {
  /// Micro-dollars = low + high × 10^12, as in stats.ts.
  readonly buyUsd: number
  readonly buyUsdHigh: number
  readonly sellUsd: number
  readonly sellUsdHigh: number
  readonly buys: number
  readonly sells: number
}

export class TraderSums {
  #f64 = new Float64Array(64 * LINE)
  #ints = new Int32Array(this.#f64.buffer)
  /// Of sums that have passed 2^53, what has been carried, in USD_LIMB: number × 2 + side. Null as long as there is none.
  #high: Float64Array | null = null

  /// Traders that there is room for.
  get capacity(): number {
    return this.#f64.length / LINE
  }

  /// Makes room for traders below `numbers`.
  hold(numbers: number): void {
    if (numbers <= this.capacity) return
    this.#f64 = grownFloat64(this.#f64, numbers * LINE)
    this.#ints = new Int32Array(this.#f64.buffer)
    if (this.#high !== null) this.#high = grownFloat64(this.#high, this.capacity * 2)
  }

  /// Adds swaps of a trader that there is room for, of micro-dollars below 2^53. `place` is above 0; the first one that is told
  /// of a trader is kept.
  add(trader: number, buys: number, sells: number, buyUsd: number, sellUsd: number, place: number): void {
    const f64 = this.#f64
    const ints = this.#ints
    const at = trader * LINE
    const bought = (f64[at] as number) + buyUsd
    const sold = (f64[at + 1] as number) + sellUsd
    if (bought > Number.MAX_SAFE_INTEGER) this.#carry(trader, 0, buyUsd)
    else f64[at] = bought
    if (sold > Number.MAX_SAFE_INTEGER) this.#carry(trader, 1, sellUsd)
    else f64[at + 1] = sold
    const int = trader * INTS
    ints[int + COUNT] = (ints[int + COUNT] as number) + buys
    ints[int + COUNT + 1] = (ints[int + COUNT + 1] as number) + sells
    if (ints[int + PLACE] === 0) ints[int + PLACE] = place
  }

  /// The same of one swap.
  addOne(trader: number, side: 0 | 1, usd: number, place: number): void {
    const ints = this.#ints
    const at = trader * LINE + side
    const sum = (this.#f64[at] as number) + usd
    if (sum > Number.MAX_SAFE_INTEGER) this.#carry(trader, side, usd)
    else this.#f64[at] = sum
    const int = trader * INTS
    ints[int + COUNT + side] = (ints[int + COUNT + side] as number) + 1
    if (ints[int + PLACE] === 0) ints[int + PLACE] = place
  }

  /// Whether a sum has passed 2^53.
  get isHuge(): boolean {
    return this.#high !== null
  }

  hasTraded(trader: number): boolean {
    return this.buys(trader) !== 0 || this.sells(trader) !== 0
  }

  buys(trader: number): number {
    return this.#ints[trader * INTS + COUNT] as number
  }

  sells(trader: number): number {
    return this.#ints[trader * INTS + COUNT + 1] as number
  }

  /// Micro-dollars of a side, unless `isHuge`.
  usd(trader: number, side: 0 | 1): number {
    return this.#f64[trader * LINE + side] as number
  }

  addWho(who: WhoTraded): void {
    for (let trader = 0; trader < this.capacity; trader++) {
      if (this.buys(trader) > 0) who.add(trader, 0)
      if (this.sells(trader) > 0) who.add(trader, 1)
    }
  }

  placeOf(trader: number): number {
    return this.#ints[trader * INTS + PLACE] as number
  }

  clear(trader: number): void {
    this.#f64.fill(0, trader * LINE, (trader + 1) * LINE)
  }

  clearAll(): void {
    this.#f64.fill(0)
    this.#high = null
  }

  /// The `limit` traders with the largest volume, largest first; of equal volume, those come before of which `comesBefore` says
  /// so.
  top(limit: number, comesBefore: (a: number, b: number) => boolean): number[] {
    const isBefore = (a: number, b: number): boolean => {
      const volume = this.#compareVolume(b, a)
      return volume !== 0 ? volume < 0 : comesBefore(a, b)
    }
    // Most are not among the largest, so one look at each will do. Sums are rounded in one direction, so what is less after
    // rounding is less.
    const largest: number[] = []
    let least = -1
    for (let trader = 0; trader < this.capacity; trader++) {
      const rounded = (this.#f64[trader * LINE] as number) + (this.#f64[trader * LINE + 1] as number)
      if ((this.#high === null && rounded < least) || !this.hasTraded(trader)) continue
      const last = largest[limit - 1]
      if (last !== undefined && !isBefore(trader, last)) continue
      let at = largest.length
      while (at > 0 && isBefore(trader, largest[at - 1] as number)) at--
      largest.splice(at, 0, trader)
      if (largest.length < limit) continue
      largest.length = limit
      const lowest = largest[limit - 1] as number
      least = this.usd(lowest, 0) + this.usd(lowest, 1)
    }
    return largest
  }

  sumOf(trader: number): TraderSum {
    const [buyUsd, buyUsdHigh] = this.#side(trader, 0)
    const [sellUsd, sellUsdHigh] = this.#side(trader, 1)
    return { buyUsd, buyUsdHigh, sellUsd, sellUsdHigh, buys: this.buys(trader), sells: this.sells(trader) }
  }

  #compareVolume(a: number, b: number): number {
    const [lowA, highA] = this.#volume(a)
    const [lowB, highB] = this.#volume(b)
    return highA - highB || lowA - lowB
  }

  /// Canonical limbs of buys and sells together.
  #volume(trader: number): readonly [number, number] {
    const [bought, boughtHigh] = this.#side(trader, 0)
    const [sold, soldHigh] = this.#side(trader, 1)
    const carry = bought + sold >= USD_LIMB ? 1 : 0
    return [bought + sold - carry * USD_LIMB, boughtHigh + soldHigh + carry]
  }

  #side(trader: number, side: 0 | 1): readonly [low: number, high: number] {
    const [low, carry] = limbsOf(this.usd(trader, side))
    return [low, (this.#high?.[trader * 2 + side] ?? 0) + carry]
  }

  #carry(trader: number, side: 0 | 1, usd: number): void {
    this.#high ??= new Float64Array(this.capacity * 2)
    const [low, carry] = limbsOf(this.usd(trader, side))
    const [addedLow, addedCarry] = limbsOf(usd)
    this.#f64[trader * LINE + side] = low + addedLow
    const at = trader * 2 + side
    this.#high[at] = (this.#high[at] as number) + carry + addedCarry
  }
}

function limbsOf(usd: number): readonly [low: number, high: number] {
  const carry = Math.floor(usd / USD_LIMB)
  return [usd - carry * USD_LIMB, carry]
}
