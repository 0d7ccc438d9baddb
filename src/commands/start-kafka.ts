/// The stores of a process whose trade log and dead letters are on Kafka. The roller's state is on the local disk, in a
/// directory that is named after the topic's id: a topic that was deleted and made again has other offsets.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { stateDirectory } from '../adapters/embedded/data-directory.js'
import { checkSettings, readFormat, writeFormat } from '../adapters/embedded/format-file.js'
import { type DirectoryLock, lockDirectory } from '../adapters/embedded/lock.js'
import { EmbeddedStateStore } from '../adapters/embedded/state-store.js'
import { KafkaCluster } from '../adapters/kafka/cluster.js'
import { KafkaFault } from '../adapters/kafka/connection.js'
import { KafkaDeadLetters } from '../adapters/kafka/dead-letters.js'
import type { KafkaSecurity } from '../adapters/kafka/security.js'
import { topicNames, topicSpecs } from '../adapters/kafka/topic-specs.js'
import { ensureTopics } from '../adapters/kafka/topics.js'
import { KafkaTradeLog } from '../adapters/kafka/trade-log.js'
import type { Config } from '../config.js'
import type { Clock } from '../ports/clock.js'
import { SettingsMismatchError } from '../ports/errors.js'
import type { StateStore } from '../ports/state-store.js'
import { CommandError } from './failure.js'
import type { RollerStores } from './start-stores.js'

const COPIES = 3

export async function openKafkaStores(
  config: Config,
  brokers: Exclude<Config['kafka'], 'none'>,
  clock: Clock,
  say: (message: string) => void,
): Promise<RollerStores> {
  const security = securityOf(config)
  const clientId = `volumer-${config.roles.join('-')}`
  const cluster = await KafkaCluster.open({ brokers, security, clock, clientId, say }).catch(error => {
    if (!(error instanceof KafkaFault)) throw error
    throw new CommandError(
      `${error.message}\nNothing was started. \`make kafka\` brings a broker up on this machine.`,
    )
  })
  try {
    return await openOn(cluster, config, clock)
  } catch (error) {
    await cluster.close()
    throw error
  }
}

async function openOn(cluster: KafkaCluster, config: Config, clock: Clock): Promise<RollerStores> {
  const names = topicNames(config.kafkaPrefix)
  const replication =
    config.kafkaReplication === 'auto' ? Math.min(COPIES, cluster.size) : config.kafkaReplication
  const specs = topicSpecs({
    prefix: config.kafkaPrefix,
    partitions: config.kafkaPartitions,
    retentionMs: config.retentionMs,
    deadLettersMaxBytes: config.deadLettersMaxBytes,
    replication,
  })
  await cluster.watch(names.trades)
  const partitions = cluster.topic(names.trades)?.leaders.length ?? config.kafkaPartitions
  if (partitions !== 1) {
    throw new SettingsMismatchError(
      `Topic ${names.trades} would have ${partitions} partitions, and this version rolls one: start with --kafka-partitions 1, and with another --kafka-prefix if the topic is there.`,
    )
  }
  await ensureTopics(cluster, specs, replication)
  const log = await KafkaTradeLog.open({ cluster, topic: names.trades })
  const deadLetters = await KafkaDeadLetters.open({
    cluster,
    topic: names.deadLetters,
    tradesTopic: names.trades,
  })
  const directory = join(config.data, 'kafka', cluster.topic(names.trades)?.id ?? '')
  const { state, lock } = await openState(directory, config, clock)
  const close = async () => {
    for (const store of [log, state, deadLetters, cluster]) await store.close()
    await lock.release()
  }
  return { log, state, deadLetters, close }
}

async function openState(
  directory: string,
  config: Config,
  clock: Clock,
): Promise<{ readonly state: StateStore; readonly lock: DirectoryLock }> {
  mkdirSync(directory, { recursive: true })
  const lock = await lockDirectory(directory, clock)
  const settings = { partitions: 1, resolutionMs: config.resolutionMs }
  try {
    const format = readFormat(directory)
    if (format !== null) checkSettings(directory, format, settings)
    const create = format === null
    const place = stateDirectory(directory, 0)
    const state = new EmbeddedStateStore({ directory: place, partition: 0, clock, create })
    if (create) writeFormat(directory, settings)
    return { state, lock }
  } catch (error) {
    await lock.release()
    throw error
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
