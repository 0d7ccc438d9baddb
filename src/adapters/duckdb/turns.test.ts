import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn } from '../system/turn.js'
import { Turns } from './turns.js'

test('one at a time works, in order, also after one that failed', async () => {
  const turns = new Turns(10)
  const seen: string[] = []
  const work = (name: string, fails = false) =>
    turns.take(async () => {
      seen.push(`${name} begins`)
      await nextTurn()
      seen.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const outcomes = await Promise.allSettled([work('a'), work('b', true), work('c')])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('beyond the bound nobody waits, and there is room again afterwards', async () => {
  const turns = new Turns(2)
  const both = [turns.take(nextTurn), turns.take(nextTurn)]
  await assert.rejects(turns.take(nextTurn), { code: 'E_BUSY' })
  await Promise.all(both)
  await turns.take(nextTurn)
})

test('the end waits for who works, and lets nobody in any more', async () => {
  const turns = new Turns(10)
  let done = false
  const working = turns.take(async () => {
    await nextTurn()
    done = true
  })
  await turns.end()
  assert.ok(done)
  await working
  await assert.rejects(turns.take(nextTurn), { code: 'E_UNAVAILABLE' })
})
