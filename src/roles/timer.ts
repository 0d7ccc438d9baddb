/// Waiting for a time, among other things.

import { epochMs } from '../core/units.js'
import type { Clock } from '../ports/clock.js'

/// One alarm that is set anew each time.
export class Timer {
  readonly #clock: Clock
  #cancel: () => void = () => {}
  #dueAt = Number.POSITIVE_INFINITY
  #ring: () => void = () => {}
  #due: Promise<'due'>

  constructor(clock: Clock) {
    this.#clock = clock
    this.#due = this.#newDue()
  }

  /// Resolves when the time has come that was set last.
  get due(): Promise<'due'> {
    return this.#due
  }

  set(inMs: number): void {
    this.cancel()
    this.#due = this.#newDue()
    this.#dueAt = this.#clock.now() + inMs
    this.#cancel = this.#clock.at(epochMs(this.#dueAt), () => this.#ring())
  }

  setUnlessSooner(inMs: number): void {
    if (this.#clock.now() + inMs < this.#dueAt) this.set(inMs)
  }

  cancel(): void {
    this.#cancel()
    this.#dueAt = Number.POSITIVE_INFINITY
  }

  #newDue(): Promise<'due'> {
    return new Promise(resolve => {
      this.#ring = () => resolve('due')
    })
  }
}
