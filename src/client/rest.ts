/// The HTTP API, typed.

import type { CandlesAnswer, LongWindows, TradesPage } from '../delivery/wire/archive.js'
import type { StatusReport } from '../delivery/wire/status.js'
import type { TokenAnswer, TokenFates, TopTraders, TradeList } from '../delivery/wire/token-answer.js'
import type { FullStatistics, TokenStatistics, Totals } from '../delivery/wire/token-statistics.js'
import type { TradesAnswer } from '../delivery/wire/trades.js'
import { errorOf, VolumerError } from './errors.js'

export interface Shape {
  /// Names in either spelling: `5m`, `h24`.
  readonly windows?: readonly string[]
  /// Names of statistics; `*` for all.
  readonly fields?: readonly string[]
}

export interface QueryShape extends Shape {
  /// Epoch ms: windows end with the second of this instant, which lies within the retention.
  readonly asOf?: number
  /// Adds the window before each, and by how much each statistic has changed.
  readonly compare?: 'previous'
}

export interface SwapListOptions {
  /// The longest configured window unless given.
  readonly window?: string
  readonly asOf?: number
  /// 10 unless given, 100 at most.
  readonly limit?: number
}

export interface ListOptions extends Shape {
  readonly sort?: string
  readonly order?: 'desc' | 'asc'
  readonly filter?: string
  readonly limit?: number
  /// `*` begins a consistent listing, then `next` of the page before. See `pages`.
  readonly cursor?: string
}

export interface RankingOptions extends Omit<ListOptions, 'sort' | 'order'> {
  /// The window that it is measured over.
  readonly over?: string
}

export interface RankedTokens {
  readonly sort: string
  readonly order: 'desc' | 'asc'
  readonly filter: string | null
  readonly asOf: number | null
  readonly total: number
  readonly next: string | null
  readonly consistent: boolean | null
  readonly tokens: readonly TokenStatistics[]
}

export interface CandleOptions {
  readonly interval?: CandlesAnswer['interval']
  /// Epoch ms: candles that begin in from ≤ time < to.
  readonly from?: number
  readonly to?: number
  readonly fill?: CandlesAnswer['fill']
}

export interface TradesOptions {
  /// Epoch ms: event times from ≤ time < to.
  readonly from?: number
  readonly to?: number
  readonly limit?: number
  readonly cursor?: string
}

export interface QueriedTokens {
  readonly asOf: number | null
  readonly tokens: readonly TokenStatistics[]
  /// Those without a swap within the retention.
  readonly missing: readonly string[]
}

export interface RestOptions {
  readonly url: URL
  readonly key: string | null
  readonly fetch: typeof fetch
  readonly timeoutMs: number
}

export class Rest {
  readonly #options: RestOptions

  constructor(options: RestOptions) {
    this.#options = options
  }

  /// Any window and any instant within the retention. Rejects with VolumerError `unknown-token` where there is none.
  token(token: string): Promise<FullStatistics>
  token(token: string, shape: QueryShape): Promise<TokenAnswer>
  token(token: string, shape: QueryShape = {}): Promise<unknown> {
    return this.#json(`/v1/tokens/${encodeURIComponent(token)}`, parameters(shape))
  }

  /// The traders with the greatest volume in a window.
  topTraders(token: string, options: SwapListOptions = {}): Promise<TopTraders> {
    return this.#json(`/v1/tokens/${encodeURIComponent(token)}/top-traders`, parameters(options))
  }

  largestTrades(token: string, options: SwapListOptions = {}): Promise<TradeList> {
    return this.#json(`/v1/tokens/${encodeURIComponent(token)}/largest-trades`, parameters(options))
  }

  /// The newest swaps, 10 unless said.
  recentTrades(token: string, limit?: number): Promise<TradeList> {
    return this.#json(`/v1/tokens/${encodeURIComponent(token)}/recent-trades`, parameters({ limit }))
  }

  /// What became of the swaps that name the token.
  fates(token: string): Promise<TokenFates> {
    return this.#json(`/v1/tokens/${encodeURIComponent(token)}/fates`, null)
  }

  /// 500 tokens at most.
  query(tokens: readonly string[], shape: Shape = {}): Promise<QueriedTokens> {
    return this.#json('/v1/tokens/query', null, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tokens, ...shape }),
    })
  }

  tokens(options: ListOptions = {}): Promise<RankedTokens> {
    return this.#json('/v1/tokens', parameters(options))
  }

  ranking(
    name: 'new' | 'gainers' | 'losers' | 'trending',
    options: RankingOptions = {},
  ): Promise<RankedTokens> {
    return this.#json(`/v1/rankings/${name}`, parameters(options))
  }

  /// All pages of a listing, each token once.
  async *pages(options: Omit<ListOptions, 'cursor'> = {}): AsyncGenerator<RankedTokens, void> {
    let cursor: string | null = '*'
    while (cursor !== null) {
      const page: RankedTokens = await this.tokens({ limit: 500, ...options, cursor })
      yield page
      cursor = page.next
    }
  }

  totals(windows?: readonly string[]): Promise<Totals> {
    return this.#json('/v1/totals', parameters(windows === undefined ? {} : { windows }))
  }

  /// The newest 500 unless said.
  candles(token: string, options: CandleOptions = {}): Promise<CandlesAnswer> {
    return this.#json(`/v1/tokens/${encodeURIComponent(token)}/candles`, parameters(options))
  }

  /// 7d and 30d unless said, exact to the minute.
  longWindows(token: string, windows?: readonly string[]): Promise<LongWindows> {
    const query = parameters(windows === undefined ? {} : { windows })
    return this.#json(`/v1/tokens/${encodeURIComponent(token)}/windows`, query)
  }

  /// Archived trades, newest first; `cursor` of the page before brings the next one.
  trades(of: { token: string } | { who: string }, options: TradesOptions = {}): Promise<TradesPage> {
    const path =
      'token' in of ? `tokens/${encodeURIComponent(of.token)}` : `traders/${encodeURIComponent(of.who)}`
    return this.#json(`/v1/${path}/trades`, parameters(options))
  }

  status(): Promise<StatusReport> {
    return this.#json('/v1/status', null)
  }

  /// Sends swaps. They are durable when it resolves, but for those that it lists as invalid.
  send(swaps: readonly object[]): Promise<TradesAnswer> {
    return this.#json('/v1/trades', null, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: swaps.map(swap => `${JSON.stringify(swap)}\n`).join(''),
    })
  }

  async #json<T>(path: string, query: URLSearchParams | null, init: RequestInit = {}): Promise<T> {
    const { url, key, fetch, timeoutMs } = this.#options
    const target = at(url, path)
    if (query !== null) target.search = query.toString()
    let response: Response
    try {
      response = await fetch(target, {
        ...init,
        headers: { ...init.headers, ...(key === null ? {} : { authorization: `Bearer ${key}` }) },
        signal: AbortSignal.timeout(timeoutMs),
      })
    } catch (error) {
      throw new VolumerError(`${url.origin} cannot be reached`, { code: 'unreachable', cause: error })
    }
    if (!response.ok) throw await errorOf(response)
    return JSON.parse(await response.text())
  }
}

/// `path` below the server's address.
export function at(url: URL, path: string): URL {
  return new URL(`${url.pathname.replace(/\/$/, '')}${path}`, url)
}

/// `windows` is the parameter `window`; what is undefined is left out.
function parameters(options: object): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue
    query.set(name === 'windows' ? 'window' : name, Array.isArray(value) ? value.join(',') : String(value))
  }
  return query
}
