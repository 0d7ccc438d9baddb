import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { append, tokenOf } from '../../../test/contract/append.js'
import { until } from '../../../test/wait/eventually.js'
import { MemoryDeadLetters } from '../../adapters/memory/dead-letters.js'
import { MemoryRolls } from '../../adapters/memory/rolls.js'
import { MemoryStatsFeed } from '../../adapters/memory/stats-feed.js'
import { MemoryTradeLog } from '../../adapters/memory/trade-log.js'
import { SystemClock } from '../../adapters/system/clock.js'
import { nextTurn } from '../../adapters/system/turn.js'
import { parseWindows } from '../../core/windows.js'
import type { PartitionGroup } from '../../ports/partition-group.js'
import { Delays } from '../delays.js'
import { RestoreInterrupted } from './partition-roller.js'
import { Rollers, type RollersOptions } from './rollers.js'

const clock = new SystemClock()
const read = parseWindows('1m,1h')
assert.ok('windows' in read)
const config = {
  windows: read.windows,
  resolutionMs: 1000,
  retentionMs: 3_600_000,
  admission: 'log-time' as const,
  earlyToleranceMs: 60_000,
  dedupeHorizonMs: 3_600_000,
  hotRangeMs: 1_800_000,
}

/// A group whose assignments the test makes.
class Hand implements PartitionGroup {
  assign: (partitions: readonly number[]) => void = () => {}
  others = false
  left = false

  join(assigned: (partitions: readonly number[]) => void): void {
    this.assign = assigned
  }

  async leave(): Promise<void> {
    this.left = true
  }

  async hasOthers(): Promise<boolean> {
    return this.others
  }
}

/// Processes on one log and one topic of states.
function processes(t: TestContext) {
  const log = new MemoryTradeLog({ clock, partitions: 2 })
  const rolls = new MemoryRolls(clock)
  const feed = new MemoryStatsFeed()
  const volumes = new Map<string, number>()
  feed.follow({
    onUpdates: updates => {
      for (const { token, cells } of updates) volumes.set(token, (cells?.[0] ?? 0) / 1e6)
    },
    onCaughtUp: () => {},
  })
  const failures: unknown[] = []
  const process = (instance: string, more: Partial<RollersOptions> = {}) => {
    const group = new Hand()
    const rollers = new Rollers({
      ...{ config, log, feed, clock, group, instance, nextTurn },
      deadLetters: new MemoryDeadLetters(),
      delays: new Delays(),
      timed: { roll: work => work(), checkpoint: work => work() },
      updatesPerSecond: 20,
      checkpointIntervalMs: 100,
      replica: 'a',
      address: () => null,
      secret: null,
      assigned: () => {},
      openState: async partition => {
        const store = await rolls.openState(partition)
        return { store, shared: store, close: () => store.close() }
      },
      say: () => {},
      fail: error => failures.push(error),
      ...more,
    })
    t.after(() => rollers.stop())
    return { group, rollers }
  }
  let swaps = 0
  /// One more swap of a dollar in each partition.
  const trade = async () => {
    swaps++
    for (const [partition, token] of TOKENS.entries()) {
      const [id, time] = [`${token}${swaps}`, Date.now()]
      const swap = JSON.stringify({ id, time, who: 'al', token, side: 'buy', amount: '1', usd: '1' })
      await append(log, partition, Buffer.from(`${swap}\n`), 1)
    }
  }
  const servesAll = () =>
    until(() => TOKENS.every(token => volumes.get(token) === swaps), `${swaps} are served`)
  return { process, trade, servesAll, failures }
}

/// Of partition 0 and of partition 1.
const TOKENS = [tokenOf(0, 2), tokenOf(1, 2)]

const statesOf = ({ rollers }: { readonly rollers: Rollers }) =>
  rollers
    .reports()
    .map(({ partition, state }) => `${partition} ${state}`)
    .join()

test('a partition that moves is rolled on by its former owner until the new one has saved something beyond', async t => {
  const { process, trade, servesAll, failures } = processes(t)
  const a = process('a')
  const started = a.rollers.start()
  a.group.assign([0, 1])
  await started
  await trade()
  await servesAll()
  assert.equal(statesOf(a), '0 live,1 live')
  a.group.assign([0])
  assert.equal(statesOf(a), '0 live,1 handing over')
  await trade()
  await servesAll()

  const b = process('b')
  const joined = b.rollers.start()
  b.group.assign([1])
  await joined
  await trade()
  await servesAll()
  await until(() => statesOf(a) === '0 live', `the former owner has ended: ${statesOf(a)}`)
  await trade()
  await servesAll()
  assert.equal(statesOf(b), '1 live')
  assert.deepEqual(failures, [])
})

test('a partition that comes back before it was taken over is kept', async t => {
  const { process, trade, servesAll } = processes(t)
  const a = process('a')
  const started = a.rollers.start()
  a.group.assign([0, 1])
  await started
  await trade()
  a.group.assign([])
  assert.equal(statesOf(a), '0 handing over,1 handing over')
  a.group.assign([0, 1])
  assert.equal(statesOf(a), '0 live,1 live')
  await trade()
  await servesAll()
})

test('who leaves hands over to the others, and leaves nothing unsaved', async t => {
  const { process, trade, servesAll } = processes(t)
  const a = process('a')
  const started = a.rollers.start()
  a.group.assign([0, 1])
  await started
  await trade()
  a.group.others = true
  const b = process('b')
  const joined = b.rollers.start()
  const stopped = a.rollers.stop()
  await until(() => a.group.left, 'the group knows')
  b.group.assign([0, 1])
  await joined
  await trade()
  await servesAll()
  await stopped
  await trade()
  await servesAll()
  assert.deepEqual(
    b.rollers.reports().map(({ fates }) => fates.accepted),
    [3, 3],
  )
})

test('a start that is interrupted says so, whatever it waits for', async t => {
  const { process } = processes(t)
  const waiting = process('a')
  const assigned = assert.rejects(waiting.rollers.start(), RestoreInterrupted)
  waiting.rollers.interrupt()
  await assigned
  const before = process('c')
  before.rollers.interrupt()
  await assert.rejects(before.rollers.start(), RestoreInterrupted)
  const opening = process('b', {
    openState: (_partition, _progress, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  })
  const opened = assert.rejects(opening.rollers.start(), RestoreInterrupted)
  opening.group.assign([0])
  opening.rollers.interrupt()
  await opened
})

test('what cannot be opened at the start fails the start, later the process', async t => {
  const { process, failures } = processes(t)
  let broken = true
  const { rollers, group } = process('a', {
    openState: async () => {
      throw new Error(`broken: ${broken}`)
    },
  })
  const started = assert.rejects(rollers.start(), /broken: true/)
  group.assign([0])
  await started
  const later = process('b', {
    openState: async () => {
      broken = false
      throw new Error('broken later')
    },
  })
  const empty = later.rollers.start()
  later.group.assign([])
  await empty
  later.group.assign([1])
  await until(() => failures.length === 1, 'the process was told')
  assert.match(String(failures), /broken later/)
})
