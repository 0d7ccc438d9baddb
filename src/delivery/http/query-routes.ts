/// What is asked of a token's owner besides statistics: top traders, the largest and the newest swaps, fates.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Guard } from '../guard/guard.js'
import { charge } from '../guard/guard-hooks.js'
import type { Charge, OnDemand } from '../queries/on-demand.js'
import { GetLargestTrades, GetRecentTrades, GetTokenFates, GetTopTraders } from './operations/queries.js'
import { sendComputed, serve } from './serve.js'
import { requireServing } from './token-routes.js'

export interface QueryRoutesOptions {
  readonly onDemand: OnDemand
  readonly guard: Guard
  serving(): boolean
}

export function queryRoutes(app: FastifyInstance, options: QueryRoutesOptions): void {
  const { onDemand, guard } = options
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    ask: (charge: Charge) => Promise<string>,
  ): Promise<FastifyReply> => {
    requireServing(options)
    return sendComputed(request, reply, await ask(cost => charge(guard, request, reply, cost)))
  }

  serve(app, GetTopTraders, ({ params: { token }, query, request, reply }) =>
    answer(request, reply, each => onDemand.topTraders(token, query, each)),
  )
  serve(app, GetLargestTrades, ({ params: { token }, query, request, reply }) =>
    answer(request, reply, each => onDemand.largestTrades(token, query, each)),
  )
  serve(app, GetRecentTrades, ({ params: { token }, query, request, reply }) =>
    answer(request, reply, each => onDemand.recentTrades(token, query.limit, each)),
  )
  serve(app, GetTokenFates, ({ params: { token }, request, reply }) =>
    answer(request, reply, each => onDemand.fates(token, each)),
  )
}
