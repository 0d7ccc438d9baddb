/// What each trader has bought and sold of a token in a stretch of event time.

import type { Block } from '../rows/block.js'
import { grownFloat64 } from '../tables/columns.js'
import { COUNT, HIGH, HIGH_USD, INTS, LINE, Lines, USD, USD_LIMB } from '../tables/lines.js'
import type { PairTable } from './pair-table.js'

export interface TraderSum {
  /// Pair of the token and the trader (tables/pairs.ts).
  readonly pair: number
  /// Micro-dollars = low + high × 10^12, as in stats.ts.
  readonly buyUsd: number
  readonly buyUsdHigh: number
  readonly sellUsd: number
  readonly sellUsdHigh: number
  readonly buys: number
  readonly sells: number
  /// Event time of the last swap.
  readonly lastMs: number
}

export class TraderSums {
  readonly #numbers: PairTable
  readonly #lines = new Lines(64)
  #lastMs = new Float64Array(64)

  /// `numbers` are those that `add` is given.
  constructor(numbers: PairTable) {
    this.#numbers = numbers
  }

  /// Adds a swap of the trader with a number, in any order: its pair, time and size are looked at.
  add(rows: Block, row: number, trader: number): void {
    if (trader >= this.#lines.capacity) {
      this.#lines.grow(trader + 1)
      this.#lastMs = grownFloat64(this.#lastMs, trader + 1)
    }
    // Of amounts nothing is told.
    this.#lines.addSwap(trader, (rows.pairSide[row] as number) & 1, rows.usd[row] as number, 0, 0, 0)
    const timeMs = rows.timeMs[row] as number
    if (timeMs > (this.#lastMs[trader] as number)) this.#lastMs[trader] = timeMs
  }

  /// The `limit` traders with the largest volume, largest first; those of equal volume by `nameOf` in the order of
  /// their bytes.
  top(limit: number, nameOf: (pair: number) => Uint8Array): TraderSum[] {
    const comesBefore = (a: number, b: number): boolean => {
      const volume = this.#compareVolume(b, a)
      if (volume !== 0) return volume < 0
      return compareNames(nameOf(this.#numbers.pairOf(a)), nameOf(this.#numbers.pairOf(b))) < 0
    }
    // Most are not among the largest, so one look at each will do.
    const largest: number[] = []
    const traders = Math.min(this.#numbers.size, this.#lines.capacity)
    for (let trader = 0; trader < traders; trader++) {
      if (!this.#hasTraded(trader)) continue
      const least = largest[limit - 1]
      if (least !== undefined && !comesBefore(trader, least)) continue
      let at = largest.length
      while (at > 0 && comesBefore(trader, largest[at - 1] as number)) at--
      largest.splice(at, 0, trader)
      if (largest.length > limit) largest.length = limit
    }
    return largest.map(trader => this.#sumOf(trader))
  }

  #hasTraded(trader: number): boolean {
    const { ints } = this.#lines
    return ints[trader * INTS + COUNT] !== 0 || ints[trader * INTS + COUNT + 1] !== 0
  }

  #compareVolume(a: number, b: number): number {
    const [lowA, highA] = this.#volume(a)
    const [lowB, highB] = this.#volume(b)
    return highA - highB || lowA - lowB
  }

  /// Canonical limbs of buys and sells together.
  #volume(number: number): readonly [number, number] {
    const { f64, high } = this.#lines
    const low = (f64[number * LINE + USD] as number) + (f64[number * LINE + USD + 1] as number)
    const top = (high?.[number * HIGH + HIGH_USD] ?? 0) + (high?.[number * HIGH + HIGH_USD + 1] ?? 0)
    const carry = Math.floor(low / USD_LIMB)
    return [low - carry * USD_LIMB, top + carry]
  }

  #sumOf(number: number): TraderSum {
    const { ints, high } = this.#lines
    const [buyUsd, buyCarry] = this.#side(number, 0)
    const [sellUsd, sellCarry] = this.#side(number, 1)
    return {
      pair: this.#numbers.pairOf(number),
      buyUsd,
      buyUsdHigh: (high?.[number * HIGH + HIGH_USD] ?? 0) + buyCarry,
      sellUsd,
      sellUsdHigh: (high?.[number * HIGH + HIGH_USD + 1] ?? 0) + sellCarry,
      buys: ints[number * INTS + COUNT] as number,
      sells: ints[number * INTS + COUNT + 1] as number,
      lastMs: this.#lastMs[number] ?? 0,
    }
  }

  #side(number: number, side: number): readonly [number, number] {
    const usd = this.#lines.f64[number * LINE + USD + side] as number
    const carry = Math.floor(usd / USD_LIMB)
    return [usd - carry * USD_LIMB, carry]
  }
}

function compareNames(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
