/// The schema of a token's statistics. Each value is defined in docs/statistics.md.

import Type from 'typebox'
import { closed, count, decimal, epochMs, nullable, perWindow, TokenName, type Wire } from './schema.js'

const unknownable = (description: string) => nullable(decimal(description), description)

export const Txns = closed(
  {
    buys: count('Number of buys.'),
    sells: count('Number of sells.'),
    total: count('buys + sells.'),
    buyers: count('Distinct traders with a buy, exact.'),
    sellers: count('Distinct traders with a sell, exact.'),
    traders: count('Distinct traders with either, exact.'),
  },
  'Swaps and traders of a window.',
)

export const always = {
  token: TokenName,
  asOf: epochMs('The second at which the windows end, epoch ms.'),
  version: Type.String({
    pattern: '^\\d+:\\d+:\\d+$',
    description:
      'partition:offset:second. Of two versions of a token the higher (offset, second) is the newer.',
    examples: ['0:3:1795478010'],
  }),
}

const chosen = {
  priceUsd: unknownable('Price of the last swap of known price in chain order, USD per token.'),
  firstSeen: epochMs('Least event time within the retention, epoch ms.'),
  lastSeen: epochMs('Greatest event time within the retention, epoch ms.'),
  volume: perWindow(decimal('USD.'), 'USD of buys and sells, exact.'),
  buyVolume: perWindow(decimal('USD.'), 'USD of buys, exact.'),
  sellVolume: perWindow(decimal('USD.'), 'USD of sells, exact.'),
  amount: perWindow(decimal('Tokens.'), 'Tokens traded, exact.'),
  txns: perWindow(Txns, 'Swaps and traders.'),
  priceChange: perWindow(nullable(Type.Number()), 'From open to close, percent.'),
  open: perWindow(unknownable('USD per token.'), 'First price in chain order.'),
  high: perWindow(unknownable('USD per token.'), 'Greatest price.'),
  low: perWindow(unknownable('USD per token.'), 'Least price.'),
  close: perWindow(unknownable('USD per token.'), 'Last price in chain order.'),
  vwap: perWindow(unknownable('USD per token.'), 'volume ÷ amount.'),
  largestTrade: perWindow(unknownable('USD.'), 'Greatest USD of one swap.'),
}

const derived = {
  netVolume: perWindow(decimal('USD, may be negative.'), 'buyVolume − sellVolume, exact.'),
  netBuyers: perWindow(Type.Integer(), 'buyers − sellers.'),
  averageTrade: perWindow(unknownable('USD.'), 'volume ÷ txns.total, rounded half-even to micro-dollars.'),
  trending: perWindow(
    nullable(Type.Number({ minimum: 0 })),
    'traders × log10(1 + volume) × min(10, (volume ÷ length) ÷ (the same of the longest window)). null only as of an ' +
      'instant whose longest window the retention does not cover.',
  ),
}

/// What comes when no fields are chosen.
export const FullStatistics = closed({ ...always, ...chosen }, 'The statistics of a token.')
export type FullStatistics = Wire<typeof FullStatistics>

/// What may come when fields are chosen, or when only changed values are sent.
export const TokenStatistics = closed(
  { ...always, ...Type.Partial(Type.Object({ ...chosen, ...derived })).properties },
  'The statistics of a token: the chosen fields, or only those that have changed. `token`, `asOf` and `version` ' +
    'are always there; without a choice of fields so are all others except netVolume, netBuyers, averageTrade and trending.',
)
export type TokenStatistics = Wire<typeof TokenStatistics>

/// Totals over all tokens of the server.
export const Totals = closed(
  {
    asOf: nullable(
      epochMs('The newest asOf of a token.'),
      'The newest asOf of a token, epoch ms; null without tokens.',
    ),
    tokens: count('Tokens with a swap within the retention.'),
    active: perWindow(count('Tokens.'), 'Tokens with a swap in the window.'),
    volume: perWindow(decimal('USD.'), 'USD of buys and sells, exact.'),
    buyVolume: perWindow(decimal('USD.'), 'USD of buys, exact.'),
    sellVolume: perWindow(decimal('USD.'), 'USD of sells, exact.'),
    netVolume: perWindow(decimal('USD, may be negative.'), 'buyVolume − sellVolume, exact.'),
    averageTrade: perWindow(unknownable('USD.'), 'volume ÷ txns.total, rounded half-even to micro-dollars.'),
    txns: perWindow(
      closed({
        buys: count('Number of buys.'),
        sells: count('Number of sells.'),
        total: count('buys + sells.'),
      }),
      'Swaps.',
    ),
  },
  'Sums over all tokens. Traders are not in them: one who trades two tokens would count twice.',
)
export type Totals = Wire<typeof Totals>
