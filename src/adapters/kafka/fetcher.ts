/// Fetches partitions for as long as somebody follows them.
///
/// Each broker has a loop with one request under way, which asks for every followed partition that it leads and whose
/// reader has room: a long poll, answered as soon as anything comes. While a batch is being read the next request is out
/// already, so a reader that keeps up never waits for more than the way to the broker. A reader that does not keep
/// up is left out until it has taken what it has: it costs bounded memory, and delays nobody. Of several readers of one
/// partition the last one is fetched for, and the others take what is new to them.
///
/// The bytes that come are handed on as they are (fetched-partition.ts); whoever reads them decodes them.

import type { KafkaCluster } from './cluster.js'
import { Code, codeName, isRetryable, isStale } from './codes.js'
import { type BrokerConnection, KafkaFault } from './connection.js'
import { type FetchedPartition, fetchRequest } from './fetch-request.js'
import { type FetchFault, PartitionReader } from './partition-reader.js'
import { Doorbell } from './pause.js'

const MIB = 1024 * 1024
const LIMITS = { waitMsMax: 100, bytesMax: 16 * MIB, partitionBytesMax: 2 * MIB }
const RETRY_MS = 100

/// The loop of one broker.
interface Loop {
  readonly node: number
  readonly doorbell: Doorbell
  connection: BrokerConnection | null
  running: Promise<void>
  /// Counts requests: where each begins among the partitions, since an answer is filled from the first on.
  turn: number
}

export class Fetcher {
  readonly #cluster: KafkaCluster
  readonly #readers = new Set<PartitionReader>()
  readonly #loops = new Map<number, Loop>()
  #closed = false

  constructor(cluster: KafkaCluster) {
    this.#cluster = cluster
  }

  /// Begins to fetch the partition from `from` on, until the reader ends. The topic must be one that the cluster
  /// watches.
  read(topic: string, partition: number, from: number): PartitionReader {
    const topicId = this.#cluster.topic(topic)?.id ?? null
    const reader = new PartitionReader({
      topic,
      topicId,
      partition,
      from,
      onRoom: () => this.#dispatch(reader),
      onEnd: () => this.#readers.delete(reader),
    })
    this.#readers.add(reader)
    this.#dispatch(reader)
    return reader
  }

  /// Every reader ends, without an error.
  async close(): Promise<void> {
    this.#closed = true
    for (const reader of [...this.#readers]) reader.end()
    for (const { doorbell, connection } of this.#loops.values()) {
      doorbell.ring()
      // A long poll would hold the loop up.
      void connection?.close()
    }
    await Promise.all([...this.#loops.values()].map(({ running }) => running))
  }

  /// Wakes the loop of the partition's leader; where there is none, asks until there is one.
  #dispatch(reader: PartitionReader): void {
    if (this.#closed || reader.ended || reader.pausing) return
    const leader = this.#cluster.leader(reader.topic, reader.partition)
    if (leader === null) this.#tryLater(reader, true)
    else this.#loop(leader.node).doorbell.ring()
  }

  #tryLater(reader: PartitionReader, stale: boolean): void {
    reader.pausing = true
    const wait = stale ? this.#cluster.refresh() : Promise.resolve()
    void wait
      .then(() => this.#cluster.pause(RETRY_MS))
      .then(() => {
        reader.pausing = false
        this.#checkTopic(reader)
        this.#dispatch(reader)
      })
  }

  /// A topic that is another one now cannot be followed on: its offsets mean other records.
  #checkTopic(reader: PartitionReader): void {
    const topic = this.#cluster.topic(reader.topic)
    if (topic === undefined || reader.topicId === null || topic.id === reader.topicId) return
    reader.fail({ kind: 'replaced' })
  }

  #loop(node: number): Loop {
    let loop = this.#loops.get(node)
    if (loop === undefined) {
      loop = { node, doorbell: new Doorbell(), connection: null, running: Promise.resolve(), turn: 0 }
      this.#loops.set(node, loop)
      loop.running = this.#run(loop)
    }
    return loop
  }

  async #run(loop: Loop): Promise<void> {
    while (!this.#closed) {
      const readers = this.#wantedFrom(loop)
      if (readers.length === 0) {
        await loop.doorbell.sleep()
        continue
      }
      try {
        await this.#fetch(loop, readers)
      } catch (error) {
        if (this.#closed) break
        this.#retry(readers, error)
      }
    }
    await loop.connection?.close()
  }

  /// One reader of each partition.
  #wantedFrom({ node, turn }: Loop): PartitionReader[] {
    const last = new Map<string, PartitionReader>()
    for (const reader of this.#readers) {
      const { topic, partition, pausing, hasRoom } = reader
      if (pausing || !hasRoom || this.#cluster.leader(topic, partition)?.node !== node) continue
      const key = `${topic} ${partition}`
      const known = last.get(key)
      if (known === undefined || reader.next < known.next) last.set(key, reader)
    }
    const found = [...last.values()]
    const first = found.length === 0 ? 0 : turn % found.length
    return [...found.slice(first), ...found.slice(0, first)]
  }

  async #fetch(loop: Loop, readers: readonly PartitionReader[]): Promise<void> {
    loop.turn++
    if (!loop.connection?.usable) loop.connection = await this.#cluster.connect(loop.node)
    const positions = readers.map(reader => {
      const { topic, partition, next } = reader
      reader.topicId ??= this.#cluster.topic(topic)?.id ?? null
      const leaderEpoch = this.#cluster.leader(topic, partition)?.epoch ?? -1
      return { topicId: reader.topicId ?? '0'.repeat(32), partition, leaderEpoch, offset: next }
    })
    const answer = await loop.connection.request(fetchRequest(positions, LIMITS))
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
      if (reader.next === offset || (fetched.errorCode === Code.none && reader.hasRoom)) {
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
