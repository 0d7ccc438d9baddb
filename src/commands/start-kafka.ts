/// The stores of a process on Kafka. Everything that must last is in topics; on the local disk there are copies of states, which
/// may be lost.

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DirectoryLock, lockDirectory } from '../adapters/embedded/lock.js'
import { KafkaCluster } from '../adapters/kafka/cluster.js'
import { KafkaFault } from '../adapters/kafka/connection.js'
import { KafkaDeadLetters } from '../adapters/kafka/dead-letters.js'
import { KafkaPartitionGroup } from '../adapters/kafka/partition-group.js'
import { letterOfPoison, type TopicPoison } from '../adapters/kafka/poison.js'
import { Rolls } from '../adapters/kafka/rolls.js'
import type { KafkaSecurity } from '../adapters/kafka/security.js'
import { KafkaStatsFeed } from '../adapters/kafka/stats-feed.js'
import { statsLayout } from '../adapters/kafka/stats-record.js'
import { topicNames, topicSpecs } from '../adapters/kafka/topic-specs.js'
import { ensureTopics } from '../adapters/kafka/topics.js'
import { KafkaTradeFeed } from '../adapters/kafka/trade-feed.js'
import { KafkaTradeLog } from '../adapters/kafka/trade-log.js'
import { FixedGroup } from '../adapters/memory/fixed-group.js'
import type { Config } from '../config.js'
import type { Clock } from '../ports/clock.js'
import { LockedError, PortError, SettingsMismatchError } from '../ports/errors.js'
import { CommandError } from './failure.js'
import type { RollerStores, StoreEvents } from './start-stores.js'

const COPIES = 3
/// That share a directory.
const INSTANCES_MAX = 64

export async function openKafkaStores(
  config: Config,
  brokers: Exclude<Config['kafka'], 'none'>,
  clock: Clock,
  events: StoreEvents,
): Promise<RollerStores> {
  const cluster = await connectToKafka(config, brokers, clock, config.roles.join('-'), events.say)
  const opened: { close(): Promise<void> }[] = [cluster]
  const close = async () => {
    for (const store of opened.toReversed()) await store.close()
  }
  try {
    return { ...(await openOn(cluster, config, clock, events, opened)), close }
  } catch (error) {
    await close()
    throw error
  }
}

/// `what` names the process to the brokers.
export async function connectToKafka(
  config: Config,
  brokers: Exclude<Config['kafka'], 'none'>,
  clock: Clock,
  what: string,
  say: StoreEvents['say'],
): Promise<KafkaCluster> {
  const security = securityOf(config)
  const clientId = `volumer-${what}`
  return KafkaCluster.open({ brokers, security, clock, clientId, say }).catch(error => {
    if (!(error instanceof KafkaFault)) throw error
    throw new CommandError(
      `${error.message}\nNothing was started. \`make kafka\` brings a broker up on this machine.`,
    )
  })
}

/// What is opened is added to `opened`.
async function openOn(
  cluster: KafkaCluster,
  config: Config,
  clock: Clock,
  { say, fail }: StoreEvents,
  opened: { close(): Promise<void> }[],
): Promise<Omit<RollerStores, 'close'>> {
  const names = topicNames(config.kafkaPrefix, config.replica)
  await makeTopics(cluster, config)
  const log = await KafkaTradeLog.open({ cluster, topic: names.trades })
  opened.push(log)
  const deadLetters = await KafkaDeadLetters.open({
    cluster,
    topic: names.deadLetters,
    tradesTopic: names.trades,
  })
  opened.push(deadLetters)
  const onPoison = (poison: TopicPoison) => {
    say(
      `Record ${poison.offset} of partition ${poison.partition} of topic ${poison.topic} is left out, since ${poison.reason}. It is kept as a dead letter.`,
    )
    // Whoever reads the topic next comes upon it again.
    deadLetters.append([letterOfPoison(poison, clock)]).catch(error => {
      if (!(error instanceof PortError && error.retryable)) fail(error)
    })
  }
  const feed = await KafkaStatsFeed.open({
    cluster,
    topic: names.stats,
    tradesTopic: names.trades,
    layout: statsLayout(
      config.windows.map(({ lengthMs }) => lengthMs),
      config.resolutionMs,
    ),
    onPoison,
    fail,
  })
  opened.push(feed)
  const trades = await KafkaTradeFeed.open({ cluster, topic: names.live, onPoison, fail })
  opened.push(trades)
  if (!config.roles.includes('roller')) {
    return { log, deadLetters, feed, trades, group: new FixedGroup([]), openState: refuseState }
  }
  const { lock, directory } = await lockFree(join(config.data, 'kafka'), clock)
  opened.push({ close: () => lock.release() })
  const rolls = await Rolls.open({
    cluster,
    topic: names.rolls,
    tradesTopic: names.trades,
    rules: config,
    epochs: log.epochs,
    directory: join(directory, 'rolls'),
    ...{ onPoison, say },
  })
  opened.push(rolls)
  const group =
    config.kafkaOwn === 'group'
      ? new KafkaPartitionGroup({
          ...{ cluster, fail },
          group: names.group,
          topic: names.trades,
          memberId: memberIdIn(directory),
        })
      : new FixedGroup(ownPartitions(config.kafkaOwn, log.partitions))
  const openState: RollerStores['openState'] = async (partition, progress, signal) => {
    if ((cluster.topic(names.rolls)?.leaders.length ?? 0) < log.partitions) {
      throw new SettingsMismatchError(
        `Topic ${names.trades} has ${log.partitions} partitions, and topic ${names.rolls} has fewer. Start again: the start prints the command that mends it.`,
      )
    }
    const store = await rolls.openState(partition, progress, signal)
    return { store, shared: store, close: () => store.close() }
  }
  return { log, deadLetters, feed, trades, group, openState }
}

const refuseState = async (): Promise<never> => {
  throw new Error('a process without the role roller has no state')
}

/// Creates and checks the topics; see ensureTopics.
export async function makeTopics(cluster: KafkaCluster, config: Config): Promise<void> {
  const names = topicNames(config.kafkaPrefix, config.replica)
  const replication =
    config.kafkaReplication === 'auto' ? Math.min(COPIES, cluster.size) : config.kafkaReplication
  await cluster.watch(names.trades)
  const partitions = cluster.topic(names.trades)?.leaders.length ?? config.kafkaPartitions
  const specs = topicSpecs({
    prefix: config.kafkaPrefix,
    replica: config.replica,
    partitions,
    retentionMs: config.retentionMs,
    deadLettersMaxBytes: config.deadLettersMaxBytes,
    replication,
  })
  await ensureTopics(cluster, specs, replication)
}

function ownPartitions(own: readonly number[], partitions: number): readonly number[] {
  const beyond = own.find(partition => partition >= partitions)
  if (beyond === undefined) return own
  throw new SettingsMismatchError(
    `There is no partition ${beyond}: kafka-own wants partitions from 0 to ${partitions - 1}.`,
  )
}

/// The name of the group's member whose directory this is: made at first, kept for later starts.
function memberIdIn(directory: string): string {
  const path = join(directory, 'member')
  if (existsSync(path)) {
    const kept = readFileSync(path, 'utf8').trim()
    if (MEMBER_ID.test(kept)) return kept
  }
  const made = randomUUID()
  writeFileSync(path, `${made}\n`)
  return made
}

const MEMBER_ID = /^[0-9a-f-]{36}$/

/// A directory that no other process has: `DATA/kafka/1`, or the next one. Several instances can be started in one place.
async function lockFree(
  directory: string,
  clock: Clock,
): Promise<{ readonly lock: DirectoryLock; readonly directory: string }> {
  for (let number = 1; ; number++) {
    const place = join(directory, String(number))
    mkdirSync(place, { recursive: true })
    try {
      return { lock: await lockDirectory(place, clock), directory: place }
    } catch (error) {
      if (!(error instanceof LockedError) || number >= INSTANCES_MAX) throw error
    }
  }
}

function securityOf(config: Config): KafkaSecurity {
  const path = (value: string): string | null => (value === 'none' ? null : value)
  const { kafkaSasl, kafkaTls } = config
  return {
    tls: kafkaTls
      ? {
          ca: path(config.kafkaTlsCa),
          certificate: path(config.kafkaTlsCert),
          key: path(config.kafkaTlsKey),
        }
      : null,
    sasl:
      kafkaSasl === 'none'
        ? null
        : {
            mechanism: MECHANISMS[kafkaSasl],
            user: config.kafkaUsername,
            password: config.kafkaPassword,
          },
  }
}

const MECHANISMS = {
  plain: 'PLAIN',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
} as const
