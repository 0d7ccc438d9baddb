/// The trade log in memory, for tests and for runs that need no durability. Nothing survives the process; released
/// records are dropped above the size bound like the embedded log's.

import { invariant } from '../../core/invariant.js'
import { type KeyedRecords, recordsIn } from '../../core/keyed-records.js'
import { linesByPartition, type PartitionLines } from '../../core/partitioned-lines.js'
import { epochMs, type Offset, offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { LogFullError, OffsetGoneError } from '../../ports/errors.js'
import type { Appended, LogBatch, LogBounds, TradeLog } from '../../ports/trade-log.js'

export interface MemoryTradeLogOptions {
  readonly clock: Clock
  /// 1 unless said.
  readonly partitions?: number
  /// Above this size (64 MiB) released batches are dropped.
  readonly sizeBytesMax?: number
  /// Above this size (512 MiB) appends are refused with LogFullError: what is not released is kept, and memory is
  /// not boundless.
  readonly unreleasedBytesMax?: number
}

class Partition {
  batches: LogBatch[] = []
  /// Index, counted from the log's beginning, of batches[0].
  base = 0
  end = offset(0)
  lastTime = epochMs(0)
  released = offset(0)
  bytes = 0
  readonly wakes = new Set<() => void>()

  get first(): Offset {
    return this.batches[0]?.firstOffset ?? this.end
  }
}

const MIB = 1024 * 1024

export class MemoryTradeLog implements TradeLog {
  readonly #clock: Clock
  readonly #sizeBytesMax: number
  readonly #unreleasedBytesMax: number
  readonly #partitions: readonly Partition[]
  #closed = false

  constructor(options: MemoryTradeLogOptions) {
    this.#clock = options.clock
    this.#sizeBytesMax = options.sizeBytesMax ?? 64 * MIB
    this.#unreleasedBytesMax = options.unreleasedBytesMax ?? 512 * MIB
    this.#partitions = Array.from({ length: options.partitions ?? 1 }, () => new Partition())
  }

  get partitions(): number {
    return this.#partitions.length
  }

  async append(pieces: readonly KeyedRecords[]): Promise<Appended[]> {
    invariant(!this.#closed, 'a closed log takes no appends')
    invariant(recordsIn(pieces) > 0, 'an append has at least one record')
    const lines = linesByPartition(pieces, this.partitions)
    for (const { partition, bytes } of lines) {
      const kept = this.#partition(partition)
      if (kept.bytes + bytes.length <= this.#unreleasedBytesMax) continue
      throw new LogFullError(`The trade log holds ${kept.bytes} bytes that no checkpoint covers`, 1)
    }
    return lines.map(part => this.#appendTo(this.#partition(part.partition), part))
  }

  async *follow(partition: number, from: Offset, signal: AbortSignal): AsyncGenerator<LogBatch> {
    const kept = this.#partition(partition)
    if (from < kept.first || from > kept.end) {
      throw new OffsetGoneError(
        `Partition ${partition} of the trade log holds offsets ${kept.first} to ${kept.end}, not ${from}`,
      )
    }
    const found = kept.batches.findIndex(batch => batch.firstOffset + batch.count > from)
    let next = kept.base + (found === -1 ? kept.batches.length : found)
    while (!signal.aborted) {
      if (next < kept.base) {
        throw new OffsetGoneError(
          `Partition ${partition} of the trade log dropped records while they were being read`,
        )
      }
      const batch = kept.batches[next - kept.base]
      if (batch !== undefined) {
        next++
        yield batch
      } else if (this.#closed) return
      else await this.#change(kept, signal)
    }
  }

  bounds(partition: number): LogBounds {
    const { first, end } = this.#partition(partition)
    return { first, end }
  }

  async lookUpBounds(partition: number): Promise<LogBounds> {
    return this.bounds(partition)
  }

  release(partition: number, below: Offset): void {
    const kept = this.#partition(partition)
    kept.released = offset(Math.max(kept.released, below))
    this.#dropReleased(kept)
  }

  sizeBytes(): number {
    return this.#partitions.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { wakes } of this.#partitions) for (const wake of wakes) wake()
  }

  #appendTo(kept: Partition, { partition, bytes, count }: PartitionLines): Appended {
    const firstOffset = kept.end
    const appendTime = epochMs(Math.max(this.#clock.now(), kept.lastTime))
    kept.batches.push({ partition, firstOffset, count, appendTime, bytes, ranges: null, broken: null })
    kept.bytes += bytes.length
    kept.end = offset(firstOffset + count)
    kept.lastTime = appendTime
    this.#dropReleased(kept)
    for (const wake of kept.wakes) wake()
    return { partition, count, end: kept.end }
  }

  #partition(partition: number): Partition {
    const found = this.#partitions[partition]
    invariant(found !== undefined, `the log has ${this.partitions} partitions, not one numbered ${partition}`)
    return found
  }

  #change(kept: Partition, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        kept.wakes.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      kept.wakes.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }

  /// Drops the oldest released batches; the last one stays.
  #dropReleased(kept: Partition): void {
    let dropped = 0
    while (kept.bytes > this.#sizeBytesMax && dropped < kept.batches.length - 1) {
      const oldest = kept.batches[dropped]
      if (oldest === undefined || oldest.firstOffset + oldest.count > kept.released) break
      kept.bytes -= oldest.bytes.length
      dropped++
    }
    if (dropped === 0) return
    kept.batches = kept.batches.slice(dropped)
    kept.base += dropped
  }
}
