/// 32 bits of a swap's content, to notice a duplicate that says something else than the first did.
///
/// The time is left out: producers that stamp anew on resending are not in conflict with themselves.

import type { SwapBatch } from '../../swap-batch.js'
import type { Block } from './block.js'

// The operator takes any integer up to 2^53 modulo 2^32.
function mix(hash: number, value: number): number {
  const h = Math.imul(hash ^ value, 0x9e3779b1)
  return h ^ (h >>> 15)
}

export function digestOf(
  tokenHash: number,
  traderHash: number,
  side: number,
  usd: number,
  amountLow: number,
  amountMid: number,
  amountHigh: number,
  block: number,
  txIndex: number,
  logIndex: number,
): number {
  let h = mix(tokenHash, traderHash)
  h = mix(h, side)
  h = mix(h, usd)
  h = mix(h, Math.floor(usd / 0x1_0000_0000))
  h = mix(h, amountLow)
  h = mix(h, Math.floor(amountLow / 0x1_0000_0000))
  h = mix(h, amountMid)
  h = mix(h, Math.floor(amountMid / 0x1_0000_0000))
  h = mix(h, amountHigh)
  h = mix(h, block)
  h = mix(h, txIndex)
  return mix(h, logIndex)
}

/// The digest that row i of a batch has once it is stored.
export function digestOfBatch(batch: SwapBatch, i: number): number {
  const a1 = batch.amount1[i] as number
  const carry = Math.floor(a1 / 1000)
  return digestOf(
    batch.tokenHash[i] as number,
    batch.whoHash[i] as number,
    batch.side[i] as number,
    batch.usd[i] as number,
    (batch.amount0[i] as number) + (a1 - carry * 1000) * 1e9,
    carry + (batch.amount2[i] as number) * 1e6,
    batch.amount3[i] as number,
    batch.block[i] as number,
    batch.txIndex[i] as number,
    batch.logIndex[i] as number,
  )
}

export function digestOfRow(rows: Block, row: number, tokenHash: number, traderHash: number): number {
  return digestOf(
    tokenHash,
    traderHash,
    (rows.pairSide[row] as number) & 1,
    rows.usd[row] as number,
    rows.amountLow[row] as number,
    rows.amountMid[row] as number,
    rows.amountHigh[row] as number,
    rows.block[row] as number,
    rows.txIndex[row] as number,
    rows.logIndex[row] as number,
  )
}
