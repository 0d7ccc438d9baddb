/// WebSockets as clients of the hub.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ClientOrigin } from '../feeds/client.js'
import type { Hub } from '../feeds/hub.js'
import type { WebLimits } from '../limits.js'
import { WebSocketTransport } from './transport.js'

export class Sockets {
  readonly #hub: Hub
  readonly #server: WebSocketServer

  constructor(hub: Hub, limits: WebLimits) {
    this.#hub = hub
    this.#server = new WebSocketServer({
      noServer: true,
      // A message of a few bytes could otherwise inflate to any size, and each connection would cost a context.
      perMessageDeflate: false,
      maxPayload: limits.requestBytesMax,
      maxFragments: limits.fragmentsMax,
      // Answered by hand: an unread flood of pongs must not pile up.
      autoPong: false,
      clientTracking: false,
    })
  }

  /// Takes over a connection that asked for the WebSocket.
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, origin: ClientOrigin): void {
    this.#server.handleUpgrade(request, socket, head, ws => this.#welcome(ws, socket, origin))
  }

  #welcome(ws: WebSocket, socket: Duplex, origin: ClientOrigin): void {
    const hub = this.#hub
    const client = hub.welcome(new WebSocketTransport(ws, socket), origin)
    ws.on('message', (data, isBinary) => {
      if (isBinary) hub.close(client, 'unsupportedData')
      else hub.heard(client, data.toString())
    })
    ws.on('ping', data => {
      if (hub.admit(client) && !client.overSoftBound) ws.pong(data)
    })
    ws.on('pong', () => hub.alive(client))
    // The library answers protocol errors with the right close code; `close` follows.
    ws.on('error', () => undefined)
    ws.on('close', () => hub.forget(client))
    socket.on('drain', () => hub.drained(client))
  }
}
