import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { lastAtMost } from './sorted.js'

test('the last value that is at most another is what a look at all of them finds', () => {
  const random = randomness('sorted')
  assert.equal(lastAtMost(Float64Array.of(2, 5, 5, 9), 5), 2)
  for (let round = 0; round < 500; round++) {
    const values = Uint32Array.from({ length: random.below(20) }, () => random.below(30)).sort()
    const value = random.below(32)
    const expected = values.findLastIndex(each => each <= value)
    assert.equal(lastAtMost(values, value), expected)
    assert.equal(lastAtMost(Float64Array.from(values), value), expected)
  }
})
