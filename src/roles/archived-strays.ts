/// Looks whether archived swaps are of tokens that belong to their partition: after partitions were added some are not
/// (docs/adr/0023-more-partitions.md).

import { partitionOf } from '../core/partition.js'
import type { EpochMs, Offset } from '../core/units.js'
import type { ArchivedRows, ArchivedRowsReader, ArchivePosition } from '../ports/trade-archive.js'

/// A reader that notes it while somebody else reads.
export class StraysReader implements ArchivedRowsReader {
  readonly #reader: ArchivedRowsReader
  readonly #partition: number
  readonly #partitions: number
  #strays = 0

  constructor(reader: ArchivedRowsReader, partition: number, partitions: number) {
    this.#reader = reader
    this.#partition = partition
    this.#partitions = partitions
  }

  /// Of the rows that were read; those that were read twice count twice.
  get strays(): number {
    return this.#strays
  }

  get position(): ArchivePosition {
    return this.#reader.position
  }

  positionBefore(loggedBefore: EpochMs): Promise<ArchivePosition | null> {
    return this.#reader.positionBefore(loggedBefore)
  }

  count(from: EpochMs, to: EpochMs, below: Offset): Promise<number> {
    return this.#reader.count(from, to, below)
  }

  rows(from: EpochMs, to: EpochMs): AsyncIterable<ArchivedRows> {
    return this.#noted(this.#reader.rows(from, to))
  }

  rowsLogged(loggedFrom: EpochMs): AsyncIterable<ArchivedRows> {
    return this.#noted(this.#reader.rowsLogged(loggedFrom))
  }

  close(): Promise<void> {
    return this.#reader.close()
  }

  async *#noted(all: AsyncIterable<ArchivedRows>): AsyncGenerator<ArchivedRows> {
    for await (const rows of all) {
      if (this.#partitions > 1) this.#note(rows)
      yield rows
    }
  }

  #note({ batch }: ArchivedRows): void {
    const { bytes, tokenAt, tokenLength, size } = batch
    for (let i = 0; i < size; i++) {
      const home = partitionOf(bytes, tokenAt[i] ?? 0, tokenLength[i] ?? 0, this.#partitions)
      if (home !== this.#partition) this.#strays++
    }
  }
}
