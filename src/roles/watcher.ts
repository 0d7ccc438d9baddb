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
///
/// A second that passes changes thousands of tokens at once, because swaps leave their windows. Publishing all of
/// them in one turn would hold up the updates of those that are traded right then, so a turn publishes one piece, the
/// newest changes first; the rest waits in the backlog for the next turns.

import type { StatsUpdate } from '../core/stats.js'
import type { EpochMs } from '../core/units.js'
import { epochMs } from '../core/units.js'
import type { Clock } from '../ports/clock.js'
import type { StatsFeed } from '../ports/stats-feed.js'

/// Updates of one turn: one or two milliseconds of work.
export const PIECE_UPDATES = 128

/// What the watcher reads: the roller of one partition.
export interface StatsSource {
  takeChanged(): string[]
  update(token: string): StatsUpdate
}

export interface WatcherOptions {
  readonly source: StatsSource
  readonly feed: Pick<StatsFeed, 'publish'>
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
  readonly #feed: Pick<StatsFeed, 'publish'>
  readonly #clock: Clock
  readonly #intervalMs: number
  /// Oldest first.
  readonly #warm = new Map<string, Warm>()
  /// Tokens that may be published and wait for a turn, with the time of their newest change. Never warm.
  readonly #backlog = new Map<string, EpochMs>()
  /// Warm tokens with a change to publish.
  #waiting = 0
  #wakeAt = Number.POSITIVE_INFINITY
  #cancelWake: () => void = () => undefined
  #published = 0
  #conflated = 0
  /// How many updates this turn may publish.
  #room = Number.POSITIVE_INFINITY

  constructor(options: WatcherOptions) {
    this.#source = options.source
    this.#feed = options.feed
    this.#clock = options.clock
    this.#intervalMs = Math.ceil(1000 / options.updatesPerSecond)
  }

  /// Call after each rolled batch and after each advance of view time. The first call publishes everything that has
  /// changed, however much: when it returns the feed is complete, and the process may say that it is ready.
  changed(): void {
    const now = this.#clock.now()
    const updates: StatsUpdate[] = []
    this.#coolDown(now)
    for (const token of this.#source.takeChanged()) this.#note(token, now, updates)
    for (const [token, changedAt] of this.#backlog) {
      if (updates.length >= this.#room) break
      this.#backlog.delete(token)
      this.#take(token, changedAt, now, updates)
    }
    this.#room = PIECE_UPDATES
    this.#publish(updates)
    this.#armWake(now)
  }

  /// Publishes what is waiting without regard to rate and turns: the last act before a shutdown.
  flush(): void {
    const now = this.#clock.now()
    for (const [token, { changedAt }] of this.#warm) {
      if (changedAt !== null) this.#backlog.set(token, changedAt)
    }
    for (const token of this.#source.takeChanged()) this.#backlog.set(token, now)
    const updates = Array.from(this.#backlog, ([token, changedAt]) => this.#updateOf(token, changedAt))
    this.#warm.clear()
    this.#backlog.clear()
    this.#waiting = 0
    this.#publish(updates)
    this.#armWake(now)
  }

  counts(): WatcherCounts {
    return { published: this.#published, conflated: this.#conflated }
  }

  /// A token has changed: publishes it if it may and this turn has room, else remembers it.
  #note(token: string, now: EpochMs, updates: StatsUpdate[]): void {
    const warm = this.#warm.get(token)
    if (warm !== undefined) {
      if (warm.changedAt === null) this.#waiting++
      else this.#conflated++
      warm.changedAt = now
      return
    }
    if (this.#backlog.has(token)) this.#conflated++
    if (updates.length < this.#room) {
      this.#backlog.delete(token)
      this.#take(token, now, now, updates)
    } else {
      this.#backlog.set(token, now)
    }
  }

  /// Lets every token cool whose interval has ended; those that have changed meanwhile go to the backlog.
  #coolDown(now: EpochMs): void {
    for (const [token, { since, changedAt }] of this.#warm) {
      // A clock that was set back must not hold updates up, so an interval from the future has ended too.
      if (since <= now && now < since + this.#intervalMs) break
      this.#warm.delete(token)
      if (changedAt === null) continue
      this.#waiting--
      this.#backlog.set(token, changedAt)
    }
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

  /// One wake-up: for the backlog in the next turn, else for the oldest warm token while any of them waits.
  #armWake(now: EpochMs): void {
    const wakeAt = this.#nextWake(now)
    if (wakeAt === this.#wakeAt) return
    this.#cancelWake()
    this.#wakeAt = wakeAt
    if (wakeAt === Number.POSITIVE_INFINITY) return
    this.#cancelWake = this.#clock.at(epochMs(wakeAt), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY
      this.changed()
    })
  }

  #nextWake(now: EpochMs): number {
    if (this.#backlog.size > 0) return now
    const oldest = this.#waiting > 0 ? this.#warm.values().next().value : undefined
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.since + this.#intervalMs
  }
}
