/// Examples of what is computed on demand. A test validates each by its schema.

import type { TokenAnswer, TokenFates, TopTraders, TradeList } from '../wire/token-answer.js'

const head = { token: 'BTC', asOf: 1795478010000, version: '0:3:1795478010' }

/// As `?window=7m&fields=volume,txns,medianTrade&compare=previous`.
export const COMPARED: TokenAnswer = {
  ...head,
  volume: { m7: '15726.9' },
  txns: { m7: { buys: 1, sells: 1, total: 2, buyers: 1, sellers: 1, traders: 2 } },
  medianTrade: { m7: '7863.45' },
  previous: {
    volume: { m7: '58120.25' },
    txns: { m7: { buys: 1, sells: 0, total: 1, buyers: 1, sellers: 0, traders: 1 } },
    medianTrade: { m7: '58120.25' },
  },
  change: {
    volume: { m7: -72.94075 },
    txns: { m7: { buys: 0, sells: null, total: 100, buyers: 0, sellers: null, traders: 100 } },
    medianTrade: { m7: -86.470378 },
  },
}

export const TOP_TRADERS: TopTraders = {
  ...head,
  window: 'h24',
  traders: [
    {
      who: '0xa11ce',
      volume: '59286.65',
      buyVolume: '59286.65',
      sellVolume: '0',
      netVolume: '59286.65',
      buys: 2,
      sells: 0,
      lastSeen: 1795478009961,
    },
    {
      who: '0xb0b',
      volume: '14560.5',
      buyVolume: '0',
      sellVolume: '14560.5',
      netVolume: '-14560.5',
      buys: 0,
      sells: 1,
      lastSeen: 1795477950210,
    },
  ],
}

export const TOKEN_FATES: TokenFates = {
  ...head,
  since: 1795463531690,
  fates: { accepted: 3, duplicate: 1, late: 0, early: 0, conflict: 0 },
}

const place = { block: null, txIndex: null, logIndex: null }

export const LARGEST_TRADES: TradeList = {
  ...head,
  window: 'h24',
  trades: [
    {
      time: 1795476810361,
      who: '0xa11ce',
      side: 'buy',
      amount: '0.5',
      usd: '58120.25',
      price: '116240.5',
      ...place,
    },
  ],
}

export const RECENT_TRADES: TradeList = {
  ...head,
  window: 'm5',
  trades: [
    {
      time: 1795478009961,
      who: '0xa11ce',
      side: 'buy',
      amount: '0.01',
      usd: '1166.4',
      price: '116640',
      ...place,
    },
  ],
}
