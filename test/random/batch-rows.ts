/// Rows of a batch as plain objects, for tests.

import type { SwapBatch } from '../../src/core/swap-batch.js'
import type { PlainSwap } from './swap-oracle.js'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function rowOf(batch: SwapBatch, i: number): PlainSwap {
  const text = (at: Int32Array, length: Int32Array) => {
    const from = at[i] ?? 0
    return utf8.decode(batch.bytes.subarray(from, from + (length[i] ?? 0)))
  }
  const limbs = [batch.amount3[i], batch.amount2[i], batch.amount1[i], batch.amount0[i]]
  return {
    id: text(batch.idAt, batch.idLength),
    time: batch.timeMs[i] ?? -1,
    who: text(batch.whoAt, batch.whoLength),
    token: text(batch.tokenAt, batch.tokenLength),
    side: batch.side[i] === 0 ? 'buy' : 'sell',
    amount: limbs.reduce<bigint>((sum, limb) => sum * 1_000_000_000n + BigInt(limb ?? 0), 0n),
    usd: BigInt(batch.usd[i] ?? 0),
    price: batch.price[i] ?? -1,
    priceGiven: batch.priceGiven[i] === 1,
    block: batch.block[i] ?? -2,
    txIndex: batch.txIndex[i] ?? -2,
    logIndex: batch.logIndex[i] ?? -2,
    tx: text(batch.txAt, batch.txLength),
    chain: text(batch.chainAt, batch.chainLength),
  }
}

/// The row's own record.
export function recordText(batch: SwapBatch, i: number): string {
  const at = batch.recordAt[i] ?? 0
  return utf8.decode(batch.bytes.subarray(at, at + (batch.recordLength[i] ?? 0)))
}
