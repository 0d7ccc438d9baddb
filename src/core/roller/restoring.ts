/// From what the state store holds back to a machine that goes on as if it had never stopped.
///
/// Names and pairs come from the heads of parts, then the rows that are not in parts from deltas. What windows show is
/// then counted from the newest slice to the oldest, once: a window's sums are the running sums at the moment its
/// beginning is passed, a pair is new in a window when it is met for the first time, a token's last swap is the first
/// one met. So each row is looked at once, whatever the number of windows, and only the columns that are needed are read;
/// nothing that was derived is stored, so nothing can be stale.

import type { Block } from './block.js'
import { BLOCK_TICKS, END, Block as Rows } from './block.js'
import type { RollerConfig } from './config.js'
import { type DeltaRows, readDelta } from './delta.js'
import type { Horizon } from './horizon.js'
import type { Ledger } from './ledger.js'
import { COUNT, EITHER, HIGH, INTS, LINE, PRICE, TAG, UNIQUE } from './lines.js'
import { AHEAD, LAST_CELL, LAST_TICK, NEVER, PAIR } from './pairs.js'
import type { StoredPart } from './parts.js'
import type { BlockEntry } from './slices.js'
import { Staircases } from './staircases.js'
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
} from './tokens.js'

export class Restoring {
  readonly #ledger: Ledger
  readonly #horizon: Horizon
  readonly #horizonMs: number
  readonly #staircases = new Staircases()
  readonly #scratch = new Rows(1024)
  /// Of blocks on disk: each token's node in the block that is being counted, and all of its nodes, newest first.
  #node = new Int32Array(0)
  #nodeBlock = new Float64Array(0)
  readonly #nodes: number[][] = []

  constructor(ledger: Ledger, horizon: Horizon, { dedupeHorizonMs }: RollerConfig) {
    this.#ledger = ledger
    this.#horizon = horizon
    this.#horizonMs = dedupeHorizonMs
  }

  /// Takes in a part: all of them first, in the store's order.
  part(block: number, coversTo: number, part: StoredPart): void {
    const { slices, parts } = this.#ledger
    parts.restore(block, part, this.#ledger)
    const known = slices.get(block)
    const entry = known ?? this.#openOnDisk(block)
    entry.sealedUpTo = Math.max(entry.sealedUpTo, coversTo)
  }

  /// Takes in a delta: after the parts, in the store's order. Rows that are in parts only count for the dedupe horizon.
  delta(payload: Uint8Array, coversFrom: number): DeltaRows['fates'] {
    const ledger = this.#ledger
    const { fates, rows, runs } = readDelta(payload, coversFrom, ledger, ledger.pairs)
    let row = 0
    for (const { rows: count, logTimeMs } of runs) {
      this.#horizon.expire(logTimeMs, this.#horizonMs)
      for (const end = row + count; row < end; row++) {
        this.#keep(rows, row)
        this.#horizon.add(
          rows.id0[row] as number,
          rows.id1[row] as number,
          rows.id2[row] as number,
          ledger.digest(rows, row),
          logTimeMs,
        )
      }
    }
    return fates
  }

  /// Counts everything: after parts and deltas. Yields the share that is done.
  *recount(): Generator<number, void> {
    const { slices, view, tokenNames } = this.#ledger
    const tokens = tokenNames.idLimit
    this.#node = new Int32Array(tokens).fill(-1)
    this.#nodeBlock = new Float64Array(tokens).fill(Number.NaN)
    const entries = [...slices.entries()].sort((a, b) => b.index - a.index)
    let passed = 0
    for (const [i, entry] of entries.entries()) {
      for (let slot = BLOCK_TICKS - 1; slot >= 0; slot--) {
        const tick = entry.begin + slot
        while (passed < view.windows && tick <= (view.position[passed] as number)) this.#snapshot(passed++)
        this.#countSlice(entry, slot, tick)
      }
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

  #openOnDisk(block: number): BlockEntry {
    const { slices } = this.#ledger
    const entry = this.#ledger.open(slices.beginOf(block))
    entry.onDisk = true
    slices.release(entry)
    return entry
  }

  /// Keeps a delta's row in memory, unless it is in a part.
  #keep(rows: Block, row: number): void {
    const ledger = this.#ledger
    const tick = ledger.relativeTick(rows.timeMs[row] as number)
    const known = ledger.slices.at(tick)
    if (known?.onDisk && (rows.offset[row] as number) < known.sealedUpTo) return
    const entry = known ?? ledger.open(tick)
    ledger.slices.rowsOf(entry).copyRow(rows, row, tick - entry.begin)
    if (entry.onDisk) ledger.noteLate(entry)
  }

  #countSlice(entry: BlockEntry, slot: number, tick: number): void {
    const { parts, slices, view } = this.#ledger
    const inMemory = entry.rows !== null && entry.rows.sliceHead[slot] !== END
    const stored = entry.onDisk ? parts.countOf(entry.index, slot) : 0
    if (stored === 0 && !inMemory) return
    view.noteRow(tick)
    if (!entry.onDisk && entry.rows !== null) {
      // Ties of hot rows are told apart by `close`; their cells and nodes are made later.
      const { rows } = entry
      for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
        if (tick > view.now) this.#ahead(rows, row, tick)
        else {
          this.#count(rows, row, tick)
          this.#close(rows, row, tick)
        }
      }
      return
    }
    if (stored > 1 || inMemory || tick > view.now) {
      this.#countWhole(entry, slot, tick)
      return
    }
    const rows = this.#scratch
    rows.clear()
    parts.readSlice(entry.index, slot, rows, false)
    let closes = false
    for (let row = rows.rows - 1; row >= 0; row--) {
      this.#noteNode(entry, rows, row)
      this.#count(rows, row, tick)
      closes ||= this.#mayClose(rows, row, tick)
    }
    if (!closes) return
    for (const row of slices.wholeSlice(entry, slot)) this.#close(slices.sliceRows, row, tick)
  }

  /// A slice of a block on disk whose rows must be put in order first.
  #countWhole(entry: BlockEntry, slot: number, tick: number): void {
    const { slices, view } = this.#ledger
    const order = slices.wholeSlice(entry, slot)
    const rows = slices.sliceRows
    for (let i = order.length - 1; i >= 0; i--) {
      const row = order[i] as number
      this.#noteNode(entry, rows, row)
      if (tick > view.now) this.#ahead(rows, row, tick)
      else {
        this.#count(rows, row, tick)
        this.#close(rows, row, tick)
      }
    }
  }

  #ahead(rows: Block, row: number, tick: number): void {
    const { records } = this.#ledger.pairs
    const at = ((rows.pairSide[row] as number) >> 1) * PAIR + AHEAD
    records[at] = (records[at] as number) + 1
    this.#first(rows, row, tick)
  }

  #first(rows: Block, row: number, tick: number): void {
    const { records } = this.#ledger.view.tokens
    const at = (rows.token[row] as number) * RECORD
    const timeMs = rows.timeMs[row] as number
    if (timeMs >= (records[at + FIRST_MS] as number)) return
    records[at + FIRST_MS] = timeMs
    records[at + FIRST_TICK] = tick
  }

  /// Rows come newest first, those of a slice in descending chain order.
  #noteNode(entry: BlockEntry, rows: Block, row: number): void {
    const { tokenBlocks } = this.#ledger.slices
    const token = rows.token[row] as number
    let node = this.#node[token] as number
    if (this.#nodeBlock[token] !== entry.index) {
      node = tokenBlocks.make(entry.index)
      this.#node[token] = node
      this.#nodeBlock[token] = entry.index
      let nodes = this.#nodes[token]
      if (nodes === undefined) {
        nodes = []
        this.#nodes[token] = nodes
      }
      nodes.push(node)
    }
    tokenBlocks.noteFirst(node, rows.timeMs[row] as number)
    const price = rows.price[row] as number
    if (!Number.isNaN(price)) tokenBlocks.notePriced(node, rows.slot[row] as number, price)
  }

  #count(rows: Block, row: number, tick: number): void {
    const { view, pairs } = this.#ledger
    const { tokens, windows, expiredUpTo } = view
    const { lines, records } = tokens
    const token = rows.token[row] as number
    const pairSide = rows.pairSide[row] as number
    const side = pairSide & 1
    const total = token * (windows + 1) + windows
    const usd = rows.usd[row] as number
    lines.addSwap(
      total,
      side,
      usd,
      rows.amountLow[row] as number,
      rows.amountMid[row] as number,
      rows.amountHigh[row] as number,
    )
    const ofPair = pairs.records
    const at = (pairSide >> 1) * PAIR
    if (ofPair[at + LAST_TICK + side] === NEVER) {
      const unique = total * INTS + UNIQUE
      lines.ints[unique + side] = (lines.ints[unique + side] as number) + 1
      if (ofPair[at + LAST_TICK + (side ^ 1)] === NEVER) {
        lines.ints[unique + EITHER] = (lines.ints[unique + EITHER] as number) + 1
      }
      ofPair[at + LAST_TICK + side] = tick
      ofPair[at + LAST_CELL + side] = END
    }
    const timeMs = rows.timeMs[row] as number
    const record = token * RECORD
    if (timeMs > (records[record + LAST_MS] as number)) records[record + LAST_MS] = timeMs
    if (tick <= expiredUpTo) return
    this.#first(rows, row, tick)
    const price = rows.price[row] as number
    if (!Number.isNaN(price)) {
      this.#staircases.offer(token * QUEUES + QUEUE_HIGH, tick, price)
      this.#staircases.offer(token * QUEUES + QUEUE_LOW, tick, -price)
    }
    this.#staircases.offer(token * QUEUES + QUEUE_LARGEST, tick, usd)
  }

  /// Whether the row could be the token's last priced one.
  #mayClose(rows: Block, row: number, tick: number): boolean {
    if (tick <= this.#ledger.view.expiredUpTo || Number.isNaN(rows.price[row] as number)) return false
    const known = this.#ledger.view.tokens.records[(rows.token[row] as number) * RECORD + CLOSE_TICK]
    return known === STALE || known === tick
  }

  #close(rows: Block, row: number, tick: number): void {
    if (this.#mayClose(rows, row, tick)) {
      this.#ledger.view.close(rows, row, rows.token[row] as number, tick)
    }
  }

  /// The beginning of window w is passed: the running sums are its own.
  #snapshot(w: number): void {
    const { tokenNames, view } = this.#ledger
    const { lines } = view.tokens
    const { f64, ints, high } = lines
    const stride = view.windows + 1
    for (let token = 0; token < tokenNames.idLimit; token++) {
      const from = token * stride + view.windows
      const to = token * stride + w
      for (let i = 0; i < PRICE; i++) f64[to * LINE + i] = f64[from * LINE + i] as number
      for (let i = COUNT; i < TAG; i++) ints[to * INTS + i] = ints[from * INTS + i] as number
      for (let i = 0; high !== null && i < HIGH; i++) high[to * HIGH + i] = high[from * HIGH + i] as number
    }
  }

  /// Turns what each window holds into what it has expired, and gives tokens their queues and nodes.
  #settleTokens(): void {
    const { tokenNames, view, slices } = this.#ledger
    const { tokens, windows } = view
    const { lines, steps } = tokens
    const stride = windows + 1
    for (let token = 0; token < tokenNames.idLimit; token++) {
      if (!tokenNames.has(token)) continue
      const total = token * stride + windows
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
