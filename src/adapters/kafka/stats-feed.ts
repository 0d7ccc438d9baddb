/// The stats feed on Kafka: topic `stats`, compacted, keyed by token.
///
/// Publishing. The newest update of each token waits until Kafka takes it, and a newer one replaces it: an outage costs
/// memory for the tokens that changed, not for their changes.
///
/// Following. The first follower starts one reader for all of them, from the beginning of the topic. Everything passes
/// an in-process feed, which keeps the newest update of each token by version, so it makes no difference how often an
/// update comes, from how many replicas, and in which order. What this process publishes itself goes there at
/// once and not only by way of the brokers.

import { partitionOf } from '../../core/partition.js'
import { compareVersions, type StatsUpdate } from '../../core/stats.js'
import { LogRefusedError, PortError, SettingsMismatchError } from '../../ports/errors.js'
import type { StatsFeed, StatsFollower } from '../../ports/stats-feed.js'
import { MemoryStatsFeed } from '../memory/stats-feed.js'
import { nextTurn } from '../system/turn.js'
import type { KafkaCluster } from './cluster.js'
import { Fetcher } from './fetcher.js'
import { lookUpBounds } from './offsets.js'
import type { Fetched, PartitionReader } from './partition-reader.js'
import { KafkaProducer } from './producer.js'
import { BrokenBatchError, type RecordBatch, readRecords } from './record-batch.js'
import { type StatsLayout, StatsRecordCodec, StatsRecordError } from './stats-record.js'
import { checkWhole } from './whole-batch.js'

/// Bytes on their way to the brokers; what is beyond it waits by token.
const SENDING_BYTES_MAX = 4 * 1024 * 1024
const UPDATE_BYTES = 2048
const UPDATES_PER_APPEND = 512
const RETRY_MS = 50

/// A record of the topic that is no update: somebody else wrote it.
export interface StatsPoison {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly reason: string
}

export interface KafkaStatsFeedOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly layout: StatsLayout
  /// A record is skipped; the rest goes on.
  onPoison(poison: StatsPoison): void
  /// The topic cannot be written or read any more.
  fail(error: unknown): void
}

export class KafkaStatsFeed implements StatsFeed {
  readonly #options: KafkaStatsFeedOptions
  readonly #producer: KafkaProducer
  readonly #fetcher: Fetcher
  readonly #codec: StatsRecordCodec
  readonly #hub = new MemoryStatsFeed()
  /// The newest update of each token that Kafka has not been given yet.
  readonly #pending = new Map<string, StatsUpdate>()
  readonly #awaiting = new Set<StatsFollower>()
  #sending: Promise<void> = Promise.resolve()
  #isSending = false
  #lastAppend: Promise<void> = Promise.resolve()
  #unsettled = 0
  #reading: Promise<void> | null = null
  #caughtUp = false
  #closed = false

  private constructor(options: KafkaStatsFeedOptions) {
    this.#options = options
    this.#codec = new StatsRecordCodec(options.layout)
    this.#producer = new KafkaProducer({ cluster: options.cluster, bufferBytesMax: 2 * SENDING_BYTES_MAX })
    this.#fetcher = new Fetcher(options.cluster)
  }

  /// The topic must be there (topics.ts).
  static async open(options: KafkaStatsFeedOptions): Promise<KafkaStatsFeed> {
    await options.cluster.watch(options.topic)
    return new KafkaStatsFeed(options)
  }

  /// Updates that wait for Kafka.
  get waiting(): number {
    return this.#pending.size
  }

  publish(updates: readonly StatsUpdate[]): void {
    if (this.#reading !== null) this.#hub.publish(updates)
    for (const update of updates) {
      const waiting = this.#pending.get(update.token)
      const older = waiting?.partition === update.partition && compareVersions(update, waiting) <= 0
      if (!older) this.#pending.set(update.token, update)
    }
    if (this.#isSending || this.#pending.size === 0) return
    this.#isSending = true
    this.#sending = this.#send()
  }

  follow(follower: StatsFollower): () => void {
    this.#reading ??= this.#read().catch(error => {
      if (!this.#closed) this.#options.fail(error)
    })
    const end = this.#hub.follow({
      onUpdates: updates => follower.onUpdates(updates),
      onCaughtUp: () => {
        if (this.#caughtUp) follower.onCaughtUp()
        else this.#awaiting.add(follower)
      },
    })
    return () => {
      this.#awaiting.delete(follower)
      end()
    }
  }

  /// Waits until Kafka has what was published, or has not confirmed it in time.
  async close(): Promise<void> {
    await this.#sending
    await this.#producer.close()
    this.#closed = true
    await this.#fetcher.close()
    await this.#reading
    await this.#hub.close()
  }

  async #send(): Promise<void> {
    while (this.#pending.size > 0) {
      if (this.#producer.bufferedBytes < SENDING_BYTES_MAX) {
        this.#appendSome()
        if (this.#pending.size > 0) await nextTurn()
      } else if (this.#unsettled > 0) await this.#lastAppend
      // Nothing is confirmed for so long that nobody waits for it any more.
      else await this.#options.cluster.pause(RETRY_MS)
      if (this.#closed) break
    }
    this.#isSending = false
  }

  /// Hands some of what waits to the producer.
  #appendSome(): void {
    const { cluster, topic } = this.#options
    const partitions = cluster.topic(topic)?.leaders.length ?? 1
    const count = Math.min(this.#pending.size, UPDATES_PER_APPEND)
    const append = this.#producer.begin(count, count * UPDATE_BYTES)
    const now = cluster.clock.now()
    let left = count
    for (const [token, update] of this.#pending) {
      if (left-- === 0) break
      this.#pending.delete(token)
      const key = Buffer.from(token)
      append.addParts(
        topic,
        partitionOf(key, 0, key.length, partitions),
        this.#codec.encode(update, key, now),
      )
    }
    this.#unsettled++
    this.#lastAppend = append.done().then(
      () => {
        this.#unsettled--
      },
      error => {
        this.#unsettled--
        // What is not confirmed in time is still with the producer, and newer updates follow; a refusal is for ever.
        if (!(error instanceof PortError && error.retryable)) this.#options.fail(error)
      },
    )
  }

  async #read(): Promise<void> {
    const { cluster, topic } = this.#options
    const partitions = Array.from({ length: cluster.topic(topic)?.leaders.length ?? 0 }, (_, i) => i)
    const bounds = await lookUpBounds(cluster, topic, partitions)
    if (this.#closed) return
    let behind = partitions.length
    const one = async (partition: number): Promise<void> => {
      const { first, end } = bounds.get(partition) ?? { first: 0, end: 0 }
      const reader = this.#fetcher.read(topic, partition, first)
      await this.#readPartition(reader, end, () => {
        behind--
        if (behind === 0) this.#noteCaughtUp()
      })
    }
    await Promise.all(partitions.map(one))
  }

  async #readPartition(reader: PartitionReader, end: number, onEnd: () => void): Promise<void> {
    let told = reader.next >= end
    if (told) onEnd()
    for (;;) {
      const fetched = await reader.read()
      if (fetched === null) break
      this.#take(reader.partition, fetched)
      if (told || fetched.next < end) continue
      told = true
      onEnd()
    }
    if (reader.fault === null) return
    const why = reader.fault.kind === 'refused' ? reader.fault.why : reader.fault.kind
    throw new LogRefusedError(`Partition ${reader.partition} of topic ${reader.topic} cannot be read: ${why}`)
  }

  #take(partition: number, { batch }: Fetched): void {
    if (batch === null) return
    const { topic } = this.#options
    checkWhole(topic, partition, batch)
    const updates = this.#decode(partition, batch)
    if (updates.length > 0) this.#hub.publish(updates)
  }

  /// The updates of a batch; what is none is told and skipped.
  #decode(partition: number, batch: RecordBatch): StatsUpdate[] {
    const { topic, onPoison } = this.#options
    const updates: StatsUpdate[] = []
    const poison = (offset: number, error: Error) =>
      onPoison({ topic, partition, offset, reason: error.message })
    try {
      const columns = readRecords(batch)
      for (let i = 0; i < columns.count; i++) {
        try {
          updates.push(this.#codec.decode(columns, i, batch.baseTimestampMs))
        } catch (error) {
          if (!(error instanceof StatsRecordError)) throw error
          if (error.foreign) throw this.#mismatch(error)
          poison(batch.baseOffset + (columns.offsetDelta[i] ?? 0), error)
        }
      }
    } catch (error) {
      if (!(error instanceof BrokenBatchError)) throw error
      poison(batch.baseOffset, error)
    }
    return updates
  }

  #mismatch({ message }: StatsRecordError): SettingsMismatchError {
    return new SettingsMismatchError(
      `A record of topic ${this.#options.topic} cannot be read: ${message}. ` +
        'All instances on one topic run the same version with the same --windows and --resolution; to change them, use another --kafka-prefix.',
    )
  }

  #noteCaughtUp(): void {
    this.#caughtUp = true
    for (const follower of this.#awaiting) follower.onCaughtUp()
    this.#awaiting.clear()
  }
}
