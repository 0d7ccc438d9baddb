import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append } from '../../test/contract/append.js'
import { until } from '../../test/wait/eventually.js'
import { ManualClock } from '../adapters/memory/clock.js'
import { MemoryDeadLetters } from '../adapters/memory/dead-letters.js'
import { MemoryStateStore } from '../adapters/memory/state-store.js'
import { MemoryTradeLog } from '../adapters/memory/trade-log.js'
import { nextTurn } from '../adapters/system/turn.js'
import { offset } from '../core/units.js'
import { parseWindows } from '../core/windows.js'
import { Consumer } from './consumer.js'
import { Delays } from './delays.js'
import { RollerRole } from './roller.js'

const NOW = 1_790_000_000_000
const clock = new ManualClock(NOW)

const swap = (i: number) =>
  Buffer.from(
    `${JSON.stringify({ id: `s${i}`, time: NOW, who: 'al', token: 'BTC', side: 'buy', amount: '1', usd: '2' })}\n`,
  )

async function started(log: MemoryTradeLog, store: MemoryStateStore) {
  const read = parseWindows('1m,1h')
  assert.ok('windows' in read)
  const config = {
    partition: 0,
    windows: read.windows,
    resolutionMs: 1000,
    retentionMs: 3_600_000,
    admission: 'log-time' as const,
    earlyToleranceMs: 60_000,
    dedupeHorizonMs: 3_600_000,
    hotRangeMs: 1_800_000,
  }
  const deadLetters = new MemoryDeadLetters()
  const roller = new RollerRole({ config, log, store, deadLetters, clock, nextTurn })
  await roller.restore(() => {})
  const said: string[] = []
  const failures: unknown[] = []
  const consumer = new Consumer({
    partition: 0,
    log,
    roller,
    clock,
    checkpointIntervalMs: 5000,
    delays: new Delays(),
    noteGap: null,
    carry: () => null,
    saved: async () => {},
    publish: () => {},
    nextTurn,
    timed: { roll: work => work(), checkpoint: work => work() },
    say: message => said.push(message),
    fail: error => failures.push(error),
  })
  await consumer.start()
  return { roller, consumer, said, failures }
}

/// A log that has dropped its first records.
async function truncatedLog(): Promise<MemoryTradeLog> {
  const log = new MemoryTradeLog({ clock, sizeBytesMax: 1000 })
  for (let i = 0; i < 50; i++) await append(log, 0, swap(i), 1)
  log.release(0, offset(50))
  const { first } = log.bounds(0)
  assert.ok(first > 20 && first < 50, `the log begins at ${first}`)
  return log
}

test('a roller without state begins where the log does, says so once, and goes on from its state', async () => {
  const log = await truncatedLog()
  const store = new MemoryStateStore()
  const { first } = log.bounds(0)
  const one = await started(log, store)
  await until(() => one.consumer.caughtUp, 'what the log holds is rolled')
  assert.equal(one.said.length, 1)
  assert.match(one.said[0] ?? '', new RegExp(`begins at offset ${first}`))
  assert.equal(one.roller.fates.accepted, 50 - first)
  await one.consumer.stop()
  assert.equal(store.position(), 50)

  await append(log, 0, swap(50), 1)
  const two = await started(log, store)
  await until(() => two.roller.position === 51, 'it goes on')
  assert.deepEqual(two.said, [])
  assert.equal(two.roller.fates.accepted, 51 - first)
  await two.consumer.stop()
  assert.deepEqual([...one.failures, ...two.failures], [])
})

test('a roller whose next records were dropped fails', async () => {
  const log = await truncatedLog()
  const store = new MemoryStateStore()
  const other = new MemoryTradeLog({ clock })
  await append(other, 0, swap(0), 1)
  const one = await started(other, store)
  await until(() => one.roller.position === 1, 'one record is rolled')
  await one.consumer.stop()
  const two = await started(log, store)
  await until(() => two.failures.length > 0, 'it fails')
  const [failure] = two.failures
  assert.ok(failure instanceof Error && 'code' in failure && failure.code === 'E_OFFSET_GONE')
  await two.consumer.stop()
})
