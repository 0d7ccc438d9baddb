import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { Horizon } from './horizon.js'

test('an id is known until its log time is a horizon ago, to the millisecond', () => {
  const horizon = new Horizon()
  horizon.add(1, 2, 3, 77, 1000)
  horizon.expire(1999, 1000)
  assert.equal(horizon.digestAt(horizon.find(1, 2, 3)), 77)
  horizon.expire(2000, 1000)
  assert.equal(horizon.find(1, 2, 3), -1)
  assert.equal(horizon.size, 0)
})

test('all three words tell ids apart', () => {
  const horizon = new Horizon()
  horizon.add(1, 2, 3, 0, 0)
  assert.equal(horizon.find(1, 2, 4), -1)
  assert.equal(horizon.find(1, 3, 3), -1)
  assert.equal(horizon.find(2, 2, 3), -1)
})

test('after a pause longer than 2^32 milliseconds everything is gone', () => {
  const horizon = new Horizon()
  horizon.add(1, 2, 3, 0, 5)
  horizon.expire(2 ** 32 + 6, 1000)
  assert.equal(horizon.size, 0)
})

test('over many pages it knows exactly the ids of the last stretch', () => {
  const random = randomness('horizon')
  const horizon = new Horizon()
  const kept: { id: [number, number, number]; digest: number; at: number }[] = []
  // Past 2^32, so that stored times wrap.
  let now = 2 ** 32 - 3000
  let expected = 0
  for (let step = 0; step < 120; step++) {
    now += random.below(400)
    horizon.expire(now, 5000)
    while ((kept[expected]?.at ?? Number.POSITIVE_INFINITY) <= now - 5000) expected++
    for (let n = random.below(1500); n > 0; n--) {
      const id: [number, number, number] = [random.below(2 ** 16) | 0, random.below(2 ** 31), kept.length]
      horizon.add(...id, random.below(2 ** 31), now)
      kept.push({ id, digest: horizon.digestAt(horizon.find(...id)), at: now })
    }
    assert.equal(horizon.size, kept.length - expected)
    for (let look = 0; look < 50 && kept.length > 0; look++) {
      const at = random.below(kept.length)
      const entry = kept[at]
      if (entry === undefined) continue
      const found = horizon.find(...entry.id)
      assert.equal(found >= 0, at >= expected)
      if (found >= 0) assert.equal(horizon.digestAt(found), entry.digest)
    }
  }
})
