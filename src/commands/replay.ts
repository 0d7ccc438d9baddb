/// `volumer replay`: rolls files of swaps with the same roller as the server, without one, and prints statistics.
///
/// The whole of the files is the log. Nothing is late or early in it, and the answer does not depend on the order of
/// its lines: the roller's sums do not, and which of several lines with one id counts does not either
/// (duplicates.ts). Swaps after an instant do not count in it.

import type { Config } from '../config.js'
import { Roller, VIEW_TICKS_MAX } from '../core/roller/roller.js'
import type { TokenStats } from '../core/stats.js'
import { epochMs, offset, tick, tickOf } from '../core/units.js'
import type { Window } from '../core/windows.js'
import type { CommandContext } from './context.js'
import { decodeFile } from './decode-file.js'
import { Duplicates, RepeatedIds } from './duplicates.js'
import { CommandError, EXIT } from './failure.js'
import { ProgressBar } from './progress.js'
import { ReplayPrinter } from './replay-printer.js'
import { SwapFile } from './swap-file.js'

export interface ReplayOptions {
  readonly config: Pick<Config, 'windows' | 'resolutionMs' | 'retentionMs'>
  /// Epoch milliseconds, in any order; empty for the last swap's.
  readonly asOf: readonly number[]
  /// Names of the windows to print; empty for all.
  readonly windows: readonly string[]
  readonly format: 'ndjson' | 'csv' | 'table'
}

/// Rejected lines that are shown one by one.
const SHOWN_MAX = 20

interface Survey {
  readonly repeated: RepeatedIds
  readonly newestMs: number
  readonly records: number
  readonly invalid: number
}

export async function replay(
  paths: readonly string[],
  options: ReplayOptions,
  context: CommandContext,
): Promise<void> {
  const { config } = options
  const printed = printedWindows(options)
  const survey = await surveyFiles(paths, context)
  const ticks = ticksOf(options, survey.newestMs)
  const first = ticks[0]
  if (first === undefined) {
    context.stderr.write(`${fatesText(0, { duplicate: 0, conflict: 0 }, survey.invalid)}\n`)
    return
  }
  const span = (ticks.at(-1) ?? first) - first
  if (span > VIEW_TICKS_MAX) {
    throw new CommandError(
      `--as-of: instants may lie at most ${VIEW_TICKS_MAX.toLocaleString('en')} slices apart, these lie ${span.toLocaleString('en')}; ask for them in two runs`,
      EXIT.usage,
    )
  }

  const roller = new Roller(
    {
      partition: 0,
      windows: config.windows,
      resolutionMs: config.resolutionMs,
      retentionMs: config.retentionMs,
      admission: 'all',
      earlyToleranceMs: Number.MAX_SAFE_INTEGER,
      dedupeHorizonMs: Number.MAX_SAFE_INTEGER,
      hotRangeMs: Number.POSITIVE_INFINITY,
    },
    tick(first),
  )
  const duplicates = new Duplicates(survey.repeated)
  await rollFiles(paths, roller, duplicates, context)

  const printer = new ReplayPrinter(options.format, config.windows, printed, context.stdout)
  for (const at of ticks) {
    roller.advance(tick(at))
    // Versions count the records of the files, whatever their order.
    await printer.print(sortedStats(roller))
  }
  context.stderr.write(`${fatesText(roller.fates.accepted, duplicates.counts(), survey.invalid)}\n`)
}

function printedWindows({ config, windows: names }: ReplayOptions): readonly Window[] {
  const unknown = names.filter(name => !config.windows.some(window => window.name === name))
  if (unknown.length > 0) {
    const known = config.windows.map(window => window.name).join(', ')
    throw new CommandError(
      `--window ${unknown.join(', ')}: rolled are ${known}; --windows says which`,
      EXIT.usage,
    )
  }
  return names.length === 0 ? config.windows : config.windows.filter(window => names.includes(window.name))
}

/// The view ticks, ascending, each once; empty when there is no swap and no --as-of.
function ticksOf({ asOf, config }: ReplayOptions, newestMs: number): number[] {
  const instants = asOf.length > 0 ? asOf : Number.isFinite(newestMs) ? [newestMs] : []
  return [...new Set(instants.map(ms => tickOf(ms, config.resolutionMs)))].sort((a, b) => a - b)
}

/// The first pass: which ids repeat, which time is the newest, and what is invalid, said line by line.
async function surveyFiles(paths: readonly string[], { clock, stderr }: CommandContext): Promise<Survey> {
  const repeated = new RepeatedIds()
  const progress = new ProgressBar(stderr, clock, 'Reading')
  let newestMs = Number.NEGATIVE_INFINITY
  let records = 0
  let invalid = 0
  try {
    for (const [index, path] of paths.entries()) {
      const file = new SwapFile(path)
      for await (const { batch, records: count, rejects, linesBefore } of decodeFile(file)) {
        records += count
        for (const { line, field, reason } of rejects) {
          invalid++
          if (invalid > SHOWN_MAX) continue
          progress.end()
          // The decoder's reasons begin with the field where there is one.
          const what = field === null || reason.startsWith(field) ? reason : `${field}: ${reason}`
          stderr.write(`${path}:${line + linesBefore}: ${what}\n`)
        }
        for (let i = 0; i < batch.size; i++) {
          newestMs = Math.max(newestMs, batch.timeMs[i] ?? newestMs)
          repeated.add(batch.id0[i] ?? 0, batch.id1[i] ?? 0, batch.id2[i] ?? 0)
        }
        progress.update((index + file.share) / paths.length, `${records.toLocaleString('en')} lines`)
      }
    }
  } finally {
    progress.end()
  }
  if (invalid > SHOWN_MAX) {
    stderr.write(`… and ${(invalid - SHOWN_MAX).toLocaleString('en')} more invalid lines\n`)
  }
  return { repeated, newestMs, records, invalid }
}

/// The second pass: everything into the roller, held-back duplicates last.
async function rollFiles(
  paths: readonly string[],
  roller: Roller,
  duplicates: Duplicates,
  { clock, stderr }: CommandContext,
): Promise<void> {
  const progress = new ProgressBar(stderr, clock, 'Rolling')
  const appendTime = epochMs(0)
  let position = 0
  try {
    for (const [index, path] of paths.entries()) {
      const file = new SwapFile(path)
      for await (const { batch } of decodeFile(file)) {
        duplicates.holdBack(batch)
        // What was held back or rejected is no record here: positions count the swaps that are rolled.
        for (let i = 0; i < batch.size; i++) batch.record[i] = i
        roller.apply(batch, offset(position), batch.size, appendTime)
        position += batch.size
        progress.update((index + file.share) / paths.length, `${position.toLocaleString('en')} swaps`)
      }
    }
    for (const row of duplicates.chosen()) roller.apply(row, offset(position++), 1, appendTime)
  } finally {
    progress.end()
  }
}

/// Every token with a swap within retention, by the bytes of their UTF-8 (so not by UTF-16 code units, which sort
/// emoji before some other characters).
function* sortedStats(roller: Roller): Generator<TokenStats> {
  const names = roller.tokens().map(name => ({ name, bytes: Buffer.from(name) }))
  names.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  for (const { name } of names) {
    const stats = roller.stats(name)
    if (stats !== null) yield stats
  }
}

function fatesText(
  accepted: number,
  { duplicate, conflict }: ReturnType<Duplicates['counts']>,
  invalid: number,
): string {
  const differing =
    conflict > 0 ? ` (${conflict.toLocaleString('en')} of them differ from the one that counts)` : ''
  return (
    `${accepted.toLocaleString('en')} accepted, ${duplicate.toLocaleString('en')} duplicate${differing}, ` +
    `0 late, 0 early, ${invalid.toLocaleString('en')} invalid`
  )
}
