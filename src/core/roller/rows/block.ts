/// Rows of BLOCK_TICKS consecutive slices, in columns, linked by slice.
///
/// A block in the hot range holds all of its rows; one on disk only those that came late and are not on disk yet.
/// Rows are what is stored and what ties are decided by. Windows look at their sums, which lie in cells (cells.ts).

import { ABSENT } from '../../swap-batch.js'
import { grownFloat64, grownInt32, grownUint8, grownUint32 } from '../tables/columns.js'

/// Balances the length of walks inside a block (≤ 128 cells of a token) with the number of blocks in a day (675 at one
/// second), each of which costs memory per active token.
export const BLOCK_TICKS = 128

/// Ends a list of rows.
export const END = -1

/// In `offset`.
export const FROM_DISK = -1
export const WITHOUT_ID = -2

export class Block {
  rows = 0
  /// pair × 2 + side.
  pairSide: Int32Array
  token: Int32Array
  /// Slice within the block, 0 … BLOCK_TICKS − 1.
  slot: Uint8Array
  timeMs: Float64Array
  usd: Float64Array
  /// The token amount in 10^-18 tokens = amountLow + amountMid × 10^12 + amountHigh × 10^27; below 10^12, 10^15 and
  /// 10^9. (Wider limbs than SwapBatch's, so that sums touch fewer.)
  amountLow: Float64Array
  amountMid: Float64Array
  amountHigh: Uint32Array
  /// NaN where unknown.
  price: Float64Array
  priceGiven: Uint8Array
  block: Float64Array
  txIndex: Int32Array
  logIndex: Int32Array
  id0: Int32Array
  id1: Int32Array
  id2: Int32Array
  /// Start of the id's bytes in `ids`, or -1 where the order key is complete without it.
  idAt: Int32Array
  idLength: Int32Array
  /// Log offset; FROM_DISK for a row read back from disk, WITHOUT_ID when its fingerprint was not read.
  offset: Float64Array
  nextInSlice: Int32Array
  readonly sliceHead = new Int32Array(BLOCK_TICKS).fill(END)
  readonly sliceTail = new Int32Array(BLOCK_TICKS).fill(END)
  ids = new Uint8Array(0)
  idsUsed = 0

  constructor(capacity: number) {
    this.pairSide = new Int32Array(capacity)
    this.token = new Int32Array(capacity)
    this.slot = new Uint8Array(capacity)
    this.timeMs = new Float64Array(capacity)
    this.usd = new Float64Array(capacity)
    this.amountLow = new Float64Array(capacity)
    this.amountMid = new Float64Array(capacity)
    this.amountHigh = new Uint32Array(capacity)
    this.price = new Float64Array(capacity)
    this.priceGiven = new Uint8Array(capacity)
    this.block = new Float64Array(capacity)
    this.txIndex = new Int32Array(capacity)
    this.logIndex = new Int32Array(capacity)
    this.id0 = new Int32Array(capacity)
    this.id1 = new Int32Array(capacity)
    this.id2 = new Int32Array(capacity)
    this.idAt = new Int32Array(capacity)
    this.idLength = new Int32Array(capacity)
    this.offset = new Float64Array(capacity)
    this.nextInSlice = new Int32Array(capacity)
  }

  /// Rows that fit before the columns grow.
  get capacity(): number {
    return this.pairSide.length
  }

  /// Empties the block for another use; the columns keep their room.
  clear(): void {
    this.rows = 0
    this.idsUsed = 0
    this.sliceHead.fill(END)
    this.sliceTail.fill(END)
  }

  /// Makes a row at the end and links it into its slice. The caller fills the other columns.
  append(slot: number): number {
    const row = this.rows
    if (row === this.pairSide.length) this.#grow(row + 1)
    this.rows = row + 1
    this.slot[row] = slot
    this.nextInSlice[row] = END
    const tail = this.sliceTail[slot] as number
    if (tail === END) this.sliceHead[slot] = row
    else this.nextInSlice[tail] = row
    this.sliceTail[slot] = row
    return row
  }

  /// Makes the block hold `count` rows in place of what it held. They are linked into no slice, so nothing may be appended
  /// before `clear`. The caller fills the columns.
  hold(count: number): void {
    if (count > this.pairSide.length) this.#grow(count)
    this.rows = count
    this.idsUsed = 0
  }

  /// Makes `count` rows of one slice, in their order. Returns the first; the caller fills the other columns.
  extend(slot: number, count: number): number {
    const first = this.rows
    for (let i = 0; i < count; i++) this.append(slot)
    return first
  }

  /// Sets the amount from four limbs of nine decimal digits (see SwapBatch).
  setAmount(row: number, a0: number, a1: number, a2: number, a3: number): void {
    const carry = Math.floor(a1 / 1000)
    this.amountLow[row] = a0 + (a1 - carry * 1000) * 1e9
    this.amountMid[row] = carry + a2 * 1e6
    this.amountHigh[row] = a3
  }

  /// Keeps a copy of the id's bytes for the row.
  keepId(row: number, bytes: Uint8Array, at: number, length: number): void {
    if (this.idsUsed + length > this.ids.length) this.ids = grownUint8(this.ids, this.idsUsed + length)
    this.ids.set(bytes.subarray(at, at + length), this.idsUsed)
    this.idAt[row] = this.idsUsed
    this.idLength[row] = length
    this.idsUsed += length
  }

  /// Copies a row of another block to the slice, links excepted.
  copyRow(from: Block, source: number, slot = from.slot[source] as number): number {
    const row = this.append(slot)
    this.pairSide[row] = from.pairSide[source] as number
    this.token[row] = from.token[source] as number
    this.timeMs[row] = from.timeMs[source] as number
    this.usd[row] = from.usd[source] as number
    this.amountLow[row] = from.amountLow[source] as number
    this.amountMid[row] = from.amountMid[source] as number
    this.amountHigh[row] = from.amountHigh[source] as number
    this.price[row] = from.price[source] as number
    this.priceGiven[row] = from.priceGiven[source] as number
    this.block[row] = from.block[source] as number
    this.txIndex[row] = from.txIndex[source] as number
    this.logIndex[row] = from.logIndex[source] as number
    this.id0[row] = from.id0[source] as number
    this.id1[row] = from.id1[source] as number
    this.id2[row] = from.id2[source] as number
    this.offset[row] = from.offset[source] as number
    const idAt = from.idAt[source] as number
    if (idAt < 0) this.idAt[row] = -1
    else this.keepId(row, from.ids, idAt, from.idLength[source] as number)
    return row
  }

  /// Copies all rows of another block, links excepted.
  copyRows(from: Block): void {
    for (let row = 0; row < from.rows; row++) this.copyRow(from, row)
  }

  #grow(needed: number): void {
    this.pairSide = grownInt32(this.pairSide, needed)
    this.token = grownInt32(this.token, needed)
    this.slot = grownUint8(this.slot, needed)
    this.timeMs = grownFloat64(this.timeMs, needed)
    this.usd = grownFloat64(this.usd, needed)
    this.amountLow = grownFloat64(this.amountLow, needed)
    this.amountMid = grownFloat64(this.amountMid, needed)
    this.amountHigh = grownUint32(this.amountHigh, needed)
    this.price = grownFloat64(this.price, needed)
    this.priceGiven = grownUint8(this.priceGiven, needed)
    this.block = grownFloat64(this.block, needed)
    this.txIndex = grownInt32(this.txIndex, needed)
    this.logIndex = grownInt32(this.logIndex, needed)
    this.id0 = grownInt32(this.id0, needed)
    this.id1 = grownInt32(this.id1, needed)
    this.id2 = grownInt32(this.id2, needed)
    this.idAt = grownInt32(this.idAt, needed)
    this.idLength = grownInt32(this.idLength, needed)
    this.offset = grownFloat64(this.offset, needed)
    this.nextInSlice = grownInt32(this.nextInSlice, needed)
  }
}

/// True where (block, txIndex, logIndex) are all given: they then place the swap in the chain by themselves.
export function orderComplete(block: number, txIndex: number, logIndex: number): boolean {
  return block !== ABSENT && txIndex !== ABSENT && logIndex !== ABSENT
}

/// Whether only fingerprints tell the order of two rows.
export function tieOnPlace(a: Block, i: number, b: Block, j: number): boolean {
  return (
    a.timeMs[i] === b.timeMs[j] &&
    a.block[i] === b.block[j] &&
    a.txIndex[i] === b.txIndex[j] &&
    a.logIndex[i] === b.logIndex[j] &&
    (a.idAt[i] as number) < 0
  )
}

/// Chain order of two rows: time, block, transaction index, log index, then id. Absent values come first. The id
/// decides by its bytes, except between rows whose block, transaction and log index are all given and still
/// equal, which cannot happen on a chain: there its fingerprint decides, so that the roller need not keep the
/// ids of all swaps of a day.
export function compareRows(a: Block, i: number, b: Block, j: number): number {
  const time = (a.timeMs[i] as number) - (b.timeMs[j] as number)
  if (time !== 0) return time
  const block = (a.block[i] as number) - (b.block[j] as number)
  if (block !== 0) return block
  const tx = (a.txIndex[i] as number) - (b.txIndex[j] as number)
  if (tx !== 0) return tx
  const log = (a.logIndex[i] as number) - (b.logIndex[j] as number)
  if (log !== 0) return log
  const idAt = a.idAt[i] as number
  if (idAt >= 0) {
    return compareBytes(
      a.ids,
      idAt,
      a.idLength[i] as number,
      b.ids,
      b.idAt[j] as number,
      b.idLength[j] as number,
    )
  }
  const id0 = (a.id0[i] as number) - (b.id0[j] as number)
  return id0 !== 0 ? id0 : (a.id1[i] as number) - (b.id1[j] as number)
}

export function compareBytes(
  a: Uint8Array,
  aAt: number,
  aLength: number,
  b: Uint8Array,
  bAt: number,
  bLength: number,
): number {
  const shared = Math.min(aLength, bLength)
  for (let i = 0; i < shared; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number)
    if (difference !== 0) return difference
  }
  return aLength - bLength
}
