/// GET /v1/tokens/{token}, GET /v1/tokens and the predecessor's GET /stats.

import type { FastifyInstance } from 'fastify'
import type { TokenStats } from '../../core/stats.js'
import { parseSort, rank } from '../ranking.js'
import type { ReadableTokens } from '../token-table.js'
import { encodePredecessorStats } from '../wire/predecessor.js'
import { ProblemError } from '../wire/problem.js'
import { encodeStats, type PlacedWindow, type StatsEncoder } from '../wire/stats.js'
import { choiceParameter, integerParameter, type Query, textParameter, windowParameter } from './query.js'

const LIST_LIMIT = 50
const LIST_LIMIT_MAX = 500
const JSON_TYPE = 'application/json; charset=utf-8'

export interface TokenRoutesOptions {
  readonly tokens: ReadableTokens
  readonly encoder: StatsEncoder
  /// False until the statistics are complete for the first time.
  serving(): boolean
}

export function tokenRoutes(app: FastifyInstance, options: TokenRoutesOptions): void {
  const { tokens, encoder } = options
  const { windows } = encoder

  const find = (token: string): TokenStats => {
    requireServing(options)
    const stats = tokens.get(token)
    if (stats !== undefined) return stats
    const detail = `there is no swap of ${JSON.stringify(token)} within the retention`
    throw new ProblemError('unknown-token', detail, { field: 'token' })
  }
  const encode = (stats: TokenStats, chosen: PlacedWindow[] | undefined): string =>
    chosen === undefined ? encoder.encode(stats) : encodeStats(stats, chosen)

  app.get<{ Params: { token: string }; Querystring: Query }>('/v1/tokens/:token', (request, reply) => {
    const chosen = windowParameter(request.query, windows)
    reply.type(JSON_TYPE).send(encode(find(request.params.token), chosen))
  })

  app.get<{ Querystring: Query }>('/v1/tokens', ({ query }, reply) => {
    const sort = parseSort(textParameter(query, 'sort') ?? defaultSort(windows), windows)
    if ('wanted' in sort) {
      throw new ProblemError('invalid-parameter', `sort is ${sort.wanted}`, { field: 'sort' })
    }
    const order = choiceParameter(query, 'order', ['desc', 'asc'], 'desc')
    const limit = integerParameter(query, 'limit', LIST_LIMIT_MAX, LIST_LIMIT)
    const chosen = windowParameter(query, windows)
    requireServing(options)
    let asOf: number | null = null
    for (const stats of tokens.values()) asOf = Math.max(asOf ?? stats.asOf, stats.asOf)
    const listed = rank(tokens.values(), sort, order, limit).map(stats => encode(stats, chosen))
    const head = `{"sort":"${sort.name}","order":"${order}","asOf":${asOf},"total":${tokens.size},"tokens":[`
    reply.type(JSON_TYPE).send(`${head}${listed.join(',')}]}`)
  })

  app.get<{ Querystring: Query }>('/stats', ({ query }, reply) => {
    const token = textParameter(query, 'token')
    if (token === undefined || token === '') {
      throw new ProblemError('invalid-parameter', 'token is required: /stats?token=BTC', { field: 'token' })
    }
    reply.type(JSON_TYPE).send(encodePredecessorStats(find(token), windows))
  })
}

function requireServing(options: TokenRoutesOptions): void {
  if (options.serving()) return
  const extra = { retryAfterSeconds: 1 }
  throw new ProblemError('starting', 'the statistics are not complete yet; see /readyz', extra)
}

/// Volume of the longest window.
function defaultSort(windows: readonly PlacedWindow[]): string {
  return `volume.${windows.at(-1)?.name}`
}
