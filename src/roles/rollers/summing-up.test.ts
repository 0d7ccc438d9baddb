import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../adapters/memory/clock.js'
import { SummingUp } from './summing-up.js'

/// Has so many steps to do, and counts those that were done.
class Work {
  done = 0
  left: number

  constructor(left: number) {
    this.left = left
  }

  summarize(): boolean {
    if (this.left === 0) return false
    this.left--
    this.done++
    return true
  }
}

test('partitions take turns, two steps in ten milliseconds, and none is asked more than once a second while nothing is due', () => {
  const clock = new ManualClock(0)
  const [a, b, idle] = [new Work(30), new Work(50), new Work(0)]
  const faults: unknown[] = []
  const summingUp = new SummingUp({ clock, live: () => [a, b, idle], fail: error => faults.push(error) })
  summingUp.start()
  clock.moveTo(999)
  assert.equal(a.done + b.done, 0)
  const doneAt: [number, number][] = []
  for (let now = 1000; now < 2000; now += 10) {
    clock.moveTo(now)
    doneAt.push([a.done, b.done])
  }
  assert.deepEqual(doneAt.slice(0, 3), [
    [1, 1],
    [2, 2],
    [3, 3],
  ])
  assert.deepEqual(doneAt[29], [30, 30])
  // Whoever has something to do is not held up by those who have not.
  assert.deepEqual(doneAt[39], [30, 50])
  b.left = 1
  clock.moveTo(2300)
  assert.equal(b.done, 50, 'it looks again a second later')
  clock.moveTo(2400)
  assert.equal(b.done, 51)
  summingUp.stop()
  b.left = 1
  clock.moveTo(9000)
  assert.equal(b.done, 51)
  assert.deepEqual(faults, [])
})

test('a fault is told, and nothing goes on', () => {
  const clock = new ManualClock(0)
  const faults: unknown[] = []
  const broken = {
    summarize: () => {
      throw new Error('broken')
    },
  }
  new SummingUp({ clock, live: () => [broken], fail: error => faults.push(error) }).start()
  for (let now = 1000; now < 9000; now += 1000) clock.moveTo(now)
  assert.equal(faults.length, 1)
})
