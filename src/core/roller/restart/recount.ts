/// Counts what windows show from the rows that are stored, once, from the newest slice to the oldest.
///
/// Going back in time, a window's sums are the running sums at the moment its beginning is passed; a pair is new in every
/// window that is still open when it is met for the first time; a token's last swap is the first one met, its first swap
/// the last one met; an extreme matters if it exceeds everything newer. So each row is looked at once, whatever the
/// number of windows, and of most slices on disk only the columns that are needed are read. Nothing that was derived is
/// stored, so nothing can be stale.
///
/// A day of 82 million rows is counted so at a start. Hence the shape: short loops over columns, and per token only
/// what fits into the cache.

import type { Ledger } from '../ledger.js'
import { BLOCK_TICKS, Block, END } from '../rows/block.js'
import type { BlockEntry } from '../slices/slices.js'
import { grownInt32 } from '../tables/columns.js'
import { COUNT, EITHER, HIGH, INTS, LINE, Lines, PRICE, UNIQUE } from '../tables/lines.js'
import { AHEAD, LAST_CELL, LAST_TICK, NEVER, PAIR } from '../tables/pairs.js'
import {
  CLOSE_TICK,
  FIRST_MS,
  FIRST_TICK,
  KINDS,
  LAST_MS,
  QUEUE_HIGH,
  QUEUE_LARGEST,
  QUEUE_LOW,
  QUEUES,
  RECORD,
  STALE,
} from '../view/tokens.js'
import { Staircases } from './staircases.js'

const NO_SLOT = -1

export class Recount {
  readonly #ledger: Ledger
  readonly #staircases: Staircases
  readonly #scratch = new Block(1024)
  /// Rows of the slice under way, newest first.
  #order = new Int32Array(1024)
  #count = 0
  /// By token: running sums, and unique traders by kind.
  readonly #totals: Lines
  readonly #uniques: Int32Array
  /// By token, of the block on disk that is being counted: its first swap, and the first priced one.
  readonly #stamp: Float64Array
  readonly #firstMs: Float64Array
  readonly #pricedSlot: Int32Array
  readonly #pricedPrice: Float64Array
  readonly #tokensInBlock: number[] = []
  /// By token: its nodes of blocks on disk, newest first.
  readonly #nodes: (number[] | undefined)[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    const tokens = ledger.tokenNames.idLimit
    this.#staircases = new Staircases(tokens * QUEUES)
    this.#totals = new Lines(tokens)
    this.#uniques = new Int32Array(tokens * KINDS)
    this.#stamp = new Float64Array(tokens).fill(Number.NaN)
    this.#firstMs = new Float64Array(tokens)
    this.#pricedSlot = new Int32Array(tokens)
    this.#pricedPrice = new Float64Array(tokens)
  }

  /// Yields the share that is done, after each block.
  *run(): Generator<number, void> {
    const { slices, view } = this.#ledger
    const entries = [...slices.entries()].sort((a, b) => b.index - a.index)
    let passed = 0
    for (const [i, entry] of entries.entries()) {
      for (let slot = BLOCK_TICKS - 1; slot >= 0; slot--) {
        const tick = entry.begin + slot
        while (passed < view.windows && tick <= (view.position[passed] as number)) this.#snapshot(passed++)
        this.#countSlice(entry, slot, tick)
      }
      this.#settleBlock(entry)
      yield (i + 1) / (entries.length + 1)
    }
    while (passed < view.windows) this.#snapshot(passed++)
    this.#settleTokens()
    for (const entry of entries) {
      if (entry.onDisk) continue
      slices.seatAll(entry)
      yield entries.length / (entries.length + 1)
    }
    view.loadAhead()
    yield 1
  }

  #countSlice(entry: BlockEntry, slot: number, tick: number): void {
    const { parts, view } = this.#ledger
    const inMemory = entry.rows !== null && entry.rows.sliceHead[slot] !== END
    const stored = entry.onDisk ? parts.countOf(entry.index, slot) : 0
    if (stored === 0 && !inMemory) return
    view.noteRow(tick)
    if (!entry.onDisk) this.#countHot(entry.rows, slot, tick)
    else if (stored > 1 || inMemory || tick > view.now) this.#countWhole(entry, slot, tick)
    else this.#countStored(entry, slot, tick)
  }

  /// Ties of hot rows are told apart by `close`; their cells and nodes are made later.
  #countHot(rows: Block | null, slot: number, tick: number): void {
    if (rows === null) return
    this.#count = 0
    for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
      this.#push(row)
    }
    if (tick > this.#ledger.view.now) this.#enterAhead(rows, tick)
    else {
      this.#enter(rows, tick)
      if (this.#mayClose(rows, tick)) this.#close(rows, tick)
    }
  }

  /// A slice of one part, whose rows are in chain order already.
  #countStored(entry: BlockEntry, slot: number, tick: number): void {
    const rows = this.#scratch
    rows.clear()
    this.#ledger.parts.readSlice(entry.index, slot, rows, false)
    this.#count = 0
    for (let row = rows.rows - 1; row >= 0; row--) this.#push(row)
    this.#noteNodes(entry, rows, slot)
    this.#enter(rows, tick)
    // Only few tokens traded last so long ago; the place in the chain of such a swap is read when it is needed.
    if (this.#mayClose(rows, tick)) this.#closeWhole(entry, slot, tick)
  }

  /// A slice whose rows must be put in order first.
  #countWhole(entry: BlockEntry, slot: number, tick: number): void {
    const { slices, view } = this.#ledger
    this.#pushAll(slices.wholeSlice(entry, slot))
    const rows = slices.sliceRows
    this.#noteNodes(entry, rows, slot)
    if (tick > view.now) this.#enterAhead(rows, tick)
    else {
      this.#enter(rows, tick)
      if (this.#mayClose(rows, tick)) this.#close(rows, tick)
    }
  }

  #closeWhole(entry: BlockEntry, slot: number, tick: number): void {
    const { slices } = this.#ledger
    this.#pushAll(slices.wholeSlice(entry, slot))
    this.#close(slices.sliceRows, tick)
  }

  #pushAll(ascending: readonly number[]): void {
    this.#count = 0
    for (let i = ascending.length - 1; i >= 0; i--) this.#push(ascending[i] as number)
  }

  #push(row: number): void {
    if (this.#count === this.#order.length) this.#order = grownInt32(this.#order, this.#count + 1)
    this.#order[this.#count++] = row
  }

  /// Rows that are dated ahead of view time are only noted.
  #enterAhead(rows: Block, tick: number): void {
    const { records } = this.#ledger.pairs
    for (let i = 0; i < this.#count; i++) {
      const at = ((rows.pairSide[this.#order[i] as number] as number) >> 1) * PAIR + AHEAD
      records[at] = (records[at] as number) + 1
    }
    this.#noteTimes(rows, tick, true)
  }

  #enter(rows: Block, tick: number): void {
    this.#addSums(rows)
    this.#meetPairs(rows, tick)
    this.#noteTimes(rows, tick, false)
    if (tick > this.#ledger.view.expiredUpTo) this.#offerExtremes(rows, tick)
  }

  #addSums(rows: Block): void {
    const { token, pairSide, usd, amountLow, amountMid, amountHigh } = rows
    const totals = this.#totals
    for (let i = 0; i < this.#count; i++) {
      const row = this.#order[i] as number
      totals.addSwap(
        token[row] as number,
        (pairSide[row] as number) & 1,
        usd[row] as number,
        amountLow[row] as number,
        amountMid[row] as number,
        amountHigh[row] as number,
      )
    }
  }

  #meetPairs(rows: Block, tick: number): void {
    const { token, pairSide } = rows
    const { records } = this.#ledger.pairs
    const uniques = this.#uniques
    for (let i = 0; i < this.#count; i++) {
      const row = this.#order[i] as number
      const side = (pairSide[row] as number) & 1
      const at = ((pairSide[row] as number) >> 1) * PAIR
      if (records[at + LAST_TICK + side] !== NEVER) continue
      const unique = (token[row] as number) * KINDS
      uniques[unique + side] = (uniques[unique + side] as number) + 1
      if (records[at + LAST_TICK + (side ^ 1)] === NEVER) {
        uniques[unique + EITHER] = (uniques[unique + EITHER] as number) + 1
      }
      records[at + LAST_TICK + side] = tick
      records[at + LAST_CELL + side] = END
    }
  }

  #noteTimes(rows: Block, tick: number, ahead: boolean): void {
    const { token, timeMs } = rows
    const { records } = this.#ledger.view.tokens
    const isRetained = tick > this.#ledger.view.expiredUpTo
    for (let i = 0; i < this.#count; i++) {
      const row = this.#order[i] as number
      const at = (token[row] as number) * RECORD
      const ms = timeMs[row] as number
      if (!ahead && ms > (records[at + LAST_MS] as number)) records[at + LAST_MS] = ms
      if (isRetained && ms < (records[at + FIRST_MS] as number)) {
        records[at + FIRST_MS] = ms
        records[at + FIRST_TICK] = tick
      }
    }
  }

  #offerExtremes(rows: Block, tick: number): void {
    const { token, price, usd } = rows
    const staircases = this.#staircases
    for (let i = 0; i < this.#count; i++) {
      const row = this.#order[i] as number
      const queue = (token[row] as number) * QUEUES
      const value = price[row] as number
      if (!Number.isNaN(value)) {
        staircases.offer(queue + QUEUE_HIGH, tick, value)
        staircases.offer(queue + QUEUE_LOW, tick, -value)
      }
      staircases.offer(queue + QUEUE_LARGEST, tick, usd[row] as number)
    }
  }

  /// Whether the slice could hold a token's last priced swap.
  #mayClose(rows: Block, tick: number): boolean {
    const { view } = this.#ledger
    if (tick <= view.expiredUpTo) return false
    const { records } = view.tokens
    for (let i = 0; i < this.#count; i++) {
      const row = this.#order[i] as number
      if (records[(rows.token[row] as number) * RECORD + CLOSE_TICK] !== STALE) continue
      if (!Number.isNaN(rows.price[row] as number)) return true
    }
    return false
  }

  /// Keeps the last priced swaps of those tokens for which none was met in a newer slice.
  #close(rows: Block, tick: number): void {
    const { view } = this.#ledger
    const { records } = view.tokens
    for (let i = 0; i < this.#count; i++) {
      const row = this.#order[i] as number
      const token = rows.token[row] as number
      const known = records[token * RECORD + CLOSE_TICK]
      if ((known !== STALE && known !== tick) || Number.isNaN(rows.price[row] as number)) continue
      view.close(rows, row, token, tick)
    }
  }

  /// Notes, of a slice of a block on disk, what the tokens' nodes of the block say.
  #noteNodes(entry: BlockEntry, rows: Block, slot: number): void {
    const { token, timeMs, price } = rows
    for (let i = 0; i < this.#count; i++) {
      const row = this.#order[i] as number
      const of = token[row] as number
      if (this.#stamp[of] !== entry.index) {
        this.#stamp[of] = entry.index
        this.#pricedSlot[of] = NO_SLOT
        this.#tokensInBlock.push(of)
      }
      // Going back in chain order: the last one met is the first.
      this.#firstMs[of] = timeMs[row] as number
      if (Number.isNaN(price[row] as number)) continue
      this.#pricedSlot[of] = slot
      this.#pricedPrice[of] = price[row] as number
    }
  }

  /// Makes the nodes of a block on disk.
  #settleBlock(entry: BlockEntry): void {
    const { tokenBlocks } = this.#ledger.slices
    for (const token of this.#tokensInBlock) {
      const node = tokenBlocks.make(entry.index)
      tokenBlocks.noteFirst(node, this.#firstMs[token] as number)
      const slot = this.#pricedSlot[token] as number
      if (slot !== NO_SLOT) tokenBlocks.notePriced(node, slot, this.#pricedPrice[token] as number)
      const nodes = this.#nodes[token]
      if (nodes === undefined) this.#nodes[token] = [node]
      else nodes.push(node)
    }
    this.#tokensInBlock.length = 0
  }

  /// The beginning of window w is passed: the running sums are its own.
  #snapshot(w: number): void {
    const { view } = this.#ledger
    const stride = view.windows + 1
    for (let token = 0; token < this.#totals.capacity; token++) this.#copyTotal(token, token * stride + w)
  }

  #copyTotal(token: number, line: number): void {
    const { lines } = this.#ledger.view.tokens
    const totals = this.#totals
    for (let i = 0; i < PRICE; i++) lines.f64[line * LINE + i] = totals.f64[token * LINE + i] as number
    lines.ints[line * INTS + COUNT] = totals.ints[token * INTS + COUNT] as number
    lines.ints[line * INTS + COUNT + 1] = totals.ints[token * INTS + COUNT + 1] as number
    for (let kind = 0; kind < KINDS; kind++) {
      lines.ints[line * INTS + UNIQUE + kind] = this.#uniques[token * KINDS + kind] as number
    }
    if (totals.high === null) return
    const high = lines.withHigh()
    for (let i = 0; i < HIGH; i++) high[line * HIGH + i] = totals.high[token * HIGH + i] as number
  }

  /// Turns what each window holds into what it has expired, and gives tokens their queues and nodes.
  #settleTokens(): void {
    const { tokenNames, view, slices } = this.#ledger
    const { tokens, windows } = view
    const { lines, steps } = tokens
    const stride = windows + 1
    for (let token = 0; token < this.#totals.capacity; token++) {
      if (!tokenNames.has(token)) continue
      const total = token * stride + windows
      this.#copyTotal(token, total)
      for (let w = 0; w < windows; w++) lines.subtract(token * stride + w, total, token * stride + w)
      for (let kind = 0; kind < KINDS; kind++) {
        steps[(token * KINDS + kind) * stride] = lines.ints[total * INTS + UNIQUE + kind] as number
        lines.ints[total * INTS + UNIQUE + kind] = 0
      }
      slices.tokenBlocks.prepend(token, this.#nodes[token] ?? [])
      if (view.isPresent(token)) view.touch(token)
    }
    this.#staircases.settle(tokens.extremes)
  }
}
