/// The stats feed within one process. Publishing calls the followers directly: an update costs one map entry and one
/// call per follower, and nothing is queued here.
///
/// A token that is gone leaves nothing behind, so memory is that of the tokens there are. An update older than the
/// going would bring it back; within one process a token has one publisher, whose versions ascend.

import { compareVersions, type StatsUpdate } from '../../core/stats.js'
import type { PartitionReport, StatsFeed, StatsFollower } from '../../ports/stats-feed.js'

export class MemoryStatsFeed implements StatsFeed {
  readonly #kept = new Map<string, StatsUpdate>()
  /// The last one of each replica set and partition.
  readonly #reports = new Map<string, PartitionReport>()
  #followers: readonly StatsFollower[] = []
  /// What followers publish in their callbacks waits here, so that all of them see updates in one order.
  readonly #homeOf: (token: string) => number | null
  #queue: (readonly StatsUpdate[])[] = []
  #handingOut = false

  /// `homeOf`: the partition that the token belongs to; null where there is but one publisher of a token. When partitions are added tokens
  /// move, and once their new one has published them, the former one's updates are of no use.
  constructor(homeOf: (token: string) => number | null = () => null) {
    this.#homeOf = homeOf
  }

  publish(updates: readonly StatsUpdate[]): void {
    this.#queue.push(updates)
    this.#handOutAfter(() => {})
  }

  report(reports: readonly PartitionReport[]): void {
    for (const report of reports) this.#reports.set(`${report.replica}/${report.partition}`, report)
    for (const follower of this.#followers) follower.onReports?.(reports)
  }

  /// The newest update of the token; undefined where there is none.
  newest(token: string): StatsUpdate | undefined {
    return this.#kept.get(token)
  }

  /// Whether the update is to take the place of the one that is known.
  supersedes(update: StatsUpdate, known: StatsUpdate): boolean {
    if (update.partition === known.partition) return compareVersions(update, known) > 0
    return known.partition !== this.#homeOf(known.token)
  }

  follow(follower: StatsFollower): () => void {
    this.#handOutAfter(() => {
      if (this.#reports.size > 0) follower.onReports?.([...this.#reports.values()])
      const kept = [...this.#kept.values()]
      if (kept.length > 0) follower.onUpdates(kept)
      follower.onCaughtUp()
      // Updates that are being handed out right now go to the list as it was, and were among the kept ones.
      this.#followers = [...this.#followers, follower]
    })
    return () => {
      this.#followers = this.#followers.filter(other => other !== follower)
    }
  }

  async close(): Promise<void> {
    this.#followers = []
    this.#kept.clear()
  }

  #handOutAfter(first: () => void): void {
    const nested = this.#handingOut
    this.#handingOut = true
    try {
      first()
      if (nested) return
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#handOut(next)
    } finally {
      this.#handingOut = nested
    }
  }

  #handOut(updates: readonly StatsUpdate[]): void {
    const fresh = updates.filter(update => this.#keep(update))
    if (fresh.length === 0) return
    for (const follower of this.#followers) {
      // Another's callback may have ended it.
      if (this.#followers.includes(follower)) follower.onUpdates(fresh)
    }
  }

  /// False for an update that is not newer than the kept one.
  #keep(update: StatsUpdate): boolean {
    const kept = this.#kept.get(update.token)
    if (kept === undefined && update.cells === null) return false
    if (kept !== undefined && !this.supersedes(update, kept)) return false
    if (update.cells === null) this.#kept.delete(update.token)
    else this.#kept.set(update.token, update)
    return true
  }
}
