/// The blocks of slices within retention: which exist, which rows of them are in memory, and which are summed up in
/// cells.
///
/// A block in the hot range holds all of its rows and cells. When it has gone to disk it keeps the rows that are not on
/// disk yet, if any, and no cells. Cells come back, a piece at a time, before a cursor needs them: `load`.

import { invariant } from '../../invariant.js'
import { BLOCK_TICKS, Block, compareRows, END } from '../rows/block.js'
import type { Parts } from '../storage/parts.js'
import { LINE, PRICE } from '../tables/lines.js'
import type { Pairs } from '../tables/pairs.js'
import { BlockLoader } from './block-loader.js'
import { chainOrder } from './block-runs.js'
import { Cells, ON_DISK, UNPRICED } from './cells.js'
import { recountSeen } from './seen.js'
import { TokenBlocks } from './token-blocks.js'

/// A block within retention.
export interface BlockEntry {
  readonly index: number
  /// Relative tick of its first slice.
  readonly begin: number
  /// Rows in memory: all of them, or, of a block on disk, those that are not there yet.
  rows: Block | null
  /// All of its rows summed up, or null.
  cells: Cells | null
  /// Makes the cells of a block on disk; null while nobody needs them, and when they are there.
  loader: BlockLoader | null
  /// Rows with a lower offset are in parts on disk; 0 while nothing of the block is.
  sealedUpTo: number
  onDisk: boolean
}

/// Blocks kept for another use: the columns of a busy one are some megabytes, and one is needed every few seconds.
const SPARE_MAX = 4
const SPARE_MIN = 1024
/// Entries that are found without a look into the map; a power of two above the blocks of a day.
const NEAR = 1024

export class Slices {
  readonly tokenBlocks = new TokenBlocks()
  readonly parts: Parts
  /// Blocks on disk that have cells, or are about to.
  readonly loadedBlocks = new Set<BlockEntry>()
  /// After `seat`: the price of the row's cell (or node), when it is now another swap's; else NaN.
  opened = Number.NaN
  readonly #pairs: Pairs
  readonly #resolutionMs: number
  /// Block and slot of relative tick 0.
  readonly #originBlock: number
  readonly #originSlot: number
  readonly #entries = new Map<number, BlockEntry>()
  readonly #near: (BlockEntry | undefined)[] = new Array(NEAR).fill(undefined)
  readonly #spareRows: Block[] = []
  readonly #spareCells: Cells[] = []

  constructor(parts: Parts, pairs: Pairs, origin: number, resolutionMs: number) {
    this.parts = parts
    this.#pairs = pairs
    this.#resolutionMs = resolutionMs
    this.#originBlock = Math.floor(origin / BLOCK_TICKS)
    this.#originSlot = origin - this.#originBlock * BLOCK_TICKS
  }

  /// Index of the block that holds a relative tick.
  blockOf(tick: number): number {
    return this.#originBlock + Math.floor((tick + this.#originSlot) / BLOCK_TICKS)
  }

  /// The relative tick with which a block begins.
  beginOf(index: number): number {
    return (index - this.#originBlock) * BLOCK_TICKS - this.#originSlot
  }

  get(index: number): BlockEntry | undefined {
    return this.#entries.get(index)
  }

  /// The block that holds a relative tick.
  at(tick: number): BlockEntry | undefined {
    const nearest = (tick + this.#originSlot) >> 7
    const entry = this.#near[nearest & (NEAR - 1)]
    if (entry !== undefined && (entry.begin + this.#originSlot) >> 7 === nearest) return entry
    return this.#entries.get(this.blockOf(tick))
  }

  entries(): IterableIterator<BlockEntry> {
    return this.#entries.values()
  }

  get count(): number {
    return this.#entries.size
  }

  /// The block that holds a relative tick, made if it is new: in memory, and without rows.
  open(tick: number): BlockEntry {
    const known = this.at(tick)
    if (known !== undefined) return known
    const index = this.blockOf(tick)
    const begin = this.beginOf(index)
    const cells = this.#freshCells()
    const entry = { index, begin, rows: null, cells, loader: null, sealedUpTo: 0, onDisk: false }
    this.#entries.set(index, entry)
    this.#near[((tick + this.#originSlot) >> 7) & (NEAR - 1)] = entry
    return entry
  }

  /// Makes a block one that is on disk, and of which nothing is known in memory.
  openOnDisk(index: number): BlockEntry {
    const entry = this.open(this.beginOf(index))
    entry.onDisk = true
    this.release(entry)
    return entry
  }

  /// The rows that are in memory, made if there are none yet.
  rowsOf(entry: BlockEntry): Block {
    // A block on disk holds the few rows that came late: no use for the room of a whole one.
    entry.rows ??= entry.onDisk ? new Block(16) : (this.#spareRows.pop() ?? new Block(256))
    return entry.rows
  }

  /// The cells of the block that holds a relative tick, or null when it has none.
  cellsAt(tick: number): Cells | null {
    return this.at(tick)?.cells ?? null
  }

  /// The token's cell of a slice of the block, or END.
  cellOf(entry: BlockEntry, token: number, slot: number): number {
    const { cells } = entry
    if (cells === null) return END
    const place = cells.find(token)
    return place < 0 ? END : cells.cellAt(place, slot)
  }

  /// Takes a row that was appended to the block's rows into cells and nodes. Returns its cell, or END when the block has
  /// no cells; see also `opened`.
  seat(entry: BlockEntry, rows: Block, row: number, token: number): number {
    const slot = rows.slot[row] as number
    const timeMs = rows.timeMs[row] as number
    const price = rows.price[row] as number
    this.opened = Number.NaN
    const { cells } = entry
    if (cells === null) {
      const node = this.tokenBlocks.open(token, entry.index)
      this.tokenBlocks.noteFirst(node, timeMs)
      if (!Number.isNaN(price)) this.#noteOnDisk(entry, node, token, slot, price)
      return END
    }
    let place = cells.find(token)
    if (place < 0) place = cells.add(token, this.tokenBlocks.open(token, entry.index))
    const cell = cells.open(place, token, slot)
    cells.lines.addSwap(
      cell,
      (rows.pairSide[row] as number) & 1,
      rows.usd[row] as number,
      rows.amountLow[row] as number,
      rows.amountMid[row] as number,
      rows.amountHigh[row] as number,
    )
    const ms = timeMs % this.#resolutionMs
    if (ms < (cells.firstMs[cell] as number)) cells.firstMs[cell] = ms
    const node = cells.nodeAt(place)
    this.tokenBlocks.noteFirst(node, timeMs)
    if (!Number.isNaN(price)) this.#notePrice(entry, cells, cell, node, rows, row)
    return cell
  }

  /// Goes on making the cells of a block on disk, until a share of it, 0 … 1, is done. They are there when all is.
  load(entry: BlockEntry, share: number): void {
    if (!entry.onDisk || entry.cells !== null) return
    entry.loader ??= new BlockLoader(
      ...([this.parts, entry, this.tokenBlocks, this.#resolutionMs, this.#freshCells()] as const),
    )
    this.loadedBlocks.add(entry)
    if (!entry.loader.step(share)) return
    const { loader } = entry
    entry.loader = null
    entry.cells = loader.cells
    for (let row = loader.rowsTaken; row < (entry.rows?.rows ?? 0); row++) {
      if (entry.rows === null) break
      const cell = this.seat(entry, entry.rows, row, entry.rows.token[row] as number)
      loader.add(entry.rows.pairSide[row] as number, cell)
    }
    recountSeen(
      ...([this.#pairs, loader.count, loader.pairSide, loader.cellOf, entry.begin, loader.cells] as const),
    )
  }

  /// Lets go of the cells of a block on disk.
  release(entry: BlockEntry): void {
    invariant(entry.onDisk, 'cells are let go when their rows are on disk')
    this.loadedBlocks.delete(entry)
    this.#reuseCells(entry)
    entry.loader = null
  }

  /// Lets go of the rows that are on disk, keeping those that are not.
  unloadRows(entry: BlockEntry): void {
    // A loader has counted the rows in memory: it begins again.
    entry.loader = null
    const { rows } = entry
    if (rows === null) return
    let late: Block | null = null
    for (let row = 0; row < rows.rows; row++) {
      if ((rows.offset[row] as number) < entry.sealedUpTo) continue
      late ??= new Block(16)
      late.copyRow(rows, row)
    }
    entry.rows = late
    this.#reuseRows(rows)
    // Row numbers mean nothing once the rows are gone.
    const { cells } = entry
    if (cells === null) return
    for (let cell = 0; cell < cells.count; cell++) {
      if (cells.pricedRow[cell] !== UNPRICED) cells.pricedRow[cell] = ON_DISK
    }
  }

  /// Removes the block.
  remove(entry: BlockEntry): void {
    this.#entries.delete(entry.index)
    const near = ((entry.begin + this.#originSlot) >> 7) & (NEAR - 1)
    if (this.#near[near] === entry) this.#near[near] = undefined
    this.loadedBlocks.delete(entry)
    if (entry.rows !== null) this.#reuseRows(entry.rows)
    entry.rows = null
    this.#reuseCells(entry)
    this.parts.forget(entry.index)
  }

  /// Makes the cells of a block that is in memory whole, and whose rows are not in cells yet.
  seatAll(entry: BlockEntry): void {
    const { rows, cells } = entry
    if (rows === null || cells === null) return
    const cellOf = new Int32Array(rows.rows)
    for (let row = 0; row < rows.rows; row++) {
      cellOf[row] = this.seat(entry, rows, row, rows.token[row] as number)
    }
    recountSeen(this.#pairs, rows.rows, rows.pairSide, cellOf, entry.begin, cells)
  }

  /// A token's rows of a slice of a block on disk, also those that are only in memory, in chain order: row numbers of
  /// `chainRows`, which the next call fills anew.
  chainOf(entry: BlockEntry, token: number, slot: number): readonly number[] {
    const rows = this.chainRows
    rows.clear()
    this.parts.readToken(entry.index, token, Number.POSITIVE_INFINITY, found => rows.copyRows(found))
    copyToken(entry.rows, token, rows)
    let order = chainOrder(rows)
    if (order === null) {
      rows.clear()
      const all = Number.POSITIVE_INFINITY
      this.parts.readWithIds(entry.index, all, (of, at) => of === token && at === slot, rows)
      copyToken(entry.rows, token, rows)
      order = chainOrder(rows)
    }
    invariant(order !== null, 'rows with fingerprints can be put in order')
    return order.filter(row => rows.slot[row] === slot)
  }

  readonly chainRows = new Block(64)

  #notePrice(entry: BlockEntry, cells: Cells, cell: number, node: number, rows: Block, row: number): void {
    const known = cells.pricedRow[cell] as number
    let price = rows.price[row] as number
    if (known === ON_DISK) {
      const token = rows.token[row] as number
      price = this.#firstPrice(entry, token, rows.slot[row] as number)
    } else if (known !== UNPRICED && compareRows(rows, row, rows, known) > 0) return
    cells.pricedRow[cell] = entry.onDisk ? ON_DISK : row
    cells.lines.f64[cell * LINE + PRICE] = price
    this.opened = price
    this.tokenBlocks.notePriced(node, cells.slot[cell] as number, price)
  }

  /// Notes a priced row of a slice that is not in memory as cells. Only the node wants to know, and only of the first.
  #noteOnDisk(entry: BlockEntry, node: number, token: number, slot: number, price: number): void {
    const { tokenBlocks } = this
    const known = tokenBlocks.pricedSlot(node)
    if (known >= 0 && known < slot) return
    this.opened = known === slot ? this.#firstPrice(entry, token, slot) : price
    tokenBlocks.notePriced(node, slot, this.opened)
  }

  /// The price of the token's first priced swap of a slice on disk, in chain order.
  #firstPrice(entry: BlockEntry, token: number, slot: number): number {
    for (const row of this.chainOf(entry, token, slot)) {
      const price = this.chainRows.price[row] as number
      if (!Number.isNaN(price)) return price
    }
    return Number.NaN
  }

  #freshCells(): Cells {
    return this.#spareCells.pop() ?? new Cells(64)
  }

  #reuseCells(entry: BlockEntry): void {
    const { cells } = entry
    entry.cells = null
    if (cells === null || this.#spareCells.length >= SPARE_MAX || cells.capacity < SPARE_MIN) return
    cells.clear()
    this.#spareCells.push(cells)
  }

  #reuseRows(rows: Block): void {
    if (this.#spareRows.length >= SPARE_MAX || rows.capacity < SPARE_MIN) return
    rows.clear()
    this.#spareRows.push(rows)
  }
}

/// Appends a token's rows.
export function copyToken(from: Block | null, token: number, into: Block | null): Block | null {
  let copy = into
  for (let row = 0; row < (from?.rows ?? 0); row++) {
    if (from === null || from.token[row] !== token) continue
    copy ??= new Block(16)
    copy.copyRow(from, row)
  }
  return copy
}
