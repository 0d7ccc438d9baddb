/// The roller role: the machine of one partition together with its durable state. It restores the machine from the
/// state store, rolls batches that the consumer hands it, and makes checkpoints.
///
/// Order of a checkpoint, each step durable before the next: dead letters of what was rolled, the delta with the
/// position, parts of blocks that left the hot range, then what may be forgotten. A crash between two steps loses
/// nothing: without the delta the records are rolled again, and letters are stored once by their origin; without
/// a part its rows are still in the deltas.

import { JsonDecoder } from '../core/decode/json-decoder.js'
import type { DecodeResult } from '../core/decode/reject.js'
import type { KeyedRecords } from '../core/keyed-records.js'
import type { RollerConfig } from '../core/roller/config.js'
import type { FateCounts } from '../core/roller/fates.js'
import type { SummaryCache } from '../core/roller/query/summaries.js'
import type { TokenQuery, TokenQuestion } from '../core/roller/query/token-query.js'
import { Roller, type RollerDelta } from '../core/roller/roller.js'
import type { CountedFates } from '../core/roller/token-fates.js'
import type { StatsUpdate, TokenStats } from '../core/stats.js'
import type { SwapBatch } from '../core/swap-batch.js'
import { type EpochMs, epochMs, type Offset, offset, type Tick, tickOf } from '../core/units.js'
import type { Clock } from '../ports/clock.js'
import type { DeadLetter, DeadLetters } from '../ports/dead-letters.js'
import { PortError } from '../ports/errors.js'
import type { StateStore } from '../ports/state-store.js'
import type { ArchivedSwap } from '../ports/trade-archive.js'
import type { TokenTrades, TradeFeed } from '../ports/trade-feed.js'
import type { LogBatch, TradeLog } from '../ports/trade-log.js'
import { loggedSwap, RowText } from './logged-swap.js'

export interface RollerRoleOptions {
  readonly config: RollerConfig
  readonly log: TradeLog
  readonly store: StateStore
  readonly deadLetters: DeadLetters
  readonly clock: Clock
  /// Where accepted swaps are shown as they happen.
  readonly trades?: TradeFeed
  /// Shared with the other partitions of the process.
  readonly summaries?: SummaryCache
  /// Resolves in a later turn of the event loop: restoring makes room for requests with it.
  nextTurn(): Promise<void>
}

/// Restoring, 0 … 1.
export type RestoreProgress = (share: number) => void

const TURN_MS = 20
/// What share of restoring is reading deltas: where the store has parts, and where deltas are all there is.
const DELTAS_SHARE_WARM = 0.2
const DELTAS_SHARE_COLD = 0.6
/// Letters keep no more of it (ports/dead-letters.ts).
const LETTER_INPUT_BYTES = 4096
const NOTHING = new Uint8Array(0)

export class RollerRole {
  readonly #options: RollerRoleOptions
  readonly #machine: Roller
  readonly #decoder = new JsonDecoder()
  /// Refused rows since the last checkpoint.
  #letters: DeadLetter[] = []
  /// A delta that was taken from the machine and is not stored yet.
  #unstored: RollerDelta | null = null
  #checkpointed: Offset
  #underWay: Promise<void> | null = null

  constructor(options: RollerRoleOptions) {
    this.#options = options
    const { config, clock, store } = options
    this.#machine = new Roller(config, tickOf(clock.now(), config.resolutionMs), store, options.summaries)
    this.#checkpointed = offset(0)
  }

  /// Rebuilds the machine from the store. Rejects with DamagedError when the store cannot be read whole, and when
  /// the log no longer holds what comes after the checkpoint.
  async restore(progress: RestoreProgress): Promise<void> {
    const { store, clock } = this.#options
    let turnAt = clock.now() + TURN_MS
    const breathe = async (share: () => number): Promise<void> => {
      if (clock.now() < turnAt) return
      progress(Math.min(1, share()))
      await this.#options.nextTurn()
      turnAt = clock.now() + TURN_MS
    }
    let hasParts = false
    for (const part of store.parts()) {
      hasParts = true
      this.#machine.restorePart(part.block, part.coversTo, part)
      await breathe(() => 0)
    }
    const inDeltas = hasParts ? DELTAS_SHARE_WARM : DELTAS_SHARE_COLD
    const end = store.position()
    let from: number | null = null
    for (const delta of store.deltas()) {
      from ??= delta.coversFrom
      const read = (delta.coversTo - from) / Math.max(1, end - from)
      this.#machine.restoreDelta(delta)
      // A store may hold a day of deltas and no parts yet: they go to disk again as they come.
      this.#machine.committed(delta.coversTo)
      await this.#saveParts()
      await breathe(() => inDeltas * read)
    }
    for (const share of this.#machine.restored()) await breathe(() => inDeltas + (1 - inDeltas) * share)
    this.#checkpointed = this.#machine.position
    progress(1)
  }

  /// Rolls a batch of the log at the clock's second. What is accepted of a live one is shown as it happens; a backlog is not. Returns its
  /// valid swaps; their columns are reused by the next call.
  roll(batch: LogBatch, live = false): KeyedRecords {
    const before = this.#machine.position
    const { batch: rows, rejects } = this.#decode(batch)
    const rejected = this.#machine.apply(rows, batch.firstOffset, batch.count, batch.appendTime)
    for (const { record, field, reason, at, length } of rejects) {
      this.#refuse(batch, record, before, 'invalid', field, reason, rows.bytes.subarray(at, at + length))
    }
    for (const { row, fate, reason } of rejected) {
      const at = rows.recordAt[row] ?? 0
      const input = rows.bytes.subarray(at, at + (rows.recordLength[row] ?? 0))
      this.#refuse(batch, rows.record[row] ?? 0, before, fate, 'time', reason, input)
    }
    const { trades } = this.#options
    if (live && trades?.isFollowed === true) this.#show(rows, batch, trades)
    return rows
  }

  #show(rows: SwapBatch, { partition, firstOffset }: LogBatch, trades: TradeFeed): void {
    const rolledAt = this.#options.clock.now()
    const { logTime } = this.#machine
    const text = new RowText(rows)
    const byToken = new Map<string, ArchivedSwap[]>()
    for (const row of this.#machine.acceptedRows) {
      const token = text.at(rows.tokenAt, rows.tokenLength, row)
      if (!trades.wants(token)) continue
      const at = offset(firstOffset + (rows.record[row] ?? 0))
      const swap = { ...loggedSwap(rows, row, text, at, logTime), partition }
      const others = byToken.get(token)
      if (others === undefined) byToken.set(token, [swap])
      else others.push(swap)
    }
    if (byToken.size === 0) return
    trades.publish(Array.from(byToken, ([token, swaps]): TokenTrades => ({ token, trades: swaps, rolledAt })))
  }

  /// Moves view time to the clock's.
  advance(): void {
    const { config, clock } = this.#options
    this.#machine.advance(tickOf(clock.now(), config.resolutionMs))
  }

  /// When the next advance changes something.
  nextTickAt(): EpochMs {
    const { config, clock } = this.#options
    return epochMs((tickOf(clock.now(), config.resolutionMs) + 1) * config.resolutionMs)
  }

  takeChanged(): string[] {
    return this.#machine.takeChanged()
  }

  update(token: string): StatsUpdate {
    return this.#machine.update(token)
  }

  get config(): RollerConfig {
    return this.#options.config
  }

  /// The token's statistics as of now; null without an accepted swap within retention.
  stats(token: string): TokenStats | null {
    return this.#machine.stats(token)
  }

  /// What became of the token's swaps; null for a token that is not known.
  fatesOf(token: string): CountedFates | null {
    return this.#machine.fatesOf(token)
  }

  /// Begins to answer what the windows do not hold; see Roller.ask.
  ask(token: string, question: TokenQuestion): TokenQuery | null {
    return this.#machine.ask(token, question)
  }

  /// Goes on with what questions will want; see Roller.summarize.
  summarize(): boolean {
    return this.#machine.summarize()
  }

  /// The partition is let go.
  letGo(): void {
    this.#machine.letGo()
  }

  get viewTick(): Tick {
    return this.#machine.viewTick
  }

  get position(): Offset {
    return this.#machine.position
  }

  /// Every record below it is covered by a durable checkpoint.
  get checkpointed(): Offset {
    return this.#checkpointed
  }

  get fates(): Readonly<FateCounts> {
    return this.#machine.fates
  }

  /// Null before the first record.
  get logTime(): EpochMs | null {
    return Number.isFinite(this.#machine.logTime) ? this.#machine.logTime : null
  }

  get viewTime(): EpochMs {
    return epochMs(this.#machine.viewTick * this.#options.config.resolutionMs)
  }

  /// Letters that wait for the next checkpoint; the consumer waits with them when they pile up.
  get waitingLetters(): number {
    return this.#letters.length
  }

  /// Saves what was rolled so far. Calls while one is under way wait for it and then save the rest. Rejects with
  /// StorageFullError when there is no room: nothing is lost, and the next call tries again.
  async checkpoint(): Promise<void> {
    while (this.#underWay !== null) await this.#underWay.catch(() => {})
    const work = this.#save()
    this.#underWay = work
    try {
      await work
    } finally {
      this.#underWay = null
    }
  }

  async #save(): Promise<void> {
    const { store, deadLetters, log, config } = this.#options
    // What is rolled meanwhile is for the next checkpoint.
    const until = this.#machine.position
    do {
      // The letters of a delta are stored before it; both are taken in the same turn.
      this.#unstored ??= this.#machine.takeDelta()
      await this.#saveLetters(deadLetters)
      const delta = this.#unstored
      if (delta === null) break
      await store.appendDelta(delta)
      this.#unstored = null
      this.#checkpointed = delta.coversTo
      this.#machine.committed(delta.coversTo)
      log.release(config.partition, delta.coversTo)
    } while (this.#checkpointed < until)
    await this.#saveParts()
  }

  async #saveLetters(deadLetters: DeadLetters): Promise<void> {
    const letters = this.#letters
    if (letters.length === 0) return
    this.#letters = []
    try {
      await deadLetters.append(letters)
    } catch (error) {
      this.#letters = [...letters, ...this.#letters]
      throw error
    }
  }

  /// Moves what left the hot range to disk, and lets the store forget what nobody needs any more.
  async #saveParts(): Promise<void> {
    const { store } = this.#options
    for (;;) {
      const parts = this.#machine.takeParts()
      if (parts === null) break
      if (parts.length > 0) {
        try {
          await store.appendParts(parts)
        } catch (error) {
          this.#machine.partsFailed()
          if (error instanceof PortError && error.retryable) break
          throw error
        }
        this.#machine.partsStored()
      }
      await this.#options.nextTurn()
    }
    const { forgettable } = this.#machine
    if (forgettable !== null) await store.forget(forgettable)
  }

  /// A batch whose records cannot be told apart has one reject, for its first record.
  #decode({ bytes, ranges, broken }: LogBatch): DecodeResult {
    if (broken !== null) {
      const { batch } = this.#decoder.decodeLines(NOTHING)
      batch.bytes = bytes
      const reject = { record: 0, line: 1, field: null, reason: broken, at: 0, length: bytes.length }
      return { batch, records: 1, rejects: [reject] }
    }
    return ranges === null
      ? this.#decoder.decodeLines(bytes)
      : this.#decoder.decodeRanges(bytes, ranges.at, ranges.length)
  }

  #refuse(
    batch: LogBatch,
    record: number,
    before: Offset,
    fate: DeadLetter['fate'],
    field: string | null,
    reason: string,
    input: Uint8Array,
  ): void {
    const at = offset(batch.firstOffset + record)
    // Records that were rolled before have had their letters.
    if (at < before) return
    this.#letters.push({
      fate,
      field,
      reason,
      time: batch.appendTime,
      origin: { kind: 'log', partition: batch.partition, offset: at },
      input: input.slice(0, LETTER_INPUT_BYTES),
    })
  }
}
