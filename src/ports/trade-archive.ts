/// The trade archive: every accepted swap in a database, for longer than the windows look back, and candles of them.
///
/// What is kept. The archive follows the trade log on its own, and keeps exactly the swaps that the roller accepts from
/// the same log with the same rules. Its caller leaves out what is invalid, late or early (core/admission.ts); the archive
/// leaves out duplicates, by the swaps that it holds itself: a swap is a duplicate when one of its partition with the same
/// fingerprint was kept less than `dedupeHorizonMs` of log time before, or one with the same 64 bits of it whose event time
/// lies in the same slice. The first one wins.
///
/// Contract, for every adapter (test/contract/trade-archive.ts):
/// - Atomicity: an append stores its swaps, what they change in candles, and the position, all or nothing. Readers see
///   all of it or nothing.
/// - Once: `from` of a batch is the position of its partition, else the append is refused with PositionMovedError and
///   changes nothing. So a batch that is appended again, or by two writers, is stored once.
/// - Durability: when `append` resolves, the batch survives a crash of the process and, where there is a disk, of the
///   machine.
/// - Candles are exact at any time: each equals what SQL computes from the accepted swaps of its bucket, late ones
///   included (core/candles.ts). `traders` is the number of distinct `who`.
/// - Order: trades come newest first, in descending chain order: time, block, txIndex, logIndex (one that was not given is
///   below every given one), id by its UTF-8 bytes. A page goes on after the last swap of the page before it: swaps that
///   come in between change no page but those that they belong to.
/// - Retention: `maintain` drops trades and candles older than their limits, whole hours and days at a time, and the
///   oldest of both, each in proportion to its limit, while the archive is larger than its bound. What is older than
///   `tradesFrom`, or so old that no late swap could be, is not taken any more (`expired`).
/// - Windows: exact in volume and counts to the minute, as candles are. Distinct traders of them are not known.
/// - Errors: UnavailableError while the database is away, StorageFullError while it has no room, BusyError when more is
///   asked at a time than it is set to answer: the call changed nothing and may be repeated. DamagedError and
///   UnknownFormatError help nobody who tries again.

import type { Candle, CandleInterval } from '../core/candles.js'
import type { SwapBatch } from '../core/swap-batch.js'
import type { EpochMs, MicroUsd, Offset } from '../core/units.js'

/// As the roller is configured.
export interface ArchiveRules {
  readonly resolutionMs: number
  /// No swap whose event time is further behind log time than this is appended.
  readonly retentionMs: number
  readonly dedupeHorizonMs: number
  readonly earlyToleranceMs: number
}

export interface ArchiveLimits {
  readonly tradesRetentionMs: number
  readonly candlesRetentionMs: number
  readonly sizeBytesMax: number
}

/// A swap as its producer sent it.
export interface SentSwap {
  readonly id: string
  readonly time: EpochMs
  readonly who: string
  readonly token: string
  readonly side: 'buy' | 'sell'
  /// Tokens, plain decimal with up to 18 decimals.
  readonly amount: string
  readonly usd: MicroUsd
  /// USD per token; null where it is unknown.
  readonly price: number | null
  readonly block: number | null
  readonly txIndex: number | null
  readonly logIndex: number | null
  readonly tx: string | null
  readonly chain: string | null
}

/// A swap, and where it stands in the trade log.
export interface LoggedSwap extends SentSwap {
  readonly offset: Offset
  /// Log time at the swap's offset.
  readonly logTime: EpochMs
}

/// A swap as the archive gives it back.
export interface ArchivedSwap extends LoggedSwap {
  readonly partition: number
}

/// A swap that log time does not refuse.
export interface AdmittedSwap extends LoggedSwap {
  /// Of the id, three signed words (core/fingerprint.ts).
  readonly fingerprint: readonly [number, number, number]
  /// Its place in chain order (core/chain-place.ts).
  readonly place: Uint8Array
}

export interface ArchiveBatch {
  readonly partition: number
  /// Offsets covered: from ≤ offset < to.
  readonly from: Offset
  readonly to: Offset
  /// Log time at `to`.
  readonly logTime: EpochMs
  /// Ascending offsets. Their log times span less than the dedupe horizon, so that the first of an id within the
  /// batch is the only one that can be accepted.
  readonly swaps: readonly AdmittedSwap[]
}

/// What became of a batch's swaps.
export interface Archived {
  readonly archived: number
  readonly duplicates: number
  /// Older than what the archive keeps.
  readonly expired: number
}

export interface ArchivePosition {
  /// Every record below it is in the archive, or was refused.
  readonly offset: Offset
  readonly logTime: EpochMs
}

export interface CandleQuery {
  readonly token: string
  readonly interval: CandleInterval
  /// Candles that begin in from ≤ time < to. The caller bounds how many these can be.
  readonly from: EpochMs
  readonly to: EpochMs
}

/// Of a token, or of a trader.
export type TradesOf = { readonly token: string } | { readonly who: string }

/// Where a page ends: the order key of its last swap.
export type TradePlace = Pick<ArchivedSwap, 'time' | 'block' | 'txIndex' | 'logIndex' | 'id'>

export interface TradesQuery {
  readonly of: TradesOf
  /// Event times from ≤ time < to.
  readonly from: EpochMs
  readonly to: EpochMs
  readonly limit: number
  /// Only swaps that come after this place, null for the first page.
  readonly after: TradePlace | null
}

/// A token's swaps in the whole minutes of from ≤ time < to, summed up.
export interface WindowSums extends Omit<Candle, 'time' | 'traders'> {
  readonly from: EpochMs
  readonly to: EpochMs
}

export interface LongWindows extends ArchiveReach {
  /// One for each length that was asked for: the minutes up to and including that of `asOf`. Empty while `asOf` is null.
  /// Example, asOf 12:00:30, 1 h: from 11:01 to 12:01.
  readonly windows: readonly WindowSums[]
}

/// How much of the log is in the archive.
export interface ArchiveReach {
  /// Everything that was appended before is archived, of every partition; null while nothing is.
  readonly asOf: EpochMs | null
  /// Nothing accepted with an event time from here on is missing, up to `asOf`: later than the beginning of an archive that
  /// began after its log, and than records that the log dropped before they were archived.
  readonly completeFrom: EpochMs
  /// Everything archived with an event time from here on is kept.
  readonly tradesFrom: EpochMs
  readonly candlesFrom: EpochMs
}

/// Archived swaps in columns. Row i of `batch` stands at `offset[i]` of the log, where log time is `logTime[i]`; its price may
/// count as given when it is not. Valid until the next ones are asked for.
export interface ArchivedRows {
  readonly batch: SwapBatch
  readonly offset: Float64Array
  readonly logTime: Float64Array
  /// Small numbers of the rows' tokens and traders, where the archive has such: equal ones are equal names for as long as
  /// the reader is open.
  readonly numbers: { readonly token: Int32Array; readonly who: Int32Array } | null
}

/// The swaps of one partition that are archived when it is opened, for whoever reads millions of them.
export interface ArchivedRowsReader {
  /// Of the partition then.
  readonly position: ArchivePosition
  /// After the last of them with a log time before `loggedBefore`; null where there is none.
  positionBefore(loggedBefore: EpochMs): Promise<ArchivePosition | null>
  /// How many have an event time of from ≤ time < to and stand below the offset.
  count(from: EpochMs, to: EpochMs, below: Offset): Promise<number>
  /// These, in any order. Of fingerprints the third word may be 0, and ids may be missing where block, transaction and log
  /// index are all given.
  rows(from: EpochMs, to: EpochMs): AsyncIterable<ArchivedRows>
  /// Those with a log time of `loggedFrom` and later, ascending by offset, with whole ids and fingerprints.
  rowsLogged(loggedFrom: EpochMs): AsyncIterable<ArchivedRows>
  close(): Promise<void>
}

export interface ArchiveSummary extends ArchiveReach {
  readonly sizeBytes: number
}

export interface TradeArchive {
  /// Null before the first append of the partition.
  position(partition: number): Promise<ArchivePosition | null>

  append(batch: ArchiveBatch): Promise<Archived>

  /// Moves the position over records that the log dropped before they were archived, and keeps a note of it. `from`
  /// is the position, or anything where there is none.
  skip(partition: number, from: Offset, to: Offset, logTime: EpochMs): Promise<void>

  /// Ascending, only candles with swaps.
  candles(query: CandleQuery): Promise<readonly Candle[]>

  /// The close of the last minute with a known price that ends at or before `time`, a whole minute; null where none is kept.
  closeBefore(token: string, time: EpochMs): Promise<number | null>

  /// Of one token; lengths are whole minutes.
  windows(token: string, lengthsMs: readonly number[]): Promise<LongWindows>

  trades(query: TradesQuery): Promise<readonly ArchivedSwap[]>

  /// Everything with from ≤ time < to: hours ascend, and within one hour swaps are in chain order. What is appended
  /// meanwhile may be in it or not.
  scan(from: EpochMs, to: EpochMs): AsyncIterable<readonly ArchivedSwap[]>

  /// Null where nothing of the partition is archived. Names of swaps before `from` need not be known to the reader.
  openRows(partition: number, from: EpochMs): Promise<ArchivedRowsReader | null>

  /// Orders what is stored and drops what is beyond its limits. `asOf` says that every record that was appended to the
  /// partition before is archived; the age of what is stored is taken from the least `asOf` of all partitions. Appends
  /// wait meanwhile; readers do not.
  maintain(partition: number, asOf: EpochMs): Promise<void>

  summary(): Promise<ArchiveSummary>

  /// Ends what is under way: an append or maintenance that is not committed yet rejects, and leaves nothing.
  close(): Promise<void>
}
