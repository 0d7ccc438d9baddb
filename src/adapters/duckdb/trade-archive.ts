/// The trade archive in one DuckDB file, for one machine (docs/formats/archive.md). Writes go one after the other on a
/// connection of their own; readers have others and see the last commit.
///
/// After an error from which DuckDB does not go on (a disk that was full while it committed), the file is opened again by
/// the next call: what was committed is there.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Candle } from '../../core/candles.js'
import type { EpochMs, Offset } from '../../core/units.js'
import { UnavailableError, UnknownFormatError } from '../../ports/errors.js'
import type {
  ArchiveBatch,
  Archived,
  ArchivedRowsReader,
  ArchivedSwap,
  ArchiveLimits,
  ArchivePosition,
  ArchiveRules,
  ArchiveSummary,
  CandleQuery,
  LongWindows,
  TradeArchive,
  TradesQuery,
} from '../../ports/trade-archive.js'
import { beginBatch, candlesOfBatch, movePosition, partitionsFor, storeStaged } from '../archive/append.js'
import { closeBefore } from '../archive/candle-questions.js'
import { type Partition, Partitions, partitionNamed } from '../archive/partitions.js'
import { position, scan, trades } from '../archive/questions.js'
import {
  closedBefore,
  dropBeyondLimits,
  moveAsOf,
  reachOf,
  takesFrom,
  versionOf,
} from '../archive/retention.js'
import { windows } from '../archive/windows.js'
import { mergeDays, moveRecentCandles, sortTrades } from './arrange.js'
import { Database, type Snapshot } from './database.js'
import { portError } from './errors.js'
import { minuteCandles } from './minute-candles.js'
import { DuckDbRowsReader } from './row-reader.js'
import {
  CREATE_SCHEMA,
  createPartition,
  createRecent,
  createViews,
  dropPartition,
  minutesOfToken,
  RECENT_CANDLES,
  SCHEMA_VERSION,
} from './schema.js'
import { secondCandles } from './second-candles.js'
import { CREATE_STAGE, stage } from './stage.js'

export interface DuckDbArchiveOptions {
  /// Made when it is not there; holds archive.duckdb.
  readonly directory: string
  readonly rules: ArchiveRules
  readonly limits: ArchiveLimits
  /// 256 MiB unless said.
  readonly memoryBytesMax?: number
  /// How many whole rows are sorted at a time within that memory: 240,000 unless said, about as many as are logged in four
  /// minutes at 1,000 swaps/s. The fewer, the more often their hours are read.
  readonly sortedRowsMax?: number
  /// Resolves in a later turn of the event loop.
  nextTurn(): Promise<void>
}

const MEMORY_BYTES_MAX = 256 * 1024 * 1024
const SORTED_ROWS_MAX = 240_000

interface Opened {
  readonly db: Database
  readonly partitions: Partitions
}

export class DuckDbTradeArchive implements TradeArchive {
  readonly #options: DuckDbArchiveOptions
  #opened: Promise<Opened>
  #closed = false
  /// As of the last append or maintenance.
  #sizeBytes = 0
  /// The write under way; the next one begins after it.
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(options: DuckDbArchiveOptions, opened: Promise<Opened>) {
    this.#options = options
    this.#opened = opened
  }

  /// Rejects with LockedError, DamagedError, UnknownFormatError or StorageFullError.
  static async open(options: DuckDbArchiveOptions): Promise<DuckDbTradeArchive> {
    mkdirSync(options.directory, { recursive: true })
    const opened = await openFile(options)
    const archive = new DuckDbTradeArchive(options, Promise.resolve(opened))
    archive.#sizeBytes = await opened.db.sizeBytes()
    return archive
  }

  position(partition: number): Promise<ArchivePosition | null> {
    return this.#write(({ db }) => position(db, partition))
  }

  append(batch: ArchiveBatch): Promise<Archived> {
    return this.#write(async ({ db, partitions }) => {
      const from = await takesFrom(db)
      const taken = batch.swaps.filter(({ time }) => time >= from)
      if (taken.length > 0) {
        await createMissing(db, partitions, partitionsFor(taken))
        await stage(db.writer, taken, this.#options.nextTurn)
      }
      const archived = await db.transaction(async () => {
        await beginBatch(db, this.#options.rules, batch)
        if (taken.length === 0) return 0
        const stored = await storeStaged(db, partitions, this.#options.rules, batch, taken)
        await db.write(`INSERT INTO candles_recent ${candlesOfBatch(db.dialect)}`)
        return stored
      })
      return { archived, expired: batch.swaps.length - taken.length, duplicates: taken.length - archived }
    })
  }

  skip(partition: number, from: Offset, to: Offset, logTime: EpochMs): Promise<void> {
    return this.#write(({ db }) =>
      db.transaction(async () => {
        await movePosition(db, { partition, from, to, logTime })
        await db.write(`INSERT INTO gaps VALUES (${partition}, ${from}, ${to}, epoch_ms(${logTime}))`)
      }),
    )
  }

  candles(query: CandleQuery): Promise<readonly Candle[]> {
    const { interval } = query
    return this.#read(snapshot =>
      interval === '1s' ? secondCandles(snapshot, query) : minuteCandles(snapshot, query, interval),
    )
  }

  closeBefore(token: string, time: EpochMs): Promise<number | null> {
    return this.#read(snapshot => closeBefore(snapshot, minutesOfToken, token, time))
  }

  windows(token: string, lengthsMs: readonly number[]): Promise<LongWindows> {
    return this.#read(snapshot => windows(snapshot, minutesOfToken, token, lengthsMs))
  }

  trades(query: TradesQuery): Promise<readonly ArchivedSwap[]> {
    return this.#read(snapshot => trades(snapshot, query))
  }

  async *scan(from: EpochMs, to: EpochMs): AsyncGenerator<readonly ArchivedSwap[]> {
    const { db } = await this.#open()
    const snapshot = await db.openSnapshot()
    try {
      yield* scan(snapshot, from, to)
    } catch (error) {
      throw portError(error, db.path)
    } finally {
      snapshot.close()
    }
  }

  async openRows(partition: number, from: EpochMs): Promise<ArchivedRowsReader | null> {
    const { db } = await this.#open()
    const snapshot = await db.openSnapshot()
    try {
      const at = await position({ dialect: db.dialect, read: sql => snapshot.rows(sql) }, partition)
      if (at !== null)
        return await DuckDbRowsReader.open(
          snapshot,
          partition,
          at,
          from,
          this.#options.sortedRowsMax ?? SORTED_ROWS_MAX,
        )
      snapshot.close()
      return null
    } catch (error) {
      snapshot.close()
      throw portError(error, db.path)
    }
  }

  maintain(partition: number, upTo: EpochMs): Promise<void> {
    return this.#write(async ({ db, partitions }) => {
      const asOf = await moveAsOf(db, partition, upTo)
      if (asOf === null) return
      const { rules, limits } = this.#options
      const closed = closedBefore(rules, asOf)
      await moveRecentCandles(db, asOf)
      await dropBeyondLimits({
        writing: db,
        partitions,
        rules,
        limits,
        asOf,
        dropTables: async (dropped, left) => {
          await db.write(createViews(left))
          for (const each of dropped) await db.write(dropPartition(each))
        },
        sizeBytes: () => db.sizeBytes(),
        settle: () => db.checkpoint(),
      })
      await sortTrades(db, asOf, closed)
      await mergeDays(db, closed)
    })
  }

  summary(): Promise<ArchiveSummary> {
    return this.#read(async snapshot => ({ ...(await reachOf(snapshot)), sizeBytes: this.#sizeBytes }))
  }

  async close(): Promise<void> {
    this.#closed = true
    const opened = await this.#opened.catch(() => null)
    opened?.db.stopWriting()
    await this.#writing.catch(() => {})
    await opened?.db.close()
  }

  async #open(): Promise<Opened> {
    if (this.#closed) throw new UnavailableError('The archive is closed')
    const opened = await this.#opened.catch(() => null)
    if (opened !== null && !opened.db.broken) return opened
    await opened?.db.close()
    this.#opened = openFile(this.#options)
    return this.#opened
  }

  #write<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    const result = this.#writing.then(async () => {
      const opened = await this.#open()
      const done = await work(opened)
      this.#sizeBytes = await opened.db.sizeBytes()
      return done
    })
    this.#writing = result.catch(() => {})
    return result
  }

  async #read<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    const { db } = await this.#open()
    return db.snapshot(work)
  }
}

async function openFile({ directory, memoryBytesMax }: DuckDbArchiveOptions): Promise<Opened> {
  const db = await Database.open({
    path: join(directory, 'archive.duckdb'),
    memoryBytesMax: memoryBytesMax ?? MEMORY_BYTES_MAX,
    temporary: join(directory, 'temporary'),
  })
  try {
    const tables = await db.read(`SELECT table_name FROM duckdb_tables() WHERE database_name = 'archive'`)
    const partitions = new Partitions(
      tables.map(([name]) => partitionNamed(String(name))).filter(each => each !== null),
    )
    if (tables.length === 0) await createSchema(db, partitions)
    await checkVersion(db)
    await db.write(CREATE_STAGE)
    return { db, partitions }
  } catch (error) {
    await db.close()
    throw error
  }
}

async function createSchema(db: Database, partitions: Partitions): Promise<void> {
  await db.transaction(async () => {
    await db.write(CREATE_SCHEMA)
    for (const table of RECENT_CANDLES) await db.write(createRecent(table))
    await db.write(createViews(partitions))
  })
}

async function createMissing(
  db: Database,
  partitions: Partitions,
  wanted: readonly Partition[],
): Promise<void> {
  const missing = wanted.filter(({ kind, begins }) => !partitions.has(kind, begins))
  if (missing.length === 0) return
  await db.transaction(async () => {
    for (const partition of missing) await db.write(createPartition(partition))
    await db.write(createViews(partitions.with(missing)))
  })
  for (const partition of missing) partitions.add(partition)
}

async function checkVersion(db: Database): Promise<void> {
  const version = await versionOf(db)
  if (version === SCHEMA_VERSION) return
  throw new UnknownFormatError(
    `The archive ${db.path} is of version ${version}; this program knows version ${SCHEMA_VERSION}`,
  )
}
