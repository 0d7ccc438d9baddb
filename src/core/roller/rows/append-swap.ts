/// Copies a swap of a batch to the end of a block.

import type { SwapBatch } from '../../swap-batch.js'
import { keepsId } from '../storage/row-columns.js'
import type { Block } from './block.js'

/// Row i of the batch, whose token and pair have these ids, into the slice of the block. Returns the block's row.
export function appendSwap(
  rows: Block,
  slot: number,
  batch: SwapBatch,
  i: number,
  token: number,
  pair: number,
  offset: number,
): number {
  const row = rows.append(slot)
  rows.pairSide[row] = pair * 2 + (batch.side[i] as number)
  rows.token[row] = token
  rows.timeMs[row] = batch.timeMs[i] as number
  rows.usd[row] = batch.usd[i] as number
  rows.setAmount(
    row,
    batch.amount0[i] as number,
    batch.amount1[i] as number,
    batch.amount2[i] as number,
    batch.amount3[i] as number,
  )
  rows.price[row] = batch.price[i] as number
  rows.priceGiven[row] = batch.priceGiven[i] as number
  const block = batch.block[i] as number
  const txIndex = batch.txIndex[i] as number
  const logIndex = batch.logIndex[i] as number
  rows.block[row] = block
  rows.txIndex[row] = txIndex
  rows.logIndex[row] = logIndex
  rows.id0[row] = batch.id0[i] as number
  rows.id1[row] = batch.id1[i] as number
  rows.id2[row] = batch.id2[i] as number
  rows.offset[row] = offset
  if (keepsId(block, txIndex, logIndex)) {
    rows.keepId(row, batch.bytes, batch.idAt[i] as number, batch.idLength[i] as number)
  } else rows.idAt[row] = -1
  return row
}
