/// Long windows of a token, from its minutes: exact in volume and counts, and in prices, to the minute.

import type { EpochMs } from '../../core/units.js'
import { epochMs } from '../../core/units.js'
import type { LongWindows, WindowSums } from '../../ports/trade-archive.js'
import { candleOf, type MinutesSql } from './candle-questions.js'
import { MINUTE_MS } from './candle-spans.js'
import { idOf } from './questions.js'
import { reachOf } from './retention.js'
import type { Reading } from './session.js'

export async function windows(
  reading: Reading,
  minutesSql: MinutesSql,
  token: string,
  lengthsMs: readonly number[],
): Promise<LongWindows> {
  const reach = await reachOf(reading)
  if (reach.asOf === null) return { ...reach, windows: [] }
  const tokenId = await idOf(reading, 'token', token)
  const to = epochMs(reach.asOf - (reach.asOf % MINUTE_MS) + MINUTE_MS)
  const sums: WindowSums[] = []
  for (const lengthMs of lengthsMs) {
    const from = epochMs(Math.max(0, to - lengthMs))
    sums.push(tokenId === null ? nothing(from, to) : await sumsOf(reading, minutesSql, tokenId, from, to))
  }
  return { ...reach, windows: sums }
}

async function sumsOf(
  reading: Reading,
  minutesSql: MinutesSql,
  tokenId: number,
  from: EpochMs,
  to: EpochMs,
): Promise<WindowSums> {
  const { first, last, text, number } = reading.dialect
  const minutes = await minutesSql(reading, tokenId, from, to)
  const [row] =
    await reading.rows(`SELECT 0, ${first('open', '"time"')}, max(high), min(low), ${last('close', '"time"')},
    ${text('sum(buy_volume)')}, ${text('sum(sell_volume)')}, ${number('sum(buys)')}, ${number('sum(sells)')}, 0
    FROM (${minutes}) minutes HAVING count(*) > 0`)
  if (row === undefined) return nothing(from, to)
  const { open, high, low, close, buyUsd, sellUsd, buys, sells } = candleOf(row)
  return { from, to, open, high, low, close, buyUsd, sellUsd, buys, sells }
}

function nothing(from: EpochMs, to: EpochMs): WindowSums {
  const prices = { open: null, high: null, low: null, close: null }
  return { from, to, ...prices, buyUsd: 0n, sellUsd: 0n, buys: 0, sells: 0 }
}
