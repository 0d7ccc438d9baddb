/// Everything the view knows of each token, in columns indexed by token id.
///
/// Sums: per token one running total and, per window, what the window has expired so far. A window's value is
/// the difference. An arrival thus touches one cell, an expiry one more per window; both only ever add.
///
/// Sums are exact integers in limbs of a Float64Array. A limb is carried into the next before it could pass 2^53:
/// no addition is ever rounded, however long the process runs.

import { grownFloat64, grownInt32 } from './columns.js'
import { Extremes } from './extremes.js'
import { NO_TICK } from './token-blocks.js'

/// Offsets within a cell of sums; the first eleven fields of a window in stats.ts, in the same order.
export const SUM_USD = 0 // + 2 × side; the high limb follows
export const SUM_AMOUNT = 4
export const SUM_COUNT = 9 // + side
export const SUMS = 11

const USD_LIMB = 1e12
// A cell's low limb stays below this, and a swap brings at most 9e15 / … in one step: see addSwap.
const USD_CARRY = 4e12
const AMOUNT_LIMB = 1e9
const AMOUNT_CARRY = 4.5e15

/// Adds one swap to the cell at `at`.
export function addSwap(
  sums: Float64Array,
  at: number,
  side: number,
  usd: number,
  amount0: number,
  amount1: number,
  amount2: number,
  amount3: number,
): void {
  const usdAt = at + side * 2
  // Below 4e12 + 9e15 = 9.004e15 < 2^53: exact.
  const low = (sums[usdAt] as number) + usd
  if (low < USD_CARRY) sums[usdAt] = low
  else {
    const carry = Math.floor(low / USD_LIMB)
    sums[usdAt] = low - carry * USD_LIMB
    sums[usdAt + 1] = (sums[usdAt + 1] as number) + carry
  }
  const amountAt = at + SUM_AMOUNT
  sums[amountAt] = (sums[amountAt] as number) + amount0
  sums[amountAt + 1] = (sums[amountAt + 1] as number) + amount1
  sums[amountAt + 2] = (sums[amountAt + 2] as number) + amount2
  if (amount3 !== 0) sums[amountAt + 3] = (sums[amountAt + 3] as number) + amount3
  if (
    (sums[amountAt] as number) >= AMOUNT_CARRY ||
    (sums[amountAt + 1] as number) >= AMOUNT_CARRY ||
    (sums[amountAt + 2] as number) >= AMOUNT_CARRY ||
    (sums[amountAt + 3] as number) >= AMOUNT_CARRY
  ) {
    carryAmount(sums, amountAt)
  }
  const countAt = at + SUM_COUNT + side
  sums[countAt] = (sums[countAt] as number) + 1
}

function carryAmount(sums: Float64Array, amountAt: number): void {
  for (let limb = amountAt; limb < amountAt + 4; limb++) {
    const value = sums[limb] as number
    const carry = Math.floor(value / AMOUNT_LIMB)
    sums[limb] = value - carry * AMOUNT_LIMB
    sums[limb + 1] = (sums[limb + 1] as number) + carry
  }
}

/// Key in chain order of the last priced swap, for comparing with the next (see compareRows).
export class Tokens {
  readonly windows: number
  /// (token × (windows + 1) + cell) × SUMS; cell w < windows is what window w has expired, cell `windows` the total.
  sums: Float64Array
  /// (token × windows + w) × 3: traders, buyers, sellers.
  uniques: Int32Array
  /// token × windows + w: relative tick and price of the first priced swap after the window's beginning. A tick
  /// beyond view time belongs to a swap that has not entered yet: the window has no opening price.
  openTick: Int32Array
  openPrice: Float64Array
  /// First swap within retention.
  firstTick: Int32Array
  firstMs: Float64Array
  /// Last swap that has entered.
  lastMs: Float64Array
  /// The last priced swap that has entered: tick, price, and its place in chain order.
  closeTick: Int32Array
  closePrice: Float64Array
  closeMs: Float64Array
  closeBlock: Float64Array
  closeTx: Int32Array
  closeLog: Int32Array
  closeId0: Int32Array
  closeId1: Int32Array
  /// The id's bytes where the order key is incomplete without them.
  readonly closeId: (Uint8Array | undefined)[] = []
  readonly highs: Extremes[] = []
  /// Of negated prices.
  readonly lows: Extremes[] = []
  readonly largest: Extremes[] = []
  /// Pairs that refer to the token; it is freed at 0.
  pairs: Int32Array
  /// 1 while the token waits in the list of changed ones.
  changed: Uint8Array
  #capacity: number

  constructor(windows: number) {
    const capacity = 64
    this.#capacity = capacity
    this.windows = windows
    this.sums = new Float64Array(capacity * (windows + 1) * SUMS)
    this.uniques = new Int32Array(capacity * windows * 3)
    this.openTick = new Int32Array(capacity * windows)
    this.openPrice = new Float64Array(capacity * windows)
    this.firstTick = new Int32Array(capacity)
    this.firstMs = new Float64Array(capacity)
    this.lastMs = new Float64Array(capacity)
    this.closeTick = new Int32Array(capacity)
    this.closePrice = new Float64Array(capacity)
    this.closeMs = new Float64Array(capacity)
    this.closeBlock = new Float64Array(capacity)
    this.closeTx = new Int32Array(capacity)
    this.closeLog = new Int32Array(capacity)
    this.closeId0 = new Int32Array(capacity)
    this.closeId1 = new Int32Array(capacity)
    this.pairs = new Int32Array(capacity)
    this.changed = new Uint8Array(capacity)
  }

  /// Prepares the columns of a token id that is new or was freed.
  begin(token: number): void {
    if (token >= this.#capacity) this.#grow()
    const { windows } = this
    const cells = token * (windows + 1) * SUMS
    this.sums.fill(0, cells, cells + (windows + 1) * SUMS)
    this.uniques.fill(0, token * windows * 3, (token + 1) * windows * 3)
    this.openTick.fill(NO_TICK, token * windows, (token + 1) * windows)
    this.openPrice.fill(Number.NaN, token * windows, (token + 1) * windows)
    this.firstTick[token] = NO_TICK
    this.firstMs[token] = Number.POSITIVE_INFINITY
    this.lastMs[token] = Number.NEGATIVE_INFINITY
    this.closeTick[token] = -NO_TICK
    this.closePrice[token] = Number.NaN
    this.closeMs[token] = Number.NEGATIVE_INFINITY
    this.closeId[token] = undefined
    this.pairs[token] = 0
    this.changed[token] = 0
    if (this.highs[token] === undefined) {
      this.highs[token] = new Extremes()
      this.lows[token] = new Extremes()
      this.largest[token] = new Extremes()
    } else {
      this.highs[token]?.clear()
      this.lows[token]?.clear()
      this.largest[token]?.clear()
    }
  }

  #grow(): void {
    const capacity = this.#capacity * 2
    this.#capacity = capacity
    const { windows } = this
    this.sums = grownFloat64(this.sums, capacity * (windows + 1) * SUMS)
    this.uniques = grownInt32(this.uniques, capacity * windows * 3)
    this.openTick = grownInt32(this.openTick, capacity * windows)
    this.openPrice = grownFloat64(this.openPrice, capacity * windows)
    this.firstTick = grownInt32(this.firstTick, capacity)
    this.firstMs = grownFloat64(this.firstMs, capacity)
    this.lastMs = grownFloat64(this.lastMs, capacity)
    this.closeTick = grownInt32(this.closeTick, capacity)
    this.closePrice = grownFloat64(this.closePrice, capacity)
    this.closeMs = grownFloat64(this.closeMs, capacity)
    this.closeBlock = grownFloat64(this.closeBlock, capacity)
    this.closeTx = grownInt32(this.closeTx, capacity)
    this.closeLog = grownInt32(this.closeLog, capacity)
    this.closeId0 = grownInt32(this.closeId0, capacity)
    this.closeId1 = grownInt32(this.closeId1, capacity)
    this.pairs = grownInt32(this.pairs, capacity)
    const changed = new Uint8Array(capacity)
    changed.set(this.changed)
    this.changed = changed
  }
}
