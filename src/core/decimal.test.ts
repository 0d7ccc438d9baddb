import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzSeconds, randomness } from '../../test/random/randomness.js'
import { amountToNumber, formatAmount, formatPrice, formatUsd, MAX_MICRO_USD, priceOf } from './decimal.js'

const LIMB = 1_000_000_000
const E18 = 10n ** 18n

/// The amount's limbs of an integer number of 10^-18 tokens.
function limbsOf(atto: bigint): [number, number, number, number] {
  const limb = (i: bigint) => Number((atto / 10n ** (9n * i)) % 1_000_000_000n)
  return [limb(0n), limb(1n), limb(2n), limb(3n)]
}

/// Plain decimal of a fixed-point integer, by BigInt: the oracle of the formatters.
function plainOf(value: bigint, decimals: number): string {
  const text = value.toString().padStart(decimals + 1, '0')
  const whole = text.slice(0, -decimals)
  const fraction = text.slice(-decimals).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

function assertNearest(atto: bigint): void {
  const limbs = limbsOf(atto)
  const expected = Number(plainOf(atto, 18))
  const got = amountToNumber(...limbs)
  if (!Object.is(got, expected)) assert.fail(`amountToNumber(${limbs.join(', ')}) = ${got}, not ${expected}`)
}

test('amountToNumber: the nearest binary64 on the edges', () => {
  const edges = [0n, 1n, 2n, E18, E18 - 1n, E18 + 1n, E18 * E18 - 1n, E18 / 2n, 10n ** 9n, 10n ** 27n]
  for (const atto of edges) assertNearest(atto)
  // Ties and their neighbours: halfway between two binary64 of every magnitude that 18 decimals can express.
  for (let bits = -4; bits < 60; bits++) {
    const unit = bits >= 0 ? E18 << BigInt(bits) : E18 >> BigInt(-bits)
    for (let half = 53n; half < 55n; half++) {
      const tie = unit + (unit >> half)
      for (let off = -3n; off <= 3n; off++) {
        if (tie + off < E18 * E18) assertNearest(tie + off)
      }
    }
  }
})

test('amountToNumber equals Number of the text', () => {
  const random = randomness('amountToNumber')
  const until = performance.now() + 500 + fuzzSeconds() * 1000
  for (let i = 0; i < 50_000 || performance.now() < until; i++) {
    const limb = () => {
      const kind = random.below(8)
      if (kind === 0) return 0
      if (kind === 1) return LIMB - 1 - random.below(3)
      return kind === 2 ? random.below(10) : random.below(LIMB)
    }
    const limbs: [number, number, number, number] = [limb(), limb(), limb(), limb()]
    const got = amountToNumber(...limbs)
    const expected = Number(formatAmount(...limbs, 0))
    if (got !== expected) assert.fail(`amountToNumber(${limbs.join(', ')}) = ${got}, not ${expected}`)
    if (i % 4 === 0) {
      // The decimals next to the middle between two neighbouring binary64.
      const x = Number(formatAmount(...limbs, 0)) * 2 ** -random.below(40)
      const ulp = 2 ** (Math.floor(Math.log2(x || 1)) - 52)
      const middle = BigInt(Math.floor(x)) * E18 + fractionOf(x) + (fractionOf(ulp) + E18 * wholeOf(ulp)) / 2n
      if (middle < E18 * E18 && middle >= 0n) {
        assertNearest(middle)
        assertNearest(middle + 1n)
      }
    }
  }
})

const wholeOf = (x: number) => BigInt(Math.floor(x))
/// The first 18 binary64 decimals of the fraction, exact: a fraction has at most 1074 bits.
function fractionOf(x: number): bigint {
  let rest = x - Math.floor(x)
  let numerator = 0n
  let bits = 0n
  for (; rest > 0 && bits < 200n; bits++) {
    rest *= 2
    numerator = numerator * 2n + (rest >= 1 ? 1n : 0n)
    if (rest >= 1) rest -= 1
  }
  return (numerator * E18) >> bits
}

test('formatAmount: plain, exact, trimmed', () => {
  assert.equal(formatAmount(0, 0, 0, 0, 0), '0')
  assert.equal(formatAmount(0, 500_000_000, 12, 0, 0), '12.5')
  assert.equal(formatAmount(0, 0, 1_000_000, 0, 0), '1000000')
  assert.equal(formatAmount(1, 0, 0, 0, 0), '0.000000000000000001')
  assert.equal(formatAmount(0, 0, 0, 0, 1), '1000000000000000000')
  assert.equal(formatAmount(-1, 0, 1, 0, 0), '0.999999999999999999')
  assert.throws(() => formatAmount(-1, 0, 0, 0, 0), /not negative/)
})

test('formatAmount and formatUsd equal BigInt on unnormalised and negative limbs', () => {
  const random = randomness('format')
  for (let i = 0; i < 20_000; i++) {
    const wide = () => {
      const magnitude =
        random.below(3) === 0 ? Number.MAX_SAFE_INTEGER - random.below(5) : random.below(2 ** 53)
      return random.below(2) === 0 ? magnitude : -magnitude
    }
    const a = [wide(), wide(), wide(), wide(), Math.abs(wide())] as const
    const sum = a.reduce((total, limb, i) => total + BigInt(limb) * 10n ** BigInt(9 * i), 0n)
    if (sum >= 0n) assert.equal(formatAmount(...a), plainOf(sum, 18))
    const [low, high] = [wide(), random.below(3) === 0 ? random.below(20_000) : Math.abs(wide())]
    const usd = BigInt(low) + BigInt(high) * 10n ** 12n
    if (usd >= 0n) assert.equal(formatUsd(low, high), plainOf(usd, 6))
  }
})

test('formatAmount and formatUsd equal BigInt where the usual case begins and ends', () => {
  const random = randomness('usual')
  const near = (n: number) => n - 3 + random.below(7)
  for (let i = 0; i < 50_000; i++) {
    const limb = () => {
      const kind = random.below(6)
      if (kind < 2) return random.below(LIMB)
      if (kind === 2) return near(random.below(9_000_000) * LIMB)
      if (kind === 3) return -near(random.below(1_000_000) * LIMB)
      return kind === 4 ? 0 : near(2 ** 52)
    }
    const a = [
      limb(),
      limb(),
      limb(),
      random.below(3) === 0 ? near(9_000_000) : random.below(9),
      random.below(2),
    ] as const
    const sum = a.reduce((total, part, j) => total + BigInt(part) * 10n ** BigInt(9 * j), 0n)
    if (sum >= 0n) assert.equal(formatAmount(...a), plainOf(sum, 18))
    const high = random.below(3) === 0 ? near(9007) : random.below(20_000) - 9_500
    const low =
      random.below(2) === 0 ? near(random.below(9_007_199_254) * 1_000_000) : -near(random.below(2 ** 53))
    const usd = BigInt(low) + BigInt(high) * 10n ** 12n
    if (usd >= 0n) assert.equal(formatUsd(low, high), plainOf(usd, 6))
  }
})

test('formatUsd: plain, exact, trimmed', () => {
  assert.equal(formatUsd(0, 0), '0')
  assert.equal(formatUsd(5_061_237_630, 0), '5061.23763')
  assert.equal(formatUsd(1, 0), '0.000001')
  assert.equal(formatUsd(MAX_MICRO_USD, 0), '9000000000')
  assert.equal(formatUsd(-1, 1), '999999.999999')
  assert.equal(formatUsd(0, 1_000_000), '1000000000000')
  assert.throws(() => formatUsd(-1, 0), /not negative/)
})

test('formatPrice: the shortest decimal, never an exponent', () => {
  assert.equal(formatPrice(0), '0')
  assert.equal(formatPrice(1e-7), '0.0000001')
  assert.equal(formatPrice(1.25e-7), '0.000000125')
  assert.equal(formatPrice(-1.5e-10), '-0.00000000015')
  assert.equal(formatPrice(1e21), '1000000000000000000000')
  assert.equal(formatPrice(1.2345e25), '12345000000000000000000000')
  assert.equal(formatPrice(123.456), '123.456')
  assert.throws(() => formatPrice(Number.NaN), /finite/)
  const random = randomness('formatPrice')
  for (let i = 0; i < 20_000; i++) {
    const x = (random.below(2 ** 53) + 1) * 10 ** (random.below(90) - 60)
    const text = formatPrice(x)
    assert.match(text, /^\d+(\.\d+)?$/)
    assert.equal(Number(text), x)
  }
})

test('priceOf: usd ÷ amount as binary64, unknown when either is 0', () => {
  assert.ok(Number.isSafeInteger(MAX_MICRO_USD))
  assert.equal(priceOf(3_000_000, 0, 0, 2, 0), 1.5)
  assert.equal(
    priceOf(5_061_237_630, 567_891_234, 678_901_234, 12345, 0),
    5061.23763 / Number('12345.678901234567891234'),
  )
  assert.equal(priceOf(0, 0, 0, 2, 0), Number.NaN)
  assert.equal(priceOf(1, 0, 0, 0, 0), Number.NaN)
})
