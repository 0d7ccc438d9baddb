/// The bounds of partitions, asked of their leaders.

import { listOffsetsV7 } from '@platformatic/kafka'
import type { KafkaCluster } from './cluster.js'
import { Code, codeName, isRetryable } from './codes.js'
import { type BrokerConnection, KafkaFault } from './connection.js'

const CONSUMER = -1
const READ_COMMITTED = 1
const LATEST = -1n
const EARLIEST = -2n
const RETRY_MS = 100

export interface PartitionBounds {
  readonly first: number
  /// Where a reader of committed data ends.
  readonly end: number
}

/// The bounds of each of the partitions now. Asks until it is told; rejects with KafkaFault when the topic is not
/// there, when asking again cannot help, or when the cluster is closed.
export async function lookUpBounds(
  cluster: KafkaCluster,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, PartitionBounds>> {
  const found = new Map<number, PartitionBounds>()
  for (;;) {
    try {
      await lookUpMissing(cluster, topic, partitions, found)
      if (found.size === partitions.length) return found
    } catch (error) {
      if (error instanceof KafkaFault && !error.retryable) throw error
      cluster.noteFault(error)
    }
    await cluster.pause(RETRY_MS)
    if (cluster.signal.aborted) throw new KafkaFault('the connection to Kafka is closed', false)
    await cluster.refresh()
    if (cluster.topic(topic) === undefined) throw new KafkaFault(`Kafka has no topic ${topic}`, false)
  }
}

async function lookUpMissing(
  cluster: KafkaCluster,
  topic: string,
  partitions: readonly number[],
  found: Map<number, PartitionBounds>,
): Promise<void> {
  const byNode = new Map<number, number[]>()
  for (const partition of partitions) {
    const leader = cluster.leader(topic, partition)
    if (found.has(partition) || leader === null) continue
    byNode.set(leader.node, [...(byNode.get(leader.node) ?? []), partition])
  }
  for (const [node, led] of byNode) {
    const connection = await cluster.connect(node)
    try {
      const first = await ask(connection, topic, led, EARLIEST)
      const end = await ask(connection, topic, led, LATEST)
      for (const partition of led) {
        const bounds = { first: first.get(partition), end: end.get(partition) }
        if (bounds.first === undefined || bounds.end === undefined) continue
        found.set(partition, { first: bounds.first, end: bounds.end })
      }
    } finally {
      void connection.close()
    }
  }
}

async function ask(
  connection: BrokerConnection,
  topic: string,
  partitions: readonly number[],
  timestamp: bigint,
): Promise<Map<number, number>> {
  const wanted = partitions.map(partitionIndex => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }))
  const answer = await connection.call(listOffsetsV7.api, CONSUMER, READ_COMMITTED, [
    { name: topic, partitions: wanted },
  ])
  const found = new Map<number, number>()
  for (const { partitionIndex, errorCode, offset } of answer.topics.flatMap(({ partitions }) => partitions)) {
    if (errorCode === Code.none) found.set(partitionIndex, Number(offset))
    else if (!isRetryable(errorCode)) {
      throw new KafkaFault(`Kafka does not tell the offsets of topic ${topic}: ${codeName(errorCode)}`, false)
    }
  }
  return found
}
