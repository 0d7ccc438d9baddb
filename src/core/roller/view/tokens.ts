/// Everything the view knows of each token, in columns indexed by token id.
///
/// Sums: per token one line with the total and, per window, one with what the window has expired so far. A window's
/// value is the difference. An arrival thus touches one line, an expiry one more per window; both only ever add.

import { grownFloat64, grownInt32 } from '../tables/columns.js'
import { INTS, LINE, Lines, PRICE, TAG } from '../tables/lines.js'
import { Extremes } from './extremes.js'

/// As the tick of an opening price: there is none, or it is not known; later, earlier than every tick.
export const NO_TICK = 0x7fff_ffff
export const STALE = -0x8000_0000

/// Kinds of unique traders: + side, and with either; see uniques.ts.
export const KINDS = 3

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
/// At least the tick of each window's opening price, as far as they have been looked for.
export const OPEN_MOST = 11

/// The token's queues of extremes: prices, negated prices, sizes.
export const QUEUES = 3
export const QUEUE_HIGH = 0
export const QUEUE_LOW = 1
export const QUEUE_LARGEST = 2

export class Tokens {
  readonly windows: number
  /// Line token × (windows + 1) + w: for w < windows what window w has expired, for w = windows the total. Of a window's
  /// line, TAG and PRICE are relative tick and price of the first priced swap after the window's beginning, as far as
  /// it has been looked for: a TAG at or before the beginning is out of date.
  readonly lines = new Lines(64)
  /// token × KINDS × (windows + 1): see uniques.ts.
  steps: Int32Array
  /// token × RECORD: see the offsets above.
  records: Float64Array
  /// The id's bytes where the order key is incomplete without them.
  readonly closeId: (Uint8Array | undefined)[] = []
  /// Queues token × 3 + QUEUE_…
  readonly extremes = new Extremes()
  /// Pairs in use that refer to the token; it is freed at 0.
  pairs: Int32Array
  /// 1 while the token waits in the list of changed ones.
  changed: Uint8Array
  #capacity: number

  constructor(windows: number) {
    const capacity = 16
    this.#capacity = capacity
    this.windows = windows
    this.lines.grow(capacity * (windows + 1))
    this.steps = new Int32Array(capacity * KINDS * (windows + 1))
    this.records = new Float64Array(capacity * RECORD)
    this.pairs = new Int32Array(capacity)
    this.changed = new Uint8Array(capacity)
  }

  /// Prepares the columns of a token id that is new or was freed.
  begin(token: number): void {
    if (token >= this.#capacity) this.#grow()
    const stride = this.windows + 1
    this.lines.clear(token * stride, (token + 1) * stride)
    for (let w = 0; w < this.windows; w++) this.staleOpen(token, w)
    this.steps.fill(0, token * KINDS * stride, (token + 1) * KINDS * stride)
    const at = token * RECORD
    this.records.fill(0, at, at + RECORD)
    this.records[at + FIRST_TICK] = STALE
    this.records[at + FIRST_MS] = Number.POSITIVE_INFINITY
    this.records[at + LAST_MS] = Number.NEGATIVE_INFINITY
    this.records[at + CLOSE_TICK] = STALE
    this.records[at + CLOSE_PRICE] = Number.NaN
    this.records[at + CLOSE_MS] = Number.NEGATIVE_INFINITY
    this.records[at + OPEN_MOST] = STALE
    this.closeId[token] = undefined
    this.pairs[token] = 0
    this.changed[token] = 0
    for (let queue = 0; queue < QUEUES; queue++) this.extremes.clear(token * QUEUES + queue)
  }

  /// Says that the window's opening price must be looked for again.
  staleOpen(token: number, w: number): void {
    const line = token * (this.windows + 1) + w
    this.lines.ints[line * INTS + TAG] = STALE
    this.lines.f64[line * LINE + PRICE] = Number.NaN
  }

  #grow(): void {
    const capacity = this.#capacity * 2
    this.#capacity = capacity
    const stride = this.windows + 1
    this.lines.grow(capacity * stride)
    this.steps = grownInt32(this.steps, capacity * KINDS * stride)
    this.records = grownFloat64(this.records, capacity * RECORD)
    this.pairs = grownInt32(this.pairs, capacity)
    const changed = new Uint8Array(capacity)
    changed.set(this.changed)
    this.changed = changed
  }
}
