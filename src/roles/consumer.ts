/// The consumer: follows one partition of the trade log from the position that was restored, hands each batch to
/// the roller, and has the watcher publish what changed. Moves view time every second, also when nothing comes, and
/// saves position and state together.
///
/// Everything of a partition happens one after the other on the event loop; a checkpoint's writes go on beside it.

import type { KeyedRecords } from '../core/keyed-records.js'
import type { EpochMs, Offset } from '../core/units.js'
import { epochMs } from '../core/units.js'
import type { Clock } from '../ports/clock.js'
import { PortError } from '../ports/errors.js'
import type { LogGap } from '../ports/state-store.js'
import type { LogBatch, TradeLog } from '../ports/trade-log.js'
import type { Delays } from './delays.js'
import type { RollerRole } from './roller.js'

export interface ConsumerOptions {
  readonly partition: number
  readonly log: TradeLog
  readonly roller: RollerRole
  readonly clock: Clock
  readonly checkpointIntervalMs: number
  /// Where it notes how long swaps take.
  readonly delays: Delays
  /// Gets the swaps that the log did not hold any more when their turn came. Null where that is a fault.
  readonly noteGap: ((gap: LogGap) => Promise<void>) | null
  /// Sends those of the swaps whose tokens belong to other partitions there; resolves when that is durable. No checkpoint covers
  /// them before. Null where there are none.
  carry(swaps: KeyedRecords): Promise<void> | null
  /// A checkpoint was stored.
  saved(): Promise<void>
  /// Publishes the statistics that changed (the watcher).
  publish(): void
  nextTurn(): Promise<void>
  /// Measures the work.
  readonly timed: {
    roll<T>(work: () => T): T
    checkpoint<T>(work: () => Promise<T>): Promise<T>
  }
  /// Tells the operator, in one line.
  say(message: string): void
  /// The partition cannot go on: the process stops.
  fail(error: unknown): void
}

/// A batch is rolled in one go; between batches, other work gets its turn at least this often.
const TURN_MS = 5
/// Soon: whoever had the partition before goes on until something beyond what it rolled is saved.
const FIRST_CHECKPOINT_MS = 500
/// While the disk takes no dead letters, so many wait in memory before the consumer stands still.
const LETTERS_WAITING_MAX = 100_000

export class Consumer {
  readonly #options: ConsumerOptions
  readonly #abort = new AbortController()
  #cancelTick: () => void = () => {}
  #cancelCheckpoint: () => void = () => {}
  #following: Promise<void> = Promise.resolve()
  /// The end of the log when the consumer started: it has caught up once everything below is rolled.
  #caughtUpAt: Offset
  #caughtUp = false
  #rolled = 0
  #stopped = false
  #saysFull = false
  #held = false
  /// Swaps on their way to other partitions.
  #carrying: Promise<void> | null = null

  constructor(options: ConsumerOptions) {
    this.#options = options
    this.#caughtUpAt = options.log.bounds(options.partition).end
  }

  /// Records rolled since the start.
  get rolled(): number {
    return this.#rolled
  }

  /// True once everything is rolled that was in the log at the start.
  get caughtUp(): boolean {
    return this.#caughtUp
  }

  /// How much of the log's backlog at the start is rolled, 0 … 1.
  get caughtUpShare(): number {
    return this.#caughtUp ? 1 : Math.min(1, this.#rolled / Math.max(1, this.#rolled + this.#backlog()))
  }

  async start(): Promise<void> {
    const { log, partition } = this.#options
    const { first, end } = await log.lookUpBounds(partition)
    this.#caughtUpAt = end
    await this.#skipTo(first, end)
    this.#noteCaughtUp()
    this.#following = this.#follow().catch(error => {
      if (!this.#stopped) this.#options.fail(error)
    })
    this.#armTick()
    this.#armCheckpoint(Math.min(FIRST_CHECKPOINT_MS, this.#options.checkpointIntervalMs))
  }

  /// Stops intake, saves everything that was rolled. Rejects when the last checkpoint could not be stored.
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTick()
    this.#cancelCheckpoint()
    this.#abort.abort()
    await this.#following
    const { roller } = this.#options
    // A delta that could not be stored before goes first, what came after it next.
    do await roller.checkpoint()
    while (roller.checkpointed < roller.position)
  }

  /// Saves what was rolled up to now. Waits out what passes.
  checkpoint(): Promise<void> {
    return this.#checkpoint()
  }

  /// From now on somebody else saves: only `checkpoint` and `stop` do it here, until `resumeCheckpoints`.
  holdCheckpoints(): void {
    this.#cancelCheckpoint()
    this.#held = true
  }

  resumeCheckpoints(): void {
    if (!this.#held) return
    this.#held = false
    if (!this.#stopped) this.#armCheckpoint()
  }

  /// A log that has dropped what comes next, and whoever reads the statistics must know. A roller without any state begins
  /// where the log does. With state, a position that is gone is a fault, which `follow` finds, unless gaps can be noted.
  async #skipTo(first: Offset, end: Offset): Promise<void> {
    const { partition, roller, say, noteGap } = this.#options
    const from = roller.position
    if (from >= first || (noteGap === null && from > 0)) return
    const until = noteGap === null ? Number.POSITIVE_INFINITY : await this.#missedUntil(first, end)
    const held = { appendTime: epochMs(0), bytes: new Uint8Array(0), ranges: null, broken: null }
    roller.roll({ partition, firstOffset: first, count: 0, ...held })
    if (until <= this.#options.clock.now()) return
    await noteGap?.({ from, to: first, until: epochMs(until) })
    const missing =
      from === 0
        ? 'and there is no state of what came before'
        : `and the state ends at ${from.toLocaleString('en')}`
    say(
      `Partition ${partition} of the trade log begins at offset ${first.toLocaleString('en')}, ${missing}: ` +
        'swaps that were dropped are missing from the statistics until the longest window has passed them.',
    )
  }

  /// Until when a window may reach back to what lay before `first`: it came before the first record that is kept.
  async #missedUntil(first: Offset, end: Offset): Promise<number> {
    const { log, partition, roller, clock } = this.#options
    const { retentionMs, earlyToleranceMs } = roller.config
    let cameBefore: number = clock.now()
    if (first < end) {
      for await (const { appendTime, count } of log.follow(partition, first, this.#abort.signal)) {
        if (count === 0) continue
        cameBefore = appendTime
        break
      }
    }
    return cameBefore + earlyToleranceMs + retentionMs
  }

  async #follow(): Promise<void> {
    const { log, partition, roller, clock } = this.#options
    let turnAt = clock.now() + TURN_MS
    for await (const batch of log.follow(partition, roller.position, this.#abort.signal)) {
      this.#carrying = this.#options.carry(this.#roll(batch))
      if (this.#carrying !== null) await this.#carrying
      while (roller.waitingLetters > LETTERS_WAITING_MAX && !this.#stopped) await this.#checkpoint()
      if (clock.now() < turnAt) continue
      await this.#options.nextTurn()
      turnAt = clock.now() + TURN_MS
    }
  }

  #roll(batch: LogBatch): KeyedRecords {
    const { roller, clock, timed } = this.#options
    const before = roller.position
    roller.advance()
    const swaps = timed.roll(() => roller.roll(batch, this.#caughtUp))
    this.#rolled += Math.min(batch.count, roller.position - before)
    // While catching up, statistics of the past are nobody's concern, and their delay is that of the restart.
    const wasCaughtUp = this.#caughtUp
    this.#noteCaughtUp()
    if (!wasCaughtUp || batch.count === 0) return swaps
    this.#options.publish()
    const now = clock.now()
    this.#options.delays.add(Math.max(0, now - batch.appendTime), now)
    return swaps
  }

  #noteCaughtUp(): void {
    if (this.#caughtUp || this.#backlog() > 0) return
    this.#caughtUp = true
    this.#options.publish()
  }

  #backlog(): number {
    return Math.max(0, this.#caughtUpAt - this.#options.roller.position)
  }

  #armTick(): void {
    const { roller, clock } = this.#options
    this.#cancelTick = clock.at(roller.nextTickAt(), () => {
      this.#guard(() => {
        roller.advance()
        if (this.#caughtUp) this.#options.publish()
      })
      if (!this.#stopped) this.#armTick()
    })
  }

  #armCheckpoint(afterMs = this.#options.checkpointIntervalMs): void {
    const { clock } = this.#options
    const at: EpochMs = epochMs(clock.now() + afterMs)
    this.#cancelCheckpoint = clock.at(at, () => {
      this.#checkpoint()
        .catch(error => this.#options.fail(error))
        .finally(() => {
          if (!this.#stopped && !this.#held) this.#armCheckpoint()
        })
    })
  }

  /// A full disk is waited out: what was rolled stays in the log, which keeps it until a checkpoint covers it.
  async #checkpoint(): Promise<void> {
    try {
      await this.#carrying
      await this.#options.timed.checkpoint(() => this.#options.roller.checkpoint())
      await this.#options.saved()
      if (this.#saysFull) this.#options.say('Checkpoints are stored again.')
      this.#saysFull = false
    } catch (error) {
      if (!(error instanceof PortError && error.retryable)) throw error
      if (!this.#saysFull) {
        this.#options.say(`No checkpoint could be stored; it is tried again. ${error.message}`)
      }
      this.#saysFull = true
      await this.#options.nextTurn()
    }
  }

  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#options.fail(error)
    }
  }
}
