import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, randomness, seeded } from '../../../test/random/randomness.js'
import { FIELDS_PER_WINDOW, type StatsUpdate, type TokenStats } from '../../core/stats.js'
import { epochMs, offset, tick } from '../../core/units.js'
import { readBatches, readRecords } from './record-batch.js'
import { RecordBatchBuilder, type RecordParts } from './record-batch-builder.js'
import { StatsRecordCodec, StatsRecordError, statsLayout } from './stats-record.js'

const ROUNDS = 40
const WINDOWS = [60_000, 300_000, 3_600_000, 86_400_000]
const layout = statsLayout(WINDOWS, 1000)
const codec = new StatsRecordCodec(layout)

function randomStats(random: Random): TokenStats {
  const cells = new Float64Array(WINDOWS.length * FIELDS_PER_WINDOW)
  const values = [0, Number.NaN, 1, 1e12 - 1, 2 ** 52, 0.1, -3.5, 1e-300]
  for (let i = 0; i < cells.length; i++) {
    const same = i >= FIELDS_PER_WINDOW && random.below(2) === 0
    cells[i] = same ? (cells[i - FIELDS_PER_WINDOW] ?? 0) : (values[random.below(values.length)] ?? 0)
  }
  const at = random.below(2 ** 31)
  return {
    token: `T${random.below(1000)}🦄`,
    partition: random.below(100),
    offset: offset(random.below(2 ** 31) * 2 ** 20),
    tick: tick(at),
    asOf: epochMs(at * 1000),
    price: random.below(2) === 0 ? Number.NaN : random.below(1e9) / 7,
    firstSeen: epochMs(random.below(2 ** 31) * 1000),
    lastSeen: epochMs(random.below(2 ** 31) * 1000),
    cells,
    rolledAt: epochMs(1_790_000_000_000 + random.below(10_000)),
  }
}

/// Through a record batch, as over Kafka.
function through(...parts: RecordParts[]): (reader: StatsRecordCodec, i: number) => StatsUpdate {
  const builder = new RecordBatchBuilder()
  for (const one of parts) builder.addParts(one)
  const [batch] = readBatches(builder.finish({ producerId: 1, producerEpoch: 0, baseSequence: 0 }))
  assert.ok(batch !== undefined)
  const columns = readRecords(batch)
  return (reader, i) => reader.decode(columns, i, batch.baseTimestampMs)
}

const copied = (parts: RecordParts): RecordParts => ({
  ...parts,
  value: parts.value && Buffer.from(parts.value),
})
const encode = (update: StatsUpdate, nowMs = 5) =>
  copied(codec.encode(update, Buffer.from(update.token), nowMs))

test('statistics come back as they were', () => {
  const random = randomness('statistics come back as they were')
  for (let round = 0; round < ROUNDS; round++) {
    const updates = Array.from({ length: 20 }, () => randomStats(random))
    const decode = through(...updates.map(update => encode(update)))
    updates.forEach((update, i) => {
      assert.deepEqual(decode(codec, i), update)
    })
  }
})

test('the value depends on the statistics alone', () => {
  const random = randomness('the value depends on the statistics alone')
  for (let round = 0; round < ROUNDS; round++) {
    const stats = randomStats(random)
    const again: TokenStats = { ...stats, cells: stats.cells.slice(), rolledAt: epochMs(7) }
    // Another NaN, as another engine or replica may have.
    const bits = new BigUint64Array(again.cells.buffer)
    again.cells.forEach((cell, i) => {
      if (Number.isNaN(cell)) bits[i] = 0xfff8_0000_0000_0001n
    })
    assert.deepEqual(encode(again).value, encode(stats).value)
  }
})

test('a token that is gone keeps its version', () => {
  const gone: StatsUpdate = {
    token: 'BTC',
    partition: 3,
    offset: offset(2 ** 40),
    tick: tick(1_790_000_000),
    cells: null,
  }
  const parts = encode(gone, 1000)
  assert.equal(parts.value, null)
  assert.deepEqual(through(parts)(codec, 0), { ...gone, rolledAt: 1000 })
})

test('equal windows cost four bytes each', () => {
  const cells = new Float64Array(WINDOWS.length * FIELDS_PER_WINDOW).fill(7)
  const stats = { ...randomStats(seeded(1)), cells }
  assert.equal(encode(stats).value?.length, 52 + 4 * WINDOWS.length + 8 * FIELDS_PER_WINDOW)
})

test('what is no update is told from one of another configuration or version', () => {
  const random = randomness('what is no update is told from one of another configuration or version')
  for (let round = 0; round < ROUNDS; round++) {
    const good = encode(randomStats(random))
    assert.ok(good.value !== null && good.value !== undefined)
    const poison = (change: Partial<RecordParts>, foreign: boolean, reader = codec) => {
      assert.throws(
        () => through({ ...good, ...change })(reader, 0),
        (error: unknown) => error instanceof StatsRecordError && error.foreign === foreign,
      )
    }
    poison({ key: null }, false)
    poison({ value: null }, false)
    poison({ value: Buffer.alloc(0) }, false)
    poison({ value: good.value.subarray(0, good.value.length - 1) }, false)
    poison({ value: Buffer.concat([good.value, Buffer.alloc(1)]) }, false)
    poison({ value: Buffer.concat([Buffer.from([2]), good.value.subarray(1)]) }, true)
    poison({}, true, new StatsRecordCodec(statsLayout([60_000, 300_000, 3_600_000, 7_200_000], 1000)))
    poison({}, true, new StatsRecordCodec(statsLayout(WINDOWS, 500)))
  }
})
