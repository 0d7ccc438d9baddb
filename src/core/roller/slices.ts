/// The blocks of slices within retention: which exist, which are in memory, and the links between a token's cells.

import { BLOCK_TICKS, Block, compareRows, END, NOT_FIRST } from './block.js'
import { TokenBlocks } from './token-blocks.js'

/// A block within retention. `rows` is complete while it is in the hot range or loaded; otherwise it holds only
/// the rows that are not on disk yet, if any.
export interface BlockEntry {
  readonly index: number
  rows: Block | null
  complete: boolean
  /// Rows with a lower offset are in parts on disk; 0 while nothing of the block is.
  sealedUpTo: number
  onDisk: boolean
}

/// Reads blocks that are on disk (see parts.ts).
export interface BlockReader {
  /// Appends all rows of the block that are on disk to `into`, in chain order within each slice.
  load(index: number, into: Block): void
}

/// Blocks kept for another use: the columns of a busy one are some megabytes, and one is needed every few seconds.
const SPARE_MAX = 3
const SPARE_ROWS_MIN = 1024

export class Slices {
  readonly tokenBlocks = new TokenBlocks()
  readonly #entries = new Map<number, BlockEntry>()
  readonly #reader: BlockReader
  readonly #spare: Block[] = []
  #newest: BlockEntry | null = null

  constructor(reader: BlockReader) {
    this.#reader = reader
  }

  get(index: number): BlockEntry | undefined {
    return this.#newest?.index === index ? this.#newest : this.#entries.get(index)
  }

  entries(): IterableIterator<BlockEntry> {
    return this.#entries.values()
  }

  get count(): number {
    return this.#entries.size
  }

  /// The block's entry, made if it is new: complete, and without rows.
  open(index: number): BlockEntry {
    const known = this.get(index)
    if (known !== undefined) return known
    const entry: BlockEntry = { index, rows: null, complete: true, sealedUpTo: 0, onDisk: false }
    this.#entries.set(index, entry)
    if (this.#newest === null || index > this.#newest.index) this.#newest = entry
    return entry
  }

  /// The rows that are in memory, made if there are none yet.
  rowsOf(entry: BlockEntry): Block {
    // A block that is not complete holds the few rows that came late: no use for the room of a whole one.
    if (entry.rows === null)
      entry.rows = entry.complete ? (this.#spare.pop() ?? new Block(256)) : new Block(16)
    return entry.rows
  }

  /// All rows of the block, read from disk if need be.
  complete(entry: BlockEntry): Block {
    if (entry.complete) return this.rowsOf(entry)
    const late = entry.rows
    const rows = this.#spare.pop() ?? new Block(256)
    this.#reader.load(entry.index, rows)
    entry.rows = rows
    entry.complete = true
    for (let slot = 0; slot < BLOCK_TICKS; slot++) {
      for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
        this.#linkCell(entry, rows, row, rows.token[row] as number)
      }
    }
    if (late !== null) {
      for (let row = 0; row < late.rows; row++) {
        const copy = rows.copyRow(late, row)
        this.#linkCell(entry, rows, copy, rows.token[copy] as number)
      }
      this.#reuse(late)
    }
    return rows
  }

  /// Lets go of the rows that are on disk, keeping those that are not.
  unload(entry: BlockEntry): void {
    const rows = entry.rows
    if (!entry.onDisk || rows === null) return
    let late: Block | null = null
    for (let row = 0; row < rows.rows; row++) {
      if (rows.nextCell[row] !== NOT_FIRST) {
        // Row numbers mean nothing once the rows are gone.
        const node = this.node(rows.token[row] as number, entry.index)
        this.tokenBlocks.setFirstCell(node, END)
        this.tokenBlocks.setLastCell(node, END)
      }
      if ((rows.offset[row] as number) < entry.sealedUpTo) continue
      late ??= new Block(16)
      late.copyRow(rows, row)
    }
    entry.rows = late
    entry.complete = false
    this.#reuse(rows)
  }

  /// Removes the block. The caller has taken back the references of its rows.
  remove(entry: BlockEntry): void {
    this.#entries.delete(entry.index)
    if (this.#newest === entry) this.#newest = null
    if (entry.rows !== null) this.#reuse(entry.rows)
    entry.rows = null
  }

  /// Links a row just appended into its token's cells and node. Returns whether it is now the first priced row of
  /// its cell (of a block that is not complete: of its cell as far as anybody can tell, see `settles`).
  link(entry: BlockEntry, rows: Block, row: number, token: number, relativeTick: number): boolean {
    const { tokenBlocks } = this
    const node = this.node(token, entry.index)
    const timeMs = rows.timeMs[row] as number
    tokenBlocks.noteFirst(node, timeMs)
    const priced = !Number.isNaN(rows.price[row] as number)
    const firstPriced = entry.complete ? this.#linkCell(entry, rows, row, token) : priced
    if (priced) {
      const known = tokenBlocks.pricedTick(node)
      if (relativeTick < known || (relativeTick === known && firstPriced)) {
        tokenBlocks.setPriced(node, relativeTick, rows.price[row] as number)
      }
    }
    return firstPriced
  }

  /// True when the block must be complete before a priced row at this tick can be linked: the token's first
  /// priced swap of the block is of the same slice, and only the rows on disk tell which of the two is first.
  settles(entry: BlockEntry, token: number, relativeTick: number): boolean {
    if (entry.complete) return false
    const node = this.tokenBlocks.find(token, entry.index)
    return node >= 0 && this.tokenBlocks.pricedTick(node) === relativeTick
  }

  #linkCell(entry: BlockEntry, rows: Block, row: number, token: number): boolean {
    const { tokenBlocks } = this
    const node = this.node(token, entry.index)
    const slot = rows.slot[row] as number
    rows.cellNode[row] = node
    const priced = !Number.isNaN(rows.price[row] as number)
    const last = tokenBlocks.lastCell(node)
    const lastSlot = last === END ? -1 : (rows.slot[last] as number)
    if (slot > lastSlot) {
      rows.nextCell[row] = END
      rows.cellPriced[row] = priced ? row : END
      if (last === END) tokenBlocks.setFirstCell(node, row)
      else rows.nextCell[last] = row
      tokenBlocks.setLastCell(node, row)
      return priced
    }
    const cell = slot === lastSlot ? last : this.#cellAt(rows, node, slot)
    if (cell === END) {
      this.#insertCell(rows, node, row, slot, priced)
      return priced
    }
    const known = rows.cellPriced[cell] as number
    const firstPriced = priced && (known === END || compareRows(rows, row, rows, known) < 0)
    if (firstPriced) rows.cellPriced[cell] = row
    if (compareRows(rows, row, rows, cell) < 0) this.#replaceFirst(rows, node, cell, row, slot)
    return firstPriced
  }

  /// The node of (token, block), made if it is new.
  node(token: number, index: number): number {
    const { tokenBlocks } = this
    const last = tokenBlocks.last(token)
    if (last >= 0 && tokenBlocks.blockOf(last) === index) return last
    if (last < 0 || tokenBlocks.blockOf(last) < index) return tokenBlocks.add(token, index)
    const known = tokenBlocks.find(token, index)
    return known >= 0 ? known : tokenBlocks.add(token, index)
  }

  /// The first priced row of a node's cell, or END. Needs the block complete.
  firstPriced(rows: Block, node: number, slot: number): number {
    const cell = this.#cellAt(rows, node, slot)
    return cell === END ? END : (rows.cellPriced[cell] as number)
  }

  /// The first row of the token's cell in the slice, or END.
  #cellAt(rows: Block, node: number, slot: number): number {
    let cell = this.tokenBlocks.firstCell(node)
    while (cell !== END && (rows.slot[cell] as number) < slot) cell = rows.nextCell[cell] as number
    return cell !== END && rows.slot[cell] === slot ? cell : END
  }

  /// Links a new cell before the token's last one.
  #insertCell(rows: Block, node: number, row: number, slot: number, priced: boolean): void {
    const before = this.#cellBefore(rows, node, slot)
    if (before === END) {
      rows.nextCell[row] = this.tokenBlocks.firstCell(node)
      this.tokenBlocks.setFirstCell(node, row)
    } else {
      rows.nextCell[row] = rows.nextCell[before] as number
      rows.nextCell[before] = row
    }
    rows.cellPriced[row] = priced ? row : END
  }

  #replaceFirst(rows: Block, node: number, cell: number, row: number, slot: number): void {
    const before = this.#cellBefore(rows, node, slot)
    if (before === END) this.tokenBlocks.setFirstCell(node, row)
    else rows.nextCell[before] = row
    if (this.tokenBlocks.lastCell(node) === cell) this.tokenBlocks.setLastCell(node, row)
    rows.nextCell[row] = rows.nextCell[cell] as number
    rows.cellPriced[row] = rows.cellPriced[cell] as number
    rows.nextCell[cell] = NOT_FIRST
    rows.cellPriced[cell] = END
  }

  /// The token's last cell before the slice, or END.
  #cellBefore(rows: Block, node: number, slot: number): number {
    let before = END
    let cell = this.tokenBlocks.firstCell(node)
    while (cell !== END && (rows.slot[cell] as number) < slot) {
      before = cell
      cell = rows.nextCell[cell] as number
    }
    return before
  }

  #reuse(rows: Block): void {
    if (this.#spare.length >= SPARE_MAX || rows.capacity < SPARE_ROWS_MIN) return
    rows.clear()
    this.#spare.push(rows)
  }
}
