/// Statistics of any stretch of event time, from its swaps: the same values as those of a configured window, in the same
/// layout (stats.ts), bit by bit. Swaps come in any order; what chain order decides, open and close, is told.

import { Field } from '../../stats.js'
import type { Block } from '../rows/block.js'
import type { RunSums } from '../storage/run-sums.js'
import { Lines } from '../tables/lines.js'
import { writeSums } from '../view/sums.js'
import type { FoundEnds } from './stretch-ends.js'
import { WhoTraded } from './who-traded.js'

export class StretchSums {
  /// A line with the sums, and one that stays empty, which the sums are read against.
  readonly #lines = new Lines(2)
  readonly who = new WhoTraded(0)
  #high = Number.NaN
  #low = Number.NaN
  #largest = Number.NaN

  /// Adds a swap of the trader with a number.
  add(rows: Block, row: number, trader: number): void {
    const side = (rows.pairSide[row] as number) & 1
    const usd = rows.usd[row] as number
    this.#lines.addSwap(
      0,
      side,
      usd,
      rows.amountLow[row] as number,
      rows.amountMid[row] as number,
      rows.amountHigh[row] as number,
    )
    this.who.add(trader, side)
    if (!(usd <= this.#largest)) this.#largest = usd
    const price = rows.price[row] as number
    if (Number.isNaN(price)) return
    if (!(price <= this.#high)) this.#high = price
    if (!(price >= this.#low)) this.#low = price
  }

  /// Adds what swaps come to that all lie in the stretch; who traded is to be added to `who`.
  addSums(sums: RunSums): void {
    this.#lines.addLine(0, sums.line, 0)
    if (!(sums.largest <= this.#largest)) this.#largest = sums.largest
    if (sums.pricedSlot < 0) return
    if (!(sums.high <= this.#high)) this.#high = sums.high
    if (!(sums.low >= this.#low)) this.#low = sums.low
  }

  /// Writes a window's fields to `cells` from `out` on.
  write(cells: Float64Array, out: number, ends: FoundEnds): void {
    writeSums(this.#lines, 0, 1, cells, out)
    const [buyers, sellers, traders] = this.who.counts()
    cells[out + Field.BUYERS] = buyers
    cells[out + Field.SELLERS] = sellers
    cells[out + Field.TRADERS] = traders
    cells[out + Field.OPEN] = ends.openPrice
    cells[out + Field.CLOSE] = ends.closePrice
    cells[out + Field.HIGH] = this.#high
    cells[out + Field.LOW] = this.#low
    cells[out + Field.LARGEST_USD] = this.#largest
  }
}
