/// Accepted swaps on Kafka, as they happen: topic `trades.live`, keyed by token, kept for some minutes.
///
/// Publishing. Who follows elsewhere is not known, so everything goes to the topic. Nothing waits for it: while Kafka takes
/// nothing, a bounded buffer fills, and what does not fit is left out and counted. It is in the archive all the same.
///
/// Following. The first follower starts one reader for all of them, from the end of the topic: nobody wants old news. What this
/// process publishes itself is handed out at once. Everything passes an in-process feed, which lets each offset of the trade
/// log through once, from however many replicas it comes. Records of tokens that nobody follows here are not decoded.

import { partitionOf } from '../../core/partition.js'
import { epochMs, offset } from '../../core/units.js'
import { LogRefusedError, PortError } from '../../ports/errors.js'
import type { TokenTrades, TradeFeed, TradeFollower } from '../../ports/trade-feed.js'
import { MemoryTradeFeed } from '../memory/trade-feed.js'
import type { KafkaCluster } from './cluster.js'
import { Fetcher } from './fetcher.js'
import { lookUpBounds } from './offsets.js'
import type { Fetched } from './partition-reader.js'
import type { TopicPoison } from './poison.js'
import { KafkaProducer } from './producer.js'
import { BrokenBatchError, type RecordColumns, readRecords, recordValue } from './record-batch.js'
import { checkWhole } from './whole-batch.js'

const VERSION = 1
const BUFFER_BYTES_MAX = 8 * 1024 * 1024
/// Swaps of one record: far below what a record may have.
const TRADES_PER_RECORD = 100

export interface KafkaTradeFeedOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  /// A record is skipped; the rest goes on.
  onPoison(poison: TopicPoison): void
  /// The topic cannot be written or read any more.
  fail(error: unknown): void
}

export class KafkaTradeFeed implements TradeFeed {
  readonly isFollowed = true
  readonly #options: KafkaTradeFeedOptions
  readonly #producer: KafkaProducer
  readonly #fetcher: Fetcher
  readonly #hub = new MemoryTradeFeed()
  #leftOut = 0
  #reading: Promise<void> | null = null
  #following = false
  #closed = false

  private constructor(options: KafkaTradeFeedOptions) {
    this.#options = options
    this.#producer = new KafkaProducer({ cluster: options.cluster, bufferBytesMax: BUFFER_BYTES_MAX })
    this.#fetcher = new Fetcher(options.cluster)
  }

  /// The topic must be there (topics.ts).
  static async open(options: KafkaTradeFeedOptions): Promise<KafkaTradeFeed> {
    await options.cluster.watch(options.topic)
    return new KafkaTradeFeed(options)
  }

  /// Swaps that found no room while Kafka took nothing.
  get leftOut(): number {
    return this.#leftOut
  }

  /// Whether what others publish comes from now on.
  get following(): boolean {
    return this.#following
  }

  wants(): boolean {
    return true
  }

  publish(updates: readonly TokenTrades[]): void {
    this.#hub.publish(updates)
    if (this.#closed) return
    const { cluster, topic, fail } = this.#options
    const partitions = cluster.topic(topic)?.leaders.length ?? 1
    for (const update of updates) {
      const key = Buffer.from(update.token)
      const partition = partitionOf(key, 0, key.length, partitions)
      for (let from = 0; from < update.trades.length; from += TRADES_PER_RECORD) {
        const trades = update.trades.slice(from, from + TRADES_PER_RECORD)
        const value = Buffer.from(JSON.stringify({ version: VERSION, rolledAt: update.rolledAt, trades }))
        if (this.#producer.bufferedBytes + value.length > BUFFER_BYTES_MAX) {
          this.#leftOut += trades.length
          continue
        }
        const append = this.#producer.begin(1, key.length + value.length)
        append.addParts(topic, partition, { key, value, timestampMs: update.rolledAt })
        append.done().catch(error => {
          // What is not confirmed in time is still with the producer; a refusal is for ever.
          if (!(error instanceof PortError && error.retryable)) fail(error)
        })
      }
    }
  }

  follow(follower: TradeFollower): () => void {
    this.#reading ??= this.#read().catch(error => {
      if (!this.#closed) this.#options.fail(error)
    })
    return this.#hub.follow(follower)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#producer.close()
    await this.#fetcher.close()
    await this.#reading
  }

  async #read(): Promise<void> {
    const { cluster, topic } = this.#options
    const partitions = Array.from({ length: cluster.topic(topic)?.leaders.length ?? 0 }, (_, i) => i)
    const bounds = await lookUpBounds(cluster, topic, partitions)
    if (this.#closed) return
    this.#following = true
    await Promise.all(
      partitions.map(partition => this.#readPartition(partition, bounds.get(partition)?.end ?? 0)),
    )
  }

  async #readPartition(partition: number, end: number): Promise<void> {
    const { cluster, topic } = this.#options
    for (let from = end; ; ) {
      const reader = this.#fetcher.read(topic, partition, from)
      for (let fetched = await reader.read(); fetched !== null; fetched = await reader.read()) {
        this.#take(partition, fetched)
      }
      if (reader.fault === null) return
      if (reader.fault.kind !== 'gone') {
        const why = reader.fault.kind === 'refused' ? reader.fault.why : reader.fault.kind
        throw new LogRefusedError(`Partition ${partition} of topic ${topic} cannot be read: ${why}`)
      }
      // Away for longer than the topic keeps anything: what is missed is old by now.
      from = (await lookUpBounds(cluster, topic, [partition])).get(partition)?.end ?? 0
      if (this.#closed) return
    }
  }

  #take(partition: number, { batch }: Fetched): void {
    if (batch === null || !this.#hub.isFollowed) return
    const { topic, onPoison } = this.#options
    checkWhole(topic, partition, batch)
    const poison = (at: number, error: Error, input: Uint8Array) =>
      onPoison({ topic, partition, offset: offset(at), reason: error.message, input })
    const updates: TokenTrades[] = []
    try {
      const columns = readRecords(batch)
      for (let i = 0; i < columns.count; i++) {
        const token = keyOf(columns, i)
        if (!this.#hub.wants(token)) continue
        try {
          updates.push(tradesOf(token, JSON.parse(recordValue(columns, i).toString())))
        } catch (error) {
          if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
          poison(batch.baseOffset + (columns.offsetDelta[i] ?? 0), error, recordValue(columns, i))
        }
      }
    } catch (error) {
      if (!(error instanceof BrokenBatchError)) throw error
      poison(batch.baseOffset, error, batch.bytes)
    }
    if (updates.length > 0) this.#hub.publish(updates)
  }
}

function keyOf({ bytes, keyAt, keyLength }: RecordColumns, i: number): string {
  const at = keyAt[i] ?? 0
  return bytes.toString('utf8', at, at + Math.max(0, keyLength[i] ?? 0))
}

/// Throws TypeError for what no instance writes.
function tradesOf(token: string, document: TokenTrades & { readonly version: number }): TokenTrades {
  if (document.version !== VERSION) throw new TypeError(`its version is ${document.version}, not ${VERSION}`)
  const { trades } = document
  const isTrade = (each: TokenTrades['trades'][number]) =>
    each.token === token && Number.isSafeInteger(each.offset) && Number.isSafeInteger(each.partition)
  if (!Array.isArray(trades) || trades.length === 0 || !trades.every(isTrade))
    throw new TypeError('it has no swaps')
  return { token, trades, rolledAt: epochMs(document.rolledAt) }
}
