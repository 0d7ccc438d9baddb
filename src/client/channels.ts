/// The channels of a feed: what is asked for, what comes, and what state a client keeps of it.

import type { CandleJson } from '../delivery/wire/archive.js'
import type {
  CandlesMessage,
  RankingMessage,
  RankingState,
  StatusMessage,
  Times,
  TokenMessage,
  TotalsMessage,
  TradesMessage,
} from '../delivery/wire/messages.js'
import type {
  CandlesSubscription,
  RankingSubscription,
  StatusSubscription,
  TokenSubscription,
  TotalsSubscription,
  TradesSubscription,
} from '../delivery/wire/requests.js'
import type { StatusReport } from '../delivery/wire/status.js'
import type { TokenStatistics, Totals } from '../delivery/wire/token-statistics.js'
import { compareVersions, merged } from './merge.js'

export type Request =
  | TokenSubscription
  | TradesSubscription
  | RankingSubscription
  | TotalsSubscription
  | StatusSubscription
  | CandlesSubscription

interface Heard {
  readonly type: 'snapshot' | 'update'
  readonly times: Times
}

/// States are whole, also in mode `delta`.
export interface TokenUpdate extends Heard {
  readonly channel: 'token'
  readonly token: string
  readonly stats: TokenStatistics | null
}
export interface TradesUpdate extends Heard {
  readonly channel: 'trades'
  readonly token: string
  /// Each once, in the order of the log.
  readonly trades: TradesMessage['trades']
}
export interface RankingUpdate extends Heard {
  readonly channel: 'ranking'
  readonly name: string
  /// `stats` is of all of its tokens, in their order.
  readonly ranking: RankingState
}
export interface TotalsUpdate extends Heard {
  readonly channel: 'totals'
  readonly totals: Totals
}
export interface StatusUpdate extends Heard {
  readonly channel: 'status'
  readonly status: StatusReport
}
export interface CandlesUpdate extends Heard {
  readonly channel: 'candles'
  readonly token: string
  readonly interval: CandlesMessage['interval']
  /// Ascending, all that begin at `from` or later.
  readonly candles: readonly CandleJson[]
  readonly from: number
}
export type Update = TokenUpdate | TradesUpdate | RankingUpdate | TotalsUpdate | StatusUpdate | CandlesUpdate

/// What comes for a request.
export type UpdateOf<R extends Request> = Extract<Update, { readonly channel: R['channel'] }>

/// Totals and status are whole in snapshots, and parts of that in updates; both are merged without looking closer.
export type StateMessage =
  | TokenMessage
  | TradesMessage
  | RankingMessage
  | CandlesMessage
  | (Omit<TotalsMessage, 'totals'> & { readonly totals: Totals })
  | (Omit<StatusMessage, 'status'> & { readonly status: StatusReport })

/// What messages are about: one of these at a time is followed on a connection.
export function keyOf(message: {
  readonly channel: string
  readonly token?: string
  readonly name?: string
  readonly interval?: string | undefined
}): string {
  const { channel, token, name, interval } = message
  const what = token ?? name ?? ''
  return channel === 'candles' ? `${channel} ${interval ?? '1m'} ${what}` : `${channel} ${what}`
}

/// Whether the update belongs to the request.
export function isFor<R extends Request>(request: R, update: Update): update is UpdateOf<R> {
  return update.channel === request.channel
}

/// The keys of a request.
export function keysOf(request: Request): readonly string[] {
  switch (request.channel) {
    case 'token':
    case 'trades':
      return request.tokens.map(token => keyOf({ channel: request.channel, token }))
    case 'ranking':
      return [keyOf({ channel: 'ranking', name: request.name ?? 'ranking' })]
    case 'totals':
    case 'status':
    case 'candles':
      return [keyOf(request)]
    default:
      return request satisfies never
  }
}

/// The newest states, whole.
export class States {
  readonly #updates = new Map<string, Update>()

  has(key: string): boolean {
    return this.#updates.has(key)
  }

  delete(key: string): void {
    this.#updates.delete(key)
  }

  /// The update with the whole state; null when it says nothing new, as after a resumption.
  take(message: StateMessage): Update | null {
    if (message.channel === 'trades') return this.#takeTrades(message)
    const before = this.#updates.get(keyOf(message))
    const update = message.type === 'snapshot' ? whole(message) : changed(before, message)
    if (update !== null) this.#updates.set(keyOf(message), update)
    return update
  }

  /// Those that came before are left out. What is kept is the last one.
  #takeTrades({ type, channel, token, trades, times }: TradesMessage): Update | null {
    const key = keyOf({ channel, token })
    const before = this.#updates.get(key)
    const last = before?.channel === 'trades' ? before.trades.at(-1) : undefined
    const fresh = trades.filter(
      ({ partition, offset }) => last === undefined || partition !== last.partition || offset > last.offset,
    )
    const newest = fresh.at(-1) ?? last
    const kept = newest === undefined ? [] : [newest]
    this.#updates.set(key, { type, channel, token, trades: kept, times })
    return fresh.length === 0 && before !== undefined ? null : { type, channel, token, trades: fresh, times }
  }
}

type MergedMessage = Exclude<StateMessage, TradesMessage>

function whole(message: MergedMessage): Update {
  const { type, times } = message
  switch (message.channel) {
    case 'token':
      return { type, channel: 'token', token: message.token, stats: message.stats, times }
    case 'ranking':
      return { type, channel: 'ranking', name: message.name, ranking: message.ranking, times }
    case 'totals':
      return { type, channel: 'totals', totals: message.totals, times }
    case 'status':
      return { type, channel: 'status', status: message.status, times }
    case 'candles': {
      const { token, interval, from, candles } = message
      return { type, channel: 'candles', token, interval, from, candles, times }
    }
    default:
      return message satisfies never
  }
}

function changed(before: Update | undefined, message: MergedMessage): Update | null {
  if (before === undefined || before.channel === 'trades' || before.channel !== message.channel)
    return whole(message)
  const { type, times } = message
  switch (before.channel) {
    case 'token': {
      if (message.channel !== 'token' || message.stats === null || before.stats === null)
        return whole(message)
      if (compareVersions(message.stats.version, before.stats.version) <= 0) return null
      return { ...before, type, stats: merged(before.stats, message.stats), times }
    }
    case 'ranking': {
      if (message.channel !== 'ranking') return null
      const known = new Map(before.ranking.stats.map(stats => [stats.token, stats]))
      for (const stats of message.ranking.stats) {
        const base = known.get(stats.token)
        const entered = base === undefined || message.ranking.enter.includes(stats.token)
        known.set(stats.token, entered ? stats : merged(base, stats))
      }
      const stats = message.ranking.tokens.flatMap(token => known.get(token) ?? [])
      return { ...before, type, ranking: { ...message.ranking, stats }, times }
    }
    case 'totals':
      if (message.channel !== 'totals') return null
      return { ...before, type, totals: merged(before.totals, message.totals), times }
    case 'status':
      if (message.channel !== 'status') return null
      return { ...before, type, status: merged(before.status, message.status), times }
    case 'candles': {
      if (message.channel !== 'candles') return null
      const { from } = message
      const known = new Map(before.candles.map(candle => [candle.time, candle]))
      for (const candle of message.candles) known.set(candle.time, candle)
      const candles = [...known.values()].filter(({ time }) => time >= from).sort((a, b) => a.time - b.time)
      return { ...before, type, from, candles, times }
    }
    default:
      return before satisfies never
  }
}
