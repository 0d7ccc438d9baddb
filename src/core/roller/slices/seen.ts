/// The counts in cells of pairs whose last swap lies there; what windows make of them is in view/uniques.ts.

import type { Block } from '../rows/block.js'
import { EITHER } from '../tables/lines.js'
import { LAST_CELL, LAST_TICK, PAIR, type Pairs } from '../tables/pairs.js'
import { type Cells, SEEN } from './cells.js'

/// Counts the pairs whose last swap lies in each cell, for cells that have just been made again: of whole slices, whose
/// rows are `rows`, row i in cell `cellOf[i]`. `begin` is the block's first relative tick.
export function recountSeen(
  { records }: Pairs,
  rows: Block,
  cellOf: Int32Array,
  begin: number,
  cells: Cells,
): void {
  const UNSEEN = -1
  const { pairSide, slot } = rows
  for (let row = 0; row < rows.rows; row++) {
    const at = ((pairSide[row] as number) >> 1) * PAIR
    const side = (pairSide[row] as number) & 1
    const tick = begin + (slot[row] as number)
    if (records[at + LAST_TICK + side] === tick) records[at + LAST_CELL + side] = UNSEEN
  }
  for (let row = 0; row < rows.rows; row++) {
    const at = ((pairSide[row] as number) >> 1) * PAIR
    const side = (pairSide[row] as number) & 1
    const tick = begin + (slot[row] as number)
    if (records[at + LAST_TICK + side] !== tick || records[at + LAST_CELL + side] !== UNSEEN) continue
    const cell = cellOf[row] as number
    records[at + LAST_CELL + side] = cell
    countSeen(cells, cell, side, 1)
    // Of a pair whose last buy and sell are both here, the buy counts.
    const other = records[at + LAST_TICK + (side ^ 1)] as number
    if (other < tick || (other === tick && side === 0)) countSeen(cells, cell, EITHER, 1)
  }
}

export function countSeen(cells: Cells, cell: number, kind: number, by: number): void {
  const { seen } = cells
  const at = cell * SEEN + kind
  seen[at] = (seen[at] as number) + by
}
