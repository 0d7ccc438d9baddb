/// A cluster on three brokers, one of which is killed under load: leaders, the coordinator of the group and the controller may all have been
/// there. Swaps are acknowledged by the two that are left, and every web serves exactly what was acknowledged.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { metadataV12 } from '@platformatic/kafka'
import type { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import { Random, testSeed } from '../simulation/random.js'
import { eventually, until } from '../wait/eventually.js'
import { ownCluster } from './broker.js'
import { connect } from './connect.js'
import { AGREE_MS, Fleet } from './fleet/fleet.js'

/// How often each broker is killed; one of them, once, when it is not set.
const ROUNDS = Number(process.env.VOLUMER_CHAOS_ROUNDS ?? 0)
const BROKERS = [0, 1, 2]
const PARTITIONS = 4
/// More than the broker's own limit (tools/kafka/cluster.ts), whose error has its log.
const BROKER_MS_MAX = 90_000

test(`of three brokers ${ROUNDS > 0 ? `each is killed ${ROUNDS} times` : 'one is killed'} under load: nothing is lost, and nothing counts twice`, {
  timeout: 300_000 + ROUNDS * 600_000,
}, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const brokers = await ownCluster({ brokers: 3 })
  const fleet = new Fleet(t, brokers.bootstrap(), random, () => brokers.lastLines())
  await fleet.roller()
  await fleet.web()
  await fleet.ready()
  const { cluster } = await connect(t, brokers.bootstrap())
  const before = await partitionsOf(cluster)
  assert.deepEqual(
    before.map(({ replicas, inSync }) => [replicas, inSync]),
    Array(PARTITIONS).fill([3, 3]),
  )

  for (const index of Array.from({ length: Math.max(1, ROUNDS) }, () => random.shuffled(BROKERS)).flat()) {
    const killed = index + 1
    const led = (await partitionsOf(cluster)).filter(({ leader }) => leader === killed).length
    const began = Date.now()
    await fleet.underLoad(async () => {
      await pause(random.between(500, 1500))
      await brokers.nodes[index]?.kill()
      const moved = eventually(async () => {
        const partitions = await partitionsOf(cluster)
        assert.deepEqual(
          partitions.map(({ leader, inSync }) => [leader >= 1 && leader !== killed, inSync]),
          Array(PARTITIONS).fill([true, 2]),
        )
      }, AGREE_MS)
      await fleet.step(`the other two lead all partitions`, moved, 2 * AGREE_MS)
      const before = fleet.ledger.acknowledgedSwaps
      const acknowledged = until(() => fleet.ledger.acknowledgedSwaps > before + 1000, 'swaps', AGREE_MS)
      await fleet.step('swaps are acknowledged by the other two', acknowledged, 2 * AGREE_MS)
    })
    const over = Date.now()
    await fleet.agree(`broker ${killed} was killed`)
    const took = `${over - began} ms, agreed after ${Date.now() - over} ms`
    t.diagnostic(
      `broker ${killed} led ${led} of ${PARTITIONS} partitions: ${took}; ${fleet.ledger.acknowledgedSwaps} acknowledged`,
    )
    if (ROUNDS === 0) break
    brokers.restart(index)
    await fleet.step('the broker answers again', brokers.ready(), BROKER_MS_MAX)
  }
})

/// Of topic trades, by partition: who leads, on how many brokers it is, how many of them have everything.
async function partitionsOf(cluster: KafkaCluster) {
  const connection = await cluster.control()
  const { topics } = await connection.call(metadataV12.api, ['trades'], false, false)
  return topics
    .flatMap(({ partitions }) => partitions)
    .sort((a, b) => a.partitionIndex - b.partitionIndex)
    .map(({ leaderId, replicaNodes, isrNodes }) => ({
      leader: leaderId,
      replicas: replicaNodes.length,
      inSync: isrNodes.length,
    }))
}
