/// What every TradeLog keeps (src/ports/trade-log.ts).
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { offset } from '../../src/core/units.js'
import type { Clock } from '../../src/ports/clock.js'
import type { LogBatch, TradeLog } from '../../src/ports/trade-log.js'

export interface TradeLogOpening {
  readonly clock: Clock
  readonly partitions: number
  /// The test drops what is released above this size.
  readonly sizeBytesMax: number
}

/// Opens an empty log that goes with the test.
export type OpenTradeLog = (t: TestContext, opening: TradeLogOpening) => TradeLog

/// `count` lines that say which records they are.
export function lines(first: number, count: number): Buffer {
  let text = ''
  for (let i = 0; i < count; i++) text += `{"record":${first + i}}\n`
  return Buffer.from(text)
}

/// The record numbers of a batch, as `lines` wrote them.
export function records(batch: LogBatch): number[] {
  const text = Buffer.from(batch.bytes).toString()
  assert.ok(text.endsWith('\n'), 'each record ends with a newline')
  const found = text
    .slice(0, -1)
    .split('\n')
    .map(line => Number(/^\{"record":(\d+)\}$/.exec(line)?.[1]))
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

export function tradeLogContract(name: string, open: OpenTradeLog): void {
  const opened = (t: TestContext, options: Partial<TradeLogOpening> = {}) => {
    const clock = new ManualClock(1_000_000)
    const log = open(t, { clock, partitions: 1, sizeBytesMax: 2 ** 31, ...options })
    t.after(() => log.close())
    return { log, clock }
  }

  describe(`TradeLog, ${name}`, { concurrency: false }, () => {
    test('an empty log has no records and follows what comes', async t => {
      const { log } = opened(t)
      assert.deepEqual(log.bounds(0), { first: 0, end: 0 })
      const read = readTo(log, 0, 0, 2)
      await log.append(0, lines(0, 2), 2)
      assert.deepEqual((await read).flatMap(records), [0, 1])
    })

    test('offsets are given in order, records read back in it, each once', async t => {
      const { log } = opened(t)
      const appends = []
      for (let i = 0; i < 50; i++) appends.push(log.append(0, lines(i * 3, 3), 3))
      const appended = await Promise.all(appends)
      assert.deepEqual(
        appended,
        appended.map((_, i) => ({ partition: 0, firstOffset: i * 3, count: 3 })),
      )
      assert.deepEqual(log.bounds(0), { first: 0, end: 150 })
      const batches = await readTo(log, 0, 0, 150)
      assert.deepEqual(
        batches.flatMap(records),
        Array.from({ length: 150 }, (_, i) => i),
      )
    })

    test('a follower that begins inside a batch gets that batch first', async t => {
      const { log } = opened(t)
      for (let i = 0; i < 4; i++) await log.append(0, lines(i * 10, 10), 10)
      const [first] = await readTo(log, 0, 25, 40)
      assert.equal(first?.firstOffset, 20)
      const [exact] = await readTo(log, 0, 30, 40)
      assert.equal(exact?.firstOffset, 30)
    })

    test('positions outside the log are refused', async t => {
      const { log } = opened(t)
      await log.append(0, lines(0, 3), 3)
      const beyond = log.follow(0, offset(4), new AbortController().signal)[Symbol.asyncIterator]()
      await assert.rejects(beyond.next(), { code: 'E_OFFSET_GONE' })
    })

    test('append times never decrease, though the clock does', async t => {
      const { log, clock } = opened(t)
      await log.append(0, lines(0, 1), 1)
      clock.moveTo(900_000)
      await log.append(0, lines(1, 1), 1)
      clock.moveTo(1_500_000)
      await log.append(0, lines(2, 1), 1)
      const times = (await readTo(log, 0, 0, 3)).map(batch => batch.appendTime)
      assert.deepEqual(times, [1_000_000, 1_000_000, 1_500_000])
    })

    test('partitions are logs of their own', async t => {
      const { log } = opened(t, { partitions: 3 })
      assert.equal(log.partitions, 3)
      await log.append(2, lines(0, 5), 5)
      await log.append(1, lines(7, 1), 1)
      assert.deepEqual(
        [0, 1, 2].map(partition => log.bounds(partition).end),
        [0, 1, 5],
      )
      assert.deepEqual((await readTo(log, 1, 0, 1)).flatMap(records), [7])
    })

    test('followers at every position see all that comes, while it is appended', async t => {
      const { log } = opened(t)
      const end = 600
      const readers = []
      for (let i = 0; i < end; i += 6) {
        if (i % 60 === 0) readers.push(readTo(log, 0, i, end).then(batches => ({ from: i, batches })))
        await log.append(0, lines(i, 6), 6)
      }
      for (const { from, batches } of await Promise.all(readers)) {
        assert.deepEqual(
          batches.flatMap(records),
          Array.from({ length: end - from }, (_, i) => from + i),
        )
      }
    })

    test('aborting ends a follower without an error, waiting or not', async t => {
      const { log } = opened(t)
      await log.append(0, lines(0, 1), 1)
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

    test('what is released goes above the size bound, and nothing else', async t => {
      const { log } = opened(t, { sizeBytesMax: 10_000 })
      for (let i = 0; i < 100; i++) await log.append(0, lines(i * 20, 20), 20)
      assert.deepEqual(log.bounds(0), { first: 0, end: 2000 })
      assert.ok(log.sizeBytes() > 10_000, 'unreleased records are kept whatever their size')
      log.release(0, offset(1000))
      await log.append(0, lines(2000, 20), 20)
      const { first, end } = log.bounds(0)
      assert.ok(first > 0 && first <= 1000, `some of what was released is gone, up to ${first}`)
      assert.equal(end, 2020)
      assert.deepEqual(
        (await readTo(log, 0, first, end)).flatMap(records),
        Array.from({ length: end - first }, (_, i) => first + i),
      )
      const gone = log.follow(0, offset(first - 1), new AbortController().signal)[Symbol.asyncIterator]()
      await assert.rejects(gone.next(), { code: 'E_OFFSET_GONE' })
      log.release(0, offset(2020))
      await log.append(0, lines(2020, 20), 20)
      assert.ok(log.sizeBytes() <= 10_000 + 5_000, `${log.sizeBytes()} bytes are about the bound`)
    })

    test('closing waits for appends under way and ends the followers', async t => {
      const { log } = opened(t)
      const reading = (async () => {
        const seen: number[] = []
        for await (const batch of log.follow(0, offset(0), new AbortController().signal))
          seen.push(...records(batch))
        return seen
      })()
      await log.append(0, lines(0, 1), 1)
      const append = log.append(0, lines(1, 1), 1)
      await log.close()
      assert.equal((await append).firstOffset, 1)
      assert.deepEqual(await reading, [0, 1])
    })
  })
}
