/// Texts of statistics that readers asked for lately, each encoded once per version. Bounded: what is not in it is
/// encoded again.

import type { TokenStats } from '../core/stats.js'
import type { PlacedWindow } from './wire/metrics.js'
import { encodeStats } from './wire/stats.js'

const TEXTS_MAX = 10_000

interface Kept {
  readonly stats: TokenStats
  readonly text: string
}

export class StatsTexts {
  readonly windows: readonly PlacedWindow[]
  readonly #kept = new Map<string, Kept>()

  constructor(windows: readonly PlacedWindow[]) {
    this.windows = windows
  }

  /// The statistics with every window and the fields that come unasked.
  of(stats: TokenStats): string {
    const kept = this.#kept.get(stats.token)
    if (kept?.stats === stats) return kept.text
    const text = encodeStats(stats, this.windows)
    if (kept !== undefined) this.#kept.delete(stats.token)
    else if (this.#kept.size >= TEXTS_MAX) this.#dropOldest()
    this.#kept.set(stats.token, { stats, text })
    return text
  }

  #dropOldest(): void {
    for (const token of this.#kept.keys()) {
      this.#kept.delete(token)
      return
    }
  }
}
