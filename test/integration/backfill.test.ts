/// `volumer backfill` with real servers: a state that is lost, a new data directory, a window that is longer than the
/// retention was. What is served afterwards is what the client was promised, also while swaps go on coming and old ones
/// come again.

import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { PostgresServer, postgresPrograms } from '../contract/postgres-server.js'
import { Random, testSeed } from '../simulation/random.js'
import { load, serves, servesAtOnce, settle } from './client.js'
import { run } from './command.js'
import { Ledger } from './ledger.js'
import { Server } from './server.js'

/// Little is hot, so that most of the state is in parts.
const FLAGS = ['--checkpoint-interval', '200ms', '--archive-interval', '150ms', '--hot-range', '4m']

function place(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-backfill-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function serverOn(t: TestContext, data: string, flags: readonly string[]): Promise<Server> {
  const server = await Server.start(data, [...FLAGS, ...flags])
  t.after(() => server.kill())
  assert.ok(await server.ready(), server.output)
  return server
}

async function stop(server: Server): Promise<void> {
  server.signal('SIGTERM')
  assert.deepEqual(await server.exited, { code: 0, signal: null }, server.output)
}

async function loadFor(server: Server, ledger: Ledger, random: Random, ms: number): Promise<void> {
  const abort = new AbortController()
  const working = load(server, ledger, random, abort.signal)
  await pause(ms)
  abort.abort()
  await working
  await settle(server, ledger)
}

async function archived(server: Server): Promise<void> {
  for (let lag: unknown = null; lag !== 0; await pause(50)) {
    assert.ok(server.running, server.output)
    const status: unknown = await (await fetch(`${server.url}/v1/status`)).json()
    lag = Reflect.get(Object(Reflect.get(Object(status), 'archive')), 'lag')
  }
}

const programs = postgresPrograms()
const postgres = programs === null ? null : PostgresServer.start(programs)
after(async () => (await postgres)?.stop('SIGQUIT'))

for (const kind of programs === null ? (['duckdb'] as const) : (['duckdb', 'postgres'] as const)) {
  test(`${kind}: a new directory goes on where the archive ends, killed on the way`, async t => {
    const seed = testSeed()
    t.diagnostic(`VOLUMER_SEED=${seed}`)
    const random = new Random(seed)
    const ledger = new Ledger(random)
    const old = place(t)
    const archive = [
      '--archive',
      (await postgres)?.port && kind === 'postgres'
        ? ((await (await postgres)?.newDatabase()) ?? '')
        : 'duckdb',
    ]
    const first = await serverOn(t, old, archive)
    await loadFor(first, ledger, random, 2500)
    await serves(first, ledger)
    await archived(first)
    await stop(first)

    const fresh = place(t)
    if (kind === 'duckdb') cpSync(join(old, 'archive'), join(fresh, 'archive'), { recursive: true })
    const args = ['backfill', '--data', fresh, ...archive, '--hot-range', '4m']
    // Killed whenever it has begun: at a plan, within parts or deltas, or at the end.
    for (let kills = 0; kills < 4; kills++) {
      const { signal } = await run(args, async child => {
        const deadline = Date.now() + 20_000
        while (
          !existsSync(join(fresh, 'backfill', 'PLAN')) &&
          child.exitCode === null &&
          Date.now() < deadline
        ) {
          await pause(2)
        }
        await pause(random.below(60))
        child.kill('SIGKILL')
      })
      if (signal === null) break
    }
    const { code, output } = await run(args)
    assert.equal(code, 0, output)
    assert.match(output, /The state is that of offset [\d,]+; the next start goes on from there/)
    assert.equal(existsSync(join(fresh, 'backfill')), false)

    const second = await serverOn(t, fresh, archive)
    await servesAtOnce(second, ledger)
    // Old batches come again among the new ones: they count once.
    await loadFor(second, ledger, random, 1500)
    await serves(second, ledger)
    await stop(second)
    const third = await serverOn(t, fresh, archive)
    await servesAtOnce(third, ledger)
    t.diagnostic(`${ledger.acknowledgedSwaps} swaps`)
  })
}

test('a state that is rebuilt in place goes on with its log, from the archive’s end or from earlier', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const ledger = new Ledger(random)
  const data = place(t)
  const flags = ['--archive', 'duckdb']
  const first = await serverOn(t, data, flags)
  await loadFor(first, ledger, random, 1000)
  const middle = Date.now()
  await loadFor(first, ledger, random, 1000)
  // Locked while a server has it.
  const busy = await run(['backfill', '--data', data])
  assert.equal(busy.code, 3, busy.output)
  assert.match(busy.output, /Stop the server/)
  await first.kill()

  for (const to of [[], ['--to', String(middle)]]) {
    const { code, output } = await run(['backfill', '--data', data, '--hot-range', '4m', ...to])
    assert.equal(code, 0, output)
    const server = await serverOn(t, data, flags)
    await servesAtOnce(server, ledger)
    await loadFor(server, ledger, random, 300)
    await serves(server, ledger)
    await server.kill()
  }
})

test('a window that is longer than the retention was', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const data = place(t)
  const archive = ['--archive', 'duckdb', '--archive-retention', '7d']
  const short = ['--windows', '1m,5m', '--retention', '5m']
  const first = await serverOn(t, data, [...archive, ...short])
  const now = Date.now()
  // Time is log time's: what is four minutes old has left the windows a minute later, and is archived.
  const swapAt = (id: string, ageMs: number, usd: string) =>
    JSON.stringify({ id, time: now - ageMs, who: 'w', token: 'BTC', side: 'buy', amount: '1', usd })
  const body = [swapAt('a', 290_000, '100'), swapAt('b', 100_000, '10'), swapAt('c', 0, '1')].join('\n')
  const post = (url: string) =>
    fetch(`${url}/v1/trades`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${body}\n`,
    })
  assert.equal((await post(first.url)).status, 200)
  await archived(first)
  const volumes = async (server: Server) => Reflect.get(Object(await server.token('BTC')), 'volume')
  // Wait until the oldest has left the longest window.
  for (let m5: unknown = null; m5 !== '11'; await pause(100)) {
    m5 = Reflect.get(Object(await volumes(first)), 'm5')
    assert.ok(first.running && Date.now() - now < 60_000, String(m5))
  }
  await stop(first)

  const long = ['--windows', '1m,5m,1h,48h', '--retention', '48h']
  // Without it, the state has only what the short retention kept.
  const { code, output } = await run(['backfill', '--data', data, ...long])
  assert.equal(code, 0, output)
  const second = await serverOn(t, data, [...archive, ...long])
  const { h1, h48 }: { h1: unknown; h48: unknown } = Object(await volumes(second))
  assert.deepEqual([h1, h48], ['111', '111'])
  assert.equal((await post(second.url)).status, 200)
  await archived(second)
  assert.deepEqual(Reflect.get(Object(await volumes(second)), 'h48'), '111')
})

test('nothing to rebuild from, and what cannot be, are said', async t => {
  const data = place(t)
  const empty = await run(['backfill', '--data', data])
  assert.deepEqual([empty.code, /Nothing is archived/.test(empty.output)], [1, true], empty.output)
  const none = await run(['backfill', '--data', data, '--archive', 'none'])
  assert.deepEqual([none.code, /nothing to rebuild from/.test(none.output)], [2, true], none.output)
  const wrong = await run(['backfill', '--data', data, '--from', 'yesterday'])
  assert.deepEqual([wrong.code, /--from yesterday/.test(wrong.output)], [2, true], wrong.output)
  // An archive of another log.
  const other = place(t)
  const post = async (server: Server, ids: readonly string[]) => {
    const body = ids.map(id =>
      JSON.stringify({ id, time: Date.now(), who: 'w', token: 'T', side: 'buy', amount: '1', usd: '1' }),
    )
    const response = await fetch(`${server.url}/v1/trades`, {
      method: 'POST',
      body: `[${body.join(',')}]`,
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(response.status, 200)
    await archived(server)
    await stop(server)
  }
  await post(await serverOn(t, data, ['--archive', 'duckdb']), ['a', 'b', 'c'])
  await post(await serverOn(t, other, ['--archive', 'duckdb']), ['d'])
  rmSync(join(other, 'archive'), { recursive: true })
  cpSync(join(data, 'archive'), join(other, 'archive'), { recursive: true })
  const mixed = await run(['backfill', '--data', other])
  assert.deepEqual([mixed.code, /belongs to another trade log/.test(mixed.output)], [1, true], mixed.output)
  const untouched = await serverOn(t, other, ['--archive', 'none'])
  assert.notEqual(await untouched.token('T'), null)
})
