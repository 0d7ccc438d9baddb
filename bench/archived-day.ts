/// A day in the archive: how fast a backfill rebuilds the state from it, and how long a day of candles takes, with all of
/// its swaps there.
///
///   node dist/bench/archived-day.js [swaps an hour] [hours] [directory]    3,600,000 and 24 unless said: 86,400,000 swaps
///
/// A directory that is given is kept, and its archive used again: making it takes many minutes.
///
/// One hour is archived as an archiver does it, of faketrader's swaps. The others are copies of it by SQL, each an hour
/// later, with other ids, sorted as maintenance leaves them: archiving all of them takes more than half an hour.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { partitionName } from '../src/adapters/archive/partitions.js'
import { DuckDbTradeArchive } from '../src/adapters/duckdb/trade-archive.js'
import { EmbeddedStateStore } from '../src/adapters/embedded/state-store.js'
import { SystemClock } from '../src/adapters/system/clock.js'
import { nextTurn } from '../src/adapters/system/turn.js'
import { startPartThread } from '../src/adapters/threads/part-making.js'
import type { RollerConfig } from '../src/core/roller/config.js'
import { epochMs, offset } from '../src/core/units.js'
import { BatchBuilder } from '../src/roles/archiver/batch-builder.js'
import { backfill } from '../src/roles/backfill.js'
import { DEFAULT_RULES } from '../test/simulation/raw-swap.js'
import { logBatch, swapsOf } from './load.js'
import { Checksum, report } from './report.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const BATCH = 50_000
const QUESTIONS = 1000
const LIMITS = { tradesRetentionMs: 30 * DAY, candlesRetentionMs: 90 * DAY, sizeBytesMax: 2 ** 50 }
const START = Date.UTC(2026, 0, 1)

const perHour = Number(process.argv[2] ?? 3_600_000)
const hours = Number(process.argv[3] ?? 24)
const kept = process.argv[4] ?? null
const directory = kept ?? mkdtempSync(join(tmpdir(), 'volumer-bench-day-'))
mkdirSync(directory, { recursive: true })
const open = () => DuckDbTradeArchive.open({ directory, rules: DEFAULT_RULES, limits: LIMITS, nextTurn })

/// No late swaps: an hour is to be copied whole.
const generator = swapsOf(1, { duplicates: 0, late: 0 })

async function archiveHour(): Promise<void> {
  const archive = await open()
  const builder = new BatchBuilder(0, DEFAULT_RULES, { offset: offset(0), logTime: epochMs(0) })
  for (let sent = 0; sent < perHour; ) {
    while (builder.size < BATCH && sent < perHour) {
      const now = START + 60_000 + Math.floor((sent / perHour) * (HOUR - 120_000))
      const lines = generator.next(now, Math.min(1000, perHour - sent))
      await builder.add(logBatch(lines, sent, now), nextTurn)
      sent += lines.size
    }
    await archive.append(builder.take())
  }
  // Everything is moved and sorted.
  await archive.maintain(0, epochMs(START + 3 * HOUR))
  await archive.close()
}

async function copyHours(): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: '2GB',
    temp_directory: join(directory, 'copying'),
  })
  const db = await instance.connect()
  await db.run(`ATTACH '${join(directory, 'archive.duckdb')}' AS archive; USE archive`)
  const first = partitionName('trades', START)
  const day = partitionName('candles', START)
  await db.run(`CREATE TABLE copied_candles AS SELECT * FROM ${day}`)
  for (let hour = 1; hour < hours; hour++) {
    const name = partitionName('trades', START + hour * HOUR)
    await db.run(`CREATE TABLE ${name} AS SELECT * REPLACE ("time" + INTERVAL '${hour} hours' AS "time",
      log_time + INTERVAL '${hour} hours' AS log_time, log_offset + ${hour * perHour} AS log_offset,
      id || ':${hour}' AS id, xor(fingerprint, ${hour * 7919}) AS fingerprint) FROM ${first}`)
    await db.run(`INSERT INTO partitions VALUES ('${name}', 'sorted', ${perHour}, 0)`)
    await db.run(
      `INSERT INTO copied_candles SELECT * REPLACE ("time" + INTERVAL '${hour} hours' AS "time") FROM ${day}`,
    )
  }
  await db.run(`CREATE TABLE sorted_candles AS SELECT * FROM copied_candles ORDER BY token_id, "time";
    DROP TABLE copied_candles; DROP TABLE ${day}; ALTER TABLE sorted_candles RENAME TO ${day};
    UPDATE partitions SET runs = 1 WHERE name = '${day}';
    UPDATE positions SET next_offset = ${hours * perHour}, log_time = log_time + INTERVAL '${hours - 1} hours'`)
  await db.run('CHECKPOINT archive')
  db.closeSync()
  instance.closeSync()
}

let made = ''
if (!existsSync(join(directory, 'MADE'))) {
  const began = performance.now()
  await archiveHour()
  const perSecond = Math.round((perHour / (performance.now() - began)) * 1000).toLocaleString('en')
  made = `the first hour was archived at ${perSecond} swaps/s, generator included`
  await copyHours()
  writeFileSync(join(directory, 'MADE'), '')
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`${(perHour * hours).toLocaleString('en')} swaps are there after ${seconds} s`)
}

const archive = await open()
const checksum = new Checksum()
const end = START + hours * HOUR

/// The tokens of further swaps of the generator.
const tokens = [
  ...Buffer.from(generator.next(end, 2 * QUESTIONS).bytes)
    .toString()
    .matchAll(/"token":"([^"]+)"/g),
]
  .map(match => match[1] ?? '')
  .slice(0, QUESTIONS)
let candleCount = 0

/// Asks for a day of candles of each token; returns how long each took, shortest first.
async function askAll(): Promise<number[]> {
  const times: number[] = []
  for (const token of tokens) {
    const asked = performance.now()
    const candles = await archive.candles({
      token,
      interval: '1m',
      from: epochMs(end - DAY),
      to: epochMs(end),
    })
    times.push(performance.now() - asked)
    candleCount += candles.length
    for (const { buys, traders } of candles) for (const value of [buys, traders]) checksum.add(value)
  }
  return times.sort((a, b) => a - b)
}

/// Nothing is in DuckDB's memory yet.
const cold = await askAll()
const warm = await askAll()

const config: RollerConfig = {
  ...DEFAULT_RULES,
  windows: DEFAULT_RULES.windows.map(([name, lengthMs]) => ({ name, lengthMs })),
  partition: 0,
  admission: 'log-time',
  hotRangeMs: 30 * 60_000,
}
const state = join(directory, 'state')
rmSync(state, { recursive: true, force: true })
const store = new EmbeddedStateStore({ directory: state, partition: 0, clock: new SystemClock() })
const opened = performance.now()
const reader = await archive.openRows(0, epochMs(0))
if (reader === null) throw new Error('nothing is archived')
const openMs = performance.now() - opened
const { offset: position, logTime } = reader.position
const cpu = process.cpuUsage()
const rebuilding = performance.now()
let read = 0
await backfill({
  config,
  target: { position, logTime, accepted: perHour * hours },
  from: epochMs(0),
  reader,
  store,
  startPartMaking: startPartThread,
  progress: (_, swaps) => {
    read = swaps
  },
  nextTurn,
})
const rebuiltMs = performance.now() - rebuilding
const { user, system } = process.cpuUsage(cpu)
await reader.close()
checksum.add(read)
checksum.add(store.position())

const at = (times: readonly number[], share: number): number =>
  times[Math.ceil(times.length * share) - 1] ?? 0
const aim = { value: 20, atLeast: false }
report({
  name: `a day in the archive (DuckDB): ${(perHour * hours).toLocaleString('en')} swaps`,
  measures: [
    {
      what: 'backfill: swaps read',
      value: (read / rebuiltMs) * 1000,
      unit: '/s',
      target: { value: 500_000, atLeast: true },
    },
    { what: 'backfill: processor, a swap', value: (user + system) / read, unit: 'µs' },
    { what: 'names of all traders', value: openMs / 1000, unit: 's' },
    { what: 'state on the disk', value: store.sizeBytes() / read, unit: 'bytes/swap' },
    { what: 'a day of 1m candles, first questions of a process, p50', value: at(cold, 0.5), unit: 'ms' },
    { what: 'the same, p99', value: at(cold, 0.99), unit: 'ms', target: aim },
    { what: 'a day of 1m candles, asked once more, p50', value: at(warm, 0.5), unit: 'ms' },
    { what: 'the same, p99', value: at(warm, 0.99), unit: 'ms', target: aim },
    {
      what: 'archive on the disk',
      value: (await archive.summary()).sizeBytes / (perHour * hours),
      unit: 'bytes/swap',
    },
    { what: 'peak RSS', value: process.resourceUsage().maxRSS / 1024, unit: 'MiB' },
  ],
  checksum: checksum.toString(),
  notes: [
    `${candleCount.toLocaleString('en')} candles in ${2 * QUESTIONS} answers`,
    ...(made === '' ? [] : [made]),
  ],
})
await store.close()
await archive.close()
rmSync(kept === null ? directory : state, { recursive: true, force: true })
