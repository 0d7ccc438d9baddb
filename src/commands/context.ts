/// What every command is given: main.ts constructs it, tests replace it.

import { epochMs } from '../core/units.js'
import type { Clock } from '../ports/clock.js'

export interface OutputStream {
  /// `written` is called once the text has left the process, or never where the stream fails.
  write(text: string, written?: () => void): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export interface CommandContext {
  readonly clock: Clock
  readonly stdout: OutputStream
  /// For people: progress, status, errors.
  readonly stderr: OutputStream
}

/// Resolves `ms` from now, or as soon as the signal aborts.
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const wake = () => {
      cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const cancel = clock.at(epochMs(clock.now() + ms), wake)
    signal?.addEventListener('abort', wake, { once: true })
  })
}
