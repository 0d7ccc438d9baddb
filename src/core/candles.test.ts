import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bucketOf, type Candle, filled, formatMicroUsd } from './candles.js'
import { epochMs } from './units.js'

const MINUTE = 60_000

function candle(minute: number, close: number | null): Candle {
  const prices = { open: close, high: close, low: close, close }
  return { time: epochMs(minute * MINUTE), ...prices, buyUsd: 5n, sellUsd: 0n, buys: 1, sells: 0, traders: 1 }
}

const shown = (candles: readonly Candle[]) =>
  candles.map(({ time, open, close, buys }) => [time / MINUTE, open, close, buys])

test('a bucket holds its beginning and not its end', () => {
  assert.equal(bucketOf(119_999, MINUTE), 60_000)
  assert.equal(bucketOf(120_000, MINUTE), 120_000)
  assert.equal(bucketOf(0, 86_400_000), 0)
})

test('filling: every bucket of the range, with nothing, nulls, or the close before', () => {
  const given = [candle(2, 7), candle(4, null), candle(6, 9)]
  const range = { from: MINUTE, to: 8 * MINUTE, intervalMs: MINUTE }
  assert.equal(filled(given, 'none', range, 5), given)
  assert.deepEqual(shown(filled(given, 'null', range, 5)), [
    [1, null, null, 0],
    [2, 7, 7, 1],
    [3, null, null, 0],
    [4, null, null, 1],
    [5, null, null, 0],
    [6, 9, 9, 1],
    [7, null, null, 0],
  ])
  assert.deepEqual(shown(filled(given, 'previous', range, 5)), [
    [1, 5, 5, 0],
    [2, 7, 7, 1],
    [3, 7, 7, 0],
    [4, null, null, 1],
    [5, 7, 7, 0],
    [6, 9, 9, 1],
    [7, 9, 9, 0],
  ])
  assert.deepEqual(shown(filled([], 'previous', { ...range, to: 3 * MINUTE }, null)), [
    [1, null, null, 0],
    [2, null, null, 0],
  ])
})

test('a range that begins within a bucket begins with the next one', () => {
  const range = { from: MINUTE + 1, to: 3 * MINUTE, intervalMs: MINUTE }
  assert.deepEqual(shown(filled([], 'null', range, null)), [[2, null, null, 0]])
})

test('micro-dollars as text, beyond 2^53 too', () => {
  assert.equal(formatMicroUsd(0n), '0')
  assert.equal(formatMicroUsd(1_500_000n), '1.5')
  assert.equal(formatMicroUsd(1n), '0.000001')
  assert.equal(formatMicroUsd(123_456_789_012_345_678_901_234_567n), '123456789012345678901.234567')
})
