/// A cluster on three brokers, each of which is killed in turn under load: leaders, the coordinator of the group and controllers move,
/// and every web serves exactly what was acknowledged.
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Random, testSeed } from '../simulation/random.js'
import { ownCluster } from './broker.js'
import { Fleet } from './fleet/fleet.js'

const ROUNDS = Number(process.env.VOLUMER_CHAOS_ROUNDS ?? 1)

test('one of three brokers is killed, each in turn: nothing is lost, and nothing counts twice', {
  timeout: 120_000 + ROUNDS * 300_000,
}, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const brokers = await ownCluster({ brokers: 3 })
  const fleet = new Fleet(t, brokers.bootstrap(), random)
  await fleet.roller()
  await fleet.roller()
  await fleet.web()
  await fleet.ready()
  for (let round = 0; round < ROUNDS; round++) {
    for (const index of random.shuffled([0, 1, 2])) {
      await fleet.underLoad(async () => {
        await brokers.nodes[index]?.kill()
        await pause(random.between(3000, 8000))
      })
      await fleet.agree(`broker ${index + 1} was killed`)
      brokers.restart(index)
      await brokers.ready()
    }
  }
  t.diagnostic(`${fleet.ledger.acknowledgedSwaps} swaps acknowledged`)
})
