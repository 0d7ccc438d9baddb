/// Statistics of any stretch of event time, from its swaps: the same values as those of a configured window, in the same
/// layout (stats.ts), bit by bit.

import { Field } from '../../stats.js'
import type { Block } from '../rows/block.js'
import { EITHER, Lines } from '../tables/lines.js'
import { writeSums } from '../view/sums.js'
import { PairTable } from './pair-table.js'

/// What was seen of a pair: a buy, a sell.
const SEEN = [1, 2] as const

export class StretchSums {
  /// A line with the sums, and one that stays empty, which the sums are read against.
  readonly #lines = new Lines(2)
  readonly #pairs = new PairTable()
  #seen = new Uint8Array(64)
  readonly #uniques = [0, 0, 0]
  #open = Number.NaN
  #close = Number.NaN
  #high = Number.NaN
  #low = Number.NaN
  #largest = Number.NaN
  /// Event times of the first and the last swap.
  firstMs = Number.POSITIVE_INFINITY
  lastMs = Number.NEGATIVE_INFINITY

  /// Adds a swap; swaps come in chain order.
  add(rows: Block, row: number): void {
    const pairSide = rows.pairSide[row] as number
    const usd = rows.usd[row] as number
    this.#lines.addSwap(
      0,
      pairSide & 1,
      usd,
      rows.amountLow[row] as number,
      rows.amountMid[row] as number,
      rows.amountHigh[row] as number,
    )
    this.#meet(pairSide >> 1, pairSide & 1)
    if (!(usd <= this.#largest)) this.#largest = usd
    const timeMs = rows.timeMs[row] as number
    this.firstMs = Math.min(this.firstMs, timeMs)
    this.lastMs = Math.max(this.lastMs, timeMs)
    const price = rows.price[row] as number
    if (Number.isNaN(price)) return
    if (Number.isNaN(this.#open)) this.#open = price
    this.#close = price
    if (!(price <= this.#high)) this.#high = price
    if (!(price >= this.#low)) this.#low = price
  }

  /// The price of the last swap of known price, or NaN.
  get close(): number {
    return this.#close
  }

  /// Writes a window's fields to `cells` from `out` on.
  write(cells: Float64Array, out: number): void {
    writeSums(this.#lines, 0, 1, cells, out)
    cells[out + Field.BUYERS] = this.#uniques[0] ?? 0
    cells[out + Field.SELLERS] = this.#uniques[1] ?? 0
    cells[out + Field.TRADERS] = this.#uniques[EITHER] ?? 0
    cells[out + Field.OPEN] = this.#open
    cells[out + Field.CLOSE] = this.#close
    cells[out + Field.HIGH] = this.#high
    cells[out + Field.LOW] = this.#low
    cells[out + Field.LARGEST_USD] = this.#largest
  }

  #meet(pair: number, side: number): void {
    const number = this.#pairs.numberOf(pair)
    if (number === this.#seen.length) {
      const seen = new Uint8Array(number * 2)
      seen.set(this.#seen)
      this.#seen = seen
    }
    const before = this.#seen[number] as number
    const bit = SEEN[side] ?? 0
    if ((before & bit) !== 0) return
    this.#seen[number] = before | bit
    this.#uniques[side] = (this.#uniques[side] ?? 0) + 1
    if (before === 0) this.#uniques[EITHER] = (this.#uniques[EITHER] ?? 0) + 1
  }
}
