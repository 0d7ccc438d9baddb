/// Topic `rolls`: the states of the partitions that this process rolls. Their stores share a producer, a fetcher, and a
/// directory of caches.

import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { StateStore } from '../../ports/state-store.js'
import { unsyncedDisk } from '../embedded/disk.js'
import type { EmbeddedStateStoreOptions } from '../embedded/state-store.js'
import type { KafkaCluster } from './cluster.js'
import { Fetcher } from './fetcher.js'
import type { LeaderEpochs } from './leader-epochs.js'
import type { TopicPoison } from './poison.js'
import { KafkaProducer } from './producer.js'
import { type RebuiltEnd, RebuiltState } from './rebuilt-state.js'
import { type Read, RollsReader } from './rolls-reader.js'
import { type Rules, rulesHash } from './rolls-record.js'
import { KafkaStateStore, type ReadProgress } from './state-store.js'

export interface RollsOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly tradesTopic: string
  /// As the rollers are configured.
  readonly rules: Rules
  /// Of topic trades.
  readonly epochs: LeaderEpochs
  /// Of caches: everything in it may be lost.
  readonly directory: string
  /// Of files of deltas in caches.
  readonly deltaSegmentBytes?: number
  /// A record is skipped; the rest goes on.
  onPoison(poison: TopicPoison): void
  /// Tells the operator, in one line.
  say(message: string): void
}

/// What the stores of the partitions share.
export interface RollsContext extends Omit<RollsOptions, 'rules' | 'directory' | 'deltaSegmentBytes'> {
  readonly rules: number
  readonly tradesId: string
  /// Names this process.
  readonly writer: string
  readonly producer: KafkaProducer
  readonly fetcher: Fetcher
  cache(partition: number): EmbeddedStateStoreOptions
}

const WRITER_BYTES = 16

export class Rolls {
  readonly #context: RollsContext

  private constructor(context: RollsContext) {
    this.#context = context
  }

  /// The topics must be there (topics.ts).
  static async open(options: RollsOptions): Promise<Rolls> {
    const { cluster, topic, tradesTopic, directory, rules, deltaSegmentBytes } = options
    await cluster.watch(topic, tradesTopic)
    const tradesId = cluster.topic(tradesTopic)?.id ?? ''
    const caches = join(directory, `${cluster.topic(topic)?.id}-${tradesId}`)
    mkdirSync(caches, { recursive: true })
    dropOutdated(directory, cluster.clock.now() - rules.retentionMs)
    return new Rolls({
      ...options,
      rules: rulesHash(rules),
      tradesId,
      writer: randomBytes(WRITER_BYTES).toString('hex'),
      producer: new KafkaProducer({ cluster }),
      fetcher: new Fetcher(cluster),
      cache: partition => ({
        directory: join(caches, String(partition)),
        partition,
        clock: cluster.clock,
        deltaDisk: unsyncedDisk,
        ...(deltaSegmentBytes === undefined ? {} : { deltaSegmentBytes }),
      }),
    })
  }

  /// The state of a partition, up to date with the topic; see KafkaStateStore.open.
  openState(partition: number, progress: ReadProgress, signal: AbortSignal): Promise<KafkaStateStore> {
    return KafkaStateStore.open(this.#context, partition, progress, signal)
  }

  /// The last record of the partition; null where there is none.
  last(partition: number): Promise<Read | null> {
    return new RollsReader(this.#context, partition).last(this.#context.cluster.signal)
  }

  /// Where this process keeps its copy of the partition's state.
  directoryOf(partition: number): string {
    return this.#context.cache(partition).directory
  }

  /// Writes a state that was rebuilt elsewhere; see RebuiltState.
  rebuilt(partition: number, store: StateStore, end: RebuiltEnd): RebuiltState {
    return new RebuiltState(this.#context, partition, store, end)
  }

  async close(): Promise<void> {
    await this.#context.producer.close()
    await this.#context.fetcher.close()
  }
}

/// Removes caches that nobody has used since: a window reaches back to nothing that is in them.
function dropOutdated(directory: string, before: number): void {
  for (const topicId of readdirSync(directory)) {
    const caches = join(directory, topicId)
    if (!statSync(caches).isDirectory()) continue
    for (const partition of readdirSync(caches)) {
      const cache = join(caches, partition)
      if (statSync(cache).mtimeMs < before) rmSync(cache, { recursive: true, force: true })
    }
    if (readdirSync(caches).length === 0) rmSync(caches, { recursive: true, force: true })
  }
}
