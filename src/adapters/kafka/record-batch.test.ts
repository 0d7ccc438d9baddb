import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { crc32c } from '@platformatic/kafka'
import { snappyCompress } from '@platformatic/wasm-utils'
import { type Random, randomness } from '../../../test/random/randomness.js'
import {
  BrokenBatchError,
  isWhole,
  type RecordBatch,
  readBatches,
  readHeaders,
  readRecords,
} from './record-batch.js'
import { RecordBatchBuilder, type RecordParts } from './record-batch-builder.js'

const ROUNDS = 40
const STAMP = { producerId: 4711, producerEpoch: 3, baseSequence: 77 }

function build(records: readonly RecordParts[]): Buffer {
  const builder = new RecordBatchBuilder(64)
  for (const record of records) builder.addParts(record)
  return builder.finish(STAMP)
}

function only(bytes: Buffer): RecordBatch {
  const [batch, ...more] = readBatches(bytes)
  assert.ok(batch !== undefined && more.length === 0)
  return batch
}

function plain(batch: RecordBatch): RecordParts[] {
  const columns = readRecords(batch)
  const range = (at: Int32Array, length: Int32Array, i: number): Buffer | null => {
    const from = at[i] ?? 0
    return (length[i] ?? -1) < 0 ? null : columns.bytes.subarray(from, from + (length[i] ?? 0))
  }
  return Array.from({ length: columns.count }, (_, i) => ({
    key: range(columns.keyAt, columns.keyLength, i),
    value: range(columns.valueAt, columns.valueLength, i),
    headers: [...readHeaders(columns.bytes, columns.headersAt[i] ?? 0)],
    timestampMs: batch.baseTimestampMs + (columns.timestampDelta[i] ?? 0),
  }))
}

function randomRecords(random: Random): RecordParts[] {
  const bytes = (most: number) => Buffer.alloc(random.below(most), `${random.below(1e6)}`)
  return Array.from({ length: 1 + random.below(200) }, () => ({
    key: random.below(5) === 0 ? null : bytes(130),
    value: random.below(5) === 0 ? null : bytes(random.below(20) === 0 ? 70_000 : 400),
    headers: Array.from({ length: random.below(3) }, (_, i): [string, Buffer] => [`ü${i}`, bytes(200)]),
    timestampMs: 1_790_000_000_000 + random.below(10_000_000) - 5_000_000,
  }))
}

test('what is written is read back, however it looks', () => {
  const random = randomness('what is written is read back, however it looks')
  for (let round = 0; round < ROUNDS; round++) {
    const records = randomRecords(random)
    const batch = only(build(records))
    assert.ok(isWhole(batch))
    assert.deepEqual(
      [batch.baseOffset, batch.endOffset, batch.count, batch.producerId, batch.control, batch.transactional],
      [0, records.length, records.length, STAMP.producerId, false, false],
    )
    assert.equal(batch.appendTimeMs, null, 'the producer’s times, until the broker sets its own')
    assert.deepEqual(plain(batch), records)
  }
})

test('records that are ranges of a buffer are the same as records in parts', () => {
  const source = Buffer.from('....BTC....{"id":"1"}....')
  const builder = new RecordBatchBuilder()
  for (let i = 0; i < 300; i++) builder.add(source, 4, 3, 11, 10, 1000 + i)
  const want = Array.from({ length: 300 }, (_, i) => ({
    key: Buffer.from('BTC'),
    value: Buffer.from('{"id":"1"}'),
    timestampMs: 1000 + i,
  }))
  assert.deepEqual(builder.finish(STAMP), build(want))
  const first = builder.finish(STAMP)
  builder.clear()
  for (let i = 0; i < 300; i++) builder.add(source, 4, 3, 11, 10, 1000 + i)
  assert.deepEqual(builder.finish(STAMP), first, 'a cleared builder begins anew')
})

test('batches one after the other are read, a last one that is cut off is not', () => {
  const batches = [1, 2, 3].map(count =>
    build(
      Array.from({ length: count }, (_, i) => ({ key: null, value: Buffer.from(`${i}`), timestampMs: 5 })),
    ),
  )
  const all = Buffer.concat(batches)
  assert.deepEqual(
    readBatches(all).map(({ count }) => count),
    [1, 2, 3],
  )
  const last = batches[2]?.length ?? 0
  for (let cut = 1; cut <= last; cut++) {
    assert.deepEqual(
      readBatches(all.subarray(0, all.length - cut)).map(({ count }) => count),
      [1, 2],
      `${cut} bytes cut off`,
    )
  }
})

test('a bit that flips anywhere below the checksum is noticed', () => {
  const bytes = build([{ key: Buffer.from('k'), value: Buffer.from('v'.repeat(400)), timestampMs: 5 }])
  for (let at = 17; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 4
    assert.ok(!isWhole(only(damaged)), `byte ${at}`)
  }
})

/// A batch with these records, already compressed, and this count.
function withRecords(records: Buffer, count: number, codec: number): Buffer {
  const batch = Buffer.concat([build([{ key: null, value: null, timestampMs: 0 }]).subarray(0, 61), records])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt16BE(codec, 21)
  batch.writeInt32BE(count - 1, 23)
  batch.writeInt32BE(count, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

test('records that are none are a broken batch, whatever the codec makes of them', () => {
  const garbage = [Buffer.alloc(0), Buffer.from('garbage'), Buffer.alloc(1000, 0xff), Buffer.alloc(1000)]
  for (const codec of [0, 1, 2, 3, 4, 5, 7]) {
    for (const bytes of garbage) {
      const batch = only(withRecords(bytes, 3, codec))
      assert.ok(isWhole(batch))
      assert.throws(() => readRecords(batch), BrokenBatchError, `codec ${codec}`)
    }
  }
  // And the codecs work on afterwards.
  const good = build([{ key: null, value: Buffer.alloc(5000, 'x'), timestampMs: 1 }])
  assert.equal(plain(only(good))[0]?.value?.length, 5000)
})

test('mutated records never do more than break the batch', () => {
  const random = randomness('mutated records never do more than break the batch')
  for (let round = 0; round < ROUNDS; round++) {
    const records = randomRecords(random)
    const uncompressed = readRecords(only(build(records))).bytes
    const bytes = Buffer.from(uncompressed)
    for (let flips = 1 + random.below(4); flips > 0; flips--) {
      bytes[random.below(bytes.length)] = random.below(256)
    }
    const batch = only(withRecords(bytes, records.length + random.below(3) - 1, 0))
    try {
      const columns = readRecords(batch)
      for (let i = 0; i < columns.count; i++) {
        const [at = 0, length = 0] = [columns.valueAt[i], columns.valueLength[i]]
        assert.ok(length < 0 || at + length <= columns.bytes.length)
        readHeaders(columns.bytes, columns.headersAt[i] ?? 0)
      }
    } catch (error) {
      assert.ok(error instanceof BrokenBatchError, String(error))
    }
  }
})

test('what decompresses to more than the bound is a broken batch', () => {
  const bomb = Buffer.alloc(200 * 1024 * 1024)
  for (const [codec, packed] of [
    [1, gzipSync(bomb)],
    [2, snappyCompress(bomb)],
  ] as const) {
    assert.throws(() => readRecords(only(withRecords(packed, 1, codec))), BrokenBatchError)
  }
})
