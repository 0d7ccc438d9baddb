/// One client of the feeds: what it follows, its messages in order, and what it is owed.
///
/// Each client has a bounded buffer of unsent bytes. Below the soft bound a message is written in the turn of the event
/// loop in which it arose; all messages of a turn make one write. Above it the client is *behind*: nothing more is
/// written, only what it is owed is noted. When the transport has drained, the newest states are sent, so a slow reader
/// misses intermediate updates (and is told how many, by a `gap`) but never the newest state. A client that is behind
/// and takes nothing for too long is closed, as is one above the hard bound.
///
/// Two more reasons make updates wait: a maximum rate of their own, and a replay of what was missed, behind which
/// they queue up.

import type { StatsUpdate } from '../../core/stats.js'
import type { EpochMs } from '../../core/units.js'
import type { WebLimits } from '../limits.js'
import type { Rate } from '../rate.js'
import type { CloseCause } from '../wire/messages.js'
import { headText, type MessageParts, partsOf } from './parts.js'
import type { StateFollow } from './state-feed.js'
import type { TokenFollow } from './token-follow.js'
import type { TradesFollow } from './trades-feed.js'
import type { Outgoing, Transport } from './transport.js'

export type Follow = TokenFollow | TradesFollow | StateFollow

/// What a client gets when it is no longer behind.
export type Owed = 'snapshot' | 'update'

/// An update that is replayed, or waits for the end of a replay.
export interface Replayed {
  readonly follow: TokenFollow
  readonly update: StatsUpdate
  readonly position: number
}

/// Where a client comes from.
export interface ClientOrigin {
  /// Id of the API key that it came with; null without one.
  readonly keyId: string | null
  readonly address: string
}

/// Of one replay. Beyond it a client that resumes is treated as a slow reader.
export const REPLAY_MAX = 20_000

export class Client {
  readonly id: number
  readonly transport: Transport
  readonly rate: Rate
  readonly since: EpochMs
  readonly origin: ClientOrigin
  readonly tokens = new Map<string, TokenFollow>()
  readonly trades = new Map<string, TradesFollow>()
  readonly states = new Map<string, StateFollow>()
  /// In the order in which they will be sent.
  readonly owed = new Map<Follow, Owed>()
  /// Follows whose maximum rate makes a change wait.
  readonly paced = new Set<TokenFollow | TradesFollow>()
  replay: Replayed[] = []
  lastHeardAt: EpochMs
  lastPingAt: EpochMs
  /// Since when it is above the soft bound without having taken all that was sent to it.
  stuckSince: EpochMs | null = null
  closingSince: EpochMs | null = null
  readonly #limits: WebLimits
  readonly #cursorOf: (position: number) => string
  readonly #outbox: Outgoing[] = []
  /// While something waits, every update up to this position was sent; not so those above.
  #floor: number | null = null
  #outboxBytes = 0
  #seq = 0
  #skipped = 0

  constructor(
    id: number,
    transport: Transport,
    rate: Rate,
    limits: WebLimits,
    now: EpochMs,
    origin: ClientOrigin,
    cursorOf: (position: number) => string,
  ) {
    this.id = id
    this.transport = transport
    this.rate = rate
    this.origin = origin
    this.#limits = limits
    this.#cursorOf = cursorOf
    this.since = now
    this.lastHeardAt = now
    this.lastPingAt = now
  }

  get open(): boolean {
    return this.closingSince === null && this.transport.open
  }

  get messagesSent(): number {
    return this.#seq
  }

  get subscriptions(): number {
    return this.tokens.size + this.trades.size + this.states.size
  }

  get unsentBytes(): number {
    return this.transport.unsentBytes + this.#outboxBytes
  }

  get overSoftBound(): boolean {
    return this.unsentBytes > this.#limits.unsentSoftBytes
  }

  get overHardBound(): boolean {
    return this.unsentBytes > this.#limits.unsentHardBytes
  }

  /// Whether messages about states must wait: some already do, or too much is unsent.
  get behind(): boolean {
    return this.owed.size > 0 || this.replay.length > 0 || this.overSoftBound
  }

  /// Puts a message into this turn's write. `position` of an update makes its cursor.
  push({ type, tail }: MessageParts, position: number | null = null): void {
    if (!this.open) return
    const cursor = position === null ? null : this.#cursorOf(Math.min(position, this.#floor ?? position))
    const head = headText(type, ++this.#seq, cursor)
    this.#outbox.push({ type, head, tail, cursor })
    this.#outboxBytes += head.length + tail.length
  }

  /// Writes what was put.
  flush(): void {
    if (this.#outbox.length === 0) return
    if (this.transport.open) this.transport.write(this.#outbox)
    this.#outbox.length = 0
    this.#outboxBytes = 0
  }

  /// The newest state of a follow is to be sent later. Says whether that replaces an unsent update.
  owe(follow: Follow, what: Owed, position: number | null): boolean {
    const before = this.owed.get(follow)
    if (before !== 'snapshot') this.owed.set(follow, what)
    if (position !== null) this.#hold(position)
    // Swaps are kept for the client, not replaced.
    const replaces = before === 'update' && what === 'update' && follow.channel !== 'trades'
    if (replaces) this.#skipped++
    return replaces
  }

  /// An update waits until its follow may send again.
  pace(follow: TokenFollow | TradesFollow, position: number): void {
    this.paced.add(follow)
    this.#hold(position)
  }

  /// Queues an update behind a replay; false when the queue is full.
  queue(replayed: Replayed): boolean {
    if (this.replay.length >= REPLAY_MAX) return false
    this.replay.push(replayed)
    return true
  }

  /// Sends what is replayed, then what is owed, as far as the soft bound allows. `send` puts one newest state.
  catchUp(replayed: (one: Replayed) => void, send: (follow: Follow, what: Owed) => void): void {
    this.#catchUpReplay(replayed)
    if (this.replay.length === 0 && this.owed.size > 0 && !this.overSoftBound) {
      if (this.#skipped > 0) {
        this.push(partsOf('gap', { reason: 'slowReader', skipped: this.#skipped, tokens: null }))
        this.#skipped = 0
      }
      for (const [follow, what] of this.owed) {
        if (this.overSoftBound) break
        this.owed.delete(follow)
        send(follow, what)
      }
    }
    this.settle()
  }

  /// Everything was sent when nothing waits any more: cursors may move on.
  settle(): void {
    if (this.owed.size === 0 && this.paced.size === 0 && this.replay.length === 0) this.#floor = null
  }

  close(cause: CloseCause, now: EpochMs): void {
    if (this.closingSince !== null) return
    this.flush()
    this.closingSince = now
    this.owed.clear()
    this.paced.clear()
    this.replay = []
    this.transport.close(cause, this.#seq + 1)
  }

  #catchUpReplay(send: (one: Replayed) => void): void {
    let done = 0
    for (const one of this.replay) {
      if (this.overSoftBound) break
      done++
      if (this.tokens.get(one.follow.token) === one.follow) send(one)
    }
    if (done === 0) return
    this.replay = done === this.replay.length ? [] : this.replay.slice(done)
  }

  #hold(position: number): void {
    this.#floor = Math.min(this.#floor ?? position - 1, position - 1)
  }
}
