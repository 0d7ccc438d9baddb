/// Swaps in per second, as far back as this page has been open, ten minutes at most.

const SECONDS = 600

export interface RateSample {
  readonly at: number
  readonly perSecond: number
}

export class Rates {
  #samples: RateSample[] = []

  get samples(): readonly RateSample[] {
    return this.#samples
  }

  /// `at` is the server's clock.
  note(at: number, perSecond: number | null): void {
    if (perSecond === null) return
    const last = this.#samples.at(-1)
    if (last !== undefined && at <= last.at) return
    this.#samples = [...this.#samples.slice(1 - SECONDS), { at, perSecond }]
  }
}
