/// Whether an archive was filled from a trade log: offsets of another log mean other swaps.

import { offset } from '../../core/units.js'
import type { ArchivePosition } from '../../ports/trade-archive.js'
import type { TradeLog } from '../../ports/trade-log.js'

/// Why the archive's position cannot be one of the log; null when it can.
export async function logMismatch(
  log: TradeLog,
  partition: number,
  { offset: at, logTime }: ArchivePosition,
  signal: AbortSignal,
): Promise<string | null> {
  const { first, end } = await log.lookUpBounds(partition)
  const where = `The archive stands at offset ${at} of partition ${partition}`
  if (at > end) return `${where}, where the trade log ends at ${end}. It belongs to another trade log.`
  if (at <= first) return null
  for await (const batch of log.follow(partition, offset(at - 1), signal)) {
    // There may be a hole where the archive ends.
    if (batch.firstOffset >= at || batch.appendTime <= logTime) return null
    const [reached, has] = [logTime, batch.appendTime].map(ms => new Date(ms).toISOString())
    return `${where}, reached at ${reached}; the trade log has that record from ${has}. It belongs to another trade log.`
  }
  return null
}
