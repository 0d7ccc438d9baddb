/// `volumer backfill`: rebuilds rollers' states from the archive, while no roller has them. What is there is not touched
/// before the new states are whole; a run that was killed goes on where it was.

import { mkdirSync } from 'node:fs'
import { nextTurn } from '../adapters/system/turn.js'
import { startPartThread } from '../adapters/threads/part-making.js'
import type { Config } from '../config.js'
import type { RollerConfig } from '../core/roller/config.js'
import type { RebuildTarget } from '../core/roller/rebuild/state-builder.js'
import { type EpochMs, epochMs, offset } from '../core/units.js'
import { LockedError } from '../ports/errors.js'
import type { ArchivedRowsReader, TradeArchive } from '../ports/trade-archive.js'
import { StraysReader } from '../roles/archived-strays.js'
import { backfill as rebuild } from '../roles/backfill.js'
import { DirectoryPlace } from './backfill-directory.js'
import { KafkaPlace } from './backfill-kafka.js'
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
  if (config.storage === 'memory') {
    throw new CommandError(
      'The states that are rebuilt are those of a data directory, or on Kafka: this does not work with --storage memory.',
      EXIT.usage,
    )
  }
  mkdirSync(config.data, { recursive: true })
  const archive = await archiveOf(config, context)
  try {
    const place = await placeOf(config, context)
    try {
      await rebuildAll(options, place, archive, context)
    } finally {
      await place.close()
    }
  } finally {
    await archive.close()
  }
}

function placeOf(config: Config, context: CommandContext): Promise<BackfillPlace> {
  if (config.kafka === 'none') return DirectoryPlace.open(config, context.clock)
  return KafkaPlace.open(config, config.kafka, context)
}

async function archiveOf(config: Config, { clock }: CommandContext): Promise<TradeArchive> {
  const archive = await openArchive(config, clock).catch(error => {
    if (!(error instanceof LockedError)) throw error
    throw new CommandError(`${error.message}\nStop the server that has it, and try again.`, EXIT.locked)
  })
  if (archive !== null) return archive
  const why = config.kafka === 'none' ? '--archive none' : 'With --kafka, say --archive, too'
  throw new CommandError(`${why}: there is nothing to rebuild from`, EXIT.usage)
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
  const { clock } = context
  const began = clock.now()
  const all: Rebuilt[] = []
  let archived = 0
  for (let partition = 0; partition < place.partitions; partition++) {
    const reader = await archive.openRows(partition, oldestName(options, context))
    if (reader === null && place.partitions > 1) {
      all.push(await emptyOne(place, partition))
      continue
    }
    if (reader === null) break
    archived++
    try {
      all.push(await rebuildOne(options, place, partition, reader, context))
    } finally {
      await reader.close()
    }
  }
  if (archived === 0) {
    throw new CommandError(
      `Nothing is archived in ${archiveText(options.config)}: there is nothing to rebuild from.`,
    )
  }
  const missing = await missingOf(options, all, archive)
  await place.takePlace(all, missing?.until ?? null)
  sayWhatWasDone(all, clock.now() - began, context)
  if (missing !== null) {
    const [before, until] = [missing.before, missing.until].map(at => new Date(at).toISOString())
    context.stderr.write(
      `Swaps before ${before} are not in it: windows that reach further back are incomplete until ${until}.\n`,
    )
  }
}

/// Of a partition of which nothing is archived: its log is rolled from the beginning.
async function emptyOne(place: BackfillPlace, partition: number): Promise<Rebuilt> {
  const target = { position: offset(0), logTime: epochMs(0), accepted: 0 }
  const problem = await place.problemOf(partition, { offset: target.position, logTime: target.logTime })
  if (problem !== null) throw new CommandError(problem)
  place.beginPlan(partition, JSON.stringify({ settings: '', ...target }))
  return { partition, target, swaps: 0, strays: 0 }
}

async function rebuildOne(
  options: BackfillOptions,
  place: BackfillPlace,
  partition: number,
  archived: ArchivedRowsReader,
  context: CommandContext,
): Promise<Rebuilt> {
  const { config, from } = options
  const { clock, stderr } = context
  const rollerConfig: RollerConfig = { ...config, partition, admission: 'log-time' }
  const { target, isBegun } = await prepared(options, rollerConfig, place, archived, context)
  const store = await place.openStore(partition)
  const label = place.partitions === 1 ? 'Rebuilding' : `Rebuilding ${partition + 1}/${place.partitions}`
  const bar = new ProgressBar(config.quiet ? { write: () => {} } : stderr, clock, label)
  const reader = new StraysReader(archived, partition, place.partitions)
  let read = 0
  try {
    await rebuild({
      config: rollerConfig,
      target,
      from: from ?? epochMs(0),
      reader,
      store,
      startPartMaking: startPartThread,
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
  return {
    partition,
    target,
    swaps: read,
    strays: isBegun && place.partitions > 1 ? null : reader.strays,
  }
}

/// Checks that log and archive belong together, and plans what is built; goes on with the plan of a run that was killed.
async function prepared(
  { from, to }: BackfillOptions,
  config: RollerConfig,
  place: BackfillPlace,
  reader: ArchivedRowsReader,
  { stderr }: CommandContext,
): Promise<{ readonly target: RebuildTarget; readonly isBegun: boolean }> {
  const { partition } = config
  const settings = JSON.stringify({
    ...{ from, to, resolution: config.resolutionMs, retention: config.retentionMs },
    ...{ hotRange: config.hotRangeMs, horizon: config.dedupeHorizonMs, early: config.earlyToleranceMs },
  })
  const planned = targetOf(place.plan(partition), settings)
  if (planned !== null) {
    const problem = await place.problemOf(partition, { offset: planned.position, logTime: planned.logTime })
    if (problem === null) {
      const of = place.partitions === 1 ? '' : ` of partition ${partition}`
      stderr.write(`An earlier run${of} was interrupted; going on where it was.\n`)
      return { target: planned, isBegun: true }
    }
  }
  const at = to === null ? reader.position : ((await reader.positionBefore(to)) ?? reader.position)
  const problem = await place.problemOf(partition, at)
  if (problem !== null) throw new CommandError(problem)
  const accepted = await reader.count(epochMs(0), EVER, at.offset)
  const target = { position: at.offset, logTime: at.logTime, accepted }
  place.beginPlan(partition, JSON.stringify({ settings, ...target }))
  return { target, isBegun: false }
}

/// Of the plan, if it has the same settings.
function targetOf(text: string | null, settings: string): RebuildTarget | null {
  if (text === null) return null
  const plan: { settings: string; position: number; logTime: number; accepted: number } = JSON.parse(text)
  if (plan.settings !== settings) return null
  return { position: offset(plan.position), logTime: epochMs(plan.logTime), accepted: plan.accepted }
}

function sayWhatWasDone(all: readonly Rebuilt[], tookMs: number, { stdout }: CommandContext): void {
  const swaps = all.reduce((sum, one) => sum + one.swaps, 0).toLocaleString('en')
  const seconds = Math.max(0.001, tookMs / 1000).toFixed(1)
  const end = ({ target }: Rebuilt) => target.position.toLocaleString('en')
  const [first, ...more] = all
  if (first === undefined) return
  if (more.length > 0) {
    for (const one of all) {
      stdout.write(
        `Partition ${one.partition}: ${one.swaps.toLocaleString('en')} swaps, the state is that of offset ${end(one)}.\n`,
      )
    }
  }
  const states =
    more.length > 0 ? 'The states are those of these offsets' : `The state is that of offset ${end(first)}`
  stdout.write(
    `${swaps} swaps read in ${seconds} s. ${states}; the next start goes on from there with the trade log.\n`,
  )
}

/// Where windows reach back to what the archive does not have: swaps before `before`, until `until`. Null where they do not.
async function missingOf(
  { config, from }: BackfillOptions,
  rebuilt: readonly Rebuilt[],
  archive: TradeArchive,
): Promise<{ readonly before: EpochMs; readonly until: EpochMs } | null> {
  const { tradesFrom, completeFrom } = await archive.summary()
  const logTime = Math.max(...rebuilt.map(({ target }) => target.logTime))
  const longest = config.windows.at(-1)?.lengthMs ?? config.retentionMs
  const before = epochMs(Math.max(tradesFrom, completeFrom, from ?? 0))
  return before <= logTime - longest ? null : { before, until: epochMs(before + longest) }
}
