/// Counts what windows show from the rows that are stored, once, from the newest block to the oldest.
///
/// Going back in time, a window's sums are the running sums at the moment its beginning is passed; a pair is new in every
/// window that is still open when it is met for the first time; a token's last swap is the first one met, its first swap
/// the last one met; an extreme matters if it exceeds everything newer. So each row is looked at once, whatever the
/// number of windows, and of most blocks on disk only the columns that are needed are read. Nothing that was derived is
/// stored but the sums of runs, which never change: so nothing can be stale.
///
/// All of this is true of each token by itself, so a block on disk is counted token by token, as it lies there. Windows
/// that begin inside the block are then not yet passed for some of its rows: to these windows they are added too.

import type { Ledger } from '../ledger.js'
import { BLOCK_TICKS, type Block, END } from '../rows/block.js'
import { BlockRuns, type LateRows, type SumRun, type VisitRun } from '../slices/block-runs.js'
import type { BlockEntry } from '../slices/slices.js'
import type { RunReader } from '../storage/run-reader.js'
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

export class Recount {
  readonly #ledger: Ledger
  readonly #staircases: Staircases
  /// By token: running sums, and unique traders by kind.
  readonly #totals: Lines
  readonly #uniques: Int32Array
  /// By token: its nodes of blocks on disk, newest first.
  readonly #nodes: (number[] | undefined)[] = []
  /// Windows whose beginning is passed, and those before them that begin inside the block under way.
  #passed = 0
  #insideFrom = 0
  #isPlain = false

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    const tokens = ledger.tokenNames.idLimit
    this.#staircases = new Staircases(tokens * QUEUES)
    this.#totals = new Lines(tokens)
    this.#uniques = new Int32Array(tokens * KINDS)
  }

  /// Yields the share that is done, now and then.
  *run(): Generator<number, void> {
    const { slices, view } = this.#ledger
    const entries = [...slices.entries()].sort((a, b) => b.index - a.index)
    for (const [i, entry] of entries.entries()) {
      if (entry.onDisk) this.#countStored(entry)
      else this.#countHot(entry)
      yield (i + 1) / (entries.length + 1)
    }
    while (this.#passed < view.windows) this.#snapshot(this.#passed++)
    this.#settleTokens()
    for (const entry of entries) {
      if (entry.onDisk) continue
      slices.seatAll(entry)
      yield entries.length / (entries.length + 1)
    }
    view.loadAhead()
    yield 1
  }

  /// A block in memory, slice by slice. Cells and nodes are made later.
  #countHot(entry: BlockEntry): void {
    const { view } = this.#ledger
    for (let slot = BLOCK_TICKS - 1; slot >= 0; slot--) {
      const tick = entry.begin + slot
      this.#pass(tick)
      this.#insideFrom = this.#passed
      const { rows } = entry
      if (rows === null) continue
      for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
        const token = rows.token[row] as number
        view.noteRow(tick)
        this.#countRow(token, rows, row, tick)
        if (this.#closes(token, rows, row, tick)) view.close(rows, row, token, tick)
      }
    }
  }

  #countStored(entry: BlockEntry): void {
    const { slices, view } = this.#ledger
    const { records } = view.tokens
    this.#pass(entry.begin + BLOCK_TICKS - 1)
    this.#insideFrom = this.#passed
    this.#pass(entry.begin)
    this.#isPlain =
      this.#insideFrom === this.#passed &&
      entry.begin > view.expiredUpTo &&
      entry.begin + BLOCK_TICKS - 1 <= view.now
    const isUnclosed = (token: number): boolean => records[token * RECORD + CLOSE_TICK] === STALE
    const runs = new BlockRuns(slices.parts, entry, isUnclosed)
    const visit: VisitRun = (token, rows, order) => this.#countRun(entry, token, rows, order)
    const sum: SumRun = (run, late) => this.#isPlain && this.#countSums(entry, run, late)
    for (let piece = 0; piece < runs.pieces; piece++) runs.read(piece, visit, sum)
    runs.readRest(visit)
  }

  /// A token's rows of a block on disk, in chain order.
  #countRun(entry: BlockEntry, token: number, rows: Block, order: readonly number[] | null): void {
    const { slices, view } = this.#ledger
    const { tokenBlocks } = slices
    const node = tokenBlocks.make(entry.index)
    let priced = END
    const isPlain = this.#isPlain
    if (isPlain) this.#countPlain(entry, token, rows, order)
    for (let i = rows.rows - 1; i >= 0; i--) {
      const row = order === null ? i : (order[i] as number)
      if (!Number.isNaN(rows.price[row] as number)) priced = row
      if (isPlain) continue
      const tick = entry.begin + (rows.slot[row] as number)
      view.noteRow(tick)
      this.#countRow(token, rows, row, tick)
      if (this.#closes(token, rows, row, tick)) view.close(rows, row, token, tick)
    }
    tokenBlocks.noteFirst(node, rows.timeMs[order === null ? 0 : (order[0] as number)] as number)
    if (priced !== END) {
      tokenBlocks.notePriced(node, rows.slot[priced] as number, rows.price[priced] as number)
    }
    this.#addNode(token, node)
  }

  #addNode(token: number, node: number): void {
    const nodes = this.#nodes[token]
    if (nodes === undefined) this.#nodes[token] = [node]
    else nodes.push(node)
  }

  /// As #countPlain, from the run's sums, and the token's rows that came late. False if these do not tell all that
  /// matters: which row is the token's last one, when extremes that exceed everything newer were, what its first price is.
  #countSums(entry: BlockEntry, run: RunReader, late: LateRows): boolean {
    const { slices, view, pairs } = this.#ledger
    const { token, count, rows, sums } = run
    const { records } = view.tokens
    const at = token * RECORD
    if (records[at + CLOSE_TICK] === STALE || this.#exceeds(token, sums.high, sums.low, sums.largest))
      return false
    let { pricedSlot, price } = sums
    for (const row of late.which) {
      const value = late.rows.price[row] as number
      if (this.#exceeds(token, value, value, late.rows.usd[row] as number)) return false
      if (Number.isNaN(value)) continue
      const slot = late.rows.slot[row] as number
      if (slot === pricedSlot) return false
      if (pricedSlot >= 0 && slot > pricedSlot) continue
      pricedSlot = slot
      price = value
    }

    run.readTimes()
    const { timeMs, slot, pairSide } = rows
    let first = timeMs[0] as number
    let firstSlot = slot[0] as number
    this.#totals.addLine(token, sums.line, 0)
    for (let row = count - 1; row >= 0; row--) {
      const last = ((pairSide[row] as number) >> 1) * PAIR + LAST_TICK + ((pairSide[row] as number) & 1)
      if (pairs.records[last] !== NEVER) continue
      this.#meetPair(token, pairSide[row] as number, entry.begin + (slot[row] as number))
    }
    for (const row of late.which) {
      const tick = entry.begin + (late.rows.slot[row] as number)
      const of = late.rows.pairSide[row] as number
      addRow(this.#totals, token, late.rows, row)
      this.#meetPair(token, of, tick)
      // Met in this block already, perhaps in an older slice.
      const last = (of >> 1) * PAIR + LAST_TICK + (of & 1)
      if ((pairs.records[last] as number) < tick) pairs.records[last] = tick
      if ((late.rows.timeMs[row] as number) >= first) continue
      first = late.rows.timeMs[row] as number
      firstSlot = late.rows.slot[row] as number
    }
    if (first < (records[at + FIRST_MS] as number)) {
      records[at + FIRST_MS] = first
      records[at + FIRST_TICK] = entry.begin + firstSlot
    }
    const { tokenBlocks } = slices
    const node = tokenBlocks.make(entry.index)
    tokenBlocks.noteFirst(node, first)
    if (pricedSlot >= 0) tokenBlocks.notePriced(node, pricedSlot, price)
    this.#addNode(token, node)
    return true
  }

  /// Whether a queue of extremes would take one of these. A price that is not known exceeds nothing.
  #exceeds(token: number, high: number, low: number, usd: number): boolean {
    const queue = token * QUEUES
    const staircases = this.#staircases
    return (
      staircases.wants(queue + QUEUE_HIGH, high) ||
      staircases.wants(queue + QUEUE_LOW, -low) ||
      staircases.wants(queue + QUEUE_LARGEST, usd)
    )
  }

  /// As #countRow for all of a token's rows, of a block that lies whole between the beginnings of windows, and in the
  /// past: nearly all blocks. Short loops, as the machine likes them.
  #countPlain(entry: BlockEntry, token: number, rows: Block, order: readonly number[] | null): void {
    const { view } = this.#ledger
    const { records } = view.tokens
    const count = rows.rows
    const at = token * RECORD
    const { timeMs, slot, pairSide, price, usd } = rows
    const first = order === null ? 0 : (order[0] as number)
    const last = order === null ? count - 1 : (order[count - 1] as number)
    if ((timeMs[first] as number) < (records[at + FIRST_MS] as number)) {
      records[at + FIRST_MS] = timeMs[first] as number
      records[at + FIRST_TICK] = entry.begin + (slot[first] as number)
    }
    if ((timeMs[last] as number) > (records[at + LAST_MS] as number)) {
      records[at + LAST_MS] = timeMs[last] as number
    }
    view.noteRow(entry.begin + (slot[last] as number))
    const totals = this.#totals
    for (let row = 0; row < count; row++) addRow(totals, token, rows, row)
    for (let i = count - 1; i >= 0; i--) {
      const row = order === null ? i : (order[i] as number)
      this.#meetPair(token, pairSide[row] as number, entry.begin + (slot[row] as number))
    }
    const queue = token * QUEUES
    const staircases = this.#staircases
    for (let i = count - 1; i >= 0; i--) {
      const row = order === null ? i : (order[i] as number)
      const tick = entry.begin + (slot[row] as number)
      const value = price[row] as number
      // A price that is not known exceeds nothing.
      staircases.offer(queue + QUEUE_HIGH, tick, value)
      staircases.offer(queue + QUEUE_LOW, tick, -value)
      staircases.offer(queue + QUEUE_LARGEST, tick, usd[row] as number)
    }
    if (records[at + CLOSE_TICK] !== STALE) return
    for (let i = count - 1; i >= 0; i--) {
      const row = order === null ? i : (order[i] as number)
      if (Number.isNaN(price[row] as number)) continue
      view.close(rows, row, token, entry.begin + (slot[row] as number))
      return
    }
  }

  #countRow(token: number, rows: Block, row: number, tick: number): void {
    const { view, pairs } = this.#ledger
    const { records } = view.tokens
    const at = token * RECORD
    const ms = rows.timeMs[row] as number
    if (tick > view.expiredUpTo && ms < (records[at + FIRST_MS] as number)) {
      records[at + FIRST_MS] = ms
      records[at + FIRST_TICK] = tick
    }
    if (tick > view.now) {
      // Dated ahead of view time: only noted.
      const ahead = ((rows.pairSide[row] as number) >> 1) * PAIR + AHEAD
      pairs.records[ahead] = (pairs.records[ahead] as number) + 1
      return
    }
    if (ms > (records[at + LAST_MS] as number)) records[at + LAST_MS] = ms
    addRow(this.#totals, token, rows, row)
    if (this.#insideFrom < this.#passed) this.#addInside(token, rows, row, tick)
    this.#meetPair(token, rows.pairSide[row] as number, tick)
    if (tick > view.expiredUpTo) this.#offerExtremes(token, rows, row, tick)
  }

  /// Adds the row to those windows that begin inside the block and hold it.
  #addInside(token: number, rows: Block, row: number, tick: number): void {
    const { view } = this.#ledger
    for (let w = this.#insideFrom; w < this.#passed; w++) {
      if (tick > (view.position[w] as number)) addRow(view.tokens.lines, this.#lineOf(token, w), rows, row)
    }
  }

  #meetPair(token: number, pairSide: number, tick: number): void {
    const { records } = this.#ledger.pairs
    const side = pairSide & 1
    const at = (pairSide >> 1) * PAIR
    if (records[at + LAST_TICK + side] !== NEVER) return
    this.#countUnique(token, side, tick)
    if (records[at + LAST_TICK + (side ^ 1)] === NEVER) this.#countUnique(token, EITHER, tick)
    records[at + LAST_TICK + side] = tick
    records[at + LAST_CELL + side] = END
  }

  #countUnique(token: number, kind: number, tick: number): void {
    const { view } = this.#ledger
    const { ints } = view.tokens.lines
    this.#uniques[token * KINDS + kind] = (this.#uniques[token * KINDS + kind] as number) + 1
    for (let w = this.#insideFrom; w < this.#passed; w++) {
      if (tick <= (view.position[w] as number)) continue
      const unique = this.#lineOf(token, w) * INTS + UNIQUE + kind
      ints[unique] = (ints[unique] as number) + 1
    }
  }

  #offerExtremes(token: number, rows: Block, row: number, tick: number): void {
    const queue = token * QUEUES
    const price = rows.price[row] as number
    if (!Number.isNaN(price)) {
      this.#staircases.offer(queue + QUEUE_HIGH, tick, price)
      this.#staircases.offer(queue + QUEUE_LOW, tick, -price)
    }
    this.#staircases.offer(queue + QUEUE_LARGEST, tick, rows.usd[row] as number)
  }

  /// Whether the row could be the token's last priced one: none was met in a newer slice.
  #closes(token: number, rows: Block, row: number, tick: number): boolean {
    const { view } = this.#ledger
    if (tick <= view.expiredUpTo || tick > view.now || Number.isNaN(rows.price[row] as number)) return false
    const known = view.tokens.records[token * RECORD + CLOSE_TICK]
    return known === STALE || known === tick
  }

  #lineOf(token: number, w: number): number {
    return token * (this.#ledger.view.windows + 1) + w
  }

  /// The beginnings of all windows that do not hold the tick are passed: the running sums are their own.
  #pass(tick: number): void {
    const { view } = this.#ledger
    while (this.#passed < view.windows && tick <= (view.position[this.#passed] as number)) {
      this.#snapshot(this.#passed++)
    }
  }

  #snapshot(w: number): void {
    for (let token = 0; token < this.#totals.capacity; token++) this.#copyTotal(token, this.#lineOf(token, w))
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
      const total = this.#lineOf(token, windows)
      this.#copyTotal(token, total)
      for (let w = 0; w < windows; w++) lines.subtract(this.#lineOf(token, w), total, this.#lineOf(token, w))
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

function addRow(lines: Lines, line: number, rows: Block, row: number): void {
  lines.addSwap(
    line,
    (rows.pairSide[row] as number) & 1,
    rows.usd[row] as number,
    rows.amountLow[row] as number,
    rows.amountMid[row] as number,
    rows.amountHigh[row] as number,
  )
}
