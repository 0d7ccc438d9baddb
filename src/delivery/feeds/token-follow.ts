/// Who follows which token, and in which shape.

import type { StatsUpdate, TokenStats } from '../../core/stats.js'
import type { EpochMs } from '../../core/units.js'
import { encodeChanges, encodeSelection, type Selection } from '../wire/stats.js'
import type { Client } from './client.js'
import { type MessageParts, timesOf, tokenParts } from './parts.js'
import type { TradesFollow } from './trades-feed.js'

/// What messages about a token look like. Follows of the same selection and mode share one, and with it the bytes of
/// each message: the last one that was made is at hand for the next follower.
export class Shape {
  readonly selection: Selection
  readonly delta: boolean
  #update: StatsUpdate | null = null
  #base: TokenStats | null = null
  #type: 'snapshot' | 'update' = 'snapshot'
  #sent = 0
  #parts: MessageParts | null = null

  constructor(selection: Selection, delta: boolean) {
    this.selection = selection
    this.delta = delta
  }

  /// `base` is what the client has; null when it has nothing or that does not matter.
  message(
    type: 'snapshot' | 'update',
    token: string,
    update: StatsUpdate | undefined,
    base: TokenStats | null,
    sent: EpochMs,
  ): MessageParts {
    if (
      this.#parts !== null &&
      update !== undefined &&
      this.#update === update &&
      this.#base === base &&
      this.#type === type &&
      this.#sent === sent
    ) {
      return this.#parts
    }
    const parts = tokenParts(type, token, this.#text(update, base), timesOf(update, sent))
    this.#update = update ?? null
    this.#base = base
    this.#type = type
    this.#sent = sent
    this.#parts = parts
    return parts
  }

  #text(update: StatsUpdate | undefined, base: TokenStats | null): string {
    if (update === undefined || update.cells === null) return 'null'
    return base === null
      ? encodeSelection(update, this.selection)
      : encodeChanges(base, update, this.selection)
  }
}

/// One client's interest in one token.
export interface TokenFollow {
  readonly channel: 'token'
  readonly client: Client
  readonly token: string
  readonly shape: Shape
  /// The least time between two updates; 0 for no limit of its own.
  readonly intervalMs: number
  /// In delta mode, what the client has.
  base: TokenStats | null
  sentAt: EpochMs | null
}

/// Both directions of the same relation, kept together.
export class Followers<F extends TokenFollow | TradesFollow> {
  readonly #byToken = new Map<string, Set<F>>()
  /// What a client follows, by token.
  readonly #ofClient: (client: Client) => Map<string, F>

  constructor(ofClient: (client: Client) => Map<string, F>) {
    this.#ofClient = ofClient
  }

  /// Tokens that are followed.
  get size(): number {
    return this.#byToken.size
  }

  of(token: string): ReadonlySet<F> | undefined {
    return this.#byToken.get(token)
  }

  add(follow: F): void {
    this.delete(follow.client, follow.token)
    this.#ofClient(follow.client).set(follow.token, follow)
    const follows = this.#byToken.get(follow.token)
    if (follows === undefined) this.#byToken.set(follow.token, new Set([follow]))
    else follows.add(follow)
  }

  delete(client: Client, token: string): void {
    const follows = this.#ofClient(client)
    const follow = follows.get(token)
    if (follow === undefined) return
    follows.delete(token)
    client.owed.delete(follow)
    client.paced.delete(follow)
    const others = this.#byToken.get(token)
    others?.delete(follow)
    if (others?.size === 0) this.#byToken.delete(token)
  }
}
