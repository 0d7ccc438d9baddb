/// All WebSocket connections of the process: who follows which token, and the beat that keeps them alive.
///
/// An update is encoded once, when the first of its token's followers needs it, and written to all of them in the
/// turn of the event loop in which the feed delivered it. A token that nobody follows costs one look-up.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { StatsUpdate } from '../../core/stats.js'
import { type EpochMs, epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { WebLimits } from '../limits.js'
import { Rate } from '../rate.js'
import type { ReadableTokens } from '../token-table.js'
import { type MessageParts, partsOf, statsParts } from '../wire/messages.js'
import { type ClientRequest, parseRequest, type RequestError } from '../wire/requests.js'
import type { StatsEncoder } from '../wire/stats.js'
import type { ClientStatus } from '../wire/status.js'
import { Client, type Owed } from './client.js'
import { Followers } from './followers.js'

/// Each client gets a heartbeat a second; the beats spread clients over it, so that no turn serves all of them.
const BEAT_MS = 100
const BEATS_PER_SECOND = 10
/// How long a closing client may take to answer the close.
const CLOSE_GRACE_MS = 2_000
const BURST_SECONDS = 4

export interface HubOptions {
  readonly tokens: ReadableTokens
  readonly encoder: StatsEncoder
  readonly clock: Clock
  readonly limits: WebLimits
  /// Until it is true, snapshots wait: an incomplete state would be served as a complete one.
  serving(): boolean
}

export type HubCounts = Omit<ClientStatus, 'bodyBytesInFlight'>

export class Hub {
  readonly #options: HubOptions
  readonly #server: WebSocketServer
  readonly #clients = new Set<Client>()
  readonly #followers = new Followers()
  #cancelBeat: () => void
  #beats = 0
  #lastId = 0
  #sentByGone = 0
  #conflated = 0
  #slowReadersClosed = 0

  constructor(options: HubOptions) {
    this.#options = options
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.limits.requestBytesMax,
      // Answered by hand: an unread flood of pongs must not pile up.
      autoPong: false,
      clientTracking: false,
    })
    this.#cancelBeat = this.#scheduleBeat()
  }

  get size(): number {
    return this.#clients.size
  }

  counts(): HubCounts {
    let subscriptions = 0
    let messagesSent = this.#sentByGone
    let unsentBytes = 0
    for (const client of this.#clients) {
      subscriptions += client.subscriptions.size
      messagesSent += client.messagesSent
      unsentBytes += client.ws.bufferedAmount
    }
    return {
      webSockets: this.#clients.size,
      subscriptions,
      messagesSent,
      updatesConflated: this.#conflated,
      slowReadersClosed: this.#slowReadersClosed,
      unsentBytes,
    }
  }

  /// Takes over a connection that asked for the WebSocket.
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, ws => this.#welcome(ws, socket))
  }

  /// Sends the updates to those who follow their tokens. Call in the turn in which they became known.
  publish(updates: readonly StatsUpdate[]): void {
    const now = this.#options.clock.now()
    const held = !this.#options.serving()
    const corked = new Set<Client>()
    for (const update of updates) {
      const followers = this.#followers.of(update.token)
      if (followers === undefined) continue
      let parts: MessageParts | null = null
      for (const client of followers) {
        if (!client.open) continue
        if (held || client.behind) {
          if (client.owe(update.token, 'update')) this.#conflated++
          continue
        }
        if (!corked.has(client)) {
          client.socket.cork()
          corked.add(client)
        }
        parts ??= this.#updateParts(update, now)
        client.send(parts)
      }
    }
    for (const client of corked) client.socket.uncork()
  }

  /// Tells every client when to come back, each at another time, and closes the connections.
  drain(): void {
    const now = this.#options.clock.now()
    let i = 0
    for (const client of this.#clients) {
      const reconnectAfterMs = Math.round((i++ / this.#clients.size) * this.#options.limits.reconnectSpreadMs)
      client.send(partsOf('serverShutdown', { reconnectAfterMs }))
      client.close('serverRestart', now)
    }
  }

  /// Ends what is left.
  stop(): void {
    this.#cancelBeat()
    for (const client of this.#clients) client.terminate()
  }

  #welcome(ws: WebSocket, socket: Duplex): void {
    const { clock, limits } = this.#options
    const rate = new Rate(clock, limits.requestsPerSecond, limits.requestsPerSecond * BURST_SECONDS)
    const client = new Client(++this.#lastId, ws, socket, rate, limits, clock.now())
    this.#clients.add(client)
    ws.on('message', (data, isBinary) => this.#onMessage(client, data, isBinary))
    ws.on('ping', data => {
      if (this.#admit(client) && !client.overSoftBound) ws.pong(data)
    })
    ws.on('pong', () => {
      client.lastHeardAt = clock.now()
    })
    // The library answers protocol errors with the right close code; `close` follows.
    ws.on('error', () => undefined)
    ws.on('close', () => this.#forget(client))
    socket.on('drain', () => {
      client.stuckSince = null
      this.#catchUp(client)
    })
  }

  #forget(client: Client): void {
    if (!this.#clients.delete(client)) return
    this.#sentByGone += client.messagesSent
    this.#followers.forget(client)
  }

  /// Counts a message against the client's rate; closes it when that is exceeded.
  #admit(client: Client): boolean {
    if (!client.open) return false
    const now = this.#options.clock.now()
    client.lastHeardAt = now
    if (client.rate.waitSeconds() === 0) {
      client.rate.charge(1)
      return true
    }
    const { requestsPerSecond } = this.#options.limits
    const message = `at most ${requestsPerSecond} messages a second are taken`
    this.#refuse(client, { code: 'tooManyMessages', message, field: null })
    client.close('tooManyMessages', now)
    return false
  }

  #onMessage(client: Client, data: RawData, isBinary: boolean): void {
    if (!this.#admit(client)) return
    if (isBinary) {
      client.close('unsupportedData', this.#options.clock.now())
      return
    }
    const { request, error } = parseRequest(data.toString())
    client.socket.cork()
    if (request === undefined) this.#refuse(client, error)
    else this.#answer(client, request)
    client.socket.uncork()
    if (client.overHardBound) this.#closeSlow(client)
  }

  #answer(client: Client, request: ClientRequest): void {
    switch (request.op) {
      case 'subscribe':
        this.#subscribe(client, request.tokens, withId(request))
        break
      case 'unsubscribe':
        for (const token of request.tokens) this.#followers.delete(client, token)
        client.send(partsOf('unsubscribed', { ...withId(request), tokens: request.tokens }))
        break
      case 'ping':
        client.send(partsOf('pong', { ...withId(request), time: this.#options.clock.now() }))
        break
      default:
        request satisfies never
    }
  }

  #subscribe(client: Client, tokens: readonly string[], id: { id?: string | number }): void {
    const added = tokens.filter(token => !client.subscriptions.has(token))
    const max = this.#options.limits.tokensPerWebSocketMax
    if (client.subscriptions.size + added.length > max) {
      const message = `a connection follows at most ${max} tokens`
      this.#refuse(client, { code: 'tooManyTokens', message, field: 'tokens', ...id })
      return
    }
    for (const token of added) this.#followers.add(client, token)
    client.send(partsOf('subscribed', { ...id, tokens }))
    for (const token of tokens) client.owe(token, 'snapshot')
    this.#catchUp(client)
  }

  #refuse(client: Client, error: RequestError): void {
    const { code, message, field } = error
    client.send(partsOf('error', { code, message, field, ...withId(error) }))
  }

  #catchUp(client: Client): void {
    if (client.owed.size === 0 || !client.open || !this.#options.serving()) return
    const now = this.#options.clock.now()
    client.catchUp((token, what) => this.#owedParts(token, what, now))
  }

  #updateParts(update: StatsUpdate, now: EpochMs): MessageParts {
    const text = update.cells === null ? 'null' : this.#options.encoder.encode(update)
    return statsParts('update', update.token, text, { rolled: update.rolledAt ?? null, sent: now })
  }

  #owedParts(token: string, what: Owed, now: EpochMs): MessageParts {
    const stats = this.#options.tokens.get(token)
    const text = stats === undefined ? 'null' : this.#options.encoder.encode(stats)
    return statsParts(what, token, text, { rolled: stats?.rolledAt ?? null, sent: now })
  }

  #scheduleBeat(): () => void {
    const { clock } = this.#options
    return clock.at(epochMs(clock.now() + BEAT_MS), () => {
      this.#cancelBeat = this.#scheduleBeat()
      this.#beat()
    })
  }

  #beat(): void {
    const now = this.#options.clock.now()
    const slot = this.#beats++ % BEATS_PER_SECOND
    const heartbeat = partsOf('heartbeat', { time: now })
    for (const client of this.#clients) {
      this.#catchUp(client)
      if (client.id % BEATS_PER_SECOND === slot) this.#check(client, heartbeat, now)
    }
  }

  #check(client: Client, heartbeat: MessageParts, now: EpochMs): void {
    const { limits } = this.#options
    if (client.closingSince !== null) {
      if (now - client.closingSince >= CLOSE_GRACE_MS) client.terminate()
      return
    }
    if (now - client.lastHeardAt >= limits.silenceMs) {
      client.terminate()
      return
    }
    if (client.overSoftBound) {
      client.stuckSince ??= now
      if (client.overHardBound || now - client.stuckSince >= limits.slowReaderMs) this.#closeSlow(client)
      return
    }
    client.stuckSince = null
    client.send(heartbeat)
    if (now - client.lastPingAt < limits.pingEveryMs) return
    client.lastPingAt = now
    client.ws.ping()
  }

  #closeSlow(client: Client): void {
    if (!client.open) return
    this.#slowReadersClosed++
    client.close('slowReader', this.#options.clock.now())
  }
}

function withId(from: { readonly id?: string | number }): { id?: string | number } {
  return from.id === undefined ? {} : { id: from.id }
}
