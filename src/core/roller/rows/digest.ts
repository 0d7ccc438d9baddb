/// 32 bits of a swap's content, to notice a duplicate that says something else than the first did.
///
/// The time is left out: producers that stamp anew on resending are not in conflict with themselves. Every field is
/// multiplied by an odd constant of its own and the products are added up: nothing waits for what is before it, as in a
/// hash that is fed field by field. (Multiply-add hashing of vectors, Dietzfelbinger 1996; here with 32 bits for all.)

import type { SwapBatch } from '../../swap-batch.js'
import type { Block } from './block.js'

// Odd numbers without a pattern.
const K = [
  ...[0x9e37_79b1, 0x85eb_ca6b, 0xc2b2_ae35, 0x27d4_eb2f, 0x1656_67b1, 0xd3a2_646d],
  ...[0xfd70_46c5, 0xb55a_4f09, 0x6a09_e667, 0xbb67_ae85, 0x3c6e_f373, 0xa54f_f53b],
] as const

/// Bits 32 and up of a safe integer.
const top = (value: number): number => Math.floor(value / 0x1_0000_0000)

function digestOf(
  tokenHash: number,
  traderHash: number,
  side: number,
  usd: number,
  a0: number,
  a1: number,
  a2: number,
  a3: number,
  block: number,
  txIndex: number,
  logIndex: number,
): number {
  // imul takes integers up to 2^53 modulo 2^32.
  const sum =
    Math.imul(tokenHash, K[0]) +
    Math.imul(traderHash, K[1]) +
    Math.imul(side, K[2]) +
    Math.imul(usd, K[3]) +
    Math.imul(top(usd), K[4]) +
    Math.imul(a0, K[5]) +
    Math.imul(a1, K[6]) +
    Math.imul(a2, K[7]) +
    Math.imul(a3, K[8]) +
    Math.imul(block, K[9]) +
    Math.imul(top(block), K[10]) +
    Math.imul(txIndex, K[11]) +
    Math.imul(logIndex, K[0] ^ K[11])
  const h = sum ^ (top(sum) << 16)
  return h ^ (h >>> 15)
}

/// The digest that row i of a batch has once it is stored.
export function digestOfBatch(batch: SwapBatch, i: number): number {
  return digestOf(
    batch.tokenHash[i] as number,
    batch.whoHash[i] as number,
    batch.side[i] as number,
    batch.usd[i] as number,
    batch.amount0[i] as number,
    batch.amount1[i] as number,
    batch.amount2[i] as number,
    batch.amount3[i] as number,
    batch.block[i] as number,
    batch.txIndex[i] as number,
    batch.logIndex[i] as number,
  )
}

export function digestOfRow(rows: Block, row: number, tokenHash: number, traderHash: number): number {
  const low = rows.amountLow[row] as number
  const mid = rows.amountMid[row] as number
  return digestOf(
    tokenHash,
    traderHash,
    (rows.pairSide[row] as number) & 1,
    rows.usd[row] as number,
    low % 1e9,
    Math.floor(low / 1e9) + (mid % 1e6) * 1000,
    Math.floor(mid / 1e6),
    rows.amountHigh[row] as number,
    rows.block[row] as number,
    rows.txIndex[row] as number,
    rows.logIndex[row] as number,
  )
}
