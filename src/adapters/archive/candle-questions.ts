/// Candles, as SQL over the tables that the question touches: those of minutes and longer are summed from stored minutes,
/// those of seconds from the swaps.

import { CANDLE_INTERVALS, type Candle, type CandleInterval } from '../../core/candles.js'
import { invariant } from '../../core/invariant.js'
import { type EpochMs, epochMs } from '../../core/units.js'
import type { CandleQuery } from '../../ports/trade-archive.js'
import { SPANS } from './candle-spans.js'
import { partitionName } from './partitions.js'
import { idOf, microUsdOf } from './questions.js'
import type { Dialect, Reading, Row } from './session.js'

export type Span = (typeof SPANS)[number]

const DAY_MS = 86_400_000

/// Rows of candles, one for each token and minute, of one token with from ≤ time < to: how they come from the tables is
/// each database's own.
export type MinutesSql = (reading: Reading, tokenId: number, from: number, to: number) => Promise<string>

/// Sums up rows of minutes, one for each token and minute, to candles of a span.
export function spanned({ first, last, stretch }: Dialect, minutes: string, span: Span): string {
  if (span.minutes === 1) {
    return `SELECT token_id, "time" AS begins, open, high, low, close, buy_volume, sell_volume, buys, sells,
  traders_1m AS traders FROM (${minutes}) minutes`
  }
  const begins = stretch(span.minutes, '"time"')
  return `SELECT token_id, ${begins} AS begins, ${first('open', '"time"')} AS open, max(high) AS high, min(low) AS low,
  ${last('close', '"time"')} AS close, sum(buy_volume) AS buy_volume, sum(sell_volume) AS sell_volume,
  sum(buys) AS buys, sum(sells) AS sells, sum(traders_${span.name}) AS traders
FROM (${minutes}) minutes GROUP BY token_id, ${begins}`
}

export async function candles(
  reading: Reading,
  minutesSql: MinutesSql,
  { token, interval, from, to }: CandleQuery,
): Promise<readonly Candle[]> {
  const { dialect } = reading
  const tokenId = await idOf(reading, 'token', token)
  if (tokenId === null) return []
  const intervalMs = CANDLE_INTERVALS[interval]
  // Candles that begin in the range: the first may begin after `from`, the last ends after `to`.
  const begin = Math.ceil(from / intervalMs) * intervalMs
  const end = Math.ceil(to / intervalMs) * intervalMs
  const sql =
    interval === '1s'
      ? await secondsSql(reading, tokenId, begin, end)
      : spanned(dialect, await minutesSql(reading, tokenId, begin, end), spanOf(interval))
  if (sql === null) return []
  const rows = await reading.rows(`SELECT ${dialect.ms('begins')}, open, high, low, close,
    ${dialect.text('buy_volume')}, ${dialect.text('sell_volume')}, ${dialect.number('buys')}, ${dialect.number('sells')},
    ${dialect.number('traders')} FROM (${sql}) candles ORDER BY begins`)
  return rows.map(candleOf)
}

/// Of one token, from ≤ time < to.
export const ofToken = ({ at }: Dialect, tokenId: number, from: number, to: number) =>
  `WHERE token_id = ${tokenId} AND "time" >= ${at(from)} AND "time" < ${at(to)}`

function spanOf(interval: CandleInterval): Span {
  const span = SPANS.find(({ name }) => name === interval)
  invariant(span !== undefined, `candles of ${interval} are summed from minutes`)
  return span
}

/// Candles of one second, from the swaps themselves; null where there are none.
async function secondsSql(
  reading: Reading,
  tokenId: number,
  from: number,
  to: number,
): Promise<string | null> {
  const { dialect } = reading
  const hours = await reading.partitions('trades', from, to)
  if (hours.length === 0) return null
  const rows = hours
    .map(begins => `SELECT * FROM ${partitionName('trades', begins)} ${ofToken(dialect, tokenId, from, to)}`)
    .join(' UNION ALL ')
  // Places are compared only of swaps that share their second's first or last millisecond: comparing them is slow. The id
  // decides only where the chain's numbers do not, the fingerprint where they do.
  const place = `ROW(coalesce(block, -1), coalesce(tx_index, -1), coalesce(log_index, -1),
    CASE WHEN block IS NULL OR tx_index IS NULL OR log_index IS NULL THEN id ELSE '' END, fingerprint)`
  return `WITH rows_of_token AS (${rows}), sums AS (
      SELECT date_trunc('second', "time") AS begins, min("time") FILTER (WHERE price IS NOT NULL) AS opens,
        max("time") FILTER (WHERE price IS NOT NULL) AS closes, max(price) AS high, min(price) AS low,
        coalesce(sum(usd) FILTER (WHERE buy), 0) AS buy_volume,
        coalesce(sum(usd) FILTER (WHERE NOT buy), 0) AS sell_volume,
        count(*) FILTER (WHERE buy) AS buys, count(*) FILTER (WHERE NOT buy) AS sells,
        count(DISTINCT trader_id) AS traders
      FROM rows_of_token GROUP BY date_trunc('second', "time")),
    edges AS (SELECT begins, opens, closes, opens AS edge FROM sums UNION SELECT begins, opens, closes, closes FROM sums),
    at_edges AS (SELECT begins, CASE WHEN edge = opens THEN price END AS opening,
        CASE WHEN edge = closes THEN price END AS closing, ${place} AS place
      FROM rows_of_token JOIN edges ON edge = "time"),
    decided AS (SELECT begins, ${dialect.first('opening', 'place')} AS open, ${dialect.last('closing', 'place')} AS close
      FROM at_edges GROUP BY begins)
    SELECT sums.begins, open, high, low, close, buy_volume, sell_volume, buys, sells, traders
    FROM sums LEFT JOIN decided ON decided.begins = sums.begins`
}

export function candleOf(row: Row): Candle {
  const price = (at: number) => (row[at] === null ? null : Number(row[at]))
  return {
    time: epochMs(Number(row[0])),
    open: price(1),
    high: price(2),
    low: price(3),
    close: price(4),
    buyUsd: microUsdOf(String(row[5])),
    sellUsd: microUsdOf(String(row[6])),
    buys: Number(row[7]),
    sells: Number(row[8]),
    traders: Number(row[9]),
  }
}

/// Looks into the past: a day, then twice as far with each step.
export async function closeBefore(
  reading: Reading,
  minutesSql: MinutesSql,
  token: string,
  time: EpochMs,
): Promise<number | null> {
  const tokenId = await idOf(reading, 'token', token)
  const [oldest] = await reading.partitions('candles', 0, time)
  if (tokenId === null || oldest === undefined) return null
  let to: number = time
  for (let length = DAY_MS; to > oldest; length *= 2) {
    const from = Math.max(oldest, time - length)
    const minutes = await minutesSql(reading, tokenId, from, to)
    const [row] = await reading.rows(
      `SELECT ${reading.dialect.last('close', '"time"')} FROM (${minutes}) minutes`,
    )
    if (row !== undefined && row[0] !== null) return Number(row[0])
    to = from
  }
  return null
}
