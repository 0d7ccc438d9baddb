/// Requests to become a WebSocket: which ones are taken over, and how the others are refused, in plain HTTP.

import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebLimits } from '../limits.js'
import { PROBLEM_TYPES, type ProblemType, problemJson } from '../wire/problem.js'
import type { Hub } from './hub.js'

const RETRY_SECONDS = 5

export interface UpgradeOptions {
  readonly hub: Hub
  readonly limits: WebLimits
  draining(): boolean
}

export function acceptWebSockets(server: Server, options: UpgradeOptions): void {
  const { hub, limits } = options
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [path] = (request.url ?? '').split('?', 1)
    if (path !== '/ws') return refuse(socket, 'unknown-route', 'the WebSocket is at /ws')
    if (options.draining()) return refuse(socket, 'draining', 'the server is shutting down')
    if (hub.size >= limits.webSocketsMax) {
      return refuse(socket, 'overloaded', `at most ${limits.webSocketsMax} WebSockets are served`)
    }
    hub.accept(request, socket, head)
  })
}

function refuse(socket: Duplex, type: ProblemType, detail: string): void {
  const { status, title } = PROBLEM_TYPES[type]
  const body = JSON.stringify(problemJson(type, detail))
  const retry = status === 503 ? `Retry-After: ${RETRY_SECONDS}\r\n` : ''
  socket.on('error', () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nConnection: close\r\n${retry}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
