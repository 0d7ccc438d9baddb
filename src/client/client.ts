/// A client of Volumer for browsers and Node.js, without dependencies.
///
///   const client = new VolumerClient({ url: 'http://127.0.0.1:4242' })
///   for await (const { token, stats } of client.subscribe({ channel: 'token', tokens: ['BTC'], mode: 'delta' })) {
///     console.log(token, stats?.volume?.m5)
///   }
///
/// All subscriptions of a client share one WebSocket, which is opened with the first and comes back by itself. What was missed
/// meanwhile is brought back by a cursor; where that is not possible `onGap` says so, and the newest state follows.

import type { ErrorMessage, Gap, ServerMessage } from '../delivery/wire/messages.js'
import type { Wire } from '../delivery/wire/schema.js'
import {
  isFor,
  keyOf,
  keysOf,
  type Request,
  type StateMessage,
  States,
  type Update,
  type UpdateOf,
} from './channels.js'
import { type Closed, Connection, type SocketConstructor } from './connection.js'
import { VolumerError } from './errors.js'
import { at, Rest } from './rest.js'
import { Subscription } from './subscription.js'

export type {
  CandlesUpdate,
  RankingUpdate,
  Request,
  StatusUpdate,
  TokenUpdate,
  TotalsUpdate,
  TradesUpdate,
  Update,
} from './channels.js'
export type { Closed, SocketConstructor, SocketLike } from './connection.js'
export { VolumerError } from './errors.js'
export type {
  CandleOptions,
  ListOptions,
  QueriedTokens,
  QueryShape,
  RankedTokens,
  RankingOptions,
  Shape,
  SwapListOptions,
  TradesOptions,
} from './rest.js'
export type { Subscription } from './subscription.js'

export interface GapNotice {
  /// As the server says it, or `slowConsumer`: this program reads more slowly than updates come.
  readonly reason: Wire<typeof Gap>['reason'] | 'slowConsumer'
  readonly skipped: number | null
  /// The tokens concerned; null for any.
  readonly tokens: readonly string[] | null
}

export interface VolumerClientOptions {
  /// Of the server: `http://127.0.0.1:4242`.
  readonly url: string | URL
  readonly key?: string
  /// The platform's, unless given. Node.js before 22 has none: pass that of the package `ws`.
  readonly WebSocket?: SocketConstructor
  readonly fetch?: typeof fetch
  /// Of one HTTP request; ten seconds unless given.
  readonly timeoutMs?: number
  /// 0 … 1, for jitter; Math.random unless given.
  readonly random?: () => number
  onGap?(gap: GapNotice): void
  onOpen?(): void
  onClose?(closed: Closed): void
  /// Every message as it came.
  onMessage?(text: string): void
}

interface Following {
  readonly request: Request
  readonly keys: readonly string[]
  hear(update: Update): void
  end(error?: unknown): void
}

/// Room for names in one request; the server takes 64 KiB.
const REQUEST_CHARS_MAX = 16_000

export class VolumerClient extends Rest {
  readonly #options: VolumerClientOptions
  readonly #url: URL
  readonly #followings = new Map<number, Following>()
  readonly #byKey = new Map<string, Following>()
  readonly #states = new States()
  #connection: Connection | null = null
  #cursor: string | null = null
  #nextId = 1

  constructor(options: VolumerClientOptions) {
    const url = new URL(options.url)
    super({
      url,
      key: options.key ?? null,
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      timeoutMs: options.timeoutMs ?? 10_000,
    })
    this.#options = options
    this.#url = url
  }

  /// Follows what is asked for until it is unsubscribed, the loop over it is left, or the client is closed. A token can be
  /// followed by one subscription at a time. The iteration throws VolumerError when the server refuses.
  subscribe<R extends Request>(request: R, onUpdate?: (update: UpdateOf<R>) => void): Subscription<R> {
    const keys = keysOf(request)
    const taken = keys.find(key => this.#byKey.has(key))
    if (taken !== undefined)
      throw new VolumerError(`${taken} is followed already`, { code: 'alreadyFollowed' })
    const id = this.#nextId++
    const subscription = new Subscription<R>(request, keyOf, {
      ...(onUpdate === undefined ? {} : { onUpdate }),
      onSkipped: skipped => this.#options.onGap?.({ reason: 'slowConsumer', skipped, tokens: null }),
      onUnsubscribe: () => this.#unsubscribe(id),
    })
    const following: Following = {
      request,
      keys,
      hear(update) {
        if (isFor(request, update)) subscription.hear(update)
      },
      end: error => subscription.end(error),
    }
    this.#followings.set(id, following)
    for (const key of keys) this.#byKey.set(key, following)
    if (this.#connection === null) this.#connection = this.#connect()
    else this.#say(id, request, null)
    return subscription
  }

  /// Tries again now, where the pause before the next try to connect would be waited for.
  retry(): void {
    this.#connection?.retry()
  }

  /// Ends every subscription and the connection.
  close(): void {
    this.#connection?.close()
    this.#connection = null
    this.#end()
  }

  #connect(): Connection {
    const WebSocket = this.#options.WebSocket ?? platformWebSocket()
    const target = at(this.#url, '/ws')
    target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
    if (this.#options.key !== undefined) target.searchParams.set('key', this.#options.key)
    return new Connection(
      { url: target.href, WebSocket, random: this.#options.random ?? Math.random },
      {
        onOpen: () => this.#opened(),
        onMessage: text => this.#heard(text),
        onClose: closed => {
          this.#options.onClose?.(closed)
          if (closed.retryInMs !== null) return
          this.#connection = null
          this.#end(new VolumerError(closed.reason, { code: `close ${closed.code}` }))
        },
      },
    )
  }

  /// Subscribes to everything again, from where it was.
  #opened(): void {
    this.#options.onOpen?.()
    for (const [id, { request }] of this.#followings) this.#say(id, request, this.#cursor)
  }

  /// In requests of bounded size. Only what a state is known of can be resumed.
  #say(id: number, request: Request, cursor: string | null): void {
    if (request.channel !== 'token' && request.channel !== 'trades') {
      this.#connection?.send({ op: 'subscribe', id, subscriptions: [request] })
      return
    }
    const known = request.tokens.filter(token => this.#states.has(keyOf({ channel: request.channel, token })))
    const resumed = cursor === null ? [] : known
    const fresh = cursor === null ? request.tokens : request.tokens.filter(token => !known.includes(token))
    for (const tokens of pieces(resumed)) {
      this.#connection?.send({ op: 'subscribe', id, subscriptions: [{ ...request, tokens }], cursor })
    }
    for (const tokens of pieces(fresh)) {
      this.#connection?.send({ op: 'subscribe', id, subscriptions: [{ ...request, tokens }] })
    }
  }

  #unsubscribe(id: number): void {
    const following = this.#followings.get(id)
    if (following === undefined) return
    this.#forget(id, following)
    const { request } = following
    switch (request.channel) {
      case 'token':
        for (const tokens of pieces(request.tokens)) this.#connection?.send({ op: 'unsubscribe', tokens })
        break
      case 'trades':
        for (const tokens of pieces(request.tokens))
          this.#connection?.send({ op: 'unsubscribe', trades: tokens })
        break
      case 'ranking':
        this.#connection?.send({ op: 'unsubscribe', rankings: [request.name ?? 'ranking'] })
        break
      case 'candles': {
        const { token, interval = '1m' } = request
        this.#connection?.send({ op: 'unsubscribe', candles: [{ token, interval }] })
        break
      }
      case 'totals':
      case 'status':
        this.#connection?.send({ op: 'unsubscribe', channels: [request.channel] })
        break
      default:
        request satisfies never
    }
  }

  #forget(id: number, { keys }: Following): void {
    this.#followings.delete(id)
    for (const key of keys) {
      this.#byKey.delete(key)
      this.#states.delete(key)
    }
  }

  #end(error?: unknown): void {
    for (const [id, following] of [...this.#followings]) {
      this.#forget(id, following)
      following.end(error)
    }
  }

  #heard(text: string): void {
    this.#options.onMessage?.(text)
    const message = parsed(text)
    if (message === null) return
    if ('cursor' in message && message.cursor !== undefined) this.#cursor = message.cursor
    switch (message.type) {
      case 'snapshot':
      case 'update': {
        const following = this.#byKey.get(keyOf(message))
        const update = following === undefined ? null : this.#states.take(message)
        if (update !== null) following?.hear(update)
        break
      }
      case 'gap': {
        const { reason, skipped, tokens } = message
        this.#options.onGap?.({ reason, skipped, tokens })
        break
      }
      case 'error':
        this.#refused(message)
        break
      case 'serverShutdown':
        this.#connection?.postpone(message.reconnectAfterMs)
        break
      default:
        // Acknowledgements and heartbeats say nothing that a reader wants to know; what is newer than this client neither.
        break
    }
  }

  #refused({ id, code, message, field }: Wire<typeof ErrorMessage>): void {
    const following = typeof id === 'number' ? this.#followings.get(id) : undefined
    if (following === undefined || typeof id !== 'number') return
    this.#forget(id, following)
    following.end(new VolumerError(message, { code, field }))
  }
}

/// What servers say that a client listens to.
type Heard = StateMessage | Exclude<ServerMessage, { readonly channel: string }>

function parsed(text: string): Heard | null {
  try {
    const document: Heard | null = JSON.parse(text)
    return typeof document === 'object' ? document : null
  } catch {
    return null
  }
}

function platformWebSocket(): SocketConstructor {
  const found: unknown = Reflect.get(globalThis, 'WebSocket')
  if (isSocketConstructor(found)) return found
  throw new VolumerError(
    'there is no WebSocket here: pass one, new VolumerClient({ url, WebSocket }), such as that of the package ws',
    { code: 'noWebSocket' },
  )
}

const isSocketConstructor = (value: unknown): value is SocketConstructor => typeof value === 'function'

/// Names in lists whose texts are not too long for one request.
function* pieces(tokens: readonly string[]): Generator<readonly string[]> {
  let piece: string[] = []
  let chars = 0
  for (const token of tokens) {
    if (chars + token.length > REQUEST_CHARS_MAX) {
      yield piece
      piece = []
      chars = 0
    }
    piece.push(token)
    chars += token.length + 3
  }
  if (piece.length > 0) yield piece
}
