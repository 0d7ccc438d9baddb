/// The feeds of states that are followed right now: made with the first follower, gone with the last.

import type { EpochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { ruleText } from '../rankings/rank.js'
import { ruleOf } from '../rankings/rule.js'
import type { Standings } from '../rankings/standings.js'
import { selectionFor, windowsFor } from '../selection.js'
import type { TotalsTable } from '../totals.js'
import type { PlacedWindow } from '../wire/metrics.js'
import { ProblemError } from '../wire/problem.js'
import type {
  CandlesSubscription,
  RankingSubscription,
  StatusSubscription,
  TotalsSubscription,
} from '../wire/requests.js'
import type { StatusReport } from '../wire/status.js'
import type { CandleReader } from './candle-reader.js'
import { CandleSource } from './candle-source.js'
import type { Client } from './client.js'
import { DocumentSource } from './document-source.js'
import { RankingSource } from './ranking-source.js'
import { StateFeed, type StateFollow, type StateSource } from './state-feed.js'

export type StateSubscription =
  | RankingSubscription
  | TotalsSubscription
  | StatusSubscription
  | CandlesSubscription

/// Ten updates a second are more than a ranking can be read at.
const INTERVAL_MS_MIN = 100
/// Different ones at a time: each is computed and encoded for itself, whoever follows it.
const FEEDS_MAX = 256
const RANKING_RATE = 5
const DOCUMENT_RATE = 1
const CANDLES_RATE = 5
export const CANDLES_INTERVAL = '1m'
const CANDLES_LIMIT = 10
export const RANKING_NAME = 'ranking'
const RANKING_LIMIT = 10

export interface StateFeedsOptions {
  readonly windows: readonly PlacedWindow[]
  readonly standings: Standings
  readonly totals: TotalsTable
  /// null where there is no archive.
  readonly candles: CandleReader | null
  readonly clock: Clock
  status(): StatusReport
}

/// Among the states of a client.
export const candlesKey = (token: string, interval: string): string => `candles ${interval} ${token}`

/// What a subscription comes to. Made before anything of a request is done, so that its faults are known.
export interface StatePlan {
  /// Among the client's states.
  readonly key: string
  readonly name: string
  readonly feedKey: string
  readonly intervalMs: number
  /// null when there is no room for another ranking.
  make(): StateSource | null
}

export class StateFeeds {
  readonly #options: StateFeedsOptions
  readonly #feeds = new Map<string, StateFeed>()

  constructor(options: StateFeedsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#feeds.size
  }

  /// Throws ProblemError where windows, sort or filter are wrong.
  plan(subscription: StateSubscription): StatePlan {
    const { windows, standings, totals, status } = this.#options
    const delta = subscription.mode === 'delta'
    const intervalMs = (usual: number) =>
      Math.max(INTERVAL_MS_MIN, Math.round(1000 / (subscription.maxRate ?? usual)))
    switch (subscription.channel) {
      case 'ranking': {
        const rule = ruleOf(subscription, windows)
        const selection = selectionFor(subscription, windows)
        const limit = subscription.limit ?? RANKING_LIMIT
        const offset = subscription.offset ?? 0
        const name = subscription.name ?? RANKING_NAME
        const every = intervalMs(RANKING_RATE)
        const shown = [
          offset,
          limit,
          selection.fields,
          selection.windows.map(window => window.name),
          delta,
          every,
        ]
        return {
          key: `ranking ${name}`,
          name,
          feedKey: `ranking ${JSON.stringify(shown)} ${ruleText(rule)}`,
          intervalMs: every,
          make() {
            const standing = standings.hold(rule)
            return standing && new RankingSource({ standings, standing, offset, limit, selection, delta })
          },
        }
      }
      case 'totals': {
        const chosen = windowsFor(subscription.windows, windows)
        const every = intervalMs(DOCUMENT_RATE)
        const feedKey = `totals ${JSON.stringify([chosen.map(window => window.name), delta, every])}`
        const read = () => totals.read(chosen)
        const source = { channel: 'totals', delta, read, event: () => totals.asOf } as const
        return { key: 'totals', name: '', feedKey, intervalMs: every, make: () => new DocumentSource(source) }
      }
      case 'status': {
        const every = intervalMs(DOCUMENT_RATE)
        const feedKey = `status ${JSON.stringify([delta, every])}`
        const source = { channel: 'status', delta, read: status, event: () => null } as const
        return { key: 'status', name: '', feedKey, intervalMs: every, make: () => new DocumentSource(source) }
      }
      case 'candles':
        return this.#planCandles(subscription, delta, intervalMs(CANDLES_RATE))
      default:
        return subscription satisfies never
    }
  }

  #planCandles(
    { token, interval = CANDLES_INTERVAL, limit = CANDLES_LIMIT }: CandlesSubscription,
    delta: boolean,
    intervalMs: number,
  ): StatePlan {
    const { candles: reader, clock } = this.#options
    if (reader === null) {
      const detail = 'this server keeps no archive, which candles come from: see --archive'
      throw new ProblemError('invalid-parameter', detail, { field: 'channel' })
    }
    const key = candlesKey(token, interval)
    return {
      key,
      name: '',
      feedKey: `${JSON.stringify([limit, delta, intervalMs])} ${key}`,
      intervalMs,
      make: () => new CandleSource({ token, interval, limit, delta, clock, reader }),
    }
  }

  /// The feed of the plan, made where there is none; null when there is no room. It has to be followed, or let go.
  open(plan: StatePlan): StateFeed | null {
    const known = this.#feeds.get(plan.feedKey)
    if (known !== undefined) return known
    const source = this.#feeds.size < FEEDS_MAX ? plan.make() : null
    if (source === null) return null
    const feed = new StateFeed(plan.feedKey, source, plan.intervalMs)
    source.refresh()
    this.#feeds.set(plan.feedKey, feed)
    return feed
  }

  /// The client follows the feed from now on, in place of what it followed under the same key.
  follow(client: Client, { key, name }: StatePlan, feed: StateFeed): StateFollow {
    // The new one first, so that a feed that stays the same is not closed in between.
    const follow: StateFollow = { channel: 'state', client, feed, key, name, introduced: false }
    feed.follows.add(follow)
    this.unfollow(client, key)
    client.states.set(key, follow)
    return follow
  }

  /// Closes the feed when nobody follows it.
  letGo(feed: StateFeed): void {
    if (feed.follows.size > 0 || this.#feeds.get(feed.key) !== feed) return
    this.#feeds.delete(feed.key)
    feed.source.close()
  }

  unfollow(client: Client, key: string): void {
    const follow = client.states.get(key)
    if (follow === undefined) return
    client.states.delete(key)
    client.owed.delete(follow)
    follow.feed.follows.delete(follow)
    this.letGo(follow.feed)
  }

  forget(client: Client): void {
    for (const key of [...client.states.keys()]) this.unfollow(client, key)
  }

  /// The feeds whose followers are to be told of a change now.
  *due(now: EpochMs): Generator<StateFeed> {
    for (const feed of this.#feeds.values()) if (feed.tick(now)) yield feed
  }
}
