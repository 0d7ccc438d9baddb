/// Two replica sets under load and faults: for the same versions they write the same bytes, also those that have restored their state, from
/// their own disk or from topic `rolls` alone. VOLUMER_REPLICA_SECONDS says how long (`make replicas`).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Random, testSeed } from '../simulation/random.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, freshPrefix } from './connect.js'
import { AGREE_MS, Fleet } from './fleet/fleet.js'
import { WrittenVersions } from './fleet/written-versions.js'

const broker = await sharedBroker()
const SECONDS = Number(process.env.VOLUMER_REPLICA_SECONDS ?? 10)
/// A member that is silent for six seconds is missed (tools/kafka/node-properties.ts).
const BEYOND_SESSION_MS = 8000
/// More versions of both sets are compared after each fault.
const COMPARED_MIN = 100
const READ_EACH_MS = 250

test(`two replica sets write the same bytes for the same versions, ${SECONDS} s under load and faults`, {
  timeout: 600_000 + 10 * SECONDS * 1000,
}, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const prefix = freshPrefix()
  const fleet = new Fleet(t, broker.plaintext, random)
  const common = ['--kafka-prefix', prefix]
  const sets = [await fleet.roller(...common), await fleet.roller(...common, '--replica', 'b')]
  await fleet.web(...common)
  await fleet.ready()
  await fleet.settled()
  const { cluster } = await connect(t, broker.plaintext)
  const written = new WrittenVersions(cluster, `${prefix}stats`)

  const place = () => random.pick(sets)
  const faults: Readonly<Record<string, () => Promise<void>>> = {
    'a set is killed and comes back': async () => {
      const set = place()
      await set.server.kill()
      await fleet.restart(set)
    },
    'a set is killed and comes back on an empty disk': async () => {
      const set = place()
      await set.server.kill()
      await fleet.restartBare(set)
    },
    'a set is stopped and comes back': async () => {
      const set = place()
      await fleet.stop(set)
      await fleet.restart(set)
    },
    'a set is frozen for longer than its session': async () => {
      const { server } = place()
      server.signal('SIGSTOP')
      await pause(BEYOND_SESSION_MS)
      server.signal('SIGCONT')
    },
  }

  const until = Date.now() + SECONDS * 1000
  let rounds = 0
  do {
    const [what, fault] = random.pick(Object.entries(faults))
    await fleet.underLoad(async () => {
      await pause(random.between(500, 1500))
      await fault()
      await pause(random.between(500, 1500))
    })
    await fleet.agree(what)
    // While nothing comes both publish at each second, of the same offset.
    const before = written.twice.size
    const compared = eventually(async () => {
      await pause(READ_EACH_MS)
      await written.read()
      assert.ok(
        written.twice.size > before + COMPARED_MIN,
        `${written.twice.size - before} are there of both`,
      )
    }, AGREE_MS)
    await fleet.step(`both sets publish after: ${what}`, compared, 2 * AGREE_MS)
    assert.deepEqual(written.different, [], what)
    rounds++
  } while (Date.now() < until)
  const { acknowledgedSwaps } = fleet.ledger
  t.diagnostic(
    `${rounds} faults, ${acknowledgedSwaps} swaps; of ${written.versions} versions ${written.twice.size} came from both sets`,
  )
})
