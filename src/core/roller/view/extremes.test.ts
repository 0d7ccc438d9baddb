import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { Staircases } from '../restart/staircases.js'
import { Extremes } from './extremes.js'

test('the largest value after any tick, added in any order', () => {
  const random = randomness('extremes')
  for (let round = 0; round < 60; round++) {
    const extremes = new Extremes()
    const queues = 1 + random.below(5)
    for (let queue = 0; queue < queues; queue++) extremes.clear(queue)
    const added: { queue: number; tick: number; value: number }[] = []
    let past = -100
    for (let step = 0; step < 300; step++) {
      if (random.below(20) === 0) past += random.below(30)
      const queue = random.below(queues)
      const tick = past + 1 + random.below(60)
      const value = random.below(12)
      extremes.add(queue, tick, value, past)
      added.push({ queue, tick, value })
      const after = past + random.below(70)
      const values = added.filter(one => one.queue === queue && one.tick > after).map(one => one.value)
      const expected = values.length === 0 ? Number.NaN : Math.max(...values)
      assert.equal(extremes.maximumAfter(queue, after), expected)
    }
  }
})

test('queues built from the newest value to the oldest answer alike', () => {
  const random = randomness('staircases')
  for (let round = 0; round < 100; round++) {
    const added = Array.from({ length: random.below(80) }, () => ({
      queue: random.below(3),
      tick: random.below(50),
      value: random.below(12),
    }))
    const staircases = new Staircases(3)
    for (const { queue, tick, value } of [...added].sort((a, b) => b.tick - a.tick)) {
      staircases.offer(queue, tick, value)
    }
    const built = new Extremes()
    const direct = new Extremes()
    for (let queue = 0; queue < 3; queue++) for (const one of [built, direct]) one.clear(queue)
    staircases.settle(built)
    for (const { queue, tick, value } of added) direct.add(queue, tick, value, Number.NEGATIVE_INFINITY)
    for (let queue = 0; queue < 3; queue++) {
      for (let after = -1; after < 51; after++) {
        assert.equal(built.maximumAfter(queue, after), direct.maximumAfter(queue, after))
      }
    }
  }
})
