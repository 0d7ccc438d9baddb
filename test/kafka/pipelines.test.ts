/// Three partitions, each with a consumer, a roller and a watcher of its own, and statistics by way of topic stats: a
/// reader on another connection has what one roller makes of all swaps together.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import { KafkaDeadLetters } from '../../src/adapters/kafka/dead-letters.js'
import { KafkaStatsFeed } from '../../src/adapters/kafka/stats-feed.js'
import { statsLayout } from '../../src/adapters/kafka/stats-record.js'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { MemoryDeadLetters } from '../../src/adapters/memory/dead-letters.js'
import { MemoryStateStore } from '../../src/adapters/memory/state-store.js'
import { MemoryStatsFeed } from '../../src/adapters/memory/stats-feed.js'
import { MemoryTradeLog } from '../../src/adapters/memory/trade-log.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import type { KeyedRecords } from '../../src/core/keyed-records.js'
import type { StatsUpdate } from '../../src/core/stats.js'
import { DEFAULT_WINDOWS, parseWindows } from '../../src/core/windows.js'
import type { DeadLetters } from '../../src/ports/dead-letters.js'
import type { StatsFeed } from '../../src/ports/stats-feed.js'
import type { TradeLog } from '../../src/ports/trade-log.js'
import { Consumer } from '../../src/roles/consumer.js'
import { Delays } from '../../src/roles/delays.js'
import { SwapGenerator } from '../../src/roles/faketrader/generator.js'
import { RollerRole } from '../../src/roles/roller.js'
import { Watcher } from '../../src/roles/watcher.js'
import { seeded } from '../random/randomness.js'
import { testSeed } from '../simulation/random.js'
import { until } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, freshTopic } from './connect.js'

const broker = await sharedBroker()
const read = parseWindows(DEFAULT_WINDOWS)
assert.ok('windows' in read)
const { windows } = read
const PARTITIONS = 3

interface Pipeline {
  readonly roller: RollerRole
  readonly consumer: Consumer
  readonly watcher: Watcher
}

/// What rolls one partition. Its view time stands still.
async function pipeline(
  partition: number,
  log: TradeLog,
  deadLetters: DeadLetters,
  feed: StatsFeed,
  clock: ManualClock,
): Promise<Pipeline> {
  const config = {
    partition,
    windows,
    resolutionMs: 1000,
    retentionMs: 86_400_000,
    admission: 'log-time' as const,
    earlyToleranceMs: 60_000,
    dedupeHorizonMs: 3_600_000,
    hotRangeMs: 1_800_000,
  }
  const roller = new RollerRole({ config, log, store: new MemoryStateStore(), deadLetters, clock, nextTurn })
  await roller.restore(() => {})
  const watcher = new Watcher({ source: roller, feed, clock, updatesPerSecond: 20 })
  const consumer = new Consumer({
    partition,
    log,
    roller,
    clock,
    checkpointIntervalMs: 5000,
    delays: new Delays(),
    noteGap: null,
    carry: () => null,
    saved: async () => {},
    publish: () => watcher.changed(),
    nextTurn,
    timed: { roll: work => work(), checkpoint: work => work() },
    say: () => {},
    fail: error => {
      throw error
    },
  })
  await consumer.start()
  return { roller, consumer, watcher }
}

/// The statistics of all swaps in one partition.
async function reference(swaps: readonly KeyedRecords[], clock: ManualClock): Promise<RollerRole> {
  const log = new MemoryTradeLog({ clock: new SystemClock() })
  for (const some of swaps) await log.append([some])
  const feed = new MemoryStatsFeed()
  const { roller, consumer } = await pipeline(0, log, new MemoryDeadLetters(), feed, clock)
  await until(() => roller.position === log.bounds(0).end, 'the reference has rolled everything')
  await consumer.stop()
  return roller
}

const openFeed = async (cluster: KafkaCluster, topic: string) =>
  KafkaStatsFeed.open({
    cluster,
    topic,
    tradesTopic: 'none',
    layout: statsLayout(
      windows.map(({ lengthMs }) => lengthMs),
      1000,
    ),
    onPoison: poison => assert.fail(JSON.stringify(poison)),
    fail: error => {
      throw error
    },
  })

test('three partitions rolled apart have the statistics of all swaps together', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = seeded(seed)
  const { cluster } = await connect(t, broker.plaintext)
  const { cluster: elsewhere } = await connect(t, broker.plaintext)
  const trades = await freshTopic(cluster, 'trades', PARTITIONS)
  const stats = await freshTopic(cluster, 'stats', 2)
  const letters = await freshTopic(cluster, 'trades.dead')
  const log = await KafkaTradeLog.open({ cluster, topic: trades })
  // Also when something differs: what follows would keep the process alive.
  t.after(() => log.close())
  const deadLetters = await KafkaDeadLetters.open({ cluster, topic: letters, tradesTopic: trades })
  t.after(() => deadLetters.close())
  const feed = await openFeed(cluster, stats)
  const clock = new ManualClock(Date.now())

  const pipelines = await Promise.all(
    [0, 1, 2].map(partition => pipeline(partition, log, deadLetters, feed, clock)),
  )
  const generator = new SwapGenerator({ seed, tokens: 300, traders: 2000, duplicates: 0.1, late: 0.1 })
  const swaps: KeyedRecords[] = []
  let now = clock.now() - 120_000
  while (now < clock.now()) {
    now += 1 + random.below(1000)
    swaps.push(generator.next(Math.min(now, clock.now()), 1 + random.below(300)))
  }
  await Promise.all(swaps.map(some => log.append([some])))
  for (const { roller } of pipelines) {
    const partition = pipelines.findIndex(other => other.roller === roller)
    const { end } = await log.lookUpBounds(partition)
    await until(() => roller.position === end, `partition ${partition} is rolled`)
  }
  for (const { consumer, watcher } of pipelines) {
    await consumer.stop()
    watcher.flush()
  }
  await feed.close()

  const seen = new Map<string, StatsUpdate>()
  const other = await openFeed(elsewhere, stats)
  let caughtUp = false
  other.follow({
    onUpdates: updates => {
      for (const update of updates) seen.set(update.token, update)
    },
    onCaughtUp: () => {
      caughtUp = true
    },
  })
  await until(() => caughtUp, 'the other reader has read the topic')
  await other.close()

  const whole = await reference(swaps, clock)
  const accepted = pipelines.reduce((sum, { roller }) => sum + roller.fates.accepted, 0)
  const duplicate = pipelines.reduce((sum, { roller }) => sum + roller.fates.duplicate, 0)
  assert.deepEqual([accepted, duplicate], [whole.fates.accepted, whole.fates.duplicate])
  assert.ok(accepted > 10_000 && duplicate > 100, `${accepted} accepted, ${duplicate} duplicates`)
  assert.ok(seen.size > 200, `${seen.size} tokens`)
  for (const [token, got] of seen) {
    const { partition: _p, offset: _o, rolledAt: _r, ...statistics } = got
    const { partition: _p2, offset: _o2, ...want } = whole.update(token)
    assert.deepEqual(statistics, want, token)
  }
})
