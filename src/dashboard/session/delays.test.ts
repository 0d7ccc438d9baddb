import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClockOffset } from './clock-offset.js'
import { Delays, percentiles } from './delays.js'

test('percentiles are values that were there', () => {
  assert.deepEqual(percentiles([5]), { p50: 5, p99: 5 })
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  assert.deepEqual(percentiles(hundred), { p50: 50, p99: 99 })
})

test('a delay has three parts; an update that no swap made has none', () => {
  const delays = new Delays()
  assert.equal(delays.report(0), null)
  delays.note({ event: null, rolled: 10, sent: 20 }, 30)
  assert.equal(delays.report(30), null)
  delays.note({ event: 1000, rolled: 1004, sent: 1010 }, 1030)
  const one = (value: number) => ({ p50: value, p99: value })
  assert.deepEqual(delays.report(1030), {
    samples: 1,
    total: one(30),
    toRolled: one(4),
    toSent: one(6),
    toScreen: one(20),
  })
  assert.equal(delays.report(61_030), null)
})

test('the newest samples are kept, boundedly', () => {
  const delays = new Delays()
  for (let i = 0; i < 10_000; i++) delays.note({ event: 0, rolled: 0, sent: 0 }, i)
  assert.equal(delays.report(10_000)?.samples, 4096)
  assert.equal(delays.report(10_000)?.total.p99, 9999 - Math.floor(4096 * 0.01))
})

test('of the server’s clock the answer with the shortest way is believed, for ten minutes', () => {
  const clock = new ClockOffset()
  clock.note(1000, 1100, 6050)
  assert.deepEqual([clock.ms, clock.wayMs], [5000, 100])
  clock.note(2000, 2900, 9999)
  assert.equal(clock.ms, 5000)
  clock.note(3000, 3010, 8003)
  assert.equal(clock.ms, 4998)
  clock.note(700_000, 700_400, 700_200)
  assert.equal(clock.ms, 0)
  assert.equal(clock.isSure(700_400), false)
  for (let i = 1; i < 8; i++) clock.note(700_400 + i, 701_400 + i, 0)
  assert.equal(clock.isSure(701_500), true)
  assert.equal(clock.isSure(1_400_000), false)
})
