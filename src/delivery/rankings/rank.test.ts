import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rank } from '../../../test/delivery/rank.js'
import { type Cells, THREE_WINDOWS, tokenStats } from '../../../test/delivery/token-stats.js'
import type { TokenStats } from '../../core/stats.js'
import { placeWindows } from '../wire/metrics.js'
import { type Order, parseSort } from './sort.js'

const WINDOWS = placeWindows(THREE_WINDOWS)

const one = (token: string, cells: Cells, price?: number) => tokenStats(token, 1, [{}, {}, cells], price)

function ranked(tokens: readonly TokenStats[], sort: string, order: Order, limit = 500): string[] {
  const key = parseSort(sort, WINDOWS)
  assert.ok('keyOf' in key, sort)
  const rule = { sort: key, order, filter: null }
  return rank(tokens, rule, limit).entries.map(({ stats }) => stats.token)
}

test('volumes that binary64 cannot tell apart are told apart', () => {
  // 9007199254.740993 and 9007199254.740992 million USD: equal as doubles of micro-dollars.
  const more = one('more', { BUY_USD: 740_993, BUY_USD_HIGH: 9_007_199_254 * 1000 })
  const less = one('less', { SELL_USD: 740_992, SELL_USD_HIGH: 9_007_199_254 * 1000 })
  assert.deepEqual(ranked([less, more], 'volume.h24', 'desc'), ['more', 'less'])
  assert.deepEqual(ranked([more, less], 'volume.24h', 'asc'), ['less', 'more'])
})

test('limbs that are not normalised compare by what they stand for', () => {
  const a = one('a', { BUY_USD: 5e12 + 1, AMOUNT_0: -1, AMOUNT_1: 1 })
  const b = one('b', { BUY_USD: -1e12, BUY_USD_HIGH: 6, AMOUNT_0: 999_999_998 })
  assert.deepEqual(ranked([a, b], 'buyVolume.h24', 'desc'), ['a', 'b'])
  assert.deepEqual(ranked([b, a], 'amount.h24', 'desc'), ['a', 'b'])
})

test('unknown values come last in both orders, equal ones by name', () => {
  const tokens = [one('z', {}), one('b', {}, 1), one('a', {}, 1), one('c', {}, 2), one('y', {})]
  assert.deepEqual(ranked(tokens, 'priceUsd', 'desc'), ['c', 'a', 'b', 'y', 'z'])
  assert.deepEqual(ranked(tokens, 'priceUsd', 'asc'), ['a', 'b', 'c', 'y', 'z'])
  assert.deepEqual(ranked(tokens, 'priceUsd', 'asc', 2), ['a', 'b'])
})

test('the heap keeps what a full sort would', () => {
  const tokens = Array.from({ length: 1000 }, (_, i) =>
    one(`t${i}`, { BUYS: (i * 7919) % 331, SELLS: i % 3 }),
  )
  for (const order of ['asc', 'desc'] as const) {
    for (const limit of [1, 2, 7, 50, 999, 1000]) {
      const all = ranked(tokens, 'txns.h24.total', order, 1000)
      assert.deepEqual(ranked(tokens, 'txns.h24.total', order, limit), all.slice(0, limit))
      assert.equal(new Set(all).size, 1000)
    }
  }
})

test('every numeric statistic sorts, by its path in the answer', () => {
  const low: Cells = {
    BUY_USD: 1e6,
    SELL_USD: 1e6,
    AMOUNT_2: 1,
    BUYS: 1,
    SELLS: 1,
    BUYERS: 1,
    SELLERS: 1,
    TRADERS: 1,
    OPEN: 4,
    HIGH: 4,
    LOW: 4,
    CLOSE: 4,
    LARGEST_USD: 1e6,
  }
  const high: Cells = {
    BUY_USD: 9e6,
    SELL_USD: 9e6,
    AMOUNT_2: 2,
    BUYS: 2,
    SELLS: 2,
    BUYERS: 2,
    SELLERS: 2,
    TRADERS: 2,
    OPEN: 5,
    HIGH: 9,
    LOW: 5,
    CLOSE: 9,
    LARGEST_USD: 2e6,
  }
  const tokens = [one('low', low), one('high', high)]
  const names = 'volume buyVolume sellVolume amount priceChange open high low close vwap largestTrade'.split(
    ' ',
  )
  const counts = 'buys sells total buyers sellers traders'.split(' ').map(name => `txns.5m.${name}`)
  for (const sort of [
    ...names.map(name => `${name}.h24`),
    ...counts.map(name => name.replace('5m', 'h24')),
  ]) {
    assert.deepEqual(ranked(tokens, sort, 'desc'), ['high', 'low'], sort)
    assert.deepEqual(ranked(tokens, sort, 'asc'), ['low', 'high'], sort)
  }
})

test('what is no statistic is refused with what would be one', () => {
  for (const sort of [
    '',
    'volume',
    'volume.h2',
    'nope.h24',
    'txns.h24',
    'txns.h24.nope',
    '__proto__',
    'volume.h24.x',
  ]) {
    const key = parseSort(sort, WINDOWS)
    assert.ok('wanted' in key, sort)
    assert.match(key.wanted, /volume\.WINDOW.*txns\.WINDOW\.buys.*m1, m5, h24/)
  }
  assert.equal((parseSort('txns.24h.buys', WINDOWS) as { name?: string }).name, 'txns.h24.buys')
})

test('names sort by their code units, in both orders, whatever their length', () => {
  const names = ['', 'A', 'AB', 'ABC', 'ABCD', 'ABCDEFG', 'Z', 'a', 'é', '🚀', '\u0000', 'AB\u0000']
  const ascending = [...names].filter(name => name !== '').sort()
  const tokens = ascending.toReversed().map(name => one(name, {}))
  assert.deepEqual(ranked(tokens, 'token', 'asc'), ascending)
  const plain = tokens.filter(({ token }) => !token.includes('\u0000'))
  assert.deepEqual(
    ranked(plain, 'token', 'desc'),
    ascending.filter(name => !name.includes('\u0000')).toReversed(),
  )
  assert.deepEqual(ranked(plain, 'token', 'desc', 2), ['🚀', 'é'])
})
