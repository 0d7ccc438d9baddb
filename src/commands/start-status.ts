/// The status report of a process that runs every role: put together on demand from what each part knows.

import type { EpochMs } from '../core/units.js'
import type { ArchiveStatus, Readiness, StatusReport } from '../delivery/wire/status.js'
import type { Clock } from '../ports/clock.js'
import type { DeadLetters } from '../ports/dead-letters.js'
import type { StateStore } from '../ports/state-store.js'
import type { TradeLog } from '../ports/trade-log.js'
import type { Archiver } from '../roles/archiver/archiver.js'
import type { Consumer } from '../roles/consumer.js'
import type { RollerRole } from '../roles/roller.js'
import type { Watcher } from '../roles/watcher.js'
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
  readonly log: TradeLog
  readonly state: StateStore
  readonly deadLetters: DeadLetters
  readonly roller: RollerRole
  readonly consumer: Consumer
  readonly watcher: Watcher
  readonly archiver: Archiver | null
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
    const { clock, version, log, state, deadLetters, roller, consumer } = this.#parts
    const web = this.#parts.web()
    const now = clock.now()
    const { first, end } = log.bounds(0)
    const readiness: Readiness = web.readiness()
    const letters = deadLetters.counts()
    const { rss, heapUsed } = process.memoryUsage()
    return {
      version,
      startedAt: this.#startedAt,
      now,
      ready: readiness.ready,
      reason: readiness.ready ? null : readiness.reason,
      percent: readiness.ready ? null : readiness.percent,
      tokens: web.tokens(),
      fates: { ...roller.fates },
      rates: this.#rates(),
      partitions: [
        {
          partition: 0,
          first,
          end,
          rolled: roller.position,
          checkpointed: roller.checkpointed,
          lag: Math.max(0, end - roller.position),
          logTime: roller.logTime,
          viewTime: roller.viewTime,
        },
      ],
      delay: consumer.delays.percentiles(now),
      clients: web.clients(),
      archive: this.#archive(end),
      storage: {
        tradeLogBytes: log.sizeBytes(),
        stateBytes: state.sizeBytes(),
        deadLetterBytes: deadLetters.sizeBytes(),
        deadLettersStored: letters.stored,
        deadLettersDropped: letters.dropped,
      },
      memory: { rssBytes: rss, heapUsedBytes: heapUsed },
    }
  }

  #archive(end: number): ArchiveStatus | null {
    const { archiver } = this.#parts
    if (archiver === null) return null
    const { position, counts, problem } = archiver
    return {
      archived: position,
      lag: position === null ? null : Math.max(0, end - position),
      stored: counts.archived,
      duplicates: counts.duplicates,
      expired: counts.expired,
      lost: counts.lost,
      problem,
    }
  }

  #count(): Sample {
    const { clock, log, consumer, watcher } = this.#parts
    return {
      at: clock.now(),
      appended: log.bounds(0).end,
      rolled: consumer.rolled,
      published: watcher.counts().published,
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
