/// The group of rollers on a real coordinator: partitions are shared, move on join and leave, and when a member is missed.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import { KafkaPartitionGroup } from '../../src/adapters/kafka/partition-group.js'
import { NO_SECURITY } from '../../src/adapters/kafka/security.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { until } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { addressesOf, connect, freshPrefix, freshTopic } from './connect.js'

const broker = await sharedBroker()
const PARTITIONS = 6
const EVERY = [0, 1, 2, 3, 4, 5]

interface Member {
  readonly group: KafkaPartitionGroup
  /// As it was told last; null before.
  assignment: readonly number[] | null
  /// Ends without a word, as a process that is killed.
  vanish(): Promise<void>
}

async function groupOf(t: TestContext) {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'trades', PARTITIONS)
  const group = `${freshPrefix()}rollers`
  return async (memberId: string = randomUUID()): Promise<Member> => {
    const own = await KafkaCluster.open({
      brokers: addressesOf(broker.plaintext),
      security: NO_SECURITY,
      clock: new SystemClock(),
      clientId: 'volumer-test',
      say: () => {},
    })
    await own.watch(topic)
    const failures: unknown[] = []
    const member: Member = {
      group: new KafkaPartitionGroup({
        cluster: own,
        ...{ group, topic, memberId },
        fail: error => failures.push(error),
      }),
      assignment: null,
      vanish: () => own.close(),
    }
    member.group.join(partitions => {
      member.assignment = partitions
    })
    t.after(async () => {
      await member.group.leave()
      await own.close()
      assert.deepEqual(failures, [])
    })
    return member
  }
}

/// Waits until the members have everything, each partition one of them.
async function share(members: readonly Member[], limitMs?: number): Promise<void> {
  const all = () => members.flatMap(({ assignment }) => assignment ?? []).sort((a, b) => a - b)
  await until(() => all().join() === EVERY.join(), `all is assigned: ${all()}`, limitMs)
}

test('partitions are shared among the members, and move when one joins or leaves', async t => {
  const join = await groupOf(t)
  const first = await join()
  await share([first])
  assert.equal(await first.group.hasOthers(), false)
  const second = await join()
  await until(() => second.assignment?.length === 3, 'the second one has half of them')
  await share([first, second])
  assert.equal(await first.group.hasOthers(), true)
  const third = await join()
  await until(() => third.assignment?.length === 2, 'the third one has a third of them')
  await share([first, second, third])
  await second.group.leave()
  await share([first, third])
})

test('a member that vanishes is missed after the session’s time, and its partitions go to the others', async t => {
  const join = await groupOf(t)
  const [first, second] = [await join(), await join()]
  await share([first, second])
  await until(() => (second.assignment?.length ?? 0) > 0, 'both have some')
  await second.vanish()
  await share([first], 30_000)
})

test('a member that comes back under its name before it is missed has its partitions at once', async t => {
  const join = await groupOf(t)
  const name = randomUUID()
  const first = await join(name)
  await share([first])
  await first.vanish()
  const began = Date.now()
  await share([await join(name)])
  assert.ok(Date.now() - began < 5000, 'that is less than a session lasts')
})

/// A roller that was stopped while it looked for the coordinator said that it had stopped, and ran on until the broker closed a connection
/// that nobody used, ten minutes later: two who looked at a time had opened one each, and one of them was forgotten.
test('who leaves while the coordinator is looked for leaves no connection open', async () => {
  const sockets = () => process.getActiveResourcesInfo().filter(kind => kind === 'TCPSocketWrap').length
  const before = sockets()
  for (let i = 0; i < 20; i++) {
    const cluster = await KafkaCluster.open({
      brokers: addressesOf(broker.plaintext),
      ...{ security: NO_SECURITY, clock: new SystemClock(), clientId: 'volumer-test', say: () => {} },
    })
    const fail = (error: unknown) => assert.fail(String(error))
    const names = { group: `${freshPrefix()}rollers`, topic: `${freshPrefix()}trades` }
    const group = new KafkaPartitionGroup({ cluster, ...names, memberId: randomUUID(), fail })
    group.join(() => {})
    const asked = group.hasOthers()
    if (i % 2 === 0) await asked
    await Promise.all([group.leave(), asked])
    await cluster.close()
  }
  await until(() => sockets() <= before, `${before} sockets are open, not ${sockets()}`)
})
