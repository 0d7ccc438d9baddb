/// `volumer backfill`: rebuilds rollers' states from the archive, while no roller has them. What is there is not touched
/// before the new states are whole; a run that was killed goes on where it was.

import { mkdirSync } from 'node:fs'
import { nextTurn } from '../adapters/system/turn.js'
import type { Config } from '../config.js'
import type { RollerConfig } from '../core/roller/config.js'
import type { RebuildTarget } from '../core/roller/rebuild/state-builder.js'
import { type EpochMs, epochMs, offset } from '../core/units.js'
import { LockedError } from '../ports/errors.js'
import type { ArchivedRowsReader, TradeArchive } from '../ports/trade-archive.js'
import { backfill as rebuild } from '../roles/backfill.js'
import { DirectoryPlace } from './backfill-directory.js'
import type { BackfillPlace, Rebuilt } from './backfill-place.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT } from './failure.js'
import { ProgressBar } from './progress.js'
import { openArchive } from './start-stores.js'

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
    const place = await DirectoryPlace.open(config, context.clock)
    try {
      await rebuildAll(options, place, archive, context)
    } finally {
      await place.close()
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

async function rebuildAll(
  options: BackfillOptions,
  place: BackfillPlace,
  archive: TradeArchive,
  context: CommandContext,
): Promise<void> {
  const { clock, stdout } = context
  const began = clock.now()
  const all: Rebuilt[] = []
  for (let partition = 0; partition < place.partitions; partition++) {
    const reader = await archive.openRows(partition, oldestName(options, context))
    if (reader === null) {
      throw new CommandError(
        `Nothing is archived in ${archiveText(options.config)}: there is nothing to rebuild from.`,
      )
    }
    try {
      all.push(await rebuildOne(options, place, partition, reader, context))
    } finally {
      await reader.close()
    }
  }
  await place.takePlace(all)
  const seconds = Math.max(0.001, (clock.now() - began) / 1000)
  const swaps = all.reduce((sum, one) => sum + one.swaps, 0)
  stdout.write(
    `${swaps.toLocaleString('en')} swaps read in ${seconds.toFixed(1)} s. The state is that of offset ${all[0]?.target.position.toLocaleString('en')}; ` +
      'the next start goes on from there with the trade log.\n',
  )
  await sayWhatIsMissing(options, all, archive, context)
}

async function rebuildOne(
  options: BackfillOptions,
  place: BackfillPlace,
  partition: number,
  reader: ArchivedRowsReader,
  context: CommandContext,
): Promise<Rebuilt> {
  const { config, from } = options
  const { clock, stderr } = context
  const rollerConfig: RollerConfig = { ...config, partition, admission: 'log-time' }
  const target = await prepared(options, rollerConfig, place, reader, context)
  const store = await place.openStore(partition)
  const bar = new ProgressBar(config.quiet ? { write: () => {} } : stderr, clock, 'Rebuilding')
  let read = 0
  try {
    await rebuild({
      config: rollerConfig,
      target,
      from: from ?? epochMs(0),
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
  return { partition, target, swaps: read }
}

/// Checks that log and archive belong together, and plans what is built; goes on with the plan of a run that was killed.
async function prepared(
  { from, to }: BackfillOptions,
  config: RollerConfig,
  place: BackfillPlace,
  reader: ArchivedRowsReader,
  context: CommandContext,
): Promise<RebuildTarget> {
  const { partition } = config
  const settings = JSON.stringify({
    ...{ from, to, resolution: config.resolutionMs, retention: config.retentionMs },
    ...{ hotRange: config.hotRangeMs, horizon: config.dedupeHorizonMs, early: config.earlyToleranceMs },
  })
  const planned = targetOf(place.plan(partition), settings)
  if (planned !== null) {
    const problem = await place.problemOf(partition, { offset: planned.position, logTime: planned.logTime })
    if (problem === null) {
      context.stderr.write('An earlier run was interrupted; going on where it was.\n')
      return planned
    }
  }
  const at = to === null ? reader.position : ((await reader.positionBefore(to)) ?? reader.position)
  const problem = await place.problemOf(partition, at)
  if (problem !== null) throw new CommandError(problem)
  const accepted = await reader.count(epochMs(0), EVER, at.offset)
  const target = { position: at.offset, logTime: at.logTime, accepted }
  place.beginPlan(partition, JSON.stringify({ settings, ...target }))
  return target
}

/// Of the plan, if it has the same settings.
function targetOf(text: string | null, settings: string): RebuildTarget | null {
  if (text === null) return null
  const plan: { settings: string; position: number; logTime: number; accepted: number } = JSON.parse(text)
  if (plan.settings !== settings) return null
  return { position: offset(plan.position), logTime: epochMs(plan.logTime), accepted: plan.accepted }
}

/// What windows reach back to and the archive does not have.
async function sayWhatIsMissing(
  { config, from }: BackfillOptions,
  rebuilt: readonly Rebuilt[],
  archive: TradeArchive,
  { stderr }: CommandContext,
): Promise<void> {
  const { tradesFrom, completeFrom } = await archive.summary()
  const logTime = Math.max(...rebuilt.map(({ target }) => target.logTime))
  const longest = config.windows.at(-1)?.lengthMs ?? config.retentionMs
  const thereFrom = Math.max(tradesFrom, completeFrom, from ?? 0)
  if (thereFrom <= logTime - longest) return
  stderr.write(
    `Swaps before ${new Date(thereFrom).toISOString()} are not in it: windows that reach further back are incomplete until ${new Date(
      thereFrom + longest,
    ).toISOString()}.\n`,
  )
}
