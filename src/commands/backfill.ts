/// `volumer backfill`: rebuilds the roller's state from the archive, in the data directory, while no server has it. What is
/// there is not touched before the new state is whole, and takes its place in one step; a run that was killed goes on
/// where it was.

import { existsSync, mkdirSync } from 'node:fs'
import {
  beginPlan,
  finishBackfill,
  markReady,
  newStateDirectory,
  readPlan,
} from '../adapters/embedded/backfill-directory.js'
import { type EmbeddedStores, stateDirectory } from '../adapters/embedded/data-directory.js'
import { readFormat } from '../adapters/embedded/format-file.js'
import { lockDirectory } from '../adapters/embedded/lock.js'
import { EmbeddedStateStore } from '../adapters/embedded/state-store.js'
import { nextTurn } from '../adapters/system/turn.js'
import type { Config } from '../config.js'
import type { RollerConfig } from '../core/roller/config.js'
import type { RebuildTarget } from '../core/roller/rebuild/state-builder.js'
import { type EpochMs, epochMs, offset } from '../core/units.js'
import { LockedError } from '../ports/errors.js'
import type { ArchivedRowsReader, ArchivePosition, TradeArchive } from '../ports/trade-archive.js'
import { logMismatch } from '../roles/archiver/same-log.js'
import { backfill as rebuild } from '../roles/backfill.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT } from './failure.js'
import { ProgressBar } from './progress.js'
import { openArchive, openDataDirectory } from './start-stores.js'

export interface BackfillOptions {
  readonly config: Config
  /// Event times: swaps before are left out. Null for as far as windows reach back.
  readonly from: EpochMs | null
  /// Log time: what came then and later is rolled from the log. Null for all that is archived.
  readonly to: EpochMs | null
}

const EVER = epochMs(253_402_300_800_000)
const DAY_MS = 86_400_000

export async function backfill(options: BackfillOptions, context: CommandContext): Promise<void> {
  const { config } = options
  if (config.kafka !== 'none' || config.storage === 'memory') {
    throw new CommandError(
      'The state that is rebuilt is that of a data directory: this does not work with --kafka and --storage memory.',
      EXIT.usage,
    )
  }
  mkdirSync(config.data, { recursive: true })
  const archive = await archiveOf(config, context)
  try {
    const reader = await archive.openRows(0, oldestName(options, context))
    if (reader === null) {
      throw new CommandError(
        `Nothing is archived in ${archiveText(config)}: there is nothing to rebuild from.`,
      )
    }
    try {
      await rebuildDirectory(options, reader, archive, context)
    } finally {
      await reader.close()
    }
  } finally {
    await archive.close()
  }
}

async function archiveOf(config: Config, { clock }: CommandContext): Promise<TradeArchive> {
  const archive = await openArchive(config, clock).catch(error => {
    if (!(error instanceof LockedError)) throw error
    throw new CommandError(`${error.message}\nStop the server that has it, and try again.`, EXIT.locked)
  })
  if (archive !== null) return archive
  throw new CommandError('--archive none: there is nothing to rebuild from', EXIT.usage)
}

const archiveText = ({ archive }: Config): string =>
  archive.kind === 'postgres' ? 'the PostgreSQL archive' : 'the archive of the data directory'

/// Late swaps of the horizon may be a day older than what windows hold.
function oldestName({ config, from }: BackfillOptions, { clock }: CommandContext): EpochMs {
  const oldest = from ?? clock.now() - config.archiveRetentionMs
  return epochMs(Math.max(0, Math.min(oldest, clock.now()) - config.archiveRetentionMs - DAY_MS))
}

async function rebuildDirectory(
  options: BackfillOptions,
  reader: ArchivedRowsReader,
  archive: TradeArchive,
  context: CommandContext,
): Promise<void> {
  const { config } = options
  const { clock, stderr, stdout } = context
  const rollerConfig: RollerConfig = { ...config, partition: 0, admission: 'log-time' }
  const began = clock.now()
  const target = await prepared(options, rollerConfig, reader, context)
  const lock = await lockDirectory(config.data, clock)
  let read = 0
  try {
    const store = new EmbeddedStateStore({ directory: newStateDirectory(config.data), partition: 0, clock })
    const bar = new ProgressBar(config.quiet ? { write: () => {} } : stderr, clock, 'Rebuilding')
    try {
      await rebuild({
        config: rollerConfig,
        target,
        from: options.from ?? epochMs(0),
        reader,
        store,
        nextTurn,
        progress: (share, swaps) => {
          read = swaps
          bar.update(share, `${swaps.toLocaleString('en')} swaps`)
        },
      })
    } finally {
      bar.end()
      await store.close()
    }
    markReady(config.data, { offset: target.position, logTime: target.logTime })
    if (readFormat(config.data) !== null) finishBackfill(config.data, stateDirectory(config.data, 0))
  } finally {
    await lock.release()
  }
  // Makes what a new directory lacks, and sees to it that it opens.
  await (await openDataDirectory(config, context.clock)).close()
  const seconds = Math.max(0.001, (clock.now() - began) / 1000)
  stdout.write(
    `${read.toLocaleString('en')} swaps read in ${seconds.toFixed(1)} s. The state is that of offset ${target.position.toLocaleString('en')}; ` +
      'the next start goes on from there with the trade log.\n',
  )
  await sayWhatIsMissing(options, rollerConfig, target, archive, stderr.write.bind(stderr))
}

/// Checks that log and archive belong together, and plans what is built; goes on with the plan of a run that was killed.
async function prepared(
  options: BackfillOptions,
  rollerConfig: RollerConfig,
  reader: ArchivedRowsReader,
  context: CommandContext,
): Promise<RebuildTarget> {
  const { config, from, to } = options
  const settings = JSON.stringify({
    ...{ from, to, resolution: rollerConfig.resolutionMs, retention: rollerConfig.retentionMs },
    ...{ hotRange: rollerConfig.hotRangeMs, horizon: rollerConfig.dedupeHorizonMs },
    early: rollerConfig.earlyToleranceMs,
  })
  const stores =
    existsSync(config.data) && readFormat(config.data) !== null
      ? await openDataDirectory(config, context.clock)
      : null
  try {
    const planned = planOf(config.data, settings)
    if (
      planned !== null &&
      (await problemOf(stores, { offset: planned.position, logTime: planned.logTime })) === null
    ) {
      context.stderr.write('An earlier run was interrupted; going on where it was.\n')
      return planned
    }
    const at = to === null ? reader.position : ((await reader.positionBefore(to)) ?? reader.position)
    const problem = await problemOf(stores, at)
    if (problem !== null) throw new CommandError(problem)
    const accepted = await reader.count(epochMs(0), EVER, at.offset)
    const target = { position: at.offset, logTime: at.logTime, accepted }
    beginPlan(config.data, JSON.stringify({ settings, ...target }))
    return target
  } finally {
    await stores?.close()
  }
}

function planOf(directory: string, settings: string): RebuildTarget | null {
  const text = readPlan(directory)
  if (text === null) return null
  const plan: { settings: string; position: number; logTime: number; accepted: number } = JSON.parse(text)
  if (plan.settings !== settings) return null
  return { position: offset(plan.position), logTime: epochMs(plan.logTime), accepted: plan.accepted }
}

/// Why the log cannot go on from there; null when it can, or is yet to be made.
async function problemOf(stores: EmbeddedStores | null, at: ArchivePosition): Promise<string | null> {
  if (stores === null) return null
  const { log } = stores
  const { first, end } = log.bounds(0)
  const holds = `the trade log holds the offsets ${first} to ${end}`
  if (at.offset < first) {
    return (
      `The archive ends at offset ${at.offset}, and ${holds}: what is between them is in neither. ` +
      'Choose a later --to, or let a server archive first.'
    )
  }
  return logMismatch(log, 0, at, new AbortController().signal)
}

/// What windows reach back to and the archive does not have.
async function sayWhatIsMissing(
  { from }: BackfillOptions,
  { retentionMs, windows }: RollerConfig,
  { logTime }: RebuildTarget,
  archive: TradeArchive,
  write: (text: string) => unknown,
): Promise<void> {
  const { tradesFrom, completeFrom } = await archive.summary()
  const longest = windows.at(-1)?.lengthMs ?? retentionMs
  const thereFrom = Math.max(tradesFrom, completeFrom, from ?? 0)
  if (thereFrom <= logTime - longest) return
  write(
    `Swaps before ${new Date(thereFrom).toISOString()} are not in it: windows that reach further back are incomplete until ${new Date(
      thereFrom + longest,
    ).toISOString()}.\n`,
  )
}
