/// What is seen at view time T: the windows of every token.
///
/// One cursor per window walks the slices. `position[w]` is T − W: the window holds exactly the entered rows with
/// a tick above it. A row enters when it arrives, or, dated ahead of T, when T reaches its tick. When a cursor
/// passes a slice it adds the slice's rows to what the window has expired. A late row that a window has already
/// passed is added to both sides and so never seen by it.
///
/// After the configured windows comes one more cursor, of the length of the retention: it decides which tokens
/// exist, and first and last seen.

import { FIELDS_PER_WINDOW, Field } from '../stats.js'
import { type EpochMs, epochMs } from '../units.js'
import { BLOCK_TICKS, type Block, compareBytes, END, NOT_FIRST } from './block.js'
import { NEVER, type Pairs } from './pairs.js'
import type { BlockEntry, Slices } from './slices.js'
import { NO_TICK } from './token-blocks.js'
import {
  AMOUNT_LIMB,
  addSwap,
  CLOSE_BLOCK,
  CLOSE_ID0,
  CLOSE_ID1,
  CLOSE_LOG,
  CLOSE_MS,
  CLOSE_PRICE,
  CLOSE_TICK,
  CLOSE_TX,
  FIRST_MS,
  FIRST_TICK,
  HIGH,
  HIGH_AMOUNT,
  HIGH_USD,
  HOT,
  HOT_AMOUNT_LOW,
  HOT_AMOUNT_MID,
  HOT_COUNT,
  HOT_OPEN_PRICE,
  HOT_OPEN_TICK,
  HOT_USD,
  LAST_MS,
  QUEUE_HIGH,
  QUEUE_LARGEST,
  QUEUE_LOW,
  QUEUES,
  RECORD,
  Tokens,
  USD_LIMB,
} from './tokens.js'

export class View {
  readonly tokens: Tokens
  /// Tokens whose statistics changed, each once; the owner empties it.
  readonly changed: number[] = []
  /// Blocks on disk that a cursor has left since the owner last emptied it.
  readonly left: number[] = []
  /// Relative view time.
  now: number
  readonly #lengths: Int32Array
  /// Relative tick up to which each window has expired; descending, as windows are sorted shortest first.
  readonly #position: Int32Array
  readonly #windows: number
  readonly #origin: number
  readonly #slices: Slices
  readonly #pairs: Pairs
  /// The newest relative tick with a row.
  #newest = NEVER
  /// Counts (window, slice) expiries; see PAIR_SEEN_BUY.
  #event = 0

  /// `lengths` in ticks, ascending; the last is the retention. `origin` is the tick that relative ticks count from.
  constructor(lengths: readonly number[], origin: number, slices: Slices, pairs: Pairs) {
    this.#windows = lengths.length
    this.#lengths = Int32Array.from(lengths)
    this.#origin = origin
    this.now = 0
    this.#position = Int32Array.from(lengths, length => -length)
    this.#slices = slices
    this.#pairs = pairs
    this.tokens = new Tokens(lengths.length)
  }

  /// Relative tick at and before which no window holds anything.
  get expiredUpTo(): number {
    return this.#position[this.#windows - 1] as number
  }

  /// Whether a cursor stands in the block, or is about to enter it: its rows are needed in memory.
  needs(index: number): boolean {
    const begin = index * BLOCK_TICKS - this.#origin
    for (let w = 0; w < this.#windows; w++) {
      const next = (this.#position[w] as number) + 1
      if (next >= begin && next < begin + BLOCK_TICKS) return true
    }
    return false
  }

  /// Takes in a row that was just linked (see Slices.link).
  insert(rows: Block, row: number, token: number, tick: number, firstPriced: boolean): void {
    if (tick > this.#newest) this.#newest = tick
    const { tokens } = this
    const windows = this.#windows
    if (firstPriced) {
      const { hot } = tokens
      const first = token * (windows + 1)
      for (let w = 0; w < windows; w++) {
        if (tick <= (this.#position[w] as number)) continue
        const at = (first + w) * HOT
        if (tick > (hot[at + HOT_OPEN_TICK] as number)) break
        hot[at + HOT_OPEN_TICK] = tick
        hot[at + HOT_OPEN_PRICE] = rows.price[row] as number
      }
    }
    if (tick > (this.#position[windows - 1] as number)) {
      const timeMs = rows.timeMs[row] as number
      if (timeMs < (tokens.records[token * RECORD + FIRST_MS] as number)) {
        tokens.records[token * RECORD + FIRST_MS] = timeMs
        tokens.records[token * RECORD + FIRST_TICK] = tick
      }
    }
    if (tick <= this.now) this.#enter(rows, row, token, tick)
  }

  /// Moves view time forward to the relative tick.
  advance(to: number): void {
    if (to <= this.now) return
    const from = this.now
    this.now = to
    if (this.#newest > from) this.#enterSlices(from + 1, Math.min(to, this.#newest))
    for (let w = 0; w < this.#windows; w++) this.#expireTo(w, to - (this.#lengths[w] as number))
  }

  /// Writes the token's statistics per window; returns false when it has no row within retention.
  read(token: number, outputs: number, cells: Float64Array): boolean {
    if (!this.isPresent(token)) return false
    const { tokens } = this
    const windows = this.#windows
    const first = token * (windows + 1)
    const { extremes } = tokens
    for (let w = 0; w < outputs; w++) {
      const out = w * FIELDS_PER_WINDOW
      this.#readSums(first + w, first + windows, cells, out)
      const unique = (token * windows + w) * 3
      cells[out + Field.TRADERS] = tokens.uniques[unique] as number
      cells[out + Field.BUYERS] = tokens.uniques[unique + 1] as number
      cells[out + Field.SELLERS] = tokens.uniques[unique + 2] as number
      const after = this.#position[w] as number
      const priced = (tokens.records[token * RECORD + CLOSE_TICK] as number) > after
      cells[out + Field.OPEN] = priced
        ? (tokens.hot[(first + w) * HOT + HOT_OPEN_PRICE] as number)
        : Number.NaN
      cells[out + Field.CLOSE] = priced
        ? (tokens.records[token * RECORD + CLOSE_PRICE] as number)
        : Number.NaN
      cells[out + Field.HIGH] = extremes.maximumAfter(token * QUEUES + QUEUE_HIGH, after)
      cells[out + Field.LOW] = -extremes.maximumAfter(token * QUEUES + QUEUE_LOW, after)
      cells[out + Field.LARGEST_USD] = extremes.maximumAfter(token * QUEUES + QUEUE_LARGEST, after)
    }
    return true
  }

  /// Whether the token has a row within retention at view time.
  isPresent(token: number): boolean {
    return this.#count(token, this.#windows - 1) > 0
  }

  /// The price of the token's last priced row within retention, or NaN.
  price(token: number): number {
    const { tokens } = this
    return (tokens.records[token * RECORD + CLOSE_TICK] as number) > this.expiredUpTo
      ? (tokens.records[token * RECORD + CLOSE_PRICE] as number)
      : Number.NaN
  }

  /// Event times of the token's first and last row within retention.
  firstSeen(token: number): EpochMs {
    return epochMs(this.tokens.records[token * RECORD + FIRST_MS] as number)
  }

  lastSeen(token: number): EpochMs {
    return epochMs(this.tokens.records[token * RECORD + LAST_MS] as number)
  }

  /// Takes a token that is freed out of the list of changed ones.
  forgetChanged(token: number): void {
    this.tokens.changed[token] = 0
    const at = this.changed.indexOf(token)
    if (at >= 0) this.changed.splice(at, 1)
  }

  #count(token: number, w: number): number {
    const { hot } = this.tokens
    const first = token * (this.#windows + 1)
    const total = (first + this.#windows) * HOT + HOT_COUNT
    const expired = (first + w) * HOT + HOT_COUNT
    return (
      (hot[total] as number) +
      (hot[total + 1] as number) -
      (hot[expired] as number) -
      (hot[expired + 1] as number)
    )
  }

  /// A window's sums: the total's cell minus the expired one.
  #readSums(expired: number, total: number, cells: Float64Array, out: number): void {
    const { hot, high } = this.tokens
    const hotOf = (field: number): number =>
      (hot[total * HOT + field] as number) - (hot[expired * HOT + field] as number)
    const highOf = (field: number): number =>
      (high[total * HIGH + field] as number) - (high[expired * HIGH + field] as number)
    // Canonical limbs: equal values are equal bits, whatever carries have happened on the way.
    for (let side = 0; side < 2; side++) {
      const low = hotOf(HOT_USD + side)
      const carry = Math.floor(low / USD_LIMB)
      cells[out + Field.BUY_USD + side * 2] = low - carry * USD_LIMB
      cells[out + Field.BUY_USD_HIGH + side * 2] = highOf(HIGH_USD + side) + carry
    }
    // Limbs of 10^12 and 10^15 become limbs of 10^9: the middle one is split at 10^18.
    const mid = hotOf(HOT_AMOUNT_MID)
    const whole = Math.floor(mid / 1e6)
    cells[out + Field.AMOUNT_0] = hotOf(HOT_AMOUNT_LOW)
    cells[out + Field.AMOUNT_1] = (mid - whole * 1e6) * 1000
    cells[out + Field.AMOUNT_2] = whole
    cells[out + Field.AMOUNT_3] = highOf(HIGH_AMOUNT)
    cells[out + Field.AMOUNT_4] = highOf(HIGH_AMOUNT + 1)
    for (let limb = out + Field.AMOUNT_0; limb < out + Field.AMOUNT_4; limb++) {
      const value = cells[limb] as number
      const carry = Math.floor(value / AMOUNT_LIMB)
      cells[limb] = value - carry * AMOUNT_LIMB
      cells[limb + 1] = (cells[limb + 1] as number) + carry
    }
    cells[out + Field.BUYS] = hotOf(HOT_COUNT)
    cells[out + Field.SELLS] = hotOf(HOT_COUNT + 1)
  }

  #touch(token: number): void {
    if (this.tokens.changed[token] === 1) return
    this.tokens.changed[token] = 1
    this.changed.push(token)
  }

  #enterSlices(from: number, to: number): void {
    for (let tick = from; tick <= to; ) {
      const index = Math.floor((tick + this.#origin) / BLOCK_TICKS)
      const begin = index * BLOCK_TICKS - this.#origin
      const end = Math.min(to, begin + BLOCK_TICKS - 1)
      const entry = this.#slices.get(index)
      if (entry !== undefined) {
        const rows = this.#slices.complete(entry)
        for (; tick <= end; tick++) {
          for (
            let row = rows.sliceHead[tick - begin] as number;
            row !== END;
            row = rows.nextInSlice[row] as number
          ) {
            this.#enter(rows, row, rows.token[row] as number, tick)
          }
        }
      }
      tick = end + 1
    }
  }

  #enter(rows: Block, row: number, token: number, tick: number): void {
    const { tokens } = this
    const windows = this.#windows
    const position = this.#position
    const pairSide = rows.pairSide[row] as number
    const side = pairSide & 1
    const usd = rows.usd[row] as number
    const first = token * (windows + 1)
    const { hot, high } = tokens
    const low = rows.amountLow[row] as number
    const mid = rows.amountMid[row] as number
    const top = rows.amountHigh[row] as number
    addSwap(hot, high, first + windows, side, usd, low, mid, top)
    for (let w = 0; w < windows && tick <= (position[w] as number); w++) {
      addSwap(hot, high, first + w, side, usd, low, mid, top)
    }
    this.#enterPair(pairSide, token, tick)
    const timeMs = rows.timeMs[row] as number
    if (timeMs > (tokens.records[token * RECORD + LAST_MS] as number))
      tokens.records[token * RECORD + LAST_MS] = timeMs
    if (tick > (position[windows - 1] as number)) {
      const price = rows.price[row] as number
      if (!Number.isNaN(price)) {
        tokens.extremes.add(token * QUEUES + QUEUE_HIGH, tick, price)
        tokens.extremes.add(token * QUEUES + QUEUE_LOW, tick, -price)
        this.#close(rows, row, token, tick, price)
      }
      tokens.extremes.add(token * QUEUES + QUEUE_LARGEST, tick, usd)
    }
    this.#touch(token)
  }

  /// Counts the row's trader where its pair was not inside before.
  #enterPair(pairSide: number, token: number, tick: number): void {
    const lasts = this.#pairs.last
    const last = lasts[pairSide] as number
    if (tick <= last) return
    lasts[pairSide] = tick
    const { uniques } = this.tokens
    const windows = this.#windows
    const position = this.#position
    const other = lasts[pairSide ^ 1] as number
    const seen = Math.max(last, other)
    const side = pairSide & 1
    for (let w = 0; w < windows; w++) {
      const after = position[w] as number
      if (tick <= after) continue
      if (last > after) break
      const unique = (token * windows + w) * 3
      uniques[unique + 1 + side] = (uniques[unique + 1 + side] as number) + 1
      if (seen <= after) uniques[unique] = (uniques[unique] as number) + 1
    }
  }

  /// Keeps the row as the token's last if it is last in chain order.
  #close(rows: Block, row: number, token: number, tick: number, price: number): void {
    const { tokens } = this
    const timeMs = rows.timeMs[row] as number
    const closeMs = tokens.records[token * RECORD + CLOSE_MS] as number
    if (timeMs < closeMs || (timeMs === closeMs && this.#comparesToClose(rows, row, token) < 0)) return
    tokens.records[token * RECORD + CLOSE_TICK] = tick
    tokens.records[token * RECORD + CLOSE_PRICE] = price
    tokens.records[token * RECORD + CLOSE_MS] = timeMs
    tokens.records[token * RECORD + CLOSE_BLOCK] = rows.block[row] as number
    tokens.records[token * RECORD + CLOSE_TX] = rows.txIndex[row] as number
    tokens.records[token * RECORD + CLOSE_LOG] = rows.logIndex[row] as number
    tokens.records[token * RECORD + CLOSE_ID0] = rows.id0[row] as number
    tokens.records[token * RECORD + CLOSE_ID1] = rows.id1[row] as number
    const idAt = rows.idAt[row] as number
    tokens.closeId[token] = idAt < 0 ? undefined : rows.ids.slice(idAt, idAt + (rows.idLength[row] as number))
  }

  /// compareRows against the token's last row, times being equal.
  #comparesToClose(rows: Block, row: number, token: number): number {
    const { tokens } = this
    const block = (rows.block[row] as number) - (tokens.records[token * RECORD + CLOSE_BLOCK] as number)
    if (block !== 0) return block
    const tx = (rows.txIndex[row] as number) - (tokens.records[token * RECORD + CLOSE_TX] as number)
    if (tx !== 0) return tx
    const log = (rows.logIndex[row] as number) - (tokens.records[token * RECORD + CLOSE_LOG] as number)
    if (log !== 0) return log
    const id = tokens.closeId[token]
    if (id !== undefined) {
      return compareBytes(rows.ids, rows.idAt[row] as number, rows.idLength[row] as number, id, 0, id.length)
    }
    const id0 = (rows.id0[row] as number) - (tokens.records[token * RECORD + CLOSE_ID0] as number)
    return id0 !== 0
      ? id0
      : (rows.id1[row] as number) - (tokens.records[token * RECORD + CLOSE_ID1] as number)
  }

  #expireTo(w: number, to: number): void {
    const position = this.#position
    let tick = (position[w] as number) + 1
    if (this.#slices.count === 0 || tick > this.#newest) {
      // Nothing lies ahead of the cursor: no need to walk.
      position[w] = to
      return
    }
    while (tick <= to) {
      const index = Math.floor((tick + this.#origin) / BLOCK_TICKS)
      const begin = index * BLOCK_TICKS - this.#origin
      const end = Math.min(to, begin + BLOCK_TICKS - 1)
      const entry = this.#slices.get(index)
      if (entry !== undefined) {
        const rows = this.#slices.complete(entry)
        for (; tick <= end; tick++) {
          const head = rows.sliceHead[tick - begin] as number
          position[w] = tick
          if (head !== END) this.#expireSlice(w, entry, rows, head, tick)
        }
      }
      tick = end + 1
      position[w] = end
      if (entry?.onDisk && end === begin + BLOCK_TICKS - 1) this.left.push(index)
    }
  }

  #expireSlice(w: number, entry: BlockEntry, rows: Block, head: number, tick: number): void {
    this.#expireSums(w, rows, head)
    this.#expirePairs(w, rows, head, tick)
    const { hot } = this.tokens
    const cells = this.#windows + 1
    const isRetention = w === this.#windows - 1
    for (let row = head; row !== END; row = rows.nextInSlice[row] as number) {
      if (rows.nextCell[row] === NOT_FIRST) continue
      const token = rows.token[row] as number
      const at = (token * cells + w) * HOT
      if (hot[at + HOT_OPEN_TICK] === tick) this.#advanceOpen(at, entry, rows, row)
      if (isRetention) this.#expireFirst(token, entry, rows, row, tick)
      this.#touch(token)
    }
  }

  // Sums and pairs are separate loops, each short and without dependencies between rows: the processor then waits
  // for the memory of several rows at once. In one loop the same work took twice as long.
  #expireSums(w: number, rows: Block, head: number): void {
    const { hot, high } = this.tokens
    const cells = this.#windows + 1
    const { nextInSlice, token, pairSide, usd, amountLow, amountMid, amountHigh } = rows
    for (let row = head; row !== END; row = nextInSlice[row] as number) {
      addSwap(
        hot,
        high,
        (token[row] as number) * cells + w,
        (pairSide[row] as number) & 1,
        usd[row] as number,
        amountLow[row] as number,
        amountMid[row] as number,
        amountHigh[row] as number,
      )
    }
  }

  #expirePairs(w: number, rows: Block, head: number, tick: number): void {
    const { last, seen } = this.#pairs
    const { uniques } = this.tokens
    const windows = this.#windows
    const event = this.#nextEvent()
    const { nextInSlice, token, pairSide } = rows
    for (let row = head; row !== END; row = nextInSlice[row] as number) {
      const mine = pairSide[row] as number
      if (last[mine] !== tick || seen[mine] === event) continue
      seen[mine] = event
      const unique = ((token[row] as number) * windows + w) * 3
      const side = mine & 1
      uniques[unique + 1 + side] = (uniques[unique + 1 + side] as number) - 1
      // The trader leaves with the later of its two sides; with both in this slice, with the first seen.
      const other = last[mine ^ 1] as number
      if (other < tick || (other === tick && seen[mine ^ 1] !== event)) {
        uniques[unique] = (uniques[unique] as number) - 1
      }
    }
  }

  /// The window's opening price passes to the token's next priced swap.
  #advanceOpen(at: number, entry: BlockEntry, rows: Block, row: number): void {
    const { hot } = this.tokens
    for (let next = rows.nextCell[row] as number; next !== END; next = rows.nextCell[next] as number) {
      const priced = rows.cellPriced[next] as number
      if (priced === END) continue
      hot[at + HOT_OPEN_TICK] = entry.index * BLOCK_TICKS - this.#origin + (rows.slot[next] as number)
      hot[at + HOT_OPEN_PRICE] = rows.price[priced] as number
      return
    }
    const { tokenBlocks } = this.#slices
    const node = tokenBlocks.nextPriced(rows.cellNode[row] as number)
    hot[at + HOT_OPEN_TICK] = node < 0 ? NO_TICK : tokenBlocks.pricedTick(node)
    hot[at + HOT_OPEN_PRICE] = node < 0 ? Number.NaN : tokenBlocks.pricedPrice(node)
  }

  /// A slice leaves retention: first seen passes to the token's next swap, and extremes let go.
  #expireFirst(token: number, entry: BlockEntry, rows: Block, row: number, tick: number): void {
    const { tokens } = this
    for (let queue = 0; queue < QUEUES; queue++) tokens.extremes.expire(token * QUEUES + queue, tick)
    if (tokens.records[token * RECORD + FIRST_TICK] !== tick) return
    const begin = entry.index * BLOCK_TICKS - this.#origin
    const next = rows.nextCell[row] as number
    if (next !== END) {
      tokens.records[token * RECORD + FIRST_TICK] = begin + (rows.slot[next] as number)
      tokens.records[token * RECORD + FIRST_MS] = rows.timeMs[next] as number
      return
    }
    const { tokenBlocks } = this.#slices
    const node = tokenBlocks.next(rows.cellNode[row] as number)
    if (node < 0) {
      tokens.records[token * RECORD + FIRST_TICK] = NO_TICK
      tokens.records[token * RECORD + FIRST_MS] = Number.POSITIVE_INFINITY
      return
    }
    tokens.records[token * RECORD + FIRST_MS] = tokenBlocks.firstMs(node)
    tokens.records[token * RECORD + FIRST_TICK] = this.relativeTickOf(tokenBlocks.firstMs(node))
  }

  /// Set by the owner of the resolution.
  relativeTickOf: (timeMs: number) => number = () => 0

  #nextEvent(): number {
    if (this.#event === 0x7fff_ffff) {
      this.#pairs.resetSeen()
      this.#event = 0
    }
    this.#event++
    return this.#event
  }
}
