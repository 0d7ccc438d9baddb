/// The roller's durable state of one partition: a sequence of deltas (rows as they were accepted, with the input
/// offsets they cover) and, for slices that have left the hot range, parts (the same rows sorted by slice).
///
/// Contract, for every adapter (test/contract/state-store.ts):
/// - Atomicity: a delta, and each part with its head and all its pieces, is stored whole or not at all.
/// - Order: deltas are read back in the order of their appending.
/// - Several writers: deltas may cover the same offsets, because writers cannot know of one another. They are
///   deterministic, so it makes no difference whose are kept. One that covers nothing beyond `position` is left out; one that
///   begins below it is kept, and whoever folds it skips what is covered; one that begins above it would leave offsets out
///   and is refused with an InvariantError. Only at position 0 may a delta begin anywhere: what came before it is older
///   than what the store keeps.
/// - Durability: when `appendDelta` or `appendParts` resolves, what it stored survives a crash. Parts become
///   readable through `readParts` as soon as the promise resolves.
/// - Opaque: payloads are the roller's (docs/formats/); the store checksums and frames them, never looks inside.
/// - Damage: what was acknowledged and cannot be read back whole fails with `DamagedError`, never with less data.
/// - A failed append (a full disk) changes nothing and may be repeated.
/// - Bytes that are read are the caller's; no later read changes them. What is kept may keep a megabyte alive around it.

import type { EpochMs, Offset } from '../core/units.js'

/// What a delta says of itself, for folding and for dropping.
export interface DeltaHeader {
  /// Input offsets covered: coversFrom ≤ offset < coversTo.
  readonly coversFrom: Offset
  readonly coversTo: Offset
  /// Log time at coversTo.
  readonly logTime: EpochMs
  /// The highest block (see core/roller/block.ts) with a row in the delta; -1 without rows.
  readonly maxBlock: number
}

export interface Delta extends DeltaHeader {
  readonly payload: Uint8Array
}

/// Says what a part is. A part holds rows of one block of slices, sorted by slice; a block may have several parts: rows
/// that came late make a new one.
export interface PartHeader {
  readonly block: number
  /// The part holds every row of the block with coversFrom ≤ offset < coversTo.
  readonly coversFrom: Offset
  readonly coversTo: Offset
  /// Parts of one segment share a dictionary, in the order in which they were appended; segments ascend.
  readonly segment: number
}

/// A part to be stored: a head, and pieces that can be read one by one.
export interface SlicePart extends PartHeader {
  readonly head: Uint8Array
  readonly pieces: readonly Uint8Array[]
}

/// A part that is stored. Head and pieces are read, and verified, when they are asked for, each by itself; that may throw
/// DamagedError.
export interface StoredPart extends PartHeader {
  head(): Uint8Array
  /// How many pieces there are.
  pieces(): number
  /// The piece at this index of SlicePart.pieces.
  piece(index: number): Uint8Array
}

/// Reads parts back while the roller runs. Synchronous, because the roller's step is: a cursor that comes to a slice on
/// disk needs its rows before it can go on. A piece is some tens of kilobytes.
export interface SliceReader {
  /// All parts of the block, in the order in which they were appended; empty when there is none.
  readParts(block: number): readonly StoredPart[]
}

export interface StateStore extends SliceReader {
  /// The last delta's coversTo, or 0 for an empty store: where reading the log resumes.
  position(): Offset

  /// Every part, ordered by (segment, order of appending): the order in which dictionaries must be read.
  parts(): Iterable<StoredPart>

  /// Every delta that has not been forgotten, in order.
  deltas(): Iterable<Delta>

  appendDelta(delta: Delta): Promise<void>

  appendParts(parts: readonly SlicePart[]): Promise<void>

  /// Drops whole segments of parts whose highest block is below `partsBelowBlock`, and whole files of deltas
  /// all of which satisfy `coversTo ≤ deltas.coveredBelow`, `logTime < deltas.logTimeBefore` and
  /// `maxBlock < deltas.blockBelow`. May keep more than it must, never less. `position()` does not change.
  forget(what: {
    readonly partsBelowBlock: number
    readonly deltas: {
      readonly coveredBelow: Offset
      readonly logTimeBefore: EpochMs
      readonly blockBelow: number
    }
  }): Promise<void>

  /// Bytes in use, for status and limits.
  sizeBytes(): number

  close(): Promise<void>
}

/// Offsets that the log did not hold any more when their turn came: swaps there are missing from the statistics.
export interface LogGap {
  /// from ≤ offset < to.
  readonly from: Offset
  readonly to: Offset
  /// From then on no window reaches back to what is missing.
  readonly until: EpochMs
}

/// A token's partition follows from its key and the number of partitions. When there are more of them than before, tokens
/// move, and their swaps of before must follow them: each partition appends those it has to where they belong (carries them), and
/// nobody publishes before all have. 0: nothing is known.
export interface Placement {
  /// Of how many partitions this one has carried its swaps.
  readonly carried: number
  /// Of how many partitions all have.
  readonly settled: number
}

/// What comes with a state store whose deltas other processes write, too: a partition moves from process to process, and
/// a process that was taken for dead goes on for a while.
///
/// Contract (test/contract/shared-state.ts):
/// - Deltas of every writer are folded when the store is opened, each offset once.
/// - What is noted survives as deltas do, and is known to whoever opens the store next.
/// - A state may be replaced by another one that was made elsewhere, while this one is open in a process that was taken for dead: then
///   appends and `overtaken` reject with StateReplacedError.
export interface SharedState {
  /// Those that a window still reaches back to, oldest first.
  gaps(): readonly LogGap[]

  noteGap(gap: LogGap): Promise<void>

  /// Sees to it that the last delta does not expire while nothing new comes: position and totals are read from it. Call now
  /// and then.
  keepAlive(): Promise<void>

  /// Resolves with true once somebody else has stored a delta that covers offsets from `at` on, and with false when the
  /// signal aborts before.
  overtaken(at: Offset, signal: AbortSignal): Promise<boolean>

  /// Of how many partitions, and how far, the state knows that tokens moved to them; see `Placement`.
  placement(): Placement

  /// Notes, durably, that every swap of this partition whose token belongs to another one, of so many, was appended there.
  noteCarried(partitions: number): Promise<void>

  /// From now on deltas say that every partition has carried its swaps.
  settle(partitions: number): void

  /// Whether each of the other partitions, of so many, has carried its swaps, as far as is known now.
  othersCarried(partitions: number): Promise<boolean>

  /// Closes the store and lets go of everything that this machine keeps of it, because it is damaged: the next one to
  /// open it reads what is shared.
  discard(): Promise<void>
}
