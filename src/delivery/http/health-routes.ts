/// GET /livez, /readyz, /v1/status, and the index of the routes at GET /.

import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../wire/problem.js'
import type { Readiness, StatusReport } from '../wire/status.js'
import { GetIndex, GetLive, GetReady, GetStatus } from './operations/server.js'
import { OPERATIONS } from './operations.js'
import { serve } from './serve.js'

export interface HealthRoutesOptions {
  readiness(): Readiness
  status(): StatusReport
  draining(): boolean
}

const INDEX = {
  name: 'volumer',
  routes: Object.fromEntries([
    ...OPERATIONS.map(({ method, path, summary }) => [`${method} ${path}`, summary]),
    ['GET /ws', 'WebSocket: live statistics, {"op":"subscribe","tokens":["BTC"]}; see /asyncapi.json'],
  ]),
}

export function healthRoutes(app: FastifyInstance, options: HealthRoutesOptions): void {
  serve(app, GetIndex, () => INDEX)

  serve(app, GetLive, () => ({ status: 'live' }))

  serve(app, GetReady, () => {
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

  serve(app, GetStatus, () => options.status())
}
