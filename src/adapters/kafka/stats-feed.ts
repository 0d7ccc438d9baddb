/// The stats feed on Kafka: topic `stats`, compacted, keyed by token.
///
/// Publishing. The newest update of each token waits until Kafka takes it, and a newer one replaces it: an outage costs
/// memory for the tokens that changed, not for their changes.
///
/// Following. The first follower starts one reader for all of them, from the beginning of the topic. Everything passes
/// an in-process feed, which keeps the newest update of each token by version, so it makes no difference how often an
/// update comes, from how many replicas, and in which order. What this process publishes itself goes there at
/// once and not only by way of the brokers.

import { randomInt } from 'node:crypto'
import { partitionOf } from '../../core/partition.js'
import { compareVersions, type StatsUpdate } from '../../core/stats.js'
import { epochMs, offset } from '../../core/units.js'
import { LogRefusedError, PortError, SettingsMismatchError } from '../../ports/errors.js'
import type { PartitionReport, StatsFeed, StatsFollower } from '../../ports/stats-feed.js'
import { MemoryStatsFeed } from '../memory/stats-feed.js'
import { nextTurn } from '../system/turn.js'
import type { KafkaCluster } from './cluster.js'
import { Fetcher } from './fetcher.js'
import { lookUpBounds } from './offsets.js'
import type { Fetched, PartitionReader } from './partition-reader.js'
import type { TopicPoison } from './poison.js'
import { KafkaProducer } from './producer.js'
import { BrokenBatchError, type RecordBatch, readRecords, recordValue } from './record-batch.js'
import { isReport, readReport, reportRecord } from './report-record.js'
import { type StatsLayout, StatsRecordCodec, StatsRecordError } from './stats-record.js'
import { checkWhole } from './whole-batch.js'

/// Bytes on their way to the brokers; what is beyond it waits by token.
const SENDING_BYTES_MAX = 4 * 1024 * 1024
const UPDATE_BYTES = 2048
const UPDATES_PER_APPEND = 512
const RETRY_MS = 50
/// A last record that is outdated for so long is mended: usually its writer is about to write a newer one.
const OUTDATED_MS = 2000
/// Readers differ by up to so much, so that one mends it and the others see that it is.
const OUTDATED_SPREAD_MS = 4000
const MEND_EACH_MS = 500

export interface KafkaStatsFeedOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  /// Whose partitions tokens belong to.
  readonly tradesTopic: string
  readonly layout: StatsLayout
  /// A record is skipped; the rest goes on.
  onPoison(poison: TopicPoison): void
  /// The topic cannot be written or read any more.
  fail(error: unknown): void
}

interface Outdated {
  readonly since: number
  /// What was known then: no record as new as that has come since.
  readonly known: StatsUpdate
}

export class KafkaStatsFeed implements StatsFeed {
  readonly #options: KafkaStatsFeedOptions
  readonly #producer: KafkaProducer
  readonly #fetcher: Fetcher
  readonly #codec: StatsRecordCodec
  readonly #hub: MemoryStatsFeed
  /// The newest update of each token that Kafka has not been given yet.
  readonly #pending = new Map<string, StatsUpdate>()
  readonly #awaiting = new Set<StatsFollower>()
  /// Tokens whose last record is older than what is known.
  readonly #outdated = new Map<string, Outdated>()
  readonly #mendAfterMs = OUTDATED_MS + randomInt(OUTDATED_SPREAD_MS)
  #mended = 0
  #cancelMending: () => void = () => {}
  #sending: Promise<void> = Promise.resolve()
  #isSending = false
  #lastAppend: Promise<void> = Promise.resolve()
  #unsettled = 0
  #reading: Promise<void> | null = null
  #caughtUp = false
  #closed = false

  private constructor(options: KafkaStatsFeedOptions) {
    this.#options = options
    this.#hub = new MemoryStatsFeed(token => this.#homeOf(token))
    this.#codec = new StatsRecordCodec(options.layout)
    this.#producer = new KafkaProducer({ cluster: options.cluster, bufferBytesMax: 2 * SENDING_BYTES_MAX })
    this.#fetcher = new Fetcher(options.cluster)
  }

  /// The topic must be there (topics.ts).
  static async open(options: KafkaStatsFeedOptions): Promise<KafkaStatsFeed> {
    await options.cluster.watch(options.topic, options.tradesTopic)
    return new KafkaStatsFeed(options)
  }

  /// Updates that wait for Kafka.
  get waiting(): number {
    return this.#pending.size
  }

  /// Records that were written again because an older one came last.
  get mended(): number {
    return this.#mended
  }

  publish(updates: readonly StatsUpdate[]): void {
    if (this.#reading !== null) this.#hub.publish(updates)
    this.#enqueue(updates)
  }

  /// Nobody waits for reports: while Kafka is away they are left out.
  report(reports: readonly PartitionReport[]): void {
    if (this.#reading !== null) this.#hub.report(reports)
    if (this.#closed || this.#producer.bufferedBytes >= SENDING_BYTES_MAX) return
    const { cluster, topic } = this.#options
    const partitions = cluster.topic(topic)?.leaders.length ?? 1
    const records = reports.map(report => reportRecord(report))
    const bytes = records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0)
    const append = this.#producer.begin(records.length, bytes)
    for (const [i, record] of records.entries()) {
      append.addParts(topic, (reports[i]?.partition ?? 0) % partitions, record)
    }
    this.#settle(append.done())
  }

  #enqueue(updates: readonly StatsUpdate[]): void {
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
    if (this.#reading === null) this.#mendNowAndThen()
    this.#reading ??= this.#read().catch(error => {
      if (!this.#closed) this.#options.fail(error)
    })
    const end = this.#hub.follow({
      onUpdates: updates => follower.onUpdates(updates),
      onReports: reports => follower.onReports?.(reports),
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
    this.#cancelMending()
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
    this.#settle(append.done())
  }

  #settle(appended: Promise<unknown>): void {
    this.#unsettled++
    this.#lastAppend = appended.then(
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
    if (updates.length === 0) return
    for (const update of updates) this.#noteOutdated(update)
    this.#hub.publish(updates)
  }

  #noteOutdated(update: StatsUpdate): void {
    const { token } = update
    const known = this.#hub.newest(token)
    const noted = this.#outdated.get(token)
    if (noted !== undefined && this.#hub.supersedes(noted.known, update)) return
    if (known !== undefined && this.#hub.supersedes(known, update)) {
      this.#outdated.set(token, { since: this.#options.cluster.clock.now(), known })
    } else if (noted !== undefined) this.#outdated.delete(token)
  }

  #homeOf(token: string): number | null {
    const { cluster, tradesTopic } = this.#options
    const partitions = cluster.topic(tradesTopic)?.leaders.length
    if (partitions === undefined) return null
    const key = Buffer.from(token)
    return partitionOf(key, 0, key.length, partitions)
  }

  #mendNowAndThen(): void {
    const { clock } = this.#options.cluster
    this.#cancelMending = clock.at(epochMs(clock.now() + MEND_EACH_MS), () => {
      if (this.#caughtUp) this.#mend(clock.now() - this.#mendAfterMs)
      if (!this.#closed) this.#mendNowAndThen()
    })
  }

  #mend(before: number): void {
    const newest: StatsUpdate[] = []
    for (const [token, { since }] of this.#outdated) {
      if (since > before) continue
      this.#outdated.delete(token)
      const update = this.#hub.newest(token)
      if (update !== undefined) newest.push(update)
    }
    this.#mended += newest.length
    this.#enqueue(newest)
  }

  /// The updates of a batch; what is none is told and skipped.
  #decode(partition: number, batch: RecordBatch): StatsUpdate[] {
    const { topic, onPoison } = this.#options
    const updates: StatsUpdate[] = []
    const reports: PartitionReport[] = []
    const poison = (at: number, error: Error, input: Uint8Array) =>
      onPoison({ topic, partition, offset: offset(at), reason: error.message, input })
    try {
      const columns = readRecords(batch)
      for (let i = 0; i < columns.count; i++) {
        try {
          if (isReport(columns, i)) reports.push(readReport(columns, i))
          else updates.push(this.#codec.decode(columns, i, batch.baseTimestampMs))
        } catch (error) {
          if (!(error instanceof StatsRecordError)) throw error
          if (error.foreign) throw this.#mismatch(error)
          poison(batch.baseOffset + (columns.offsetDelta[i] ?? 0), error, recordValue(columns, i))
        }
      }
    } catch (error) {
      if (!(error instanceof BrokenBatchError)) throw error
      poison(batch.baseOffset, error, batch.bytes)
    }
    if (reports.length > 0) this.#hub.report(reports)
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
