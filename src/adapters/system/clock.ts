/// The machine's clock.
import { type EpochMs, epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'

// setTimeout fires at once for longer delays than this.
const TIMEOUT_MS_MAX = 2 ** 31 - 1

export class SystemClock implements Clock {
  now(): EpochMs {
    return epochMs(Date.now())
  }

  at(at: EpochMs, wake: () => void): () => void {
    let timer: NodeJS.Timeout
    // The machine's time may be stepped while a timer runs, and timers may fire up to a millisecond early.
    const arm = () => {
      const delayMs = Math.min(Math.max(at - Date.now(), 0), TIMEOUT_MS_MAX)
      timer = setTimeout(() => (Date.now() >= at ? wake() : arm()), delayMs)
    }
    arm()
    return () => clearTimeout(timer)
  }
}
