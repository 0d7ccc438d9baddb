/// `volumer verify`: counts statistics anew from what a running server has archived, or from its trade log, and compares them
/// with what it serves, token by token, each at one version: the swaps below the version's offset, in windows that end with its second.

import { VolumerClient, VolumerError } from '../client/client.js'
import type { Config } from '../config.js'
import { parseDuration } from '../core/windows.js'
import type { LongWindows } from '../delivery/wire/archive.js'
import type { FullStatistics } from '../delivery/wire/token-statistics.js'
import type { Clock } from '../ports/clock.js'
import { pause } from '../ports/pause.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT, type ExitCode } from './failure.js'
import { ProgressBar } from './progress.js'
import { type Difference, Recount, type RecountedWindow } from './recount.js'
import { unreachable } from './server-url.js'

export interface VerifyOptions {
  /// With the data directory whose trade log is to be counted from; null for the archive.
  readonly log: Config | null
  readonly url: URL
  /// Empty for the tokens with the most volume.
  readonly tokens: readonly string[]
  /// How many of these.
  readonly top: number
  readonly key?: string | undefined
}

const PAGE = 1000
const POLL_MS = 250
/// An archive that has caught up says so once a minute.
const ARCHIVED_MS_MAX = 180_000
/// Differences that are shown one by one.
const SHOWN_MAX = 50

/// Returns `failed` where something differs.
export async function verify(options: VerifyOptions, context: CommandContext): Promise<ExitCode> {
  const { url, key } = options
  const client = new VolumerClient({ url, ...(key === undefined ? {} : { key }) })
  try {
    return await verified(client, options, context)
  } catch (error) {
    if (!(error instanceof VolumerError)) throw error
    if (error.code === 'unreachable') throw unreachable(url, error.cause)
    if (error.code === 'no-archive') throw new CommandError(`${url.origin} keeps no archive to count from.`)
    throw new CommandError(`${url.origin} answered ${error.status}: ${error.message}`)
  }
}

export interface Findings {
  readonly differences: readonly Difference[]
  /// Windows that what was counted from does not have whole.
  readonly skipped: ReadonlySet<string>
  readonly swaps: number
  readonly versions: number
}

async function verified(
  client: VolumerClient,
  { tokens: named, top, log }: VerifyOptions,
  { stdout, stderr, clock }: CommandContext,
): Promise<ExitCode> {
  const tokens =
    named.length > 0 ? named : (await client.tokens({ limit: top })).tokens.map(({ token }) => token)
  const bar = new ProgressBar(stderr, clock, 'Counting')
  const progress = (share: number, swaps: number) => bar.update(share, `${swaps.toLocaleString('en')} swaps`)
  let findings: Findings
  try {
    if (log === null) findings = await findingsInArchive(client, tokens, clock, progress)
    else {
      const { findingsInLog } = await import('./verify-log.js')
      findings = await findingsInLog(client, tokens, log, clock, progress)
    }
  } finally {
    bar.end()
  }
  const { differences, skipped } = findings
  if (skipped.size > 0) {
    const source = log === null ? 'archive' : 'trade log'
    stdout.write(`Not compared, since the ${source} does not reach back as far: ${[...skipped].join(', ')}\n`)
  }
  for (const { token, what, served, counted } of differences.slice(0, SHOWN_MAX)) {
    stdout.write(
      `DIFFERENT ${JSON.stringify(token)} ${what}: served ${JSON.stringify(served)}, counted ${JSON.stringify(counted)}\n`,
    )
  }
  if (differences.length > SHOWN_MAX) {
    stdout.write(`… and ${(differences.length - SHOWN_MAX).toLocaleString('en')} more\n`)
  }
  const what = `${findings.versions.toLocaleString('en')} tokens, ${findings.swaps.toLocaleString('en')} swaps`
  stdout.write(
    differences.length === 0
      ? `${what}: everything that is served is what was counted.\n`
      : `${what}: ${differences.length.toLocaleString('en')} values differ.\n`,
  )
  return differences.length === 0 ? EXIT.done : EXIT.failed
}

async function findingsInArchive(
  client: VolumerClient,
  tokens: readonly string[],
  clock: Clock,
  progress: (share: number, swaps: number) => void,
): Promise<Findings> {
  const differences: Difference[] = []
  const skipped = new Set<string>()
  let swaps = 0
  for (const [i, token] of tokens.entries()) {
    const served = await client.token(token)
    const { now } = await client.status()
    const reach = await archivedSince(client, token, now, clock)
    const windows = windowsOf(served, reach, skipped)
    const { resolutionMs, partition, offset, tick } = versionOf(served)
    const recount = new Recount(token, tick, resolutionMs, windows)
    const longest = windows.at(-1)?.lengthMs ?? 0
    const end = (tick + 1) * resolutionMs
    for await (const trade of tradesOf(client, token, end - longest, end)) {
      if (trade.partition !== partition || trade.offset >= offset) continue
      recount.add(trade)
      swaps++
      progress(i / tokens.length, swaps)
    }
    differences.push(...recount.differences(served))
  }
  return { differences, skipped, swaps, versions: tokens.length }
}

interface Version {
  readonly partition: number
  readonly offset: number
  readonly tick: number
  readonly resolutionMs: number
}

export function versionOf({ version, asOf }: FullStatistics): Version {
  const [partition = 0, offset = 0, tick = 0] = version.split(':').map(Number)
  return { partition, offset, tick, resolutionMs: tick === 0 ? 1000 : asOf / tick }
}

/// Waits until everything is archived that was appended before the server's clock said `now`.
async function archivedSince(
  client: VolumerClient,
  token: string,
  now: number,
  clock: Clock,
): Promise<LongWindows> {
  const deadline = clock.now() + ARCHIVED_MS_MAX
  for (;;) {
    const { archive } = await client.status()
    const reach = await client.longWindows(token, ['1m'])
    if (archive?.lag === 0 || (reach.asOf !== null && reach.asOf > now)) return reach
    if (clock.now() > deadline) {
      const problem = archive?.problem ?? 'it is too far behind the trade log'
      throw new CommandError(`The archive does not get as far as the statistics: ${problem}.`)
    }
    await pause(clock, POLL_MS, new AbortController().signal)
  }
}

/// Those that the archive has whole, shortest first; the others are noted.
function windowsOf(
  { volume, asOf }: FullStatistics,
  reach: LongWindows,
  skipped: Set<string>,
): RecountedWindow[] {
  const found: RecountedWindow[] = []
  for (const name of Object.keys(volume)) {
    const lengthMs = parseDuration(name)
    if (lengthMs === null) continue
    if (asOf - lengthMs < reach.swapsFrom) skipped.add(name)
    else found.push({ name, lengthMs })
  }
  return found.sort((a, b) => a.lengthMs - b.lengthMs)
}

/// Newest first.
async function* tradesOf(client: VolumerClient, token: string, from: number, to: number) {
  const range = { from: Math.max(0, from), to, limit: PAGE }
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await client.trades({ token }, cursor === undefined ? range : { ...range, cursor })
    yield* page.trades
    cursor = page.cursor
  }
}
