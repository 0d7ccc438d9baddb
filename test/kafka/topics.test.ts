/// Topics are made, and refused with the command that mends them when they are wrong.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import { ensureTopics } from '../../src/adapters/kafka/topics.js'
import { runJava } from '../../tools/kafka/node.js'
import { sharedBroker } from './broker.js'
import { connect, freshSpecs, makeTopic } from './connect.js'

const broker = await sharedBroker()
const TOOLS: Readonly<Record<string, string>> = {
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
}

const opened = async (t: TestContext): Promise<KafkaCluster> => (await connect(t, broker.plaintext)).cluster

/// Runs the commands that a message gives, word by word.
async function mend(message: string): Promise<number> {
  const commands = [...message.matchAll(/Mend it: (\S+) (.+)$/gm)]
  for (const [, tool = '', rest = ''] of commands) {
    await runJava(TOOLS[tool] ?? '', rest.split(' '), () => {})
  }
  return commands.length
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Error && 'code' in error, 'it is refused')
  assert.equal(error.code, 'E_SETTINGS_MISMATCH')
  return error.message
}

test('missing topics are made as they must be; a second start finds them so', async t => {
  const cluster = await opened(t)
  const specs = freshSpecs(5, 1)
  const names = specs.map(({ name }) => name)
  assert.deepEqual((await ensureTopics(cluster, specs, 1)).created, names)
  assert.deepEqual((await ensureTopics(cluster, specs, 1)).created, [])
  assert.deepEqual(
    names.map(name => cluster.topic(name)?.leaders.length),
    [5, 5, 5, 5, 1],
  )
})

test('instances that start at the same time make each topic once', async t => {
  const specs = freshSpecs(2, 1)
  const clusters = await Promise.all(Array.from({ length: 4 }, () => opened(t)))
  const outcomes = await Promise.all(clusters.map(cluster => ensureTopics(cluster, specs, 1)))
  const created = outcomes.flatMap(outcome => outcome.created)
  assert.deepEqual([...new Set(created)].length, created.length)
  assert.deepEqual(created.sort(), specs.map(({ name }) => name).sort())
})

test('every wrong setting is named with its reason, and the given commands mend them all', async t => {
  const cluster = await opened(t)
  const specs = freshSpecs(3, 1)
  const [trades, rolls, stats] = specs.map(({ name }) => name)
  assert.ok(trades && rolls && stats)
  await makeTopic(cluster, trades, 3, {
    'message.timestamp.type': 'CreateTime',
    'retention.ms': '3600000',
    'unclean.leader.election.enable': 'true',
  })
  await makeTopic(cluster, rolls, 2, { 'retention.bytes': '1000000' })
  await makeTopic(cluster, stats, 3, { 'cleanup.policy': 'delete' })
  const message = await refusal(ensureTopics(cluster, specs, 1))
  for (const said of [
    `topic ${trades}: message.timestamp.type is CreateTime, wanted LogAppendTime: log time is`,
    `topic ${trades}: retention.ms is 3600000, wanted at least 90000000: `,
    `topic ${trades}: unclean.leader.election.enable is true, wanted false: `,
    `topic ${rolls}: retention.bytes is 1000000, wanted -1: `,
    `topic ${rolls}: max.message.bytes is 1048588, wanted at least 8388608: `,
    `topic ${stats}: cleanup.policy is delete, wanted compact: `,
    `topic ${rolls} has 2 partitions, and ${trades} has 3: `,
  ]) {
    assert.ok(message.includes(said), `${said}\nin:\n${message}`)
  }
  assert.equal(await mend(message), 4)
  await ensureTopics(cluster, specs, 1)
})

test('a topic that cannot be made is refused with the command that makes it', async t => {
  const cluster = await opened(t)
  const specs = freshSpecs(1, 3)
  const message = await refusal(ensureTopics(cluster, specs, 3))
  assert.match(message, /is not there and cannot be created: invalidReplicationFactor \(38\)/)
  assert.match(
    message,
    /kafka-topics\.sh --bootstrap-server \S+ --create --topic \S+trades --partitions 1 --replication-factor 3/,
  )
})
