/// Candles: the swaps of one token in one stretch of event time, summed up.
///
/// A stretch (bucket) of interval I is [n·I, (n+1)·I) in epoch milliseconds, so hours and days are those of UTC.
/// Example, 1m: a swap at 12:00:59.999 is in the candle of 12:00:00, one at 12:01:00.000 in that of 12:01:00.
/// A candle counts exactly the accepted swaps of its bucket; late ones change it when they come.

import { formatUsd } from './decimal.js'
import { type EpochMs, epochMs } from './units.js'

export const CANDLE_INTERVALS = {
  '1s': 1000,
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
} as const

export type CandleInterval = keyof typeof CANDLE_INTERVALS

export const CANDLE_INTERVAL_NAMES: readonly CandleInterval[] = ['1s', '1m', '5m', '15m', '1h', '4h', '1d']

export interface Candle {
  /// When the bucket begins.
  readonly time: EpochMs
  /// USD per token, of the first and the last swap of known price in chain order; null where no price is known.
  readonly open: number | null
  readonly high: number | null
  readonly low: number | null
  readonly close: number | null
  /// Micro-dollars. A sum may pass 2^53, so it is a bigint.
  readonly buyUsd: bigint
  readonly sellUsd: bigint
  readonly buys: number
  readonly sells: number
  /// Distinct `who` with a buy or a sell in the bucket.
  readonly traders: number
}

/// The beginning of the bucket that an event time lies in.
/// Example: bucketOf(90_500, 60_000) = 60_000.
export function bucketOf(timeMs: number, intervalMs: number): EpochMs {
  return epochMs(timeMs - (timeMs % intervalMs))
}

/// What an empty bucket is shown as.
export type Fill = 'none' | 'null' | 'previous'

export const FILLS: readonly Fill[] = ['none', 'null', 'previous']

/// The candles with a candle for every bucket of from ≤ time < to. `candles` ascend and lie in the range. An empty
/// bucket has no volume; its prices are null, or with `previous` the close before it, `closeBefore` at the beginning.
export function filled(
  candles: readonly Candle[],
  fill: Fill,
  range: { readonly from: number; readonly to: number; readonly intervalMs: number },
  closeBefore: number | null,
): readonly Candle[] {
  if (fill === 'none') return candles
  const { from, to, intervalMs } = range
  const result: Candle[] = []
  let close = fill === 'previous' ? closeBefore : null
  let next = 0
  for (let time = Math.ceil(from / intervalMs) * intervalMs; time < to; time += intervalMs) {
    const candle = candles[next]
    if (candle?.time === time) {
      next++
      result.push(candle)
      if (fill === 'previous') close = candle.close ?? close
    } else result.push(emptyCandle(epochMs(time), close))
  }
  return result
}

function emptyCandle(time: EpochMs, price: number | null): Candle {
  const prices = { open: price, high: price, low: price, close: price }
  return { time, ...prices, buyUsd: 0n, sellUsd: 0n, buys: 0, sells: 0, traders: 0 }
}

const LIMB = 1_000_000_000_000n

/// Micro-dollars in USD, exact: 1_500_000n is `1.5`.
export function formatMicroUsd(micro: bigint): string {
  return formatUsd(Number(micro % LIMB), Number(micro / LIMB))
}
