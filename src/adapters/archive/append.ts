/// Stores a batch that lies in the temporary table `staged`, within a transaction: finds the duplicates, names tokens and
/// traders by numbers, stores the swaps in the tables of their hours, and tells what is new for the candles.
///
/// Distinct traders. To count each trader once per candle, it must be known whether a pair (token, trader) of the batch has
/// a swap in the same minute, hour, day already. For up to an hour the trades of that hour tell; for four hours and a day,
/// which would be many millions of rows to read, tables of pairs do, one for each such stretch (candle-spans.ts).
///
/// Tables are named one by one, since a table that is partitioned into hundreds takes long to plan for.

import { invariant } from '../../core/invariant.js'
import type { EpochMs } from '../../core/units.js'
import { PositionMovedError } from '../../ports/errors.js'
import type { AdmittedSwap, ArchiveBatch, ArchiveRules } from '../../ports/trade-archive.js'
import { MINUTE_MS, SPANS } from './candle-spans.js'
import {
  PARTITION_KINDS,
  type Partition,
  type PartitionKind,
  type Partitions,
  partitionName,
  partitionOf,
} from './partitions.js'
import { raise } from './retention.js'
import type { Writing } from './session.js'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/// The partitions that a batch writes to. They must be there before.
export function partitionsFor(swaps: readonly AdmittedSwap[]): Partition[] {
  const ofKind = (kind: PartitionKind) => beginnings(kind, swaps).map(begins => ({ kind, begins }))
  return PARTITION_KINDS.flatMap(ofKind)
}

/// Moves the position of the batch's partition, and refuses one that begins elsewhere. Notes when it is the first after
/// something that is missing.
export async function beginBatch(
  writing: Writing,
  { earlyToleranceMs }: ArchiveRules,
  batch: ArchiveBatch,
): Promise<void> {
  const { partition, from, swaps, logTime } = batch
  const isFirst = await movePosition(writing, batch)
  const [gap] = await writing.read(
    `SELECT 1 FROM gaps WHERE partition = ${partition} AND to_offset = ${from} LIMIT 1`,
  )
  if (gap === undefined && !(isFirst && from > 0)) return
  await raise(writing, 'complete_from', (swaps[0]?.logTime ?? logTime) + earlyToleranceMs)
}

/// Moves the position of the partition from `from`, where it must be, and returns whether there was none before.
export async function movePosition(
  writing: Writing,
  { partition, from, to, logTime }: Pick<ArchiveBatch, 'partition' | 'from' | 'to' | 'logTime'>,
): Promise<boolean> {
  const { at, forUpdate } = writing.dialect
  const [row] = await writing.read(
    `SELECT next_offset FROM positions WHERE partition = ${partition} ${forUpdate}`,
  )
  if (row !== undefined && Number(row[0]) !== from) {
    throw new PositionMovedError(
      `The archive stands at offset ${row[0]} of partition ${partition}, not ${from}`,
    )
  }
  invariant(from <= to, 'a batch does not end before it begins')
  await writing.write(
    row === undefined
      ? `INSERT INTO positions (partition, next_offset, log_time, as_of)
         VALUES (${partition}, ${to}, ${at(logTime)}, ${at(logTime)})`
      : `UPDATE positions SET next_offset = ${to}, log_time = ${at(logTime)},
         as_of = greatest(as_of, ${at(logTime)}) WHERE partition = ${partition}`,
  )
  return row === undefined
}

/// Stores the staged swaps, `taken`; what is new for the candles is in `batch_rows` and `new_traders` then. Returns how
/// many were stored.
export async function storeStaged(
  writing: Writing,
  partitions: Partitions,
  rules: ArchiveRules,
  batch: ArchiveBatch,
  taken: readonly AdmittedSwap[],
): Promise<number> {
  await chooseFresh(writing, partitions, rules, batch, taken)
  await nameRows(writing)
  await findNewTraders(writing, partitions, taken)
  await storeTrades(writing, batch.partition, taken)
  await rememberIds(writing, batch.partition, taken)
  const [row] = await writing.read('SELECT count(*) FROM batch_rows')
  return Number(row?.[0])
}

/// `known` (log_offset): staged swaps that are duplicates of stored ones. `fresh` (log_offset): of the others the first of
/// each id.
async function chooseFresh(
  writing: Writing,
  partitions: Partitions,
  rules: ArchiveRules,
  { partition, logTime }: ArchiveBatch,
  taken: readonly AdmittedSwap[],
): Promise<void> {
  const { at, quotient } = writing.dialect
  const { resolutionMs, dedupeHorizonMs } = rules
  const remembersFrom = (taken[0]?.logTime ?? 0) - dedupeHorizonMs
  const remembered = partitions.all('recent_ids').filter(begins => begins + HOUR_MS > remembersFrom)
  const known = remembered.map(
    begins => `SELECT s.log_offset FROM staged s JOIN ${partitionName('recent_ids', begins)} r
      ON r.fingerprint = s.fingerprint AND r.fingerprint_rest = s.fingerprint_rest
      WHERE r.partition = ${partition} AND s.log_ms - r.log_ms < ${dedupeHorizonMs}`,
  )
  // In the slice itself: swaps of it may have been accepted before everything that recent_ids holds.
  for (const begins of hoursToSearch(rules, logTime, taken)) {
    if (!partitions.has('trades', begins)) continue
    const slice = `${quotient('s.time_ms', resolutionMs)} * ${resolutionMs}`
    known.push(`SELECT s.log_offset FROM staged s JOIN ${partitionName('trades', begins)} t
      ON t.fingerprint = s.fingerprint AND t."time" >= ${at(slice)} AND t."time" < ${at(`${slice} + ${resolutionMs}`)}
      WHERE t.partition = ${partition} AND s.time_ms > ${begins - resolutionMs}
        AND s.time_ms < ${begins + HOUR_MS + resolutionMs}`)
  }
  await writing.temporary('known', known.join(' UNION ALL ') || 'SELECT log_offset FROM staged WHERE false')
  await writing.temporary(
    'fresh',
    `SELECT min(log_offset) AS log_offset FROM staged s
     WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.log_offset = s.log_offset)
     GROUP BY fingerprint, fingerprint_rest`,
  )
}

/// Hours with slices of swaps that may have been there before the dedupe horizon: an early swap comes at most the
/// tolerance ahead of its time, and may lie at the slice's very beginning.
function hoursToSearch(
  { resolutionMs, dedupeHorizonMs, earlyToleranceMs }: ArchiveRules,
  logTime: EpochMs,
  swaps: readonly AdmittedSwap[],
): Set<number> {
  const hours = new Set<number>()
  for (const { time } of swaps) {
    const slice = time - (time % resolutionMs)
    if (slice - earlyToleranceMs > logTime - dedupeHorizonMs) continue
    for (let at = slice; at < slice + resolutionMs; at += HOUR_MS) hours.add(partitionOf('trades', at))
    hours.add(partitionOf('trades', slice + resolutionMs - 1))
  }
  return hours
}

const FRESH = 'EXISTS (SELECT 1 FROM fresh f WHERE f.log_offset = s.log_offset)'

/// `names` (name, day): of tokens, then of traders. `batch_rows`: of the fresh swaps what candles need, with numbers for
/// tokens and traders, which are given out here. Wide rows are copied once, into the trades.
async function nameRows(writing: Writing): Promise<void> {
  const { date, quotient } = writing.dialect
  for (const [table, id, name] of [
    ['tokens', 'token_id', 'token'],
    ['traders', 'trader_id', 'who'],
  ]) {
    await writing.temporary(
      'names',
      `SELECT ${name} AS name, ${date(`max(${quotient('time_ms', DAY_MS)})`)} AS day
       FROM staged s WHERE ${FRESH} GROUP BY ${name}`,
    )
    // In order, so that two writers who name the same traders wait for one another and do not deadlock.
    await writing.write(`INSERT INTO ${table} (${id}, ${name}, last_day)
      SELECT nextval('${id}s'), name, day FROM (SELECT name, day FROM names n
        WHERE NOT EXISTS (SELECT 1 FROM ${table} t WHERE t.${name} = n.name) ORDER BY name) fresh_names
      ${writing.dialect.unlessThere}`)
    await writing.write(`UPDATE ${table} SET last_day = n.day
      FROM names n WHERE n.name = ${table}.${name} AND ${table}.last_day < n.day`)
  }
  await writing.temporary(
    'batch_rows',
    `SELECT s.log_offset, s.log_ms, k.token_id, w.trader_id, ${quotient('s.time_ms', MINUTE_MS)} AS minute,
       ${quotient('s.time_ms', HOUR_MS)} AS hour, s.buy, s.usd, s.price, s.place, s.fingerprint, s.fingerprint_rest
     FROM staged s JOIN tokens k ON k.token = s.token JOIN traders w ON w.who = s.who WHERE ${FRESH}`,
  )
}

/// `met` (token_id, trader_id, minute): where pairs of the batch have swaps within its hours. `new_SPAN` (token_id,
/// trader_id, minute): pairs that are new in the span, with one of the batch's minutes. `new_traders` (token_id, minute,
/// traders_SPAN …): how many these are.
async function findNewTraders(
  writing: Writing,
  partitions: Partitions,
  taken: readonly AdmittedSwap[],
): Promise<void> {
  const { ms, quotient } = writing.dialect
  const met = beginnings('trades', taken)
    .filter(begins => partitions.has('trades', begins))
    .map(
      begins => `SELECT DISTINCT t.token_id, t.trader_id, ${quotient(ms('t."time"'), MINUTE_MS)} AS minute
        FROM ${partitionName('trades', begins)} t
        JOIN (SELECT DISTINCT token_id, trader_id FROM batch_rows WHERE hour = ${begins / HOUR_MS}) p
          ON p.token_id = t.token_id AND p.trader_id = t.trader_id`,
    )
  await writing.temporary('met', met.join(' UNION ALL '))
  for (const { name, minutes } of SPANS) {
    if (minutes > 60) continue
    await writing.temporary(
      `new_${name}`,
      `SELECT token_id, trader_id, min(minute) AS minute FROM batch_rows r
       WHERE NOT EXISTS (SELECT 1 FROM met m WHERE m.token_id = r.token_id AND m.trader_id = r.trader_id
         AND ${quotient('m.minute', minutes)} = ${quotient('r.minute', minutes)})
       GROUP BY token_id, trader_id, ${quotient('r.minute', minutes)}`,
    )
  }
  // Who was there in the hour was there in the four, and who was there in these was there on the day.
  await findNewPairs(writing, taken, { kind: 'pairs_4h', from: 'new_1h', to: 'new_4h', minutes: 240 })
  await findNewPairs(writing, taken, { kind: 'pairs_1d', from: 'new_4h', to: 'new_1d', minutes: 1440 })
  const counts = SPANS.map(
    ({ name }) =>
      `SELECT token_id, minute, ${SPANS.map(span => `${span.name === name ? 1 : 0} AS traders_${span.name}`).join(', ')}
       FROM new_${name}`,
  )
  await writing.temporary(
    'new_traders',
    `SELECT token_id, minute, ${SPANS.map(({ name }) => `sum(traders_${name}) AS traders_${name}`).join(', ')}
     FROM (${counts.join(' UNION ALL ')}) counted GROUP BY token_id, minute`,
  )
}

async function findNewPairs(
  writing: Writing,
  taken: readonly AdmittedSwap[],
  { kind, from, to, minutes }: PairsOf,
): Promise<void> {
  const { quotient } = writing.dialect
  const stretches = beginnings(kind, taken)
  const stretchOf = (begins: number) => begins / MINUTE_MS / minutes
  const found = stretches.map(
    begins => `SELECT token_id, trader_id, min(minute) AS minute FROM ${from} r
      WHERE ${quotient('minute', minutes)} = ${stretchOf(begins)} AND NOT EXISTS (
        SELECT 1 FROM ${partitionName(kind, begins)} p WHERE p.token_id = r.token_id AND p.trader_id = r.trader_id)
      GROUP BY token_id, trader_id`,
  )
  await writing.temporary(to, found.join(' UNION ALL '))
  for (const begins of stretches) {
    await writing.write(`INSERT INTO ${partitionName(kind, begins)} (token_id, trader_id)
      SELECT token_id, trader_id FROM ${to} WHERE ${quotient('minute', minutes)} = ${stretchOf(begins)}`)
  }
}

interface PairsOf {
  readonly kind: 'pairs_4h' | 'pairs_1d'
  readonly from: 'new_1h' | 'new_4h'
  readonly to: 'new_4h' | 'new_1d'
  readonly minutes: number
}

async function storeTrades(
  writing: Writing,
  partition: number,
  taken: readonly AdmittedSwap[],
): Promise<void> {
  const { at } = writing.dialect
  for (const begins of beginnings('trades', taken)) {
    await writing.write(`INSERT INTO ${partitionName('trades', begins)} ("time", token_id, trader_id, buy, usd, amount,
        price, block, tx_index, log_index, id, tx, chain, partition, log_offset, log_time, fingerprint)
      SELECT ${at('s.time_ms')}, r.token_id, r.trader_id, s.buy, s.usd, s.amount, s.price, s.block, s.tx_index,
        s.log_index, s.id, s.tx, s.chain, ${partition}, s.log_offset, ${at('s.log_ms')}, s.fingerprint
      FROM staged s JOIN batch_rows r ON r.log_offset = s.log_offset WHERE r.hour = ${begins / HOUR_MS}`)
  }
}

async function rememberIds(
  writing: Writing,
  partition: number,
  taken: readonly AdmittedSwap[],
): Promise<void> {
  for (const begins of beginnings('recent_ids', taken)) {
    await writing.write(`INSERT INTO ${partitionName('recent_ids', begins)} (partition, fingerprint,
        fingerprint_rest, log_ms)
      SELECT ${partition}, fingerprint, fingerprint_rest, log_ms FROM batch_rows
      WHERE log_ms >= ${begins} AND log_ms < ${begins + HOUR_MS}`)
  }
}

/// The batch's rows of candles, one for each token and minute, in the order of CANDLE_COLUMNS.
export function candlesOfBatch({ at, first, last, least, greatest }: Writing['dialect']): string {
  return `SELECT r.token_id, ${at(`r.minute * ${MINUTE_MS}`)} AS "time", ${first('price', 'place')} AS open,
  ${least(PRICED_PLACE)} AS open_place, max(price) AS high, min(price) AS low, ${last('price', 'place')} AS close,
  ${greatest(PRICED_PLACE)} AS close_place, coalesce(sum(usd) FILTER (WHERE buy), 0) AS buy_volume,
  coalesce(sum(usd) FILTER (WHERE NOT buy), 0) AS sell_volume, count(*) FILTER (WHERE buy) AS buys,
  count(*) FILTER (WHERE NOT buy) AS sells,
  ${SPANS.map(({ name }) => `coalesce(max(n.traders_${name}), 0) AS traders_${name}`).join(', ')}
FROM batch_rows r LEFT JOIN new_traders n ON n.token_id = r.token_id AND n.minute = r.minute
GROUP BY r.token_id, r.minute`
}

const PRICED_PLACE = 'CASE WHEN price IS NOT NULL THEN place END'

/// The partitions that the swaps' event times lie in, or their log times where these decide; ascending.
function beginnings(kind: PartitionKind, swaps: readonly AdmittedSwap[]): number[] {
  const found = new Set<number>()
  for (const { time, logTime } of swaps) found.add(partitionOf(kind, kind === 'recent_ids' ? logTime : time))
  return [...found].sort((a, b) => a - b)
}
