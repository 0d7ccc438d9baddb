/// Turns of the event loop.

import { setImmediate } from 'node:timers/promises'

/// Resolves after what is ready to be read and written now: long work makes room with it.
export function nextTurn(): Promise<void> {
  return setImmediate()
}
