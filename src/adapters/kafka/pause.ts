/// Waiting by the clock, with an end.

import { epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'

/// Resolves after `ms`, or at once when the signal aborts.
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) {
      resolve()
      return
    }
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.at(epochMs(clock.now() + ms), end)
    signal.addEventListener('abort', end, { once: true })
  })
}

/// Lets somebody sleep until there is something to do. A call of `wake` before `sleep` is not lost.
export class Doorbell {
  #rung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /// Resolves at once when it was rung since the last time.
  async sleep(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#wake = null
    }
    this.#rung = false
  }
}
