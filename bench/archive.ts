/// The trade archive by itself: swaps a second into the database, cost per 1,000 swaps as they come live, and how long
/// questions take.
///
///   node dist/bench/archive.js [duckdb|postgres] [swaps|day]     2,000,000 swaps unless said; a day has 86,400,000
///
/// The swaps are faketrader's, at 1,000 a second of their own time, so 3,600,000 are an hour. All but the last tenth are
/// stored in batches of 50,000, as an archiver that catches up does; the last tenth in batches of 5,000, as one that
/// follows live. PostgreSQL is the system's, on the same machine, with its own defaults but for 1 GB of shared buffers; what
/// it takes of the processor is not in the client's figures. Then candles of a day of minutes and pages of trades are asked for, of tokens as often as they trade.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDbTradeArchive } from '../src/adapters/duckdb/trade-archive.js'
import { PostgresTradeArchive } from '../src/adapters/postgres/trade-archive.js'
import { SystemClock } from '../src/adapters/system/clock.js'
import { nextTurn } from '../src/adapters/system/turn.js'
import { epochMs, offset } from '../src/core/units.js'
import type { TradeArchive } from '../src/ports/trade-archive.js'
import { BatchBuilder } from '../src/roles/archiver/batch-builder.js'
import { PostgresServer, postgresPrograms } from '../test/contract/postgres-server.js'
import { logBatch, swapsOf } from './load.js'
import { Checksum, report } from './report.js'

const DAY = 86_400_000
const PER_MS = 1
const CATCH_UP = 50_000
const LIVE = 5000
const LINES = 1000
const QUESTIONS = 1000
const RULES = {
  resolutionMs: 1000,
  retentionMs: DAY,
  earlyToleranceMs: 60_000,
  dedupeHorizonMs: 3_600_000,
}
const LIMITS = { tradesRetentionMs: 30 * DAY, candlesRetentionMs: 90 * DAY, sizeBytesMax: 2 ** 50 }

const kind = process.argv[2] ?? 'duckdb'
const total = process.argv[3] === 'day' ? DAY : Number(process.argv[3] ?? 2_000_000)
const live = Math.floor(total / 10)
const directory = mkdtempSync(join(tmpdir(), 'volumer-bench-archive-'))
const postgres = kind === 'postgres' ? await startPostgres() : null
const archive = await open()

async function startPostgres(): Promise<PostgresServer> {
  const programs = postgresPrograms()
  if (programs === null) process.exit(1)
  const settings = { fsync: 'on', full_page_writes: 'on', shared_buffers: '1GB', max_wal_size: '4GB' }
  return PostgresServer.start(programs, settings, tmpdir())
}

async function open(): Promise<TradeArchive> {
  const options = { rules: RULES, limits: LIMITS, nextTurn }
  if (postgres === null) return DuckDbTradeArchive.open({ ...options, directory })
  const url = await postgres.newDatabase()
  return new PostgresTradeArchive({ ...options, url, clock: new SystemClock() })
}

const startMs = Date.UTC(2026, 0, 1)
const generator = swapsOf(1)
const builder = new BatchBuilder(0, RULES, { offset: offset(0), logTime: epochMs(0) })
const checksum = new Checksum()
let sent = 0
let maintainedAt = startMs
const spent = { make: 0, append: 0, maintain: 0, maintainMost: 0 }

const timed = async <T>(what: 'make' | 'append' | 'maintain', work: () => Promise<T>): Promise<T> => {
  const began = performance.now()
  const result = await work()
  const ms = performance.now() - began
  spent[what] += ms
  if (what === 'maintain') spent.maintainMost = Math.max(spent.maintainMost, ms)
  return result
}

async function store(until: number, batchSize: number): Promise<number> {
  let stored = 0
  while (sent < until) {
    while (builder.size < batchSize && sent < until) {
      const now = startMs + sent / PER_MS
      const lines = generator.next(now, Math.min(LINES, until - sent))
      await timed('make', () => builder.add(logBatch(lines, sent, now), nextTurn))
      sent += lines.size
    }
    const batch = builder.take()
    const { archived, duplicates } = await timed('append', () => archive.append(batch))
    checksum.add(archived)
    checksum.add(duplicates)
    stored += batch.swaps.length
    if (batch.logTime - maintainedAt >= 60_000) {
      maintainedAt = batch.logTime
      await timed('maintain', () => archive.maintain(0, batch.logTime))
    }
  }
  return stored
}

function reset(): void {
  Object.assign(spent, { make: 0, append: 0, maintain: 0, maintainMost: 0 })
}

let cpu = process.cpuUsage()
const caughtUp = await store(total - live, CATCH_UP)
const catchUp = { ...spent, cpuMs: cpuMs(cpu) }
reset()
cpu = process.cpuUsage()
const followed = await store(total, LIVE)
const following = { ...spent, cpuMs: cpuMs(cpu) }

function cpuMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

const endMs = startMs + total / PER_MS
const tokens = tokensAsTraded(QUESTIONS)
const times: Record<'candles' | 'trades', number[]> = { candles: [], trades: [] }
let candleCount = 0
for (const token of tokens) {
  let began = performance.now()
  const candles = await archive.candles({
    token,
    interval: '1m',
    from: epochMs(endMs - DAY),
    to: epochMs(endMs + 60_000),
  })
  times.candles.push(performance.now() - began)
  candleCount += candles.length
  for (const { time, buys, traders } of candles)
    for (const value of [time, buys, traders]) checksum.add(value)
  began = performance.now()
  const page = await archive.trades({
    of: { token },
    from: epochMs(0),
    to: epochMs(endMs + 60_000),
    limit: 100,
    after: null,
  })
  times.trades.push(performance.now() - began)
  checksum.add(page.length)
}

/// The tokens of further swaps of the generator.
function tokensAsTraded(count: number): string[] {
  const { bytes } = generator.next(endMs, 2 * count)
  return [
    ...Buffer.from(bytes)
      .toString()
      .matchAll(/"token":"([^"]+)"/g),
  ]
    .map(match => match[1] ?? '')
    .slice(0, count)
}

const at = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0
const { sizeBytes } = await archive.summary()
report({
  name: `archive in ${postgres === null ? 'DuckDB' : 'PostgreSQL'}, ${total.toLocaleString('en')} swaps`,
  measures: [
    { what: 'catching up: swaps stored', value: (caughtUp / catchUp.append) * 1000, unit: '/s' },
    {
      what: 'catching up: all work included',
      value: (caughtUp / (catchUp.make + catchUp.append + catchUp.maintain)) * 1000,
      unit: '/s',
    },
    {
      what: 'live: 1,000 swaps, processor',
      value: (following.cpuMs / followed) * 1000,
      unit: 'ms',
    },
    { what: 'live: 1,000 swaps, append', value: (following.append / followed) * 1000, unit: 'ms' },
    { what: 'live: 1,000 swaps, maintenance', value: (following.maintain / followed) * 1000, unit: 'ms' },
    {
      what: 'longest maintenance',
      value: Math.max(catchUp.maintainMost, following.maintainMost),
      unit: 'ms',
    },
    { what: 'a day of 1m candles, p50', value: at(times.candles, 0.5), unit: 'ms' },
    {
      what: 'a day of 1m candles, p99',
      value: at(times.candles, 0.99),
      unit: 'ms',
      target: { value: 20, atLeast: false },
    },
    { what: 'newest 100 trades of a token, p50', value: at(times.trades, 0.5), unit: 'ms' },
    { what: 'newest 100 trades of a token, p99', value: at(times.trades, 0.99), unit: 'ms' },
    { what: 'on the disk', value: sizeBytes / total, unit: 'bytes/swap' },
    { what: 'peak RSS', value: process.resourceUsage().maxRSS / 1024, unit: 'MiB' },
  ],
  checksum: checksum.toString(),
  notes: [`${candleCount.toLocaleString('en')} candles in ${QUESTIONS} answers`],
})
await archive.close()
await postgres?.stop('SIGINT')
rmSync(directory, { recursive: true, force: true })
