/// GET /v1/stream: the feeds as server-sent events.

import type { FastifyInstance } from 'fastify'
import type { Hub } from '../feeds/hub.js'
import { clientsFault } from '../feeds/room.js'
import { GetStream } from '../http/operations/stream.js'
import { serve } from '../http/serve.js'
import type { WebLimits } from '../limits.js'
import { ProblemError } from '../wire/problem.js'
import { type ClientRequest, type Parsed, parseRequest, type SubscribeRequest } from '../wire/requests.js'
import { EventTransport } from './transport.js'

const RETRY_SECONDS = 5

export interface StreamRouteOptions {
  readonly hub: Hub
  readonly limits: WebLimits
  draining(): boolean
}

export function streamRoute(app: FastifyInstance, options: StreamRouteOptions): void {
  const { hub, limits } = options
  serve(app, GetStream, ({ query, request, reply }) => {
    if (options.draining()) {
      const extra = { retryAfterSeconds: RETRY_SECONDS }
      throw new ProblemError('draining', 'the server is shutting down', extra)
    }
    const { token, subscriptions, cursor, window: windows, key: _, ...rest } = query
    const lastEventId = request.headers['last-event-id']
    const from = cursor ?? (typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : undefined)
    const subscribe = subscribed({
      op: 'subscribe',
      ...rest,
      ...(token === undefined ? {} : { tokens: token }),
      ...(windows === undefined ? {} : { windows }),
      ...(subscriptions === undefined ? {} : { subscriptions: parsed(subscriptions) }),
      ...(from === undefined ? {} : { cursor: from }),
    })
    const fault = hub.subscribeFault(subscribe)
    if (fault !== null) throw faulty(fault)
    const full = clientsFault(hub, limits, request.ip)
    if (full !== null) throw new ProblemError('overloaded', full, { retryAfterSeconds: RETRY_SECONDS })

    reply.hijack()
    const { raw } = reply
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) raw.setHeader(name, value)
    }
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies that buffer would hold events back.
      'x-accel-buffering': 'no',
    })
    raw.flushHeaders()
    const client = hub.welcome(new EventTransport(raw), {
      keyId: request.caller?.keyId ?? null,
      address: request.ip,
    })
    raw.on('drain', () => hub.drained(client))
    raw.on('close', () => hub.forget(client))
    raw.on('error', () => undefined)
    hub.subscribe(client, subscribe)
  })
}

/// Through the same parser as what is said over a WebSocket.
function subscribed(request: object): SubscribeRequest {
  const { request: read, error }: Parsed<ClientRequest> = parseRequest(JSON.stringify(request))
  if (read?.op === 'subscribe') return read
  throw faulty({ field: error?.field ?? null, message: error?.message ?? '' })
}

function faulty({
  field,
  message,
}: {
  readonly field: string | null
  readonly message: string
}): ProblemError {
  const named = field?.replace(/^tokens/, 'token').replace(/^windows/, 'window') ?? null
  const detail = field === 'tokens' ? message.replace('tokens', 'token') : message
  return new ProblemError('invalid-parameter', detail, named === null ? {} : { field: named })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const detail = 'subscriptions is a JSON array, as in a subscribe request over the WebSocket'
    throw new ProblemError('invalid-parameter', detail, { field: 'subscriptions' })
  }
}
