/// The feed of token statistics: each update goes to those who follow its token, encoded once per shape, in the turn of
/// the event loop in which it came. A token that nobody follows costs one look-up.

import type { StatsUpdate } from '../../core/stats.js'
import type { EpochMs } from '../../core/units.js'
import { selectionFor } from '../selection.js'
import type { ReadableTokens } from '../token-table.js'
import type { PlacedWindow } from '../wire/metrics.js'
import type { TokenSubscription } from '../wire/requests.js'
import { type Client, REPLAY_MAX, type Replayed } from './client.js'
import type { Cursors } from './cursors.js'
import type { History, HistoryRecord } from './history.js'
import { mayGo, type Pacing } from './pacing.js'
import { partsOf } from './parts.js'
import { Followers, Shape, type TokenFollow } from './token-follow.js'

/// Shapes that are kept without looking for unused ones.
const SHAPES_MIN = 64

export interface TokenFeedOptions {
  readonly windows: readonly PlacedWindow[]
  readonly tokens: ReadableTokens
  readonly history: History
  readonly pacing: Pacing
  readonly cursors: Cursors
}

/// What of a subscription is the same for all its tokens.
export interface TokenPlan {
  readonly tokens: readonly string[]
  readonly shape: Shape
  readonly intervalMs: number
}

type Missed =
  | { readonly records: readonly HistoryRecord[] }
  | { readonly gap: 'cursorExpired' | 'cursorUnknown' }

export class TokenFeed {
  readonly #options: TokenFeedOptions
  readonly #followers = new Followers<TokenFollow>(client => client.tokens)
  /// By what they say; let go of when nobody follows in them any more.
  readonly #shapes = new Map<string, WeakRef<Shape>>()
  #conflated = 0
  #pruneShapesAt = SHAPES_MIN

  constructor(options: TokenFeedOptions) {
    this.#options = options
  }

  get conflated(): number {
    return this.#conflated
  }

  /// Throws ProblemError naming `windows` when there is no such window.
  plan(subscription: Omit<TokenSubscription, 'channel'>): TokenPlan {
    const { tokens, mode, maxRate } = subscription
    const selection = selectionFor(subscription, this.#options.windows)
    return {
      tokens: [...new Set(tokens)],
      shape: this.#shapeOf(selection, mode === 'delta'),
      intervalMs: maxRate === undefined ? 0 : Math.ceil(1000 / maxRate),
    }
  }

  /// The client follows the plans' tokens, and is sent what it missed since the cursor, else owed snapshots.
  follow(client: Client, plans: readonly TokenPlan[], cursor: string | null): void {
    const { history } = this.#options
    const missed: Replayed[] = []
    const expired: string[] = []
    let unknown = false
    for (const { tokens, shape, intervalMs } of plans) {
      for (const token of tokens) {
        const follow: TokenFollow = {
          channel: 'token',
          client,
          token,
          shape,
          intervalMs,
          base: null,
          sentAt: null,
        }
        const since = cursor === null ? null : this.#missedOf(token, cursor)
        history.follow(token)
        this.#followers.add(follow)
        if (since === null) client.owe(follow, 'snapshot', null)
        else if ('gap' in since) {
          unknown ||= since.gap === 'cursorUnknown'
          expired.push(token)
          client.owe(follow, 'snapshot', null)
        } else {
          for (const { position, update } of thinned(since.records, intervalMs)) {
            missed.push({ follow, update, position })
          }
        }
      }
    }
    if (missed.length + client.replay.length > REPLAY_MAX) {
      for (const { follow } of missed) {
        if (!client.owed.has(follow)) expired.push(follow.token)
        client.owe(follow, 'snapshot', null)
      }
    } else {
      missed.sort((a, b) => a.position - b.position)
      for (const one of missed) client.queue(one)
    }
    if (expired.length === 0) return
    const reason = unknown ? 'cursorUnknown' : 'cursorExpired'
    client.push(partsOf('gap', { reason, skipped: null, tokens: expired }))
  }

  unfollow(client: Client, tokens: Iterable<string>, now: EpochMs): void {
    for (const token of tokens) {
      this.#followers.delete(client, token)
      if (this.#followers.of(token) === undefined) this.#options.history.leave(token, now)
    }
    client.settle()
  }

  forget(client: Client, now: EpochMs): void {
    this.unfollow(client, [...client.tokens.keys()], now)
  }

  /// Sends the updates, or notes them for those who must wait: all of them while `held`. Who was sent something is added
  /// to `touched`, to be flushed. Returns how many messages that made.
  publish(updates: readonly StatsUpdate[], now: EpochMs, held: boolean, touched: Set<Client>): number {
    let sent = 0
    for (const update of updates) {
      const position = this.#options.history.record(update, now)
      const follows = this.#followers.of(update.token)
      if (follows === undefined) continue
      for (const follow of follows) {
        if (this.#deliver(follow, update, position, now, held, touched)) sent++
      }
    }
    return sent
  }

  /// Puts the newest state of the follow's token.
  sendNewest(follow: TokenFollow, type: 'snapshot' | 'update', now: EpochMs): void {
    const stats = this.#options.tokens.get(follow.token)
    const base = type === 'update' ? follow.base : null
    const parts = follow.shape.message(type, follow.token, stats, base, now)
    follow.client.push(parts, this.#options.history.position)
    this.#sent(follow, stats, now)
  }

  /// Puts an update that was missed.
  sendMissed({ follow, update, position }: Replayed, now: EpochMs): void {
    follow.client.push(follow.shape.message('update', follow.token, update, follow.base, now), position)
    this.#sent(follow, update, now)
  }

  #deliver(
    follow: TokenFollow,
    update: StatsUpdate,
    position: number,
    now: EpochMs,
    held: boolean,
    touched: Set<Client>,
  ): boolean {
    const { client } = follow
    if (!client.open) return false
    // What is owed comes after the replay, so an update of it must not come with the replay.
    const queues = client.replay.length > 0 && !client.owed.has(follow)
    if (queues && client.queue({ follow, update, position })) return false
    if (held || client.behind) {
      if (client.owe(follow, 'update', position)) this.#conflated++
      return false
    }
    if (!mayGo(follow, now)) {
      this.#options.pacing.wait(follow, position)
      return false
    }
    // What waited for its rate is older.
    client.paced.delete(follow)
    client.push(follow.shape.message('update', follow.token, update, follow.base, now), position)
    this.#sent(follow, update, now)
    touched.add(client)
    return true
  }

  #sent(follow: TokenFollow, update: StatsUpdate | undefined, now: EpochMs): void {
    if (follow.shape.delta) follow.base = update === undefined || update.cells === null ? null : update
    if (follow.intervalMs > 0) follow.sentAt = now
  }

  #missedOf(token: string, cursor: string): Missed {
    const { cursors, history } = this.#options
    const position = cursors.positionOf(cursor)
    if (position === null) return { gap: 'cursorUnknown' }
    const records = history.since(token, position)
    return records === null ? { gap: 'cursorExpired' } : { records }
  }

  #shapeOf(selection: Shape['selection'], delta: boolean): Shape {
    const { fields, windows } = selection
    const key = JSON.stringify([delta, fields, windows.map(({ name }) => name)])
    const known = this.#shapes.get(key)?.deref()
    if (known !== undefined) return known
    if (this.#shapes.size >= this.#pruneShapesAt) this.#pruneShapes()
    const shape = new Shape(selection, delta)
    this.#shapes.set(key, new WeakRef(shape))
    return shape
  }

  /// Each time twice as many as were in use have come together, so that a shape costs the same however many there are.
  #pruneShapes(): void {
    for (const [key, shape] of this.#shapes) if (shape.deref() === undefined) this.#shapes.delete(key)
    this.#pruneShapesAt = Math.max(SHAPES_MIN, 2 * this.#shapes.size)
  }
}

/// Not more than one per interval, the last one always.
function thinned(records: readonly HistoryRecord[], intervalMs: number): readonly HistoryRecord[] {
  if (intervalMs === 0) return records
  let lastAt = Number.NEGATIVE_INFINITY
  return records.filter(({ at }, i) => {
    if (at - lastAt < intervalMs && i < records.length - 1) return false
    lastAt = at
    return true
  })
}
