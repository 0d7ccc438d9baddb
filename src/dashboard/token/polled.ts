/// What no feed tells: asked for anew while it is looked at.

import { signal } from '@preact/signals'
import { VolumerError } from '../../client/client.js'

const EACH_MS = 5000
/// A server that took long is asked less often.
const PAUSE_OF_ANSWER = 20

export class Polled<T> {
  /// null before it is known.
  readonly answer = signal<T | null>(null)
  readonly problem = signal<string | null>(null)
  readonly #ask: () => Promise<T>
  readonly #ofUnknownToken: T | null
  #timer = 0
  #ended = false

  /// `ofUnknownToken`: what is shown when the token has no swap within the retention any more.
  constructor(ask: () => Promise<T>, ofUnknownToken: T | null) {
    this.#ask = ask
    this.#ofUnknownToken = ofUnknownToken
    void this.#poll()
  }

  end(): void {
    this.#ended = true
    window.clearTimeout(this.#timer)
  }

  async #poll(): Promise<void> {
    const began = performance.now()
    try {
      if (!document.hidden) {
        this.answer.value = await this.#ask()
        this.problem.value = null
      }
    } catch (error) {
      if (error instanceof VolumerError && error.code === 'unknown-token')
        this.answer.value = this.#ofUnknownToken
      else this.problem.value = error instanceof Error ? error.message : String(error)
    }
    if (this.#ended) return
    const tookMs = performance.now() - began
    this.#timer = window.setTimeout(() => void this.#poll(), Math.max(EACH_MS, PAUSE_OF_ANSWER * tookMs))
  }
}
