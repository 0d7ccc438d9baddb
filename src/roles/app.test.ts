import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { ManualClock } from '../adapters/memory/clock.js'
import { App, type Role } from './app.js'
import { Interrupter, within } from './interrupter.js'

function traced(log: string[], name: string, fault?: 'start' | 'stop'): Role {
  const act = (what: 'start' | 'stop') => async () => {
    log.push(`${what} ${name}`)
    if (fault === what) throw new Error(`${name} cannot ${what}`)
  }
  return { name, start: act('start'), stop: act('stop') }
}

test('roles start in order and stop in the reverse one', async () => {
  const log: string[] = []
  const app = new App([traced(log, 'a'), traced(log, 'b'), traced(log, 'c')])
  await app.start()
  assert.deepEqual(await app.stop(), [])
  assert.deepEqual(log, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
  assert.deepEqual(await app.stop(), [], 'stopping twice stops nothing twice')
})

test('when a role cannot start, those before it are stopped and the error is thrown', async () => {
  const log: string[] = []
  const app = new App([traced(log, 'a'), traced(log, 'b', 'start'), traced(log, 'c')])
  await assert.rejects(app.start(), /b cannot start/)
  assert.deepEqual(log, ['start a', 'start b', 'stop a'])
})

test('a role that fails to stop does not keep the others from it', async () => {
  const log: string[] = []
  const app = new App([traced(log, 'a'), traced(log, 'b', 'stop')])
  await app.start()
  const faults = await app.stop()
  assert.deepEqual(
    faults.map(({ name }) => name),
    ['b'],
  )
  assert.deepEqual(log, ['start a', 'start b', 'stop b', 'stop a'])
})

test('the first signal is reported, the second one ends at once, stopping lets go of both', async () => {
  const source = new EventEmitter()
  let second = 0
  const interrupter = new Interrupter(source, () => second++)
  source.emit('SIGTERM', 'SIGTERM')
  assert.equal(await interrupter.interrupted, 'SIGTERM')
  assert.equal(second, 0)
  source.emit('SIGINT', 'SIGINT')
  assert.equal(second, 1)
  interrupter.stop()
  assert.equal(source.listenerCount('SIGINT') + source.listenerCount('SIGTERM'), 0)
})

test('work within the limit gives its result, longer work a timeout', async () => {
  const clock = new ManualClock(1000)
  assert.equal(await within(clock, 50, Promise.resolve('done')), 'done')
  const late = within(clock, 50, new Promise<never>(() => {}))
  clock.advance(50)
  assert.equal(await late, 'timeout')
})
