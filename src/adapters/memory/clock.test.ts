import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epochMs } from '../../core/units.js'
import { ManualClock } from './clock.js'

test('alarms ring in the order of their times, each at its own', () => {
  const clock = new ManualClock(100)
  const rung: string[] = []
  const ring = (name: string) => () => rung.push(`${name} at ${clock.now()}`)
  clock.at(epochMs(300), ring('third'))
  clock.at(epochMs(50), ring('first'))
  const cancel = clock.at(epochMs(250), ring('never'))
  clock.at(epochMs(200), () => {
    ring('second')()
    clock.at(epochMs(220), ring('set meanwhile'))
  })
  assert.deepEqual(rung, [])
  cancel()
  clock.advance(150)
  assert.deepEqual(rung, ['first at 100', 'second at 200', 'set meanwhile at 220'])
  clock.moveTo(300)
  assert.deepEqual(rung.at(-1), 'third at 300')
  clock.moveTo(10)
  assert.equal(clock.now(), 10)
})
