/// Examples in the documents: real answers of a server with the windows 5m, 1h and 24h. A test validates each by its
/// schema.

import type { FullStatistics, Totals } from '../wire/token-statistics.js'

export const STATISTICS: FullStatistics = {
  token: 'BTC',
  priceUsd: '116640',
  asOf: 1795478010000,
  version: '0:3:1795478010',
  firstSeen: 1795476810361,
  lastSeen: 1795478009961,
  volume: { m5: '15726.9', h1: '73847.15', h24: '73847.15' },
  buyVolume: { m5: '1166.4', h1: '59286.65', h24: '59286.65' },
  sellVolume: { m5: '14560.5', h1: '14560.5', h24: '14560.5' },
  amount: { m5: '0.135', h1: '0.635', h24: '0.635' },
  txns: {
    m5: { buys: 1, sells: 1, total: 2, buyers: 1, sellers: 1, traders: 2 },
    h1: { buys: 2, sells: 1, total: 3, buyers: 1, sellers: 1, traders: 2 },
    h24: { buys: 2, sells: 1, total: 3, buyers: 1, sellers: 1, traders: 2 },
  },
  priceChange: { m5: 0.133924, h1: 0.343684, h24: 0.343684 },
  open: { m5: '116484', h1: '116240.5', h24: '116240.5' },
  high: { m5: '116640', h1: '116640', h24: '116640' },
  low: { m5: '116484', h1: '116240.5', h24: '116240.5' },
  close: { m5: '116640', h1: '116640', h24: '116640' },
  vwap: { m5: '116495.55555555555', h1: '116294.72440944881', h24: '116294.72440944881' },
  largestTrade: { m5: '14560.5', h1: '58120.25', h24: '58120.25' },
}

/// As `?window=1h&fields=volume,netVolume` selects.
export const SELECTED = {
  token: 'BTC',
  asOf: 1795478010000,
  version: '0:3:1795478010',
  volume: { h1: '73847.15' },
  netVolume: { h1: '44726.15' },
}

export const TOTALS: Totals = {
  asOf: 1795478010000,
  tokens: 1,
  active: { m5: 1, h1: 1, h24: 1 },
  volume: { m5: '15726.9', h1: '73847.15', h24: '73847.15' },
  buyVolume: { m5: '1166.4', h1: '59286.65', h24: '59286.65' },
  sellVolume: { m5: '14560.5', h1: '14560.5', h24: '14560.5' },
  netVolume: { m5: '-13394.1', h1: '44726.15', h24: '44726.15' },
  averageTrade: { m5: '7863.45', h1: '24615.716667', h24: '24615.716667' },
  txns: {
    m5: { buys: 1, sells: 1, total: 2 },
    h1: { buys: 2, sells: 1, total: 3 },
    h24: { buys: 2, sells: 1, total: 3 },
  },
}

export const STATUS = {
  version: '0.1.0',
  instance: 'volumer-1:4711',
  startedAt: 1795476800000,
  now: 1795478010380,
  ready: true,
  reason: null,
  percent: null,
  tokens: 1,
  fates: { accepted: 3, duplicate: 0, late: 0, early: 0, invalid: 0, conflict: 0 },
  rates: { appendedPerSecond: 0.2, rolledPerSecond: 0.2, updatesPerSecond: 1.1 },
  partitions: [
    {
      partition: 0,
      replica: 'a',
      owner: 'volumer-1:4711',
      address: 'http://127.0.0.1:4242',
      state: 'live',
      first: 0,
      end: 3,
      rolled: 3,
      checkpointed: 3,
      lag: 0,
      logTime: 1795478009970,
      viewTime: 1795478010000,
      gaps: [],
    },
  ],
  delay: { samples: 3, p50Ms: 1, p90Ms: 1, p99Ms: 1, maxMs: 1 },
  clients: {
    webSockets: 1,
    eventStreams: 0,
    subscriptions: 2,
    messagesSent: 14,
    updatesConflated: 0,
    slowReadersClosed: 0,
    unsentBytes: 0,
    bodyBytesInFlight: 0,
  },
  archive: { archived: 3, lag: 0, stored: 3, duplicates: 0, expired: 0, lost: 0, problem: null },
  storage: {
    tradeLogBytes: 4096,
    stateBytes: 8192,
    deadLetterBytes: 0,
    deadLettersStored: 0,
    deadLettersDropped: 0,
  },
  memory: { rssBytes: 95420416, heapUsedBytes: 21504000 },
}

export const SWAP = {
  id: '0x5ce1:3',
  time: 1795476810361,
  who: '0xa11ce',
  token: 'BTC',
  side: 'buy',
  amount: '0.5',
  usd: '58120.25',
}

export const CANDLES = {
  token: 'BTC',
  interval: '5m',
  from: 1795517700000,
  to: 1795518300000,
  fill: 'none',
  candles: [
    {
      time: 1795518000000,
      open: '83967.47760019859',
      high: '84003.73322797513',
      low: '83931.4177593466',
      close: '83937.55357240894',
      volume: '1546661.741239',
      buyVolume: '842985.170717',
      sellVolume: '703676.570522',
      buys: 1305,
      sells: 1230,
      traders: 2429,
    },
  ],
}

export const LONG_WINDOWS = {
  token: 'BTC',
  asOf: 1795518140918,
  swapsFrom: 1794873600000,
  exactTo: '1m',
  from: { d7: 1794913380000 },
  to: { d7: 1795518180000 },
  complete: { d7: true },
  volume: { d7: '1584329.676174' },
  buyVolume: { d7: '880653.105652' },
  sellVolume: { d7: '703676.570522' },
  txns: { d7: { buys: 1306, sells: 1230, total: 2536, buyers: null, sellers: null, traders: null } },
  priceChange: { d7: -0.044989 },
  open: { d7: '83975.33357064394' },
  high: { d7: '84003.73322797513' },
  low: { d7: '83931.4177593466' },
  close: { d7: '83937.55357240894' },
}

export const TRADE = {
  id: '0x5ce1:3',
  time: 1795518140918,
  who: '0xa11ce',
  token: 'BTC',
  side: 'buy',
  amount: '0.5',
  usd: '58120.25',
  price: '116240.5',
  block: 68759070,
  txIndex: 1148,
  logIndex: 3,
  tx: null,
  chain: null,
  partition: 0,
  offset: 81207,
  logTime: 1795518140934,
}
