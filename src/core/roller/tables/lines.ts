/// Sums in lines: a line is one cache line, and holds the sums of some swaps of one token. There are three kinds: of a
/// cell (a token's swaps in one slice, cells.ts), of a token in all, and of what a window has expired (tokens.ts). An
/// arrival adds a swap to two lines, an expiry adds a cell's line to another.
///
/// Sums are exact integers in limbs of binary64. A limb is carried into the next before it could pass 2^53, so no
/// addition is ever rounded, however long the process runs. The limbs above are in `high`, and rarely touched. Counts
/// are 32-bit integers that may wrap: only differences of two lines are ever read, and these are far smaller.

import { grownFloat64 } from './columns.js'

/// Of a line, in binary64 values: what lies where.
export const LINE = 8
/// + side: micro-dollars, low limb.
export const USD = 0
/// 10^-18 tokens, low limb, and the next, × 10^12.
export const AMOUNT_LOW = 2
export const AMOUNT_MID = 3
/// A price that belongs to the line: see the kinds.
export const PRICE = 4

/// Of the same line, in 32-bit integers.
export const INTS = 16
/// + side.
export const COUNT = 10
/// Pairs: + side, and with either.
export const UNIQUE = 12
export const EITHER = 2
/// An integer that belongs to the line: see the kinds.
export const TAG = 15

/// A line's limbs above.
export const HIGH = 4
/// + side: micro-dollars × 10^12.
export const HIGH_USD = 0
/// 10^-18 tokens × 10^27, and × 10^36.
export const HIGH_AMOUNT = 2

export const USD_LIMB = 1e12
const LOW_LIMB = 1e12
const MID_LIMB = 1e15
/// Of amounts in statistics, and of the first high limb.
export const AMOUNT_LIMB = 1e9

// A limb below its bound takes one swap (of at most 9e15 micro-dollars, 1e12 and 1e15) or another line below the same
// bound without passing 2^53 = 9.007e15.
const USD_BOUND = 4e12
const AMOUNT_BOUND = 4e15

export class Lines {
  f64: Float64Array
  /// The same memory.
  ints: Int32Array
  /// Null until a sum needs it.
  high: Float64Array | null = null

  constructor(capacity: number) {
    this.f64 = new Float64Array(capacity * LINE)
    this.ints = new Int32Array(this.f64.buffer)
  }

  get capacity(): number {
    return this.f64.length / LINE
  }

  grow(needed: number): void {
    this.f64 = grownFloat64(this.f64, needed * LINE)
    this.ints = new Int32Array(this.f64.buffer)
    if (this.high !== null) this.high = grownFloat64(this.high, this.capacity * HIGH)
  }

  /// Sets lines [from, to) to zero.
  clear(from: number, to: number): void {
    this.f64.fill(0, from * LINE, to * LINE)
    this.high?.fill(0, from * HIGH, to * HIGH)
  }

  addSwap(line: number, side: number, usd: number, low: number, mid: number, high: number): void {
    const { f64, ints } = this
    const at = line * LINE
    const newUsd = (f64[at + side] as number) + usd
    f64[at + side] = newUsd
    const newLow = (f64[at + AMOUNT_LOW] as number) + low
    f64[at + AMOUNT_LOW] = newLow
    const newMid = (f64[at + AMOUNT_MID] as number) + mid
    f64[at + AMOUNT_MID] = newMid
    const count = line * INTS + COUNT + side
    ints[count] = (ints[count] as number) + 1
    if (newUsd >= USD_BOUND || newLow >= AMOUNT_BOUND || newMid >= AMOUNT_BOUND || high !== 0) {
      this.#carry(line, high)
    }
  }

  /// Adds the sums and counts of another line; not its uniques.
  addLine(line: number, from: Lines, other: number): void {
    const { f64, ints } = this
    const at = line * LINE
    const source = other * LINE
    const usd0 = (f64[at] as number) + (from.f64[source] as number)
    const usd1 = (f64[at + 1] as number) + (from.f64[source + 1] as number)
    const low = (f64[at + AMOUNT_LOW] as number) + (from.f64[source + AMOUNT_LOW] as number)
    const mid = (f64[at + AMOUNT_MID] as number) + (from.f64[source + AMOUNT_MID] as number)
    f64[at] = usd0
    f64[at + 1] = usd1
    f64[at + AMOUNT_LOW] = low
    f64[at + AMOUNT_MID] = mid
    const count = line * INTS + COUNT
    const added = other * INTS + COUNT
    ints[count] = (ints[count] as number) + (from.ints[added] as number)
    ints[count + 1] = (ints[count + 1] as number) + (from.ints[added + 1] as number)
    if (from.high !== null) this.#addHigh(line, from.high, other)
    if (usd0 >= USD_BOUND || usd1 >= USD_BOUND || low >= AMOUNT_BOUND || mid >= AMOUNT_BOUND) {
      this.#carry(line, 0)
    }
  }

  /// Makes `line` the difference of two others, limb by limb, counts and uniques included.
  subtract(line: number, from: number, other: number): void {
    const { f64, ints, high } = this
    for (let i = 0; i < PRICE; i++) {
      f64[line * LINE + i] = (f64[from * LINE + i] as number) - (f64[other * LINE + i] as number)
    }
    for (let i = COUNT; i < TAG; i++) {
      ints[line * INTS + i] = (ints[from * INTS + i] as number) - (ints[other * INTS + i] as number)
    }
    if (high === null) return
    for (let i = 0; i < HIGH; i++) {
      high[line * HIGH + i] = (high[from * HIGH + i] as number) - (high[other * HIGH + i] as number)
    }
  }

  #addHigh(line: number, from: Float64Array, other: number): void {
    const source = other * HIGH
    const usd0 = from[source] as number
    const usd1 = from[source + 1] as number
    const amount = from[source + HIGH_AMOUNT] as number
    const top = from[source + HIGH_AMOUNT + 1] as number
    if (usd0 === 0 && usd1 === 0 && amount === 0 && top === 0) return
    const high = this.withHigh()
    const at = line * HIGH
    high[at] = (high[at] as number) + usd0
    high[at + 1] = (high[at + 1] as number) + usd1
    high[at + HIGH_AMOUNT + 1] = (high[at + HIGH_AMOUNT + 1] as number) + top
    this.#addHighAmount(high, at, amount)
  }

  #addHighAmount(high: Float64Array, at: number, amount: number): void {
    const sum = (high[at + HIGH_AMOUNT] as number) + amount
    const over = sum >= AMOUNT_BOUND ? Math.floor(sum / AMOUNT_LIMB) : 0
    high[at + HIGH_AMOUNT] = sum - over * AMOUNT_LIMB
    high[at + HIGH_AMOUNT + 1] = (high[at + HIGH_AMOUNT + 1] as number) + over
  }

  #carry(line: number, amountHigh: number): void {
    const { f64 } = this
    const high = this.withHigh()
    const at = line * LINE
    const to = line * HIGH
    for (let side = 0; side < 2; side++) {
      const usd = f64[at + side] as number
      const over = Math.floor(usd / USD_LIMB)
      f64[at + side] = usd - over * USD_LIMB
      high[to + side] = (high[to + side] as number) + over
    }
    const low = f64[at + AMOUNT_LOW] as number
    const overLow = Math.floor(low / LOW_LIMB)
    f64[at + AMOUNT_LOW] = low - overLow * LOW_LIMB
    const mid = (f64[at + AMOUNT_MID] as number) + overLow
    const overMid = Math.floor(mid / MID_LIMB)
    f64[at + AMOUNT_MID] = mid - overMid * MID_LIMB
    this.#addHighAmount(high, to, overMid + amountHigh)
  }

  /// The limbs above, made if no sum has needed them yet.
  withHigh(): Float64Array {
    this.high ??= new Float64Array(this.capacity * HIGH)
    return this.high
  }
}
