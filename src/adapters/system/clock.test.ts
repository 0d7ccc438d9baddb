import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epochMs } from '../../core/units.js'
import { SystemClock } from './clock.js'

test('an alarm rings once, not before its time; a cancelled one never; one that is due at once', async () => {
  const clock = new SystemClock()
  const rung: number[] = []
  const at = epochMs(clock.now() + 15)
  const cancel = clock.at(at, () => rung.push(-1))
  cancel()
  await new Promise<void>(resolve => {
    clock.at(at, () => {
      rung.push(clock.now() - at)
      resolve()
    })
  })
  await new Promise<void>(resolve => {
    clock.at(epochMs(0), resolve)
  })
  assert.equal(rung.length, 1)
  assert.ok((rung[0] ?? -1) >= 0)
})

test('an alarm further off than a timer can count does not ring at once', async () => {
  const clock = new SystemClock()
  let rung = false
  const cancel = clock.at(epochMs(clock.now() + 2 ** 40), () => {
    rung = true
  })
  await new Promise<void>(resolve => {
    clock.at(epochMs(clock.now() + 5), resolve)
  })
  cancel()
  assert.equal(rung, false)
})
