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
import { epochMs as epochMsOf, microUsd } from '../../core/units.js'
import type { ArchivedSwap, TradePlace } from '../../ports/trade-archive.js'
import { closed, count, decimal, epochMs, nullable, oneOf, TokenName, type Wire } from './schema.js'

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
  },
  'A swap in the shape in which it is sent; what was not given is null.',
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

export function tradeJson(swap: ArchivedSwap): TradeJson {
  const { id, time, who, token, side, amount, usd, price, block, txIndex, logIndex, tx, chain } = swap
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
