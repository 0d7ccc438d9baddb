/// The feed of swaps as they are accepted: each goes to those who follow its token, once, in the order of the log, encoded
/// once for all of them.
///
/// Swaps are not conflated: a newer one does not replace an older one. What a client is owed while it is slow, over its
/// rate or away is read from the history when it can be sent; where the history does not reach back that far, a `gap` says
/// so, and the newest ones follow.

import type { EpochMs } from '../../core/units.js'
import type { ArchivedSwap } from '../../ports/trade-archive.js'
import type { TokenTrades } from '../../ports/trade-feed.js'
import { tradeJson } from '../wire/archive.js'
import type { TradesSubscription } from '../wire/requests.js'
import type { Client, Owed } from './client.js'
import type { Cursors } from './cursors.js'
import type { History, HistoryRecord } from './history.js'
import { mayGo, type Pacing } from './pacing.js'
import { type MessageParts, partsOf, timesText } from './parts.js'
import { Followers } from './token-follow.js'

/// Swaps of one message.
export const TRADES_PER_MESSAGE_MAX = 100
/// Swaps of a snapshot.
const SNAPSHOT_TRADES = 50

/// One client's interest in the swaps of one token.
export interface TradesFollow {
  readonly channel: 'trades'
  readonly client: Client
  readonly token: string
  readonly intervalMs: number
  /// Everything up to it was sent.
  position: number
  sentAt: EpochMs | null
}

export interface TradesPlan {
  readonly tokens: readonly string[]
  readonly intervalMs: number
}

export interface TradesFeedOptions {
  readonly history: History
  readonly pacing: Pacing
  readonly cursors: Cursors
}

type Record = HistoryRecord<'trades'>

export class TradesFeed {
  readonly #options: TradesFeedOptions
  readonly #followers = new Followers<TradesFollow>(client => client.trades)
  /// The message of a record, for all who get it in the same turn.
  #encoded: {
    readonly update: TokenTrades
    readonly sent: EpochMs
    readonly parts: readonly MessageParts[]
  } | null = null

  constructor(options: TradesFeedOptions) {
    this.#options = options
  }

  /// Whether somebody follows the token's swaps.
  isFollowed(token: string): boolean {
    return this.#followers.of(token) !== undefined
  }

  /// Tokens whose swaps somebody follows.
  get tokens(): number {
    return this.#followers.size
  }

  plan({ tokens, maxRate }: TradesSubscription): TradesPlan {
    return {
      tokens: [...new Set(tokens)],
      intervalMs: maxRate === undefined ? 0 : Math.ceil(1000 / maxRate),
    }
  }

  /// The client follows the plans' tokens, and is owed what it missed since the cursor, else snapshots.
  follow(client: Client, plans: readonly TradesPlan[], cursor: string | null): void {
    const { history, cursors } = this.#options
    const expired: string[] = []
    const since = cursor === null ? null : cursors.positionOf(cursor)
    for (const { tokens, intervalMs } of plans) {
      for (const token of tokens) {
        const missed = since === null ? null : history.tradesSince(token, since)
        const position = missed === null || since === null ? history.position : since
        history.follow(token, 'trades')
        const follow: TradesFollow = { channel: 'trades', client, token, intervalMs, position, sentAt: null }
        this.#followers.add(follow)
        const first = missed?.[0]
        if (missed === null) {
          if (cursor !== null) expired.push(token)
          client.owe(follow, 'snapshot', null)
        } else if (first !== undefined) client.owe(follow, 'update', first.position)
      }
    }
    if (expired.length === 0) return
    const reason = since === null ? 'cursorUnknown' : 'cursorExpired'
    client.push(partsOf('gap', { reason, skipped: null, tokens: expired }))
  }

  unfollow(client: Client, tokens: Iterable<string>, now: EpochMs): void {
    for (const token of tokens) {
      this.#followers.delete(client, token)
      if (!this.isFollowed(token)) this.#options.history.leave(token, now, 'trades')
    }
    client.settle()
  }

  forget(client: Client, now: EpochMs): void {
    this.unfollow(client, [...client.trades.keys()], now)
  }

  /// Sends the swaps, or notes them for those who must wait: all of them while `held`. Who was sent something is added to
  /// `touched`. Returns how many messages that made.
  publish(updates: readonly TokenTrades[], now: EpochMs, held: boolean, touched: Set<Client>): number {
    const { history, pacing } = this.#options
    let sent = 0
    for (const update of updates) {
      const position = history.recordTrades(update, now)
      for (const follow of this.#followers.of(update.token) ?? []) {
        const { client } = follow
        if (!client.open) continue
        if (held || client.behind) client.owe(follow, 'update', position)
        else if (!mayGo(follow, now)) pacing.wait(follow, position)
        else {
          // What has waited for its rate goes first: it may go now, and was not let go yet.
          if (client.paced.delete(follow)) this.sendOwed(follow, 'update', now)
          else sent += this.#send(follow, { position, at: now, update }, now)
          touched.add(client)
        }
      }
    }
    return sent
  }

  /// Puts what the follow is owed, as far as the client can take it; the rest stays owed.
  sendOwed(follow: TradesFollow, what: Owed, now: EpochMs): void {
    const { client, token } = follow
    const records = what === 'update' ? this.#options.history.tradesSince(token, follow.position) : null
    if (records === null) {
      if (what === 'update')
        client.push(partsOf('gap', { reason: 'slowReader', skipped: null, tokens: [token] }))
      this.#sendSnapshot(follow, now)
      return
    }
    for (const record of joined(records)) {
      if (client.overSoftBound) {
        client.owe(follow, 'update', record.position)
        return
      }
      this.#send(follow, record, now)
    }
  }

  #sendSnapshot(follow: TradesFollow, now: EpochMs): void {
    const { history } = this.#options
    const records = history.newestTrades(follow.token, SNAPSHOT_TRADES)
    const trades = records.flatMap(({ update }) => update.trades).slice(-SNAPSHOT_TRADES)
    const rolled = records.at(-1)?.update.rolledAt ?? null
    follow.client.push(tradesParts('snapshot', follow.token, trades, rolled, now), history.position)
    follow.position = history.position
    follow.sentAt = now
  }

  #send(follow: TradesFollow, { position, update }: Record, now: EpochMs): number {
    const messages = this.#partsOf(update, now)
    // What a cursor stands for is there as a whole.
    for (const [i, parts] of messages.entries()) {
      follow.client.push(parts, i === messages.length - 1 ? position : position - 1)
    }
    follow.position = position
    follow.sentAt = now
    return messages.length
  }

  #partsOf(update: TokenTrades, now: EpochMs): readonly MessageParts[] {
    const known = this.#encoded
    if (known?.update === update && known.sent === now) return known.parts
    const { token, trades, rolledAt } = update
    const parts: MessageParts[] = []
    for (let from = 0; from < trades.length; from += TRADES_PER_MESSAGE_MAX) {
      const some = trades.slice(from, from + TRADES_PER_MESSAGE_MAX)
      parts.push(tradesParts('update', token, some, rolledAt, now))
    }
    this.#encoded = { update, sent: now, parts }
    return parts
  }
}

/// Records that follow one another as few, none larger than one message unless it was before.
function* joined(records: readonly Record[]): Generator<Record> {
  let open: Record | null = null
  for (const record of records) {
    if (open === null) open = record
    else if (open.update.trades.length + record.update.trades.length > TRADES_PER_MESSAGE_MAX) {
      yield open
      open = record
    } else {
      const trades: readonly ArchivedSwap[] = [...open.update.trades, ...record.update.trades]
      open = { ...record, update: { ...record.update, trades } }
    }
  }
  if (open !== null) yield open
}

function tradesParts(
  type: 'snapshot' | 'update',
  token: string,
  trades: readonly ArchivedSwap[],
  rolled: EpochMs | null,
  sent: EpochMs,
): MessageParts {
  const event = trades.reduce<number | null>((most, { time }) => Math.max(most ?? time, time), null)
  const tail =
    `,"channel":"trades","token":${JSON.stringify(token)},"trades":${JSON.stringify(trades.map(tradeJson))}` +
    `,"times":${timesText({ event, rolled, sent })}}`
  return { type, tail: Buffer.from(tail) }
}
