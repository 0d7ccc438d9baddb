import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bytes,
  compact,
  count,
  delay,
  exact,
  percent,
  price,
  quantity,
  shortCount,
  shortName,
  span,
  usd,
  windowLabel,
  windowMs,
} from './format.js'

test('an amount of tokens has three significant digits, however small it is', () => {
  shows(quantity, [
    ['0', '0'],
    ['1234567.8', '1.23M'],
    ['812', '812'],
    ['8.125', '8.13'],
    ['0.9996', '1.00'],
    ['0.9994', '0.999'],
    ['0.8124', '0.812'],
    ['0.0048349', '0.00483'],
    ['0.001', '0.00100'],
    ['0.0000048349', '0.0₅483'],
  ])
})

/// Each line: what is given, what is shown.
function shows<T>(format: (value: T) => string, cases: readonly (readonly [T, string])[]): void {
  for (const [value, text] of cases) assert.equal(format(value), text, String(value))
}

test('three digits and a unit; what would be rounded up to 1,000 has the next unit', () => {
  shows(compact, [
    [0, '0'],
    [999.4, '999'],
    [999.5, '1.00K'],
    [12_345, '12.3K'],
    [-3400, '−3.40K'],
    [999_499, '999K'],
    [999_500, '1.00M'],
    [1.2345e15, '1.23Q'],
    [1e21, '1.00e+6Q'],
    [Number.NaN, '—'],
  ])
})

test('dollars', () => {
  shows(usd, [
    ['1241000.25', '$1.24M'],
    ['812.4', '$812'],
    ['99.95', '$100'],
    ['99.94', '$99.9'],
    ['8.123', '$8.12'],
    ['0.001', '<$0.01'],
    ['-0.001', '−<$0.01'],
    ['0', '$0.00'],
    [null, '—'],
  ])
})

test('prices have five digits or so, and leading zeros are counted', () => {
  shows(price, [
    ['84040.44895674', '84,040.45'],
    ['189.8', '189.80'],
    ['16.384', '16.384'],
    ['2.301', '2.3010'],
    ['0.0123', '0.01230'],
    ['0.0000134', '0.0₄1340'],
    ['0.0000000000000001', '0.0₁₅1000'],
    ['99.9999', '100.000'],
    ['0', '0'],
    [null, '—'],
  ])
})

test('changes have a sign, but for none', () => {
  shows(percent, [
    [1.254, '+1.25%'],
    [-0.344, '−0.34%'],
    [0.004, '0.00%'],
    [-0.004, '0.00%'],
    [123.44, '+123.4%'],
    [1_234_567, '+1.23M%'],
    [null, '—'],
  ])
})

test('counts, exact texts, sizes, delays, spans', () => {
  shows(count, [
    [12_345, '12,345'],
    [-12_345, '−12,345'],
    [1_234_567, '1.23M'],
  ])
  shows(shortCount, [
    [9999, '9,999'],
    [12_345, '12.3K'],
  ])
  shows(exact, [
    ['2407396.461103', '2,407,396.461103'],
    ['-1000', '−1,000'],
    ['12', '12'],
  ])
  shows(bytes, [
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [3.5 * 2 ** 30, '3.5 GiB'],
  ])
  shows(delay, [
    [0.84, '0.8 ms'],
    [12.3, '12 ms'],
    [1254, '1.25 s'],
    [12_540, '12.5 s'],
  ])
  shows(span, [
    [8900, '8 s'],
    [3_599_999, '59 min'],
    [90_000_000, '1 d'],
    [-5, '0 s'],
  ])
})

test('names are cut in the middle, windows are told as people write them', () => {
  shows(shortName, [
    ['0x6982508145454ce325ddbe47a25d4ec3d2311933', '0x698250…311933'],
    ['sixteen-letters!', 'sixteen-letters!'],
  ])
  shows(windowLabel, [
    ['m5', '5m'],
    ['h24', '24h'],
  ])
  assert.deepEqual(['ms500', 'm5', 'h24'].map(windowMs), [500, 300_000, 86_400_000])
})
