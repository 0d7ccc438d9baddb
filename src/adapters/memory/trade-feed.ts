/// Accepted swaps within one process: publishing calls the followers directly, and nothing is queued.

import type { TokenTrades, TradeFeed, TradeFollower } from '../../ports/trade-feed.js'

export class MemoryTradeFeed implements TradeFeed {
  /// There are no other processes.
  readonly leftOut = 0
  #followers: readonly TradeFollower[] = []
  /// The highest offset that came, by partition.
  readonly #seen = new Map<number, number>()

  get isFollowed(): boolean {
    return this.#followers.some(follower => follower.wantsAny)
  }

  wants(token: string): boolean {
    return this.#followers.some(follower => follower.wants(token))
  }

  publish(updates: readonly TokenTrades[]): void {
    const fresh: TokenTrades[] = []
    // What was published together is new together: offsets of several tokens interleave.
    const before = new Map(this.#seen)
    for (const update of updates) {
      const trades = update.trades.filter(({ partition, offset }) => offset > (before.get(partition) ?? -1))
      for (const { partition, offset } of trades) {
        this.#seen.set(partition, Math.max(offset, this.#seen.get(partition) ?? -1))
      }
      if (trades.length > 0)
        fresh.push(trades.length === update.trades.length ? update : { ...update, trades })
    }
    if (fresh.length === 0) return
    for (const follower of this.#followers) follower.onTrades(fresh)
  }

  follow(follower: TradeFollower): () => void {
    this.#followers = [...this.#followers, follower]
    return () => {
      this.#followers = this.#followers.filter(other => other !== follower)
    }
  }
}
