/// The HTTP server of the API: its routes, guarded, compressed and counted.

import type { FastifyInstance } from 'fastify'
import type { Guard } from '../guard/guard.js'
import { guardRoutes } from '../guard/guard-hooks.js'
import type { ServerMetrics } from '../metrics/server-metrics.js'
import { type StreamRouteOptions, streamRoute } from '../sse/stream-route.js'
import { type ArchiveRoutesOptions, archiveRoutes } from './archive-routes.js'
import { type BareServerOptions, bareServer } from './bare-server.js'
import { compressAnswers } from './compression.js'
import { type DashboardRoutesOptions, dashboardRoutes } from './dashboard-routes.js'
import { documentRoutes } from './document-routes.js'
import { type HealthRoutesOptions, healthRoutes } from './health-routes.js'
import { OPERATIONS } from './operations.js'
import { type QueryRoutesOptions, queryRoutes } from './query-routes.js'
import { type QuestionRoutesOptions, questionRoutes } from './question-routes.js'
import { type RankingRoutesOptions, rankingRoutes } from './ranking-routes.js'
import { tokenRoutes } from './token-routes.js'
import { type TradesRouteOptions, tradesRoute } from './trades-route.js'

export interface HttpOptions
  extends RankingRoutesOptions,
    QueryRoutesOptions,
    QuestionRoutesOptions,
    HealthRoutesOptions,
    TradesRouteOptions,
    ArchiveRoutesOptions,
    StreamRouteOptions,
    DashboardRoutesOptions,
    Omit<BareServerOptions, 'operations'> {
  readonly guard: Guard
  readonly metrics: ServerMetrics
  /// Of the program.
  readonly version: string
}

export function httpServer(options: HttpOptions): FastifyInstance {
  const { metrics } = options
  const app = bareServer({ ...options, operations: OPERATIONS })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (options.draining()) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { operation } = request.routeOptions.config
    metrics.request(operation?.id ?? 'none', reply.statusCode, reply.elapsedTime)
    done()
  })
  guardRoutes(app, options.guard, options.origins)
  compressAnswers(app)

  healthRoutes(app, options)
  tokenRoutes(app, options)
  queryRoutes(app, options)
  questionRoutes(app, options)
  rankingRoutes(app, options)
  streamRoute(app, options)
  tradesRoute(app, options)
  archiveRoutes(app, options)
  documentRoutes(app, options.version)
  dashboardRoutes(app, options)
  return app
}
