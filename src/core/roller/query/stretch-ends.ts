/// What chain order decides of stretches: first and last prices, first and last times. While the sums are added up only the
/// blocks are noted that hold them, from the newest to the oldest; these are then looked at in chain order.

import type { OrderedRows } from './token-scan.js'

/// Numbers of blocks, or -1 while there is none.
interface Ends {
  /// With a swap; with a swap of known price.
  first: number
  last: number
  open: number
  close: number
}

export interface FoundEnds {
  firstMs: number
  lastMs: number
  openPrice: number
  closePrice: number
  closeMs: number
}

export class StretchEnds {
  readonly #ends: readonly Ends[]
  readonly found: readonly FoundEnds[]

  constructor(stretches: number) {
    this.#ends = Array.from({ length: stretches }, () => ({ first: -1, last: -1, open: -1, close: -1 }))
    this.found = this.#ends.map(() => ({
      ...{ firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY },
      ...{ openPrice: Number.NaN, closePrice: Number.NaN, closeMs: -1 },
    }))
  }

  /// Says that a block holds swaps of a stretch, and perhaps some of known price.
  note(stretch: number, block: number, isPriced: boolean): void {
    const ends = this.#ends[stretch]
    if (ends === undefined) return
    if (ends.first < 0 || block < ends.first) ends.first = block
    if (block > ends.last) ends.last = block
    if (!isPriced) return
    if (ends.open < 0 || block < ends.open) ends.open = block
    if (block > ends.close) ends.close = block
  }

  /// The last price of all stretches together, or NaN. Stretches hold whole slices, so of equal times the prices are equal.
  get lastPrice(): number {
    let last: FoundEnds | undefined
    for (const found of this.found) if (found.closeMs > (last?.closeMs ?? -1)) last = found
    return last?.closePrice ?? Number.NaN
  }

  /// The blocks that are to be looked at, each once.
  blocks(): number[] {
    const all = this.#ends.flatMap(({ first, last, open, close }) => [first, last, open, close])
    return [...new Set(all)].filter(block => block >= 0)
  }

  /// Looks at a block's rows in chain order. `holds` tells whether a stretch holds a row.
  read(block: number, { rows, order }: OrderedRows, holds: (stretch: number, row: number) => boolean): void {
    for (const [stretch, ends] of this.#ends.entries()) {
      const found = this.found[stretch]
      if (found === undefined || ![ends.first, ends.last, ends.open, ends.close].includes(block)) continue
      const isFirst = ends.first === block
      let isOpen = ends.open === block
      for (let i = 0; i < order.length; i++) {
        const row = order[i] as number
        if (!holds(stretch, row)) continue
        const timeMs = rows.timeMs[row] as number
        if (isFirst && timeMs < found.firstMs) found.firstMs = timeMs
        if (ends.last === block) found.lastMs = timeMs
        const price = rows.price[row] as number
        if (Number.isNaN(price)) continue
        if (isOpen) found.openPrice = price
        isOpen = false
        if (ends.close !== block) continue
        found.closePrice = price
        found.closeMs = timeMs
      }
    }
  }
}
