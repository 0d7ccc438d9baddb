/// Requests to become a WebSocket: which ones are taken over, and how the others are refused, in plain HTTP.

import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Hub } from '../feeds/hub.js'
import { clientsFault } from '../feeds/room.js'
import type { Guard } from '../guard/guard.js'
import type { Origins } from '../guard/origins.js'
import type { WebLimits } from '../limits.js'
import { PROBLEM_TYPES, ProblemError, problemJson } from '../wire/problem.js'
import type { Sockets } from './sockets.js'

const RETRY_SECONDS = 5
const UPGRADE_COST = 5

export interface UpgradeOptions {
  readonly hub: Hub
  readonly sockets: Sockets
  readonly guard: Guard
  readonly origins: Origins
  readonly limits: WebLimits
  /// The address that a request counts for.
  addressOf(request: IncomingMessage): string
  draining(): boolean
  onError(error: unknown): void
}

export function acceptWebSockets(server: Server, options: UpgradeOptions): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    try {
      const keyId = admit(request, options)
      options.sockets.accept(request, socket, head, { keyId, address: options.addressOf(request) })
    } catch (error) {
      if (!(error instanceof ProblemError)) options.onError(error)
      refuse(socket, error instanceof ProblemError ? error : new ProblemError('internal-error', 'it failed'))
    }
  })
}

/// The id of the caller's key. Throws ProblemError when the request is not to be taken over.
function admit(request: IncomingMessage, options: UpgradeOptions): string | null {
  const { hub, guard, origins, limits } = options
  const [path, query = ''] = (request.url ?? '').split('?', 2)
  if (path !== '/ws') throw new ProblemError('unknown-route', 'the WebSocket is at /ws')
  if (options.draining()) throw new ProblemError('draining', 'the server is shutting down')
  const { origin, host } = request.headers
  // A browser lets any page open a WebSocket anywhere: only the server can refuse it.
  if (origins.refuses(origin, host)) {
    throw new ProblemError('cross-site', `${origin} is another site`, { field: 'origin' })
  }
  const address = options.addressOf(request)
  const key = new URLSearchParams(query).get('key')
  const caller = guard.identify('read', request.headers, key, address)
  guard.charge(caller, UPGRADE_COST)
  const full = clientsFault(hub, limits, address)
  if (full !== null) throw new ProblemError('overloaded', full)
  return caller.keyId
}

/// The peer's address; behind a proxy that is trusted, the one that it saw, which it puts last.
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = request.headers['x-forwarded-for']
  const seen = typeof forwarded === 'string' ? forwarded.split(',').at(-1)?.trim() : undefined
  return trustProxy && seen ? seen : (request.socket.remoteAddress ?? '')
}

function refuse(socket: Duplex, { type, message, extra }: ProblemError): void {
  const { status, title } = PROBLEM_TYPES[type]
  const body = JSON.stringify(problemJson(type, message, extra))
  const seconds = extra.retryAfterSeconds ?? (status === 503 ? RETRY_SECONDS : null)
  const retry = seconds === null ? '' : `Retry-After: ${Math.max(1, Math.ceil(seconds))}\r\n`
  const challenge = status === 401 ? 'WWW-Authenticate: Bearer\r\n' : ''
  socket.on('error', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n${retry}${challenge}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
