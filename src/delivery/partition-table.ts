/// What the processes say about the partitions of the trade log: who rolls each, how far it is, where to ask.
///
/// While a partition moves, two processes report it; of a replica set the one counts that is closest to serving. A process
/// that is silent for a while counts only where there is no other.

import type { FateCounts } from '../core/roller/fates.js'
import type { EpochMs } from '../core/units.js'
import { type PartitionReport, ROLLING_STATES } from '../ports/stats-feed.js'
import type { PartitionStatus } from './wire/status.js'

const SILENT_MS = 10_000
/// Processes that reported a partition, of all replica sets: the oldest is forgotten beyond it.
const REPORTERS_MAX = 16

/// A report, and when it came by the clock of this process: clocks of others are not compared with it.
interface Heard extends PartitionReport {
  readonly heardAt: EpochMs
}

export class PartitionTable {
  readonly #reports = new Map<number, Heard[]>()
  /// Partitions that somebody serves, as was said since this process follows.
  readonly #served = new Set<number>()

  /// `heardAt`: null for what was said before anybody listened here.
  take(reports: readonly PartitionReport[], heardAt: EpochMs | null): void {
    for (const report of reports) {
      const known = this.#reports.get(report.partition) ?? []
      const others = known.filter(({ instance }) => instance !== report.instance)
      const heard = { ...report, heardAt: heardAt ?? report.at }
      this.#reports.set(report.partition, [...others, heard].slice(-REPORTERS_MAX))
      if (heardAt !== null && isServing(report)) this.#served.add(report.partition)
    }
  }

  /// Whether somebody has said so since this process follows.
  isServed(partition: number): boolean {
    return this.#served.has(partition)
  }

  /// One row for each partition and replica set; one of an unknown owner where nobody has reported.
  rows(partitions: number, now: EpochMs): PartitionStatus[] {
    return Array.from({ length: partitions }, (_, partition) => {
      const reports = this.#reports.get(partition) ?? []
      const replicas = [...new Set(reports.map(({ replica }) => replica))].sort()
      if (replicas.length === 0) return [unknown(partition)]
      return replicas.map(replica => {
        const best = bestOf(
          reports.filter(report => report.replica === replica),
          now,
        )
        return best === null ? unknown(partition) : rowOf(best, now)
      })
    }).flat()
  }

  /// Where somebody answers for the partition, and with which secret; null where nobody does.
  ownerOf(partition: number, now: EpochMs): { readonly address: string; readonly secret: string } | null {
    const answering = (this.#reports.get(partition) ?? []).filter(
      heard =>
        heard.address !== null &&
        heard.secret !== null &&
        isServing(heard) &&
        now - heard.heardAt <= SILENT_MS,
    )
    const { address = null, secret = null } = bestOf(answering, now) ?? {}
    return address === null || secret === null ? null : { address, secret }
  }

  /// Of the whole log, by whoever is furthest with each partition; null while nobody has reported.
  fates(): FateCounts | null {
    let sum: FateCounts | null = null
    for (const reports of this.#reports.values()) {
      const furthest = reports.reduce((a, b) => (b.rolled > a.rolled ? b : a))
      sum = sum === null ? { ...furthest.fates } : added(sum, furthest.fates)
    }
    return sum
  }
}

const isServing = ({ state }: PartitionReport): boolean => state === 'live' || state === 'handing over'

const rank = ({ state, heardAt }: Heard, now: EpochMs): number =>
  ROLLING_STATES.indexOf(state) - (now - heardAt > SILENT_MS ? ROLLING_STATES.length : 0)

function bestOf(reports: readonly Heard[], now: EpochMs): Heard | null {
  const byWorth = (a: Heard, b: Heard) => rank(a, now) - rank(b, now) || a.heardAt - b.heardAt
  return [...reports].sort(byWorth).at(-1) ?? null
}

function rowOf(report: Heard, now: EpochMs): PartitionStatus {
  const { partition, replica, instance, address, state, first, end, rolled, checkpointed } = report
  const { logTime, viewTime, gaps } = report
  return {
    ...{ partition, replica, owner: instance, address },
    state: now - report.heardAt > SILENT_MS ? 'silent' : state,
    ...{ first, end, rolled, checkpointed },
    lag: Math.max(0, end - rolled),
    ...{ logTime, viewTime },
    gaps: gaps.map(({ from, to, until }) => ({ from, to, until })),
  }
}

const unknown = (partition: number): PartitionStatus => ({
  ...{ partition, replica: null, owner: null, address: null, state: 'unknown' },
  ...{ first: null, end: null, rolled: null, checkpointed: null, lag: null },
  ...{ logTime: null, viewTime: null, gaps: [] },
})

const added = (a: FateCounts, b: FateCounts): FateCounts => ({
  accepted: a.accepted + b.accepted,
  duplicate: a.duplicate + b.duplicate,
  late: a.late + b.late,
  early: a.early + b.early,
  invalid: a.invalid + b.invalid,
  conflict: a.conflict + b.conflict,
})
