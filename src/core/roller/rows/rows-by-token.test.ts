import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RowsByToken } from './rows-by-token.js'

test('each token’s rows come in the order in which they were added, tokens in that of their first', () => {
  const rows = new RowsByToken()
  const expected = new Map<number, number[]>()
  // More tokens and rows than there is room for at first; tokens come alone and in runs.
  for (let row = 0; row < 5000; row++) {
    const token = row % 7 === 0 ? 900 - ((row * 31) % 300) : Math.floor(row / 40)
    rows.add(token, row)
    expected.set(token, [...(expected.get(token) ?? []), row])
  }
  assert.deepEqual([...rows.tokens()], [...expected.keys()])
  for (const [token, list] of expected) assert.deepEqual([...rows.of(token)], list, `token ${token}`)
})

test('nothing is added once rows were asked for', () => {
  const rows = new RowsByToken()
  rows.add(3, 0)
  assert.deepEqual([...rows.of(3)], [0])
  assert.throws(() => rows.add(3, 1), /gathered before/)
  assert.throws(() => rows.of(4), /has rows/)
})
