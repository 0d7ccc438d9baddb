/// GET /livez, /readyz and /v1/status.

import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../wire/problem.js'
import type { Readiness, StatusReport } from '../wire/status.js'
import { GetLive, GetReady, GetStatus } from './operations/server.js'
import { serve } from './serve.js'

export interface HealthRoutesOptions {
  readiness(): Readiness
  status(): StatusReport
  draining(): boolean
}

export function healthRoutes(app: FastifyInstance, options: HealthRoutesOptions): void {
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
