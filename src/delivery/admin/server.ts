/// The HTTP server of the admin port. It listens apart from the API, so that what is for operators is not exposed with
/// what is for users.

import type { FastifyInstance } from 'fastify'
import type { ClientInfo } from '../feeds/hub.js'
import type { Guard } from '../guard/guard.js'
import { guardRoutes } from '../guard/guard-hooks.js'
import { Origins } from '../guard/origins.js'
import { bareServer } from '../http/bare-server.js'
import { serve } from '../http/serve.js'
import type { WebLimits } from '../limits.js'
import { EXPOSITION_TYPE } from '../metrics/exposition.js'
import { openApi } from '../spec/openapi.js'
import { ProblemError } from '../wire/problem.js'
import { ADMIN_OPERATIONS, CloseClient, GetAdminOpenApi, GetMetrics, ListClients } from './operations.js'

export interface AdminOptions {
  readonly guard: Guard
  readonly limits: WebLimits
  readonly version: string
  metrics(): string
  clients(): readonly ClientInfo[]
  /// False when there is no such client.
  closeClient(id: number): boolean
  onError(error: unknown): void
}

export function adminServer(options: AdminOptions): FastifyInstance {
  const app = bareServer({ ...options, operations: ADMIN_OPERATIONS, trustProxy: false })
  guardRoutes(app, options.guard, new Origins([]))

  serve(app, GetMetrics, ({ reply }) => reply.type(EXPOSITION_TYPE).send(options.metrics()))
  serve(app, ListClients, () => ({ clients: options.clients() }))
  serve(app, CloseClient, ({ params }) => {
    if (options.closeClient(params.id)) return { closed: params.id }
    throw new ProblemError('unknown-client', `there is no client ${params.id}`, { field: 'id' })
  })
  const document = openApi(ADMIN_OPERATIONS, options.version)
  serve(app, GetAdminOpenApi, () => document)
  return app
}
