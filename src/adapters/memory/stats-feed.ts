/// The stats feed within one process. Publishing calls the followers directly: an update costs one map entry and one
/// call per follower, and nothing is queued here.

import { compareVersions, type StatsUpdate } from '../../core/stats.js'
import type { StatsFeed, StatsFollower } from '../../ports/stats-feed.js'

export class MemoryStatsFeed implements StatsFeed {
  readonly #kept = new Map<string, StatsUpdate>()
  #followers: readonly StatsFollower[] = []
  /// Updates that followers publish while updates are handed out, so that everybody sees them in one order.
  #queue: (readonly StatsUpdate[])[] = []
  #handingOut = false

  publish(updates: readonly StatsUpdate[]): void {
    this.#queue.push(updates)
    if (this.#handingOut) return
    this.#handingOut = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#handOut(next)
    } finally {
      this.#handingOut = false
    }
  }

  /// A follower that begins inside another's callback gets what is being handed out as kept updates.
  follow(follower: StatsFollower): () => void {
    const kept = [...this.#kept.values()].filter(update => update.cells !== null)
    if (kept.length > 0) follower.onUpdates(kept)
    follower.onCaughtUp()
    this.#followers = [...this.#followers, follower]
    return () => {
      this.#followers = this.#followers.filter(other => other !== follower)
    }
  }

  async close(): Promise<void> {
    this.#followers = []
    this.#kept.clear()
  }

  #handOut(updates: readonly StatsUpdate[]): void {
    const fresh = updates.filter(update => this.#keep(update))
    if (fresh.length === 0) return
    for (const follower of this.#followers) follower.onUpdates(fresh)
  }

  /// False for an update that is not newer than the kept one.
  #keep(update: StatsUpdate): boolean {
    const kept = this.#kept.get(update.token)
    if (kept !== undefined && kept.partition === update.partition && compareVersions(update, kept) <= 0) return false
    this.#kept.set(update.token, update)
    return true
  }
}
