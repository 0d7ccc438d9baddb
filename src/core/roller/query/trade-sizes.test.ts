import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TradeSizes } from './trade-sizes.js'

function middleOf(sizes: readonly number[]): { middle: readonly number[] | null; passes: number } {
  const found = new TradeSizes()
  for (let passes = 1; ; passes++) {
    for (const usd of sizes) found.add(usd)
    if (!found.endPass()) return { middle: found.middle(), passes }
  }
}

function sorted(sizes: readonly number[]): number[] {
  const all = Float64Array.from(sizes).sort()
  return [all[(all.length - 1) >> 1] as number, all[all.length >> 1] as number]
}

let word = 7
const unit = (): number => {
  word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0
  return word / 2 ** 32
}

test('few sizes take one pass', () => {
  assert.equal(middleOf([]).middle, null)
  assert.deepEqual(middleOf([5]), { middle: [5, 5], passes: 1 })
  assert.deepEqual(middleOf([8, 1, 4, 2]), { middle: [2, 4], passes: 1 })
  const some = Array.from({ length: 1 << 15 }, () => Math.floor(unit() * 1e9))
  assert.deepEqual(middleOf(some), { middle: sorted(some), passes: 1 })
})

test('many sizes take a few passes, and are exact', () => {
  const magnitudes = Array.from({ length: 200_001 }, () => Math.floor(Math.exp(unit() * 36)))
  assert.deepEqual(middleOf(magnitudes), { middle: sorted(magnitudes), passes: 2 })
  // All within one magnitude: finer steps.
  const near = Array.from({ length: 300_000 }, () => 1_000_000_000_000 + Math.floor(unit() * 1e9))
  const { middle, passes } = middleOf(near)
  assert.deepEqual(middle, sorted(near))
  assert.ok(passes > 2 && passes <= 4, `${passes} passes`)
})

test('many equal sizes, none, and the greatest that there is', () => {
  for (const size of [0, 1, 2, 3, 100_000_000, 9e15, 2 ** 53 - 1]) {
    assert.deepEqual(middleOf(new Array(70_000).fill(size)).middle, [size, size])
  }
})

test('the two in the middle may lie far apart', () => {
  const half = 50_000
  const sizes = [...new Array(half).fill(0), ...new Array(half).fill(9e15)]
  assert.deepEqual(middleOf(sizes).middle, [0, 9e15])
  assert.deepEqual(middleOf([...sizes, 7]).middle, [7, 7])
  const near = [...new Array(half).fill(1_000_000), ...new Array(half).fill(1_000_001)]
  assert.deepEqual(middleOf(near).middle, [1_000_000, 1_000_001])
})
