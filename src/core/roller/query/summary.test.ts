import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { priceOf } from '../../decimal.js'
import { Block } from '../rows/block.js'
import { LargestRows } from './summary.js'

const BEGIN_MS = 1_790_000_000_000
const KEPT = 16

/// Rows of these sizes in chain order, a millisecond apart.
function rowsOf(sizes: readonly number[]): Block {
  const rows = new Block(4)
  for (const [i, usd] of sizes.entries()) {
    const row = rows.append(0)
    rows.timeMs[row] = BEGIN_MS + i
    rows.usd[row] = usd
    rows.setAmount(row, 1, 0, 0, 0)
    rows.price[row] = priceOf(usd, 1, 0, 0, 0)
    rows.block[row] = i
    rows.txIndex[row] = 0
    rows.logIndex[row] = 0
  }
  return rows
}

/// Places of the rows that were kept, and their sizes.
function kept(sizes: readonly number[]): readonly (readonly [number, number])[] {
  const found = new Block(4)
  new LargestRows(rowsOf(sizes), BEGIN_MS).read(found)
  return Array.from({ length: found.rows }, (_, row) => [
    (found.timeMs[row] as number) - BEGIN_MS,
    found.usd[row] as number,
  ])
}

/// The same by sorting all of them: largest first, of equal ones the newer first.
function expected(sizes: readonly number[]): readonly (readonly [number, number])[] {
  return sizes
    .map((usd, i) => [i, usd] as const)
    .sort(([i, a], [j, b]) => b - a || j - i)
    .slice(0, KEPT)
    .sort(([i], [j]) => i - j)
}

test('the largest rows are kept in chain order, of equal ones the newer', () => {
  const random = randomness('largest rows')
  for (const kinds of [1, 2, 5, 1000]) {
    for (const count of [1, KEPT, KEPT + 1, 40, 300]) {
      const sizes = Array.from({ length: count }, () => random.below(kinds))
      assert.deepEqual(kept(sizes), expected(sizes), `${count} rows of ${kinds} sizes`)
    }
  }
})

test('they are enough for as many as are kept, and for those above the least of them', () => {
  const many = new LargestRows(rowsOf(Array.from({ length: 40 }, (_, i) => i)), BEGIN_MS)
  assert.equal(many.least, 24)
  assert.equal(many.isEnough(KEPT, 0), true)
  assert.equal(many.isEnough(KEPT + 1, 23), false)
  assert.equal(many.isEnough(KEPT + 1, 24), true)
  // All that there are.
  assert.equal(new LargestRows(rowsOf([3, 2]), BEGIN_MS).isEnough(500, 0), true)
})
