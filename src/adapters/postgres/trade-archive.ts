/// The trade archive in PostgreSQL, 15 or newer, for a cluster (docs/formats/archive.md). Any number of processes may write,
/// each its own partitions of the trade log, and read.
///
/// Nothing connects before the first call, and a call that finds the server away rejects with UnavailableError: the next
/// one tries again.

import type { Candle } from '../../core/candles.js'
import { type EpochMs, epochMs, type Offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { UnavailableError } from '../../ports/errors.js'
import type {
  AdmittedSwap,
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
import { candles, closeBefore } from '../archive/candle-questions.js'
import { type Partition, type Partitions, partitionName } from '../archive/partitions.js'
import { position, scan, trades } from '../archive/questions.js'
import { dropBeyondLimits, moveAsOf, reachOf, takesFrom } from '../archive/retention.js'
import { SqlRowsReader } from '../archive/row-batches.js'
import type { Reading } from '../archive/session.js'
import { windows } from '../archive/windows.js'
import {
  DEFAULT_TIMEOUTS,
  LOCK_NAMES,
  LOCK_TABLES,
  ReadingConnections,
  SHARE_NAMES,
  type Timeouts,
  WritingConnection,
} from './connections.js'
import { portError } from './errors.js'
import { createPartition, mergeCandles, minutesOfToken, SCHEMA } from './schema.js'
import { stage } from './stage.js'

export interface PostgresArchiveOptions {
  /// postgres://user:password@host:port/database
  readonly url: string
  readonly rules: ArchiveRules
  readonly limits: ArchiveLimits
  readonly clock: Clock
  /// DEFAULT_TIMEOUTS unless said.
  readonly timeouts?: Timeouts
  /// Resolves in a later turn of the event loop.
  nextTurn(): Promise<void>
}

const SIZE = `SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
  WHERE relnamespace = '${SCHEMA}'::regnamespace AND relkind = 'r'`

export class PostgresTradeArchive implements TradeArchive {
  readonly #options: PostgresArchiveOptions
  readonly #timeouts: Timeouts
  readonly #readers: ReadingConnections
  #writer: WritingConnection | null = null
  #closed = false
  /// The write under way; the next one begins after it.
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: PostgresArchiveOptions) {
    this.#options = options
    this.#timeouts = options.timeouts ?? DEFAULT_TIMEOUTS
    this.#readers = new ReadingConnections(options.url, this.#timeouts, () => this.#write(async () => {}))
  }

  position(partition: number): Promise<ArchivePosition | null> {
    return this.#write(writer => position(writer, partition))
  }

  append(batch: ArchiveBatch): Promise<Archived> {
    return this.#write(async writer => {
      const from = await takesFrom(writer)
      const taken = batch.swaps.filter(({ time }) => time >= from)
      const partitions = await createMissing(writer, partitionsFor(taken))
      const archived = await writer.transaction(async () => {
        await writer.write(`SELECT ${SHARE_NAMES}`)
        await beginBatch(writer, this.#options.rules, batch)
        if (taken.length === 0) return 0
        await this.#stage(writer, taken)
        const stored = await storeStaged(writer, partitions, this.#options.rules, batch, taken)
        for (const { kind, begins } of partitionsFor(taken)) {
          if (kind !== 'candles') continue
          const ofDay = `SELECT * FROM (${candlesOfBatch(writer.dialect)}) all_days
            WHERE "time" >= ${writer.dialect.at(begins)} AND "time" < ${writer.dialect.at(begins + DAY_MS)}`
          await writer.write(mergeCandles(partitionName(kind, begins), ofDay))
        }
        return stored
      })
      return { archived, expired: batch.swaps.length - taken.length, duplicates: taken.length - archived }
    })
  }

  skip(partition: number, from: Offset, to: Offset, logTime: EpochMs): Promise<void> {
    return this.#write(writer =>
      writer.transaction(async () => {
        await movePosition(writer, { partition, from, to, logTime })
        await writer.write(
          `INSERT INTO gaps VALUES (${partition}, ${from}, ${to}, ${writer.dialect.at(logTime)})`,
        )
      }),
    )
  }

  candles(query: CandleQuery): Promise<readonly Candle[]> {
    return this.#read(reading => candles(reading, minutesOfToken, query))
  }

  closeBefore(token: string, time: EpochMs): Promise<number | null> {
    return this.#read(reading => closeBefore(reading, minutesOfToken, token, time))
  }

  windows(token: string, lengthsMs: readonly number[]): Promise<LongWindows> {
    return this.#read(reading => windows(reading, minutesOfToken, token, lengthsMs))
  }

  trades(query: TradesQuery): Promise<readonly ArchivedSwap[]> {
    return this.#read(reading => trades(reading, query))
  }

  async *scan(from: EpochMs, to: EpochMs): AsyncGenerator<readonly ArchivedSwap[]> {
    const snapshot = await this.#readers.openSnapshot()
    try {
      yield* scan(snapshot, from, to)
    } catch (error) {
      throw portError(error)
    } finally {
      await snapshot.close()
    }
  }

  async openRows(partition: number): Promise<ArchivedRowsReader | null> {
    const snapshot = await this.#readers.openSnapshot()
    try {
      const at = await position({ dialect: snapshot.dialect, read: sql => snapshot.rows(sql) }, partition)
      if (at === null) await snapshot.close()
      return at === null ? null : new SqlRowsReader(snapshot, partition, at, () => snapshot.close())
    } catch (error) {
      await snapshot.close()
      throw portError(error)
    }
  }

  maintain(partition: number, upTo: EpochMs): Promise<void> {
    return this.#write(async writer => {
      const asOf = await moveAsOf(writer, partition, upTo)
      if (asOf === null) return
      const { rules, limits } = this.#options
      await dropBeyondLimits({
        writing: writer,
        partitions: await writer.partitions(),
        rules,
        limits,
        asOf,
        dropTables: async dropped => {
          // Readers that take long hold a table up; appends must not queue behind this for it.
          await writer.write(`SET LOCAL lock_timeout = '2s'; SELECT ${LOCK_TABLES}; SELECT ${LOCK_NAMES}`)
          for (const { kind, begins } of dropped) {
            await writer.write(`DROP TABLE IF EXISTS ${partitionName(kind, begins)}`)
          }
        },
        sizeBytes: async () => Number((await writer.read(SIZE))[0]?.[0]),
        settle: async () => true,
      })
    })
  }

  summary(): Promise<ArchiveSummary> {
    return this.#read(async reading => {
      const sizeBytes = Number((await reading.rows(SIZE))[0]?.[0])
      return { ...(await reachOf(reading)), sizeBytes }
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#writer?.abandon()
    await this.#writing.catch(() => {})
    this.#writer?.abandon()
    await this.#readers.close()
  }

  /// COPY has no time limit of its own.
  async #stage(writer: WritingConnection, swaps: readonly AdmittedSwap[]): Promise<void> {
    const { clock, nextTurn } = this.#options
    const at = epochMs(clock.now() + this.#timeouts.writeMs)
    const cancel = clock.at(at, () => writer.abandon())
    try {
      await writer.guard(() => stage(writer.client, swaps, nextTurn))
    } finally {
      cancel()
    }
  }

  #write<T>(work: (writer: WritingConnection) => Promise<T>): Promise<T> {
    const result = this.#writing.then(async () => {
      if (this.#closed) throw new UnavailableError('The archive is closed')
      if (this.#writer?.usable !== true) {
        this.#writer?.abandon()
        this.#writer = null
        this.#writer = await WritingConnection.open(this.#options.url, this.#timeouts)
      }
      return work(this.#writer)
    })
    this.#writing = result.catch(() => {})
    return result
  }

  async #read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    return this.#readers.snapshot(work)
  }
}

const DAY_MS = 86_400_000

/// Makes the partitions that are not there; returns those that are there then.
async function createMissing(writer: WritingConnection, wanted: readonly Partition[]): Promise<Partitions> {
  const partitions = await writer.partitions()
  if (wanted.every(({ kind, begins }) => partitions.has(kind, begins))) return partitions
  await writer.transaction(async () => {
    await writer.write(`SELECT ${LOCK_TABLES}`)
    // Another process may have made some meanwhile.
    const now = await writer.partitions()
    for (const partition of wanted) {
      if (!now.has(partition.kind, partition.begins)) await writer.write(createPartition(partition))
    }
  })
  return partitions.with(wanted)
}
