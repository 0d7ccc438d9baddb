/// The machine's monotonic clock.
import type { Stopwatch } from '../../ports/stopwatch.js'

export const systemStopwatch: Stopwatch = { elapsedMs: () => performance.now() }
