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

/// A record: what is known of a token over all windows, in two cache lines.
export const RECORD = 16
/// First swap within retention.
export const FIRST_TICK = 0
export const FIRST_MS = 1
/// Last swap that has entered.
export const LAST_MS = 2
/// The last priced swap that has entered: tick, price, and its place in chain order.
export const CLOSE_TICK = 3
export const CLOSE_PRICE = 4
export const CLOSE_MS = 5
export const CLOSE_BLOCK = 6
export const CLOSE_TX = 7
export const CLOSE_LOG = 8
export const CLOSE_ID0 = 9
export const CLOSE_ID1 = 10

/// The token's queues of extremes: prices, negated prices, sizes.
export const QUEUES = 3
export const QUEUE_HIGH = 0
export const QUEUE_LOW = 1
export const QUEUE_LARGEST = 2

export const USD_LIMB = 1e12
// The low limb stays below 4e12, a swap brings at most 9e15, and 9.004e15 < 2^53: every addition is exact.
const USD_CARRY = 4e12
const LOW_LIMB = 1e12
const LOW_CARRY = 8e15
const MID_LIMB = 1e15
const MID_CARRY = 8e15
/// Of amounts in statistics, and of the high limb.
export const AMOUNT_LIMB = 1e9
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
  const overHigh = sum >= HIGH_CARRY ? Math.floor(sum / AMOUNT_LIMB) : 0
  high[to + HIGH_AMOUNT] = sum - overHigh * AMOUNT_LIMB
  high[to + HIGH_AMOUNT + 1] = (high[to + HIGH_AMOUNT + 1] as number) + overHigh
}

export class Tokens {
  readonly windows: number
  /// Cell token × (windows + 1) + w: for w < windows what window w has expired, for w = windows the total.
  hot: Float64Array
  high: Float64Array
  /// (token × windows + w) × 3: traders, buyers, sellers.
  uniques: Int32Array
  /// token × RECORD: see the offsets above.
  records: Float64Array
  /// The id's bytes where the order key is incomplete without them.
  readonly closeId: (Uint8Array | undefined)[] = []
  /// Queues token × 3 + QUEUE_…
  readonly extremes = new Extremes()
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
    this.records = new Float64Array(capacity * RECORD)
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
    const at = token * RECORD
    this.records.fill(0, at, at + RECORD)
    this.records[at + FIRST_TICK] = NO_TICK
    this.records[at + FIRST_MS] = Number.POSITIVE_INFINITY
    this.records[at + LAST_MS] = Number.NEGATIVE_INFINITY
    this.records[at + CLOSE_TICK] = -NO_TICK
    this.records[at + CLOSE_PRICE] = Number.NaN
    this.records[at + CLOSE_MS] = Number.NEGATIVE_INFINITY
    this.closeId[token] = undefined
    this.pairs[token] = 0
    this.changed[token] = 0
    for (let queue = 0; queue < QUEUES; queue++) this.extremes.clear(token * QUEUES + queue)
  }

  #grow(): void {
    const capacity = this.#capacity * 2
    this.#capacity = capacity
    const { windows } = this
    this.hot = grownFloat64(this.hot, capacity * (windows + 1) * HOT)
    this.high = grownFloat64(this.high, capacity * (windows + 1) * HIGH)
    this.uniques = grownInt32(this.uniques, capacity * windows * 3)
    this.records = grownFloat64(this.records, capacity * RECORD)
    this.pairs = grownInt32(this.pairs, capacity)
    const changed = new Uint8Array(capacity)
    changed.set(this.changed)
    this.changed = changed
  }
}
