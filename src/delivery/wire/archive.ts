/// What the archive answers, as JSON: candles and trades. docs/wire.md shows them.

import Type from 'typebox'
import {
  CANDLE_INTERVAL_NAMES,
  type Candle as CoreCandle,
  FILLS,
  formatMicroUsd,
} from '../../core/candles.js'
import { formatPrice, formatUsd } from '../../core/decimal.js'
import { MAX_TIME_MS } from '../../core/decode/row-writer.js'
import { epochMs as epochMsOf, microUsd, offset as offsetOf } from '../../core/units.js'
import { windowName } from '../../core/windows.js'
import type {
  ArchivedSwap,
  LongWindows as ArchivedWindows,
  TradePlace,
  WindowSums,
} from '../../ports/trade-archive.js'
import { priceChangeOf } from './metrics.js'
import {
  closed,
  count,
  decimal,
  epochMs,
  nullable,
  oneOf,
  perWindow,
  TokenName,
  type Wire,
} from './schema.js'

const price = nullable(decimal('USD per token.'), 'null where no price is known.')
const optional = (description: string) => nullable(count(description), 'null where it was not given.')

export const Candle = closed(
  {
    time: epochMs('When it begins.'),
    open: price,
    high: price,
    low: price,
    close: price,
    volume: decimal('USD, exact.'),
    buyVolume: decimal('USD of the buys, exact.'),
    sellVolume: decimal('USD of the sells, exact.'),
    buys: count('Number of buys.'),
    sells: count('Number of sells.'),
    traders: count('Distinct traders, exact.'),
  },
  'The swaps of one token in one stretch of event time.',
)
export type CandleJson = Wire<typeof Candle>

export const CandlesAnswer = closed({
  token: TokenName,
  interval: oneOf(CANDLE_INTERVAL_NAMES),
  from: epochMs('Candles begin at or after this time …'),
  to: epochMs('… and before this one.'),
  fill: oneOf(FILLS),
  candles: Type.Array(Candle),
})
export type CandlesAnswer = Wire<typeof CandlesAnswer>

const unknown = (description: string) =>
  Type.Null({ description: `${description} Not known of windows that are made from candles.` })

/// In the shape of a token's statistics, as far as candles tell.
export const LongWindows = closed(
  {
    token: TokenName,
    asOf: nullable(
      epochMs('Everything appended before is in them.'),
      'Everything appended before is in them; null while nothing is archived: then there are no windows either.',
    ),
    swapsFrom: epochMs('Every swap that was accepted with an event time from then on is archived.'),
    exactTo: oneOf(['1m'], 'Windows are whole minutes: up to and including that of `asOf`.'),
    from: perWindow(epochMs('Event time.'), 'Swaps count with an event time from then on …'),
    to: perWindow(epochMs('Event time.'), '… and before then.'),
    complete: perWindow(
      Type.Boolean(),
      'false: the archive began later than the window, or misses something of it.',
    ),
    volume: perWindow(decimal('USD.'), 'USD of buys and sells, exact.'),
    buyVolume: perWindow(decimal('USD.'), 'USD of buys, exact.'),
    sellVolume: perWindow(decimal('USD.'), 'USD of sells, exact.'),
    txns: perWindow(
      closed({
        buys: count('Number of buys, exact.'),
        sells: count('Number of sells, exact.'),
        total: count('buys + sells.'),
        buyers: unknown('Distinct traders with a buy.'),
        sellers: unknown('Distinct traders with a sell.'),
        traders: unknown('Distinct traders with either.'),
      }),
      'Swaps.',
    ),
    priceChange: perWindow(nullable(Type.Number()), 'From open to close, percent.'),
    open: perWindow(price, 'First price in chain order.'),
    high: perWindow(price, 'Greatest price.'),
    low: perWindow(price, 'Least price.'),
    close: perWindow(price, 'Last price in chain order.'),
  },
  'Long windows of a token, exact in volume, counts and prices to the minute.',
)
export type LongWindows = Wire<typeof LongWindows>

export const Trade = closed(
  {
    id: Type.String(),
    time: epochMs('Event time.'),
    who: Type.String({ description: 'The trader.' }),
    token: TokenName,
    side: oneOf(['buy', 'sell']),
    amount: decimal('Tokens, exact.'),
    usd: decimal('USD, exact.'),
    price,
    block: optional('Place in the chain.'),
    txIndex: optional('Place in the block.'),
    logIndex: optional('Place in the transaction.'),
    tx: nullable(Type.String()),
    chain: nullable(Type.String()),
    partition: count('Of the trade log.'),
    offset: count('Where it stands in that partition.'),
    logTime: epochMs('Log time there.'),
  },
  'A swap in the shape in which it is sent, and where it stands in the trade log; what was not given is null.',
)
export type TradeJson = Wire<typeof Trade>

export const TradesPage = closed({
  trades: Type.Array(Trade, { description: 'Newest first.' }),
  cursor: nullable(Type.String(), 'Asks for what comes after this page; null on the last one.'),
})
export type TradesPage = Wire<typeof TradesPage>

const priceText = (value: number | null): string | null => (value === null ? null : formatPrice(value))

export function candleJson(candle: CoreCandle): CandleJson {
  const { time, open, high, low, close, buyUsd, sellUsd, buys, sells, traders } = candle
  return {
    time,
    open: priceText(open),
    high: priceText(high),
    low: priceText(low),
    close: priceText(close),
    volume: formatMicroUsd(buyUsd + sellUsd),
    buyVolume: formatMicroUsd(buyUsd),
    sellVolume: formatMicroUsd(sellUsd),
    buys,
    sells,
    traders,
  }
}

const DAY_MS = 86_400_000

/// `d7` of whole days from two on, else as windows are named: a day is `h24`.
export function longWindowName(lengthMs: number): string {
  return lengthMs % DAY_MS === 0 && lengthMs > DAY_MS ? `d${lengthMs / DAY_MS}` : windowName(lengthMs)
}

export function longWindowsJson(
  token: string,
  lengthsMs: readonly number[],
  { asOf, completeFrom, tradesFrom, candlesFrom, windows }: ArchivedWindows,
): LongWindows {
  const per = <T>(value: (sums: WindowSums) => T): Record<string, T> =>
    Object.fromEntries(windows.map((sums, i) => [longWindowName(lengthsMs[i] ?? 0), value(sums)]))
  return {
    token,
    asOf,
    swapsFrom: Math.max(completeFrom, tradesFrom),
    exactTo: '1m',
    from: per(({ from }) => from),
    to: per(({ to }) => to),
    complete: per(({ from }) => from >= Math.max(completeFrom, candlesFrom)),
    volume: per(({ buyUsd, sellUsd }) => formatMicroUsd(buyUsd + sellUsd)),
    buyVolume: per(({ buyUsd }) => formatMicroUsd(buyUsd)),
    sellVolume: per(({ sellUsd }) => formatMicroUsd(sellUsd)),
    txns: per(({ buys, sells }) => {
      return { buys, sells, total: buys + sells, buyers: null, sellers: null, traders: null }
    }),
    priceChange: per(({ open, close }) => {
      const change = priceChangeOf(open ?? Number.NaN, close ?? Number.NaN)
      return Number.isFinite(change) ? change + 0 : null
    }),
    open: per(({ open }) => priceText(open)),
    high: per(({ high }) => priceText(high)),
    low: per(({ low }) => priceText(low)),
    close: per(({ close }) => priceText(close)),
  }
}

export function tradeJson(swap: ArchivedSwap): TradeJson {
  const { id, time, who, token, side, amount, usd, price, block, txIndex, logIndex, tx, chain } = swap
  const { partition, offset, logTime } = swap
  return {
    id,
    time,
    who,
    token,
    side,
    amount,
    usd: formatUsd(usd, 0),
    price: priceText(price),
    block,
    txIndex,
    logIndex,
    tx,
    chain,
    partition,
    offset,
    logTime,
  }
}

/// The other way round.
export function swapOf(trade: TradeJson): ArchivedSwap {
  const [whole = '', fraction = ''] = trade.usd.split('.')
  return {
    ...trade,
    time: epochMsOf(trade.time),
    usd: microUsd(Number(whole + fraction.padEnd(6, '0'))),
    price: trade.price === null ? null : Number(trade.price),
    offset: offsetOf(trade.offset),
    logTime: epochMsOf(trade.logTime),
  }
}

/// A place as one word that clients hand back without looking inside.
export function cursorOf({ time, block, txIndex, logIndex, id }: TradePlace): string {
  return Buffer.from(JSON.stringify([time, block, txIndex, logIndex, id])).toString('base64url')
}

/// The place that a cursor means; null for what is none.
export function placeOf(cursor: string): TradePlace | null {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return null
  }
  if (!Array.isArray(parts) || parts.length !== 5) return null
  const [time, block, txIndex, logIndex, id]: unknown[] = parts
  const isIndex = (value: unknown): value is number | null =>
    value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
  if (!isIndex(time) || time === null || time > MAX_TIME_MS || typeof id !== 'string') return null
  if (!isIndex(block) || !isIndex(txIndex) || !isIndex(logIndex)) return null
  return { time: epochMsOf(time), block, txIndex, logIndex, id }
}
