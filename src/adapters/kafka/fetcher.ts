/// Fetches partitions for as long as somebody follows them.
///
/// Each broker has a loop with one request under way, which asks for every followed partition that it leads and whose
/// reader has room: a long poll, answered as soon as anything comes. While a batch is being read the next request is out
/// already, so a reader that keeps up never waits for more than the way to the broker. A reader that does not keep
/// up is left out until it has taken what it has: it costs bounded memory, and delays nobody. Of several readers of one
/// partition the last one is fetched for, and the others take what is new to them.
///
/// The bytes that come are handed on as they are (fetched-partition.ts); whoever reads them decodes them.

import { type BrokerLoop, BrokerLoops, rotated } from './broker-loops.js'
import type { KafkaCluster } from './cluster.js'
import { Code, codeName, isRetryable, isStale } from './codes.js'
import { type BrokerConnection, KafkaFault } from './connection.js'
import { type FetchedPartition, fetchRequest } from './fetch-request.js'
import { type FetchFault, PartitionReader } from './partition-reader.js'

const MIB = 1024 * 1024
const MISSING_MS_MAX = 5000
const LIMITS = { waitMsMax: 100, bytesMax: 16 * MIB, partitionBytesMax: 2 * MIB }

export class Fetcher {
  readonly #cluster: KafkaCluster
  readonly #readers = new Set<PartitionReader>()
  readonly #loops: BrokerLoops<PartitionReader>

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster
    this.#loops = new BrokerLoops(cluster, (loop, connect) => this.#poll(loop, connect))
  }

  /// Begins to fetch the partition from `from` on, until the reader ends. The topic must be one that the cluster
  /// watches. With the leader epoch of the record before `from`, a log that was cut back meanwhile is noticed.
  read(topic: string, partition: number, from: number, lastEpoch = -1): PartitionReader {
    const topicId = this.#cluster.topic(topic)?.id ?? null
    const reader = new PartitionReader({
      topic,
      topicId,
      partition,
      from,
      lastEpoch,
      onRoom: () => this.#dispatch(reader),
      onEnd: () => this.#readers.delete(reader),
    })
    this.#readers.add(reader)
    this.#dispatch(reader)
    return reader
  }

  /// Every reader ends, without an error.
  async close(): Promise<void> {
    for (const reader of [...this.#readers]) reader.end()
    // A long poll would hold the loops up.
    await this.#loops.close(true)
  }

  #dispatch(reader: PartitionReader): void {
    if (this.#loops.closed || reader.ended || reader.pausing) return
    this.#loops.dispatch(reader, again => this.#goOn(again))
  }

  #tryLater(reader: PartitionReader, stale: boolean): void {
    this.#loops.later(reader, stale, again => this.#goOn(again))
  }

  #goOn(reader: PartitionReader): void {
    this.#checkTopic(reader)
    this.#dispatch(reader)
  }

  /// A topic that is gone, or another one now, cannot be followed on: its offsets mean other records. Brokers may not
  /// know of a topic for a moment, so its absence must last.
  #checkTopic(reader: PartitionReader): void {
    const topic = this.#cluster.topic(reader.topic)
    if (topic === undefined) {
      const now = this.#cluster.clock.now()
      reader.missingSinceMs ??= now
      if (now - reader.missingSinceMs > MISSING_MS_MAX) reader.fail({ kind: 'deleted' })
      return
    }
    reader.missingSinceMs = null
    if (reader.topicId !== null && topic.id !== reader.topicId) reader.fail({ kind: 'replaced' })
  }

  /// Sends one request to the broker and waits for its answer.
  async #poll(loop: BrokerLoop, connect: () => Promise<BrokerConnection>): Promise<boolean> {
    const readers = this.#wantedFrom(loop)
    if (readers.length === 0) return false
    try {
      await this.#fetch(await connect(), readers)
    } catch (error) {
      if (!this.#loops.closed) this.#retry(readers, error)
    }
    return true
  }

  /// One reader of each partition.
  #wantedFrom({ node, turn }: BrokerLoop): PartitionReader[] {
    const last = new Map<string, PartitionReader>()
    for (const reader of this.#readers) {
      const { topic, partition, pausing, hasRoom } = reader
      if (pausing || !hasRoom || this.#cluster.leader(topic, partition)?.node !== node) continue
      const key = `${topic} ${partition}`
      const known = last.get(key)
      if (known === undefined || reader.next < known.next) last.set(key, reader)
    }
    return rotated([...last.values()], turn)
  }

  async #fetch(connection: BrokerConnection, readers: readonly PartitionReader[]): Promise<void> {
    const positions = readers.map(reader => {
      const { topic, partition, next, lastEpoch } = reader
      reader.topicId ??= this.#cluster.topic(topic)?.id ?? null
      const leaderEpoch = this.#cluster.leader(topic, partition)?.epoch ?? -1
      return { topicId: reader.topicId ?? '0'.repeat(32), partition, leaderEpoch, offset: next, lastEpoch }
    })
    const answer = await connection.request(fetchRequest(positions, LIMITS))
    this.#cluster.noteAnswer()
    if (answer.errorCode !== Code.none) {
      throw new KafkaFault(`Kafka does not fetch: ${codeName(answer.errorCode)}`, true)
    }
    for (const fetched of answer.partitions) {
      const asked = positions.find(at => isOf(fetched, at))
      if (asked !== undefined) this.#take(fetched, asked.offset)
    }
  }

  /// Hands what was fetched from `offset` on to every reader that is there or further.
  #take(fetched: FetchedPartition, offset: number): void {
    for (const reader of [...this.#readers]) {
      if (!isOf(fetched, reader) || reader.next < offset || reader.pausing) continue
      const isWhole = fetched.errorCode === Code.none && fetched.divergesAt === null
      if (reader.next === offset || (isWhole && reader.hasRoom)) {
        this.#takeOne(reader, fetched)
      }
    }
  }

  #takeOne(reader: PartitionReader, fetched: FetchedPartition): void {
    const { errorCode } = fetched
    if (errorCode === Code.none) reader.take(fetched)
    else if (isRetryable(errorCode)) this.#tryLater(reader, isStale(errorCode))
    else reader.fail(faultOf(errorCode))
  }

  #retry(readers: readonly PartitionReader[], error: unknown): void {
    this.#cluster.noteFault(error)
    for (const reader of readers) {
      if (error instanceof KafkaFault && !error.retryable)
        reader.fail({ kind: 'refused', why: error.message })
      else this.#tryLater(reader, true)
    }
  }
}

interface OfPartition {
  readonly topicId: string | null
  readonly partition: number
}

const isOf = (a: OfPartition, b: OfPartition): boolean =>
  a.topicId === b.topicId && a.partition === b.partition

function faultOf(errorCode: number): FetchFault {
  return errorCode === Code.offsetOutOfRange
    ? { kind: 'gone' }
    : { kind: 'refused', why: `Kafka refuses to fetch: ${codeName(errorCode)}` }
}
