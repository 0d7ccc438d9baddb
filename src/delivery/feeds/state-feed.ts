/// A feed of one state that many follow: a ranking, the totals, the status. Followers that ask for the same share it:
/// its state is computed once per interval, and each of its messages is encoded once.

import type { EpochMs } from '../../core/units.js'
import type { Client } from './client.js'
import type { MessageParts } from './parts.js'

/// Computes and encodes. A source lives for as long as it has followers.
export interface StateSource {
  /// Takes in the newest state; false when it is what it was.
  refresh(): boolean
  /// False before there is a first state.
  readonly ready: boolean
  /// The whole state, without the head.
  whole(type: 'snapshot' | 'update', name: string, sent: EpochMs): MessageParts
  /// What changed with the last refresh, in the feed's mode.
  change(name: string, sent: EpochMs): MessageParts
  close(): void
}

/// One client's interest in one state.
export interface StateFollow {
  readonly channel: 'state'
  readonly client: Client
  readonly feed: StateFeed
  /// Of the client: its key among the client's states, and a ranking's name.
  readonly key: string
  readonly name: string
  /// Whether it had its snapshot, or is owed it: changes make sense only after that.
  introduced: boolean
}

export class StateFeed {
  readonly key: string
  readonly source: StateSource
  readonly follows = new Set<StateFollow>()
  readonly #intervalMs: number
  #dueAt: EpochMs | number = 0

  constructor(key: string, source: StateSource, intervalMs: number) {
    this.key = key
    this.source = source
    this.#intervalMs = intervalMs
  }

  /// Whether followers are to be told of a change. A clock that was set back does not hold it up.
  tick(now: EpochMs): boolean {
    if (now < this.#dueAt && this.#dueAt - now <= this.#intervalMs) return false
    if (!this.source.refresh()) return false
    this.#dueAt = now + this.#intervalMs
    return true
  }

  /// Gives each follower the change. Names differ, the rest is shared.
  publish(now: EpochMs, send: (follow: StateFollow, parts: MessageParts) => void): void {
    const byName = new Map<string, MessageParts>()
    for (const follow of this.follows) {
      if (!follow.introduced) {
        follow.introduced = true
        send(follow, this.source.whole('snapshot', follow.name, now))
        continue
      }
      let parts = byName.get(follow.name)
      if (parts === undefined) {
        parts = this.source.change(follow.name, now)
        byName.set(follow.name, parts)
      }
      send(follow, parts)
    }
  }
}
