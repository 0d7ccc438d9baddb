/// Nothing is lost and nothing counts twice, whatever happens to the process: a real server under load, killed with
/// SIGKILL at random moments, also while it starts, and restarted on the same data. The producer keeps its own ledger
/// of what was acknowledged, and sends again what was not, so that duplicates are frequent.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Random, testSeed } from '../simulation/random.js'
import { eventually } from '../wait/eventually.js'
import { load, serves, servesAcknowledged, servesAtOnce, settle } from './client.js'
import { Ledger } from './ledger.js'
import { type Server, serversOnOneDirectory } from './server.js'

const ROUNDS = Number(process.env.VOLUMER_KILL_ROUNDS ?? 30)
// Checkpoints, sealed slices and restores are then as frequent as kills.
const FLAGS = ['--checkpoint-interval', '200ms', '--hot-range', '5m']

test(`${ROUNDS} rounds of SIGKILL at random moments lose nothing and count nothing twice`, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const ledger = new Ledger(random)
  const { start } = serversOnOneDirectory(t, FLAGS)
  let killedInStart = 0
  for (let round = 0; round < ROUNDS; round++) {
    const server = await start()
    if (random.chance(0.25)) {
      await Promise.race([pause(random.below(400)), server.exited])
      await server.kill()
      killedInStart++
      continue
    }
    assert.ok(await server.ready(), `round ${round}: the server ended instead of starting:\n${server.output}`)
    await servesAcknowledged(server, ledger)
    const working = load(server, ledger, random, t.signal)
    await Promise.race([pause(random.between(30, 1200)), server.exited])
    assert.ok(server.running, `round ${round}: the server ended under load:\n${server.output}`)
    await server.kill()
    await working
  }

  const server = await start()
  assert.ok(await server.ready(), server.output)
  await servesAcknowledged(server, ledger)
  await settle(server, ledger)
  await serves(server, ledger)
  assert.ok(ledger.acknowledgedSwaps > 1000, `only ${ledger.acknowledgedSwaps} swaps were acknowledged`)
  t.diagnostic(
    `${ledger.acknowledgedSwaps} swaps acknowledged; ${killedInStart} of ${ROUNDS} kills hit the start`,
  )

  // And once more, from what is on disk alone.
  await server.kill()
  const last = await start()
  assert.ok(await last.ready(), last.output)
  await servesAtOnce(last, ledger)
})

test('SIGTERM drains within 5 s, exits 0 and loses nothing', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const ledger = new Ledger(random)
  const { start } = serversOnOneDirectory(t, FLAGS)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) {
    const server = await start()
    assert.ok(await server.ready(), server.output)
    const working = load(server, ledger, random, t.signal)
    await Promise.race([pause(random.between(300, 900)), server.exited])
    const asked = Date.now()
    server.signal(signal)
    const exit = await server.exited
    const drainMs = Date.now() - asked
    await working
    assert.deepEqual(exit, { code: 0, signal: null }, server.output)
    assert.ok(drainMs <= 5000, `${signal}: the drain took ${drainMs} ms`)
    t.diagnostic(`${signal}: drained in ${drainMs} ms`)
  }
  const server = await start()
  assert.ok(await server.ready(), server.output)
  await servesAcknowledged(server, ledger)
  await settle(server, ledger)
  await serves(server, ledger)
  assert.ok(ledger.acknowledgedSwaps > 100, `only ${ledger.acknowledgedSwaps} swaps were acknowledged`)
})

test('a second process on the same data directory is refused', async t => {
  const random = new Random(testSeed())
  const ledger = new Ledger(random)
  const { start, data } = serversOnOneDirectory(t, FLAGS)
  const first = await start()
  assert.ok(await first.ready(), first.output)
  ledger.newBatch(Date.now())
  await settle(first, ledger)

  const second = await start()
  assert.deepEqual(await second.exited, { code: 3, signal: null }, second.output)
  assert.ok(second.output.includes(data), `the message names the directory:\n${second.output}`)

  await serves(first, ledger)
  // The lock is the process's: it does not outlive a kill.
  await first.kill()
  const third = await start()
  assert.ok(await third.ready(), third.output)
  await servesAtOnce(third, ledger)
})

test('fates by token are those of before a kill', async t => {
  const { start } = serversOnOneDirectory(t, FLAGS)
  const first = await start()
  assert.ok(await first.ready(), first.output)
  const now = Date.now()
  const swap = { time: now, who: 'ann', token: 'BTC', side: 'buy', amount: '1', usd: '2' }
  const sent = [
    { ...swap, id: 'a' },
    { ...swap, id: 'a' },
    { ...swap, id: 'b' },
    { ...swap, id: 'b', usd: '3' },
    { ...swap, id: 'c', time: now - 25 * 3_600_000 },
  ]
  const send = async ({ url }: Server) => {
    const body = JSON.stringify(sent)
    const headers = { 'content-type': 'application/json' }
    assert.equal((await fetch(`${url}/v1/trades`, { method: 'POST', headers, body })).status, 200)
  }
  const fates = async ({ url }: Server): Promise<{ since: number; fates: unknown }> =>
    JSON.parse(await (await fetch(`${url}/v1/tokens/BTC/fates`)).text())
  await send(first)
  const once = { accepted: 2, duplicate: 2, late: 1, early: 0, conflict: 1 }
  await eventually(async () => assert.deepEqual((await fates(first)).fates, once))
  const { since } = await fates(first)
  await first.kill()

  const second = await start()
  assert.ok(await second.ready(), second.output)
  const after = await fates(second)
  assert.deepEqual([after.since, after.fates], [since, once])
  await send(second)
  const twice = { accepted: 2, duplicate: 6, late: 2, early: 0, conflict: 2 }
  await eventually(async () => assert.deepEqual((await fates(second)).fates, twice))
})
