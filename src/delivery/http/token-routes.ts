/// Statistics of one token or many, and the predecessor's GET /stats.

import type { FastifyInstance, FastifyReply } from 'fastify'
import type { TokenStats } from '../../core/stats.js'
import { versionText } from '../../core/stats.js'
import type { Guard } from '../guard/guard.js'
import { charge } from '../guard/guard-hooks.js'
import { type OnDemand, unknownToken } from '../queries/on-demand.js'
import { isKept } from '../queries/question.js'
import { selectionOf } from '../selection.js'
import type { StatsTexts } from '../stats-texts.js'
import type { ReadableTokens } from '../token-table.js'
import type { TotalsTable } from '../totals.js'
import { validator } from '../validate.js'
import { encodePredecessorStats } from '../wire/predecessor.js'
import { ProblemError } from '../wire/problem.js'
import { encodeSelection, type Selection } from '../wire/stats.js'
import type { BodyReader } from './body.js'
import { jsonBody } from './json-body.js'
import { GetPredecessorStats, GetToken, GetTotals, QueryTokens, TokensQuery } from './operations/tokens.js'
import { digestOf, JSON_TYPE, sendComputed, sendConditional, serve } from './serve.js'

/// What a token in a batch costs, in tokens asked for alone.
const QUERY_TOKEN_COST = 0.1

export interface TokenRoutesOptions {
  readonly tokens: ReadableTokens
  readonly texts: StatsTexts
  readonly totals: TotalsTable
  readonly bodies: BodyReader
  readonly guard: Guard
  readonly onDemand: OnDemand
  /// A part of every ETag: other windows or another program may make other texts of the same version.
  readonly shape: string
  /// False until the statistics are complete for the first time.
  serving(): boolean
}

export function tokenRoutes(app: FastifyInstance, options: TokenRoutesOptions): void {
  const { tokens, texts, totals, bodies, guard, shape, onDemand } = options
  const { windows } = texts
  const query = validator(TokensQuery)

  const find = (token: string): TokenStats => {
    requireServing(options)
    const stats = tokens.get(token)
    if (stats === undefined) throw unknownToken(token)
    return stats
  }
  const encode = encoder(texts)

  serve(app, GetToken, ({ params, query, request, reply }): Promise<FastifyReply> | undefined => {
    if (!isKept(query, windows)) {
      requireServing(options)
      const take = (cost: number) => charge(guard, request, reply, cost)
      return onDemand.statistics(params.token, query, take).then(text => sendComputed(request, reply, text))
    }
    const selection = selectionOf(query, windows)
    const stats = find(params.token)
    const tag = `${versionText(stats)}-${shape}`
    const answer = () => (selection === null ? texts.bytesOf(stats) : encode(stats, selection))
    sendConditional(request, reply, answer, tag)
    return undefined
  })

  serve(app, QueryTokens, async ({ request, reply }) => {
    const body = await jsonBody(request, bodies, query)
    charge(guard, request, reply, Math.floor(body.tokens.length * QUERY_TOKEN_COST))
    const choice = {
      ...(body.windows === undefined ? {} : { window: body.windows }),
      ...(body.fields === undefined ? {} : { fields: body.fields }),
    }
    const selection = selectionOf(choice, windows, 'windows')
    requireServing(options)
    const missing = new Set<string>()
    const found: string[] = []
    for (const token of new Set(body.tokens)) {
      const stats = tokens.get(token)
      if (stats === undefined) missing.add(token)
      else found.push(encode(stats, selection))
    }
    const text = `{"asOf":${totals.asOf},"tokens":[${found.join(',')}],"missing":${JSON.stringify([...missing])}}`
    return reply.type(JSON_TYPE).send(text)
  })

  serve(app, GetTotals, ({ query, request, reply }) => {
    const selection = selectionOf(query, windows)
    requireServing(options)
    const tag = `${tokens.revision}-${shape}-${digestOf(request.url)}`
    sendConditional(request, reply, () => JSON.stringify(totals.read(selection?.windows)), tag)
  })

  serve(app, GetPredecessorStats, ({ query, reply }) => {
    reply.type(JSON_TYPE).send(encodePredecessorStats(find(query.token), windows))
  })
}

export function encoder(texts: StatsTexts): (stats: TokenStats, selection: Selection | null) => string {
  return (stats, selection) => (selection === null ? texts.of(stats) : encodeSelection(stats, selection))
}

export function requireServing(options: { serving(): boolean }): void {
  if (options.serving()) return
  const extra = { retryAfterSeconds: 1 }
  throw new ProblemError('starting', 'the statistics are not complete yet; see /readyz', extra)
}
