import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cells, THREE_WINDOWS, tokenStats } from '../../../test/delivery/token-stats.js'
import { placeWindows } from '../wire/metrics.js'
import { parseFilter } from './filter.js'

const WINDOWS = placeWindows(THREE_WINDOWS)

const one = (cells: Cells, price?: number) => tokenStats('X', 1, [{}, cells, cells], price)

function matches(text: string, cells: Cells, price?: number): boolean {
  const filter = parseFilter(text, WINDOWS)
  assert.ok('matches' in filter, `${text}: ${JSON.stringify(filter)}`)
  return filter.matches(one(cells, price))
}

function fault(text: string): string {
  const filter = parseFilter(text, WINDOWS)
  assert.ok('fault' in filter, text)
  return filter.fault
}

test('each operator compares exactly', () => {
  const volume = { BUY_USD: 1_500_000 }
  for (const [text, expected] of [
    ['volume.m5>=1.5', true],
    ['volume.m5>1.5', false],
    ['volume.m5<=1.5', true],
    ['volume.m5<1.5', false],
    ['volume.m5=1.5', true],
    ['volume.m5!=1.5', false],
    ['volume.m5>1.499999', true],
    ['volume.5m = 001.50', true],
  ] as const) {
    assert.equal(matches(text, volume), expected, text)
  }
  // As binary64 of micro-dollars these would be equal.
  const large = { BUY_USD: 740_993, BUY_USD_HIGH: 9_007_199_254 * 1000 }
  assert.equal(matches('volume.h24>9007199254000000000.740992', large), true)
  assert.equal(matches('volume.h24>9007199254000000000.740993', large), false)
  assert.equal(matches('amount.h24=0.000000000000000001', { AMOUNT_0: 1 }), true)
})

test('negative values are compared as such', () => {
  const net = { BUY_USD: 1, SELL_USD: 2_000_001 }
  assert.equal(matches('netVolume.h24=-2', net), true)
  assert.equal(matches('netVolume.h24<-1.999999', net), true)
  assert.equal(matches('netVolume.h24>-2', net), false)
  assert.equal(matches('priceChange.h24<-10', { OPEN: 2, CLOSE: 1 }), true)
})

test('and binds closer than or; parentheses are kept where they matter', () => {
  const text = 'txns.h24.buys=1 or txns.h24.sells=1 and txns.h24.traders=5'
  assert.equal(matches(text, { BUYS: 1 }), true)
  assert.equal(matches(text, { SELLS: 1 }), false)
  assert.equal(matches(`(txns.h24.buys=1 or txns.h24.sells=1)and(txns.h24.traders=5)`, { BUYS: 1 }), false)
  const canonical = (source: string) => {
    const filter = parseFilter(source, WINDOWS)
    return 'text' in filter ? filter.text : filter.fault
  }
  assert.equal(
    canonical('  ( volume.24h>=010.50 or(priceUsd<2))  and open.5m>1.0 '),
    '(volume.h24>=10.5 or priceUsd<2) and open.m5>1',
  )
  assert.equal(canonical('((volume.h24>1))'), 'volume.h24>1')
  // The canonical text means the same, and is its own canonical text.
  const once = canonical(text)
  assert.equal(canonical(once), once)
})

test('a comparison with an unknown value is false, also when it is negated', () => {
  for (const operator of ['=', '!=', '<', '>', '<=', '>=']) {
    assert.equal(matches(`priceUsd${operator}1`, {}), false, operator)
  }
  assert.equal(matches('priceUsd!=1', {}, 2), true)
})

test('what is wrong is named with its place', () => {
  assert.match(fault(''), /^at character 1: wanted a statistic/)
  assert.match(fault('volume.h2>1'), /^at character 1: a statistic is one of/)
  assert.match(fault('volume.h24'), /^at character 11: wanted one of >=/)
  assert.match(fault('volume.h24>'), /^at character 12: wanted a decimal/)
  assert.match(fault('volume.h24>1e5'), /^at character 13: wanted “and”/)
  assert.match(fault('volume.h24>0.0000001'), /^at character 12: wanted a decimal/)
  assert.match(fault('volume.h24>1 && priceUsd>1'), /^at character 14/)
  assert.match(fault('volume.h24>1 or'), /wanted a statistic/)
  assert.match(fault('(volume.h24>1'), /wanted “\)”/)
  assert.match(fault('volume.h24>1)'), /wanted “and”/)
  assert.match(fault('volume.h24>1 android.h24>1'), /wanted “and”/)
  assert.match(fault('__proto__>1'), /^at character 1/)
  assert.match(fault('constructor.h24>1'), /a statistic is/)
})

test('what a client could make grow has a bound', () => {
  assert.match(fault(`${'('.repeat(500)}volume.h24>1${')'.repeat(500)}`), /at most 8 levels/)
  assert.match(fault(Array.from({ length: 17 }, () => 'priceUsd>1').join(' or ')), /at most 16 comparisons/)
  assert.match(fault(' '.repeat(1025)), /at most 1024 characters/)
})

test('names are found by a part of them, in upper or lower case', () => {
  const named = (text: string, token: string): boolean => {
    const filter = parseFilter(text, WINDOWS)
    assert.ok('matches' in filter, `${text}: ${JSON.stringify(filter)}`)
    return filter.matches(tokenStats(token, 1, [{}, {}, {}]))
  }
  assert.equal(named('token~"pe"', 'PEPE'), true)
  assert.equal(named('token ~ "EP"', 'pepe'), true)
  assert.equal(named('token~"pe"', 'BTC'), false)
  assert.equal(named('token~"🚀 and ("', 'x🚀 AND ('), true)
  assert.equal(named('token~"\\"\\\\"', 'a"\\b'), true)
  assert.equal(named('token~"." or token~"x"', 'BTC'), false, 'no pattern')
  const canonical = parseFilter('token ~ "A\\"B"and volume.5m>01', WINDOWS)
  assert.equal('text' in canonical && canonical.text, 'token~"a\\"b" and volume.m5>1')
})

test('a faulty comparison of names is said where it is', () => {
  assert.equal(fault('token>=5'), 'at character 6: wanted “~”')
  assert.equal(fault('token~pe'), 'at character 7: wanted a text in quotes, such as "pe"')
  assert.equal(fault('token~"pe'), 'at character 10: wanted “"” at the end of the text')
  assert.equal(fault('token~""'), 'compares names with 1 to 128 characters')
  assert.equal(fault(`token~"${'x'.repeat(129)}"`), 'compares names with 1 to 128 characters')
  assert.match(fault('volume.m5~"x"'), /wanted one of/)
})
