/// The rows of a block on disk token by token, each token's in chain order: its base part a piece at a time, joined with
/// rows that came late, which lie in further parts or in memory only.

import { Block, compareRows, tieOnPlace, WITHOUT_ID } from '../rows/block.js'
import type { Parts } from '../storage/parts.js'
import type { RunReader } from '../storage/run-reader.js'

/// Takes a token's rows: rows order[0], order[1], … of `rows`, or all of them in their own order where it is null. Both
/// are used again for the next token.
export type VisitRun = (token: number, rows: Block, order: readonly number[] | null) => void

/// Rows of a token that came late: some of `rows`, in any order.
export interface LateRows {
  readonly rows: Block
  readonly which: readonly number[]
}

/// Says whether the sums of a long run, and the token's rows that came late, were all that was wanted.
export type SumRun = (run: RunReader, late: LateRows) => boolean

const NO_ROWS: readonly number[] = []

/// A block on disk, and its rows that are only in memory.
export interface StoredBlock {
  readonly index: number
  readonly rows: Block | null
}

export class BlockRuns {
  readonly #parts: Parts
  readonly #block: StoredBlock
  readonly #wantsPlaces: (token: number) => boolean
  /// Rows that came late, with their places, and which of them are the token's.
  readonly #late = new Block(16)
  readonly #lateOf = new Map<number, number[]>()
  readonly #joined = new Block(64)
  /// Data pieces of the base part.
  readonly pieces: number

  /// Places in the chain are read of tokens for which `wantsPlaces` holds (and where they are needed to join rows).
  constructor(parts: Parts, block: StoredBlock, wantsPlaces: (token: number) => boolean) {
    this.#parts = parts
    this.#block = block
    this.#wantsPlaces = wantsPlaces
    const [base = 0, ...others] = parts.piecesOf(block.index)
    this.pieces = base
    for (const [i, pieces] of others.entries()) {
      for (let piece = 0; piece < pieces; piece++) {
        parts.readRuns(block.index, i + 1, piece, run => {
          run.readRows(true)
          this.#takeLate(run.rows)
        })
      }
    }
    if (block.rows !== null) this.#takeLate(block.rows)
  }

  /// Visits every token of a piece, but those of which `sum` wants no more.
  read(piece: number, visit: VisitRun, sum: SumRun = () => false): void {
    this.#parts.readRuns(this.#block.index, 0, piece, run => {
      const { token, rows } = run
      const late = this.#lateOf.get(token)
      this.#lateOf.delete(token)
      if (run.isSummed && sum(run, { rows: this.#late, which: late ?? NO_ROWS })) return
      run.readRows(late !== undefined || this.#wantsPlaces(token))
      if (late === undefined) visit(token, rows, null)
      else this.#visitJoined(token, rows, late, visit)
    })
  }

  /// After all pieces: visits the tokens of which only late rows are left.
  readRest(visit: VisitRun): void {
    for (const [token, late] of this.#lateOf) this.#visitJoined(token, null, late, visit)
    this.#lateOf.clear()
  }

  #takeLate(rows: Block): void {
    for (let row = 0; row < rows.rows; row++) {
      const token = rows.token[row] as number
      const list = this.#lateOf.get(token)
      const copy = this.#late.copyRow(rows, row)
      if (list === undefined) this.#lateOf.set(token, [copy])
      else list.push(copy)
    }
  }

  #visitJoined(token: number, base: Block | null, late: readonly number[], visit: VisitRun): void {
    const joined = this.#joined
    joined.clear()
    if (base !== null) joined.copyRows(base)
    for (const row of late) joined.copyRow(this.#late, row)
    const order = chainOrder(joined)
    if (order !== null) {
      visit(token, joined, order)
      return
    }
    // Fingerprints decide: never on a chain, but then exactly.
    joined.clear()
    this.#parts.readWithIds(this.#block.index, Number.POSITIVE_INFINITY, of => of === token, joined)
    const { rows } = this.#block
    for (let row = 0; row < (rows?.rows ?? 0); row++) {
      if (rows !== null && rows.token[row] === token) joined.copyRow(rows, row)
    }
    visit(token, joined, chainOrder(joined))
  }
}

/// The numbers of all rows in chain order; null when only fingerprints can tell, and some have not been read.
export function chainOrder(rows: Block): number[] | null {
  return chainOrderOf(
    rows,
    Array.from({ length: rows.rows }, (_, row) => row),
  )
}

/// Puts some rows in chain order; null as above.
export function chainOrderOf(rows: Block, order: number[]): number[] | null {
  order.sort((a, b) => compareRows(rows, a, rows, b))
  for (let i = 1; i < order.length; i++) {
    const a = order[i - 1] as number
    const b = order[i] as number
    const unknown = rows.offset[a] === WITHOUT_ID || rows.offset[b] === WITHOUT_ID
    if (unknown && tieOnPlace(rows, a, rows, b)) return null
  }
  return order
}
