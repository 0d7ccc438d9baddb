/// Who trades a token most within a window: asked for anew while it is looked at, since no feed tells it.

import { signal } from '@preact/signals'
import { type VolumerClient, VolumerError } from '../../client/client.js'
import type { TopTrader } from '../../delivery/wire/token-answer.js'

const TRADERS = 10
const EACH_MS = 5000
/// A server that took long is asked less often.
const PAUSE_OF_ANSWER = 20

export class TopTraders {
  /// null before they are known.
  readonly traders = signal<readonly TopTrader[] | null>(null)
  readonly problem = signal<string | null>(null)
  readonly #client: VolumerClient
  readonly #token: string
  readonly #window: string
  #timer = 0
  #ended = false

  constructor(client: VolumerClient, token: string, window: string) {
    this.#client = client
    this.#token = token
    this.#window = window
    void this.#ask()
  }

  end(): void {
    this.#ended = true
    window.clearTimeout(this.#timer)
  }

  async #ask(): Promise<void> {
    const began = performance.now()
    try {
      if (!document.hidden) {
        const { traders } = await this.#client.topTraders(this.#token, {
          window: this.#window,
          limit: TRADERS,
        })
        this.traders.value = traders
        this.problem.value = null
      }
    } catch (error) {
      if (error instanceof VolumerError && error.code === 'unknown-token') this.traders.value = []
      else this.problem.value = error instanceof Error ? error.message : String(error)
    }
    if (this.#ended) return
    const tookMs = performance.now() - began
    this.#timer = window.setTimeout(() => void this.#ask(), Math.max(EACH_MS, PAUSE_OF_ANSWER * tookMs))
  }
}
