/// Carries the watchers' output to every web: the newest statistics of each token.
///
/// Contract, for every adapter (test/contract/stats-feed.ts):
/// - Compacted: for each token the feed keeps the newest update; an update that is not newer than the kept one
///   (compareVersions) is dropped, so publishing is idempotent and replicas may publish the same.
/// - A follower first gets the kept update of every token, then `onCaughtUp` once, then what comes, each token's
///   versions ascending. Nothing published after `follow` is missed.
/// - A TokenGone update removes the token; followers get it.
/// - `publish` never waits for followers; a follower does its work in its callback and must not throw.

import type { StatsUpdate } from '../core/stats.js'

export interface StatsFollower {
  /// Updates that were published together.
  onUpdates(updates: readonly StatsUpdate[]): void
  /// The follower has seen everything that was published before it began to follow.
  onCaughtUp(): void
}

export interface StatsFeed {
  publish(updates: readonly StatsUpdate[]): void
  /// Returns the function that ends it.
  follow(follower: StatsFollower): () => void
  close(): Promise<void>
}
