/// GET /livez, /readyz, /v1/status, and the index of the routes at GET /.

import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../wire/problem.js'
import type { Readiness, StatusReport } from '../wire/status.js'

export interface HealthRoutesOptions {
  readiness(): Readiness
  status(): StatusReport
  draining(): boolean
}

const INDEX = {
  name: 'volumer',
  routes: {
    'GET /v1/tokens/{token}': 'statistics of a token; ?window=5m,1h for some windows only',
    'GET /v1/tokens': 'tokens by a statistic: ?sort=volume.h24&order=desc&limit=50',
    'POST /v1/trades': 'takes swaps: NDJSON or a JSON array, gzip if you like',
    'GET /ws': 'WebSocket: live statistics, {"op":"subscribe","tokens":["BTC"]}',
    'GET /stats?token={token}': 'window to volume, as the predecessor answers it',
    'GET /v1/status': 'fates, rates, positions, lag, delay, clients',
    'GET /livez': 'the process runs',
    'GET /readyz': 'the statistics are complete and current',
  },
}

export function healthRoutes(app: FastifyInstance, options: HealthRoutesOptions): void {
  app.get('/', () => INDEX)

  app.get('/livez', () => ({ status: 'live' }))

  app.get('/readyz', () => {
    if (options.draining()) {
      throw new ProblemError('draining', 'the server is shutting down', { retryAfterSeconds: 1 })
    }
    const readiness = options.readiness()
    if (readiness.ready) return { status: 'ready' }
    throw new ProblemError('not-ready', readiness.reason, {
      retryAfterSeconds: 1,
      ...(readiness.percent === null ? {} : { percent: readiness.percent }),
    })
  })

  app.get('/v1/status', () => options.status())
}
