/// The trade log, which drops what is released, between the roller that releases what is checkpointed and the archiver
/// that is not there yet: what is not archived is held, up to a bound.
///
/// Beyond the bound (of the log's whole size) the oldest records are let go though they are not archived: a database that
/// is away for days must not fill the disk. The archiver then finds them gone, skips them, and the archive keeps a note.

import type { KeyedRecords } from '../../core/keyed-records.js'
import { type Offset, offset } from '../../core/units.js'
import type { Appended, LogBatch, LogBounds, TradeLog } from '../../ports/trade-log.js'

export class HeldLog implements TradeLog {
  readonly #log: TradeLog
  readonly #sizeBytesMax: number
  readonly #checkpointed: Offset[]
  readonly #archived: Offset[]

  /// Until the archiver says how far it is, everything is held.
  constructor(log: TradeLog, sizeBytesMax: number) {
    this.#log = log
    this.#sizeBytesMax = sizeBytesMax
    this.#checkpointed = Array.from({ length: log.partitions }, (_, i) => log.bounds(i).first)
    this.#archived = [...this.#checkpointed]
  }

  get partitions(): number {
    return this.#log.partitions
  }

  append(pieces: readonly KeyedRecords[]): Promise<readonly Appended[]> {
    return this.#log.append(pieces)
  }

  follow(partition: number, from: Offset, signal: AbortSignal): AsyncIterable<LogBatch> {
    return this.#log.follow(partition, from, signal)
  }

  bounds(partition: number): LogBounds {
    return this.#log.bounds(partition)
  }

  lookUpBounds(partition: number): Promise<LogBounds> {
    return this.#log.lookUpBounds(partition)
  }

  /// Says that everything below is checkpointed.
  release(partition: number, below: Offset): void {
    this.#checkpointed[partition] = below
    this.#release(partition)
  }

  /// Says that everything below is archived.
  archived(partition: number, below: Offset): void {
    this.#archived[partition] = below
    this.#release(partition)
  }

  sizeBytes(): number {
    return this.#log.sizeBytes()
  }

  close(): Promise<void> {
    return this.#log.close()
  }

  #release(partition: number): void {
    const checkpointed = this.#checkpointed[partition] ?? 0
    const both = Math.min(checkpointed, this.#archived[partition] ?? 0)
    this.#log.release(partition, offset(Math.min(checkpointed, Math.max(both, this.#letGoBelow(partition)))))
  }

  /// As many of the oldest records as the log is too large by, on the average of its records.
  #letGoBelow(partition: number): number {
    const { first, end } = this.#log.bounds(partition)
    const size = this.#log.sizeBytes()
    const excess = size - this.#sizeBytesMax
    return excess <= 0 ? 0 : first + Math.ceil(((end - first) * excess) / size)
  }
}
