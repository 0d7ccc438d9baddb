/// Selections and changes of statistics, against the whole.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStats } from '../../../test/delivery/random-stats.js'
import { THREE_WINDOWS, tokenStats } from '../../../test/delivery/token-stats.js'
import { Random, testSeed } from '../../../test/simulation/random.js'
import { merged } from '../../client/merge.js'
import { ALL_FIELDS, chooseFields, DEFAULT_FIELDS, WINDOW_FIELDS } from './fields.js'
import { averageText, placeWindows, trendingOf } from './metrics.js'
import { encodeChanges, encodeSelection, encodeStats, type Selection } from './stats.js'

const WINDOWS = placeWindows(THREE_WINDOWS)

const WHOLE: Selection = { fields: ALL_FIELDS, windows: WINDOWS }

test('a selection has exactly its fields and windows, with the values of the whole, in its order', t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  for (let i = 0; i < 300; i++) {
    const stats = randomStats(random, 'X', i)
    const whole = JSON.parse(encodeSelection(stats, WHOLE))
    const fields = chooseFields(ALL_FIELDS.filter(() => random.chance(0.4)))
    const windows = WINDOWS.filter(() => random.chance(0.5))
    const expected = Object.fromEntries(
      fields.map(field => {
        const value = whole[field]
        if (typeof value !== 'object' || value === null) return [field, value]
        return [field, Object.fromEntries(windows.map(({ name }) => [name, value[name]]))]
      }),
    )
    assert.equal(encodeSelection(stats, { fields, windows }), JSON.stringify(expected))
    assert.equal(
      encodeStats(stats, WINDOWS),
      encodeSelection(stats, { fields: DEFAULT_FIELDS, windows: WINDOWS }),
    )
  }
})

test('changes merged into what was before give what is after, whatever the selection', t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  let saved = 0
  for (let i = 0; i < 500; i++) {
    const before = randomStats(random, 'X', i)
    const after = { ...randomStats(random, 'X', i + 1) }
    // Most cells stay as they are.
    for (let c = 0; c < after.cells.length; c++) if (random.chance(0.8)) after.cells[c] = before.cells[c] ?? 0
    const selection = {
      fields: random.chance(0.3) ? ALL_FIELDS : chooseFields(ALL_FIELDS.filter(() => random.chance(0.4))),
      windows: WINDOWS.filter(() => random.chance(0.7)),
    }
    const changes = encodeChanges(before, after, selection)
    const state: unknown = merged(JSON.parse(encodeSelection(before, selection)), JSON.parse(changes))
    assert.equal(JSON.stringify(state), encodeSelection(after, selection))
    if (changes.length < encodeSelection(after, selection).length) saved++
  }
  assert.ok(saved > 250, 'changes are shorter than the whole')
})

test('nothing changed is the token, the time and the version', () => {
  const stats = tokenStats('X', 7, [{}, { BUYS: 1 }, {}])
  assert.equal(
    encodeChanges(stats, { ...stats }, WHOLE),
    '{"token":"X","asOf":1790000000000,"version":"0:7:1790000000"}',
  )
})

test('derived statistics follow from the others', () => {
  const cells = {
    BUY_USD: 5_000_000,
    SELL_USD: 2_000_000,
    BUYS: 2,
    SELLS: 1,
    BUYERS: 1,
    SELLERS: 3,
    TRADERS: 3,
  }
  const stats = tokenStats('X', 1, [{}, cells, cells])
  const read = JSON.parse(encodeSelection(stats, WHOLE))
  assert.deepEqual(read.netVolume, { m1: '0', m5: '3', h24: '3' })
  assert.deepEqual(read.netBuyers, { m1: 0, m5: -2, h24: -2 })
  assert.deepEqual(read.averageTrade, { m1: null, m5: '2.333333', h24: '2.333333' })
  const less = tokenStats('X', 1, [
    { BUY_USD: 1, SELL_USD: 500_001 },
    { SELL_USD: 3, SELL_USD_HIGH: 2, BUY_USD_HIGH: 1 },
    {},
  ])
  assert.deepEqual(JSON.parse(encodeSelection(less, WHOLE)).netVolume, {
    m1: '-0.5',
    m5: '-1000000.000003',
    h24: '0',
  })
  assert.ok(WINDOW_FIELDS.every(field => field in read))
})

test('an average is the exact quotient, rounded half-even', () => {
  assert.equal(averageText(3, 0, 2), '0.000002')
  assert.equal(averageText(5, 0, 2), '0.000002')
  assert.equal(averageText(1, 0, 3), '0')
  assert.equal(averageText(2, 0, 3), '0.000001')
  assert.equal(averageText(1, 9_007_199_254, 1), '9007199254000000.000001')
  assert.equal(averageText(0, 0, 0), null)
})

test('trending is its formula, as in the example of its definition', () => {
  const windows = placeWindows(THREE_WINDOWS)
  const [, m5] = windows
  assert.ok(m5)
  const of = (m5Usd: number, dayUsd: number, traders: number) =>
    trendingOf(
      tokenStats('X', 1, [{}, { BUY_USD: m5Usd * 1e6, TRADERS: traders }, { SELL_USD: dayUsd * 1e6 }]).cells,
      m5,
    )
  assert.equal(of(10_000, 96_000, 50), Math.round(50 * Math.log10(10_001) * 10 * 1e6) / 1e6)
  assert.equal(of(10_000, 96_000, 50), 2000.021714)
  // As usual: momentum 1.
  assert.equal(of(1000, 288_000, 10), Math.round(10 * Math.log10(1001) * 1e6) / 1e6)
  assert.equal(of(0, 0, 0), 0)
})
