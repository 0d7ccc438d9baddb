/// The counts in cells of pairs whose last swap lies there; what windows make of them is in view/uniques.ts.

import { EITHER } from '../tables/lines.js'
import { LAST_CELL, LAST_TICK, PAIR, type Pairs } from '../tables/pairs.js'
import { type Cells, SEEN } from './cells.js'

const UNSEEN = -1

/// Counts the pairs whose last swap lies in each cell of a block whose cells have just been made again. Of its `count`
/// rows, row i is of `pairSide[i]` (pair × 2 + side) and lies in cell `cellOf[i]`. `begin` is the block's first relative
/// tick.
export function recountSeen(
  { records }: Pairs,
  count: number,
  pairSide: Int32Array,
  cellOf: Int32Array,
  begin: number,
  cells: Cells,
): void {
  const { slot } = cells
  for (let i = 0; i < count; i++) {
    const at = ((pairSide[i] as number) >> 1) * PAIR
    const side = (pairSide[i] as number) & 1
    const tick = begin + (slot[cellOf[i] as number] as number)
    if (records[at + LAST_TICK + side] === tick) records[at + LAST_CELL + side] = UNSEEN
  }
  for (let i = 0; i < count; i++) {
    const at = ((pairSide[i] as number) >> 1) * PAIR
    const side = (pairSide[i] as number) & 1
    const cell = cellOf[i] as number
    const tick = begin + (slot[cell] as number)
    if (records[at + LAST_TICK + side] !== tick || records[at + LAST_CELL + side] !== UNSEEN) continue
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
