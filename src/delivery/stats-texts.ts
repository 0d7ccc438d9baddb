/// Texts of statistics that readers asked for lately, each encoded once per version. Bounded: what is not in it is
/// encoded again.

import type { TokenStats } from '../core/stats.js'
import type { PlacedWindow } from './wire/metrics.js'
import { encodeStats } from './wire/stats.js'

const TEXTS_MAX = 10_000

interface Kept {
  readonly stats: TokenStats
  readonly text: string
  /// The text in UTF-8, once somebody has asked for it.
  bytes: Buffer | null
}

export class StatsTexts {
  readonly windows: readonly PlacedWindow[]
  readonly #kept = new Map<string, Kept>()

  constructor(windows: readonly PlacedWindow[]) {
    this.windows = windows
  }

  /// The statistics with every window and the fields that come unasked.
  of(stats: TokenStats): string {
    return this.#keep(stats).text
  }

  /// The same in UTF-8. Encoding four thousand characters again for each answer would take longer than all else that is
  /// done for it.
  bytesOf(stats: TokenStats): Buffer {
    const kept = this.#keep(stats)
    kept.bytes ??= Buffer.from(kept.text)
    return kept.bytes
  }

  #keep(stats: TokenStats): Kept {
    const before = this.#kept.get(stats.token)
    if (before?.stats === stats) return before
    const kept = { stats, text: encodeStats(stats, this.windows), bytes: null }
    if (before !== undefined) this.#kept.delete(stats.token)
    else if (this.#kept.size >= TEXTS_MAX) this.#dropOldest()
    this.#kept.set(stats.token, kept)
    return kept
  }

  #dropOldest(): void {
    for (const token of this.#kept.keys()) {
      this.#kept.delete(token)
      return
    }
  }
}
