/// What is seen at view time T: the windows of every token.
///
/// One cursor per window walks the slices. `position[w]` is T − W: the window holds exactly the entered swaps with
/// a tick above it. A swap enters when it arrives, or, dated ahead of T, when T reaches its tick. When a cursor
/// passes a slice it adds the slice's cells to what the window has expired. A late swap that a window has already
/// passed is added to both sides and so never seen by it.
///
/// The last window is as long as the retention: it decides which tokens exist, and first and last seen. Where no
/// configured window is that long, one more cursor stands for it.

import { invariant } from '../../invariant.js'
import { BLOCK_TICKS, type Block, compareBytes, END, WITHOUT_ID } from '../rows/block.js'
import { BlockRuns, type VisitRun } from '../slices/block-runs.js'
import { type Cells, SEEN, SEEN_TOKEN } from '../slices/cells.js'
import type { BlockEntry, Slices } from '../slices/slices.js'
import { grownInt32 } from '../tables/columns.js'
import { COUNT, INTS, LINE, PRICE, TAG, UNIQUE } from '../tables/lines.js'
import { AHEAD, NEVER, PAIR, type Pairs } from '../tables/pairs.js'
import {
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
  LAST_MS,
  OPEN_MOST,
  QUEUE_HIGH,
  QUEUE_LARGEST,
  QUEUE_LOW,
  QUEUES,
  RECORD,
  Tokens,
} from './tokens.js'
import { enterPair } from './uniques.js'

export class View {
  readonly tokens: Tokens
  /// Relative view time.
  now = 0
  /// Relative tick up to which each window has expired; descending, as windows are sorted shortest first.
  readonly position: Int32Array
  readonly #lengths: Int32Array
  readonly #slices: Slices
  readonly #pairs: Pairs
  /// The newest relative tick with a row.
  #newest = NEVER
  #changed = new Int32Array(64)
  #changedCount = 0

  /// `lengths` in ticks, ascending; the last is the retention.
  constructor(lengths: readonly number[], slices: Slices, pairs: Pairs) {
    this.#lengths = Int32Array.from(lengths)
    this.position = Int32Array.from(lengths, length => -length)
    this.#slices = slices
    this.#pairs = pairs
    this.tokens = new Tokens(lengths.length)
  }

  get windows(): number {
    return this.position.length
  }

  /// Relative tick at and before which no window holds anything.
  get expiredUpTo(): number {
    return this.position[this.windows - 1] as number
  }

  /// The tokens whose statistics changed since the last call, each once.
  takeChanged(): Int32Array {
    const taken = this.#changed.slice(0, this.#changedCount)
    for (const token of taken) this.tokens.changed[token] = 0
    this.#changedCount = 0
    return taken
  }

  /// Notes that there is a row at the tick, for cursors that would not walk otherwise.
  noteRow(tick: number): void {
    if (tick > this.#newest) this.#newest = tick
  }

  /// Takes in a row that was just seated (see Slices.seat). `opened` is the price that its slice begins with for the
  /// token, when that is new, else NaN.
  insert(rows: Block, row: number, token: number, tick: number, cell: number, opened: number): void {
    if (tick > this.#newest) this.#newest = tick
    const { tokens } = this
    if (!Number.isNaN(opened)) this.#noteOpen(token, tick, opened)
    if (tick > this.expiredUpTo) {
      const timeMs = rows.timeMs[row] as number
      const at = token * RECORD
      // An earlier first swap that is out of date is replaced when it is asked for.
      if (timeMs < (tokens.records[at + FIRST_MS] as number)) {
        tokens.records[at + FIRST_MS] = timeMs
        tokens.records[at + FIRST_TICK] = tick
      }
    }
    if (tick <= this.now) this.#enter(rows, row, token, tick, cell)
    else {
      const at = ((rows.pairSide[row] as number) >> 1) * PAIR + AHEAD
      this.#pairs.records[at] = (this.#pairs.records[at] as number) + 1
    }
  }

  /// Moves view time forward to the relative tick.
  advance(to: number): void {
    if (to <= this.now) return
    const from = this.now
    this.now = to
    if (this.#newest > from) this.#enterSlices(from + 1, Math.min(to, this.#newest))
    for (let w = 0; w < this.windows; w++) this.#expireTo(w, to - (this.#lengths[w] as number))
  }

  /// Sees to it that cells are there where cursors stand, and goes on making those of the next block, a share for each
  /// slice that the cursor moves on, so that entering a block holds up nobody. Lets go of cells that no cursor needs any
  /// more.
  loadAhead(): void {
    const slices = this.#slices
    for (let w = 0; w < this.windows; w++) {
      const next = (this.position[w] as number) + 1
      if (next > this.now) continue
      const entry = slices.at(next)
      if (entry !== undefined && next > entry.begin) slices.load(entry, 1)
      const begin = slices.beginOf(slices.blockOf(next))
      const after = slices.at(begin + BLOCK_TICKS)
      if (after !== undefined && next > begin) slices.load(after, (next - begin) / BLOCK_TICKS)
    }
    for (const entry of slices.loadedBlocks) if (!this.needs(entry)) slices.release(entry)
  }

  /// Whether a cursor stands in the block, is about to enter it, or will be in the block after the one it stands in.
  needs(entry: BlockEntry): boolean {
    for (let w = 0; w < this.windows; w++) {
      const ahead = entry.begin - ((this.position[w] as number) + 1)
      if (ahead > -BLOCK_TICKS && ahead < BLOCK_TICKS) return true
    }
    return false
  }

  /// Whether the token has a row within retention at view time.
  isPresent(token: number): boolean {
    const { ints } = this.tokens.lines
    const total = (token * (this.windows + 1) + this.windows) * INTS + COUNT
    const expired = total - INTS
    const buys = (ints[total] as number) - (ints[expired] as number)
    const sells = (ints[total + 1] as number) - (ints[expired + 1] as number)
    return ((buys + sells) | 0) > 0
  }

  touch(token: number): void {
    if (this.tokens.changed[token] === 1) return
    this.tokens.changed[token] = 1
    if (this.#changedCount === this.#changed.length) {
      this.#changed = grownInt32(this.#changed, this.#changedCount + 1)
    }
    this.#changed[this.#changedCount++] = token
  }

  /// Keeps the row as the token's last if it is last in chain order.
  close(rows: Block, row: number, token: number, tick: number): void {
    const { records } = this.tokens
    const timeMs = rows.timeMs[row] as number
    const at = token * RECORD
    const closeMs = records[at + CLOSE_MS] as number
    if (timeMs < closeMs) return
    if (timeMs === closeMs) {
      const order = this.#comparesToClose(rows, row, token)
      if (Number.isNaN(order)) this.#closeAgain(token, tick)
      if (!(order >= 0)) return
    }
    this.#setClose(rows, row, token, tick)
  }

  /// Looks for the token's last row in a slice of a block on disk, fingerprints included.
  #closeAgain(token: number, tick: number): void {
    const slices = this.#slices
    const entry = slices.at(tick)
    invariant(entry?.onDisk === true, 'only rows on disk have fingerprints that were not read')
    let last = END
    for (const row of slices.chainOf(entry, token, tick - entry.begin)) {
      if (!Number.isNaN(slices.chainRows.price[row] as number)) last = row
    }
    invariant(last !== END, 'the slice of a last price has a priced row')
    this.#setClose(slices.chainRows, last, token, tick)
  }

  #setClose(rows: Block, row: number, token: number, tick: number): void {
    const { records, closeId } = this.tokens
    const at = token * RECORD
    records[at + CLOSE_TICK] = tick
    records[at + CLOSE_PRICE] = rows.price[row] as number
    records[at + CLOSE_MS] = rows.timeMs[row] as number
    records[at + CLOSE_BLOCK] = rows.block[row] as number
    records[at + CLOSE_TX] = rows.txIndex[row] as number
    records[at + CLOSE_LOG] = rows.logIndex[row] as number
    const isKnown = rows.offset[row] !== WITHOUT_ID
    records[at + CLOSE_ID0] = isKnown ? (rows.id0[row] as number) : Number.NaN
    records[at + CLOSE_ID1] = isKnown ? (rows.id1[row] as number) : Number.NaN
    const idAt = rows.idAt[row] as number
    if (idAt >= 0) closeId[token] = rows.ids.slice(idAt, idAt + (rows.idLength[row] as number))
    else if (closeId[token] !== undefined) closeId[token] = undefined
  }

  /// The slice of a token has another first price: windows that it opens take note.
  #noteOpen(token: number, tick: number, price: number): void {
    // Nearly always it comes after every opening price that is known.
    if (tick > (this.tokens.records[token * RECORD + OPEN_MOST] as number)) return
    const { ints, f64 } = this.tokens.lines
    const first = token * (this.windows + 1)
    for (let w = 0; w < this.windows; w++) {
      const after = this.position[w] as number
      if (tick <= after) continue
      const tag = (first + w) * INTS + TAG
      const known = ints[tag] as number
      // What is out of date stays so: it is looked for when it is asked for.
      if (known <= after) continue
      if (tick > known) break
      ints[tag] = tick
      f64[(first + w) * LINE + PRICE] = price
    }
  }

  #enterSlices(from: number, to: number): void {
    for (let tick = from; tick <= to; ) {
      const entry = this.#slices.at(tick)
      const end = Math.min(to, this.#slices.beginOf(this.#slices.blockOf(tick)) + BLOCK_TICKS - 1)
      if (entry?.onDisk) this.#enterStored(entry, tick, end)
      else for (; tick <= end && entry !== undefined; tick++) this.#enterSlice(entry, tick)
      tick = end + 1
    }
  }

  #enterSlice(entry: BlockEntry, tick: number): void {
    const { rows } = entry
    if (rows === null) return
    const head = rows.sliceHead[tick - entry.begin] as number
    for (let row = head; row !== END; row = rows.nextInSlice[row] as number) {
      this.#enterAhead(entry, rows, row, tick)
    }
  }

  /// View time lags so far behind log time that the slices it comes to are on disk already.
  #enterStored(entry: BlockEntry, from: number, to: number): void {
    const runs = new BlockRuns(this.#slices.parts, entry, () => true)
    const enter: VisitRun = (_, rows) => {
      for (let row = 0; row < rows.rows; row++) {
        const tick = entry.begin + (rows.slot[row] as number)
        if (tick >= from && tick <= to) this.#enterAhead(entry, rows, row, tick)
      }
    }
    for (let piece = 0; piece < runs.pieces; piece++) runs.read(piece, enter)
    runs.readRest(enter)
  }

  /// A row that was dated ahead enters.
  #enterAhead(entry: BlockEntry, rows: Block, row: number, tick: number): void {
    const slices = this.#slices
    const token = rows.token[row] as number
    const at = ((rows.pairSide[row] as number) >> 1) * PAIR + AHEAD
    this.#pairs.records[at] = (this.#pairs.records[at] as number) - 1
    this.#enter(rows, row, token, tick, slices.cellOf(entry, token, tick - entry.begin))
  }

  /// `cell` is the row's, END when its slice is not in memory as cells.
  #enter(rows: Block, row: number, token: number, tick: number, cell: number): void {
    const { tokens, position, windows } = this
    const { lines, records, extremes } = tokens
    const pairSide = rows.pairSide[row] as number
    const side = pairSide & 1
    const usd = rows.usd[row] as number
    const low = rows.amountLow[row] as number
    const mid = rows.amountMid[row] as number
    const high = rows.amountHigh[row] as number
    const first = token * (windows + 1)
    lines.addSwap(first + windows, side, usd, low, mid, high)
    for (let w = 0; w < windows && tick <= (position[w] as number); w++) {
      lines.addSwap(first + w, side, usd, low, mid, high)
    }
    const cells = cell === END ? null : this.#slices.cellsAt(tick)
    enterPair(this.#pairs, tokens, this.#slices, position, pairSide, tick, cells, cell)
    const timeMs = rows.timeMs[row] as number
    const at = token * RECORD
    if (timeMs > (records[at + LAST_MS] as number)) records[at + LAST_MS] = timeMs
    const after = this.expiredUpTo
    if (tick > after) {
      const price = rows.price[row] as number
      if (!Number.isNaN(price)) {
        extremes.add(token * QUEUES + QUEUE_HIGH, tick, price, after)
        extremes.add(token * QUEUES + QUEUE_LOW, tick, -price, after)
        this.close(rows, row, token, tick)
      }
      extremes.add(token * QUEUES + QUEUE_LARGEST, tick, usd, after)
    }
    this.touch(token)
  }

  /// compareRows against the token's last row, times being equal. NaN when only fingerprints can tell, and one of them
  /// was not read.
  #comparesToClose(rows: Block, row: number, token: number): number {
    const { records, closeId } = this.tokens
    const at = token * RECORD
    const block = (rows.block[row] as number) - (records[at + CLOSE_BLOCK] as number)
    if (block !== 0) return block
    const tx = (rows.txIndex[row] as number) - (records[at + CLOSE_TX] as number)
    if (tx !== 0) return tx
    const log = (rows.logIndex[row] as number) - (records[at + CLOSE_LOG] as number)
    if (log !== 0) return log
    const id = closeId[token]
    if (id !== undefined) {
      return compareBytes(rows.ids, rows.idAt[row] as number, rows.idLength[row] as number, id, 0, id.length)
    }
    if (rows.offset[row] === WITHOUT_ID) return Number.NaN
    const id0 = (rows.id0[row] as number) - (records[at + CLOSE_ID0] as number)
    return id0 !== 0 ? id0 : (rows.id1[row] as number) - (records[at + CLOSE_ID1] as number)
  }

  #expireTo(w: number, to: number): void {
    const { position } = this
    const slices = this.#slices
    let tick = (position[w] as number) + 1
    // Nothing lies beyond the newest row: no need to walk there.
    const last = Math.min(to, this.#newest)
    while (tick <= last) {
      const entry = slices.at(tick)
      const begin = slices.beginOf(slices.blockOf(tick))
      const end = Math.min(last, begin + BLOCK_TICKS - 1)
      if (entry !== undefined) {
        slices.load(entry, 1)
        const { cells } = entry
        for (; tick <= end && cells !== null; tick++) {
          const head = cells.sliceHead[tick - begin] as number
          if (head !== END) this.#expireSlice(w, cells, head)
        }
      }
      tick = end + 1
    }
    position[w] = to
  }

  // Short, and without dependencies between cells: the processor then waits for the memory of several cells at once.
  #expireSlice(w: number, cells: Cells, head: number): void {
    const { lines } = this.tokens
    const { ints } = lines
    const stride = this.windows + 1
    const { nextInSlice, seen, lines: from } = cells
    for (let cell = head; cell !== END; cell = nextInSlice[cell] as number) {
      const source = cell * SEEN
      const token = seen[source + SEEN_TOKEN] as number
      const line = token * stride + w
      lines.addLine(line, from, cell)
      const to = line * INTS + UNIQUE
      ints[to] = (ints[to] as number) + (seen[source] as number)
      ints[to + 1] = (ints[to + 1] as number) + (seen[source + 1] as number)
      ints[to + 2] = (ints[to + 2] as number) + (seen[source + 2] as number)
      this.touch(token)
    }
  }
}
