/// The whole program on Kafka under load, with the server and the broker killed in turn: what was acknowledged counts
/// once, and what is served agrees with the producer's ledger.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { load, serves, servesAcknowledged, servesAtOnce, settle } from '../integration/client.js'
import { Ledger } from '../integration/ledger.js'
import { serversOnOneDirectory } from '../integration/server.js'
import { Random, testSeed } from '../simulation/random.js'
import { ownCluster } from './broker.js'

const ROUNDS = Number(process.env.VOLUMER_KILL_ROUNDS ?? 6)

test(`${ROUNDS} rounds of SIGKILL to server and broker lose nothing and count nothing twice`, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const brokers = await ownCluster({ brokers: 1 })
  const ledger = new Ledger(random)
  const { start } = serversOnOneDirectory(t, [
    ...['--kafka', brokers.bootstrap(), '--checkpoint-interval', '200ms', '--hot-range', '5m'],
  ])
  for (let round = 0; round < ROUNDS; round++) {
    const server = await start()
    assert.ok(await server.ready(), `round ${round}: the server ended instead of starting:\n${server.output}`)
    await servesAcknowledged(server, ledger)
    const working = load(server, ledger, random, t.signal)
    await Promise.race([pause(random.between(30, 1200)), server.exited])
    if (round % 2 === 1) {
      await brokers.nodes[0]?.kill()
      // Sometimes the server goes while there is no broker, sometimes it sees the broker come back.
      if (random.chance(0.5)) await server.kill()
      brokers.restart(0)
      await brokers.ready()
      await Promise.race([pause(random.between(30, 1200)), server.exited])
    }
    assert.ok(server.running || round % 2 === 1, `round ${round}: the server ended:\n${server.output}`)
    await server.kill()
    await working
  }

  const server = await start()
  assert.ok(await server.ready(), server.output)
  await servesAcknowledged(server, ledger)
  await settle(server, ledger)
  await serves(server, ledger)
  assert.ok(ledger.acknowledgedSwaps > 500, `only ${ledger.acknowledgedSwaps} swaps were acknowledged`)
  t.diagnostic(`${ledger.acknowledgedSwaps} swaps acknowledged`)

  // And once more, from what is stored alone.
  server.signal('SIGTERM')
  assert.deepEqual(await server.exited, { code: 0, signal: null }, server.output)
  const last = await start()
  assert.ok(await last.ready(), last.output)
  await servesAtOnce(last, ledger)
})
