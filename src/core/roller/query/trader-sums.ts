/// What each trader has bought and sold of a token in a stretch of event time.

import type { Block } from '../rows/block.js'
import { COUNT, HIGH, HIGH_USD, INTS, LINE, Lines, USD, USD_LIMB } from '../tables/lines.js'
import { PairTable } from './pair-table.js'

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
  readonly #pairs = new PairTable()
  readonly #lines = new Lines(64)
  readonly #lastMs: number[] = []

  add(rows: Block, row: number): void {
    const pairSide = rows.pairSide[row] as number
    const number = this.#pairs.numberOf(pairSide >> 1)
    if (number >= this.#lines.capacity) this.#lines.grow(number + 1)
    this.#lines.addSwap(
      number,
      pairSide & 1,
      rows.usd[row] as number,
      rows.amountLow[row] as number,
      rows.amountMid[row] as number,
      rows.amountHigh[row] as number,
    )
    this.#lastMs[number] = Math.max(this.#lastMs[number] ?? 0, rows.timeMs[row] as number)
  }

  get size(): number {
    return this.#pairs.size
  }

  /// The `limit` traders with the largest volume, largest first; those of equal volume by `nameOf` in the order of
  /// their bytes.
  top(limit: number, nameOf: (pair: number) => Uint8Array): TraderSum[] {
    const numbers = Array.from({ length: this.size }, (_, number) => number)
    const compare = (a: number, b: number): number =>
      this.#compareVolume(b, a) || compareNames(nameOf(this.#pairs.pairOf(a)), nameOf(this.#pairs.pairOf(b)))
    return numbers
      .sort(compare)
      .slice(0, limit)
      .map(number => this.#sumOf(number))
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
      pair: this.#pairs.pairOf(number),
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
