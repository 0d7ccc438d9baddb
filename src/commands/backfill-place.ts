/// Where states are rebuilt: in a data directory (backfill-directory.ts), or for topic rolls (backfill-kafka.ts).

import type { RebuildTarget } from '../core/roller/rebuild/state-builder.js'
import type { EpochMs } from '../core/units.js'
import type { StateStore } from '../ports/state-store.js'
import type { ArchivePosition } from '../ports/trade-archive.js'

/// A state that is whole.
export interface Rebuilt {
  readonly partition: number
  readonly target: RebuildTarget
  /// Archived swaps that were read for it.
  readonly swaps: number
  /// How many of these are of tokens that belong to another partition; null where an earlier run has read some.
  readonly strays: number | null
}

export interface BackfillPlace {
  /// How many there are; each has a state.
  readonly partitions: number

  /// Why the partition's trade log cannot go on from there; null when it can, or is yet to be made. Call it before `openStore`.
  problemOf(partition: number, at: ArchivePosition): Promise<string | null>

  /// The plan of a run that was interrupted; null where there is none.
  plan(partition: number): string | null

  /// Begins the partition's state anew by this plan, a text of one line.
  beginPlan(partition: number, plan: string): void

  /// The new state: empty, or what an interrupted run of the same plan left. Rejects with LockedError while somebody else has the place.
  openStore(partition: number): Promise<StateStore>

  /// The new states, of every partition, are whole and closed: they take the places of the old ones. Of an interruption nothing is left but work to be done
  /// again. Until `incompleteUntil` windows reach back to swaps that are in no archive; null where they do not.
  takePlace(rebuilt: readonly Rebuilt[], incompleteUntil: EpochMs | null): Promise<void>

  close(): Promise<void>
}
