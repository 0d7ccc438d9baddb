/// The trade log: the one input of the system. Swaps are appended at least once, and read back in order.
///
/// Contract, for every adapter (test/contract/trade-log.ts):
/// - Order: a partition is a sequence of records with ascending offsets; readers see them in that order, each once.
/// - Durability: when `append` resolves, its records survive a crash of the process (kill -9), and in the
///   networked and embedded adapters of the machine. A record is visible to readers only once it is durable.
/// - Atomicity: one append is all or nothing for a partition. After a failed append none of it is ever read.
/// - Append times never decrease along a partition: each is the maximum of the clock and its predecessor's.
///   They are stored, so every reader sees the same ones.
/// - Full: an append that finds the bounded queue full fails with `LogFullError`, one that finds no room on the disk
///   with `StorageFullError`. Both are retryable and change nothing.
/// - Damage: records that were acknowledged but cannot be read back make `open` or `follow` fail with
///   `DamagedError`; they are never skipped in silence.

import type { EpochMs, Offset } from '../core/units.js'

/// Records that were appended together, as they were given: one JSON document per line (`\n` after each), UTF-8.
/// The bytes belong to the receiver; nobody changes them afterwards.
export interface LogBatch {
  readonly partition: number
  /// Offset of the first record.
  readonly firstOffset: Offset
  /// How many records (lines) `bytes` holds.
  readonly count: number
  /// The log's own time of the append.
  readonly appendTime: EpochMs
  readonly bytes: Uint8Array
}

export interface Appended {
  readonly partition: number
  readonly firstOffset: Offset
  readonly count: number
}

/// The offsets that a partition holds: first ≤ offset < end. An empty partition has first = end.
export interface LogBounds {
  readonly first: Offset
  readonly end: Offset
}

export interface TradeLog {
  /// How many partitions there are; tokens are assigned to them by key.
  readonly partitions: number

  /// Appends `count` lines. Resolves when they are durable. Appends made before an earlier one resolved are
  /// grouped into one write. `lines` belongs to the log from the call on: it is what live followers get. Rejects with
  /// LogFullError or StorageFullError when there is no room, with StorageFailedError when the disk fails.
  append(partition: number, lines: Uint8Array, count: number): Promise<Appended>

  /// Follows the partition from `from` on: first what is stored, then what comes, until `signal` aborts (the
  /// iteration then ends without an error). The first batch may begin before `from` when `from` lies inside a
  /// batch. `from` below `bounds().first` rejects with `OffsetGoneError`; above `bounds().end` too.
  follow(partition: number, from: Offset, signal: AbortSignal): AsyncIterable<LogBatch>

  bounds(partition: number): LogBounds

  /// Says that everything below `below` is covered by a durable checkpoint, so the adapter may drop it when the
  /// log exceeds its size bound. What is not released is kept whatever its size.
  release(partition: number, below: Offset): void

  /// Bytes in use, for status and limits.
  sizeBytes(): number

  /// Waits for appends under way, then lets go of the resources. No append may follow.
  close(): Promise<void>
}
