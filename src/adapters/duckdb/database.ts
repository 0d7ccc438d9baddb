/// One DuckDB file: a connection that writes, and others that read beside it. Readers see the last commit and wait for
/// no writer.
///
/// DuckDB works in threads of Node's own pool, of which there are four, and which the trade log's disk calls use too: four
/// queries that take ten seconds would hold up an acknowledgement for ten seconds. So one statement that writes and one
/// that reads are under way at a time; other readers wait, in a bounded queue. DuckDB gets no threads of its own.

import { existsSync, statSync } from 'node:fs'
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api'
import { UnavailableError } from '../../ports/errors.js'
import { type PartitionKind, partitionName, partitionNamed, partitionOf } from '../archive/partitions.js'
import type { Reading, Row, TemporaryName, Writing } from '../archive/session.js'
import { duckDbDialect } from './dialect.js'
import { isFatal, portError } from './errors.js'
import { Turns } from './turns.js'

export interface DatabaseOptions {
  readonly path: string
  /// What DuckDB may hold in memory; beyond it sorts go to `temporary`.
  readonly memoryBytesMax: number
  /// A directory.
  readonly temporary: string
}

const WAITING_MAX = 64
/// Of what is written between two checkpoints of DuckDB's own log.
const CHECKPOINT_BYTES = 64 * 1024 * 1024
/// The last millisecond of the year 9999: event times are not later.
const TIME_MS_MAX = 253_402_300_799_999

export class Database implements Writing {
  readonly dialect = duckDbDialect
  readonly path: string
  readonly #instance: DuckDBInstance
  readonly #writer: DuckDBConnection
  readonly #reader: DuckDBConnection
  readonly #turns = new Turns(WAITING_MAX)
  #broken = false
  #stopping = false

  private constructor(
    path: string,
    instance: DuckDBInstance,
    writer: DuckDBConnection,
    reader: DuckDBConnection,
  ) {
    this.path = path
    this.#instance = instance
    this.#writer = writer
    this.#reader = reader
  }

  /// Opens the file, and makes it when it is not there. Rejects with LockedError, DamagedError, UnknownFormatError or
  /// StorageFullError.
  static async open({ path, memoryBytesMax, temporary }: DatabaseOptions): Promise<Database> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: '1',
      memory_limit: `${Math.ceil(memoryBytesMax / 1e6)}MB`,
      temp_directory: temporary,
      preserve_insertion_order: 'false',
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    try {
      const writer = await instance.connect()
      await writer.run(`SET checkpoint_threshold = '${CHECKPOINT_BYTES}B'`)
      await writer.run(`ATTACH ${literal(path)} AS archive`)
      await writer.run('USE archive')
      return new Database(path, instance, writer, await connect(instance))
    } catch (error) {
      instance.closeSync()
      throw portError(error, path)
    }
  }

  /// True once DuckDB refuses everything: close this and open the file again.
  get broken(): boolean {
    return this.#broken
  }

  /// The connection that writes: one statement at a time, by one caller.
  get writer(): DuckDBConnection {
    return this.#writer
  }

  async write(sql: string, values: readonly string[] = []): Promise<void> {
    await this.#guardWrite(() => this.#writer.run(sql, bound(values)))
  }

  async read(sql: string, values: readonly string[] = []): Promise<readonly Row[]> {
    return this.#guardWrite(async () => (await this.#writer.runAndReadAll(sql, bound(values))).getRows())
  }

  /// Ends the statement under way and refuses further ones: a transaction under way is rolled back.
  stopWriting(): void {
    this.#stopping = true
    this.#writer.interrupt()
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.write('BEGIN')
    try {
      const result = await work()
      await this.write('COMMIT')
      return result
    } catch (error) {
      // Where the commit itself failed, or DuckDB gave up, there is nothing to roll back.
      await this.#writer.run('ROLLBACK').catch(() => {})
      throw portError(error, this.path)
    }
  }

  async temporary(name: TemporaryName, query: string): Promise<void> {
    await this.write(`CREATE OR REPLACE TEMP TABLE ${name} AS ${query}`)
  }

  /// Lets `work` read one state of the file, whatever is committed meanwhile. Rejects with BusyError when too many wait
  /// already.
  async snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.#turns.take(() =>
      this.#guard(async () => {
        const snapshot = await Snapshot.begin(this.#reader)
        try {
          return await work(snapshot)
        } finally {
          await snapshot.end()
        }
      }),
    )
  }

  /// Like `snapshot`, on a connection of its own, for reading that takes long: it waits for its turn with each chunk of
  /// rows. The caller closes it.
  async openSnapshot(): Promise<Snapshot> {
    return Snapshot.begin(await connect(this.#instance), this.#turns)
  }

  /// Of blocks in use and of what is not merged into them yet. Blocks that were freed are used again.
  async sizeBytes(): Promise<number> {
    const [row] = await this.read(
      `SELECT (used_blocks * block_size)::DOUBLE FROM pragma_database_size() WHERE database_name = 'archive'`,
    )
    const wal = `${this.path}.wal`
    return Number(row?.[0]) + (existsSync(wal) ? statSync(wal).size : 0)
  }

  /// Gives the blocks of dropped tables back. False when a reader is in the way.
  async checkpoint(): Promise<boolean> {
    try {
      await this.write('CHECKPOINT archive')
      return true
    } catch (error) {
      if (error instanceof Error && /Cannot CHECKPOINT/.test(error.message)) return false
      throw error
    }
  }

  /// Waits for readers under way.
  async close(): Promise<void> {
    await this.#turns.end()
    this.#reader.closeSync()
    this.#writer.closeSync()
    this.#instance.closeSync()
  }

  #guardWrite<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stopping) return Promise.reject(new UnavailableError('The archive is being closed'))
    return this.#guard(work)
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (isFatal(error)) this.#broken = true
      throw portError(error, this.path)
    }
  }
}

async function connect(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect()
  await connection.run('USE archive')
  return connection
}

/// One state of the file.
export class Snapshot implements Reading {
  readonly dialect = duckDbDialect
  readonly #reader: DuckDBConnection
  readonly #turns: Turns | null

  private constructor(reader: DuckDBConnection, turns: Turns | null) {
    this.#reader = reader
    this.#turns = turns
  }

  /// Without `turns` the caller has its turn already.
  static async begin(reader: DuckDBConnection, turns: Turns | null = null): Promise<Snapshot> {
    await reader.run('BEGIN TRANSACTION READ ONLY')
    return new Snapshot(reader, turns)
  }

  async end(): Promise<void> {
    await this.#reader.run('ROLLBACK')
  }

  close(): void {
    this.#reader.closeSync()
  }

  async rows(sql: string, values: readonly string[] = []): Promise<readonly Row[]> {
    return this.#inTurn(async () => (await this.#reader.runAndReadAll(sql, bound(values))).getRows())
  }

  /// All rows, as the chunks of columns that DuckDB has them in: for few rows of which no objects are wanted.
  async columns(sql: string): Promise<readonly DuckDBDataChunk[]> {
    return this.#inTurn(async () => (await this.#reader.run(sql)).fetchAllChunks())
  }

  /// Hands over each chunk as DuckDB gives it, and yields when it was taken: the next one, which is fetched while the
  /// caller works on, takes its memory.
  async *chunks(sql: string, take: (chunk: DuckDBDataChunk) => void): AsyncGenerator<void> {
    const result = await this.#inTurn(() => this.#reader.stream(sql))
    const fetch = () => this.#inTurn(() => result.fetchChunk())
    let next = fetch()
    try {
      for (;;) {
        const chunk = await next
        if (chunk === null || chunk.rowCount === 0) return
        take(chunk)
        next = fetch()
        yield
      }
    } finally {
      // Whoever stops early must not use the connection while it is still busy.
      await next.catch(() => {})
    }
  }

  async *stream(sql: string): AsyncGenerator<readonly Row[]> {
    const chunks = (await this.#inTurn(() => this.#reader.stream(sql))).yieldRows()
    for (;;) {
      const next = await this.#inTurn(() => chunks.next())
      if (next.done === true) return
      yield next.value
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns === null ? work() : this.#turns.take(work)
  }

  async partitions(kind: PartitionKind, from: number, to: number): Promise<readonly number[]> {
    if (from >= to) return []
    const first = partitionName(kind, partitionOf(kind, from))
    const last = partitionName(kind, partitionOf(kind, Math.min(to - 1, TIME_MS_MAX)))
    const rows = await this.rows(
      `SELECT name FROM partitions WHERE name >= '${first}' AND name <= '${last}' ORDER BY name`,
    )
    return rows.map(([name]) => partitionNamed(String(name))?.begins).filter(begins => begins !== undefined)
  }
}

/// A statement without values is run as it is: preparing it first would take a further turn of Node's thread pool.
const bound = (values: readonly string[]): string[] | undefined =>
  values.length === 0 ? undefined : [...values]

/// A text as SQL writes it.
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
