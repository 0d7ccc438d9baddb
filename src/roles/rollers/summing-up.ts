/// Has the rollers of this process sum up their busiest tokens (Roller.summarize), a step or two of a millisecond at a time with
/// pauses between: a tenth of the time at most, for all partitions together, and none while nothing is due. So questions about
/// these tokens are soon answered, also the first one after a start.

import { epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { RollerRole } from '../roller.js'

export interface SummingUpOptions {
  readonly clock: Clock
  /// Those that follow the log and have caught up.
  live(): readonly Pick<RollerRole, 'summarize'>[]
  fail(error: unknown): void
}

const STEPS = 2
const PAUSE_MS = 10
const IDLE_MS = 1000

export class SummingUp {
  readonly #options: SummingUpOptions
  #cancel: () => void = () => {}
  #turn = 0

  constructor(options: SummingUpOptions) {
    this.#options = options
  }

  start(): void {
    this.#arm(IDLE_MS)
  }

  stop(): void {
    this.#cancel()
  }

  #arm(afterMs: number): void {
    const { clock, fail } = this.#options
    this.#cancel = clock.at(epochMs(clock.now() + afterMs), () => {
      try {
        this.#arm(this.#step() ? PAUSE_MS : IDLE_MS)
      } catch (error) {
        fail(error)
      }
    })
  }

  /// False when none has anything to do. They take turns.
  #step(): boolean {
    const live = this.#options.live()
    let idle = 0
    let steps = 0
    while (idle < live.length && steps < STEPS) {
      if (live[this.#turn++ % live.length]?.summarize() === true) {
        steps++
        idle = 0
      } else idle++
    }
    return steps > 0
  }
}
