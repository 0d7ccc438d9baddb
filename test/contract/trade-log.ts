/// What every TradeLog keeps (src/ports/trade-log.ts).
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import type { KeyedRecords } from '../../src/core/keyed-records.js'
import { partitionOf } from '../../src/core/partition.js'
import { offset } from '../../src/core/units.js'
import type { Clock } from '../../src/ports/clock.js'
import type { LogBatch, TradeLog } from '../../src/ports/trade-log.js'
import { append, keyedLines } from './append.js'

/// Opens an empty log that goes with the test.
export type OpenTradeLog = (
  t: TestContext,
  opening: { readonly partitions: number },
) => TradeLog | Promise<TradeLog>

/// `count` lines that say which records they are.
export function lines(first: number, count: number): Buffer {
  let text = ''
  for (let i = 0; i < count; i++) text += `{"record":${first + i}}\n`
  return Buffer.from(text)
}

/// The records of a batch as they are stored.
export function texts({ bytes, ranges, count, broken }: LogBatch): string[] {
  assert.equal(broken, null)
  if (ranges !== null) {
    assert.equal(ranges.at.length, count)
    const ends = Array.from(ranges.at, (at, i) => at + (ranges.length[i] ?? 0))
    return ends.map((end, i) => Buffer.from(bytes.subarray(ranges.at[i], end)).toString())
  }
  const text = Buffer.from(bytes).toString()
  assert.ok(text.endsWith('\n') || count === 0, 'each record ends with a newline')
  return count === 0 ? [] : text.slice(0, -1).split('\n')
}

/// The record numbers of a batch, as `lines` wrote them.
export function records(batch: LogBatch): number[] {
  const found = texts(batch).map(line => Number(/^\{"record":(\d+)\}$/.exec(line)?.[1]))
  assert.equal(found.length, batch.count)
  return found
}

/// Follows until `end` is reached.
export async function readTo(
  log: TradeLog,
  partition: number,
  from: number,
  end: number,
): Promise<LogBatch[]> {
  const batches: LogBatch[] = []
  if (from >= end) return batches
  for await (const batch of log.follow(partition, offset(from), new AbortController().signal)) {
    batches.push(batch)
    if (batch.firstOffset + batch.count >= end) break
  }
  return batches
}

const upTo = (end: number, from = 0) => Array.from({ length: end - from }, (_, i) => from + i)

export function tradeLogContract(name: string, open: OpenTradeLog): void {
  const opened = async (t: TestContext, partitions = 1) => {
    const log = await open(t, { partitions })
    t.after(() => log.close())
    return log
  }

  describe(`TradeLog, ${name}`, { concurrency: false }, () => {
    test('an empty log has no records and follows what comes', async t => {
      const log = await opened(t)
      assert.deepEqual(await log.lookUpBounds(0), { first: 0, end: 0 })
      const read = readTo(log, 0, 0, 2)
      await append(log, 0, lines(0, 2), 2)
      assert.deepEqual((await read).flatMap(records), [0, 1])
    })

    test('offsets are given in order, records read back in it, each once', async t => {
      const log = await opened(t)
      const appends = []
      for (let i = 0; i < 50; i++) appends.push(append(log, 0, lines(i * 3, 3), 3))
      const appended = await Promise.all(appends)
      assert.deepEqual(
        appended,
        appended.map((_, i) => ({ partition: 0, firstOffset: i * 3, count: 3 })),
      )
      assert.deepEqual(await log.lookUpBounds(0), { first: 0, end: 150 })
      const batches = await readTo(log, 0, 0, 150)
      assert.deepEqual(batches.flatMap(records), upTo(150))
      let next = 0
      for (const { firstOffset, count } of batches) {
        assert.equal(firstOffset, next)
        next += count
      }
    })

    test('a follower that begins inside a batch gets that batch first', async t => {
      const log = await opened(t)
      for (let i = 0; i < 4; i++) await append(log, 0, lines(i * 10, 10), 10)
      const [first] = await readTo(log, 0, 25, 40)
      assert.equal(first?.firstOffset, 20)
      const [exact] = await readTo(log, 0, 30, 40)
      assert.equal(exact?.firstOffset, 30)
    })

    test('positions outside the log are refused', async t => {
      const log = await opened(t)
      await append(log, 0, lines(0, 3), 3)
      const beyond = log.follow(0, offset(4), new AbortController().signal)[Symbol.asyncIterator]()
      await assert.rejects(beyond.next(), { code: 'E_OFFSET_GONE' })
    })

    test('append times are stored: every reader sees the same ones', async t => {
      const log = await opened(t)
      for (let i = 0; i < 5; i++) await append(log, 0, lines(i, 1), 1)
      const times = async (from: number) =>
        (await readTo(log, 0, from, 5)).map(({ firstOffset, appendTime }) => [firstOffset, appendTime])
      const all = await times(0)
      assert.deepEqual(await times(0), all)
      assert.deepEqual(await times(3), all.slice(3))
      assert.ok(all.every(([, time]) => time !== undefined && time > 0))
    })

    test('a record’s partition is its token’s, and partitions are logs of their own', async t => {
      const log = await opened(t, 3)
      assert.equal(log.partitions, 3)
      const tokens = Array.from({ length: 60 }, (_, i) => `T${i % 17}é`)
      const pieces = [0, 1, 2].map(third => mixedRecords(tokens.slice(third * 20, third * 20 + 20)))
      const appended = await log.append(pieces)
      for (const partition of [0, 1, 2]) {
        const want = tokens.filter(token => {
          const key = Buffer.from(token)
          return partitionOf(key, 0, key.length, 3) === partition
        })
        const end = want.length
        assert.ok(end > 0, 'every partition is used')
        assert.deepEqual(
          appended.filter(part => part.partition === partition),
          [{ partition, count: end, end }],
        )
        assert.equal((await log.lookUpBounds(partition)).end, end)
        const read = (await readTo(log, partition, 0, end)).flatMap(texts)
        assert.deepEqual(
          read,
          want.map(token => `{"token":"${token}"}`),
        )
      }
    })

    test('the columns of an append are the caller’s again when the call returns', async t => {
      const log = await opened(t, 2)
      const piece = keyedLines(lines(0, 4), 'BTC')
      const appending = log.append([piece])
      for (const column of [piece.recordAt, piece.recordLength, piece.tokenAt, piece.tokenLength])
        column.fill(1)
      const [{ partition, end } = { partition: 0, end: 0 }] = await appending
      assert.deepEqual((await readTo(log, partition, 0, end)).flatMap(records), [0, 1, 2, 3])
    })

    test('followers at every position see all that comes, while it is appended', async t => {
      const log = await opened(t)
      const end = 600
      const readers = []
      for (let i = 0; i < end; i += 6) {
        if (i % 60 === 0) readers.push(readTo(log, 0, i, end).then(batches => ({ from: i, batches })))
        await append(log, 0, lines(i, 6), 6)
      }
      for (const { from, batches } of await Promise.all(readers)) {
        assert.deepEqual(batches.flatMap(records), upTo(end, from))
      }
    })

    test('aborting ends a follower without an error, waiting or not', async t => {
      const log = await opened(t)
      await append(log, 0, lines(0, 1), 1)
      const abort = new AbortController()
      const seen: number[] = []
      const reading = (async () => {
        for await (const batch of log.follow(0, offset(0), abort.signal)) {
          seen.push(...records(batch))
          // The follower waits at the end when this fires.
          setImmediate(() => abort.abort())
        }
      })()
      await reading
      assert.deepEqual(seen, [0])
      for await (const _ of log.follow(0, offset(0), abort.signal))
        assert.fail('an aborted follower reads nothing')
    })

    test('what a follower has read is known of the bounds', async t => {
      const log = await opened(t)
      await append(log, 0, lines(0, 5), 5)
      await readTo(log, 0, 0, 5)
      assert.deepEqual(log.bounds(0), { first: 0, end: 5 })
    })

    test('closing waits for appends under way and ends the followers', async t => {
      const log = await opened(t)
      const seen: number[] = []
      const reading = (async () => {
        for await (const batch of log.follow(0, offset(0), new AbortController().signal))
          seen.push(...records(batch))
      })()
      await append(log, 0, lines(0, 1), 1)
      const appending = append(log, 0, lines(1, 1), 1)
      await log.close()
      assert.equal((await appending).firstOffset, 1)
      await reading
      assert.deepEqual(seen, upTo(seen.length))
    })
  })
}

/// One record per token, with other bytes around each.
function mixedRecords(tokens: readonly string[]): KeyedRecords {
  const size = tokens.length
  const column = () => new Int32Array(size)
  const [recordAt, recordLength, tokenAt, tokenLength] = [column(), column(), column(), column()]
  let bytes = Buffer.from(' ,')
  tokens.forEach((token, i) => {
    const record = Buffer.from(`{"token":"${token}"}`)
    recordAt[i] = bytes.length
    recordLength[i] = record.length
    tokenAt[i] = bytes.length + '{"token":"'.length
    tokenLength[i] = Buffer.byteLength(token)
    bytes = Buffer.concat([bytes, record, Buffer.from(' ,')])
  })
  return { size, bytes, recordAt, recordLength, tokenAt, tokenLength }
}

export interface LocalTradeLogOpening {
  readonly clock: Clock
  readonly partitions: number
  /// The test drops what is released above this size.
  readonly sizeBytesMax: number
}

/// What every TradeLog keeps besides whose clock and room are this process's.
export function localTradeLogContract(
  name: string,
  open: (t: TestContext, opening: LocalTradeLogOpening) => TradeLog,
): void {
  const opened = (t: TestContext, sizeBytesMax = 2 ** 31) => {
    const clock = new ManualClock(1_000_000)
    const log = open(t, { clock, partitions: 1, sizeBytesMax })
    t.after(() => log.close())
    return { log, clock }
  }

  tradeLogContract(name, (t, { partitions }) =>
    open(t, { clock: new ManualClock(1_000_000), partitions, sizeBytesMax: 2 ** 31 }),
  )

  describe(`TradeLog of this process, ${name}`, () => {
    test('append times never decrease, though the clock does', async t => {
      const { log, clock } = opened(t)
      await append(log, 0, lines(0, 1), 1)
      clock.moveTo(900_000)
      await append(log, 0, lines(1, 1), 1)
      clock.moveTo(1_500_000)
      await append(log, 0, lines(2, 1), 1)
      const times = (await readTo(log, 0, 0, 3)).map(batch => batch.appendTime)
      assert.deepEqual(times, [1_000_000, 1_000_000, 1_500_000])
    })

    test('what is released goes above the size bound, and nothing else', async t => {
      const { log } = opened(t, 10_000)
      for (let i = 0; i < 100; i++) await append(log, 0, lines(i * 20, 20), 20)
      assert.deepEqual(log.bounds(0), { first: 0, end: 2000 })
      assert.ok(log.sizeBytes() > 10_000, 'unreleased records are kept whatever their size')
      log.release(0, offset(1000))
      await append(log, 0, lines(2000, 20), 20)
      const { first, end } = log.bounds(0)
      assert.ok(first > 0 && first <= 1000, `some of what was released is gone, up to ${first}`)
      assert.equal(end, 2020)
      assert.deepEqual((await readTo(log, 0, first, end)).flatMap(records), upTo(end, first))
      const gone = log.follow(0, offset(first - 1), new AbortController().signal)[Symbol.asyncIterator]()
      await assert.rejects(gone.next(), { code: 'E_OFFSET_GONE' })
      log.release(0, offset(2020))
      await append(log, 0, lines(2020, 20), 20)
      assert.ok(log.sizeBytes() <= 10_000 + 5_000, `${log.sizeBytes()} bytes are about the bound`)
    })
  })
}
