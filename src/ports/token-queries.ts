/// Answers what the kept statistics of a token do not hold: any window, as of any instant within the retention, the
/// sizes of swaps, the largest ones, the traders. The roller that owns the token computes it from its slices.
///
/// Questions and answers are plain data, so that a process without a roller can ask one elsewhere.
///
/// Contract, for every adapter (test/contract/token-queries.ts):
/// - Exact: an answer is a function of the accepted swaps within the retention and of T, the slice that it is asked as of,
///   and equals what the windows themselves say where they say the same. All of it is as of one state, whose version it
///   carries.
/// - A stretch is covered when it lies within the retention: after ≥ newest − retention, where newest is the newest slice.
///   One that is not has `null`.
/// - Work is bounded: so many questions are under way and wait, others are refused with BusyError. Answering holds up
///   nobody for long: it is done in steps.
/// - Errors: BusyError when too many are asked at a time, UnavailableError when the owner cannot be reached. Both may be
///   tried again.

import type { TokenFindings } from '../core/roller/query/token-query.js'
import type { CountedFates } from '../core/roller/token-fates.js'
import type { EpochMs, Offset, Tick } from '../core/units.js'

/// The swaps with T − ago − length < tick(time) ≤ T − ago. Both are multiples of the resolution. Example: the five
/// minutes before the last five are `{lengthMs: 300_000, agoMs: 300_000}`.
export interface AskedStretch {
  readonly lengthMs: number
  readonly agoMs: number
}

export interface TokenQuestion {
  readonly token: string
  /// T is the slice of this instant; null for the newest.
  readonly asOf: EpochMs | null
  /// None where only what is kept of the token is asked for: nothing is computed then.
  readonly stretches: readonly AskedStretch[]
  /// Stretches of which the median size is wanted, by index.
  readonly medians: readonly number[]
  /// How many of the largest and of the newest swaps, and of the traders with the most volume, of the first stretch are
  /// wanted.
  readonly largest: number
  readonly newest: number
  readonly traders: number
}

export interface TokenAnswer {
  readonly kind: 'answer'
  readonly partition: number
  readonly offset: Offset
  /// T.
  readonly tick: Tick
  readonly asOf: EpochMs
  /// Of the token, of all its swaps with tick ≤ T within the retention.
  readonly price: number
  readonly firstSeen: EpochMs
  readonly lastSeen: EpochMs
  /// stretches × FIELDS_PER_WINDOW, as TokenStats.cells; of a stretch that is not covered it means nothing.
  readonly cells: Float64Array
  readonly covered: readonly boolean[]
  readonly medians: TokenFindings['medians']
  readonly largest: TokenFindings['largest']
  readonly newest: TokenFindings['newest']
  readonly traders: TokenFindings['traders']
  /// What became of its swaps up to `offset`, whatever T is.
  readonly fates: CountedFates
}

/// The token has no accepted swap within the retention up to T.
export interface UnknownToken {
  readonly kind: 'unknownToken'
}

/// `asOf` is no instant that can be asked for: those of `from` ≤ asOf < `to` are.
export interface OutOfRetention {
  readonly kind: 'outOfRetention'
  readonly from: EpochMs
  readonly to: EpochMs
}

export interface TokenQueries {
  /// As the rollers are configured.
  readonly rules: { readonly resolutionMs: number; readonly retentionMs: number }
  ask(question: TokenQuestion): Promise<TokenAnswer | UnknownToken | OutOfRetention>
}
