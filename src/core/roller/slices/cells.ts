/// A block's swaps summed up by token and slice: what cursors walk, and what statistics are made of.
///
/// A cell is a token's swaps of one slice. A cursor that passes the slice subtracts the cell's line from the window, so
/// a token that was traded ten times in a second costs one expiry per window, not ten. Cells also tell which slice of
/// the token comes next, which the opening price of a window needs.
///
/// Blocks of the hot range have cells. The cells of a block on disk are made again, a slice at a time, shortly before a
/// cursor comes to them, and let go when it has passed (slices.ts).
///
/// `first` to `last` of a token are linked in ascending order of slices, never more than BLOCK_TICKS of them.

import { BLOCK_TICKS, END } from '../rows/block.js'
import { grownInt32, grownUint8 } from '../tables/columns.js'
import { LINE, Lines, PRICE } from '../tables/lines.js'

/// In `pricedRow`: no swap of the cell has a known price; and, the swap that has is on disk.
export const UNPRICED = -1
export const ON_DISK = -2

/// Of `seen`.
export const SEEN = 4
export const SEEN_TOKEN = 3

/// The table of tokens: token + 1 (0 is an empty slot), first and last cell, node (token-blocks.ts).
const ENTRY = 4
const FIRST = 1
const LAST = 2
const NODE = 3

export class Cells {
  count = 0
  /// Sums of each cell; PRICE is that of its first swap of known price in chain order, or NaN.
  readonly lines: Lines
  /// cell × SEEN: how many pairs have their last swap in the cell: with a buy, with a sell, with either; and the token.
  /// Apart from the sums and small, because every arrival looks at the cell of its pair's swap before, anywhere in the
  /// last hours.
  seen: Int32Array
  /// Slice within the block.
  slot: Uint8Array
  nextOfToken: Int32Array
  nextInSlice: Int32Array
  /// Event time of the cell's earliest swap, in milliseconds since the slice's beginning.
  firstMs: Int32Array
  /// The row whose price PRICE is, or UNPRICED, or ON_DISK.
  pricedRow: Int32Array
  readonly sliceHead = new Int32Array(BLOCK_TICKS).fill(END)
  readonly #sliceTail = new Int32Array(BLOCK_TICKS).fill(END)
  #table = new Int32Array(64 * ENTRY)
  #tokens = 0

  constructor(capacity: number) {
    this.lines = new Lines(capacity)
    this.seen = new Int32Array(capacity * SEEN)
    this.slot = new Uint8Array(capacity)
    this.nextOfToken = new Int32Array(capacity)
    this.nextInSlice = new Int32Array(capacity)
    this.firstMs = new Int32Array(capacity)
    this.pricedRow = new Int32Array(capacity)
  }

  /// Cells that fit before the columns grow.
  get capacity(): number {
    return this.slot.length
  }

  /// Empties the block for another use; the columns keep their room.
  clear(): void {
    this.lines.clear(0, this.count)
    this.seen.fill(0, 0, this.count * SEEN)
    this.count = 0
    this.sliceHead.fill(END)
    this.#sliceTail.fill(END)
    this.#table.fill(0)
    this.#tokens = 0
  }

  /// The place of a token's entry in the table, or -1.
  find(token: number): number {
    const table = this.#table
    const mask = table.length / ENTRY - 1
    for (let slot = mix(token) & mask; ; slot = (slot + 1) & mask) {
      const known = table[slot * ENTRY] as number
      if (known === token + 1) return slot * ENTRY
      if (known === 0) return -1
    }
  }

  /// Adds a token that is not here, with its node. Returns its place.
  add(token: number, node: number): number {
    if ((this.#tokens + 1) * 2 * ENTRY > this.#table.length) this.#rehash()
    this.#tokens++
    const at = emptyPlace(this.#table, token)
    const table = this.#table
    table[at] = token + 1
    table[at + FIRST] = END
    table[at + LAST] = END
    table[at + NODE] = node
    return at
  }

  nodeAt(place: number): number {
    return this.#table[place + NODE] as number
  }

  /// The token's first cell.
  firstAt(place: number): number {
    return this.#table[place + FIRST] as number
  }

  /// The token's cell of the slice, or END.
  cellAt(place: number, slot: number): number {
    const last = this.#table[place + LAST] as number
    if (last === END) return END
    const lastSlot = this.slot[last] as number
    if (lastSlot <= slot) return lastSlot === slot ? last : END
    let cell = this.#table[place + FIRST] as number
    while ((this.slot[cell] as number) < slot) cell = this.nextOfToken[cell] as number
    return this.slot[cell] === slot ? cell : END
  }

  /// The token's cell of the slice, made if it is new.
  open(place: number, token: number, slot: number): number {
    const table = this.#table
    const last = table[place + LAST] as number
    const lastSlot = last === END ? -1 : (this.slot[last] as number)
    if (lastSlot === slot) return last
    if (slot < lastSlot) {
      const known = this.cellAt(place, slot)
      if (known !== END) return known
    }
    const cell = this.#append(token, slot)
    if (slot > lastSlot) {
      if (last === END) table[place + FIRST] = cell
      else this.nextOfToken[last] = cell
      table[place + LAST] = cell
    } else this.#linkBetween(place, cell, slot)
    return cell
  }

  #append(token: number, slot: number): number {
    const cell = this.count
    if (cell === this.slot.length) this.#grow()
    this.count = cell + 1
    this.lines.f64[cell * LINE + PRICE] = Number.NaN
    this.seen[cell * SEEN + SEEN_TOKEN] = token
    this.slot[cell] = slot
    this.nextOfToken[cell] = END
    this.nextInSlice[cell] = END
    this.firstMs[cell] = 0x7fff_ffff
    this.pricedRow[cell] = UNPRICED
    const tail = this.#sliceTail[slot] as number
    if (tail === END) this.sliceHead[slot] = cell
    else this.nextInSlice[tail] = cell
    this.#sliceTail[slot] = cell
    return cell
  }

  /// Links a cell before the token's last one.
  #linkBetween(place: number, cell: number, slot: number): void {
    let before = END
    let after = this.#table[place + FIRST] as number
    while ((this.slot[after] as number) < slot) {
      before = after
      after = this.nextOfToken[after] as number
    }
    this.nextOfToken[cell] = after
    if (before === END) this.#table[place + FIRST] = cell
    else this.nextOfToken[before] = cell
  }

  #grow(): void {
    const needed = this.slot.length + 1
    this.lines.grow(needed)
    this.seen = grownInt32(this.seen, needed * SEEN)
    this.slot = grownUint8(this.slot, needed)
    this.nextOfToken = grownInt32(this.nextOfToken, needed)
    this.nextInSlice = grownInt32(this.nextInSlice, needed)
    this.firstMs = grownInt32(this.firstMs, needed)
    this.pricedRow = grownInt32(this.pricedRow, needed)
  }

  #rehash(): void {
    const old = this.#table
    this.#table = new Int32Array(old.length * 2)
    for (let at = 0; at < old.length; at += ENTRY) {
      const token = (old[at] as number) - 1
      if (token < 0) continue
      const to = emptyPlace(this.#table, token)
      for (let i = 0; i < ENTRY; i++) this.#table[to + i] = old[at + i] as number
    }
  }
}

function emptyPlace(table: Int32Array, token: number): number {
  const mask = table.length / ENTRY - 1
  let slot = mix(token) & mask
  while (table[slot * ENTRY] !== 0) slot = (slot + 1) & mask
  return slot * ENTRY
}

function mix(token: number): number {
  const h = Math.imul(token, 0x9e3779b1)
  return h ^ (h >>> 15)
}
