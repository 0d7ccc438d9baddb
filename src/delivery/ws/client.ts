/// One WebSocket connection: its subscriptions, its messages in order, and what it is owed.
///
/// Each connection has a bounded buffer of unsent bytes. Below the soft bound a message is written at once, in the
/// turn of the event loop in which it arose. Above it the client is *behind*: nothing more is written, only the
/// names of the tokens that it is owed are kept. When the socket has drained, the newest statistics of those tokens
/// are sent, so a slow reader misses intermediate updates (and is told how many, by a `gap`) but never the newest
/// state. A client that is behind and takes nothing for too long is closed, as is one above the hard bound.

import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { EpochMs } from '../../core/units.js'
import type { WebLimits } from '../limits.js'
import type { Rate } from '../rate.js'
import { CLOSE_CODES, type MessageParts, messageBytes, partsOf } from '../wire/messages.js'

/// What a client gets when it is no longer behind.
export type Owed = 'snapshot' | 'update'

export type CloseCause = keyof typeof CLOSE_CODES

export class Client {
  readonly id: number
  readonly ws: WebSocket
  readonly socket: Duplex
  readonly rate: Rate
  readonly subscriptions = new Set<string>()
  /// In the order in which they will be sent.
  readonly owed = new Map<string, Owed>()
  lastHeardAt: EpochMs
  lastPingAt: EpochMs
  /// Since when it is above the soft bound without having taken all that was sent to it.
  stuckSince: EpochMs | null = null
  closingSince: EpochMs | null = null
  readonly #limits: WebLimits
  #seq = 0
  #skipped = 0

  constructor(id: number, ws: WebSocket, socket: Duplex, rate: Rate, limits: WebLimits, now: EpochMs) {
    this.id = id
    this.ws = ws
    this.socket = socket
    this.rate = rate
    this.#limits = limits
    this.lastHeardAt = now
    this.lastPingAt = now
  }

  get open(): boolean {
    return this.closingSince === null && this.ws.readyState === this.ws.OPEN
  }

  get messagesSent(): number {
    return this.#seq
  }

  get overSoftBound(): boolean {
    return this.ws.bufferedAmount > this.#limits.unsentSoftBytes
  }

  get overHardBound(): boolean {
    return this.ws.bufferedAmount > this.#limits.unsentHardBytes
  }

  /// Whether messages about tokens must wait: some already do, or too much is unsent.
  get behind(): boolean {
    return this.owed.size > 0 || this.overSoftBound
  }

  send(parts: MessageParts): void {
    if (this.open) this.ws.send(messageBytes(parts, ++this.#seq), TEXT, ignoreSendError)
  }

  /// Remembers that the token's newest statistics are to be sent. Says whether that replaces an unsent update.
  owe(token: string, what: Owed): boolean {
    const before = this.owed.get(token)
    if (before !== 'snapshot') this.owed.set(token, what)
    const replaces = before === 'update' && what === 'update'
    if (replaces) this.#skipped++
    return replaces
  }

  /// Sends what is owed, as far as the soft bound allows. `statsOf` makes a token's message.
  catchUp(statsOf: (token: string, what: Owed) => MessageParts): void {
    if (this.owed.size === 0 || this.overSoftBound) return
    this.socket.cork()
    if (this.#skipped > 0) {
      this.send(partsOf('gap', { reason: 'slowReader', skipped: this.#skipped }))
      this.#skipped = 0
    }
    for (const [token, what] of this.owed) {
      if (this.overSoftBound) break
      this.owed.delete(token)
      this.send(statsOf(token, what))
    }
    this.socket.uncork()
  }

  close(cause: CloseCause, now: EpochMs): void {
    if (this.closingSince !== null) return
    this.closingSince = now
    this.owed.clear()
    const { code, reason } = CLOSE_CODES[cause]
    this.ws.close(code, reason)
  }

  /// Unsubscribes nothing and says nothing: the peer is gone, or does not answer the close.
  terminate(): void {
    this.ws.terminate()
  }
}

const TEXT = { binary: false, compress: false, fin: true }

/// A connection that breaks while something is being sent is closed by its `close` event.
function ignoreSendError(): void {}
