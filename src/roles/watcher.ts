/// The watcher: takes the tokens that changed from the roller and publishes their statistics, at once, but each
/// token at most `updatesPerSecond` times a second.
///
/// The first change of a quiet token is published in the same turn of the event loop. For one interval the token is
/// then warm: further changes are only remembered, and one update leaves when the interval ends, with the statistics
/// of that moment. Nothing is computed for an update that is never sent.
///
/// All intervals have the same length, so warm tokens cool in the order in which they were published: one queue and
/// one wake-up serve every token. A Map in order of insertion is that queue; it holds only tokens published within
/// the last interval, so its size is bounded by the tokens that can change in one.

import type { StatsUpdate } from '../core/stats.js'
import type { EpochMs } from '../core/units.js'
import { epochMs } from '../core/units.js'
import type { Clock } from '../ports/clock.js'
import type { StatsFeed } from '../ports/stats-feed.js'

/// What the watcher reads: the roller of one partition.
export interface StatsSource {
  takeChanged(): string[]
  update(token: string): StatsUpdate
}

export interface WatcherOptions {
  readonly source: StatsSource
  readonly feed: StatsFeed
  readonly clock: Clock
  /// Per token; at most 1000.
  readonly updatesPerSecond: number
}

export interface WatcherCounts {
  readonly published: number
  /// Changes that were carried by a later update of their token.
  readonly conflated: number
}

interface Warm {
  readonly since: EpochMs
  /// When the newest change was rolled; null when nothing has changed since the last update.
  changedAt: EpochMs | null
}

export class Watcher {
  readonly #source: StatsSource
  readonly #feed: StatsFeed
  readonly #clock: Clock
  readonly #intervalMs: number
  /// Oldest first.
  readonly #warm = new Map<string, Warm>()
  /// Warm tokens with a change to publish.
  #waiting = 0
  #cancelWake: (() => void) | null = null
  #published = 0
  #conflated = 0

  constructor(options: WatcherOptions) {
    this.#source = options.source
    this.#feed = options.feed
    this.#clock = options.clock
    this.#intervalMs = Math.ceil(1000 / options.updatesPerSecond)
  }

  /// Call after each rolled batch and after each advance of view time.
  changed(): void {
    const now = this.#clock.now()
    const updates: StatsUpdate[] = []
    this.#coolDown(now, updates)
    for (const token of this.#source.takeChanged()) {
      const warm = this.#warm.get(token)
      if (warm === undefined) {
        this.#take(token, now, now, updates)
        continue
      }
      if (warm.changedAt === null) this.#waiting++
      else this.#conflated++
      warm.changedAt = now
    }
    this.#publish(updates)
    this.#armWake()
  }

  /// Publishes what is waiting without regard to the rate: the last act before a shutdown.
  flush(): void {
    const now = this.#clock.now()
    const updates: StatsUpdate[] = []
    for (const [token, { changedAt }] of this.#warm) {
      if (changedAt !== null) updates.push(this.#updateOf(token, changedAt))
    }
    for (const token of this.#source.takeChanged()) updates.push(this.#updateOf(token, now))
    this.#warm.clear()
    this.#waiting = 0
    this.#cancelWake?.()
    this.#cancelWake = null
    this.#publish(updates)
  }

  counts(): WatcherCounts {
    return { published: this.#published, conflated: this.#conflated }
  }

  /// Lets every token cool whose interval has ended, and takes the updates that waited for it.
  #coolDown(now: EpochMs, updates: StatsUpdate[]): void {
    const due: [string, EpochMs][] = []
    for (const [token, { since, changedAt }] of this.#warm) {
      // A clock that was set back must not hold updates up, so an interval from the future has ended too.
      if (since <= now && now < since + this.#intervalMs) break
      this.#warm.delete(token)
      if (changedAt === null) continue
      this.#waiting--
      due.push([token, changedAt])
    }
    for (const [token, changedAt] of due) this.#take(token, changedAt, now, updates)
  }

  #take(token: string, changedAt: EpochMs, now: EpochMs, updates: StatsUpdate[]): void {
    updates.push(this.#updateOf(token, changedAt))
    this.#warm.set(token, { since: now, changedAt: null })
  }

  #updateOf(token: string, rolledAt: EpochMs): StatsUpdate {
    return { ...this.#source.update(token), rolledAt }
  }

  #publish(updates: readonly StatsUpdate[]): void {
    if (updates.length === 0) return
    this.#published += updates.length
    this.#feed.publish(updates)
  }

  /// One wake-up, for the oldest warm token, and only while something waits.
  #armWake(): void {
    if (this.#waiting === 0 || this.#cancelWake !== null) return
    const oldest = this.#warm.values().next().value
    if (oldest === undefined) return
    this.#cancelWake = this.#clock.at(epochMs(oldest.since + this.#intervalMs), () => {
      this.#cancelWake = null
      this.changed()
    })
  }
}
