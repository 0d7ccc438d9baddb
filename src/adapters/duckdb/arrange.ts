/// Keeps the DuckDB archive in order: sorts what is complete, so that a token's rows lie together. Each step is a
/// transaction of its own; a crash between two loses nothing, and the next run goes on.
///
/// trades_HOUR is filled in the order of arrival (`open`), sorted by token an hour after its end (`sorted`), when nearly
/// all late swaps have come, and again if more have come by the time when none can any more (`closed`).
///
/// Candles, in four steps, because a question reads every run of sorted rows that there is, and every row that is not
/// sorted: appends add rows to candles_recent; above some ten thousand these are merged into candles_merged, which stays
/// sorted by token; above some hundred thousand that is added to the days' tables as a run each; a day with too many
/// runs is merged again. A day to which nothing can come any more has one row for each token and minute, without
/// the places that decided open and close.

import type { EpochMs } from '../../core/units.js'
import { SPANS } from '../archive/candle-spans.js'
import { PARTITION_MS, partitionName, partitionNamed } from '../archive/partitions.js'
import { raise } from '../archive/retention.js'
import type { Database } from './database.js'
import { createRecent, mergedMinutes, RECENT_CANDLES } from './schema.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const RECENT_ROWS_MAX = 40_000
const MERGED_ROWS_MAX = 250_000
/// A day is merged anew when it has more runs than this and a tenth of its rows in them, or many.
const RUNS_MAX = 6
const SMALL_RUNS_MAX = 30

const CANDLE_COLUMNS = `token_id, "time", open, open_place, high, low, close, close_place, buy_volume, sell_volume, buys,
  sells, ${SPANS.map(({ name }) => `traders_${name}`).join(', ')}`

export async function moveRecentCandles(db: Database, asOf: EpochMs): Promise<void> {
  const recent = await rowsOf(db, 'candles_recent')
  const merged = await rowsOf(db, 'candles_merged')
  const [moved] = await db.read(`SELECT value FROM archive_meta WHERE key = 'candles_moved'`)
  const isOld = moved === undefined || asOf - Number(moved[0]) >= HOUR_MS
  if (recent + merged === 0) return
  if (isOld || recent + merged > MERGED_ROWS_MAX) await moveToDays(db, asOf)
  else if (recent > RECENT_ROWS_MAX) await mergeRecent(db)
}

const RECENT_AND_MERGED = 'SELECT * FROM candles_recent UNION ALL SELECT * FROM candles_merged'

async function mergeRecent(db: Database): Promise<void> {
  await db.transaction(async () => {
    await db.write(`CREATE TABLE merging AS SELECT ${CANDLE_COLUMNS}
      FROM (${mergedMinutes(RECENT_AND_MERGED)}) ORDER BY token_id, "time"`)
    await db.write('DROP TABLE candles_merged; ALTER TABLE merging RENAME TO candles_merged')
    await db.write(createRecent('candles_recent'))
  })
}

async function moveToDays(db: Database, asOf: EpochMs): Promise<void> {
  const days = await db.read(`SELECT DISTINCT epoch_ms("time") // ${DAY_MS} FROM (${RECENT_AND_MERGED})`)
  await db.transaction(async () => {
    for (const [day] of days) {
      const name = partitionName('candles', Number(day) * DAY_MS)
      const ofDay = `SELECT * FROM (${RECENT_AND_MERGED}) WHERE epoch_ms("time") // ${DAY_MS} = ${day}`
      await db.write(`INSERT INTO ${name}
        SELECT ${CANDLE_COLUMNS} FROM (${mergedMinutes(ofDay)}) ORDER BY token_id, "time"`)
      await db.write(`UPDATE partitions SET runs = runs + 1 WHERE name = '${name}'`)
    }
    for (const table of RECENT_CANDLES) await db.write(createRecent(table))
    await raise(db, 'candles_moved', asOf)
  })
}

async function rowsOf(db: Database, table: string): Promise<number> {
  const [row] = await db.read(`SELECT count(*) FROM ${table}`)
  return Number(row?.[0])
}

export async function sortTrades(db: Database, asOf: EpochMs, closed: EpochMs): Promise<void> {
  const rows = await db.read(
    `SELECT name, state, sorted_rows FROM partitions WHERE name LIKE 'trades%' AND state <> 'closed' ORDER BY name`,
  )
  for (const [name, state, sortedRows] of rows) {
    const ends = (partitionNamed(String(name))?.begins ?? 0) + HOUR_MS
    const isClosed = ends <= closed
    if (!isClosed && (state === 'sorted' || ends + HOUR_MS > asOf)) continue
    const count = await rowsOf(db, String(name))
    await db.transaction(async () => {
      if (count !== Number(sortedRows)) {
        await db.write(
          `CREATE TABLE sorting AS SELECT * FROM ${name} ORDER BY token_id, "time", block, tx_index, log_index, id`,
        )
        await db.write(`DROP TABLE ${name}`)
        await db.write(`ALTER TABLE sorting RENAME TO ${name}`)
      }
      await db.write(`UPDATE partitions SET state = '${isClosed ? 'closed' : 'sorted'}', sorted_rows = ${count}
        WHERE name = '${name}'`)
    })
  }
}

export async function mergeDays(db: Database, closed: EpochMs): Promise<void> {
  const days = await db.read(
    `SELECT name, sorted_rows, runs FROM partitions WHERE name LIKE 'candles%' AND state <> 'closed' ORDER BY name`,
  )
  const [recent] = await db.read(`SELECT CAST(min(epoch_ms("time")) AS DOUBLE) FROM (${RECENT_AND_MERGED})`)
  const recentFrom = recent?.[0] === null ? Number.POSITIVE_INFINITY : Number(recent?.[0])
  for (const [name, sortedRows, runs] of days) {
    const ends = (partitionNamed(String(name))?.begins ?? 0) + PARTITION_MS.candles
    const isClosed = ends <= closed && ends <= recentFrom
    const rows = await rowsOf(db, String(name))
    const hasManyRuns =
      Number(runs) > SMALL_RUNS_MAX || (Number(runs) > RUNS_MAX && rows - Number(sortedRows) > rows / 10)
    if (!isClosed && !hasManyRuns) continue
    await db.transaction(async () => {
      await db.write(`CREATE TABLE merging AS SELECT ${isClosed ? WITHOUT_PLACES : CANDLE_COLUMNS}
        FROM (${mergedMinutes(`SELECT * FROM ${name}`)}) ORDER BY token_id, "time"`)
      await db.write(`DROP TABLE ${name}; ALTER TABLE merging RENAME TO ${name}`)
      await db.write(`UPDATE partitions SET state = '${isClosed ? 'closed' : 'open'}', runs = 1,
        sorted_rows = ${await rowsOf(db, String(name))} WHERE name = '${name}'`)
    })
  }
}

const WITHOUT_PLACES = CANDLE_COLUMNS.replace(
  'open_place',
  `CASE WHEN open IS NOT NULL THEN ''::BLOB END AS open_place`,
).replace('close_place', `CASE WHEN close IS NOT NULL THEN ''::BLOB END AS close_place`)
