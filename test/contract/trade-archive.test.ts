import { after } from 'node:test'
import { DuckDbTradeArchive } from '../../src/adapters/duckdb/trade-archive.js'
import { MemoryTradeArchive } from '../../src/adapters/memory/trade-archive.js'
import { PostgresTradeArchive } from '../../src/adapters/postgres/trade-archive.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { PostgresServer, postgresPrograms } from './postgres-server.js'
import { scratchDirectory } from './scratch.js'
import { tradeArchiveContract } from './trade-archive.js'

tradeArchiveContract('memory', async () => ({
  durable: false,
  open: async ({ rules, limits }) => new MemoryTradeArchive(rules, limits),
}))

tradeArchiveContract('DuckDB', async t => {
  const directory = scratchDirectory(t)
  // Few rows, so that a rebuild sorts several times.
  const options = { directory, nextTurn, sortedRowsMax: 30 }
  return { durable: true, open: opening => DuckDbTradeArchive.open({ ...opening, ...options }) }
})

const programs = postgresPrograms()
if (programs !== null) {
  let server: Promise<PostgresServer> | null = null
  tradeArchiveContract('PostgreSQL', async () => {
    server ??= PostgresServer.start(programs)
    const url = await (await server).newDatabase()
    return {
      durable: true,
      open: async opening =>
        new PostgresTradeArchive({ ...opening, url, nextTurn, clock: new SystemClock() }),
    }
  })
  after(async () => (await server)?.stop('SIGQUIT'))
}
