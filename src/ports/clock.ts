/// The only source of time outside the log. Tests move it by hand.
import type { EpochMs } from '../core/units.js'

export interface Clock {
  now(): EpochMs
  /// Calls `wake` once, at or after `at`. The returned function cancels.
  at(at: EpochMs, wake: () => void): () => void
}
