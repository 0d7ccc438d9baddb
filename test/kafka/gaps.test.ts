/// A log that no longer holds what comes next: the gap is declared, everything else counts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteRecordsV2 } from '@platformatic/kafka'
import { settle } from '../integration/client.js'
import { Random, testSeed } from '../simulation/random.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, freshPrefix } from './connect.js'
import { Fleet, statusOf } from './fleet/fleet.js'

const broker = await sharedBroker()

interface Totals {
  readonly fates: { readonly accepted: number } | null
}

test('swaps that the log has dropped before they were rolled are declared by every web, and all others count', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const prefix = freshPrefix()
  const fleet = new Fleet(t, broker.plaintext, new Random(seed))
  const flags = ['--kafka-prefix', prefix, '--kafka-partitions', '1']
  const roller = await fleet.roller(...flags)
  const { server: web } = await fleet.web(...flags)
  await fleet.ready()
  const post = async (swaps: number) => {
    const before = fleet.ledger.acknowledgedSwaps
    while (fleet.ledger.acknowledgedSwaps < before + swaps) {
      fleet.ledger.newBatch(Date.now())
      await settle(web, fleet.ledger)
    }
    return fleet.ledger.acknowledgedSwaps
  }
  const rolled = await post(300)
  await fleet.agree('the first swaps')
  roller.server.signal('SIGTERM')
  assert.equal((await roller.server.exited).code, 0, roller.server.output)
  await post(300)
  const end = await post(300)

  // Retention takes the first ones that nobody has rolled.
  const dropped = rolled + 200
  const { cluster } = await connect(t, broker.plaintext)
  const connection = await cluster.control()
  const partitions = [{ partitionIndex: 0, offset: BigInt(dropped) }]
  await connection.call(deleteRecordsV2.api, [{ name: `${prefix}trades`, partitions }], 10_000)

  await fleet.restart(roller)
  await eventually(async () => {
    const status: Totals & Awaited<ReturnType<typeof statusOf>> = JSON.parse(
      await (await fetch(`${web.url}/v1/status`)).text(),
    )
    const [partition] = status.partitions
    assert.equal(partition?.state, 'live')
    assert.deepEqual(
      partition.gaps.map(gap => [Reflect.get(Object(gap), 'from'), Reflect.get(Object(gap), 'to')]),
      [[rolled, dropped]],
      roller.server.output,
    )
    const accepted = status.fates?.accepted
    assert.equal(accepted, end - 200)
  })
  assert.match(
    roller.server.output,
    /begins at offset \d+, and the state ends at \d+: swaps that were dropped are missing/,
  )
  // The next one knows of it, too.
  await roller.server.kill()
  await fleet.restartBare(roller)
  await fleet.settled()
  const [partition] = (await statusOf(web)).partitions
  assert.equal(partition?.gaps.length, 1)
})
