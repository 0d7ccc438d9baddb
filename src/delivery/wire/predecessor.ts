/// The answer of `GET /stats?token=…` in the shape of the system that this one succeeds: window → USD volume.
///
/// {
///   "5m": "1520.5",
///   "24h": "98211.000001"
/// }

import { FIELDS_PER_WINDOW, type TokenStats } from '../../core/stats.js'
import { windowLabel } from '../../core/windows.js'
import { type PlacedWindow, volumeText } from './metrics.js'

export function encodePredecessorStats(stats: TokenStats, windows: readonly PlacedWindow[]): string {
  const lines = windows.map(
    ({ lengthMs, index }) =>
      `  "${windowLabel(lengthMs)}": "${volumeText(stats.cells, index * FIELDS_PER_WINDOW)}"`,
  )
  return `{\n${lines.join(',\n')}\n}\n`
}
