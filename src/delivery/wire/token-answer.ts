/// What is answered on demand: statistics of any window as of any instant, with the window before; the largest and the
/// newest swaps, the traders with the most volume.

import Type from 'typebox'
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
import { conflict, fates } from './status.js'
import { always, TokenStatistics, Txns } from './token-statistics.js'

const before = (description: string) =>
  perWindow(nullable(decimal(description)), `${description} null where it is unknown.`)
const percent = nullable(
  Type.Number({ description: 'Percent.' }),
  'Percent; null where either value is unknown or the one before is 0.',
)
const changed = perWindow(percent, 'Percent by which it has changed.')

export const PreviousStatistics = closed(
  {
    ...Type.Partial(
      Type.Object({
        volume: before('USD.'),
        buyVolume: before('USD.'),
        sellVolume: before('USD.'),
        amount: before('Tokens.'),
        txns: perWindow(nullable(Txns), 'Swaps and traders.'),
        priceChange: perWindow(nullable(Type.Number()), 'From open to close, percent.'),
        open: before('USD per token.'),
        high: before('USD per token.'),
        low: before('USD per token.'),
        close: before('USD per token.'),
        vwap: before('USD per token.'),
        largestTrade: before('USD.'),
        netVolume: before('USD, may be negative.'),
        netBuyers: perWindow(nullable(Type.Integer()), 'buyers − sellers.'),
        averageTrade: before('USD.'),
        medianTrade: before('USD.'),
      }),
    ).properties,
  },
  'The same statistics, but trending, of the window before each: T − 2W < time ≤ T − W; null where the retention does ' +
    'not cover that.',
)

const txnsChange = closed({
  buys: percent,
  sells: percent,
  total: percent,
  buyers: percent,
  sellers: percent,
  traders: percent,
})

export const StatisticsChange = closed(
  {
    ...Type.Partial(
      Type.Object({
        volume: changed,
        buyVolume: changed,
        sellVolume: changed,
        amount: changed,
        txns: perWindow(nullable(txnsChange), 'null where the retention does not cover the window before.'),
        priceChange: changed,
        open: changed,
        high: changed,
        low: changed,
        close: changed,
        vwap: changed,
        largestTrade: changed,
        netVolume: changed,
        netBuyers: changed,
        averageTrade: changed,
        medianTrade: changed,
      }),
    ).properties,
  },
  'By how much each statistic differs from `previous`: (now − before) ÷ |before| × 100, rounded to six decimals.',
)

export const TokenAnswer = closed(
  {
    ...TokenStatistics.properties,
    medianTrade: Type.Optional(
      perWindow(
        nullable(decimal('USD.')),
        'Middle of the sizes of swaps, or the mean of both in the middle, rounded half-even to micro-dollars; null without swaps.',
      ),
    ),
    previous: Type.Optional(PreviousStatistics),
    change: Type.Optional(StatisticsChange),
  },
  'The statistics of a token, with the chosen fields and windows; `previous` and `change` come with `compare=previous`.',
)
export type TokenAnswer = Wire<typeof TokenAnswer>

const price = nullable(decimal('USD per token.'), 'null where it is unknown.')
const place = (description: string) => nullable(count(description), 'null where it was not given.')

export const SliceTrade = closed(
  {
    time: epochMs('Event time.'),
    who: Type.String({ description: 'The trader.' }),
    side: oneOf(['buy', 'sell']),
    amount: decimal('Tokens, exact.'),
    usd: decimal('USD, exact.'),
    price,
    block: place('Place in the chain.'),
    txIndex: place('Place in the block.'),
    logIndex: place('Place in the transaction.'),
  },
  'A swap as the windows hold it: without its id, of which only a fingerprint is kept.',
)
export type SliceTrade = Wire<typeof SliceTrade>

const { token: _, ...versioned } = always
const head = { token: TokenName, ...versioned, window: Type.String({ description: 'Its name.' }) }

export const TokenFates = closed(
  {
    token: TokenName,
    ...versioned,
    since: epochMs(
      'When counting began, by the time at which swaps are appended to the log: with the first accepted swap of the token that had none within the retention.',
    ),
    fates: closed({ ...fates, conflict }),
  },
  'What became of the swaps that name the token. Invalid ones are not among them: what they say is not believed.',
)
export type TokenFates = Wire<typeof TokenFates>

export const TradeList = closed({ ...head, trades: Type.Array(SliceTrade) })
export type TradeList = Wire<typeof TradeList>

export const TopTrader = closed(
  {
    who: Type.String({ description: 'The trader.' }),
    volume: decimal('USD of buys and sells, exact.'),
    buyVolume: decimal('USD of buys, exact.'),
    sellVolume: decimal('USD of sells, exact.'),
    netVolume: decimal('buyVolume − sellVolume, exact, may be negative.'),
    buys: count('Number of buys.'),
    sells: count('Number of sells.'),
    lastSeen: epochMs('Event time of the last swap in the window.'),
  },
  'What one trader did with the token in the window.',
)
export type TopTrader = Wire<typeof TopTrader>

export const TopTraders = closed({
  ...head,
  traders: Type.Array(TopTrader, {
    description: 'Greatest volume first; those of equal volume by the bytes of their names.',
  }),
})
export type TopTraders = Wire<typeof TopTraders>
