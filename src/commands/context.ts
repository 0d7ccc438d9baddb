/// What every command is given: main.ts constructs it, tests replace it.

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
