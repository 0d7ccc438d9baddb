/// The archive of a real server under load: killed at random moments with its DuckDB, and with a PostgreSQL that is killed,
/// halted and away. Nobody who posts notices, and in the end every acknowledged swap is archived once, with exact candles.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { type CandlesUpdate, VolumerClient } from '../../src/client/client.js'
import { CANDLE_INTERVALS } from '../../src/core/candles.js'
import { PostgresServer, postgresPrograms } from '../contract/postgres-server.js'
import { decimal, fixed } from '../simulation/model.js'
import { Random, testSeed } from '../simulation/random.js'
import { load, settle } from './client.js'
import { type Day, Ledger } from './ledger.js'
import { Server } from './server.js'

const ROUNDS = Number(process.env.VOLUMER_ARCHIVE_ROUNDS ?? 8)
const DAY = 86_400_000
const FLAGS = ['--checkpoint-interval', '200ms', '--archive-interval', '150ms']

function setUp(t: TestContext, flags: readonly string[]) {
  const data = mkdtempSync(join(tmpdir(), 'volumer-archive-'))
  const servers: Server[] = []
  t.after(async () => {
    await Promise.all(servers.map(server => server.kill()))
    rmSync(data, { recursive: true, force: true })
  })
  return async () => {
    const server = await Server.start(data, [...FLAGS, ...flags])
    servers.push(server)
    assert.ok(await server.ready(), server.output)
    return server
  }
}

async function json(server: Server, path: string): Promise<unknown> {
  const response = await fetch(`${server.url}${path}`)
  const body: unknown = await response.json()
  assert.equal(response.status, 200, `${path}: ${JSON.stringify(body)}`)
  return body
}

const field = (value: unknown, name: string): unknown => Reflect.get(Object(value), name)

function listOf(value: unknown): unknown[] {
  assert.ok(Array.isArray(value))
  return value
}

/// Waits until everything in the log is archived.
async function archived(server: Server): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const archive = field(await json(server, '/v1/status'), 'archive')
    if (field(archive, 'lag') === 0) return
    assert.ok(Date.now() < deadline, `not archived in time: ${JSON.stringify(archive)}\n${server.output}`)
    await pause(50)
  }
}

/// A token's day from the archive, page by page; amounts and counts as the ledger has them.
async function dayOf(server: Server, token: string): Promise<Day | null> {
  const ids = new Set<string>()
  const sums = { buy: 0n, sell: 0n, atto: 0n, largest: 0n }
  const who: Record<string, Set<string>> = { buy: new Set(), sell: new Set() }
  const counts: Record<string, number> = { buy: 0, sell: 0 }
  for (let cursor: unknown = ''; cursor !== null; ) {
    const query = `limit=1000${cursor === '' ? '' : `&cursor=${cursor}`}`
    const page = await json(server, `/v1/tokens/${encodeURIComponent(token)}/trades?${query}`)
    for (const trade of listOf(field(page, 'trades'))) {
      const id = String(field(trade, 'id'))
      assert.ok(!ids.has(id), `${id} is archived twice`)
      ids.add(id)
      const side = field(trade, 'side') === 'buy' ? 'buy' : 'sell'
      const usd = fixed(String(field(trade, 'usd')), 6)
      sums[side] += usd
      sums.atto += fixed(String(field(trade, 'amount')), 18)
      if (usd > sums.largest) sums.largest = usd
      counts[side] = (counts[side] ?? 0) + 1
      who[side]?.add(String(field(trade, 'who')))
    }
    cursor = field(page, 'cursor')
  }
  if (ids.size === 0) return null
  const buyers = who.buy ?? new Set()
  const sellers = who.sell ?? new Set()
  return {
    volume: decimal(sums.buy + sums.sell, 6),
    buyVolume: decimal(sums.buy, 6),
    sellVolume: decimal(sums.sell, 6),
    amount: decimal(sums.atto, 18),
    txns: {
      buys: counts.buy ?? 0,
      sells: counts.sell ?? 0,
      total: ids.size,
      buyers: buyers.size,
      sellers: sellers.size,
      traders: new Set([...buyers, ...sellers]).size,
    },
    largestTrade: decimal(sums.largest, 6),
  }
}

/// The archive has exactly what the ledger knows; its candles have the same sums.
async function hasAll(server: Server, ledger: Ledger): Promise<void> {
  await archived(server)
  for (const token of ledger.tokens) {
    const expected = ledger.day(token)
    assert.deepEqual(await dayOf(server, token), expected, token)
    for (const interval of ['1m', '1h', '1d']) {
      const intervals = { '1m': 60_000, '1h': 3_600_000, '1d': DAY }[interval] ?? DAY
      const to = Date.now() + DAY
      const from = to - Math.min(5000 * intervals, 30 * DAY)
      const path = `/v1/tokens/${encodeURIComponent(token)}/candles?interval=${interval}&from=${from}&to=${to}`
      const candles = listOf(field(await json(server, path), 'candles'))
      const total = candles.reduce<bigint>((sum, each) => sum + fixed(String(field(each, 'volume')), 6), 0n)
      const buys = candles.reduce<number>((sum, each) => sum + Number(field(each, 'buys')), 0)
      assert.deepEqual([decimal(total, 6), buys], [expected?.volume ?? '0', expected?.txns.buys ?? 0], path)
    }
  }
}

test(`DuckDB: ${ROUNDS} rounds of SIGKILL, and the archive has every swap once`, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const ledger = new Ledger(random)
  const start = setUp(t, ['--archive', 'duckdb'])
  for (let round = 0; round < ROUNDS; round++) {
    const server = await start()
    const working = load(server, ledger, random, t.signal)
    await Promise.race([pause(random.between(100, 1500)), server.exited])
    assert.ok(server.running, `round ${round}: the server ended under load:\n${server.output}`)
    await server.kill()
    await working
  }
  const server = await start()
  await settle(server, ledger)
  await hasAll(server, ledger)
  t.diagnostic(`${ledger.acknowledgedSwaps} swaps`)
  const asked = Date.now()
  server.signal('SIGTERM')
  assert.deepEqual(await server.exited, { code: 0, signal: null }, server.output)
  assert.ok(Date.now() - asked < 5000)
  await hasAll(await start(), ledger)
})

test('candles are live: what a client is left with is what REST answers', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const ledger = new Ledger(random)
  // Who follows candles is what makes swaps be archived at all.
  const server = await setUp(t, ['--archive', 'duckdb', '--archive-interval', '1h'])()
  const client = new VolumerClient({ url: server.url, WebSocket })
  t.after(() => client.close())
  const newest = new Map<string, CandlesUpdate>()
  for (const token of ledger.tokens.slice(0, 5)) {
    for (const interval of ['1s', '1m', '1h'] as const) {
      const want = { channel: 'candles', token, interval, limit: 200, mode: 'delta' } as const
      client.subscribe(want, update => newest.set(`${token} ${interval}`, update))
    }
  }
  const abort = new AbortController()
  const working = load(server, ledger, random, abort.signal)
  const volumes = () => [...newest.values()].filter(({ candles }) => candles.length > 0).length
  while (volumes() < 10) await pause(50)
  abort.abort()
  await working
  await settle(server, ledger)
  await archived(server)
  const deadline = Date.now() + 20_000
  for (const { token, interval } of [...newest.values()]) {
    for (;;) {
      const { from = 0, candles } = newest.get(`${token} ${interval}`) ?? {}
      const path = `/v1/tokens/${encodeURIComponent(token)}/candles?interval=${interval}&from=${from}&to=${from + 1000 * CANDLE_INTERVALS[interval]}`
      const answer = field(await json(server, path), 'candles')
      if (JSON.stringify(candles) === JSON.stringify(answer)) break
      if (Date.now() > deadline) assert.deepEqual(candles, answer, `${token} ${interval}`)
      await pause(50)
    }
  }
})

test('an archive that cannot be opened says what is safe and what to do', async t => {
  const data = mkdtempSync(join(tmpdir(), 'volumer-archive-'))
  t.after(() => rmSync(data, { recursive: true, force: true }))
  const first = await Server.start(data, ['--archive', 'duckdb'])
  t.after(() => first.kill())
  assert.ok(await first.ready(), first.output)
  first.signal('SIGTERM')
  await first.exited
  writeFileSync(join(data, 'archive', 'archive.duckdb'), 'x'.repeat(5000))
  const second = await Server.start(data, ['--archive', 'duckdb'])
  assert.deepEqual(await second.exited, { code: 4, signal: null }, second.output)
  assert.match(second.output, /archive\.duckdb is damaged.*\n.*\n.*Move .*archive\.duckdb away/)
  const third = await Server.start(data, ['--archive', 'none'])
  t.after(() => third.kill())
  assert.ok(await third.ready(), 'the rest is not affected')
})

const programs = postgresPrograms()
if (programs !== null) {
  const postgres = PostgresServer.start(programs)
  after(async () => (await postgres).stop('SIGQUIT'))

  test('PostgreSQL: killed, halted, away, and the server too: nobody waits, and every swap is archived once', async t => {
    const seed = testSeed()
    t.diagnostic(`VOLUMER_SEED=${seed}`)
    const random = new Random(seed)
    const ledger = new Ledger(random)
    const database = await postgres
    const start = setUp(t, ['--archive', await database.newDatabase()])
    let server = await start()
    const during = async (ms: number, what: string) => {
      const before = ledger.acknowledgedSwaps
      const abort = new AbortController()
      const working = load(server, ledger, random, abort.signal)
      await pause(ms)
      abort.abort()
      await working
      assert.ok(ledger.acknowledgedSwaps > before, `swaps are taken ${what}`)
    }
    await during(500, 'at the start')
    await database.stop('SIGKILL')
    await during(1000, 'while PostgreSQL is gone')
    assert.match(server.output, /Nothing is archived for now/)
    await server.kill()
    server = await start()
    await during(500, 'by a server that has never seen PostgreSQL')
    await database.run()
    await during(1500, 'when it is back')
    database.signalAll('SIGSTOP')
    await during(1000, 'while PostgreSQL is halted')
    const { status } = await fetch(`${server.url}/v1/tokens/BTC`)
    assert.equal(status, 200)
    database.signalAll('SIGCONT')
    await during(300, 'when it goes on')
    await settle(server, ledger)
    await hasAll(server, ledger)
    await database.stop('SIGINT')
    const away = await fetch(`${server.url}/v1/tokens/BTC/trades`)
    assert.deepEqual([away.status, away.headers.get('retry-after')], [503, '2'])
    server.signal('SIGTERM')
    assert.deepEqual(await server.exited, { code: 0, signal: null }, server.output)
    t.diagnostic(`${ledger.acknowledgedSwaps} swaps`)
  })
}
