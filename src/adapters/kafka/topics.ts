/// Creates the topics that are not there, and checks those that are: a topic with wrong settings would lose or
/// change swaps in silence, so the start refuses it, says what is wrong and why, and gives the command that mends it.

import { createTopicsV7, describeConfigsV4 } from '@platformatic/kafka'
import { SettingsMismatchError } from '../../ports/errors.js'
import type { KafkaCluster } from './cluster.js'
import { Code, codeName, isRetryable } from './codes.js'
import { KafkaFault } from './connection.js'
import type { Setting, TopicSpec } from './topic-specs.js'

const CREATE_MS_MAX = 10_000
const TOPIC_RESOURCE = 2
const RETRY_MS = 100
const TRIES_MAX = 100

export interface EnsuredTopics {
  /// Names of those that were not there before.
  readonly created: readonly string[]
}

/// Rejects with SettingsMismatchError when a topic is not as it must be or cannot be created, and with KafkaFault
/// when the cluster cannot tell.
export async function ensureTopics(
  cluster: KafkaCluster,
  specs: readonly TopicSpec[],
  replication: number,
): Promise<EnsuredTopics> {
  await cluster.watch(...specs.map(({ name }) => name))
  const missing = specs.filter(({ name }) => cluster.topic(name) === undefined)
  const created = missing.length === 0 ? [] : await create(cluster, missing, replication)
  await untilLed(cluster, specs)
  const existing = specs.filter(({ name }) => !created.includes(name))
  const problems = [...(await wrongSettings(cluster, existing)), ...wrongPartitions(cluster, specs)]
  if (problems.length > 0) {
    const many = problems.length === 1 ? 'A topic is' : `${problems.length} topics are`
    throw new SettingsMismatchError(`${many} not as Volumer needs:\n${problems.join('\n')}`)
  }
  return { created }
}

async function create(
  cluster: KafkaCluster,
  specs: readonly TopicSpec[],
  replication: number,
): Promise<string[]> {
  const connection = await cluster.control()
  const wanted = specs.map(({ name, partitions, settings }) => ({
    name,
    numPartitions: partitions,
    replicationFactor: replication,
    assignments: [],
    configs: settings.map(({ name, value }) => ({ name, value })),
  }))
  const answer = await connection.call(createTopicsV7.api, wanted, CREATE_MS_MAX, false)
  const created: string[] = []
  for (const { name, errorCode, errorMessage } of answer.topics) {
    // Another instance that starts at the same time may have been first.
    if (errorCode === Code.none) created.push(name)
    else if (errorCode !== Code.topicAlreadyExists && !isRetryable(errorCode)) {
      const spec = specs.find(topic => topic.name === name)
      const why = errorMessage ? `${codeName(errorCode)}: ${errorMessage}` : codeName(errorCode)
      throw new SettingsMismatchError(
        `Topic ${name} is not there and cannot be created: ${why}\n` +
          (spec === undefined ? '' : `Have it created:\n  ${createCommand(cluster, spec, replication)}`),
      )
    }
  }
  return created
}

/// Waits until every topic is known with a leader for each partition.
async function untilLed(cluster: KafkaCluster, specs: readonly TopicSpec[]): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX && !cluster.signal.aborted; tries++) {
    const led = specs.every(({ name }) => {
      const leaders = cluster.topic(name)?.leaders ?? []
      return leaders.length > 0 && !leaders.includes(null)
    })
    if (led) return
    await cluster.pause(RETRY_MS)
    await cluster.refresh()
  }
  const without = specs.filter(({ name }) => cluster.topic(name)?.leaders.includes(null) ?? true)
  const names = without.map(({ name }) => name).join(', ')
  throw new KafkaFault(
    `Kafka has no leader for every partition of ${names}: not all its brokers are up`,
    true,
  )
}

async function wrongSettings(cluster: KafkaCluster, specs: readonly TopicSpec[]): Promise<string[]> {
  if (specs.length === 0) return []
  const connection = await cluster.control()
  const resources = specs.map(
    ({ name, settings }) =>
      ({
        resourceType: TOPIC_RESOURCE,
        resourceName: name,
        configurationKeys: settings.map(setting => setting.name),
      }) as const,
  )
  const answer = await connection.call(describeConfigsV4.api, resources, false, false)
  const found: string[] = []
  for (const { resourceName, errorCode, errorMessage, configs } of answer.results) {
    if (errorCode !== Code.none) {
      throw new KafkaFault(
        `Kafka does not tell the settings of topic ${resourceName}: ${errorMessage ?? codeName(errorCode)}`,
        isRetryable(errorCode),
      )
    }
    const values = new Map(configs.map(({ name, value }) => [name, value ?? '']))
    const spec = specs.find(({ name }) => name === resourceName)
    const wrong = spec?.settings.filter(setting => !holds(setting, values.get(setting.name)))
    if (wrong !== undefined && wrong.length > 0)
      found.push(describeWrong(cluster, resourceName, wrong, values))
  }
  return found
}

/// A setting that the broker does not know holds.
function holds({ rule, value }: Setting, actual: string | undefined): boolean {
  if (actual === undefined || rule === 'any') return true
  if (rule === 'equal') return actual === value
  return Number(actual) === -1 || Number(actual) >= Number(value)
}

function describeWrong(
  cluster: KafkaCluster,
  topic: string,
  wrong: readonly Setting[],
  values: ReadonlyMap<string, string>,
): string {
  const lines = wrong.map(({ name, value, rule, because }) => {
    const wanted = rule === 'equal' ? value : `at least ${value}`
    return `  - topic ${topic}: ${name} is ${values.get(name)}, wanted ${wanted}: ${because}`
  })
  const changes = wrong.map(({ name, value }) => `${name}=${value.includes(',') ? `[${value}]` : value}`)
  const command = `kafka-configs.sh --bootstrap-server ${cluster.bootstrap} --alter --entity-type topics --entity-name ${topic} --add-config ${changes.join(',')}`
  return `${lines.join('\n')}\n    Mend it: ${command}`
}

/// Topics that must have as many partitions as the first one: its partition p goes with theirs.
function wrongPartitions(cluster: KafkaCluster, [trades, rolls]: readonly TopicSpec[]): string[] {
  const wanted = cluster.topic(trades?.name ?? '')?.leaders.length ?? 0
  const actual = cluster.topic(rolls?.name ?? '')?.leaders.length ?? 0
  if (rolls === undefined || trades === undefined || wanted === actual) return []
  const problem = `  - topic ${rolls.name} has ${actual} partitions, and ${trades.name} has ${wanted}: they must be equally many`
  const fewer = actual < wanted ? rolls.name : trades.name
  const command = `kafka-topics.sh --bootstrap-server ${cluster.bootstrap} --alter --topic ${fewer} --partitions ${Math.max(actual, wanted)}`
  return [`${problem}\n    Mend it: ${command}`]
}

function createCommand(cluster: KafkaCluster, spec: TopicSpec, replication: number): string {
  const settings = spec.settings.map(({ name, value }) => ` --config ${name}=${value}`).join('')
  return `kafka-topics.sh --bootstrap-server ${cluster.bootstrap} --create --topic ${spec.name} --partitions ${spec.partitions} --replication-factor ${replication}${settings}`
}
