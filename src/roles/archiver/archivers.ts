/// An archiver for each partition that this process archives.

import { type Offset, offset } from '../../core/units.js'
import type { TradeLog } from '../../ports/trade-log.js'
import { Archiver, type ArchiverCounts, type ArchiverOptions } from './archiver.js'

export class Archivers {
  readonly #options: Omit<ArchiverOptions, 'partition'>
  readonly #archivers = new Map<number, Archiver>()
  #stopping: Promise<void>[] = []
  /// Of those that have ended.
  #past: ArchiverCounts = { archived: 0, duplicates: 0, expired: 0, lost: 0 }

  constructor(options: Omit<ArchiverOptions, 'partition'>) {
    this.#options = options
  }

  /// From now on these are archived here, and no others. Two processes may archive one partition for a while: the archive takes
  /// each batch from one of them.
  assign(partitions: readonly number[]): void {
    for (const [partition, archiver] of this.#archivers) {
      if (partitions.includes(partition)) continue
      this.#archivers.delete(partition)
      const stopped = archiver.stop().finally(() => {
        this.#past = sum(this.#past, archiver.counts)
        this.#stopping = this.#stopping.filter(other => other !== stopped)
      })
      this.#stopping.push(stopped)
    }
    for (const partition of partitions) {
      if (this.#archivers.has(partition)) continue
      const archiver = new Archiver({ ...this.#options, partition })
      this.#archivers.set(partition, archiver)
      archiver.start()
    }
  }

  async stop(): Promise<void> {
    this.assign([])
    await Promise.all(this.#stopping)
  }

  /// Every record below is archived: of the one partition; null where there are several, or nothing is known yet.
  get position(): Offset | null {
    const [first, ...more] = this.#archivers.values()
    return first === undefined || more.length > 0 ? null : first.position
  }

  /// Records that are not archived yet; null while that is not known.
  lag(log: TradeLog): number | null {
    let lag = 0
    for (const [partition, { position }] of this.#archivers) {
      if (position === null) return null
      lag += Math.max(0, log.bounds(partition).end - position)
    }
    return offset(lag)
  }

  /// Since the start of this process.
  get counts(): ArchiverCounts {
    return [...this.#archivers.values()].reduce((total, { counts }) => sum(total, counts), this.#past)
  }

  /// Why nothing is stored for now; null while all is well.
  get problem(): string | null {
    return [...this.#archivers.values()].find(({ problem }) => problem !== null)?.problem ?? null
  }
}

const sum = (a: ArchiverCounts, b: ArchiverCounts): ArchiverCounts => ({
  archived: a.archived + b.archived,
  duplicates: a.duplicates + b.duplicates,
  expired: a.expired + b.expired,
  lost: a.lost + b.lost,
})
