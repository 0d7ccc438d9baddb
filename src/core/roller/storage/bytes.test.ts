import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { ByteReader, ByteWriter } from './bytes.js'

const LARGEST = Number.MAX_SAFE_INTEGER

// Symptom: a block number came back as another one. Cause: differences were written as twice themselves, and odd numbers
// above 2^53 are none in binary64; two block numbers may lie 2^53 apart. Fix: the sign is a bit of the first byte.
test('differences of any two safe integers come back', () => {
  const random = randomness('bytes, signed')
  const values = [0, 1, -1, 63, -63, 64, -64, LARGEST, -LARGEST, 2 ** 52 + 1, -(2 ** 52) - 1]
  for (let i = 0; i < 2000; i++)
    values.push((random.below(2) * 2 - 1) * random.below(2 ** random.below(54)) + 0)
  const out = new ByteWriter()
  for (const value of values) out.signed(value)
  const reader = new ByteReader(out.take())
  for (const value of values) assert.equal(reader.signed(), value + 0)
  assert.ok(reader.done)
})

test('small values are short', () => {
  const lengthOf = (write: (out: ByteWriter) => void) => {
    const out = new ByteWriter()
    write(out)
    return out.length
  }
  for (const [value, length] of [
    [127, 1],
    [128, 2],
    [2 ** 28 - 1, 4],
    [2 ** 28, 5],
    [LARGEST, 8],
  ] as const) {
    assert.equal(
      lengthOf(out => out.varint(value)),
      length,
    )
  }
  for (const [value, length] of [
    [-63, 1],
    [64, 2],
    [-8191, 2],
    [8192, 3],
  ] as const) {
    assert.equal(
      lengthOf(out => out.signed(value)),
      length,
    )
  }
})

test('reading past the end is an error', () => {
  assert.throws(() => new ByteReader(new Uint8Array([0x80])).varint(), { code: 'E_INVARIANT' })
  assert.throws(() => new ByteReader(new Uint8Array([5, 1])).sized(), { code: 'E_INVARIANT' })
})
