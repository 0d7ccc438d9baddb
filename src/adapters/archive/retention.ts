/// What of the archive goes: what is older than its limits, and the oldest while it is larger than its bound.

import { type EpochMs, epochMs } from '../../core/units.js'
import type { ArchiveLimits, ArchiveReach, ArchiveRules } from '../../ports/trade-archive.js'
import { nextToDrop, PARTITION_KINDS, PARTITION_MS, type Partition, type Partitions } from './partitions.js'
import type { Reading, Writing } from './session.js'

const HOUR_MS = 3_600_000

export interface Retaining {
  readonly writing: Writing
  readonly partitions: Partitions
  readonly rules: ArchiveRules
  readonly limits: ArchiveLimits
  /// Every record that was appended to any partition before is archived.
  readonly asOf: EpochMs
  /// Drops the tables, in a transaction that is under way.
  dropTables(dropped: readonly Partition[], left: Partitions): Promise<void>
  sizeBytes(): Promise<number>
  /// Makes `sizeBytes` tell what tables were dropped; false when it cannot for now.
  settle(): Promise<boolean>
}

/// Notes that everything which was appended to the partition before `asOf` is archived. Returns the least of these times
/// of all partitions; null before anything is archived.
export async function moveAsOf(writing: Writing, partition: number, asOf: EpochMs): Promise<EpochMs | null> {
  const { at, ms } = writing.dialect
  await writing.write(
    `UPDATE positions SET as_of = greatest(as_of, ${at(asOf)}) WHERE partition = ${partition}`,
  )
  const [row] = await writing.read(`SELECT ${ms('min(as_of)')} FROM positions`)
  return row === undefined || row[0] === null ? null : epochMs(Number(row[0]))
}

/// No swap with an event time before it can come any more.
export function closedBefore(rules: ArchiveRules, asOf: EpochMs): EpochMs {
  const latest = asOf - rules.retentionMs - rules.resolutionMs
  return epochMs(Math.max(0, latest - (latest % HOUR_MS)))
}

/// Swaps with event times before it are not taken.
export async function takesFrom(writing: Writing): Promise<EpochMs> {
  const [row] = await writing.read(
    `SELECT max(CAST(value AS BIGINT)) FROM archive_meta WHERE key IN ('closed_before', 'trades_from')`,
  )
  return epochMs(Number(row?.[0] ?? 0))
}

export async function dropBeyondLimits(work: Retaining): Promise<void> {
  const { writing, partitions, rules, limits, asOf } = work
  const closed = closedBefore(rules, asOf)
  await raise(writing, 'closed_before', closed)
  const before = {
    trades: asOf - limits.tradesRetentionMs,
    candles: asOf - limits.candlesRetentionMs,
    pairs_4h: closed,
    pairs_1d: closed,
    recent_ids: asOf - rules.dedupeHorizonMs,
  }
  const expired: Partition[] = []
  for (const kind of PARTITION_KINDS) {
    for (const begins of partitions.all(kind)) {
      if (begins + PARTITION_MS[kind] <= before[kind]) expired.push({ kind, begins })
    }
  }
  if (expired.length > 0) await drop(work, expired)
  const retentionMs = { trades: limits.tradesRetentionMs, candles: limits.candlesRetentionMs }
  while ((await work.sizeBytes()) > limits.sizeBytesMax) {
    const next = nextToDrop(partitions, asOf, retentionMs)
    if (next === null) return
    await drop(work, [next])
    if (!(await work.settle())) return
  }
}

async function drop(work: Retaining, dropped: readonly Partition[]): Promise<void> {
  const { writing, partitions } = work
  const left = partitions.without(dropped)
  await writing.transaction(async () => {
    await work.dropTables(dropped, left)
    for (const { kind, begins } of dropped) {
      if (kind !== 'trades' && kind !== 'candles') continue
      await raise(writing, `${kind}_from`, begins + PARTITION_MS[kind])
    }
    await dropNames(writing, left)
  })
  for (const partition of dropped) partitions.remove(partition)
}

/// Names that nothing refers to any more: swaps name traders, swaps and candles name tokens.
async function dropNames(writing: Writing, left: Partitions): Promise<void> {
  const [trades] = left.all('trades')
  const [candles] = left.all('candles')
  const dayOf = (ms: number) => writing.dialect.date(String(Math.floor(ms / (24 * HOUR_MS))))
  if (trades === undefined) return
  await writing.write(`DELETE FROM traders WHERE last_day < ${dayOf(trades)}`)
  if (candles !== undefined) {
    await writing.write(`DELETE FROM tokens WHERE last_day < ${dayOf(Math.min(trades, candles))}`)
  }
}

/// The numbers in archive_meta, all of which only grow: `trades_from`, `candles_from`, `complete_from`, `closed_before`,
/// `candles_moved` (epoch ms).
export async function raise(writing: Writing, key: string, value: number): Promise<void> {
  await writing.write(writing.dialect.raise(key, value))
}

export async function reachOf(reading: Reading): Promise<ArchiveReach> {
  const rows = await reading.rows('SELECT key, value FROM archive_meta')
  const from = (key: string) => epochMs(Number(rows.find(row => row[0] === key)?.[1] ?? 0))
  const [asOf] = await reading.rows(`SELECT ${reading.dialect.ms('min(as_of)')} FROM positions`)
  return {
    asOf: asOf === undefined || asOf[0] === null ? null : epochMs(Number(asOf[0])),
    completeFrom: from('complete_from'),
    tradesFrom: from('trades_from'),
    candlesFrom: from('candles_from'),
  }
}

/// What SQL says of the archive's version.
export async function versionOf(reading: { read: Writing['read'] }): Promise<string> {
  const [row] = await reading.read(`SELECT value FROM archive_meta WHERE key = 'version'`)
  return String(row?.[0])
}
