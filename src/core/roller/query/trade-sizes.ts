/// The sizes of a token's swaps in a stretch of event time: the median.

import { grownFloat64 } from '../tables/columns.js'

export class TradeSizes {
  #usd = new Float64Array(256)
  #count = 0

  /// Micro-dollars.
  add(usd: number): void {
    if (this.#count === this.#usd.length) this.#usd = grownFloat64(this.#usd, this.#count + 1)
    this.#usd[this.#count++] = usd
  }

  /// The two sizes in the middle, in micro-dollars, of which the median is the mean: one and the same when their number is
  /// odd; null without swaps. Example: of 1, 2, 4, 8 they are 2 and 4, and the median is 3.
  middle(): readonly [lower: number, upper: number] | null {
    if (this.#count === 0) return null
    const sizes = this.#usd.subarray(0, this.#count).sort()
    const upper = sizes[this.#count >> 1] as number
    return [this.#count % 2 === 1 ? upper : (sizes[(this.#count >> 1) - 1] as number), upper]
  }
}
