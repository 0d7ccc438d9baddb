/// One partition in this process: its state is opened and restored, then a consumer follows it, and a watcher publishes.
///
/// It ends in one of two ways. Stopped, it saves and lets go. Handed over, it goes on rolling and publishing while its successor,
/// in another process, gets ready: until that one has saved something beyond, or for so long. Two may roll one partition,
/// since they do the same; readers take the newer version and see no pause.

import { partitionOf } from '../../core/partition.js'
import type { RollerConfig } from '../../core/roller/config.js'
import type { FateCounts } from '../../core/roller/fates.js'
import type { SummaryCache } from '../../core/roller/query/summaries.js'
import { epochMs, offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { DeadLetters } from '../../ports/dead-letters.js'
import { DamagedError, StateReplacedError } from '../../ports/errors.js'
import { pause } from '../../ports/pause.js'
import type { LogGap, SharedState, StateStore } from '../../ports/state-store.js'
import type { PartitionReport, RollingState, StatsFeed } from '../../ports/stats-feed.js'
import type { TradeFeed } from '../../ports/trade-feed.js'
import type { TradeLog } from '../../ports/trade-log.js'
import { Consumer, type ConsumerOptions } from '../consumer.js'
import type { Delays } from '../delays.js'
import { RollerRole } from '../roller.js'
import { type StatsSource, Watcher } from '../watcher.js'
import { Carrier } from './carrier.js'

/// A state that is open, and up to date with what others have written.
export interface OpenState {
  readonly store: StateStore
  /// Null where no other process writes to it.
  readonly shared: SharedState | null
  close(): Promise<void>
}

export interface PartitionRollerOptions {
  readonly config: RollerConfig
  /// How many partitions there are: tokens belong to them accordingly.
  readonly partitions: number
  readonly log: TradeLog
  readonly deadLetters: DeadLetters
  readonly feed: StatsFeed
  /// Where accepted swaps are shown as they happen.
  readonly trades?: TradeFeed
  /// What is kept for questions, for all partitions together.
  readonly summaries: SummaryCache
  readonly clock: Clock
  readonly delays: Delays
  readonly timed: ConsumerOptions['timed']
  readonly updatesPerSecond: number
  readonly checkpointIntervalMs: number
  /// `progress` gets 0 … 1. Rejects when the signal aborts.
  openState(partition: number, progress: (share: number) => void, signal: AbortSignal): Promise<OpenState>
  nextTurn(): Promise<void>
  say(message: string): void
  /// The partition cannot go on: the process stops.
  fail(error: unknown): void
}

/// It was stopped before it was restored.
export class RestoreInterrupted extends Error {
  override readonly name = 'RestoreInterrupted'
}

/// How long a successor may take to get ready while this one goes on.
export const HAND_OVER_MS_MAX = 60_000
/// How often a partition whose swaps are where they belong says so, and looks whether all others are.
const SETTLE_EACH_MS = 500
/// What share of restoring is reading what others have written.
const READING_SHARE = 0.5

interface Rolling {
  readonly state: OpenState
  readonly roller: RollerRole
  readonly watcher: Watcher
  readonly consumer: Consumer
}

export class PartitionRoller {
  readonly #options: PartitionRollerOptions
  readonly #abort = new AbortController()
  readonly #opening: Promise<void>
  readonly #carrier: Carrier
  #open: OpenState | null = null
  #rolling: Rolling | null = null
  #restored = 0
  /// 0 … 1 while swaps are carried or others are waited for; null when not.
  #moving: number | null = null
  #handingOver: AbortController | null = null
  #stopping: Promise<void> | null = null

  /// Begins to restore.
  constructor(options: PartitionRollerOptions) {
    this.#options = options
    this.#carrier = new Carrier({
      ...{ log: options.log, partition: options.config.partition, partitions: options.partitions },
      pause: ms => pause(options.clock, ms),
    })
    this.#opening = this.#begin()
  }

  get partition(): number {
    return this.#options.config.partition
  }

  /// Resolves once it follows the log. Rejects with what kept it from it: RestoreInterrupted when it was stopped.
  get restored(): Promise<void> {
    return this.#opening
  }

  /// 0 … 1.
  get restoredShare(): number {
    return this.#moving ?? this.#restored
  }

  /// 0 … 1, of what was in the log when it was restored.
  get caughtUpShare(): number {
    return this.#rolling?.consumer.caughtUpShare ?? 0
  }

  get state(): RollingState {
    if (this.#moving !== null) return 'moving tokens'
    if (this.#rolling === null) return 'restoring'
    if (this.#handingOver !== null || this.#stopping !== null) return 'handing over'
    return this.#rolling.consumer.caughtUp ? 'live' : 'catching up'
  }

  /// Null until it is restored.
  get roller(): RollerRole | null {
    return this.#rolling?.roller ?? null
  }

  /// Records rolled since the start.
  get rolled(): number {
    return this.#rolling?.consumer.rolled ?? 0
  }

  get published(): number {
    return this.#rolling?.watcher.counts().published ?? 0
  }

  get stateBytes(): number {
    return this.#open?.store.sizeBytes() ?? 0
  }

  report(): Omit<PartitionReport, 'replica' | 'instance' | 'address' | 'secret' | 'at'> {
    const roller = this.roller
    const { first, end } = this.#options.log.bounds(this.partition)
    return {
      partition: this.partition,
      state: this.state,
      first,
      end,
      rolled: roller?.position ?? offset(0),
      checkpointed: roller?.checkpointed ?? offset(0),
      logTime: roller?.logTime ?? null,
      viewTime: roller?.viewTime ?? null,
      fates: roller === null ? NO_FATES : { ...roller.fates },
      gaps: this.#open?.shared?.gaps() ?? [],
    }
  }

  /// Goes on until a successor is ready, or `limitMs` have passed; then stops. Resolves when it has stopped, or when `keep`
  /// was called. One that does not serve yet stops at once.
  async handOver(limitMs: number): Promise<void> {
    const rolling = this.#rolling
    const shared = rolling?.state.shared ?? null
    if (rolling === null || shared === null || this.state !== 'live') return this.stop()
    const over = new AbortController()
    this.#handingOver = over
    const { clock } = this.#options
    const limit = new AbortController()
    const cancel = clock.at(epochMs(clock.now() + limitMs), () => limit.abort())
    try {
      rolling.consumer.holdCheckpoints()
      const at = rolling.roller.position
      // What the successor reads is then as new as can be.
      await rolling.consumer.checkpoint()
      await shared.overtaken(at, AbortSignal.any([over.signal, limit.signal])).catch(error => {
        if (error instanceof StateReplacedError) throw error
        this.#options.say(`Nobody can tell who rolls partition ${this.partition} now: ${messageOf(error)}`)
      })
    } catch (error) {
      // One that stays after all comes upon it again at its next checkpoint.
      if (over.signal.aborted) return
      await this.stop().catch(() => {})
      throw error
    } finally {
      cancel()
    }
    if (!over.signal.aborted) await this.stop()
  }

  /// The partition is to stay here after all. False when it has stopped, or is about to.
  keep(): boolean {
    if (this.#stopping !== null) return false
    this.#handingOver?.abort()
    this.#handingOver = null
    this.#rolling?.consumer.resumeCheckpoints()
    return true
  }

  /// Saves what was rolled, and lets go of everything. Rejects when it could not be saved.
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#handingOver?.abort()
    this.#abort.abort()
    await this.#opening.catch(() => {})
    try {
      await this.#rolling?.consumer.stop()
      this.#rolling?.watcher.flush()
    } finally {
      this.#rolling?.roller.letGo()
      await this.#open?.close()
    }
  }

  async #begin(): Promise<void> {
    try {
      this.#rolling = await this.#restore()
    } catch (error) {
      if (this.#abort.signal.aborted) throw new RestoreInterrupted()
      throw error
    }
    await this.#rolling.consumer.start()
  }

  async #restore(): Promise<Rolling> {
    try {
      return await this.#attempt()
    } catch (error) {
      const shared = this.#open?.shared ?? null
      if (!(error instanceof DamagedError) || shared === null) throw error
      // What others can read is not lost with our copy of it.
      this.#options.say(`${error.message} It is a copy, and is read anew.`)
      this.#open = null
      await shared.discard()
      return this.#attempt()
    }
  }

  async #attempt(): Promise<Rolling> {
    const { config, log, deadLetters, clock, feed, trades, summaries, updatesPerSecond } = this.#options
    const { signal } = this.#abort
    const state = await this.#options.openState(
      this.partition,
      share => this.#progress(READING_SHARE * share),
      signal,
    )
    this.#open = state
    const begin = this.#restored
    const roller = new RollerRole({
      config,
      log,
      store: state.store,
      deadLetters,
      clock,
      summaries,
      ...(trades === undefined ? {} : { trades }),
      nextTurn: () => this.#nextTurn(),
    })
    await roller.restore(share => this.#progress(begin + (1 - begin) * share))
    this.#progress(1)
    await this.#settle(state)
    const watcher = new Watcher({ source: this.#source(roller), feed, clock, updatesPerSecond })
    return { state, roller, watcher, consumer: this.#consumer(state, roller, watcher) }
  }

  /// After partitions were added: carries the swaps whose tokens belong elsewhere, and waits until all partitions have, because a token's
  /// statistics are not whole before. What comes later is carried as it comes.
  async #settle({ shared }: OpenState): Promise<void> {
    const { partitions, log, say } = this.#options
    if (shared === null || shared.placement().settled === partitions) return
    const { signal } = this.#abort
    this.#moving = 0
    try {
      if (shared.placement().carried !== partitions) {
        const { end } = await log.lookUpBounds(this.partition)
        const carried = await this.#carrier.all(end, share => this.#noteMoving(share), signal)
        if (signal.aborted) throw new RestoreInterrupted()
        if (carried > 0)
          say(
            `${carried.toLocaleString('en')} swaps of partition ${this.partition} are where their tokens belong now.`,
          )
      }
      do await shared.noteCarried(partitions)
      while (!(await this.#othersAreDone(shared)))
      shared.settle(partitions)
    } finally {
      this.#moving = null
    }
  }

  async #othersAreDone(shared: SharedState): Promise<boolean> {
    if (await shared.othersCarried(this.#options.partitions)) return true
    await pause(this.#options.clock, SETTLE_EACH_MS, this.#abort.signal)
    if (this.#abort.signal.aborted) throw new RestoreInterrupted()
    return false
  }

  #noteMoving(share: number): void {
    this.#moving = share
  }

  /// Tokens of other partitions are theirs to publish.
  #source(roller: RollerRole): StatsSource {
    const { partitions } = this.#options
    const isOurs = (token: string) => {
      const key = Buffer.from(token)
      return partitionOf(key, 0, key.length, partitions) === this.partition
    }
    return {
      takeChanged: () => (partitions === 1 ? roller.takeChanged() : roller.takeChanged().filter(isOurs)),
      update: token => roller.update(token),
    }
  }

  #consumer({ shared }: OpenState, roller: RollerRole, watcher: Watcher): Consumer {
    const { config, log, clock, delays, timed, checkpointIntervalMs, nextTurn, say, fail } = this.#options
    return new Consumer({
      partition: config.partition,
      ...{ log, roller, clock, delays, timed, checkpointIntervalMs, nextTurn, say, fail },
      publish: () => watcher.changed(),
      noteGap: shared === null ? null : (gap: LogGap) => shared.noteGap(gap),
      carry: swaps => (shared === null ? null : this.#carrier.some(swaps)),
      saved: async () => shared?.keepAlive(),
    })
  }

  #progress(share: number): void {
    this.#restored = Math.max(this.#restored, share)
  }

  /// Only the restore is interrupted: a checkpoint of the last moment is not.
  async #nextTurn(): Promise<void> {
    if (this.#abort.signal.aborted && this.#rolling === null) throw new RestoreInterrupted()
    await this.#options.nextTurn()
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const NO_FATES: Readonly<FateCounts> = {
  accepted: 0,
  duplicate: 0,
  late: 0,
  early: 0,
  invalid: 0,
  conflict: 0,
}
