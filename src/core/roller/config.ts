import type { Window } from '../windows.js'

/// What decides the roller's answers. All of it is part of the state's identity: two rollers with the same
/// configuration and log agree bit by bit.
export interface RollerConfig {
  readonly partition: number
  /// Shortest first, without repetition; each a multiple of `resolutionMs` and at most `retentionMs`.
  readonly windows: readonly Window[]
  /// Length of a slice of event time. Windows move in steps of it.
  readonly resolutionMs: number
  /// How long an accepted swap is kept and can be joined by late ones: at least the longest window.
  readonly retentionMs: number
  /// Whether log time decides what is late and early, or every swap is taken and kept: a file that is replayed as a
  /// whole has no log time.
  readonly admission: 'log-time' | 'all'
  /// How far ahead of log time a swap may be dated.
  readonly earlyToleranceMs: number
  /// How long, in log time, an id alone identifies a swap whatever its event time.
  readonly dedupeHorizonMs: number
  /// Slices younger than this (in log time) stay in memory; older ones move to the state store. Infinity keeps
  /// everything in memory.
  readonly hotRangeMs: number
}
