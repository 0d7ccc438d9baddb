/// The statistics of one token at one version, as the roller hands them out: numbers in a fixed layout, exact
/// and immutable. Turning them into text is delivery/wire's work, done only for those that somebody reads.

import type { EpochMs, Offset, Tick } from './units.js'

/// Fields of one window in `TokenStats.cells`; window w begins at w × FIELDS_PER_WINDOW. Windows are in the
/// order of the roller's configuration, shortest first.
export const Field = {
  /// Buy volume in micro-dollars = BUY_USD + BUY_USD_HIGH × 10^12. Exact; the low limb is below 10^12.
  BUY_USD: 0,
  BUY_USD_HIGH: 1,
  SELL_USD: 2,
  SELL_USD_HIGH: 3,
  /// Token amount in 10^-18 tokens = Σ AMOUNT_i × 10^(9·i), i = 0 … 4. Exact; limbs are below 10^9, the last is not bounded.
  AMOUNT_0: 4,
  AMOUNT_1: 5,
  AMOUNT_2: 6,
  AMOUNT_3: 7,
  AMOUNT_4: 8,
  /// Accepted swaps by side.
  BUYS: 9,
  SELLS: 10,
  /// Distinct traders with a buy, with a sell, with either.
  BUYERS: 11,
  SELLERS: 12,
  TRADERS: 13,
  /// Prices in chain order, binary64; NaN where the window has no swap of known price.
  OPEN: 14,
  HIGH: 15,
  LOW: 16,
  CLOSE: 17,
  /// Largest single swap in micro-dollars; NaN in an empty window.
  LARGEST_USD: 18,
} as const

export const FIELDS_PER_WINDOW = 19

/// Orders the updates of a token: a higher (offset, tick) supersedes a lower one, and equal versions of two
/// replicas carry identical statistics.
export interface StatsVersion {
  readonly partition: number
  /// Every record below this offset of the partition has been rolled.
  readonly offset: Offset
  /// View time: windows end with this tick.
  readonly tick: Tick
}

export interface TokenStats extends StatsVersion {
  readonly token: string
  /// `tick` in epoch milliseconds (the slice's beginning).
  readonly asOf: EpochMs
  /// Price of the last swap of known price in chain order within retention; NaN where there is none.
  readonly price: number
  /// Event times of the first and last accepted swap within retention.
  readonly firstSeen: EpochMs
  readonly lastSeen: EpochMs
  /// windows × FIELDS_PER_WINDOW.
  readonly cells: Float64Array
  /// When the watcher saw the change, by its own clock: for measuring delay, no part of the statistics.
  readonly rolledAt?: EpochMs
}

/// Says that a token has no accepted swap within retention any more.
export interface TokenGone extends StatsVersion {
  readonly token: string
  readonly cells: null
  /// As in TokenStats.
  readonly rolledAt?: EpochMs
}

export type StatsUpdate = TokenStats | TokenGone

/// Negative when a is older than b, 0 when equal, positive when newer. Versions of different partitions do not
/// compare (a token lives in one partition until partitions are added).
export function compareVersions(a: StatsVersion, b: StatsVersion): number {
  return a.offset !== b.offset ? a.offset - b.offset : a.tick - b.tick
}

/// `partition:offset:tick`, the version on the wire. Example: `0:1042:1790000000`.
export function versionText(v: StatsVersion): string {
  return `${v.partition}:${v.offset}:${v.tick}`
}
