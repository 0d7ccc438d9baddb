/// Messages as WebSocket frames. All messages of a turn make one buffer and one write: the frames are put together
/// here, because the library would write each of them, and its header, on its own.

import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Outgoing, Transport } from '../feeds/transport.js'
import { CLOSE_CODES, type CloseCause } from '../wire/messages.js'

/// A whole text message.
const FIN_TEXT = 0x81

export class WebSocketTransport implements Transport {
  readonly kind = 'webSocket'
  readonly #ws: WebSocket
  readonly #socket: Duplex

  constructor(ws: WebSocket, socket: Duplex) {
    this.#ws = ws
    this.#socket = socket
  }

  get open(): boolean {
    return this.#ws.readyState === this.#ws.OPEN
  }

  get unsentBytes(): number {
    return this.#ws.bufferedAmount
  }

  write(messages: readonly Outgoing[]): void {
    let size = 0
    for (const { head, tail } of messages) {
      const length = head.length + tail.length
      size += headerLength(length) + length
    }
    const bytes = Buffer.allocUnsafe(size)
    let at = 0
    for (const { head, tail } of messages) {
      at = putHeader(bytes, at, head.length + tail.length)
      at += bytes.write(head, at, 'latin1')
      bytes.set(tail, at)
      at += tail.length
    }
    this.#socket.write(bytes)
  }

  ping(): void {
    this.#ws.ping()
  }

  close(cause: CloseCause): void {
    const { code, reason } = CLOSE_CODES[cause]
    this.#ws.close(code, reason)
  }

  terminate(): void {
    this.#ws.terminate()
  }
}

/// Frames of a server are not masked (RFC 6455, 5.2).
function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

function putHeader(bytes: Buffer, at: number, length: number): number {
  bytes[at] = FIN_TEXT
  if (length < 126) {
    bytes[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    bytes[at + 1] = 126
    bytes.writeUInt16BE(length, at + 2)
    return at + 4
  }
  bytes[at + 1] = 127
  bytes.writeUIntBE(0, at + 2, 4)
  bytes.writeUInt32BE(length, at + 6)
  return at + 10
}
