/// Rebuilds a roller's state from the archive: every swap that was accepted and archived, as parts and deltas of a state
/// store (core/roller/rebuild). A roller that is restored from it goes on with the log at the archive's position.
///
/// It may be stopped at any moment and begun again with the same target: parts that are in the store are not made
/// again, and deltas go on after the last one.

import type { RollerConfig } from '../core/roller/config.js'
import { type RebuildTarget, StateBuilder } from '../core/roller/rebuild/state-builder.js'
import { BLOCK_TICKS } from '../core/roller/rows/block.js'
import { type EpochMs, epochMs } from '../core/units.js'
import type { StateStore } from '../ports/state-store.js'
import type { ArchivedRowsReader } from '../ports/trade-archive.js'

export interface BackfillOptions {
  readonly config: RollerConfig
  readonly target: RebuildTarget
  /// Swaps with an event time before it are left out, even where windows reach further back; 0 for none.
  readonly from: EpochMs
  readonly reader: ArchivedRowsReader
  /// Empty, or what an earlier run for the same target left.
  readonly store: StateStore
  /// The share that is done, and how many swaps were read.
  progress(share: number, swaps: number): void
  nextTurn(): Promise<void>
}

/// Blocks are made in stretches, since an archive reads an hour of swaps anew for each. So many rows of them are in memory,
/// some 100 bytes each, as far as the stretch before tells; and so many blocks at first, and at most (an hour of slices).
const STRETCH_ROWS = 2_000_000
const STRETCH_BLOCKS = 7
const STRETCH_BLOCKS_MAX = 28

export async function backfill(options: BackfillOptions): Promise<void> {
  const { config, target, reader, store, progress, nextTurn } = options
  const builder = new StateBuilder(config, target)
  const blockMs = BLOCK_TICKS * config.resolutionMs
  let next = Math.max(builder.from, options.from - (options.from % blockMs))
  for (const part of store.parts()) {
    builder.resume(part)
    next = Math.max(next, (part.block + 1) * blockMs)
  }
  const begin = next
  const span = Math.max(1, target.logTime - begin)
  let swaps = 0
  let blocks = STRETCH_BLOCKS
  while (store.position() === 0 && next < builder.hotFrom) {
    const end = Math.min(builder.hotFrom, next + blocks * blockMs)
    const before = swaps
    for await (const rows of reader.rows(epochMs(next), epochMs(end))) {
      builder.add(rows)
      swaps += rows.batch.size
      progress((next - begin) / span, swaps)
    }
    const parts = [...builder.parts()]
    if (parts.length > 0) await store.appendParts(parts)
    await nextTurn()
    blocks = blocksWithin(STRETCH_ROWS, (swaps - before) / Math.ceil((end - next) / blockMs))
    next = end
  }
  builder.beginDeltas(store.position())
  for await (const rows of reader.rowsLogged(builder.loggedFrom)) {
    for (const delta of builder.addRecent(rows)) await store.appendDelta(delta)
    // The others were read before, for the parts.
    for (let i = 0; i < rows.batch.size; i++) if ((rows.batch.timeMs[i] ?? 0) >= builder.hotFrom) swaps++
    progress((next - begin) / span, swaps)
    await nextTurn()
  }
  const last = builder.finish()
  if (last !== null) await store.appendDelta(last)
  progress(1, swaps)
}

const blocksWithin = (rows: number, rowsPerBlock: number): number =>
  Math.max(1, Math.min(STRETCH_BLOCKS_MAX, Math.floor(rows / rowsPerBlock)))
