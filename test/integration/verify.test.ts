/// `volumer verify` against real servers: it finds nothing where nothing is wrong, also while swaps go on coming, and it finds
/// a swap that was changed behind the server's back.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { Random, testSeed } from '../simulation/random.js'
import { load, settle } from './client.js'
import { Ledger } from './ledger.js'
import { cleanEnvironment, type Server, serversOnOneDirectory } from './server.js'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')
const FLAGS = ['--archive', 'duckdb', '--archive-interval', '200ms']

async function verify(
  server: Server,
  ...args: readonly string[]
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [MAIN, 'verify', '--url', server.url, ...args], {
    env: cleanEnvironment(),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const code = await new Promise<number | null>(done => child.on('close', done))
  return { code, output }
}

/// Dated three seconds ahead: early for a tolerance of a millisecond.
const ahead = (id: string): object => {
  return { id, time: Date.now() + 3000, who: 'w', token: 'EARLY', side: 'buy', amount: '1', usd: '1' }
}

/// Posts swaps, and waits until they count.
async function post(server: Server, swaps: readonly object[]): Promise<void> {
  const response = await fetch(`${server.url}/v1/trades`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(swaps),
  })
  assert.equal(response.status, 200)
  for (let counted = 0; counted < swaps.length; ) {
    await new Promise(done => setTimeout(done, 50))
    const stats: unknown = await server.token('EARLY')
    const day: unknown = Reflect.get(Object(Reflect.get(Object(stats), 'txns')), 'h24')
    counted = Number(Reflect.get(Object(day), 'total') ?? 0)
  }
}

async function stop(server: Server): Promise<void> {
  server.signal('SIGTERM')
  assert.deepEqual(await server.exited, { code: 0, signal: null }, server.output)
}

/// Changes one swap of the token in every hour of the archive.
async function plant(data: string, token: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(data, 'archive', 'archive.duckdb'))
  const db = await instance.connect()
  const tables = await db.runAndReadAll(
    `SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'trades_%'`,
  )
  for (const [table] of tables.getRows()) {
    await db.run(`UPDATE ${table} SET usd = usd + 1 WHERE log_offset = (SELECT max(log_offset) FROM ${table}
      WHERE token_id = (SELECT token_id FROM tokens WHERE token = '${token}'))`)
  }
  db.closeSync()
  instance.closeSync()
}

test('what is served is what the archive’s swaps come to, until one of them is changed', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const ledger = new Ledger(random)
  const { data, start } = serversOnOneDirectory(t, FLAGS)
  const server = await start()
  assert.ok(await server.ready(), server.output)
  const abort = new AbortController()
  const working = load(server, ledger, random, abort.signal)
  while (ledger.acknowledgedSwaps < 2000) await new Promise(done => setImmediate(done))
  const during = await verify(server, ...ledger.tokens)
  const fromLog = await verify(server, ...ledger.tokens, '--from-log', '--data', data)
  abort.abort()
  await working
  assert.equal(during.code, 0, during.output)
  assert.equal(fromLog.code, 0, fromLog.output)
  assert.match(fromLog.output, /^10 tokens, [\d,]+ swaps: everything/)
  assert.match(during.output, /^10 tokens, [\d,]+ swaps: everything that is served is what was counted\.\n$/)
  await settle(server, ledger)
  const after = await verify(server, '--top', '3')
  assert.equal(after.code, 0, after.output)
  assert.match(after.output, /^3 tokens/)
  const unknown = await verify(server, 'NOBODY')
  assert.deepEqual([unknown.code, /NOBODY/.test(unknown.output)], [1, true], unknown.output)
  await stop(server)

  await plant(data, 'ETH')
  const planted = await start()
  assert.ok(await planted.ready(), planted.output)
  const found = await verify(planted, 'BTC', 'ETH')
  assert.equal(found.code, 1, found.output)
  const volume = /DIFFERENT "ETH" volume\.h24: served "([\d.]+)", counted "([\d.]+)"/.exec(found.output)
  assert.ok(volume !== null, found.output)
  const micro = (text = '') => Math.round(Number(text) * 1e6)
  const tables = (micro(volume[2]) - micro(volume[1])) / 1e6
  assert.ok(Number.isInteger(tables) && tables >= 1, found.output)
  assert.doesNotMatch(found.output, /DIFFERENT "BTC"|txns/)
  assert.match(found.output, /2 tokens, [\d,]+ swaps: [\d,]+ values differ\.\n$/)
  const other = await verify(planted, 'BTC')
  assert.equal(other.code, 0, other.output)
  // The log is as it was. Other rules than the server's make it count otherwise.
  const log = ['--from-log', '--data', data]
  const right = await verify(planted, 'BTC', 'ETH', ...log)
  assert.equal(right.code, 0, right.output)
  const short = ['--retention', '24h', '--early-tolerance', '1ms', '--dedupe-horizon', '1h']
  await post(planted, [ahead('e1'), ahead('e2')])
  const wrong = await verify(planted, 'EARLY', ...log, ...short)
  assert.equal(wrong.code, 1, wrong.output)
  assert.match(wrong.output, /DIFFERENT "EARLY" txns\.m1: served \{"buys":2,.*counted/)
})

test('without an archive there is nothing to count from', async t => {
  const { start } = serversOnOneDirectory(t, ['--archive', 'none'])
  const server = await start()
  assert.ok(await server.ready(), server.output)
  const random = new Random(1)
  const ledger = new Ledger(random)
  ledger.newBatch(Date.now())
  await settle(server, ledger)
  const { code, output } = await verify(server)
  assert.deepEqual([code, /keeps no archive to count from/.test(output)], [1, true], output)
})
