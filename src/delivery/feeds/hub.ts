/// All clients of the feeds of this process, whatever they are connected by, and the beat that keeps them alive.

import type { StatsUpdate } from '../../core/stats.js'
import { type EpochMs, epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { TokenTrades } from '../../ports/trade-feed.js'
import type { WebLimits } from '../limits.js'
import type { ServerMetrics } from '../metrics/server-metrics.js'
import { Rate } from '../rate.js'
import type { CloseCause } from '../wire/messages.js'
import { parseRequest, type RequestError, type SubscribeRequest } from '../wire/requests.js'
import type { ClientStatus } from '../wire/status.js'
import { Client, type ClientOrigin, type Follow, type Owed } from './client.js'
import type { Cursors } from './cursors.js'
import type { History } from './history.js'
import type { Pacing } from './pacing.js'
import { partsOf } from './parts.js'
import { Session } from './session.js'
import type { StateFeeds } from './state-feeds.js'
import type { TokenFeed } from './token-feed.js'
import type { TradesFeed } from './trades-feed.js'
import type { Transport } from './transport.js'

/// Each client gets a heartbeat a second; the beats spread clients over it, so that no turn serves all of them.
const BEAT_MS = 100
const BEATS_PER_SECOND = 10
/// How long a closing client may take to answer the close.
const CLOSE_GRACE_MS = 2_000
const BURST_SECONDS = 4

export interface HubOptions {
  readonly tokenFeed: TokenFeed
  readonly tradesFeed: TradesFeed
  readonly pacing: Pacing
  readonly cursors: Cursors
  readonly stateFeeds: StateFeeds
  readonly history: History
  readonly clock: Clock
  readonly limits: WebLimits
  readonly metrics: ServerMetrics
  /// Until it is true, snapshots wait: an incomplete state would be served as a complete one.
  serving(): boolean
}

export type HubCounts = Omit<ClientStatus, 'bodyBytesInFlight'>

export interface ClientInfo {
  readonly id: number
  readonly transport: 'webSocket' | 'eventStream'
  readonly since: number
  readonly key: string | null
  readonly address: string
  readonly subscriptions: number
  readonly messagesSent: number
  readonly unsentBytes: number
}

export class Hub {
  readonly #options: HubOptions
  readonly #session: Session
  readonly #clients = new Map<number, Client>()
  readonly #byAddress = new Map<string, number>()
  readonly #closed = new Map<CloseCause | 'gone', number>()
  #cancelBeat: () => void
  #beats = 0
  #lastId = 0
  #sentByGone = 0

  constructor(options: HubOptions) {
    this.#options = options
    this.#session = new Session(options)
    this.#cancelBeat = this.#scheduleBeat()
  }

  get size(): number {
    return this.#clients.size
  }

  /// Clients of that address.
  sizeOf(address: string): number {
    return this.#byAddress.get(address) ?? 0
  }

  counts(): HubCounts {
    let subscriptions = 0
    let messagesSent = this.#sentByGone
    let unsentBytes = 0
    let webSockets = 0
    for (const client of this.#clients.values()) {
      if (client.transport.kind === 'webSocket') webSockets++
      subscriptions += client.subscriptions
      messagesSent += client.messagesSent
      unsentBytes += client.unsentBytes
    }
    return {
      webSockets,
      eventStreams: this.#clients.size - webSockets,
      subscriptions,
      messagesSent,
      updatesConflated: this.#options.tokenFeed.conflated,
      slowReadersClosed: this.#closed.get('slowReader') ?? 0,
      unsentBytes,
    }
  }

  /// How many clients went, by reason: a close cause of ours, or `gone` when they left by themselves.
  get closed(): ReadonlyMap<string, number> {
    return this.#closed
  }

  clients(): ClientInfo[] {
    return Array.from(this.#clients.values(), client => ({
      id: client.id,
      transport: client.transport.kind,
      since: client.since,
      key: client.origin.keyId,
      address: client.origin.address,
      subscriptions: client.subscriptions,
      messagesSent: client.messagesSent,
      unsentBytes: client.unsentBytes,
    }))
  }

  /// A client has connected.
  welcome(transport: Transport, { keyId, address }: ClientOrigin): Client {
    const { clock, limits, cursors } = this.#options
    const rate = new Rate(clock, limits.requestsPerSecond, limits.requestsPerSecond * BURST_SECONDS)
    const client = new Client(
      ++this.#lastId,
      transport,
      rate,
      limits,
      clock.now(),
      { keyId, address },
      cursors.of,
    )
    this.#clients.set(client.id, client)
    this.#byAddress.set(address, this.sizeOf(address) + 1)
    return client
  }

  /// Its connection is gone.
  forget(client: Client): void {
    if (!this.#clients.delete(client.id)) return
    if (client.closingSince === null) this.#countClosed('gone')
    const { address } = client.origin
    const left = this.sizeOf(address) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
    this.#sentByGone += client.messagesSent
    const { tokenFeed, tradesFeed, stateFeeds, pacing, clock } = this.#options
    pacing.forget(client)
    tokenFeed.forget(client, clock.now())
    tradesFeed.forget(client, clock.now())
    stateFeeds.forget(client)
  }

  /// It gave a sign of life.
  alive(client: Client): void {
    client.lastHeardAt = this.#options.clock.now()
  }

  /// Its transport has taken what was sent.
  drained(client: Client): void {
    client.stuckSince = null
    this.#catchUp(client)
    client.flush()
  }

  /// Counts a message or ping of the client against its rate; closes it when that is exceeded.
  admit(client: Client): boolean {
    if (!client.open) return false
    client.lastHeardAt = this.#options.clock.now()
    if (client.rate.waitSeconds() === 0) {
      client.rate.charge(1)
      return true
    }
    const message = `at most ${this.#options.limits.requestsPerSecond} messages a second are taken`
    this.#session.refuse(client, { code: 'tooManyMessages', message, field: null })
    this.close(client, 'tooManyMessages')
    return false
  }

  /// A text that the client sent.
  heard(client: Client, text: string): void {
    if (!this.admit(client)) return
    this.#session.answer(client, parseRequest(text))
    this.#catchUp(client)
    client.flush()
    if (client.overHardBound) this.close(client, 'slowReader')
  }

  /// What is wrong with a subscription of a new client, before there is one.
  subscribeFault(request: SubscribeRequest): RequestError | null {
    return this.#session.fault(request)
  }

  /// What a client that cannot talk follows.
  subscribe(client: Client, request: SubscribeRequest): void {
    this.#session.subscribe(client, request)
    this.#catchUp(client)
    client.flush()
  }

  /// Sends the updates to those who follow their tokens. Call in the turn in which they became known.
  publish(updates: readonly StatsUpdate[]): void {
    const { tokenFeed, clock, metrics, serving } = this.#options
    const began = metrics.elapsedMs()
    const now = clock.now()
    const touched = new Set<Client>()
    const sent = tokenFeed.publish(updates, now, !serving(), touched)
    for (const client of touched) client.flush()
    const rolledAt = updates[0]?.rolledAt ?? now
    metrics.delivered(Math.max(0, now - rolledAt) + metrics.elapsedMs() - began, sent)
  }

  /// The same of swaps.
  publishTrades(updates: readonly TokenTrades[]): void {
    const { tradesFeed, clock, serving } = this.#options
    const touched = new Set<Client>()
    tradesFeed.publish(updates, clock.now(), !serving(), touched)
    for (const client of touched) client.flush()
  }

  close(client: Client, cause: CloseCause): void {
    if (!client.open) return
    this.#countClosed(cause)
    client.close(cause, this.#options.clock.now())
  }

  /// Closes the client of that id; false when there is none.
  closeById(id: number, cause: CloseCause): boolean {
    const client = this.#clients.get(id)
    if (client === undefined) return false
    this.close(client, cause)
    return true
  }

  /// Closes those whose key is not valid any more.
  closeKeys(isValid: (keyId: string) => boolean): void {
    for (const client of this.#clients.values()) {
      const { keyId } = client.origin
      if (keyId !== null && !isValid(keyId)) this.close(client, 'keyRevoked')
    }
  }

  /// Tells every client when to come back, each at another time, and closes the connections.
  drain(): void {
    let i = 0
    for (const client of this.#clients.values()) {
      const reconnectAfterMs = Math.round((i++ / this.#clients.size) * this.#options.limits.reconnectSpreadMs)
      client.push(partsOf('serverShutdown', { reconnectAfterMs }))
      this.close(client, 'serverRestart')
    }
  }

  /// Ends what is left.
  stop(): void {
    this.#cancelBeat()
    for (const client of this.#clients.values()) client.transport.terminate()
  }

  #countClosed(cause: CloseCause | 'gone'): void {
    this.#closed.set(cause, (this.#closed.get(cause) ?? 0) + 1)
  }

  /// As much as the client can take: what the socket takes at once makes room for more.
  #catchUp(client: Client): void {
    const { tokenFeed, clock } = this.#options
    while ((client.owed.size > 0 || client.replay.length > 0) && client.open && this.#options.serving()) {
      const now = clock.now()
      const before = client.messagesSent
      client.catchUp(
        one => tokenFeed.sendMissed(one, now),
        (follow, what) => this.#sendOwed(follow, what, now),
      )
      client.flush()
      if (client.messagesSent === before) return
    }
  }

  #sendOwed(follow: Follow, what: Owed, now: EpochMs): void {
    switch (follow.channel) {
      case 'token':
        this.#options.tokenFeed.sendNewest(follow, what, now)
        break
      case 'trades':
        this.#options.tradesFeed.sendOwed(follow, what, now)
        break
      case 'state':
        follow.client.push(follow.feed.source.whole(what, follow.name, now))
        break
      default:
        follow satisfies never
    }
  }

  #scheduleBeat(): () => void {
    const { clock } = this.#options
    return clock.at(epochMs(clock.now() + BEAT_MS), () => {
      this.#cancelBeat = this.#scheduleBeat()
      this.#beat()
    })
  }

  #beat(): void {
    const { clock, pacing, stateFeeds, history, serving } = this.#options
    const now = clock.now()
    const slot = this.#beats++ % BEATS_PER_SECOND
    if (slot === 0) history.expire(now)
    const touched = new Set<Client>()
    if (serving()) {
      pacing.release(now, follow => {
        if (follow.client.behind) follow.client.owe(follow, 'update', history.position)
        else this.#sendOwed(follow, 'update', now)
        touched.add(follow.client)
      })
      for (const feed of stateFeeds.due(now)) {
        feed.publish(now, (follow, parts) => {
          const { client } = follow
          if (client.behind) client.owe(follow, 'update', null)
          else client.push(parts)
          touched.add(client)
        })
      }
    }
    const heartbeat = partsOf('heartbeat', { time: now })
    for (const client of this.#clients.values()) {
      this.#catchUp(client)
      if (client.id % BEATS_PER_SECOND === slot) this.#check(client, heartbeat, now)
      client.flush()
    }
  }

  #check(client: Client, heartbeat: ReturnType<typeof partsOf>, now: EpochMs): void {
    const { limits, history } = this.#options
    if (client.closingSince !== null) {
      if (now - client.closingSince >= CLOSE_GRACE_MS) client.transport.terminate()
      return
    }
    if (client.transport.kind === 'webSocket' && now - client.lastHeardAt >= limits.silenceMs) {
      client.transport.terminate()
      return
    }
    if (client.overSoftBound) {
      client.stuckSince ??= now
      if (client.overHardBound || now - client.stuckSince >= limits.slowReaderMs) {
        this.close(client, 'slowReader')
      }
      return
    }
    client.stuckSince = null
    // Where nothing waits, everything up to now was sent: quiet clients' cursors stay young.
    const current = client.tokens.size + client.trades.size > 0 && client.replay.length === 0
    client.push(heartbeat, current ? history.position : null)
    if (now - client.lastPingAt < limits.pingEveryMs) return
    client.lastPingAt = now
    client.transport.ping()
  }
}
