/// A client that follows one token on a web's WebSocket, and notes what comes when.
import type { TestContext } from 'node:test'
import WebSocket from 'ws'

interface Heard {
  readonly at: number
  readonly version: string
}

/// `partition:offset:tick`, as numbers to compare.
const placeOf = (version: string): readonly number[] => version.split(':').map(Number)

export class Watching {
  readonly heard: Heard[] = []
  /// What the client was told besides: gaps, errors.
  readonly complaints: unknown[] = []
  readonly #socket: WebSocket

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', data => this.#note(JSON.parse(data.toString())))
  }

  static async token(t: TestContext, url: string, token: string): Promise<Watching> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`)
    const watching = new Watching(socket)
    t.after(() => socket.terminate())
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    socket.send(JSON.stringify({ op: 'subscribe', tokens: [token] }))
    return watching
  }

  close(): void {
    this.#socket.close()
  }

  /// The longest time between two updates in the stretch, its ends included.
  longestGapMs(from: number, to: number): number {
    const times = this.heard.map(({ at }) => at).filter(at => at > from && at < to)
    return [...times, to].reduce(
      ({ last, longest }, at) => ({ last: at, longest: Math.max(longest, at - last) }),
      { last: from, longest: 0 },
    ).longest
  }

  /// The versions that are older than the one before.
  goneBack(): string[] {
    return this.heard.flatMap(({ version }, i) => {
      const before = this.heard[i - 1]
      if (before === undefined) return []
      const [, offsetBefore = 0, tickBefore = 0] = placeOf(before.version)
      const [, offset = 0, tick = 0] = placeOf(version)
      const isOlder = offset !== offsetBefore ? offset < offsetBefore : tick < tickBefore
      return isOlder ? [`${before.version} then ${version}`] : []
    })
  }

  #note(message: { readonly type: string; readonly stats?: { readonly version: string } | null }): void {
    if (message.type === 'gap' || message.type === 'error') this.complaints.push(message)
    if (message.type !== 'update' && message.type !== 'snapshot') return
    if (message.stats) this.heard.push({ at: performance.now(), version: message.stats.version })
  }
}
