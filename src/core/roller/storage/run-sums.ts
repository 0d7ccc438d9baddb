/// What the rows of a long run come to, written before them: of blocks that lie whole between the beginnings of windows a
/// restart needs no more than that, and who traded (restart/recount.ts). A run never changes, so its sums cannot be stale.

import type { Block } from '../rows/block.js'
import { AMOUNT_LOW, AMOUNT_MID, COUNT, HIGH, Lines, USD } from '../tables/lines.js'
import type { ByteReader, ByteWriter } from './bytes.js'

/// Runs of fewer rows have no sums: these would be a large part of their bytes, and are soon made.
export const SUMMED_ROWS = 16

const NO_PRICE = 255

export class RunSums {
  /// One line: the sums and counts.
  readonly line = new Lines(1)
  /// Slice within the block of the first row of known price in chain order, -1 without one; and its price.
  pricedSlot = -1
  price = Number.NaN
  /// Of all prices; where none is known, what no price exceeds.
  high = Number.NEGATIVE_INFINITY
  low = Number.POSITIVE_INFINITY
  /// Micro-dollars.
  largest = 0

  clear(): void {
    this.line.clear(0, 1)
    this.pricedSlot = -1
    this.price = Number.NaN
    this.high = Number.NEGATIVE_INFINITY
    this.low = Number.POSITIVE_INFINITY
    this.largest = 0
  }

  copy(): RunSums {
    const copy = new RunSums()
    copy.addSums(this)
    return copy
  }

  /// Adds those of other rows, which all come later in chain order.
  addSums({ line, pricedSlot, price, high, low, largest }: RunSums): void {
    this.line.addLine(0, line, 0)
    if (largest > this.largest) this.largest = largest
    if (pricedSlot < 0) return
    if (this.pricedSlot < 0) {
      this.pricedSlot = pricedSlot
      this.price = price
    }
    if (high > this.high) this.high = high
    if (low < this.low) this.low = low
  }

  /// Rows come in chain order.
  add(rows: Block, row: number): void {
    const usd = rows.usd[row] as number
    this.line.addSwap(
      0,
      (rows.pairSide[row] as number) & 1,
      usd,
      rows.amountLow[row] as number,
      rows.amountMid[row] as number,
      rows.amountHigh[row] as number,
    )
    if (usd > this.largest) this.largest = usd
    const price = rows.price[row] as number
    if (Number.isNaN(price)) return
    if (this.pricedSlot < 0) {
      this.pricedSlot = rows.slot[row] as number
      this.price = price
    }
    if (price > this.high) this.high = price
    if (price < this.low) this.low = price
  }

  write(out: ByteWriter): void {
    const { f64, ints, high } = this.line
    out.varint(ints[COUNT] as number)
    for (const limb of [USD, USD + 1, AMOUNT_LOW, AMOUNT_MID]) out.varint(f64[limb] as number)
    for (let i = 0; i < HIGH; i++) out.varint(high?.[i] ?? 0)
    out.varint(this.largest)
    if (this.pricedSlot < 0) {
      out.uint8(NO_PRICE)
      return
    }
    out.uint8(this.pricedSlot)
    for (const price of [this.price, this.high, this.low]) out.float64(price)
  }

  /// Reads the sums of a run of `count` rows.
  read(reader: ByteReader, count: number): void {
    this.clear()
    const { f64, ints } = this.line
    const buys = reader.varint()
    ints[COUNT] = buys
    ints[COUNT + 1] = count - buys
    f64[USD] = reader.varint()
    f64[USD + 1] = reader.varint()
    f64[AMOUNT_LOW] = reader.varint()
    f64[AMOUNT_MID] = reader.varint()
    for (let i = 0; i < HIGH; i++) {
      const limb = reader.varint()
      if (limb !== 0) this.line.withHigh()[i] = limb
    }
    this.largest = reader.varint()
    const slot = reader.uint8()
    if (slot === NO_PRICE) return
    this.pricedSlot = slot
    this.price = reader.float64()
    this.high = reader.float64()
    this.low = reader.float64()
  }
}
