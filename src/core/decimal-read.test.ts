import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzSeconds, randomness } from '../../test/random/randomness.js'
import { formatAmount, formatUsd } from './decimal.js'
import { DecimalReader } from './decimal-read.js'

const reader = new DecimalReader()
const utf8 = (text: string) => new TextEncoder().encode(text)

/// The text as this module writes what it read, or the complaint.
function usd(text: string): string {
  const bytes = utf8(`x${text}"`)
  const scanned = reader.scanUsd(bytes, 1, bytes.length) === text.length + 1 ? reader.usdMicro : -1
  const wanted = reader.usd(bytes, 1, bytes.length - 1)
  if (scanned !== -1) assert.equal(scanned, wanted === null ? reader.usdMicro : wanted, `scanUsd of ${text}`)
  return wanted === null ? formatUsd(reader.usdMicro, 0) : `wanted ${wanted}`
}

function amount(text: string): string {
  const bytes = utf8(`x${text}"`)
  const limbs = () => formatAmount(reader.amount0, reader.amount1, reader.amount2, reader.amount3, 0)
  const scanned = reader.scanAmount(bytes, 1, bytes.length) === text.length + 1 ? limbs() : null
  const wanted = reader.amount(bytes, 1, bytes.length - 1)
  if (scanned !== null) assert.equal(scanned, wanted === null ? limbs() : wanted, `scanAmount of ${text}`)
  return wanted === null ? limbs() : `wanted ${wanted}`
}

function price(text: string): number | string {
  const bytes = utf8(text)
  const wanted = reader.readPrice(bytes, 0, bytes.length)
  return wanted === null ? reader.price : `wanted ${wanted}`
}

test('usd: rounded half to even on the decimal digits', () => {
  assert.equal(usd('0'), '0')
  assert.equal(usd('5061.237630'), '5061.23763')
  assert.equal(usd('007.50'), '7.5')
  assert.equal(usd('0.0000005'), '0')
  assert.equal(usd('0.00000050000000000000000000001'), '0.000001')
  assert.equal(usd('0.0000015'), '0.000002')
  assert.equal(usd('0.0000025'), '0.000002')
  assert.equal(usd('1.5e-6'), '0.000002')
  assert.equal(usd('1E+3'), '1000')
  assert.equal(usd('1.5e3'), '1500')
  assert.equal(usd('1e-60'), '0')
  assert.equal(usd('0e60'), '0')
  assert.equal(usd('9000000000'), '9000000000')
  assert.equal(usd('9000000000.0000005'), '9000000000')
  // 8999999999.9999995 is no binary64 micro-dollar multiple: reading it through binary64 would round it wrongly.
  assert.equal(usd('8999999999.9999985'), '8999999999.999998')
})

test('usd: what is refused, and what was wanted', () => {
  const wanted = 'wanted a decimal between 0 and 9000000000'
  const wrong = [
    '',
    '+1',
    '-1',
    '-0',
    'NaN',
    'Infinity',
    '0x10',
    '.5',
    '5.',
    '1e',
    '1e+',
    '1,5',
    '1 ',
    ' 1',
    '1_0',
  ]
  for (const text of [
    ...wrong,
    '1.2.3',
    '1e5.5',
    'e5',
    '٣',
    '9000000000.000001',
    '9000000001',
    '1e16',
    '1e60',
  ]) {
    assert.equal(usd(text), wanted, text)
  }
  assert.equal(usd('1e61'), 'wanted a decimal with an exponent between -60 and 60')
  assert.equal(usd('1e-99999999999'), 'wanted a decimal with an exponent between -60 and 60')
  assert.equal(usd('0'.repeat(100)), '0')
  assert.equal(usd('0'.repeat(101)), 'wanted a decimal of at most 100 characters')
})

test('amount: rounded half to even to 18 decimals', () => {
  assert.equal(amount('12345.678901234567891234'), '12345.678901234567891234')
  assert.equal(amount('0.0000000000000000005'), '0')
  assert.equal(amount('0.0000000000000000015'), '0.000000000000000002')
  assert.equal(amount('0.9999999999999999999'), '1')
  assert.equal(amount('999999999.9999999999999999995'), '1000000000')
  assert.equal(amount('999999999999999999.999999999999999999'), '999999999999999999.999999999999999999')
  assert.equal(amount('1e17'), '100000000000000000')
  assert.equal(amount('123456789123456789e-18'), '0.123456789123456789')
  for (const text of [
    '1e18',
    '1000000000000000000',
    '999999999999999999.9999999999999999995',
    '-1',
    '1e1e1',
  ]) {
    assert.equal(amount(text), 'wanted a decimal from 0 to below 1000000000000000000', text)
  }
})

test('price: the nearest binary64 within 1e-40 and 1e40', () => {
  for (const text of [
    '1',
    '0.1',
    '123.456',
    '1e-40',
    '1e40',
    '0.30000000000000004',
    '9007199254740993',
    '1e23',
  ]) {
    assert.equal(price(text), Number(text), text)
  }
  for (const text of ['0', '1e-41', '1.1e40', 'NaN', '', '-1', '0.0']) {
    assert.equal(price(text), 'wanted a decimal between 1e-40 and 1e40', text)
  }
})

/// Rounds the decimal to `decimals` by BigInt, half to even: the oracle.
function rounded(digits: string, exponent: number, decimals: number): bigint {
  const shift = exponent + decimals
  const value = BigInt(digits)
  if (shift >= 0) return value * 10n ** BigInt(shift)
  const unit = 10n ** BigInt(-shift)
  const [quotient, rest] = [value / unit, (value % unit) * 2n]
  return rest > unit || (rest === unit && quotient % 2n === 1n) ? quotient + 1n : quotient
}

test('every spelling of a decimal equals its BigInt rounding', () => {
  const random = randomness('decimal-read')
  const until = performance.now() + fuzzSeconds() * 1000
  for (let i = 0; i < 20_000 || performance.now() < until; i++) {
    let digits = ''
    const length = 1 + random.below(random.pick([4, 12, 40]))
    while (digits.length < length) digits += random.pick(['0', '5', '9', String(random.below(10))])
    const point = random.below(3) === 0 ? 0 : random.below(length)
    const exponent = random.below(2) === 0 ? 0 : random.below(121) - 60
    const mantissa = point === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`
    const text = exponent === 0 ? mantissa : `${mantissa}${random.pick(['e', 'E'])}${exponent}`
    const scale = exponent - (point === 0 ? 0 : length - point)

    const micro = rounded(digits, scale, 6)
    const gotUsd = usd(text)
    if (micro > 9_000_000_000_000_000n) assert.match(gotUsd, /^wanted/, text)
    else assert.equal(BigInt(reader.usdMicro), micro, text)

    const atto = rounded(digits, scale, 18)
    const gotAmount = amount(text)
    if (atto >= 10n ** 36n) assert.match(gotAmount, /^wanted/, text)
    else {
      const limbs = [reader.amount0, reader.amount1, reader.amount2, reader.amount3]
      assert.equal(
        limbs.reduceRight((sum, limb) => sum * 1_000_000_000n + BigInt(limb), 0n),
        atto,
        text,
      )
    }

    const nearest = Number(text)
    if (nearest >= 1e-40 && nearest <= 1e40) assert.equal(price(text), nearest, text)
    else assert.match(String(price(text)), /^wanted/, text)
  }
})
