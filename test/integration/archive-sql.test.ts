/// What people do with the archive themselves: the SQL of README.md and docs/formats/archive.md runs on both databases, and
/// `volumer export` writes Parquet from a running server, from a DuckDB that nobody has open, and from PostgreSQL.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { DuckDbTradeArchive } from '../../src/adapters/duckdb/trade-archive.js'
import { PostgresTradeArchive } from '../../src/adapters/postgres/trade-archive.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import type { TradeArchive } from '../../src/ports/trade-archive.js'
import { ARCHIVE_RULES, BOUNDLESS, swap, Writer } from '../contract/archive-writer.js'
import { PostgresServer, postgresPrograms } from '../contract/postgres-server.js'
import { cleanEnvironment, Server } from './server.js'

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..')
const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')
const MINUTE = 60_000
const HOUR = 60 * MINUTE

/// Some hours up to now: BTC in each minute, ETH now and then.
function someSwaps(now: number) {
  return Array.from({ length: 400 }, (_, i) =>
    swap(`id${i}`, now - i * MINUTE, {
      token: i % 3 === 0 ? 'ETH' : 'BTC',
      who: `trader ${i % 17}`,
      side: i % 2 === 0 ? 'buy' : 'sell',
      usd: `${100 + i}.25`,
      block: i,
    }),
  )
}

async function fill(archive: TradeArchive, now: number): Promise<void> {
  await new Writer(archive).swaps(now, ...someSwaps(now))
  await archive.maintain(0, (await archive.summary()).tradesFrom)
}

/// The statements of the ```sql blocks of a document.
function statementsOf(document: string): string[] {
  const text = readFileSync(join(ROOT, document), 'utf8')
  return [...text.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
    block
      .split(/;\s*$/m)
      .map(statement => statement.trim())
      .filter(statement => statement !== ''),
  )
}

const DOCUMENTS = ['README.md', 'docs/formats/archive.md']

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-sql-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function duckDb<T>(
  path: string,
  work: (rows: (sql: string) => Promise<unknown[][]>) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  try {
    return await work(async sql => (await connection.runAndReadAll(sql)).getRowsJS())
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

test('the documents’ SQL runs on DuckDB and finds something', async t => {
  const directory = scratch(t)
  const archive = await DuckDbTradeArchive.open({
    directory,
    rules: ARCHIVE_RULES,
    limits: BOUNDLESS,
    nextTurn,
  })
  await fill(archive, Date.now())
  await archive.close()
  const statements = DOCUMENTS.map(statementsOf)
  assert.ok((statements[0]?.length ?? 0) >= 3, 'README shows three queries')
  await duckDb(join(directory, 'archive.duckdb'), async rows => {
    for (const statement of statements.flat()) {
      const found = await rows(statement)
      assert.ok(found.length > 0, statement)
    }
  })
})

interface Ran {
  readonly code: number | null
  readonly output: string
}

function volumer(...words: readonly string[]): Promise<Ran> {
  return new Promise(done => {
    const child = execFile(
      process.execPath,
      [MAIN, ...words],
      { env: cleanEnvironment(), cwd: tmpdir() },
      (_, stdout, stderr) => done({ code: child.exitCode, output: `${stdout}${stderr}` }),
    )
  })
}

async function parquetHas(directory: string, expected: number): Promise<void> {
  const files = readdirSync(directory)
  assert.ok(
    files.every(file => /^trades_\d{10}\.parquet$/.test(file)),
    files.join(' '),
  )
  const [row] = await duckDb(':memory:', rows =>
    rows(`SELECT count(*)::INTEGER, count(DISTINCT id)::INTEGER, typeof(any_value(usd)), typeof(any_value("time")),
        count(*) FILTER (side = 'buy' AND token = 'ETH' AND price = usd / amount)::INTEGER
      FROM '${directory}/*.parquet'`),
  )
  const ethBuys = someSwaps(0)
    .slice(0, expected)
    .filter(({ token, side }) => token === 'ETH' && side === 'buy').length
  assert.deepEqual(row, [expected, expected, 'DECIMAL(18,6)', 'TIMESTAMP', ethBuys])
}

test('volumer export: from a running server, from the file, and what it says when it cannot', async t => {
  const data = scratch(t)
  const out = join(data, 'out')
  const server = await Server.start(data, ['--archive', 'duckdb', '--archive-interval', '100ms'])
  t.after(() => server.kill())
  assert.ok(await server.ready(), server.output)
  const now = Date.now()
  const response = await fetch(`${server.url}/v1/trades`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: someSwaps(now)
      .map(each => JSON.stringify(each))
      .join('\n'),
  })
  assert.equal(response.status, 200)
  const deadline = Date.now() + 20_000
  for (;;) {
    const status: { archive: { lag: number } } = JSON.parse(
      await (await fetch(`${server.url}/v1/status`)).text(),
    )
    if (status.archive.lag === 0) break
    assert.ok(Date.now() < deadline, server.output)
  }

  const locked = await volumer('export', '--data', data, '--out', out)
  assert.equal(locked.code, 3, locked.output)
  assert.match(locked.output, /--url http/)
  const live = await volumer('export', '--url', server.url, '--out', out)
  assert.equal(live.code, 0, live.output)
  assert.match(live.output, /400 swaps in [78] files/)
  await parquetHas(out, 400)

  // The answer can be sent again as it is: each swap counts once.
  const dump = await (await fetch(`${server.url}/v1/trades?from=${now - HOUR}`)).text()
  const again = await fetch(`${server.url}/v1/trades`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: dump,
  })
  assert.deepEqual(await again.json(), { appended: 61, invalid: [] })

  server.signal('SIGTERM')
  await server.exited
  rmSync(out, { recursive: true })
  const from = new Date(now - 99 * MINUTE).toISOString()
  const file = await volumer('export', '--data', data, '--out', out, '--from', from)
  assert.equal(file.code, 0, file.output)
  await parquetHas(out, 100)

  for (const [words, code, message] of [
    [['--archive', 'none'], 2, /no archive/],
    [['--url', server.url], 1, /cannot be reached/],
    [['--from', 'yesterday'], 2, /--from yesterday: wants/],
  ] as const) {
    const wrong = await volumer('export', '--data', data, '--out', out, ...words)
    assert.equal(wrong.code, code, wrong.output)
    assert.match(wrong.output, message)
  }
})

const programs = postgresPrograms()
if (programs !== null) {
  const postgres = PostgresServer.start(programs)
  after(async () => (await postgres).stop('SIGQUIT'))

  test('the documents’ SQL runs on PostgreSQL too, and volumer export reads it', async t => {
    const server = await postgres
    const url = await server.newDatabase()
    const clock = new SystemClock()
    const archive = new PostgresTradeArchive({
      url,
      rules: ARCHIVE_RULES,
      limits: BOUNDLESS,
      clock,
      nextTurn,
    })
    await fill(archive, Date.now())
    await archive.close()
    const database = new URL(url).pathname.slice(1)
    for (const statement of DOCUMENTS.flatMap(statementsOf)) {
      const found = await server.query(
        database,
        `SET search_path = volumer; SET timezone = 'UTC'; ${statement}`,
      )
      assert.ok(found.length > 0, statement)
    }
    const out = join(scratch(t), 'out')
    const exported = await volumer('export', '--archive', url, '--out', out)
    assert.equal(exported.code, 0, exported.output)
    await parquetHas(out, 400)
  })
}
