/// The guard on HTTP routes: each request is identified and charged before anything of it is read.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { allowanceHeaders, type Caller, type Guard } from './guard.js'
import type { Origins } from './origins.js'

declare module 'fastify' {
  interface FastifyRequest {
    /// Who asks; null where nobody has asked yet.
    caller: Caller | null
  }
}

/// Of what is no route.
const UNKNOWN_COST = 1

export function guardRoutes(app: FastifyInstance, guard: Guard, origins: Origins): void {
  app.decorateRequest('caller', null)
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    if (origins.any) reply.headers(origins.headers(origin))
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      const headers = origins.preflight(origin)
      if (headers !== null) {
        reply.headers(headers).code(204).send()
        return
      }
    }
    const { operation } = request.routeOptions.config
    // A browser cannot set headers on an EventSource, so streams take the key as a parameter too.
    const key = operation?.stream ? queryKey(request) : null
    const caller = guard.identify(operation?.access ?? 'open', request.headers, key, request.ip)
    request.caller = caller
    charge(guard, request, reply, operation?.cost ?? UNKNOWN_COST)
    done()
  })
}

/// Takes more of the caller's rate than the operation's own cost.
export function charge(guard: Guard, request: FastifyRequest, reply: FastifyReply, cost: number): void {
  if (request.caller === null) return
  const allowance = guard.charge(request.caller, cost)
  if (allowance !== null) reply.headers(allowanceHeaders(allowance))
}

function queryKey({ query }: FastifyRequest): string | null {
  const key = new Map<string, unknown>(Object.entries(query ?? {})).get('key')
  return typeof key === 'string' ? key : null
}
