/// Rows of a batch as swaps with texts: for those who store or show them one by one.

import { formatAmount } from '../core/decimal.js'
import { BUY, type SwapBatch } from '../core/swap-batch.js'
import { type EpochMs, epochMs, microUsd, type Offset } from '../core/units.js'
import type { LoggedSwap } from '../ports/trade-archive.js'

/// The strings of a batch's rows.
export class RowText {
  readonly #bytes: Buffer

  constructor({ bytes }: SwapBatch) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  at(at: Int32Array, length: Int32Array, row: number): string {
    const from = at[row] ?? 0
    return this.#bytes.toString('utf8', from, from + (length[row] ?? 0))
  }
}

/// `text` is of the same batch.
export function loggedSwap(
  batch: SwapBatch,
  row: number,
  text: RowText,
  offset: Offset,
  logTime: EpochMs,
): LoggedSwap {
  const price = batch.price[row] ?? Number.NaN
  const given = (value: number | undefined) => (value === undefined || value < 0 ? null : value)
  const optional = (from: Int32Array, length: Int32Array) =>
    length[row] === 0 ? null : text.at(from, length, row)
  return {
    id: text.at(batch.idAt, batch.idLength, row),
    time: epochMs(batch.timeMs[row] ?? 0),
    who: text.at(batch.whoAt, batch.whoLength, row),
    token: text.at(batch.tokenAt, batch.tokenLength, row),
    side: batch.side[row] === BUY ? 'buy' : 'sell',
    amount: formatAmount(
      batch.amount0[row] ?? 0,
      batch.amount1[row] ?? 0,
      batch.amount2[row] ?? 0,
      batch.amount3[row] ?? 0,
      0,
    ),
    usd: microUsd(batch.usd[row] ?? 0),
    price: Number.isNaN(price) ? null : price,
    block: given(batch.block[row]),
    txIndex: given(batch.txIndex[row]),
    logIndex: given(batch.logIndex[row]),
    tx: optional(batch.txAt, batch.txLength),
    chain: optional(batch.chainAt, batch.chainLength),
    offset,
    logTime,
  }
}
