/// Delays of the recent past, for percentiles in status. A ring of samples: constant memory at any rate.

const SAMPLES_MAX = 4096
const RECENT_MS = 60_000

export interface DelayPercentiles {
  readonly samples: number
  readonly p50Ms: number | null
  readonly p90Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
}

export class Delays {
  readonly #delays = new Float64Array(SAMPLES_MAX)
  readonly #times = new Float64Array(SAMPLES_MAX)
  #count = 0

  add(delayMs: number, nowMs: number): void {
    const at = this.#count++ % SAMPLES_MAX
    this.#delays[at] = delayMs
    this.#times[at] = nowMs
  }

  /// Of the samples of the last minute, or of the last 4,096 when there were more.
  percentiles(nowMs: number): DelayPercentiles {
    const recent: number[] = []
    for (let at = 0; at < Math.min(this.#count, SAMPLES_MAX); at++) {
      if (nowMs - (this.#times[at] ?? 0) <= RECENT_MS) recent.push(this.#delays[at] ?? 0)
    }
    recent.sort((a, b) => a - b)
    const at = (share: number): number | null => recent[Math.ceil(recent.length * share) - 1] ?? null
    return {
      samples: recent.length,
      p50Ms: at(0.5),
      p90Ms: at(0.9),
      p99Ms: at(0.99),
      maxMs: recent.at(-1) ?? null,
    }
  }
}
