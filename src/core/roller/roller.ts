/// The roller's machine: from a log of swaps to exact statistics per token, pure and synchronous.
///
/// The problem. A swap counts in eleven windows or more, each of which it leaves at its own second; it may come
/// twice, late, and in any order; statistics must be exact at every second, for any number of tokens, and the same
/// after a crash or in another process.
///
/// Rejected. Buckets per window and token: approximate at the edges, and every bucket of every token must be
/// visited to expire. Re-scanning at query time: exact, but the cost is the day's swaps. A heap of expiries per
/// window: eleven entries per swap. Floating sums: they drift, and depend on the order.
///
/// The algorithm. Accepted swaps lie in slices of one second of event time (slices.ts). One cursor per window
/// walks the slices as time advances and adds what leaves to what the window has expired; a window's value is the
/// token's running total minus that (view.ts, tokens.ts). Uniques follow from the last tick of each (token,
/// trader) (pairs.ts), opening prices from links between a token's slices (block.ts, token-blocks.ts), highs and
/// lows from monotonic queues (extremes.ts). Duplicates are found by fingerprint (horizon.ts, and in the slice
/// itself). All sums are integers. Slices that left the hot range live in parts (parts.ts, sealing.ts).
///
/// Time. Log time, the running maximum of append times, decides fates; view time moves the windows and decides
/// nothing that is stored.

import { refusalOf } from '../admission.js'
import { invariant } from '../invariant.js'
import { FIELDS_PER_WINDOW, type StatsUpdate, type TokenStats } from '../stats.js'
import type { SwapBatch } from '../swap-batch.js'
import { type EpochMs, epochMs, type Offset, offset, type Tick, tick } from '../units.js'
import type { RollerConfig } from './config.js'
import type { FateCounts } from './fates.js'
import { Intake } from './intake.js'
import { Ledger } from './ledger.js'
import { SummaryCache } from './query/summaries.js'
import { Summarizing } from './query/summarizing.js'
import { TokenQuery, type TokenQuestion } from './query/token-query.js'
import { Restoring } from './restart/restoring.js'
import { digestOfBatch } from './rows/digest.js'
import { type Forgettable, type SealedPart, Sealing } from './sealing.js'
import { DeltaBuilder } from './storage/delta.js'
import type { PartSource, StoredPart } from './storage/parts.js'
import { TokenTotalsWriter } from './storage/token-totals.js'
import { Horizon } from './tables/horizon.js'
import { CONFLICT, type CountedFates, DUPLICATE, EARLY, LATE } from './token-fates.js'

/// A row that was not taken and belongs in the dead letters.
export interface Rejected {
  /// Row of the batch that was applied.
  readonly row: number
  readonly fate: 'late' | 'early'
  readonly reason: string
}

/// A delta for the state store; see ports/state-store.ts.
export interface RollerDelta {
  readonly coversFrom: Offset
  readonly coversTo: Offset
  readonly logTime: EpochMs
  readonly maxBlock: number
  readonly payload: Uint8Array
}

const NO_PARTS: PartSource = { readParts: () => [] }
/// A delta with so many rows is closed at the end of its batch: deltas stay below a megabyte or two.
const DELTA_ROWS_MAX = 8192
/// Ids that are looked for side by side; see intake.ts.
const GLANCED = 256
/// Ticks are kept relative to the first view time, in 32 bits. No view reaches further: 34 years at a resolution of one
/// second.
export const VIEW_TICKS_MAX = 2 ** 30

export class Roller {
  readonly config: RollerConfig
  readonly #ledger: Ledger
  readonly #horizon = new Horizon()
  readonly #intake: Intake
  readonly #delta: DeltaBuilder | null
  /// Closed deltas that nobody has taken yet.
  readonly #closed: RollerDelta[] = []
  readonly #sealing: Sealing | null
  readonly #summarizing: Summarizing
  #restoring: Restoring | null = null
  readonly #origin: number
  readonly #fates: FateCounts = { accepted: 0, duplicate: 0, late: 0, early: 0, invalid: 0, conflict: 0 }
  /// Log time; before the first record there is none, and nothing is late.
  #logTime = Number.NEGATIVE_INFINITY
  #position = 0
  #deltaFrom = 0
  #committed = 0
  /// Log time at `#committed`, and of the delta that was handed out last.
  #committedLogTime = Number.NEGATIVE_INFINITY
  #handedOut: RollerDelta | null = null

  /// View time begins at `startTick`. With a `source` the roller is durable: it makes deltas and parts, which the
  /// caller stores, and reads parts back from the source. Without one, everything stays in memory. Rollers of one process share
  /// what they keep for questions.
  constructor(
    config: RollerConfig,
    startTick: Tick,
    source: PartSource | null = null,
    summaries = new SummaryCache(),
  ) {
    this.config = config
    this.#origin = startTick
    this.#ledger = new Ledger(config, startTick, source ?? NO_PARTS, summaries)
    this.#summarizing = new Summarizing(this.#ledger)
    this.#intake = new Intake(this.#ledger)
    const { tokenNames, tokenFates, deltaDictionary } = this.#ledger
    const totals = new TokenTotalsWriter(tokenNames, tokenFates, deltaDictionary)
    this.#delta = source === null ? null : new DeltaBuilder(deltaDictionary, totals)
    this.#sealing = source === null ? null : new Sealing(this.#ledger)
  }

  /// Rolls a batch of the log: `count` records from `firstOffset` on, of which `batch` holds the valid ones.
  /// Records below `position` are skipped, so that a batch may overlap what is covered already.
  apply(batch: SwapBatch, firstOffset: Offset, count: number, appendTime: EpochMs): readonly Rejected[] {
    const end = firstOffset + count
    const intake = this.#intake
    intake.begin(batch)
    if (end <= this.#position) return []
    const skipped = Math.max(0, this.#position - firstOffset)
    if (appendTime > this.#logTime) this.#logTime = appendTime
    this.#horizon.expire(this.#logTime, this.config.dedupeHorizonMs)
    this.#ledger.tokenFates.advance(this.#logTime, this.#lateTick())
    const rejected: Rejected[] = []
    let valid = 0
    let glanced = 0
    for (let i = 0; i < batch.size; i++) {
      const record = batch.record[i] as number
      if (i % GLANCED === 0) {
        const to = Math.min(batch.size, i + GLANCED)
        for (let j = i; j < to; j++) glanced ^= this.#horizon.glance(batch.id0[j] as number)
      }
      if (record < skipped) continue
      valid++
      const refusal = this.#admit(batch, i, firstOffset + record)
      if (refusal !== null) rejected.push(refusal)
    }
    intake.glanced = glanced
    intake.finish(this.#delta, this.#logTime)
    this.#fates.invalid += count - skipped - valid
    this.#position = end
    if (this.#delta !== null && this.#delta.count >= DELTA_ROWS_MAX) this.#closeDelta(this.#delta)
    this.#ledger.drop(this.#droppable())
    return rejected
  }

  /// The rows of the batch that was applied last that were accepted, ascending; valid until the next one is applied.
  get acceptedRows(): Int32Array {
    return this.#intake.rows
  }

  /// Moves view time; earlier ticks than the current one are ignored.
  advance(to: Tick): void {
    invariant(to - this.#origin <= VIEW_TICKS_MAX, `view time goes on for at most ${VIEW_TICKS_MAX} slices`)
    this.#ledger.advance(to - this.#origin, () => this.#droppable())
  }

  /// Totals since the beginning of the log.
  get fates(): Readonly<FateCounts> {
    return this.#fates
  }

  /// What became of a token's swaps (token-fates.ts); null for a token that is not known.
  fatesOf(token: string): CountedFates | null {
    const { tokenNames, tokenFates } = this.#ledger
    const id = tokenNames.findText(token)
    return id < 0 ? null : tokenFates.of(id)
  }

  /// Every record below it has been rolled.
  get position(): Offset {
    return offset(this.#position)
  }

  get viewTick(): Tick {
    return tick(this.#ledger.view.now + this.#origin)
  }

  get logTime(): EpochMs {
    return epochMs(this.#logTime)
  }

  /// The tokens whose statistics changed since the last call, each once.
  takeChanged(): string[] {
    const { view, tokenNames } = this.#ledger
    return Array.from(view.takeChanged(), token => tokenNames.text(token))
  }

  /// The token's statistics as of now, or that it is gone.
  update(token: string): StatsUpdate {
    return (
      this.stats(token) ?? {
        token,
        partition: this.config.partition,
        offset: this.position,
        tick: this.viewTick,
        cells: null,
      }
    )
  }

  /// The token's statistics as of now; null without an accepted swap within retention.
  stats(token: string): TokenStats | null {
    const { tokenNames, view, readings } = this.#ledger
    const id = tokenNames.findText(token)
    if (id < 0 || !view.isPresent(id)) return null
    const windows = this.config.windows.length
    const cells = new Float64Array(windows * FIELDS_PER_WINDOW)
    readings.read(id, windows, cells)
    return {
      token,
      partition: this.config.partition,
      offset: this.position,
      tick: this.viewTick,
      asOf: epochMs(this.viewTick * this.config.resolutionMs),
      price: readings.price(id),
      firstSeen: readings.firstSeen(id),
      lastSeen: readings.lastSeen(id),
      cells,
    }
  }

  /// Begins to answer a question about a token, as of now; null for a token without any accepted swap within the
  /// retention. Stretches must end at view time at the latest and lie within the retention.
  ask(token: string, question: TokenQuestion): TokenQuery | null {
    const { tokenNames, view } = this.#ledger
    const id = tokenNames.findText(token)
    if (id < 0 || !view.isPresent(id) || question.stretches.length === 0) return null
    const retained = this.viewTick - this.config.retentionMs / this.config.resolutionMs
    for (const { after, to } of question.stretches) {
      invariant(
        after >= retained && to <= this.viewTick,
        'a stretch that is asked for lies within the retention',
      )
    }
    return new TokenQuery(this.#ledger, id, this.#origin, this.position, question)
  }

  /// Goes on for a millisecond or two with summing up the tokens with most swaps, so that questions about them need not. False when
  /// nothing is due: then it may be by the next second. Not before it is restored.
  summarize(): boolean {
    return this.#summarizing.step()
  }

  /// Lets go of what is kept for questions. The roller is of no use any more.
  letGo(): void {
    this.#ledger.summaries.clear()
  }

  /// Tokens with an accepted swap within retention at the view time, in no particular order.
  tokens(): string[] {
    const { tokenNames, view } = this.#ledger
    const names: string[] = []
    for (let token = 0; token < tokenNames.idLimit; token++) {
      if (tokenNames.has(token) && view.isPresent(token)) names.push(tokenNames.text(token))
    }
    return names
  }

  /// Sizes, for status.
  get sizes(): { tokens: number; traders: number; pairs: number; blocks: number; horizon: number } {
    const { tokenNames, traderNames, pairs, slices } = this.#ledger
    return {
      tokens: tokenNames.size,
      traders: traderNames.size,
      pairs: pairs.size,
      blocks: slices.count,
      horizon: this.#horizon.size,
    }
  }

  /// The rows accepted since the last call, to be stored by the caller in this order; null when nothing has come. There
  /// may be more at once. A delta that could not be stored must be stored later, before the next one: it is not made
  /// again.
  takeDelta(): RollerDelta | null {
    if (this.#delta === null) return null
    if (this.#closed.length === 0 && this.#position > this.#deltaFrom) this.#closeDelta(this.#delta)
    this.#handedOut = this.#closed.shift() ?? null
    return this.#handedOut
  }

  /// Says that deltas up to `to` are durable: their rows may be sealed.
  committed(to: Offset): void {
    this.#committed = to
    if (this.#handedOut?.coversTo === to) this.#committedLogTime = this.#handedOut.logTime
  }

  /// Goes on for some milliseconds with moving blocks that left the hot range to disk. Returns parts to be stored by the
  /// caller (answer with `partsStored` or `partsFailed` before the next call), an empty list when there is more to do
  /// before the next part, or null when nothing is due.
  takeParts(): readonly SealedPart[] | null {
    return this.#sealing?.step(this.#committed, this.#hotBlock()) ?? null
  }

  partsStored(): void {
    this.#sealing?.stored()
  }

  partsFailed(): void {
    this.#sealing?.failed()
  }

  /// What the state store may forget by now.
  get forgettable(): Forgettable | null {
    return (
      this.#sealing?.forgettable(
        Math.min(this.#ledger.oldestBlock(this.#retainedTick()), this.#ledger.parts.segmentHighest),
        epochMs(
          this.#committedLogTime - Math.max(this.config.dedupeHorizonMs, this.#ledger.tokenFates.periodMs),
        ),
        // The last delta stays, however old: position, log time and fates are read from it.
        offset(this.#committed - 1),
      ) ?? null
    )
  }

  /// Takes in a part that is on disk. Parts come first, in the store's order, then deltas, then `restored`.
  restorePart(block: number, coversTo: Offset, part: StoredPart): void {
    this.#restore().part(block, coversTo, part)
  }

  /// Takes in a delta. Its rows that are in parts already only count for the dedupe horizon. Several writers may have
  /// covered the same offsets: what is below `position` is skipped; a delta that begins above it is refused. The first one
  /// begins where it may. Then `takeParts` may be called, and `committed` before it: what left the hot range goes to disk
  /// again, so that a long history of deltas is taken in with little memory.
  restoreDelta(delta: RollerDelta): void {
    const from = this.#position
    if (delta.coversTo <= from) return
    invariant(from === 0 || delta.coversFrom <= from, 'deltas leave no offsets out')
    Object.assign(this.#fates, this.#restore().delta(delta.payload, delta.coversFrom, from))
    this.#logTime = delta.logTime
    this.#committedLogTime = delta.logTime
    this.#position = delta.coversTo
  }

  /// Ends restoring, in steps of some milliseconds; yields the share that is done. When it is through, the roller goes on
  /// from `position`.
  *restored(): Generator<number, void> {
    const restoring = this.#restore()
    this.#deltaFrom = this.#position
    this.#committed = this.#position
    this.#delta?.begin(this.#position)
    this.#ledger.parts.endSegment()
    this.#ledger.drop(this.#droppable())
    yield* restoring.recount()
    this.#ledger.freeUnused(this.#droppable())
    const { resolutionMs } = this.config
    const newest = Math.floor(this.#logTime / resolutionMs)
    this.#ledger.tokenFates.restored(this.#logTime, this.#lateTick(), newest)
    this.#restoring = null
  }

  #restore(): Restoring {
    this.#restoring ??= new Restoring(this.#ledger, this.#horizon, this.config)
    return this.#restoring
  }

  #closeDelta(delta: DeltaBuilder): void {
    this.#closed.push({
      coversFrom: offset(this.#deltaFrom),
      coversTo: this.position,
      logTime: this.logTime,
      maxBlock: delta.maxBlock,
      payload: delta.payload(this.#fates),
    })
    this.#deltaFrom = this.#position
    delta.begin(this.#position)
  }

  /// Decides the fate of row i of the batch, which lies at an offset of the log.
  #admit(batch: SwapBatch, i: number, at: number): Rejected | null {
    const timeMs = batch.timeMs[i] as number
    const ledger = this.#ledger
    const relativeTick = ledger.relativeTick(timeMs)
    if (this.config.admission === 'log-time') {
      const refusal = refusalOf(timeMs, this.#logTime, this.config)
      if (refusal !== null) return this.#refuse(i, refusal, timeMs)
    }
    const id0 = batch.id0[i] as number
    const id1 = batch.id1[i] as number
    const id2 = batch.id2[i] as number
    const digest = digestOfBatch(batch, i)
    const known = this.#horizon.find(id0, id1, id2)
    let first: number | null = known < 0 ? null : this.#horizon.digestAt(known)
    // What came with this batch is in the horizon: only earlier batches are in slices alone.
    if (first === null && this.#mayPredateHorizon(timeMs)) first = ledger.findInSlice(relativeTick, id0, id1)
    if (first !== null) {
      this.#fates.duplicate++
      this.#intake.refuse(i, DUPLICATE)
      if (first !== digest) {
        this.#fates.conflict++
        this.#intake.refuse(i, CONFLICT)
      }
      return null
    }
    this.#fates.accepted++
    this.#horizon.add(id0, id1, id2, digest, this.#logTime)
    if (this.config.admission === 'log-time' || this.#canBeSeen(relativeTick)) {
      this.#intake.add(i, relativeTick, at, digest)
    }
    return null
  }

  /// Whether any view from now on can show a swap of this tick; asked only where nothing is stored.
  #canBeSeen(relativeTick: number): boolean {
    return relativeTick > this.#ledger.view.expiredUpTo && relativeTick <= VIEW_TICKS_MAX
  }

  /// Whether a row of this event time's slice may have been accepted before everything that the horizon holds: an
  /// early swap comes at most the tolerance ahead of its time, and may lie at the slice's very beginning.
  #mayPredateHorizon(timeMs: number): boolean {
    const sliceMs = timeMs - (timeMs % this.config.resolutionMs)
    return sliceMs - this.config.earlyToleranceMs <= this.#logTime - this.config.dedupeHorizonMs
  }

  #refuse(row: number, fate: 'late' | 'early', timeMs: number): Rejected {
    this.#fates[fate]++
    this.#intake.refuse(row, fate === 'late' ? LATE : EARLY)
    const { retentionMs, earlyToleranceMs } = this.config
    const reason =
      fate === 'late'
        ? `time: wanted at most ${retentionMs} ms before log time ${this.#logTime}, got ${timeMs}`
        : `time: wanted at most ${earlyToleranceMs} ms after log time ${this.#logTime}, got ${timeMs}`
    return { row, fate, reason }
  }

  /// The tick at and before which swaps are late.
  #lateTick(): number {
    if (this.config.admission === 'all') return Number.NEGATIVE_INFINITY
    const { retentionMs, resolutionMs } = this.config
    return Math.floor(this.#logTime / resolutionMs) - retentionMs / resolutionMs
  }

  /// The same, relative.
  #retainedTick(): number {
    return this.#lateTick() - this.#origin
  }

  /// Blocks below it have left the hot range.
  #hotBlock(): number {
    return this.#ledger.slices.blockOf(this.#ledger.relativeTick(this.#logTime - this.config.hotRangeMs))
  }

  /// Relative tick at and before which neither a window nor a late swap can reach.
  #droppable(): number {
    if (this.config.admission === 'all') return Number.NEGATIVE_INFINITY
    return Math.min(this.#ledger.view.expiredUpTo, this.#retainedTick())
  }
}
