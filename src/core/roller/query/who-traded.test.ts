import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WhoTraded } from './who-traded.js'

test('distinct buyers, sellers and traders of a union are counted, whatever the order and the sizes', () => {
  const sets = [new Set<number>(), new Set<number>()] as const
  const union = new WhoTraded(0)
  let word = 1
  for (let block = 0; block < 20; block++) {
    const part = new WhoTraded(block % 3 === 0 ? 0 : 500)
    for (let i = 0; i < 100; i++) {
      word = (Math.imul(word, 0x5851_f42d) + 0x1405_7b7f) >>> 0
      const number = (word >>> 8) % (100 * (block + 1))
      part.add(number, word >>> 31)
      sets[(word >>> 31) as 0 | 1].add(number)
    }
    union.addAll(part)
  }
  const [bought, sold] = sets
  assert.deepEqual(union.counts(), [bought.size, sold.size, new Set([...bought, ...sold]).size])
})

test('word ends count', () => {
  const who = new WhoTraded(0)
  for (const number of [0, 31, 32, 63, 64]) who.add(number, 0)
  who.add(31, 1)
  who.add(95, 1)
  assert.deepEqual(who.counts(), [5, 2, 6])
})
