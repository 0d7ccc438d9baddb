import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { Block } from '../rows/block.js'
import { COUNT, type Lines } from '../tables/lines.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { RunSums } from './run-sums.js'

/// What a line holds in all: of each sum the limbs put together.
function totals(line: Lines): bigint[] {
  const low = Array.from(line.f64.subarray(0, 4), BigInt)
  const high = Array.from(line.high ?? [0, 0, 0, 0], BigInt)
  const [buy = 0n, sell = 0n, amountLow = 0n, amountMid = 0n] = low
  const [buyHigh = 0n, sellHigh = 0n, amountHigh = 0n, amountTop = 0n] = high
  return [
    buy + buyHigh * 10n ** 12n,
    sell + sellHigh * 10n ** 12n,
    amountLow + amountMid * 10n ** 12n + amountHigh * 10n ** 27n + amountTop * 10n ** 36n,
    BigInt(line.ints[COUNT] as number),
    BigInt(line.ints[COUNT + 1] as number),
  ]
}

test('sums that were written are those of the rows, to the last digit', () => {
  const random = randomness('run sums')
  for (let round = 0; round < 300; round++) {
    const rows = new Block(4)
    const count = 1 + random.below(200)
    const isHuge = random.below(3) === 0
    rows.extend(0, count)
    const expected = [0n, 0n, 0n, 0n, 0n]
    const prices: number[] = []
    for (let row = 0; row < count; row++) {
      const side = random.below(2)
      const limbs = [0, 1, 2, 3].map(i => (isHuge || i < 3 ? random.below(1e9) : 0))
      const [a0 = 0, a1 = 0, a2 = 0, a3 = 0] = limbs
      rows.pairSide[row] = side
      rows.usd[row] = isHuge ? 9e15 - random.below(1000) : random.below(1e9)
      rows.setAmount(row, a0, a1, a2, a3)
      rows.slot[row] = Math.floor((row * 128) / count)
      rows.price[row] = random.below(4) === 0 ? Number.NaN : random.below(1e9) / 7
      prices.push(rows.price[row] as number)
      const amount = BigInt(a0) + BigInt(a1) * 10n ** 9n + BigInt(a2) * 10n ** 18n + BigInt(a3) * 10n ** 27n
      for (const [i, value] of [
        [side, BigInt(rows.usd[row] as number)],
        [2, amount],
        [3 + side, 1n],
      ] as const) {
        expected[i] = (expected[i] ?? 0n) + value
      }
    }
    const sums = new RunSums()
    for (let row = 0; row < count; row++) sums.add(rows, row)
    const out = new ByteWriter()
    sums.write(out)
    const reader = new ByteReader(out.take())
    const read = new RunSums()
    // Whatever was read before.
    read.line.withHigh().fill(7)
    read.read(reader, count)
    assert.ok(reader.done)
    assert.deepEqual(totals(read.line), expected)
    const known = prices.filter(price => !Number.isNaN(price))
    const first = prices.findIndex(price => !Number.isNaN(price))
    assert.equal(read.pricedSlot, first < 0 ? -1 : rows.slot[first])
    assert.equal(read.price, first < 0 ? Number.NaN : prices[first])
    assert.equal(read.high, Math.max(...known))
    assert.equal(read.low, Math.min(...known))
    assert.equal(read.largest, Math.max(...rows.usd.subarray(0, count)))
  }
})
