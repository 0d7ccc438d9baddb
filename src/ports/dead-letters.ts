/// Input that was not taken, with the reason: nothing that a producer sent disappears without a trace.
///
/// Contract, for every adapter (test/contract/dead-letters.ts):
/// - Order: letters are read back in the order of their appending.
/// - Durability: when `append` resolves, the letters survive a crash.
/// - Once: letters with a log origin are idempotent: one whose (partition, offset) is not above the highest
///   stored for that partition is skipped, so that rolling the same records again after a crash adds nothing. So are those
///   about other topics, by topic and partition; only networked adapters have any.
/// - Bounded: above the size bound the oldest letters are dropped, whole files at a time, and counted in `dropped`.
/// - A full disk rejects with StorageFullError and stores nothing of the call.

import type { EpochMs, Offset } from '../core/units.js'

/// Where a letter came from.
export type LetterOrigin =
  | { readonly kind: 'log'; readonly partition: number; readonly offset: Offset }
  /// A record of another topic than the trade log's.
  | { readonly kind: 'topic'; readonly topic: string; readonly partition: number; readonly offset: Offset }
  | { readonly kind: 'http'; readonly line: number }

export interface DeadLetter {
  /// Why it was not taken: a fate of the roller or of the decoder.
  readonly fate: 'late' | 'early' | 'invalid'
  /// The field at fault, where one is known.
  readonly field: string | null
  readonly reason: string
  readonly time: EpochMs
  readonly origin: LetterOrigin
  /// The input as it came, cut at 4 KiB.
  readonly input: Uint8Array
}

export interface DeadLetters {
  append(letters: readonly DeadLetter[]): Promise<void>
  /// All that is kept, oldest first.
  read(): AsyncIterable<DeadLetter>
  /// Counts since the store was created.
  counts(): { readonly stored: number; readonly dropped: number }
  sizeBytes(): number
  close(): Promise<void>
}
