/// The trade log: the one input of the system. Swaps are appended at least once, and read back in order.
///
/// Contract, for every adapter (test/contract/trade-log.ts):
/// - Key: a record's partition follows from its token (core/partition.ts), whoever appends it.
/// - Order: a partition is a sequence of records with ascending offsets; readers see them in that order, each once.
///   Offsets may have holes. What one append holds for one partition is read in its order.
/// - Durability: when `append` resolves, its records survive a crash of the process (kill -9), and in the
///   networked and embedded adapters of the machine. A record is visible to readers only once it is durable.
/// - Failure: after LogFullError or StorageFullError none of the partition's records is ever read; of the others of the
///   append some may be. After LogUnavailableError any of them may be, now or later. Both are retryable, and
///   appending everything again is safe: ids make a swap count once.
/// - Append times are stored with the records, so every reader sees the same ones. A networked log's clock may step
///   back between batches: a reader that wants log time takes the running maximum.
/// - Damage: records that were acknowledged but cannot be read back make `open` or `follow` fail with
///   `DamagedError`; they are never skipped in silence.

import type { KeyedRecords } from '../core/keyed-records.js'
import type { EpochMs, Offset } from '../core/units.js'

/// Records that were appended together and lie at offsets without holes. The bytes belong to the receiver; nobody
/// changes them afterwards.
export interface LogBatch {
  readonly partition: number
  /// Offset of the first record.
  readonly firstOffset: Offset
  /// How many records `bytes` holds. A batch of none says that there is no record below `firstOffset` that the
  /// follower has not been given: it moves a position over a hole, and its `appendTime` is 0.
  readonly count: number
  /// The log's own time of the append.
  readonly appendTime: EpochMs
  readonly bytes: Uint8Array
  /// Where the records are. Null: each is one line of `bytes`, UTF-8, `\n` after each, none blank. Else they are ranges,
  /// and may be anything, since anybody writes to a networked log.
  readonly ranges: RecordRanges | null
  /// Why the records cannot be told from one another; null when they can. Such a batch holds nothing but poison:
  /// `bytes` is what came, `count` how many records it claims to have.
  readonly broken: string | null
}

/// Record i is bytes[at[i] … at[i] + length[i] − 1].
export interface RecordRanges {
  readonly at: Int32Array
  readonly length: Int32Array
}

/// What an append has put into one partition.
export interface Appended {
  readonly partition: number
  readonly count: number
  /// All of it lies below.
  readonly end: Offset
}

/// The offsets that a partition holds: first ≤ offset < end. An empty partition has first = end.
export interface LogBounds {
  readonly first: Offset
  readonly end: Offset
}

export interface TradeLog {
  /// How many partitions there are; tokens are assigned to them by key.
  readonly partitions: number

  /// Appends the records, at least one. Resolves when they are durable. Appends made before an earlier one resolved
  /// are grouped. `bytes` of the pieces belongs to the log from the call on: it may be what live followers get; the
  /// columns are the caller's again when the call returns. Rejects with LogFullError, StorageFullError or
  /// LogUnavailableError when it cannot now, with StorageFailedError when the disk fails.
  append(pieces: readonly KeyedRecords[]): Promise<readonly Appended[]>

  /// Follows the partition from `from` on: first what is stored, then what comes, until `signal` aborts (the
  /// iteration then ends without an error). The first batch may begin before `from` when `from` lies inside a
  /// batch. `from` below the first offset rejects with `OffsetGoneError`; above the end too.
  follow(partition: number, from: Offset, signal: AbortSignal): AsyncIterable<LogBatch>

  /// The bounds as far as they are known without asking anybody: exact in a local log; in a networked one as of the
  /// last answer about this partition, which a follower keeps current.
  bounds(partition: number): LogBounds

  /// The bounds now.
  lookUpBounds(partition: number): Promise<LogBounds>

  /// Says that everything below `below` is covered by a durable checkpoint, so the adapter may drop it when the
  /// log exceeds its size bound. What is not released is kept whatever its size. A networked log keeps by its own rules.
  release(partition: number, below: Offset): void

  /// Bytes in use on this machine, for status and limits.
  sizeBytes(): number

  /// Waits for appends under way, then lets go of the resources. No append may follow. Followers' iterations end.
  close(): Promise<void>
}
