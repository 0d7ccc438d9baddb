import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenGone, withVolume } from '../../../test/delivery/token-stats.js'
import { epochMs } from '../../core/units.js'
import { History } from './history.js'

const history = (bytesMax = 1e9) => new History({ keptMs: 1000, bytesMax })
const at = epochMs

test('a token’s updates are kept from its first follower on, and given from a position on', () => {
  const kept = history()
  assert.equal(kept.record(withVolume('A', 1, 1), at(0)), 1)
  kept.follow('A')
  kept.record(withVolume('A', 2, 2), at(1))
  kept.record(withVolume('B', 2, 2), at(1))
  kept.record(tokenGone('A', 3), at(2))
  assert.deepEqual(
    kept.since('A', 1)?.map(({ position }) => position),
    [2, 4],
  )
  assert.deepEqual(
    kept.since('A', 3)?.map(({ position }) => position),
    [4],
  )
  assert.deepEqual(kept.since('A', 4), [])
  assert.equal(kept.since('A', 0), null, 'what came before the first follower is not known')
  assert.equal(kept.since('B', 1), null)
})

test('what is too old, or too much, is forgotten, and the hole is known', () => {
  const kept = history()
  kept.follow('A')
  for (let i = 1; i <= 10; i++) kept.record(withVolume('A', i, i), at(i * 100))
  kept.expire(at(1500))
  assert.deepEqual(
    kept.since('A', 4)?.map(({ position }) => position),
    [5, 6, 7, 8, 9, 10],
  )
  assert.equal(kept.since('A', 3), null)
  kept.expire(at(9999))
  assert.deepEqual(kept.since('A', 10), [])
  assert.equal(kept.since('A', 9), null)
  assert.equal(kept.bytes, 0)

  const one = withVolume('A', 1, 1).cells.byteLength + 320
  const small = history(3 * one)
  small.follow('A')
  small.follow('B')
  for (let i = 1; i <= 6; i++) small.record(withVolume(i % 2 === 0 ? 'A' : 'B', i, i), at(i))
  assert.equal(small.bytes, 3 * one)
  assert.equal(small.since('A', 1), null)
  assert.deepEqual(
    small.since('A', 2)?.map(({ position }) => position),
    [4, 6],
  )
  assert.deepEqual(
    small.since('B', 3)?.map(({ position }) => position),
    [5],
  )
})

test('a token that is left is kept on for as long as its updates, and no longer', () => {
  const kept = history()
  kept.follow('A')
  kept.record(withVolume('A', 1, 1), at(0))
  kept.leave('A', at(100))
  kept.record(withVolume('A', 2, 2), at(200))
  assert.equal(kept.since('A', 1)?.length, 1)
  kept.expire(at(1000))
  assert.equal(kept.tracked, 1)
  kept.expire(at(1101))
  assert.equal(kept.tracked, 0)
  assert.equal(kept.since('A', 1), null)
  kept.expire(at(2000))
  assert.equal(kept.bytes, 0)
})

test('names that clients invent and leave do not pile up', () => {
  const kept = history()
  for (let i = 0; i < 120_000; i++) {
    kept.follow(`t${i}`)
    if (i >= 10) kept.leave(`t${i}`, at(1))
  }
  assert.equal(kept.tracked, 50_010)
  kept.record(withVolume('t1', 1, 1), at(1))
  assert.equal(kept.since('t1', 0)?.length, 1, 'what is followed is never pushed out')
})
