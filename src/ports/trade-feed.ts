/// Carries swaps as they are accepted, from those who roll to every web: what is shown as it happens, and nothing that
/// is kept. Who needs all of them asks the archive.
///
/// Contract, for every adapter (test/contract/trade-feed.ts):
/// - Live: a follower gets what is published from `follow` on, in the turn in which it comes.
/// - Once and in order: of a partition each swap comes once, offsets ascending, also where replicas publish the same: one
///   at or below an offset that came already is dropped.
/// - `wants` says whether somebody follows the token's swaps, as far as this process can know: what nobody wants need not
///   be made. A swap that is published all the same does no harm.
/// - `publish` never waits for followers; a follower does its work in its callback and must not throw.

import type { EpochMs } from '../core/units.js'
import type { ArchivedSwap } from './trade-archive.js'

/// Swaps of one token that were accepted together, offsets ascending; at least one.
export interface TokenTrades {
  readonly token: string
  readonly trades: readonly ArchivedSwap[]
  /// When they were rolled, by the publisher's clock.
  readonly rolledAt: EpochMs
}

export interface TradeFollower {
  /// Whether it wants those of any token.
  readonly wantsAny: boolean
  wants(token: string): boolean
  onTrades(updates: readonly TokenTrades[]): void
}

export interface TradeFeed {
  /// Whether anybody may want any swap at all.
  readonly isFollowed: boolean
  /// Swaps that were not passed on to other processes, for want of room, since the start.
  readonly leftOut: number
  wants(token: string): boolean
  publish(updates: readonly TokenTrades[]): void
  /// Returns the function that ends it.
  follow(follower: TradeFollower): () => void
}
