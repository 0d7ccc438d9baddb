/// The status report of a process: put together on demand from what each part knows.

import type { EpochMs } from '../core/units.js'
import type { PartitionTable } from '../delivery/partition-table.js'
import type { ArchiveStatus, PartitionStatus, Readiness, StatusReport } from '../delivery/wire/status.js'
import type { Clock } from '../ports/clock.js'
import type { DeadLetters } from '../ports/dead-letters.js'
import type { TradeLog } from '../ports/trade-log.js'
import type { Archivers } from '../roles/archiver/archivers.js'
import type { Delays } from '../roles/delays.js'
import type { Rollers } from '../roles/rollers/rollers.js'
import type { Web } from '../roles/web.js'

/// Of the counters below: averages over so many samples, one a second.
const SAMPLES = 10

interface Sample {
  readonly at: EpochMs
  readonly appended: number
  readonly rolled: number
  readonly published: number
}

export interface StatusParts {
  readonly clock: Clock
  readonly version: string
  readonly instance: string
  readonly log: TradeLog
  readonly deadLetters: DeadLetters
  readonly delays: Delays
  readonly partitions: PartitionTable
  /// null where others roll.
  readonly rollers: Rollers | null
  readonly archivers: Archivers | null
  readonly web: () => Web
}

export class Status {
  readonly #parts: StatusParts
  readonly #startedAt: EpochMs
  readonly #samples: Sample[] = []

  constructor(parts: StatusParts) {
    this.#parts = parts
    this.#startedAt = parts.clock.now()
    this.sample()
  }

  /// Call once a second: rates are measured between these calls.
  sample(): void {
    this.#samples.push(this.#count())
    if (this.#samples.length > SAMPLES) this.#samples.shift()
  }

  report(): StatusReport {
    const { clock, version, instance, log, deadLetters, rollers, delays } = this.#parts
    const web = this.#parts.web()
    const now = clock.now()
    const readiness: Readiness = web.readiness()
    const letters = deadLetters.counts()
    const { rss, heapUsed } = process.memoryUsage()
    return {
      version,
      instance,
      startedAt: this.#startedAt,
      now,
      ready: readiness.ready,
      reason: readiness.ready ? null : readiness.reason,
      percent: readiness.ready ? null : readiness.percent,
      tokens: web.tokens(),
      partitions: this.#partitions(now),
      fates: this.#parts.partitions.fates(),
      rates: this.#rates(),
      delay: rollers === null ? null : delays.percentiles(now),
      clients: web.clients(),
      archive: this.#archive(),
      storage: {
        tradeLogBytes: log.sizeBytes(),
        stateBytes: rollers?.counts.stateBytes ?? null,
        deadLetterBytes: deadLetters.sizeBytes(),
        deadLettersStored: letters.stored,
        deadLettersDropped: letters.dropped,
      },
      memory: { rssBytes: rss, heapUsedBytes: heapUsed },
    }
  }

  /// As the feed says, and as it is here right now.
  #partitions(now: EpochMs): PartitionStatus[] {
    const { partitions, rollers, log } = this.#parts
    partitions.take(rollers?.reports() ?? [], now)
    return partitions.rows(log.partitions, now)
  }

  #archive(): ArchiveStatus | null {
    const { archivers, log } = this.#parts
    if (archivers === null) return null
    const { position, counts, problem } = archivers
    return {
      archived: position,
      lag: archivers.lag(log),
      stored: counts.archived,
      duplicates: counts.duplicates,
      expired: counts.expired,
      lost: counts.lost,
      problem,
    }
  }

  #count(): Sample {
    const { clock, rollers } = this.#parts
    const now = clock.now()
    const ends = new Map(this.#partitions(now).map(({ partition, end }) => [partition, end ?? 0]))
    return {
      at: now,
      appended: [...ends.values()].reduce((sum, end) => sum + end, 0),
      rolled: rollers?.counts.rolled ?? 0,
      published: rollers?.counts.published ?? 0,
    }
  }

  #rates(): StatusReport['rates'] {
    const now = this.#count()
    const before = this.#samples[0] ?? now
    const seconds = (now.at - before.at) / 1000
    const rate = (pick: (sample: Sample) => number) =>
      seconds < 0.5 ? null : Math.round(((pick(now) - pick(before)) / seconds) * 10) / 10
    return {
      appendedPerSecond: rate(sample => sample.appended),
      rolledPerSecond: rate(sample => sample.rolled),
      updatesPerSecond: rate(sample => sample.published),
    }
  }
}
