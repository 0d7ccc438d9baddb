/// Fastify with our errors and our limits, and without routes (docs/adr has why).

import { METHODS } from 'node:http'
import type { Socket } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import type { WebLimits } from '../limits.js'
import { ProblemError, problemJson } from '../wire/problem.js'
import type { Operation } from './operation.js'
import { problemOf, sendProblem } from './problems.js'

/// Room for a token of 128 characters, each percent-encoded as twelve.
const PATH_PART_LENGTH_MAX = 2048
const KEEP_ALIVE_MS = 65_000
/// How often the server looks for requests that take too long.
const CHECK_MS = 1_000

export interface BareServerOptions {
  /// All that it will serve.
  readonly operations: readonly Operation[]
  readonly limits: WebLimits
  /// Whether the address of a request is what a proxy in front says.
  readonly trustProxy: boolean
  /// Gets errors that are no client's fault.
  onError(error: unknown): void
}

export function bareServer({ operations, limits, trustProxy, onError }: BareServerOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    // One hop: what stands before it in the header is the client's word.
    trustProxy: trustProxy ? (_address: string, hop: number) => hop < 1 : false,
    routerOptions: { maxParamLength: PATH_PART_LENGTH_MAX },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Node's own guard, for bodies that no route reads; the route's is tighter.
    requestTimeout: limits.bodyTimeoutMs * 2,
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: CHECK_MS },
    forceCloseConnections: 'idle',
    // While it closes, requests over connections that are open reach the routes, which know what they still do and say when to
    // come back; Fastify's own answer is no problem document.
    return503OnClosing: false,
    clientErrorHandler: refuseGarbage,
    frameworkErrors: (error, _request, reply) => sendProblem(reply, problemOf(error, onError)),
  })
  app.server.maxConnections = limits.connectionsMax

  // What is not among the operations is in no document, so there is no such route.
  app.addHook('onRoute', ({ config, url }) => {
    const known = operations.some(operation => operation === config?.operation)
    if (!known) throw new Error(`the route ${url} is none of the operations that are documented`)
  })
  // Routes that take a body read it themselves, from the raw request.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.setErrorHandler((error, _request, reply) => sendProblem(reply, problemOf(error, onError)))
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?', 1)
    const allowed = METHODS.filter(method => app.supportedMethods.includes(method))
      .filter(method => app.findRoute({ method, url: path }) !== null)
      .join(', ')
    if (allowed === '')
      return sendProblem(reply, new ProblemError('unknown-route', `there is no ${path}; see /`))
    reply.header('allow', allowed)
    sendProblem(reply, new ProblemError('method-not-allowed', `${path} takes ${allowed}`))
  })
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    done()
  })
  return app
}

/// Answers what is no HTTP request, or one whose header came too slowly.
function refuseGarbage(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy(error)
    return
  }
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const problem = slow
    ? problemJson('body-too-slow', 'the request came too slowly')
    : problemJson('invalid-body', 'this is not an HTTP request that can be read')
  const body = JSON.stringify(problem)
  const status = slow ? '408 Request Timeout' : '400 Bad Request'
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
