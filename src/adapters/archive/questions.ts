/// What is asked of the archive, as SQL over the tables that the question touches.

import { CANDLE_INTERVALS, type Candle, type CandleInterval } from '../../core/candles.js'
import { invariant } from '../../core/invariant.js'
import { type EpochMs, epochMs, microUsd, offset } from '../../core/units.js'
import type {
  ArchivedSwap,
  ArchivePosition,
  CandleQuery,
  TradePlace,
  TradesQuery,
} from '../../ports/trade-archive.js'
import { SPANS } from './candle-spans.js'
import { PARTITION_MS, partitionName } from './partitions.js'
import type { Dialect, Reading, Row, Writing } from './session.js'

export type Span = (typeof SPANS)[number]

const DAY_MS = 86_400_000

/// Rows of candles, one for each token and minute, of one token with from ≤ time < to: how they come from the tables is
/// each database's own.
export type MinutesSql = (reading: Reading, tokenId: number, from: number, to: number) => Promise<string>

export async function position(
  reading: Pick<Writing, 'dialect' | 'read'>,
  partition: number,
): Promise<ArchivePosition | null> {
  const [row] = await reading.read(
    `SELECT next_offset, ${reading.dialect.ms('log_time')} FROM positions WHERE partition = ${partition}`,
  )
  return row === undefined ? null : { offset: offset(Number(row[0])), logTime: epochMs(Number(row[1])) }
}

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
  const decided = (
    by: 'opens' | 'closes',
    as: string,
    pick: Dialect['first'],
  ) => `SELECT s.begins, ${pick('price', 'place')} AS ${as}
      FROM (SELECT date_trunc('second', r."time") AS begins, r."time", price, ${place} AS place FROM rows_of_token r
        WHERE price IS NOT NULL) s
      JOIN sums ON sums.begins = s.begins AND sums.${by} = s."time" GROUP BY s.begins`
  return `WITH rows_of_token AS (${rows}), sums AS (
      SELECT date_trunc('second', "time") AS begins, min("time") FILTER (WHERE price IS NOT NULL) AS opens,
        max("time") FILTER (WHERE price IS NOT NULL) AS closes, max(price) AS high, min(price) AS low,
        coalesce(sum(usd) FILTER (WHERE buy), 0) AS buy_volume,
        coalesce(sum(usd) FILTER (WHERE NOT buy), 0) AS sell_volume,
        count(*) FILTER (WHERE buy) AS buys, count(*) FILTER (WHERE NOT buy) AS sells,
        count(DISTINCT trader_id) AS traders
      FROM rows_of_token GROUP BY date_trunc('second', "time"))
    SELECT sums.begins, o.open, high, low, c.close, buy_volume, sell_volume, buys, sells, traders
    FROM sums LEFT JOIN (${decided('opens', 'open', dialect.first)}) o ON o.begins = sums.begins
      LEFT JOIN (${decided('closes', 'close', dialect.last)}) c ON c.begins = sums.begins`
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

/// Micro-dollars of a decimal with up to six decimals: `1.5` is 1500000n.
function microUsdOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
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

export async function idOf(reading: Reading, kind: 'token' | 'who', name: string): Promise<number | null> {
  const [table, id] = kind === 'token' ? ['tokens', 'token_id'] : ['traders', 'trader_id']
  const [row] = await reading.rows(`SELECT ${id} FROM ${table} WHERE ${kind} = $1`, [
    reading.dialect.stored(name),
  ])
  return row === undefined ? null : Number(row[0])
}

export const swapColumns = ({
  ms,
  text,
  number,
}: Dialect) => `id, ${ms('"time"')}, who, token, buy, ${text('amount')}, ${text('usd')},
  price, ${number('block')}, tx_index, log_index, tx, chain, partition, ${number('log_offset')}, ${ms('log_time')}`

const CHAIN_ORDER = [
  '"time"',
  'coalesce(block, -1)',
  'coalesce(tx_index, -1)',
  'coalesce(log_index, -1)',
  'id',
]

const orderBy = (direction: 'ASC' | 'DESC') => CHAIN_ORDER.map(key => `${key} ${direction}`).join(', ')

export const WITH_NAMES = 'JOIN tokens USING (token_id) JOIN traders USING (trader_id)'

/// The first stretch of time that is read for a page, and the longest.
const STRETCH_MS = 30_000
const STRETCH_MS_MAX = 32 * 3_600_000

/// Into the past until the page is full: half a minute, since a busy token has a page of it, then twice as long with
/// each query.
export async function trades(
  reading: Reading,
  { of, from, to, limit, after }: TradesQuery,
): Promise<readonly ArchivedSwap[]> {
  const { dialect } = reading
  const isToken = 'token' in of
  const id = await idOf(reading, isToken ? 'token' : 'who', isToken ? of.token : of.who)
  if (id === null) return []
  const before = after === null ? to : Math.min(to, after.time + 1)
  const hours = await reading.partitions('trades', from, before)
  const oldest = Math.max(from, hours[0] ?? before)
  const isBefore = after === null ? '' : `AND (${CHAIN_ORDER.join(', ')}) < ${placeSql(dialect, after)}`
  const found: ArchivedSwap[] = []
  let end = Math.min(before, (await newestOf(reading, hours.at(-1))) + 1)
  for (let stretch = STRETCH_MS; end > oldest && found.length < limit; stretch *= 2) {
    const begin = Math.max(oldest, end - Math.min(stretch, STRETCH_MS_MAX))
    const rows = hours
      .filter(hour => hour < end && hour + PARTITION_MS.trades > begin)
      .map(
        hour => `SELECT * FROM ${partitionName('trades', hour)} WHERE ${isToken ? 'token_id' : 'trader_id'} = ${id}
          AND "time" >= ${dialect.at(begin)} AND "time" < ${dialect.at(end)} ${isBefore}`,
      )
    end = begin
    if (rows.length === 0) continue
    const page = await reading.rows(
      `SELECT ${swapColumns(dialect)} FROM (SELECT * FROM (${rows.join(' UNION ALL ')}) h
         ORDER BY ${orderBy('DESC')} LIMIT ${limit - found.length}) page
       ${WITH_NAMES} ORDER BY ${orderBy('DESC')}`,
      after === null ? [] : [dialect.stored(after.id)],
    )
    for (const row of page) found.push(archivedSwapOf(dialect, row))
  }
  return found
}

/// The newest swap's time of an hour; its beginning where it has none.
async function newestOf(reading: Reading, hour: number | undefined): Promise<number> {
  if (hour === undefined) return 0
  const [row] = await reading.rows(
    `SELECT ${reading.dialect.ms('max("time")')} FROM ${partitionName('trades', hour)}`,
  )
  return Number(row?.[0] ?? hour)
}

const placeSql = ({ at }: Dialect, { time, block, txIndex, logIndex }: TradePlace) =>
  `(${at(time)}, ${block ?? -1}, ${txIndex ?? -1}, ${logIndex ?? -1}, $1)`

/// Hour by hour, each in chain order.
export async function* scan(
  reading: Reading,
  from: EpochMs,
  to: EpochMs,
): AsyncGenerator<readonly ArchivedSwap[]> {
  const { dialect } = reading
  for (const begins of await reading.partitions('trades', from, to)) {
    const rows = reading.stream(
      `SELECT ${swapColumns(dialect)} FROM ${partitionName('trades', begins)} ${WITH_NAMES}
       WHERE "time" >= ${dialect.at(from)} AND "time" < ${dialect.at(to)} ORDER BY ${orderBy('ASC')}`,
    )
    for await (const chunk of rows) yield chunk.map(row => archivedSwapOf(dialect, row))
  }
}

export function archivedSwapOf({ restored }: Dialect, row: Row): ArchivedSwap {
  const number = (at: number) => (row[at] === null ? null : Number(row[at]))
  const text = (at: number) => (row[at] === null ? null : restored(String(row[at])))
  return {
    id: restored(String(row[0])),
    time: epochMs(Number(row[1])),
    who: restored(String(row[2])),
    token: restored(String(row[3])),
    side: row[4] === true ? 'buy' : 'sell',
    amount: plainDecimal(String(row[5])),
    usd: microUsd(Number(microUsdOf(String(row[6])))),
    price: number(7),
    block: number(8),
    txIndex: number(9),
    logIndex: number(10),
    tx: text(11),
    chain: text(12),
    partition: Number(row[13]),
    offset: offset(Number(row[14])),
    logTime: epochMs(Number(row[15])),
  }
}

/// Without trailing zeros: `1.500000` is `1.5`, `2.000` is `2`.
function plainDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
