/// How long updates take to this very screen. A sample is of one update: when its swap was dated, rolled, sent, and when the frame that
/// shows it was handed over. The server's times are put on this browser's clock by an offset that requests measure.

import type { Times } from '../../delivery/wire/messages.js'

export interface Percentiles {
  readonly p50: number
  readonly p99: number
}

export interface DelayReport {
  readonly samples: number
  /// From the swap's own time.
  readonly total: Percentiles
  readonly toRolled: Percentiles
  readonly toSent: Percentiles
  readonly toScreen: Percentiles
}

const SAMPLES_MAX = 4096
const KEPT_MS = 60_000

export class Delays {
  readonly #at = new Float64Array(SAMPLES_MAX)
  readonly #toRolled = new Float64Array(SAMPLES_MAX)
  readonly #toSent = new Float64Array(SAMPLES_MAX)
  readonly #toScreen = new Float64Array(SAMPLES_MAX)
  #next = 0
  #count = 0

  /// `screenAt` is the server's clock when the update was on the screen.
  note({ event, rolled, sent }: Times, screenAt: number): void {
    if (event === null || rolled === null) return
    const i = this.#next
    this.#at[i] = screenAt
    this.#toRolled[i] = Math.max(0, rolled - event)
    this.#toSent[i] = Math.max(0, sent - rolled)
    this.#toScreen[i] = Math.max(0, screenAt - sent)
    this.#next = (i + 1) % SAMPLES_MAX
    this.#count = Math.min(SAMPLES_MAX, this.#count + 1)
  }

  /// Of the minute before `now`; null without samples.
  report(now: number): DelayReport | null {
    const fresh: number[] = []
    for (let i = 0; i < this.#count; i++) if (now - (this.#at[i] ?? 0) < KEPT_MS) fresh.push(i)
    if (fresh.length === 0) return null
    const of = (value: (i: number) => number) => percentiles(fresh.map(value))
    const rolled = (i: number) => this.#toRolled[i] ?? 0
    const sent = (i: number) => this.#toSent[i] ?? 0
    const screen = (i: number) => this.#toScreen[i] ?? 0
    return {
      samples: fresh.length,
      total: of(i => rolled(i) + sent(i) + screen(i)),
      toRolled: of(rolled),
      toSent: of(sent),
      toScreen: of(screen),
    }
  }
}

/// By nearest rank: the least value that as many are not above.
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
