import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionOf } from './partition.js'

const encoder = new TextEncoder()

test("murmur2 gives the values of Apache Kafka's own tests", () => {
  const expected: [string, number][] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [text, hash] of expected) {
    const bytes = encoder.encode(text)
    assert.equal(murmur2(bytes, 0, bytes.length), hash, text)
  }
})

test('a range inside a larger buffer hashes like the bytes alone', () => {
  const bytes = encoder.encode('xxfoobaryy')
  assert.equal(murmur2(bytes, 2, 6), -790332482)
})

test('partitions cover 0 … n − 1, and one partition takes everything', () => {
  const seen = new Set<number>()
  for (let i = 0; i < 200; i++) {
    const bytes = encoder.encode(`T${i}`)
    seen.add(partitionOf(bytes, 0, bytes.length, 5))
    assert.equal(partitionOf(bytes, 0, bytes.length, 1), 0)
  }
  assert.deepEqual([...seen].sort(), [0, 1, 2, 3, 4])
})
