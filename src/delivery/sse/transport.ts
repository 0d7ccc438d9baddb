/// Messages as server-sent events: `id` is the cursor, `event` the type, `data` the same JSON as over a WebSocket.

import type { ServerResponse } from 'node:http'
import type { Outgoing, Transport } from '../feeds/transport.js'
import { CLOSE_CODES, type CloseCause } from '../wire/messages.js'

const DATA = 'data: '
const END = '\n\n'

export class EventTransport implements Transport {
  readonly kind = 'eventStream'
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  get open(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed
  }

  get unsentBytes(): number {
    return this.#response.writableLength
  }

  write(messages: readonly Outgoing[]): void {
    const heads = messages.map(({ type, head, cursor }) => {
      const id = cursor === null ? '' : `id: ${cursor}\n`
      return `${id}event: ${type}\n${DATA}${head}`
    })
    let size = 0
    for (const [i, { tail }] of messages.entries()) size += (heads[i]?.length ?? 0) + tail.length + END.length
    const bytes = Buffer.allocUnsafe(size)
    let at = 0
    for (const [i, { tail }] of messages.entries()) {
      at += bytes.write(heads[i] ?? '', at, 'latin1')
      bytes.set(tail, at)
      at += tail.length
      at += bytes.write(END, at, 'latin1')
    }
    this.#response.write(bytes)
  }

  /// Heartbeats do it: a peer that is gone lets unsent bytes pile up, which ends it.
  ping(): void {}

  close(cause: CloseCause, seq: number): void {
    const { code, reason } = CLOSE_CODES[cause]
    const data = JSON.stringify({ type: 'close', seq, code, reason })
    this.#response.end(`event: close\n${DATA}${data}${END}`)
  }

  terminate(): void {
    this.#response.destroy()
  }
}
