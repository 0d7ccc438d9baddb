/// A checksum of everything that a roller says of its tokens: equal statistics, equal checksum. It is taken of the text
/// on the wire, because the sums behind it may be split into limbs in more than one way.

import type { StatsUpdate } from '../src/core/stats.js'
import type { Window } from '../src/core/windows.js'
import { placeWindows } from '../src/delivery/wire/metrics.js'
import { encodeStats } from '../src/delivery/wire/stats.js'
import { Checksum } from './report.js'

export function statisticsChecksum(updates: Iterable<StatsUpdate>, windows: readonly Window[]): string {
  const checksum = new Checksum()
  const placed = placeWindows(windows)
  for (const update of updates) {
    checksum.addText(update.cells === null ? `${update.token} gone` : encodeStats(update, placed))
  }
  return checksum.toString()
}
