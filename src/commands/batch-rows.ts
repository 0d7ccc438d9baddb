/// Rows of batches moved, kept aside and compared: what choosing among duplicates needs.

import { SwapBatch, type SwapColumn } from '../core/swap-batch.js'

/// Copies the columns of row `i` of one batch into row `j` of another (or the same). String columns keep pointing
/// into `from.bytes`.
export function copyColumns(from: SwapBatch, i: number, to: SwapBatch, j: number): void {
  const columns = columnsOf(to)
  columnsOf(from).forEach((column, c) => {
    const target = columns[c]
    const value = column[i]
    if (target !== undefined && value !== undefined) target[j] = value
  })
}

const columnLists = new WeakMap<SwapBatch, readonly SwapColumn[]>()

function columnsOf(batch: SwapBatch): readonly SwapColumn[] {
  const known = columnLists.get(batch)
  // A decoder may replace the columns of its batch by longer ones.
  if (known?.[0] === batch.timeMs) return known
  const columns = batch.columns()
  columnLists.set(batch, columns)
  return columns
}

/// A copy of one row with strings of its own.
export function rowAlone(from: SwapBatch, i: number): SwapBatch {
  const alone = new SwapBatch(1)
  copyColumns(from, i, alone, 0)
  const token = range(from, from.tokenAt, from.tokenLength, i)
  const who = range(from, from.whoAt, from.whoLength, i)
  const id = range(from, from.idAt, from.idLength, i)
  alone.bytes = Buffer.concat([token, who, id])
  alone.tokenAt[0] = 0
  alone.whoAt[0] = token.length
  alone.idAt[0] = token.length + who.length
  alone.recordAt[0] = 0
  alone.recordLength[0] = 0
  alone.record[0] = 0
  alone.size = 1
  return alone
}

function range(batch: SwapBatch, at: Int32Array, length: Int32Array, i: number): Uint8Array {
  const start = at[i] ?? 0
  return batch.bytes.subarray(start, start + (length[i] ?? 0))
}

/// Orders two rows of one id: chain order (time, block, transaction index, log index), then every other field. 0
/// only when they are the same swap in all of them.
export function compareRows(a: SwapBatch, i: number, b: SwapBatch, j: number): number {
  const x = (pick: (batch: SwapBatch) => ArrayLike<number>): number => (pick(a)[i] ?? 0) - (pick(b)[j] ?? 0)
  return (
    x(batch => batch.timeMs) ||
    x(batch => batch.block) ||
    x(batch => batch.txIndex) ||
    x(batch => batch.logIndex) ||
    Buffer.compare(range(a, a.tokenAt, a.tokenLength, i), range(b, b.tokenAt, b.tokenLength, j)) ||
    Buffer.compare(range(a, a.whoAt, a.whoLength, i), range(b, b.whoAt, b.whoLength, j)) ||
    x(batch => batch.side) ||
    x(batch => batch.usd) ||
    x(batch => batch.amount3) ||
    x(batch => batch.amount2) ||
    x(batch => batch.amount1) ||
    x(batch => batch.amount0) ||
    x(batch => batch.priceGiven) ||
    // Unknown prices (NaN) come of zero amounts or usd, which are equal by now: they differ in nothing.
    x(batch => batch.price) ||
    0
  )
}
