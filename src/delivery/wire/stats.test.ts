import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cells, THREE_WINDOWS, tokenStats } from '../../../test/delivery/token-stats.js'
import { placeWindows, priceChangeOf } from './metrics.js'
import { encodePredecessorStats } from './predecessor.js'
import { encodeStats } from './stats.js'

const FULL: Cells = {
  BUY_USD: 1_500_000,
  BUY_USD_HIGH: 9_007_199_254,
  SELL_USD: 740_992_000_001,
  SELL_USD_HIGH: 1,
  AMOUNT_0: 1,
  AMOUNT_1: 500_000_000,
  AMOUNT_2: 2,
  BUYS: 3,
  SELLS: 1,
  BUYERS: 2,
  SELLERS: 1,
  TRADERS: 3,
  OPEN: 2,
  HIGH: 2.5,
  LOW: 1e-7,
  CLOSE: 2.1,
  LARGEST_USD: 9_000_000_000_000_000,
}

test('statistics are encoded in full, in a fixed order of keys', () => {
  const text = encodeStats(tokenStats('B"T\nC', 7, [{}, FULL, FULL], 2.1), placeWindows(THREE_WINDOWS))
  const txns = { buys: 3, sells: 1, total: 4, buyers: 2, sellers: 1, traders: 3 }
  const none = { buys: 0, sells: 0, total: 0, buyers: 0, sellers: 0, traders: 0 }
  const both = (empty: unknown, full: unknown) => ({ m1: empty, m5: full, h24: full })
  assert.equal(
    text,
    JSON.stringify({
      token: 'B"T\nC',
      priceUsd: '2.1',
      asOf: 1_790_000_000_000,
      version: '0:7:1790000000',
      firstSeen: 1_789_999_000_000,
      lastSeen: 1_789_999_999_500,
      volume: both('0', '9007199255740993.500001'),
      buyVolume: both('0', '9007199254000001.5'),
      sellVolume: both('0', '1740992.000001'),
      amount: both('0', '2.500000000000000001'),
      txns: both(none, txns),
      priceChange: both(null, 5),
      open: both(null, '2'),
      high: both(null, '2.5'),
      low: both(null, '0.0000001'),
      close: both(null, '2.1'),
      vwap: both(null, '3602879702296397.5'),
      largestTrade: both(null, '9000000000'),
    }),
  )
})

test('a price that is unknown is null, and no window is missing', () => {
  const stats = JSON.parse(encodeStats(tokenStats('X', 1, [{}, {}, {}]), placeWindows(THREE_WINDOWS)))
  assert.equal(stats.priceUsd, null)
  for (const key of ['volume', 'priceChange', 'open', 'vwap', 'largestTrade', 'txns']) {
    assert.deepEqual(Object.keys(stats[key]), ['m1', 'm5', 'h24'], key)
  }
})

test('price change is a percentage to six decimals', () => {
  assert.equal(priceChangeOf(1, 1.05), 5)
  assert.equal(priceChangeOf(3, 4), 33.333333)
  assert.equal(priceChangeOf(3, 2), -33.333333)
  assert.ok(Number.isNaN(priceChangeOf(Number.NaN, 1)))
  const still = encodeStats(
    tokenStats('X', 1, [{ OPEN: 2, CLOSE: 2 - 1e-15, HIGH: 2, LOW: 1 }]),
    placeWindows(THREE_WINDOWS.slice(0, 1)),
  )
  assert.match(still, /"priceChange":\{"m1":0\}/, 'a change that rounds to nothing is 0, not -0')
})

test('the predecessor got window → volume, with its own window labels', () => {
  const text = encodePredecessorStats(
    tokenStats('X', 1, [{}, FULL, { BUY_USD: 1_000_000 }]),
    placeWindows(THREE_WINDOWS),
  )
  assert.equal(text, '{\n  "1m": "0",\n  "5m": "9007199255740993.500001",\n  "24h": "1"\n}\n')
})
