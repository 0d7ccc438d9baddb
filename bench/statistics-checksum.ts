/// A checksum of everything that a roller says of its tokens: equal statistics, equal checksum.

import type { StatsUpdate } from '../src/core/stats.js'
import type { Checksum } from './report.js'

/// Adds one token. Not-a-numbers count too; fractions (prices) count to the ninth decimal.
export function addStatistics(checksum: Checksum, update: StatsUpdate): void {
  checksum.addText(update.token)
  checksum.add(update.offset)
  checksum.add(update.tick)
  if (update.cells === null) return
  for (const value of [update.firstSeen, update.lastSeen, update.price, ...update.cells]) {
    checksum.add(Number.isNaN(value) ? -1 : Math.round(value))
    checksum.add(Number.isNaN(value) ? -1 : Math.round((value - Math.round(value)) * 1e9))
  }
}
