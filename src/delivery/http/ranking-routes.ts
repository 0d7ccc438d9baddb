/// Tokens in an order: GET /v1/tokens and GET /v1/rankings/{ranking}.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { charge } from '../guard/guard-hooks.js'
import type { Pages } from '../rankings/pages.js'
import type { RankingRule } from '../rankings/rank.js'
import { ruleOf } from '../rankings/rule.js'
import { type Choice, chooseWindows, selectionOf } from '../selection.js'
import type { PlacedWindow } from '../wire/metrics.js'
import { ProblemError } from '../wire/problem.js'
import { GetRanking, ListTokens, type RANKINGS } from './operations/rankings.js'
import { digestOf, sendConditional, serve } from './serve.js'
import { encoder, requireServing, type TokenRoutesOptions } from './token-routes.js'

const LIST_LIMIT = 50
/// A ranking that is not kept in order looks at every token: 100,000 of them are 50 units of cost.
const SCANNED_TOKEN_COST = 1 / 2000

export interface RankingRoutesOptions extends TokenRoutesOptions {
  readonly pages: Pages
}

interface ListQuery extends Choice {
  readonly limit?: number
  readonly cursor?: string
}

export function rankingRoutes(app: FastifyInstance, options: RankingRoutesOptions): void {
  const { texts, totals, pages, guard, shape } = options
  const { windows } = texts
  const encode = encoder(texts)

  async function list(
    rule: RankingRule,
    query: ListQuery,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const selection = selectionOf(query, windows)
    requireServing(options)
    const page = await pages.page(rule, query.limit ?? LIST_LIMIT, query.cursor)
    if (page === null) {
      const detail = 'cursor is “*”, or `next` of the page before, with the same sort, order and filter'
      throw new ProblemError('invalid-parameter', detail, { field: 'cursor' })
    }
    charge(guard, request, reply, Math.floor(page.scanned * SCANNED_TOKEN_COST))
    const { sort, order, filter } = rule
    const text = () => {
      const listed = page.entries.map(({ stats }) => encode(stats, selection)).join(',')
      const next = JSON.stringify(page.next)
      return (
        `{"sort":"${sort.name}","order":"${order}","filter":${JSON.stringify(filter?.text ?? null)}` +
        `,"asOf":${totals.asOf},"total":${page.total},"next":${next},"consistent":${page.consistent}` +
        `,"tokens":[${listed}]}`
      )
    }
    return sendConditional(
      request,
      reply,
      text,
      `${page.revision}-${shape}-${digestOf(request.url + page.next)}`,
    )
  }

  serve(app, ListTokens, ({ query, request, reply }) => {
    const rule = ruleOf(query, windows)
    return list(rule, query, request, reply)
  })

  serve(app, GetRanking, ({ params, query, request, reply }) => {
    const rule = namedRule(params.ranking, query.over, query.filter, windows)
    return list(rule, query, request, reply)
  })
}

function namedRule(
  ranking: (typeof RANKINGS)[number],
  over: string | undefined,
  filter: string | undefined,
  windows: readonly PlacedWindow[],
): RankingRule {
  const name = overWindow(over, windows)
  // Its own faults first, with their places in the text as it was sent.
  if (filter !== undefined) ruleOf({ filter }, windows)
  const both = (own: string) => (filter === undefined ? own : `${own} and (${filter})`)
  switch (ranking) {
    case 'new':
      return ruleOf({ sort: 'firstSeen', ...(filter === undefined ? {} : { filter }) }, windows)
    case 'gainers':
      return ruleOf({ sort: `priceChange.${name}`, filter: both(`priceChange.${name}>0`) }, windows)
    case 'losers':
      return ruleOf(
        { sort: `priceChange.${name}`, order: 'asc', filter: both(`priceChange.${name}<0`) },
        windows,
      )
    case 'trending':
      return ruleOf({ sort: `trending.${name}`, filter: both(`trending.${name}>0`) }, windows)
    default:
      return ranking satisfies never
  }
}

/// The third shortest, where there are so many: 15 minutes of the default ones.
function overWindow(over: string | undefined, windows: readonly PlacedWindow[]): string {
  if (over === undefined) return windows[Math.min(2, windows.length - 1)]?.name ?? ''
  const chosen = chooseWindows([over], windows)
  if ('unknown' in chosen) throw new ProblemError('invalid-parameter', chosen.unknown, { field: 'over' })
  return chosen[0]?.name ?? ''
}
