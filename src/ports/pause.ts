/// Waiting by the clock, with an end.

import { epochMs } from '../core/units.js'
import type { Clock } from './clock.js'

/// Resolves `ms` from now, or as soon as the signal aborts.
export async function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return
  await new Promise<void>(resolve => {
    const wake = () => {
      cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = clock.at(epochMs(clock.now() + ms), wake)
    signal?.addEventListener('abort', wake, { once: true })
  })
}
