/// 32 bits of a swap's content, to notice a duplicate that says something else than the first did.
///
/// The time is left out: producers that stamp anew on resending are not in conflict with themselves.

import type { Block } from './block.js'

function mix(hash: number, value: number): number {
  const h = Math.imul(hash ^ value, 0x9e3779b1)
  return h ^ (h >>> 15)
}

export function digestOf(
  tokenHash: number,
  traderHash: number,
  side: number,
  usd: number,
  amount0: number,
  amount1: number,
  amount2: number,
  amount3: number,
  block: number,
  txIndex: number,
  logIndex: number,
): number {
  let h = mix(tokenHash, traderHash)
  h = mix(h, side)
  h = mix(h, usd % 0x1_0000_0000)
  h = mix(h, Math.floor(usd / 0x1_0000_0000))
  h = mix(h, amount0)
  h = mix(h, amount1)
  h = mix(h, amount2)
  h = mix(h, amount3)
  h = mix(h, block % 0x1_0000_0000)
  h = mix(h, txIndex)
  return mix(h, logIndex)
}

export function digestOfRow(rows: Block, row: number, tokenHash: number, traderHash: number): number {
  return digestOf(
    tokenHash,
    traderHash,
    (rows.pairSide[row] as number) & 1,
    rows.usd[row] as number,
    rows.amount0[row] as number,
    rows.amount1[row] as number,
    rows.amount2[row] as number,
    rows.amount3[row] as number,
    rows.block[row] as number,
    rows.txIndex[row] as number,
    rows.logIndex[row] as number,
  )
}
