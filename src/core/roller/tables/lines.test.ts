import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { HIGH, LINE, Lines, PRICE } from './lines.js'

/// Micro-dollars of a side, and 10^-18 tokens, as they are.
function sumsOf(lines: Lines, line: number): bigint[] {
  const low = (i: number) => BigInt(lines.f64[line * LINE + i] as number)
  const high = (i: number) => BigInt(lines.high?.[line * HIGH + i] ?? 0)
  return [
    low(0) + high(0) * 10n ** 12n,
    low(1) + high(1) * 10n ** 12n,
    low(2) + low(3) * 10n ** 12n + high(2) * 10n ** 27n + high(3) * 10n ** 36n,
  ]
}

test('sums of swaps, of lines, and differences are exact at every size', () => {
  const random = randomness('lines')
  const lines = new Lines(3)
  const expected = [
    [0n, 0n, 0n],
    [0n, 0n, 0n],
  ]
  const large = (bound: number) => (random.below(3) === 0 ? bound - 1 - random.below(3) : random.below(bound))
  for (let step = 0; step < 20_000; step++) {
    const line = random.below(2)
    const side = random.below(2)
    const usd = random.below(2) === 0 ? large(9e15) : random.below(1e10)
    const [low, mid, high] = [large(1e12), large(1e15), random.below(4) === 0 ? large(1e9) : 0]
    lines.addSwap(line, side, usd, low, mid, high)
    const sums = expected[line] as bigint[]
    sums[side] = (sums[side] as bigint) + BigInt(usd)
    sums[2] = (sums[2] as bigint) + BigInt(low) + BigInt(mid) * 10n ** 12n + BigInt(high) * 10n ** 27n
  }
  assert.deepEqual(sumsOf(lines, 0), expected[0])
  assert.deepEqual(sumsOf(lines, 1), expected[1])
  lines.subtract(2, 0, 1)
  const [a = [], b = []] = expected
  assert.deepEqual(
    sumsOf(lines, 2),
    a.map((value, i) => value - (b[i] as bigint)),
  )
  for (let i = 0; i < 5000; i++) lines.addLine(2, lines, 1)
  assert.deepEqual(
    sumsOf(lines, 2),
    a.map((value, i) => value + 4999n * (b[i] as bigint)),
  )
  for (let line = 0; line < 3; line++) {
    const limbs = lines.f64.subarray(line * LINE, line * LINE + PRICE)
    assert.ok(limbs.every(Number.isSafeInteger), 'no limb has passed 2^53')
  }
})
