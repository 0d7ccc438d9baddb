/// What became of each token's swaps, by the name that they gave.
///
/// Counting begins with the first accepted swap of a token that has none within the retention, by log time, and goes on for
/// as long as it always has one. Example with a retention of 24 h, where the last swap of a token that is accepted is one of
/// Monday 13:00:00. What is refused until log time is Tuesday 12:59:59 counts with the others. From 13:00:00 on what is late counts
/// for no token, and the next swap that is accepted is the first of a new count. So the counts are a function of the log alone,
/// and a token that is forgotten and comes back begins anew in every process alike.
///
/// They are kept by being written: a delta holds the totals at its end of each token that it says something about. A token that
/// nothing happens to would be in no delta that is kept, so each is written anew from time to time. When that is due
/// is decided by log time and the name, so that it is in the delta that covers that offset, whoever writes it. `periodMs` is
/// the longest time between two of them.
///
/// A swap that is invalid counts for no token: what it says is not believed, its token neither.

import { type EpochMs, epochMs } from '../units.js'
import { grownFloat64, grownInt32 } from './tables/columns.js'
import type { Names } from './tables/names.js'

/// What a token's swaps can become. Conflicts are duplicates, too.
export interface TokenFates {
  readonly accepted: number
  readonly duplicate: number
  readonly late: number
  readonly early: number
  readonly conflict: number
}

/// They are counted since this log time.
export interface CountedFates extends TokenFates {
  readonly since: EpochMs
}

/// A record: one cache line.
export const FATES = 8
/// Fates lie in the order of their names, from 0.
export const ACCEPTED = 0
export const DUPLICATE = 1
export const LATE = 2
export const EARLY = 3
export const CONFLICT = 4
/// Log time when counting began; NaN while nothing is known.
export const SINCE_MS = 5
/// The last tick with an accepted swap.
export const NEWEST = 6
/// What the delta under way has to say.
const NOTED = 7
export const NOTHING = 0
/// Totals; with the time since when.
const TOTALS = 1
export const WHOLE = 2

/// Tokens are written anew in so many groups, by their names' hashes.
const GROUPS = 16

/// A token's totals as they are read.
export interface TokenTotals extends TokenFates {
  /// Null: it has been said before, and is as it was.
  readonly since: number | null
  readonly newestTick: number
}

export class FatesByToken {
  /// token × FATES.
  records = new Float64Array(64 * FATES).fill(Number.NaN)
  readonly #names: Names
  readonly #turnMs: number
  #noted = new Int32Array(64)
  #notedCount = 0
  /// Ticks at and before it are beyond the retention.
  #retained = Number.NEGATIVE_INFINITY
  #logTime = Number.NEGATIVE_INFINITY

  constructor(names: Names, dedupeHorizonMs: number, resolutionMs: number) {
    this.#names = names
    // Deltas are kept for the horizon, in any case.
    this.#turnMs = Math.max(resolutionMs, Math.floor(dedupeHorizonMs / (2 * GROUPS)))
  }

  /// A token's totals are in a delta whose log time is younger than this.
  get periodMs(): number {
    return this.#turnMs * GROUPS
  }

  /// Prepares the record of a token id that is new or was freed.
  begin(token: number): void {
    if ((token + 1) * FATES > this.records.length) {
      this.records = grownFloat64(this.records, (token + 1) * FATES)
    }
    const at = token * FATES
    this.records.fill(0, at, at + FATES)
    this.records[at + SINCE_MS] = Number.NaN
    this.records[at + NEWEST] = Number.NEGATIVE_INFINITY
  }

  /// Moves log time; `retained` is the tick at and before which swaps are late.
  advance(logTime: number, retained: number): void {
    const from = Math.floor(this.#logTime / this.#turnMs)
    const to = Math.floor(logTime / this.#turnMs)
    this.#logTime = logTime
    this.#retained = retained
    if (to > from) this.#noteGroups(from, to)
  }

  accept(token: number, tick: number): void {
    const { records } = this
    const at = token * FATES
    if (!((records[at + NEWEST] as number) > this.#retained)) this.#beginCount(token)
    records[at + ACCEPTED] = (records[at + ACCEPTED] as number) + 1
    if (tick > (records[at + NEWEST] as number)) records[at + NEWEST] = tick
    if (records[at + NOTED] === NOTHING) this.#note(token, TOTALS)
  }

  /// A swap that was not accepted; `fate` is one of the offsets above.
  refuse(token: number, fate: number): void {
    const { records } = this
    const at = token * FATES
    if (!((records[at + NEWEST] as number) > this.#retained)) return
    records[at + fate] = (records[at + fate] as number) + 1
    if (records[at + NOTED] === NOTHING) this.#note(token, TOTALS)
  }

  /// Null while nothing is known.
  of(token: number): CountedFates | null {
    const { records } = this
    const at = token * FATES
    const since = records[at + SINCE_MS] as number
    return Number.isNaN(since) ? null : { since: epochMs(since), ...this.#fates(at) }
  }

  /// What the delta under way says of a token, whose record has it: NOTHING, TOTALS or WHOLE. Says it once.
  take(token: number): number {
    const { records } = this
    const at = token * FATES
    if (Number.isNaN(records[at + SINCE_MS] as number)) return NOTHING
    const noted = records[at + NOTED] as number
    records[at + NOTED] = NOTHING
    return noted
  }

  /// The tokens of which the delta under way says something, some of them perhaps twice or gone; forgets them.
  takeNoted(): Int32Array {
    const noted = this.#noted.subarray(0, this.#notedCount)
    this.#notedCount = 0
    return noted
  }

  /// Takes in what a delta said.
  restore(token: number, totals: TokenTotals): void {
    const { records } = this
    const at = token * FATES
    records[at + ACCEPTED] = totals.accepted
    records[at + DUPLICATE] = totals.duplicate
    records[at + LATE] = totals.late
    records[at + EARLY] = totals.early
    records[at + CONFLICT] = totals.conflict
    if (totals.since !== null) records[at + SINCE_MS] = totals.since
    records[at + NEWEST] = totals.newestTick
  }

  /// After all deltas: log time goes on from there, and tokens of which none has said anything (a state from an archive, or from a
  /// program that did not count) are counted from now on.
  restored(logTime: number, retained: number, newestTick: number): void {
    this.#logTime = logTime
    this.#retained = retained
    for (let token = 0; token < this.#names.idLimit; token++) {
      const at = token * FATES
      if (!this.#names.has(token) || !Number.isNaN(this.records[at + SINCE_MS] as number)) continue
      this.#beginCount(token)
      this.records[at + NEWEST] = newestTick
    }
  }

  #fates(at: number): TokenFates {
    const { records } = this
    return {
      accepted: records[at + ACCEPTED] as number,
      duplicate: records[at + DUPLICATE] as number,
      late: records[at + LATE] as number,
      early: records[at + EARLY] as number,
      conflict: records[at + CONFLICT] as number,
    }
  }

  #beginCount(token: number): void {
    const { records } = this
    const at = token * FATES
    records.fill(0, at, at + SINCE_MS)
    records[at + SINCE_MS] = this.#logTime
    records[at + NEWEST] = Number.NEGATIVE_INFINITY
    this.#note(token, WHOLE)
  }

  #noteGroups(from: number, to: number): void {
    if (from === Number.NEGATIVE_INFINITY) return
    const names = this.#names
    const turns = to - from
    for (let token = 0; token < names.idLimit; token++) {
      if (!names.has(token)) continue
      const group = ((names.hashOf[token] as number) >>> 0) % GROUPS
      // The first turn of its group after `from`.
      if ((((group - from - 1) % GROUPS) + GROUPS) % GROUPS < turns) this.#note(token, WHOLE)
    }
  }

  #note(token: number, what: number): void {
    const at = token * FATES + NOTED
    if (this.records[at] === NOTHING) {
      if (this.#notedCount === this.#noted.length) this.#noted = grownInt32(this.#noted, this.#notedCount + 1)
      this.#noted[this.#notedCount++] = token
    }
    this.records[at] = what
  }
}
