/// What became of a swap. Every record of the log has exactly one fate:
///
/// - accepted: counted.
/// - duplicate: its id was accepted before, in the same slice or within the dedupe horizon.
/// - late: its slice is older than the retention, by log time.
/// - early: dated further ahead of log time than the tolerance.
/// - invalid: not a swap (decided by the decoder).
export type Fate = 'accepted' | 'duplicate' | 'late' | 'early' | 'invalid'

/// Totals since the beginning of the log.
export interface FateCounts {
  accepted: number
  duplicate: number
  late: number
  early: number
  invalid: number
  /// Duplicates whose content differs from the first one's; counted in `duplicate` too.
  conflict: number
}

/// The order in which totals are stored.
export const fateNames = ['accepted', 'duplicate', 'late', 'early', 'invalid', 'conflict'] as const
