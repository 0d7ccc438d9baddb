/// Answers what clients say. Everything of a request is checked before anything of it is done.

import type { Clock } from '../../ports/clock.js'
import type { WebLimits } from '../limits.js'
import { ProblemError } from '../wire/problem.js'
import {
  type ClientRequest,
  idField,
  type Parsed,
  type RequestError,
  type RequestId,
  type SubscribeRequest,
  type UnsubscribeRequest,
} from '../wire/requests.js'
import type { Client } from './client.js'
import { partsOf } from './parts.js'
import { CANDLES_INTERVAL, candlesKey, RANKING_NAME, type StateFeeds, type StatePlan } from './state-feeds.js'
import type { TokenFeed, TokenPlan } from './token-feed.js'
import type { TradesFeed, TradesPlan } from './trades-feed.js'

export interface SessionOptions {
  readonly tokenFeed: TokenFeed
  readonly tradesFeed: TradesFeed
  readonly stateFeeds: StateFeeds
  readonly clock: Clock
  readonly limits: WebLimits
}

/// What a client follows, as far as its limits are concerned.
interface Followed {
  readonly tokens: ReadonlyMap<string, unknown>
  readonly trades: ReadonlyMap<string, unknown>
  readonly states: ReadonlyMap<string, unknown>
}

const NOTHING: ReadonlyMap<string, unknown> = new Map()

interface Plans {
  readonly tokens: readonly TokenPlan[]
  readonly trades: readonly TradesPlan[]
  readonly states: readonly StatePlan[]
}

export class Session {
  readonly #options: SessionOptions

  constructor(options: SessionOptions) {
    this.#options = options
  }

  answer(client: Client, { request, error }: Parsed<ClientRequest>): void {
    if (request === undefined) {
      this.refuse(client, error)
      return
    }
    switch (request.op) {
      case 'subscribe':
        this.subscribe(client, request)
        break
      case 'unsubscribe':
        this.#unsubscribe(client, request)
        break
      case 'ping':
        client.push(partsOf('pong', { ...idField(request.id), time: this.#options.clock.now() }))
        break
      default:
        request satisfies never
    }
  }

  refuse(client: Client, error: RequestError): void {
    const { code, message, field } = error
    client.push(partsOf('error', { code, message, field, ...idField(error.id) }))
  }

  /// Snapshots are owed afterwards, not sent.
  subscribe(client: Client, request: SubscribeRequest): void {
    const plans = this.#plan(request)
    const fault =
      'code' in plans ? plans : (this.#fullness(client, plans) ?? this.#follow(client, request, plans))
    if (fault !== null) this.refuse(client, { ...fault, ...idField(request.id) })
  }

  #follow(client: Client, request: SubscribeRequest, plans: Plans): RequestError | null {
    const { tokenFeed, tradesFeed, stateFeeds } = this.#options
    const opened = plans.states.map(plan => ({ plan, feed: stateFeeds.open(plan) }))
    if (opened.some(({ feed }) => feed === null)) {
      for (const { feed } of opened) if (feed !== null) stateFeeds.letGo(feed)
      const message = 'the server follows too many different rankings and candles at the moment'
      return { code: 'tooManySubscriptions', message, field: 'subscriptions' }
    }
    const follows = opened.flatMap(({ plan, feed }) =>
      feed === null ? [] : [stateFeeds.follow(client, plan, feed)],
    )
    client.push(partsOf('subscribed', acknowledgement(request)))
    tokenFeed.follow(client, plans.tokens, request.cursor ?? null)
    tradesFeed.follow(client, plans.trades, request.cursor ?? null)
    for (const follow of follows) {
      if (!follow.feed.source.ready) continue
      follow.introduced = true
      client.owe(follow, 'snapshot', null)
    }
    return null
  }

  /// What is wrong with the request of a client that follows nothing yet.
  fault(request: SubscribeRequest): RequestError | null {
    const plans = this.#plan(request)
    return 'code' in plans
      ? plans
      : this.#fullness({ tokens: NOTHING, trades: NOTHING, states: NOTHING }, plans)
  }

  #plan(request: SubscribeRequest): Plans | RequestError {
    const { tokenFeed, tradesFeed, stateFeeds } = this.#options
    const tokens: TokenPlan[] = []
    const trades: TradesPlan[] = []
    const states: StatePlan[] = []
    let at = ''
    try {
      if (request.tokens !== undefined) tokens.push(tokenFeed.plan({ ...request, tokens: request.tokens }))
      for (const [i, subscription] of request.subscriptions?.entries() ?? []) {
        at = `subscriptions[${i}].`
        if (subscription.channel === 'token') tokens.push(tokenFeed.plan(subscription))
        else if (subscription.channel === 'trades') trades.push(tradesFeed.plan(subscription))
        else states.push(stateFeeds.plan(subscription))
      }
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      return { code: 'invalidRequest', message: error.message, field: `${at}${error.extra.field}` }
    }
    const twice = states.find(({ key }, i) => states.findIndex(other => other.key === key) < i)
    if (twice !== undefined) {
      const message = `${twice.key} is subscribed to twice; rankings of different names and candles of different intervals may be`
      return { code: 'invalidRequest', message, field: 'subscriptions' }
    }
    return { tokens, trades, states }
  }

  #fullness(client: Followed, { tokens, trades, states }: Plans): RequestError | null {
    const { tokensPerClientMax, statesPerClientMax } = this.#options.limits
    const freshOf = (plans: readonly { readonly tokens: readonly string[] }[], known: Followed['tokens']) =>
      new Set(plans.flatMap(plan => plan.tokens.filter(token => !known.has(token)))).size
    const fresh = freshOf(tokens, client.tokens) + freshOf(trades, client.trades)
    if (client.tokens.size + client.trades.size + fresh > tokensPerClientMax) {
      const message = `a connection follows at most ${tokensPerClientMax} tokens, those whose trades it follows counted again`
      return { code: 'tooManyTokens', message, field: 'tokens' }
    }
    const freshStates = states.filter(({ key }) => !client.states.has(key)).length
    if (client.states.size + freshStates > statesPerClientMax) {
      const message = `a connection follows at most ${statesPerClientMax} rankings, candles, totals and statuses`
      return { code: 'tooManySubscriptions', message, field: 'subscriptions' }
    }
    return null
  }

  #unsubscribe(client: Client, request: UnsubscribeRequest): void {
    const { tokenFeed, tradesFeed, stateFeeds, clock } = this.#options
    const { tokens = [], trades = [], rankings = [], candles = [], channels = [] } = request
    const now = clock.now()
    tokenFeed.unfollow(client, tokens, now)
    tradesFeed.unfollow(client, trades, now)
    for (const name of rankings) stateFeeds.unfollow(client, `ranking ${name}`)
    for (const { token, interval = CANDLES_INTERVAL } of candles) {
      stateFeeds.unfollow(client, candlesKey(token, interval))
    }
    for (const channel of channels) {
      if (channel === 'token') tokenFeed.unfollow(client, [...client.tokens.keys()], now)
      if (channel === 'trades') tradesFeed.unfollow(client, [...client.trades.keys()], now)
      for (const key of [...client.states.keys()]) {
        if (key === channel || key.startsWith(`${channel} `)) stateFeeds.unfollow(client, key)
      }
    }
    const { op: _, ...said } = request
    client.push(partsOf('unsubscribed', inOrder(said)))
  }
}

/// In the request's own words, with defaults of what tells states apart.
function acknowledgement(request: SubscribeRequest): Record<string, unknown> {
  const { id, tokens, subscriptions } = request
  return inOrder({
    id,
    tokens,
    subscriptions: subscriptions?.map(subscription => {
      if (subscription.channel === 'ranking') return { name: RANKING_NAME, ...subscription }
      return subscription.channel === 'candles'
        ? { interval: CANDLES_INTERVAL, ...subscription }
        : subscription
    }),
  })
}

function inOrder(said: {
  readonly id?: RequestId | undefined
  readonly tokens?: readonly string[] | undefined
  readonly trades?: readonly string[] | undefined
  readonly rankings?: readonly string[] | undefined
  readonly candles?: readonly unknown[] | undefined
  readonly channels?: readonly string[] | undefined
  readonly subscriptions?: readonly unknown[] | undefined
}): Record<string, unknown> {
  const { id, tokens, trades, rankings, candles, channels, subscriptions } = said
  return { id, tokens, trades, rankings, candles, channels, subscriptions }
}
