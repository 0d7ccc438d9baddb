/// The connections to PostgreSQL: one that writes, which is made again after an error, and a few that read.

import { Client, type ClientConfig, Pool, type PoolClient, types } from 'pg'
import { BusyError, UnknownFormatError } from '../../ports/errors.js'
import {
  type PartitionKind,
  Partitions,
  partitionName,
  partitionNamed,
  partitionOf,
} from '../archive/partitions.js'
import { versionOf } from '../archive/retention.js'
import type { Reading, Row, TemporaryName, Writing } from '../archive/session.js'
import { postgresDialect } from './dialect.js'
import { portError } from './errors.js'
import { CREATE_SCHEMA, SCHEMA, SCHEMA_VERSION } from './schema.js'
import { CREATE_TEMPORARY } from './stage.js'

/// How long one call may take before the server counts as away.
export interface Timeouts {
  readonly connectMs: number
  /// Of one statement.
  readonly writeMs: number
  readonly readMs: number
  /// Of one statement of a scan: the first one of an hour sorts it.
  readonly scanMs: number
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connectMs: 5000,
  writeMs: 120_000,
  readMs: 15_000,
  scanMs: 600_000,
}

const READERS = 4
const WAITING_MAX = 64
const ROWS_PER_FETCH = 2000
const TIME_MS_MAX = 253_402_300_799_999
const VERSION_MIN = 150_000

/// Advisory locks of the archive: who makes or drops tables holds the first, who drops names the second, which appends
/// share, since they use names that they have just looked up.
export const LOCK_TABLES = 'pg_advisory_xact_lock(7306586, 1)'
export const LOCK_NAMES = 'pg_advisory_xact_lock(7306586, 2)'
export const SHARE_NAMES = 'pg_advisory_xact_lock_shared(7306586, 2)'

/// Values as PostgreSQL writes them, but for binary64 and booleans: the archive asks for text where that loses nothing.
const getTypeParser: ClientConfig['types'] = {
  getTypeParser: (id: number) => {
    if (id === types.builtins.FLOAT8 || id === types.builtins.INT4) return Number
    if (id === types.builtins.BOOL) return (text: string) => text === 't'
    return (text: string) => text
  },
}

function configOf(url: string, connectMs: number, timeoutMs: number): ClientConfig {
  return {
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    query_timeout: timeoutMs + 1000,
    statement_timeout: timeoutMs,
    idle_in_transaction_session_timeout: timeoutMs,
    keepAlive: true,
    application_name: 'volumer archive',
    types: getTypeParser,
    // Plans are short-lived and indexes in memory: neither compiling nor fear of random reads pays.
    options: `-c search_path=${SCHEMA} -c jit=off -c random_page_cost=1.1 -c timezone=UTC -c client_min_messages=warning`,
  }
}

export class WritingConnection implements Writing {
  readonly dialect = postgresDialect
  readonly client: Client
  #failed: unknown = null

  private constructor(client: Client) {
    this.client = client
    client.on('error', error => {
      this.#failed = error
    })
  }

  /// Connects, makes the schema where there is none, and this connection's temporary tables. Rejects with
  /// UnavailableError, or UnknownFormatError when the server or the archive is of a version that it does not know.
  static async open(url: string, { connectMs, writeMs }: Timeouts): Promise<WritingConnection> {
    const connection = new WritingConnection(new Client(configOf(url, connectMs, writeMs)))
    try {
      await connection.client.connect()
      await connection.#prepare()
      return connection
    } catch (error) {
      connection.abandon()
      throw portError(error)
    }
  }

  /// False after an error of the connection: open another.
  get usable(): boolean {
    return this.#failed === null
  }

  async #prepare(): Promise<void> {
    const [server] = await this.read(`SELECT current_setting('server_version_num')::integer,
      current_setting('server_version'), current_setting('server_encoding')`)
    if (Number(server?.[0]) < VERSION_MIN || server?.[2] !== 'UTF8') {
      throw new UnknownFormatError(
        `The archive wants PostgreSQL 15 or newer with databases in UTF8; this is ${server?.[1]} in ${server?.[2]}`,
      )
    }
    await this.transaction(async () => {
      await this.write(`SELECT ${LOCK_TABLES}`)
      const [there] = await this.read(`SELECT to_regclass('${SCHEMA}.archive_meta') IS NOT NULL`)
      if (there?.[0] !== true) await this.write(CREATE_SCHEMA)
    })
    const version = await versionOf(this)
    if (version !== SCHEMA_VERSION) {
      throw new UnknownFormatError(
        `The archive in PostgreSQL is of version ${version}; this program knows version ${SCHEMA_VERSION}`,
      )
    }
    await this.write(CREATE_TEMPORARY)
  }

  async write(sql: string, values: readonly string[] = []): Promise<void> {
    await this.read(sql, values)
  }

  async read(sql: string, values: readonly string[] = []): Promise<readonly Row[]> {
    return this.guard(async () => rowsOf(this.client, sql, values))
  }

  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.write('BEGIN')
    try {
      const result = await work()
      await this.write('COMMIT')
      return result
    } catch (error) {
      // Whether the connection can go on is not worth finding out: the next call makes another.
      this.#failed ??= error
      throw portError(error)
    }
  }

  async temporary(name: TemporaryName, query: string): Promise<void> {
    // Only names is filled twice in a transaction.
    if (name === 'names') await this.write('DELETE FROM names')
    await this.write(`INSERT INTO ${name} ${query}`)
  }

  /// The partitions there are.
  async partitions(): Promise<Partitions> {
    const rows = await this.read(`SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent IN (SELECT oid FROM pg_class WHERE relnamespace = '${SCHEMA}'::regnamespace AND relkind = 'p')`)
    return new Partitions(
      rows.map(([name]) => partitionNamed(String(name))).filter(partition => partition !== null),
    )
  }

  async guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw portError(error)
    }
  }

  /// Lets the connection go, in whatever state it is.
  abandon(): void {
    this.#failed ??= new Error('abandoned')
    void this.client.end().catch(() => {})
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => {})
  }
}

async function rowsOf(client: Client | PoolClient, text: string, values: readonly string[]): Promise<Row[]> {
  // Without values the simple protocol is used, which takes several statements: the last one's rows count.
  const result =
    values.length === 0
      ? await client.query<unknown[]>({ text, rowMode: 'array' })
      : await client.query<unknown[]>({ text, values: [...values], rowMode: 'array' })
  return Array.isArray(result) ? [] : result.rows
}

export class ReadingConnections {
  readonly #url: string
  readonly #pool: Pool

  readonly #timeouts: Timeouts
  readonly #makeSchema: () => Promise<void>

  /// `makeSchema` is called when the archive is not there yet.
  constructor(url: string, timeouts: Timeouts, makeSchema: () => Promise<void>) {
    this.#url = url
    this.#timeouts = timeouts
    this.#makeSchema = makeSchema
    const { connectMs, readMs } = timeouts
    this.#pool = new Pool({ ...configOf(url, connectMs, readMs), max: READERS, idleTimeoutMillis: 30_000 })
    // Of idle connections: the pool makes others.
    this.#pool.on('error', () => {})
  }

  /// Lets `work` read one state of the database. Rejects with BusyError when too many wait already.
  async snapshot<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    if (this.#pool.waitingCount >= WAITING_MAX) {
      throw new BusyError(`${WAITING_MAX} questions to the archive wait already`)
    }
    for (let tries = 1; ; tries++) {
      try {
        return await this.#once(work)
      } catch (error) {
        if (!isMissingTable(error) || tries === 3) throw portError(error)
        // A table of the past was dropped after it was looked up; or nobody has made the archive yet.
        if (tries === 2) await this.#makeSchema()
      }
    }
  }

  /// Like `snapshot`, on a connection of its own, for reading that takes long. The caller closes it.
  async openSnapshot(): Promise<PostgresSnapshot> {
    const client = new Client(configOf(this.#url, this.#timeouts.connectMs, this.#timeouts.scanMs))
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    } catch (error) {
      void client.end().catch(() => {})
      throw portError(error)
    }
    return new PostgresSnapshot(client)
  }

  async #once<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    let failed: Error | undefined
    const onError = (error: Error) => {
      failed = error
    }
    client.on('error', onError)
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      const result = await work(new PostgresSnapshot(client))
      await client.query('COMMIT')
      return result
    } catch (error) {
      failed ??= error instanceof Error ? error : new Error(String(error))
      throw error
    } finally {
      client.off('error', onError)
      client.release(failed)
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }
}

const isMissingTable = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '42P01'

export class PostgresSnapshot implements Reading {
  readonly dialect = postgresDialect
  readonly #client: Client | PoolClient

  constructor(client: Client | PoolClient) {
    this.#client = client
  }

  /// Of a snapshot with a connection of its own.
  async close(): Promise<void> {
    if (this.#client instanceof Client) await this.#client.end().catch(() => {})
  }

  async rows(sql: string, values: readonly string[] = []): Promise<readonly Row[]> {
    return rowsOf(this.#client, sql, values)
  }

  async *stream(sql: string): AsyncGenerator<readonly Row[]> {
    await this.#client.query(`DECLARE scanning NO SCROLL CURSOR FOR ${sql}`)
    try {
      for (;;) {
        const rows = await this.rows(`FETCH ${ROWS_PER_FETCH} FROM scanning`)
        if (rows.length === 0) break
        yield rows
      }
    } finally {
      // Whoever stops early may ask again. After an error there is nothing to close.
      await this.#client.query('CLOSE scanning').catch(() => {})
    }
  }

  async partitions(kind: PartitionKind, from: number, to: number): Promise<readonly number[]> {
    if (from >= to) return []
    const first = partitionName(kind, partitionOf(kind, from))
    const last = partitionName(kind, partitionOf(kind, Math.min(to - 1, TIME_MS_MAX)))
    const rows = await this.rows(`SELECT relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
      WHERE i.inhparent = '${kind}_rows'::regclass AND relname >= '${first}' AND relname <= '${last}' ORDER BY relname`)
    return rows.map(([name]) => partitionNamed(String(name))?.begins).filter(begins => begins !== undefined)
  }
}
