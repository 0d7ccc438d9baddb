/// The archiver: follows a partition of the trade log from the position that the archive has, and stores every swap that
/// counts. It is off every path that somebody waits on: the log is followed as any other reader follows it, and while the
/// database is slow, full or away nothing is read and nothing waits in memory but one batch; what is in the log is
/// stored when the database is back.
///
/// A batch is stored after `intervalMs`, or when it is large. Position and swaps are one transaction, so after a crash it goes
/// on where the archive ends.

import { type EpochMs, epochMs, type Offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { OffsetGoneError, PortError, PositionMovedError, SettingsMismatchError } from '../../ports/errors.js'
import { pause } from '../../ports/pause.js'
import type { AdmittedSwap, ArchivePosition, TradeArchive } from '../../ports/trade-archive.js'
import type { TradeLog } from '../../ports/trade-log.js'
import { within } from '../interrupter.js'
import { Timer } from '../timer.js'
import { BatchBuilder, type BuilderRules } from './batch-builder.js'
import { logMismatch } from './same-log.js'

export interface ArchiverOptions {
  readonly partition: number
  readonly log: TradeLog
  readonly archive: TradeArchive
  readonly rules: BuilderRules
  readonly clock: Clock
  readonly intervalMs: number
  /// Whether somebody waits for what is archived: then a batch is stored after a second.
  isAwaited(): boolean
  /// These swaps are stored, or were before.
  stored(swaps: readonly AdmittedSwap[]): void
  /// Everything below is archived: the log may drop it.
  archived(partition: number, below: Offset): void
  nextTurn(): Promise<void>
  /// Tells the operator, in one line.
  say(message: string): void
  /// The archive cannot go on: the process stops.
  fail(error: unknown): void
}

export interface ArchiverCounts {
  readonly archived: number
  readonly duplicates: number
  readonly expired: number
  /// Records that the log dropped before they were archived.
  readonly lost: number
}

/// A batch of so many swaps is stored at once.
const BATCH_SWAPS = 20_000
const AWAITED_INTERVAL_MS = 1000
const MAINTAIN_MS = 60_000
/// A caught-up archive is as of so long ago: what was appended since may be on its way.
const AS_OF_DELAY_MS = 60_000
const RETRY_MS_MIN = 1000
const RETRY_MS_MAX = 30_000
/// How long a stop waits for the last batch.
const LAST_BATCH_MS_MAX = 1500

/// Ends a run of the loop that another one follows.
class Again extends Error {
  override readonly name = 'Again'
}

export class Archiver {
  readonly #options: ArchiverOptions
  readonly #abort = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #position: Offset | null = null
  #counts = { archived: 0, duplicates: 0, expired: 0, lost: 0 }
  #problem: string | null = null
  #maintainedAt: EpochMs

  constructor(options: ArchiverOptions) {
    this.#options = options
    this.#maintainedAt = options.clock.now()
  }

  /// Every record below is archived; null until the archive has said so.
  get position(): Offset | null {
    return this.#position
  }

  /// Since the start of this process.
  get counts(): ArchiverCounts {
    return this.#counts
  }

  /// Why nothing is stored for now; null while all is well.
  get problem(): string | null {
    return this.#problem
  }

  start(): void {
    this.#running = this.#run().catch(error => {
      if (!this.#stopped) this.#options.fail(error)
    })
  }

  /// Stores what waits, if the database takes it at once. What it does not is in the log.
  async stop(): Promise<void> {
    this.#abort.abort()
    await within(this.#options.clock, LAST_BATCH_MS_MAX, this.#running)
  }

  get #stopped(): boolean {
    return this.#abort.signal.aborted
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#follow(await this.#begin())
      } catch (error) {
        // Somebody else wrote, or the log let go of what was being read: look again where both are.
        if (!(error instanceof Again || error instanceof OffsetGoneError)) throw error
      }
    }
  }

  /// Where to go on.
  async #begin(): Promise<ArchivePosition> {
    const { partition, log, archive } = this.#options
    const known = await this.#insist(() => archive.position(partition))
    const { first } = await this.#insist(() => log.lookUpBounds(partition))
    const position = known ?? { offset: first, logTime: epochMs(0) }
    if (known !== null) await this.#checkSameLog(known)
    if (position.offset < first) {
      const { offset: from, logTime } = position
      await this.#insist(() => archive.skip(partition, from, first, logTime))
      this.#counts.lost += first - from
      this.#options.say(
        `The archive lacks ${(first - from).toLocaleString('en')} records: the trade log dropped the offsets ${from} to ${
          first - 1
        } before they were archived.`,
      )
      return this.#reached({ offset: first, logTime })
    }
    return this.#reached(position)
  }

  #reached(position: ArchivePosition): ArchivePosition {
    this.#position = position.offset
    this.#options.archived(this.#options.partition, position.offset)
    return position
  }

  /// An archive of another log would be filled with swaps that are not its own.
  async #checkSameLog(position: ArchivePosition): Promise<void> {
    const { partition, log } = this.#options
    const mismatch = await logMismatch(log, partition, position, this.#abort.signal)
    if (mismatch === null) return
    throw new SettingsMismatchError(
      `${mismatch} Choose another --archive, or move this one away: the next start begins a new archive from what the trade log holds. ` +
        'For a new data directory that goes on where this archive ends, see volumer backfill.',
    )
  }

  async #follow(position: ArchivePosition): Promise<void> {
    const { partition, log, rules, intervalMs, isAwaited, nextTurn } = this.#options
    const builder = new BatchBuilder(partition, rules, position)
    // One of its own: a follower that waits for records ends by its signal only.
    const following = new AbortController()
    const end = () => following.abort()
    this.#abort.signal.addEventListener('abort', end, { once: true })
    if (this.#stopped) end()
    const batches = log.follow(partition, position.offset, following.signal)[Symbol.asyncIterator]()
    const timer = new Timer(this.#options.clock)
    try {
      let next = batches.next()
      for (;;) {
        const come = await Promise.race([next, timer.due])
        if (come === 'due') {
          await this.#store(builder)
          timer.set(MAINTAIN_MS)
          continue
        }
        if (come.done === true) break
        if (!builder.fits(come.value)) await this.#store(builder)
        await builder.add(come.value, nextTurn)
        if (builder.size >= BATCH_SWAPS) await this.#store(builder)
        if (builder.isEmpty) timer.set(MAINTAIN_MS)
        else timer.setUnlessSooner(isAwaited() ? Math.min(AWAITED_INTERVAL_MS, intervalMs) : intervalMs)
        next = batches.next()
      }
      if (!builder.isEmpty) await this.#append(builder)
    } finally {
      timer.cancel()
      this.#abort.signal.removeEventListener('abort', end)
      end()
      await batches.return?.()
    }
  }

  async #store(builder: BatchBuilder): Promise<void> {
    if (!builder.isEmpty) await this.#append(builder)
    await this.#maintain(builder)
  }

  async #append(builder: BatchBuilder): Promise<void> {
    const { archive } = this.#options
    const batch = builder.take()
    const { archived, duplicates, expired } = await this.#insist(() => archive.append(batch))
    this.#counts.archived += archived
    this.#counts.duplicates += duplicates
    this.#counts.expired += expired
    this.#options.stored(batch.swaps)
    this.#reached({ offset: batch.to, logTime: batch.logTime })
  }

  async #maintain(builder: BatchBuilder): Promise<void> {
    const { partition, log, archive, clock } = this.#options
    const now = clock.now()
    if (now - this.#maintainedAt < MAINTAIN_MS || this.#stopped) return
    this.#maintainedAt = now
    const caughtUp = builder.to === log.bounds(partition).end
    const asOf = Math.max(builder.logTime, caughtUp ? now - AS_OF_DELAY_MS : 0)
    await this.#insist(() => archive.maintain(partition, epochMs(asOf)))
  }

  /// Calls until it succeeds, each time after a longer pause. Ends with Again where trying again as it is cannot help.
  async #insist<T>(call: () => Promise<T>): Promise<T> {
    for (let pauseMs = RETRY_MS_MIN; ; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
      try {
        const result = await call()
        if (this.#problem !== null) this.#options.say('The archive goes on.')
        this.#problem = null
        return result
      } catch (error) {
        if (this.#stopped || error instanceof PositionMovedError) throw new Again()
        if (!(error instanceof PortError && error.retryable)) throw error
        if (this.#problem === null) {
          this.#options.say(
            `Nothing is archived for now; it is tried again, and what is in the trade log waits. ${error.message}`,
          )
        }
        this.#problem = error.message
      }
      await pause(this.#options.clock, pauseMs, this.#abort.signal)
      if (this.#stopped) throw new Again()
    }
  }
}
