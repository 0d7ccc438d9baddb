/// Makes the cells of a block on disk again, a piece at a time, before a cursor comes to it.
///
/// Nobody sees them until they are complete (Slices.load). Rows that come meanwhile are seated then.

import type { Block } from '../rows/block.js'
import type { Parts } from '../storage/parts.js'
import { grownInt32 } from '../tables/columns.js'
import { LINE, PRICE } from '../tables/lines.js'
import { BlockRuns, type StoredBlock, type VisitRun } from './block-runs.js'
import { type Cells, ON_DISK, UNPRICED } from './cells.js'
import type { TokenBlocks } from './token-blocks.js'

export class BlockLoader {
  readonly cells: Cells
  /// Rows of the block in memory that are in the cells; those after them came later.
  readonly rowsTaken: number
  /// Of each row in the cells: pair × 2 + side, and its cell.
  pairSide = new Int32Array(1024)
  cellOf = new Int32Array(1024)
  count = 0
  readonly #block: StoredBlock
  readonly #tokenBlocks: TokenBlocks
  readonly #resolutionMs: number
  readonly #runs: BlockRuns
  #piece = 0

  constructor(
    parts: Parts,
    block: StoredBlock,
    tokenBlocks: TokenBlocks,
    resolutionMs: number,
    cells: Cells,
  ) {
    this.#block = block
    this.#tokenBlocks = tokenBlocks
    this.#resolutionMs = resolutionMs
    this.cells = cells
    this.rowsTaken = block.rows?.rows ?? 0
    this.#runs = new BlockRuns(parts, block, () => false)
  }

  /// Goes on until a share of the block, 0 … 1, is in the cells. True when all of it is.
  step(share: number): boolean {
    const { pieces } = this.#runs
    const until = Math.ceil(share * (pieces + 1))
    while (this.#piece < Math.min(until, pieces)) this.#runs.read(this.#piece++, this.#take)
    if (until <= pieces) return false
    this.#runs.readRest(this.#take)
    return true
  }

  /// Adds a row that is seated in a cell.
  add(pairSide: number, cell: number): void {
    if (this.count === this.pairSide.length) {
      this.pairSide = grownInt32(this.pairSide, this.count + 1)
      this.cellOf = grownInt32(this.cellOf, this.count + 1)
    }
    this.pairSide[this.count] = pairSide
    this.cellOf[this.count] = cell
    this.count++
  }

  readonly #take: VisitRun = (token, rows, order) => {
    const { cells } = this
    const known = cells.find(token)
    const place = known >= 0 ? known : cells.add(token, this.#tokenBlocks.open(token, this.#block.index))
    for (let i = 0; i < rows.rows; i++)
      this.#addRow(place, token, rows, order === null ? i : (order[i] as number))
  }

  /// Rows of a token come in chain order: the first priced one of a cell opens it.
  #addRow(place: number, token: number, rows: Block, row: number): void {
    const { cells } = this
    const cell = cells.open(place, token, rows.slot[row] as number)
    const pairSide = rows.pairSide[row] as number
    cells.lines.addSwap(
      cell,
      pairSide & 1,
      rows.usd[row] as number,
      rows.amountLow[row] as number,
      rows.amountMid[row] as number,
      rows.amountHigh[row] as number,
    )
    const ms = (rows.timeMs[row] as number) % this.#resolutionMs
    if (ms < (cells.firstMs[cell] as number)) cells.firstMs[cell] = ms
    if (cells.pricedRow[cell] === UNPRICED && !Number.isNaN(rows.price[row] as number)) {
      cells.pricedRow[cell] = ON_DISK
      cells.lines.f64[cell * LINE + PRICE] = rows.price[row] as number
    }
    this.add(pairSide, cell)
  }
}
