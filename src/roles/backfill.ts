/// Rebuilds a roller's state from the archive: every swap that was accepted and archived, as parts and deltas of a state
/// store (core/roller/rebuild). A roller that is restored from it goes on with the log at the archive's position.
///
/// It may be stopped at any moment and begun again with the same target: parts that are in the store are not made
/// again, and deltas go on after the last one.

import type { RollerConfig } from '../core/roller/config.js'
import { type RebuildTarget, StateBuilder } from '../core/roller/rebuild/state-builder.js'
import { BLOCK_TICKS } from '../core/roller/rows/block.js'
import { type EpochMs, epochMs } from '../core/units.js'
import type { PartMaking, StartPartMaking } from '../ports/part-making.js'
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
  readonly startPartMaking: StartPartMaking
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
  const begin = Math.max(builder.from, options.from - (options.from % blockMsOf(config)), endOfParts(options))
  const span = Math.max(1, target.logTime - begin)
  let swaps = 0
  if (store.position() === 0) swaps = await makeParts(options, builder, begin, span)
  builder.beginDeltas(store.position())
  for await (const rows of reader.rowsLogged(builder.loggedFrom)) {
    for (const delta of builder.addRecent(rows)) await store.appendDelta(delta)
    // The others were read before, for the parts.
    for (let i = 0; i < rows.batch.size; i++) if ((rows.batch.timeMs[i] ?? 0) >= builder.hotFrom) swaps++
    progress((Math.max(begin, builder.hotFrom) - begin) / span, swaps)
    await nextTurn()
  }
  const last = builder.finish()
  if (last !== null) await store.appendDelta(last)
  progress(1, swaps)
}

const blockMsOf = ({ resolutionMs }: RollerConfig): number => BLOCK_TICKS * resolutionMs

/// Where the parts of an earlier run end; 0 without any.
function endOfParts({ config, store }: BackfillOptions): number {
  let end = 0
  for (const { block } of store.parts()) end = Math.max(end, (block + 1) * blockMsOf(config))
  return end
}

/// Parts of what was swapped before the hot range, in stretches: while those of one are made and stored, the next is read.
/// Returns how many swaps were read.
async function makeParts(
  { config, reader, store, progress, nextTurn, startPartMaking }: BackfillOptions,
  builder: StateBuilder,
  begin: number,
  span: number,
): Promise<number> {
  let lastSegment = 0
  for (const { segment } of store.parts()) lastSegment = Math.max(lastSegment, segment)
  const making = startPartMaking({ resolutionMs: config.resolutionMs, lastSegment })
  const blockMs = blockMsOf(config)
  let swaps = 0
  let storing = Promise.resolve()
  try {
    let blocks = STRETCH_BLOCKS
    for (let next = begin; next < builder.hotFrom; ) {
      const end = Math.min(builder.hotFrom, next + blocks * blockMs)
      const before = swaps
      for await (const rows of reader.rows(epochMs(next), epochMs(end))) {
        builder.add(rows)
        swaps += rows.batch.size
        progress((next - begin) / span, swaps)
      }
      await storing
      storing = storeParts(making, builder, store)
      // Whoever waits for it hears of a failure; until then nobody does.
      storing.catch(() => {})
      await nextTurn()
      blocks = blocksWithin(STRETCH_ROWS, (swaps - before) / Math.ceil((end - next) / blockMs))
      next = end
    }
    await storing
  } finally {
    await making.close()
    // A part that is being stored is stored, or not, before anybody else comes.
    await storing.catch(() => {})
  }
  return swaps
}

/// Of the blocks that were filled.
async function storeParts(making: PartMaking, builder: StateBuilder, store: StateStore): Promise<void> {
  const parts = await Promise.all(
    [...builder.filled()].map(async filled => {
      const { part, rows } = await making.make(filled)
      builder.giveBack(rows)
      return builder.sealed(filled.block, part)
    }),
  )
  if (parts.length > 0) await store.appendParts(parts)
}

const blocksWithin = (rows: number, rowsPerBlock: number): number =>
  Math.max(1, Math.min(STRETCH_BLOCKS_MAX, Math.floor(rows / rowsPerBlock)))
