/// A token bucket that may go into debt: it admits while it is above zero and charges afterwards, because the size
/// of a request is often known only once it has been read. The debt delays the next one.

import type { Clock } from '../ports/clock.js'

export class Rate {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #burst: number
  #level: number
  #filledAt: number

  /// `burst` is what a silent client may spend at once.
  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#burst = burst
    this.#level = burst
    this.#filledAt = clock.now()
  }

  /// 0 when there is room, else the seconds after which there will be.
  waitSeconds(): number {
    const now = this.#clock.now()
    const elapsedMs = Math.max(0, now - this.#filledAt)
    this.#level = Math.min(this.#burst, this.#level + (elapsedMs / 1000) * this.#perSecond)
    this.#filledAt = now
    return this.#level > 0 ? 0 : (1 - this.#level) / this.#perSecond
  }

  charge(count: number): void {
    this.#level -= count
  }

  /// What may be spent now; below zero in debt. As of the last `waitSeconds`.
  get level(): number {
    return this.#level
  }
}
