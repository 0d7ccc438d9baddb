import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SortedSizes } from './sorted-sizes.js'
import { TradeSizes } from './trade-sizes.js'

/// Of sizes of which some come singly and the others in lists, as blocks have them.
function middleOf(sizes: readonly number[], singly = 1): readonly number[] | null {
  const found = new TradeSizes()
  const inList: number[] = []
  for (const usd of sizes) {
    if (unit() < singly) found.add(usd)
    else inList.push(usd)
  }
  for (let at = 0; at < inList.length; ) {
    const end = at + 1 + Math.floor(unit() * 3000)
    found.addAll(new SortedSizes(Float64Array.from(inList.slice(at, end)).sort()))
    at = end
  }
  for (let steps = 0; !found.step(); steps++) assert.ok(steps < 60, 'a step halves what is left')
  return found.middle()
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

test('few sizes', () => {
  assert.equal(middleOf([]), null)
  assert.deepEqual(middleOf([5]), [5, 5])
  assert.deepEqual(middleOf([8, 1, 4, 2]), [2, 4])
  assert.deepEqual(middleOf([8, 1, 4, 2], 0), [2, 4])
  const some = Array.from({ length: 1 << 15 }, () => Math.floor(unit() * 1e9))
  for (const singly of [0, 0.3, 1]) assert.deepEqual(middleOf(some, singly), sorted(some))
})

test('many sizes, singly and in sorted lists', () => {
  const magnitudes = Array.from({ length: 200_001 }, () => Math.floor(Math.exp(unit() * 36)))
  const near = Array.from({ length: 300_000 }, () => 1_000_000_000_000 + Math.floor(unit() * 1e9))
  for (const singly of [0, 0.01, 0.5, 1]) {
    assert.deepEqual(middleOf(magnitudes, singly), sorted(magnitudes))
    assert.deepEqual(middleOf(near, singly), sorted(near))
  }
})

test('many equal sizes, none, and the greatest that there is', () => {
  for (const size of [0, 1, 2, 3, 100_000_000, 9e15, 2 ** 53 - 1]) {
    for (const singly of [0, 0.5, 1]) {
      assert.deepEqual(middleOf(new Array(70_000).fill(size), singly), [size, size])
    }
  }
})

test('the two in the middle may lie far apart', () => {
  const half = 50_000
  const sizes = [...new Array(half).fill(0), ...new Array(half).fill(9e15)]
  const near = [...new Array(half).fill(1_000_000), ...new Array(half).fill(1_000_001)]
  for (const singly of [0, 0.5, 1]) {
    assert.deepEqual(middleOf(sizes, singly), [0, 9e15])
    assert.deepEqual(middleOf([...sizes, 7], singly), [7, 7])
    assert.deepEqual(middleOf(near, singly), [1_000_000, 1_000_001])
  }
})

test('a sorted list counts what is at most so large, and finds what is above', () => {
  for (const length of [1, 63, 64, 65, 128, 1000]) {
    const sizes = Float64Array.from({ length }, () => Math.floor(unit() * 500)).sort()
    const list = new SortedSizes(sizes)
    for (let usd = -1; usd <= 500; usd++) {
      const upTo = sizes.filter(size => size <= usd).length
      assert.equal(list.countUpTo(usd), upTo)
      assert.equal(list.leastAbove(usd), sizes[upTo] ?? Number.POSITIVE_INFINITY)
    }
    assert.equal(list.most, sizes.at(-1))
    const copy = new Float64Array(length + 2)
    list.copyTo(copy, 2)
    assert.deepEqual(copy.subarray(2), sizes)
  }
})
