/// A clock that tests move by hand.
import { type EpochMs, epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'

interface Alarm {
  readonly at: EpochMs
  readonly wake: () => void
}

export class ManualClock implements Clock {
  #now: EpochMs
  readonly #alarms = new Set<Alarm>()

  constructor(now: number) {
    this.#now = epochMs(now)
  }

  now(): EpochMs {
    return this.#now
  }

  at(at: EpochMs, wake: () => void): () => void {
    const alarm = { at, wake }
    this.#alarms.add(alarm)
    return () => this.#alarms.delete(alarm)
  }

  /// Moves the clock to `now`, also backwards as machines' clocks do, and rings what is due, the earliest first;
  /// each alarm sees its own time. Alarms that are already due when they are set ring at the next call.
  moveTo(now: number): void {
    for (;;) {
      const due = [...this.#alarms].filter(alarm => alarm.at <= now).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#alarms.delete(due)
      this.#now = epochMs(Math.max(this.#now, due.at))
      due.wake()
    }
    this.#now = epochMs(now)
  }

  advance(ms: number): void {
    this.moveTo(this.#now + ms)
  }
}
