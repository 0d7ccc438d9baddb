/// Partitions are added to topics in use, under load: tokens move to others, their swaps follow, and the statistics are right, also of
/// those who start later.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createPartitionsV3 } from '@platformatic/kafka'
import { Random, testSeed } from '../simulation/random.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, freshPrefix } from './connect.js'
import { AGREE_MS, Fleet, statusOf } from './fleet/fleet.js'

const broker = await sharedBroker()
const BEFORE = 2
/// No multiple, so that tokens move between the old ones, too.
const AFTER = 5

test('tokens move with their swaps when partitions are added under load', { timeout: 400_000 }, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const prefix = freshPrefix()
  const fleet = new Fleet(t, broker.plaintext, new Random(seed))
  const flags = ['--kafka-prefix', prefix, '--kafka-partitions', String(BEFORE)]
  const rollers = [await fleet.roller(...flags), await fleet.roller(...flags)]
  const webs = [await fleet.web(...flags), await fleet.web(...flags)]
  await fleet.ready()
  await fleet.underLoad(() => pause(2000))
  await fleet.agree('load on the first partitions')
  const accepted = fleet.ledger.acknowledgedSwaps

  const { cluster } = await connect(t, broker.plaintext)
  await fleet.underLoad(async () => {
    const connection = await cluster.control()
    for (const name of [`${prefix}rolls`, `${prefix}trades`]) {
      const grown = [{ name, count: AFTER, assignments: null }]
      const { results } = await connection.call(createPartitionsV3.api, grown, 10_000, false)
      assert.deepEqual(
        results.map(({ errorCode }) => errorCode),
        [0],
      )
    }
    for (const { server } of webs) {
      await eventually(async () => {
        const { partitions } = await statusOf(server)
        assert.equal(partitions.length, AFTER)
        assert.ok(
          partitions.every(({ state }) => state === 'live'),
          `${partitions.map(({ state }) => state)}\n${rollers.map(place => place.server.output).join('\n')}`,
        )
      }, AGREE_MS)
    }
    await pause(1000)
  })
  await fleet.agree('partitions were added')
  assert.ok(fleet.ledger.acknowledgedSwaps > accepted, 'swaps came while tokens moved')
  assert.ok(
    rollers.some(({ server }) =>
      /swaps of partition \d are where their tokens belong now/.test(server.output),
    ),
    'swaps were carried',
  )

  // From what is in the topics alone.
  for (const place of [...rollers, ...webs]) {
    await place.server.kill()
    await fleet.restartBare(place)
  }
  await fleet.agree('everything was started anew on empty disks')
  await fleet.underLoad(() => pause(1000))
  await fleet.agree('more load')
})
