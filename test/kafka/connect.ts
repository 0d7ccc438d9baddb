/// Connections and topics of a test's own on a real cluster.
import type { TestContext } from 'node:test'
import { createTopicsV7, deleteTopicsV6 } from '@platformatic/kafka'
import { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import type { BrokerAddress } from '../../src/adapters/kafka/connection.js'
import { type KafkaSecurity, NO_SECURITY } from '../../src/adapters/kafka/security.js'
import { type TopicSpec, topicSpecs } from '../../src/adapters/kafka/topic-specs.js'
import { ensureTopics } from '../../src/adapters/kafka/topics.js'
import { SystemClock } from '../../src/adapters/system/clock.js'

let topics = 0

/// `volumer-test-PID-7.`: a prefix that no other test has.
export const freshPrefix = (): string => `volumer-test-${process.pid}-${topics++}.`

export function addressesOf(bootstrap: string): BrokerAddress[] {
  return bootstrap.split(',').map(text => {
    const [host = '', port] = text.split(':')
    return { host, port: Number(port) }
  })
}

export interface Connected {
  readonly cluster: KafkaCluster
  /// What the operator was told.
  readonly said: string[]
}

/// A connection that goes with the test; what uses it must be closed before.
export async function connect(
  t: TestContext,
  bootstrap: string,
  security: KafkaSecurity = NO_SECURITY,
): Promise<Connected> {
  const connected = await open(bootstrap, security)
  t.after(() => connected.cluster.close())
  return connected
}

/// Opens a store over a connection of its own, which goes when the store is closed.
export async function over<Store extends { close(): Promise<void> }>(
  bootstrap: string,
  openStore: (cluster: KafkaCluster) => Promise<Store>,
): Promise<Store> {
  const { cluster } = await open(bootstrap, NO_SECURITY)
  const store = await openStore(cluster)
  const close = store.close.bind(store)
  store.close = async () => {
    await close()
    await cluster.close()
  }
  return store
}

async function open(bootstrap: string, security: KafkaSecurity): Promise<Connected> {
  const said: string[] = []
  const cluster = await KafkaCluster.open({
    brokers: addressesOf(bootstrap),
    security,
    clock: new SystemClock(),
    clientId: 'volumer-test',
    say: message => said.push(message),
  })
  return { cluster, said }
}

/// The specs of a fresh prefix.
export function freshSpecs(partitions: number, replication: number): TopicSpec[] {
  return topicSpecs({
    prefix: freshPrefix(),
    replica: 'a',
    partitions,
    retentionMs: 86_400_000,
    deadLettersMaxBytes: 2 ** 28,
    replication,
  })
}

/// Makes one of the topics that Volumer uses, for this test alone. Returns its name.
export async function freshTopic(
  cluster: KafkaCluster,
  which: 'trades' | 'rolls' | 'stats' | 'trades.live' | 'trades.dead',
  partitions = 1,
  replication = 1,
): Promise<string> {
  const spec = freshSpecs(partitions, replication).find(({ name }) => name.endsWith(`.${which}`))
  if (spec === undefined) throw new Error(`there is no topic ${which}`)
  await ensureTopics(cluster, [spec], replication)
  return spec.name
}

/// Makes all topics that Volumer uses, for this test alone.
export async function freshTopics(cluster: KafkaCluster, partitions: number, replication = 1) {
  const specs = freshSpecs(partitions, replication)
  await ensureTopics(cluster, specs, replication)
  const [trades = '', rolls = '', stats = '', , deadLetters = ''] = specs.map(({ name }) => name)
  return { trades, rolls, stats, deadLetters }
}

/// Makes a topic of any kind.
export async function makeTopic(
  cluster: KafkaCluster,
  name: string,
  partitions: number,
  settings: Readonly<Record<string, string>>,
  replication = 1,
): Promise<void> {
  const connection = await cluster.control()
  const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
  const topic = { name, numPartitions: partitions, replicationFactor: replication, assignments: [], configs }
  const { topics } = await connection.call(createTopicsV7.api, [topic], 10_000, false)
  for (const { errorCode, errorMessage } of topics) {
    if (errorCode !== 0) throw new Error(`${name}: ${errorCode} ${errorMessage}`)
  }
}

export async function deleteTopic(cluster: KafkaCluster, name: string): Promise<void> {
  const connection = await cluster.control()
  await connection.call(deleteTopicsV6.api, [{ name }], 10_000)
}
