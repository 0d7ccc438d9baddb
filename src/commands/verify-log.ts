/// Counting from the trade log, a copy of a data directory's or the topic of Kafka: it is rolled from its beginning by a roller in
/// memory, which has never been stopped, stored or restored, up to the version that each token is served at.

import { constants, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { logDirectory } from '../adapters/embedded/data-directory.js'
import { EmbeddedTradeLog } from '../adapters/embedded/trade-log.js'
import { KafkaFault } from '../adapters/kafka/connection.js'
import { topicNames } from '../adapters/kafka/topic-specs.js'
import { KafkaTradeLog } from '../adapters/kafka/trade-log.js'
import type { VolumerClient } from '../client/client.js'
import type { Config } from '../config.js'
import { JsonDecoder } from '../core/decode/json-decoder.js'
import { Roller } from '../core/roller/roller.js'
import { type EpochMs, epochMs, tick } from '../core/units.js'
import { parseDuration } from '../core/windows.js'
import { placeWindows } from '../delivery/wire/metrics.js'
import { encodeStats } from '../delivery/wire/stats.js'
import type { FullStatistics } from '../delivery/wire/token-statistics.js'
import type { Clock } from '../ports/clock.js'
import type { TradeLog } from '../ports/trade-log.js'
import { decodeLogged } from '../roles/logged-rows.js'
import { CommandError } from './failure.js'
import type { Difference } from './recount.js'
import { connectToKafka } from './start-kafka.js'
import { type Findings, versionOf } from './verify.js'

const COPIES_MAX = 3

/// `progress` is told the swaps that were rolled.
export async function findingsInLog(
  client: VolumerClient,
  tokens: readonly string[],
  config: Config,
  clock: Clock,
  progress: (share: number, swaps: number) => void,
): Promise<Findings> {
  // What is served was in the log before it is copied, or its end is looked up.
  const served: FullStatistics[] = []
  for (const token of tokens) served.push(await client.token(token))
  served.sort((a, b) => versionOf(a).offset - versionOf(b).offset || versionOf(a).tick - versionOf(b).tick)
  if (served.length === 0) return { differences: [], skipped: new Set(), swaps: 0, versions: 0 }
  const { log, close } = await openLog(config, clock)
  try {
    const byPartition = new Map<number, FullStatistics[]>()
    for (const one of served) {
      const { partition } = versionOf(one)
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), one])
    }
    const differences: Difference[] = []
    const skipped = new Set<string>()
    let swaps = 0
    for (const [i, [partition, ofPartition]] of [...byPartition].entries()) {
      const found = await rolled(log, partition, ofPartition, config, (share, count) =>
        progress((i + share) / byPartition.size, swaps + count),
      )
      differences.push(...found.differences)
      for (const name of found.skipped) skipped.add(name)
      swaps += found.swaps
    }
    return { differences, skipped, swaps, versions: served.length }
  } finally {
    await close()
  }
}

interface OpenedLog {
  readonly log: TradeLog
  close(): Promise<void>
}

const openLog = ({ kafka, ...config }: Config, clock: Clock): Promise<OpenedLog> =>
  kafka === 'none' ? openCopy({ kafka, ...config }, clock) : openTopic({ kafka, ...config }, kafka, clock)

async function openCopy(config: Config, clock: Clock): Promise<OpenedLog> {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-verify-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  try {
    copyLog(logDirectory(config.data), directory)
    const log = new EmbeddedTradeLog({ directory, clock, create: false })
    return { log, close: () => log.close().finally(remove) }
  } catch (error) {
    remove()
    throw error
  }
}

/// Only reads.
async function openTopic(
  config: Config,
  brokers: Exclude<Config['kafka'], 'none'>,
  clock: Clock,
): Promise<OpenedLog> {
  const cluster = await connectToKafka(config, brokers, clock, 'verify', () => {})
  try {
    const { trades } = topicNames(config.kafkaPrefix, config.replica)
    const log = await KafkaTradeLog.open({ cluster, topic: trades })
    return { log, close: () => log.close().finally(() => cluster.close()) }
  } catch (error) {
    await cluster.close()
    if (error instanceof KafkaFault) throw new CommandError(`${error.message}.`)
    throw error
  }
}

/// The witness first: what it vouches for is in the files that are copied after it. A segment that the server drops
/// meanwhile makes another try.
function copyLog(from: string, to: string): void {
  for (let tries = 1; ; tries++) {
    const place = join(to, '0')
    rmSync(place, { recursive: true, force: true })
    mkdirSync(place)
    try {
      const names = readdirSync(join(from, '0')).filter(name => name.endsWith('.segment'))
      for (const name of ['witness', ...names.sort()]) {
        copyFileSync(join(from, '0', name), join(place, name), constants.COPYFILE_FICLONE)
      }
      return
    } catch (error) {
      if (tries === COPIES_MAX) {
        throw new CommandError(`The trade log in ${from} cannot be copied: ${Object(error).message}`)
      }
    }
  }
}

/// Of one partition; `served` ascends by version.
async function rolled(
  log: TradeLog,
  partition: number,
  served: readonly FullStatistics[],
  config: Config,
  progress: (share: number, swaps: number) => void,
): Promise<Findings> {
  const names = Object.keys(served[0]?.volume ?? {})
  const windows = names.map(name => ({ name, lengthMs: parseDuration(name) ?? 0 }))
  windows.sort((a, b) => a.lengthMs - b.lengthMs)
  const rules = { ...config, windows, partition, admission: 'log-time' as const }
  const firstTick = Math.min(...served.map(one => versionOf(one).tick))
  const roller = new Roller({ ...rules, hotRangeMs: Number.POSITIVE_INFINITY }, tick(firstTick))
  const decoder = new JsonDecoder()
  const { first, end } = await log.lookUpBounds(partition)
  const differences: Difference[] = []
  const skipped = new Set<string>()
  let beganAt: EpochMs | null = null
  let next = 0
  const compareReached = () => {
    for (; next < served.length; next++) {
      const one = served[next]
      if (one === undefined || versionOf(one).offset > roller.position) return
      roller.advance(tick(versionOf(one).tick))
      const stats = roller.stats(one.token)
      const counted: unknown = stats === null ? null : JSON.parse(encodeStats(stats, placeWindows(windows)))
      const holds = (lengthMs: number) =>
        first === 0 ||
        (beganAt !== null &&
          one.asOf - lengthMs - config.earlyToleranceMs - config.dedupeHorizonMs >= beganAt)
      for (const { name, lengthMs } of windows) {
        if (holds(lengthMs)) differences.push(...differencesOf(one, counted, name))
        else skipped.add(name)
      }
    }
  }
  if (first < end) {
    for await (const batch of log.follow(partition, first, new AbortController().signal)) {
      // A hole has no time.
      if (batch.count > 0) beganAt ??= epochMs(batch.appendTime)
      const { batch: rows } = decodeLogged(decoder, batch)
      roller.apply(rows, batch.firstOffset, batch.count, batch.appendTime)
      compareReached()
      progress((roller.position - first) / (end - first), roller.position - first)
      if (next === served.length || roller.position >= end) break
    }
  }
  if (next < served.length) {
    const where = config.kafka === 'none' ? config.data : `partition ${partition} of Kafka`
    throw new CommandError(
      `The trade log in ${where} ends at offset ${end}, before what is served: it is another server's.`,
    )
  }
  return { differences, skipped, swaps: roller.position - first, versions: served.length }
}

/// Of one window.
function differencesOf(served: FullStatistics, counted: unknown, name: string): Difference[] {
  const found: Difference[] = []
  for (const [field, value] of Object.entries(served)) {
    if (typeof value !== 'object' || value === null) continue
    const isThere: unknown = Reflect.get(value, name)
    const should: unknown = Reflect.get(Object(Reflect.get(Object(counted), field)), name)
    if (JSON.stringify(isThere) === JSON.stringify(should)) continue
    found.push({ token: served.token, what: `${field}.${name}`, served: isThere, counted: should ?? null })
  }
  return found
}
