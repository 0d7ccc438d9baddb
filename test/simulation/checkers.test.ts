/// The checkers themselves: what they compute by hand-made examples, and that they see a difference when there is one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plain } from './answer.js'
import { Differences } from './difference.js'
import { decimal, fixed, Model } from './model.js'
import { DEFAULT_RULES, type RawSwap } from './raw-swap.js'

test('fixed rounds half to even', () => {
  for (const [text, places, expected] of [
    ['0.0000005', 6, 0n],
    ['0.0000015', 6, 2n],
    ['0.00000050000001', 6, 1n],
    ['2.0000025', 6, 2_000_002n],
    ['1e-6', 6, 1n],
    ['15e-7', 6, 2n],
    ['9E3', 6, 9_000_000_000n],
    ['999999999999999999.999999999999999999', 18, 10n ** 36n - 1n],
  ] as const) {
    assert.equal(fixed(text, places), expected, text)
  }
  assert.throws(() => fixed('-1', 6), /not a decimal/)
})

test('decimal and plain write no exponent and no trailing zero', () => {
  assert.equal(decimal(0n, 6), '0')
  assert.equal(decimal(1_500_000n, 6), '1.5')
  assert.equal(decimal(1n, 18), '0.000000000000000001')
  assert.equal(decimal(10n ** 36n, 18), '1000000000000000000')
  assert.equal(plain(1e-7), '0.0000001')
  assert.equal(plain(1.25e-9), '0.00000000125')
  assert.equal(plain(1e21), '1000000000000000000000')
  assert.equal(plain(1.5e21), '1500000000000000000000')
  assert.equal(plain(0.1), '0.1')
  assert.equal(plain(123_456_789_012_345_680_000), '123456789012345680000')
})

test('a difference is seen, counted and named, down to the last digit and a missing token', () => {
  const swap: RawSwap = { id: 'a', time: 1000, who: 'w', token: 'T', side: 'buy', amount: '2', usd: '1' }
  const answersWith = (usd: string): Map<string, string> => {
    const model = new Model(DEFAULT_RULES)
    model.apply({ appendTime: 1000, records: [{ ...swap, usd }] })
    model.advance(1)
    return model.answers()
  }
  const same = new Differences()
  same.compareAll(1000, answersWith('1'), answersWith('1.0000000'))
  assert.equal(same.count, 0)

  const other = new Differences()
  other.compareAll(1000, answersWith('1'), answersWith('1.000001'))
  assert.ok(other.count >= DEFAULT_RULES.windows.length)
  assert.match(other.report(), /token "T" at 1000 volume\.m1\n {4}ours: {5}"1"\n {4}expected: "1\.000001"/)

  const missing = new Differences()
  missing.compareAll(1000, new Map(), answersWith('1'))
  missing.compareAll(1000, answersWith('1'), new Map())
  assert.equal(missing.count, 2)
})
