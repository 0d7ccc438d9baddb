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

/// A hot cell: what every arrival and every expiry of a window touches, in one cache line.
export const HOT = 8
export const HOT_USD = 0 // + side: micro-dollars, low limb
export const HOT_AMOUNT_LOW = 2
export const HOT_AMOUNT_MID = 3
export const HOT_COUNT = 4 // + side
/// Relative tick and price of the first priced swap after the window's beginning. A tick beyond view time belongs
/// to a swap that has not entered yet: the window has no opening price. (Unused in the total's cell.)
export const HOT_OPEN_TICK = 6
export const HOT_OPEN_PRICE = 7

/// A high cell: the limbs above, rarely touched.
export const HIGH = 4
export const HIGH_USD = 0 // + side, × 10^12
export const HIGH_AMOUNT = 2 // × 10^27, and the next × 10^36

const USD_LIMB = 1e12
// The low limb stays below 4e12, a swap brings at most 9e15, and 9.004e15 < 2^53: every addition is exact.
const USD_CARRY = 4e12
const LOW_LIMB = 1e12
const LOW_CARRY = 8e15
const MID_LIMB = 1e15
const MID_CARRY = 8e15
const HIGH_LIMB = 1e9
const HIGH_CARRY = 8e15

/// Adds one swap to a cell.
export function addSwap(
  hot: Float64Array,
  high: Float64Array,
  cell: number,
  side: number,
  usd: number,
  amountLow: number,
  amountMid: number,
  amountHigh: number,
): void {
  const at = cell * HOT
  const newUsd = (hot[at + side] as number) + usd
  hot[at + side] = newUsd
  const newLow = (hot[at + HOT_AMOUNT_LOW] as number) + amountLow
  hot[at + HOT_AMOUNT_LOW] = newLow
  const newMid = (hot[at + HOT_AMOUNT_MID] as number) + amountMid
  hot[at + HOT_AMOUNT_MID] = newMid
  hot[at + HOT_COUNT + side] = (hot[at + HOT_COUNT + side] as number) + 1
  if (newUsd >= USD_CARRY || newLow >= LOW_CARRY || newMid >= MID_CARRY || amountHigh !== 0) {
    carry(hot, high, cell, amountHigh)
  }
}

function carry(hot: Float64Array, high: Float64Array, cell: number, amountHigh: number): void {
  const at = cell * HOT
  const to = cell * HIGH
  for (let side = 0; side < 2; side++) {
    const usd = hot[at + side] as number
    const over = Math.floor(usd / USD_LIMB)
    hot[at + side] = usd - over * USD_LIMB
    high[to + HIGH_USD + side] = (high[to + HIGH_USD + side] as number) + over
  }
  const low = hot[at + HOT_AMOUNT_LOW] as number
  const overLow = Math.floor(low / LOW_LIMB)
  hot[at + HOT_AMOUNT_LOW] = low - overLow * LOW_LIMB
  const mid = (hot[at + HOT_AMOUNT_MID] as number) + overLow
  const overMid = Math.floor(mid / MID_LIMB)
  hot[at + HOT_AMOUNT_MID] = mid - overMid * MID_LIMB
  const sum = (high[to + HIGH_AMOUNT] as number) + overMid + amountHigh
  const overHigh = sum >= HIGH_CARRY ? Math.floor(sum / HIGH_LIMB) : 0
  high[to + HIGH_AMOUNT] = sum - overHigh * HIGH_LIMB
  high[to + HIGH_AMOUNT + 1] = (high[to + HIGH_AMOUNT + 1] as number) + overHigh
}

export class Tokens {
  readonly windows: number
  /// Cell token × (windows + 1) + w: for w < windows what window w has expired, for w = windows the total.
  hot: Float64Array
  high: Float64Array
  /// (token × windows + w) × 3: traders, buyers, sellers.
  uniques: Int32Array
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
    this.hot = new Float64Array(capacity * (windows + 1) * HOT)
    this.high = new Float64Array(capacity * (windows + 1) * HIGH)
    this.uniques = new Int32Array(capacity * windows * 3)
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
    const first = token * (windows + 1)
    this.hot.fill(0, first * HOT, (first + windows + 1) * HOT)
    this.high.fill(0, first * HIGH, (first + windows + 1) * HIGH)
    for (let cell = first; cell < first + windows; cell++) this.hot[cell * HOT + HOT_OPEN_TICK] = NO_TICK
    this.uniques.fill(0, token * windows * 3, (token + 1) * windows * 3)
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
    this.hot = grownFloat64(this.hot, capacity * (windows + 1) * HOT)
    this.high = grownFloat64(this.high, capacity * (windows + 1) * HIGH)
    this.uniques = grownInt32(this.uniques, capacity * windows * 3)
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
