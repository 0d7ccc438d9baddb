/// Which swaps log time refuses: part of a swap's fate that needs no memory of other swaps.

import { tickOf } from './units.js'

export interface AdmissionRules {
  readonly resolutionMs: number
  readonly retentionMs: number
  readonly earlyToleranceMs: number
}

/// `late` when the slice of the event time is older than the retention, `early` when the event time is further ahead
/// than the tolerance, both by log time; else null. Example, retention 24 h, resolution 1 s, log time 100,000.5 s:
/// a swap at 13,600.999 s is late, one at 13,601 s is not; one at 100,060.5 s is not early, a millisecond later it is.
export function refusalOf(timeMs: number, logTimeMs: number, rules: AdmissionRules): 'late' | 'early' | null {
  const { resolutionMs, retentionMs, earlyToleranceMs } = rules
  if (tickOf(timeMs, resolutionMs) <= tickOf(logTimeMs, resolutionMs) - retentionMs / resolutionMs)
    return 'late'
  return timeMs > logTimeMs + earlyToleranceMs ? 'early' : null
}
