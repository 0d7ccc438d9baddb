/// Carries the watchers' output to every web: the newest statistics of each token.
///
/// Contract, for every adapter (test/contract/stats-feed.ts):
/// - Compacted: for each token the feed keeps the newest update; an update that is not newer than the kept one
///   (compareVersions) is dropped, so publishing is idempotent and replicas may publish the same.
/// - A follower first gets the kept update of every token, then `onCaughtUp` once, then what comes, each token's
///   versions ascending. Nothing published after `follow` is missed.
/// - A TokenGone update removes the token; followers get it.
/// - Reports are carried beside the updates, each to every follower, the last ones of a partition and replica set also to
///   those that begin to follow. Some may be lost: others follow.
/// - `publish` never waits for followers; a follower does its work in its callback and must not throw.

import type { FateCounts } from '../core/roller/fates.js'
import type { StatsUpdate } from '../core/stats.js'
import type { EpochMs, Offset } from '../core/units.js'
import type { LogGap } from './state-store.js'

/// How far one process is with one partition, as it says about each second, and where to reach it.
export interface PartitionReport {
  readonly partition: number
  /// Of the replica set that the process belongs to.
  readonly replica: string
  /// Names the process.
  readonly instance: string
  /// Where it answers HTTP; null where it does not.
  readonly address: string | null
  /// Who knows it may ask there about tokens; null where nobody may. For instances of the cluster alone.
  readonly secret: string | null
  readonly at: EpochMs
  readonly state: RollingState
  /// Of the trade log: first ≤ offset < end.
  readonly first: Offset
  readonly end: Offset
  readonly rolled: Offset
  readonly checkpointed: Offset
  readonly logTime: EpochMs | null
  readonly viewTime: EpochMs | null
  readonly fates: Readonly<FateCounts>
  readonly gaps: readonly LogGap[]
}

export const ROLLING_STATES = ['restoring', 'moving tokens', 'catching up', 'handing over', 'live'] as const
/// `moving tokens`: partitions were added, and swaps go to those that their tokens belong to now. `handing over`: another process has the partition now and is getting ready; this one goes on until it is.
export type RollingState = (typeof ROLLING_STATES)[number]

export interface StatsFollower {
  /// Updates that were published together.
  onUpdates(updates: readonly StatsUpdate[]): void
  /// The follower has seen everything that was published before it began to follow.
  onCaughtUp(): void
  onReports?(reports: readonly PartitionReport[]): void
}

export interface StatsFeed {
  publish(updates: readonly StatsUpdate[]): void
  report(reports: readonly PartitionReport[]): void
  /// Returns the function that ends it.
  follow(follower: StatsFollower): () => void
  close(): Promise<void>
}
