/// `volumer backfill` on Kafka: states of a replica set from the archive, while its rollers are away, and however it is interrupted. What
/// is served afterwards is what the client was promised, on disks that are empty and on such as have the former states.
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createPartitionsV3 } from '@platformatic/kafka'
import { membersOf } from '../../src/adapters/kafka/group-coordinator.js'
import { LeaderEpochs } from '../../src/adapters/kafka/leader-epochs.js'
import { Rolls } from '../../src/adapters/kafka/rolls.js'
import { topicNames, topicSpecs } from '../../src/adapters/kafka/topic-specs.js'
import { ensureTopics } from '../../src/adapters/kafka/topics.js'
import { MemoryStateStore } from '../../src/adapters/memory/state-store.js'
import { epochMs, offset } from '../../src/core/units.js'
import { PostgresServer, postgresPrograms } from '../contract/postgres-server.js'
import { scratchDirectory } from '../contract/scratch.js'
import { run } from '../integration/command.js'
import { Server } from '../integration/server.js'
import { Random, testSeed } from '../simulation/random.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, deleteTopic, freshPrefix } from './connect.js'
import { AGREE_MS, Fleet, type Place, statusOf } from './fleet/fleet.js'
import { RULES } from './rolls.js'

const broker = await sharedBroker()
const programs = postgresPrograms()
const postgres = programs === null ? null : await PostgresServer.start(programs)
after(() => postgres?.stop('SIGQUIT'))
const PARTITIONS = 3
/// Little is hot, so that most of the state is in parts.
const HOT = ['--hot-range', '4m']
const REPLACED = /`volumer backfill` has written the state anew, while this process had the former one/

/// Waits until the process has archived all of the log that is its.
async function archived({ url }: Server): Promise<void> {
  await eventually(async () => {
    const status: unknown = await (await fetch(`${url}/v1/status`)).json()
    assert.equal(Reflect.get(Object(Reflect.get(Object(status), 'archive')), 'lag'), 0)
  }, AGREE_MS)
}

/// Begins states that nobody ends, as a backfill that was killed while it wrote does.
async function beginStates(t: TestContext, prefix: string, partitions: number): Promise<void> {
  const { cluster } = await connect(t, broker.plaintext)
  const names = topicNames(prefix, 'a')
  const rolls = await Rolls.open({
    ...{ cluster, topic: names.rolls, tradesTopic: names.trades, rules: RULES, epochs: new LeaderEpochs() },
    ...{ directory: scratchDirectory(t), onPoison: () => {}, say: () => {} },
  })
  const end = { position: offset(0), logTime: epochMs(0), spread: 0, incompleteUntil: null }
  for (let partition = 0; partition < partitions; partition++) {
    await rolls.rebuilt(partition, new MemoryStateStore(), end).begin()
  }
  await rolls.close()
}

test('states are rebuilt while rollers are dead or frozen, however often that is killed, and go on with the log', {
  timeout: 240_000,
  skip: postgres === null,
}, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const prefix = freshPrefix()
  const archive = ['--archive', (await postgres?.newDatabase()) ?? '']
  const kafka = ['--kafka', broker.plaintext, '--kafka-prefix', prefix]
  const fleet = new Fleet(t, broker.plaintext, random)
  const flags = ['--kafka-prefix', prefix, '--kafka-partitions', String(PARTITIONS), ...HOT]
  const rolling = [...flags, ...archive, '--archive-interval', '150ms']
  const kept = await fleet.roller(...rolling)
  const bare = await fleet.roller(...rolling)
  const frozen = await fleet.roller(...rolling)
  const web = await fleet.web(...flags)
  await fleet.ready()
  await fleet.underLoad(() => pause(1000))
  await fleet.agree('load')
  for (const { server } of fleet.rollers) await archived(server)
  const before = fleet.ledger.acknowledgedSwaps

  const work = scratchDirectory(t)
  const args = ['backfill', '--data', work, ...kafka, ...archive, ...HOT]
  const busy = await run(args)
  assert.equal(busy.code, 3, busy.output)
  assert.match(busy.output, /rollers has 3 members: rollers of replica set a have the states/)

  // Killed; and one that does not know that it is taken for dead.
  await Promise.all([kept, bare].map(({ server }) => server.kill()))
  frozen.server.signal('SIGSTOP')
  const { cluster } = await connect(t, broker.plaintext)
  await fleet.underLoad(() =>
    eventually(
      async () => assert.equal(await membersOf(cluster, topicNames(prefix, 'a').group), 0),
      AGREE_MS,
    ),
  )
  const states = join(work, 'kafka', 'backfill', 'states')
  for (let kills = 0; kills < 2; kills++) {
    const { signal } = await run(args, async child => {
      while (!existsSync(states) && child.exitCode === null) await pause(2)
      await pause(random.below(300))
      child.kill('SIGKILL')
    })
    if (signal === null) break
  }
  // Killed after it had begun to write, in the end.
  await beginStates(t, prefix, random.between(1, PARTITIONS))
  const refused = await Server.start(kept.directory, [...kafka, '--roles', 'roller', ...rolling])
  t.after(() => refused.kill())
  const { code } = await fleet.step('a roller ends, since a state is half there', refused.exited, AGREE_MS)
  assert.equal(code, 4, refused.output)
  assert.match(
    refused.output,
    /Partition \d of topic \S+rolls has a state that `volumer backfill` began to write and did not bring to its end: half of it would be served\. Nothing is lost/,
  )
  await eventually(
    async () => assert.equal(await membersOf(cluster, topicNames(prefix, 'a').group), 0),
    AGREE_MS,
  )
  const done = await run(args)
  assert.equal(done.code, 0, done.output)
  assert.match(done.output, /Partition 2: [\d,]+ swaps, the state is that of offset [\d,]+\./)
  assert.match(
    done.output,
    /swaps read in [\d.]+ s\. The states are those of these offsets; the next start goes on from there/,
  )

  await fleet.underLoad(async () => {
    await Promise.all([fleet.restart(kept), fleet.restartBare(bare)])
    frozen.server.signal('SIGCONT')
    await pause(1000)
  })
  // It opens the new state when it is given the partition anew, or ends where it was not told in between that it has none.
  const notices = eventually(() => assert.match(frozen.server.output, REPLACED), AGREE_MS)
  await fleet.step('the one that was frozen notices', notices, 2 * AGREE_MS)
  if (/^volumer: Partition/m.test(frozen.server.output)) {
    assert.equal((await frozen.server.exited).code, 5)
    await fleet.restart(frozen)
  }
  await fleet.agree('a backfill')
  await acceptedAll(web, fleet, before)
  const { partitions } = await statusOf(web.server)
  assert.deepEqual(
    partitions.map(({ gaps }) => gaps),
    Array.from({ length: PARTITIONS }, () => []),
  )
  // What they have now was written down, for everybody; under its name each gets its partitions at once.
  await Promise.all(fleet.rollers.map(({ server }) => server.kill()))
  for (const { directory } of [kept, frozen])
    rmSync(join(directory, 'kafka', '1', 'rolls'), { recursive: true })
  await Promise.all(fleet.rollers.map(place => fleet.restart(place)))
  await fleet.agree('everything was started anew')
  await acceptedAll(web, fleet, before)
  t.diagnostic(`${fleet.ledger.acknowledgedSwaps} swaps`)
})

/// Of the swaps that were archived `before` it is known that they were accepted; those of each token are counted from then on.
async function acceptedAll({ server }: Place, { ledger }: Fleet, before: number): Promise<void> {
  await eventually(async () => {
    const { fates }: Awaited<ReturnType<typeof statusOf>> & { fates?: { accepted?: unknown } } =
      await statusOf(server)
    assert.equal(fates?.accepted, ledger.acknowledgedSwaps)
    let accepted = 0
    for (const token of ledger.tokens) {
      const answer = await fetch(`${server.url}/v1/tokens/${encodeURIComponent(token)}/fates`)
      accepted += Number(Reflect.get(Object(Reflect.get(Object(await answer.json()), 'fates')), 'accepted'))
    }
    assert.equal(accepted, ledger.acknowledgedSwaps - before)
  }, AGREE_MS)
}

test('an archive in DuckDB, a window that is longer than the retention was, and tokens that have moved to other partitions', {
  timeout: 120_000,
}, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const prefix = freshPrefix()
  const data = scratchDirectory(t)
  const { cluster } = await connect(t, broker.plaintext)
  const retentionMs = 48 * 3_600_000
  const plan = { prefix, replica: 'a', partitions: 2, deadLettersMaxBytes: 2 ** 28, replication: 1 }
  await ensureTopics(cluster, topicSpecs({ ...plan, retentionMs }), 1)
  const common = ['--kafka', broker.plaintext, '--kafka-prefix', prefix, '--archive', 'duckdb']
  const start = async (flags: readonly string[]) => {
    const server = await Server.start(data, [...common, '--archive-interval', '150ms', ...flags])
    t.after(() => server.kill())
    assert.ok(await server.ready(), server.output)
    return server
  }
  const first = await start(['--windows', '1m,2m', '--retention', '2m'])
  const now = Date.now()
  const tokens = Array.from({ length: 12 }, (_, i) => `token ${i}`)
  const swapAt = (token: string, ageMs: number, usd: string) =>
    JSON.stringify({
      ...{ id: `${token} ${usd}`, time: now - ageMs, who: 'w', token, side: 'buy', amount: '1', usd },
    })
  const body = tokens
    .flatMap(token => [swapAt(token, 117_000, '100'), swapAt(token, 50_000, '10'), swapAt(token, 0, '1')])
    .join('\n')
  const post = async ({ url }: Server) => {
    const headers = { 'content-type': 'application/x-ndjson' }
    const response = await fetch(`${url}/v1/trades`, { method: 'POST', headers, body: `${body}\n` })
    assert.equal(response.status, 200)
  }
  const volumesAre = (server: Server, window: string, usd: string) =>
    eventually(async () => {
      for (const token of tokens) {
        const volume = Object(Reflect.get(Object(await server.token(token)), 'volume'))
        assert.equal(Reflect.get(volume, window), usd, `${token} ${window}`)
      }
    }, AGREE_MS)
  await post(first)
  await volumesAre(first, 'm2', '11')
  const connection = await cluster.control()
  for (const name of [`${prefix}rolls`, `${prefix}trades`]) {
    await connection.call(createPartitionsV3.api, [{ name, count: 3, assignments: null }], 10_000, false)
  }
  await eventually(async () => {
    const states = (await statusOf(first)).partitions.map(({ state }) => state)
    assert.deepEqual(states, ['live', 'live', 'live'])
  }, AGREE_MS)
  await archived(first)
  first.signal('SIGTERM')
  assert.equal((await first.exited).code, 0, first.output)

  // Without a group nobody can tell whether a roller is there that wrote a moment ago.
  const own = await run(['backfill', '--data', data, ...common, '--kafka-own', '0-2', '--retention', '47h'])
  assert.deepEqual([own.code, /rolls was written to \d+ s ago/.test(own.output)], [3, true], own.output)

  // Statistics of other windows are none that anybody reads; and the states may be lost.
  const lost = new Random(seed).chance(0.5) ? ['rolls', 'stats'] : ['stats']
  for (const name of lost) await deleteTopic(cluster, `${prefix}${name}`)
  if (lost.length > 1) rmSync(join(data, 'kafka'), { recursive: true })
  const long = ['--windows', '1m,2m,1h,48h', '--retention', '48h']
  await eventually(async () => {
    const { code, output } = await run(['backfill', '--data', data, ...common, ...long])
    assert.equal(code, 0, output)
    assert.match(output, /Partition 0: \d+ swaps/)
    assert.match(output, /archived in partitions that their tokens have left/)
  })
  const second = await start(long)
  await volumesAre(second, 'h48', '111')
  await post(second)
  await archived(second)
  for (const window of ['h1', 'h48']) await volumesAre(second, window, '111')
  second.signal('SIGTERM')
  await second.exited

  // A cluster that was made anew has another log.
  const other = freshPrefix()
  await ensureTopics(cluster, topicSpecs({ ...plan, prefix: other, retentionMs }), 1)
  const anew = ['--data', data, '--kafka', broker.plaintext, '--kafka-prefix', other]
  const mixed = await run(['backfill', ...anew, '--archive', 'duckdb', ...long])
  assert.deepEqual([mixed.code, /belongs to another trade log/.test(mixed.output)], [1, true], mixed.output)
})

test('that there is nothing to rebuild from, or to go on with, is said', async t => {
  const prefix = freshPrefix()
  const args = [
    'backfill',
    '--data',
    scratchDirectory(t),
    '--kafka',
    broker.plaintext,
    '--kafka-prefix',
    prefix,
  ]
  const none = await run(args)
  assert.deepEqual([none.code, /With --kafka, say --archive, too/.test(none.output)], [2, true], none.output)
  const away = await run([...args, '--archive', 'duckdb'])
  assert.deepEqual([away.code, /Kafka has no topic \S+trades/.test(away.output)], [1, true], away.output)
  const { cluster } = await connect(t, broker.plaintext)
  await cluster.watch(`${prefix}trades`)
  assert.equal(cluster.topic(`${prefix}trades`), undefined, 'no topic was made')
  const plan = { prefix, replica: 'a', partitions: 2, deadLettersMaxBytes: 2 ** 28, replication: 1 }
  await ensureTopics(cluster, topicSpecs({ ...plan, retentionMs: 86_400_000 }), 1)
  const empty = await run([...args, '--archive', 'duckdb'])
  assert.deepEqual([empty.code, /Nothing is archived/.test(empty.output)], [1, true], empty.output)
})
