import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chainPlace } from './chain-place.js'
import { JsonDecoder } from './decode/json-decoder.js'

/// Given in chain order: each of these comes after the one before.
const ASCENDING: readonly Record<string, unknown>[] = [
  { time: 0, id: 'z' },
  { time: 255, id: 'z' },
  { time: 256, id: 'z' },
  { time: 2 ** 32 - 1, id: 'z' },
  { time: 2 ** 32, id: 'a' },
  { time: 2 ** 32, id: 'aa' },
  { time: 2 ** 32, id: 'b' },
  { time: 2 ** 32, id: 'é' },
  { time: 2 ** 32, id: '🦄' },
  { time: 2 ** 32, id: 'a', logIndex: 0 },
  { time: 2 ** 32, id: 'a', txIndex: 0 },
  { time: 2 ** 32, id: 'a', txIndex: 0, logIndex: 2 ** 31 - 1 },
  { time: 2 ** 32, id: 'a', txIndex: 2 ** 31 - 1 },
  { time: 2 ** 32, id: 'a', block: 0 },
  { time: 2 ** 32, id: 'a', block: 255, txIndex: 1, logIndex: 1 },
  { time: 2 ** 32, id: 'a', block: 256, txIndex: 0, logIndex: 0 },
  { time: 2 ** 32, id: 'a', block: 2 ** 53 - 1, txIndex: 0, logIndex: 0 },
  { time: 253_402_300_799_999, id: 'a' },
]

function places(swaps: readonly Record<string, unknown>[]): Uint8Array[] {
  const common = { who: 'w', token: 'T', side: 'buy', amount: '1', usd: '1' }
  const lines = swaps.map(swap => JSON.stringify({ ...common, ...swap })).join('\n')
  const { batch, rejects } = new JsonDecoder().decodeLines(Buffer.from(lines))
  assert.deepEqual(rejects, [])
  return swaps.map((_, row) => chainPlace(batch, row))
}

test('places compare as chain order does', () => {
  const bytes = places(ASCENDING)
  for (const [i, place] of bytes.entries()) {
    for (const [j, other] of bytes.entries()) {
      const expected = Math.sign(i - j)
      assert.equal(Buffer.compare(place, other), expected, `${i} and ${j}`)
    }
  }
})

test('where the chain decides all, two ids that claim one place are told apart by their fingerprints', () => {
  const place = { time: 5, block: 1, txIndex: 2, logIndex: 3 }
  const [a, b, again] = places([
    { ...place, id: 'a' },
    { ...place, id: 'b' },
    { ...place, id: 'a' },
  ])
  assert.ok(a !== undefined && b !== undefined && again !== undefined)
  assert.equal(a.length, 32)
  assert.notDeepEqual(a, b)
  assert.deepEqual(a, again)
})
