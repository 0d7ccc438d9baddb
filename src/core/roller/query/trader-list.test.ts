import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { type TraderList, TraderListWriter } from './trader-list.js'
import { TraderSums } from './trader-sums.js'
import { WhoTraded } from './who-traded.js'

type Traded = readonly [number: number, buys: number, sells: number, buyUsd: number, sellUsd: number]

function listOf(traded: readonly Traded[]): TraderList {
  const writer = new TraderListWriter()
  for (const one of traded) writer.add(...one)
  return writer.take()
}

/// Numbers near and far, single swaps and many, micro-dollars of every length.
const MANY: readonly Traded[] = [
  [0, 1, 0, 0, 0],
  [1, 0, 1, 0, 0],
  [2, 1, 0, 255, 0],
  [257, 0, 1, 0, 256],
  [512, 15, 15, 2 ** 32 - 1, 2 ** 32],
  [768, 16, 0, 2 ** 40, 0],
  [5000, 0, 1000, 0, 2 ** 48 + 1],
  [5001, 2 ** 31 - 1, 1, 2 ** 53 - 1, 2 ** 53 - 1],
  [70_000, 1, 1, 0, 0],
]

test('a list of traders is what was written', () => {
  const list = listOf(MANY)
  const sums = new TraderSums()
  list.addTo(sums, 7)
  const who = new WhoTraded(0)
  list.addWho(who)
  assert.equal(list.size, MANY.length)
  for (const [number, buys, sells, buyUsd, sellUsd] of MANY) {
    const found = [sums.buys(number), sums.sells(number), sums.usd(number, 0), sums.usd(number, 1)]
    assert.deepEqual([number, ...found, sums.placeOf(number)], [number, buys, sells, buyUsd, sellUsd, 7])
  }
  const [bought, sold] = [MANY.filter(([, buys]) => buys > 0), MANY.filter(([, , sells]) => sells > 0)]
  assert.deepEqual(who.counts(), [bought.length, sold.length, MANY.length])
  const found: number[] = []
  list.find([0, 3, 257, 4999, 5000, 69_999, 70_000, 80_000], number => found.push(number))
  assert.deepEqual(found, [0, 257, 5000, 70_000])
  assert.deepEqual(new TraderListWriter().take().size, 0)
})

test('sums of lists and swaps are exact beyond 2^53, and so is their order', () => {
  const random = randomness('trader-list')
  const sums = new TraderSums()
  const expected = Array.from({ length: 300 }, () => [0n, 0n, 0, 0] as [bigint, bigint, number, number])
  for (let round = 0; round < 60; round++) {
    const traded: Traded[] = []
    for (let number = 0; number < 300; number++) {
      if (random.below(2) === 0) continue
      const [buys, sells] = [random.below(20), 1 + random.below(3)]
      const usd = () => (random.below(2) === 0 ? 9e15 : random.below(2 ** 53))
      const [buyUsd, sellUsd] = [buys === 0 ? 0 : usd(), usd()]
      traded.push([number, buys, sells, buyUsd, sellUsd])
      const sum = expected[number]
      if (sum === undefined) continue
      sum[0] += BigInt(buyUsd)
      sum[1] += BigInt(sellUsd)
      sum[2] += buys
      sum[3] += sells
    }
    listOf(traded).addTo(sums, round + 1)
    sums.addOne(round, 1, 9e15, 1)
    const sum = expected[round]
    if (sum === undefined) continue
    sum[1] += BigInt(9e15)
    sum[3]++
  }
  assert.ok(sums.isHuge)
  for (const [number, sum] of expected.entries()) {
    const { buyUsd, buyUsdHigh, sellUsd, sellUsdHigh, buys, sells } = sums.sumOf(number)
    assert.ok(buyUsd < 1e12 && sellUsd < 1e12, 'limbs are canonical')
    const limbs = [
      BigInt(buyUsd) + BigInt(buyUsdHigh) * 10n ** 12n,
      BigInt(sellUsd) + BigInt(sellUsdHigh) * 10n ** 12n,
    ]
    assert.deepEqual([...limbs, buys, sells], sum)
  }
  const byVolume = [...expected.keys()].sort((a, b) => {
    const [x, y] = [a, b].map(number => (expected[number]?.[0] ?? 0n) + (expected[number]?.[1] ?? 0n))
    return (y ?? 0n) > (x ?? 0n) ? 1 : (y ?? 0n) < (x ?? 0n) ? -1 : a - b
  })
  assert.deepEqual(
    sums.top(20, (a, b) => a < b),
    byVolume.slice(0, 20),
  )
})

test('those of equal volume come in the order that is told', () => {
  const sums = new TraderSums()
  sums.hold(100)
  for (let number = 0; number < 100; number++) {
    sums.addOne(number, number % 2 === 0 ? 0 : 1, 2 ** 52 + (number < 90 ? 1 : 0), 1)
  }
  assert.deepEqual(
    sums.top(3, (a, b) => a > b),
    [89, 88, 87],
  )
  assert.deepEqual(sums.top(92, (a, b) => a < b).slice(88), [88, 89, 90, 91])
})
