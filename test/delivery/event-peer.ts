/// A client of GET /v1/stream that keeps what it hears.

import assert from 'node:assert/strict'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import type { Message } from './web-harness.js'

export class EventPeer {
  readonly heard: Message[] = []
  /// Ids that came, newest last.
  readonly ids: string[] = []
  readonly status: number
  closed: { code: number; reason: string } | null = null
  readonly #request: ClientRequest
  readonly #response: IncomingMessage
  #text = ''

  private constructor(request: ClientRequest, response: IncomingMessage) {
    this.#request = request
    this.#response = response
    this.status = response.statusCode ?? 0
    response.setEncoding('utf8')
    response.on('data', chunk => this.#take(String(chunk)))
    response.on('close', () => {
      this.closed ??= { code: 0, reason: '' }
    })
    response.on('error', () => undefined)
  }

  static async open(t: TestContext, url: string, lastEventId: string | null = null): Promise<EventPeer> {
    const headers = lastEventId === null ? {} : { 'last-event-id': lastEventId }
    const peer = await new Promise<EventPeer>((resolve, reject) => {
      const request = get(url, { headers, agent: false })
      request.on('response', response => resolve(new EventPeer(request, response)))
      request.on('error', reject)
    })
    t.after(() => peer.terminate())
    return peer
  }

  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  terminate(): void {
    this.#request.destroy()
  }

  #take(chunk: string): void {
    this.#text += chunk
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      const lines = this.#text.slice(0, end).split('\n')
      this.#text = this.#text.slice(end + 2)
      const line = (name: string) => lines.find(each => each.startsWith(`${name}: `))?.slice(name.length + 2)
      const id = line('id')
      const data = line('data')
      assert.ok(data !== undefined, `an event has data: ${lines}`)
      const message: Message = JSON.parse(data)
      assert.equal(line('event'), message.type)
      assert.equal(id, message.cursor)
      if (id !== undefined) this.ids.push(id)
      if (message.type === 'close') {
        this.closed = { code: Number(message.code), reason: String(message.reason) }
      }
      this.heard.push(message)
    }
  }
}
