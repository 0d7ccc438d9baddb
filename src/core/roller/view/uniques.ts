/// Exact unique traders of every window, without sets: buyers, sellers, and traders with either.
///
/// A pair (token, trader) counts in a window when its last swap lies in it. So three things change a count, and each is
/// cheap for all windows at once:
///
/// - A cell leaves a window: the pairs whose last swap lies in the cell go. Each cell knows how many these are.
/// - A pair's last swap moves from an old cell to a new one: the old cell has one less, the new one one more.
/// - By that move the pair comes into those windows that hold the new swap and not the old one. Windows are sorted by
///   their beginnings, so these are neighbours, w = j … k − 1; `steps` keeps +1 at j and −1 at k, and a window's count
///   is the sum of the steps up to it, less what it has expired.
///
/// Example: windows of 1 m, 5 m and 1 h; alice buys after 10 minutes of quiet. The first two gain a buyer, the third had
/// her already: +1 at 0, −1 at 2.

import type { Cells } from '../slices/cells.js'
import { countSeen } from '../slices/seen.js'
import type { Slices } from '../slices/slices.js'
import { EITHER, INTS, UNIQUE } from '../tables/lines.js'
import { LAST_CELL, LAST_TICK, NEVER, PAIR, type Pairs } from '../tables/pairs.js'
import { KINDS, type Tokens } from './tokens.js'

/// Takes the swap of a pair at `tick` into the counts; `cell` is its cell in `cells`, which are null when its slice is
/// not in memory as cells. `position` is the beginning of each window.
export function enterPair(
  pairs: Pairs,
  tokens: Tokens,
  slices: Slices,
  position: Int32Array,
  pairSide: number,
  tick: number,
  cells: Cells | null,
  cell: number,
): void {
  const { records } = pairs
  const at = (pairSide >> 1) * PAIR
  const side = pairSide & 1
  const last = records[at + LAST_TICK + side] as number
  if (tick <= last) return
  const other = records[at + LAST_TICK + (side ^ 1)] as number
  const token = records[at] as number
  const old = last === NEVER ? null : slices.cellsAt(last)
  if (old !== null) countSeen(old, records[at + LAST_CELL + side] as number, side, -1)
  if (cells !== null) countSeen(cells, cell, side, 1)
  step(tokens, token * KINDS + side, position, last, tick)
  const seen = Math.max(last, other)
  if (tick > seen) {
    if (seen === last) {
      if (old !== null) countSeen(old, records[at + LAST_CELL + side] as number, EITHER, -1)
    } else {
      const others = slices.cellsAt(other)
      if (others !== null) countSeen(others, records[at + LAST_CELL + (side ^ 1)] as number, EITHER, -1)
    }
    if (cells !== null) countSeen(cells, cell, EITHER, 1)
    step(tokens, token * KINDS + EITHER, position, seen, tick)
  }
  records[at + LAST_TICK + side] = tick
  records[at + LAST_CELL + side] = cell
}

/// A window's count of unique traders of a kind.
export function uniquesOf(tokens: Tokens, token: number, w: number, kind: number): number {
  const stride = tokens.windows + 1
  const from = (token * KINDS + kind) * stride
  let count = 0
  for (let i = 0; i <= w; i++) count += tokens.steps[from + i] as number
  return (count - (tokens.lines.ints[(token * stride + w) * INTS + UNIQUE + kind] as number)) | 0
}

/// A pair comes into the windows that hold `tick` and not `last`.
function step(tokens: Tokens, series: number, position: Int32Array, last: number, tick: number): void {
  const { steps, windows } = tokens
  let w = 0
  while (w < windows && tick <= (position[w] as number)) w++
  const at = series * (windows + 1)
  steps[at + w] = (steps[at + w] as number) + 1
  while (w < windows && last <= (position[w] as number)) w++
  steps[at + w] = (steps[at + w] as number) - 1
}
