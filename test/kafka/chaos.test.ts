/// A cluster under load with duplicates and disorder, one fault after the other. After each, every web must serve exactly what was
/// acknowledged, and a client that follows all along, on whichever web there is, must have got the same. Some faults come, chosen at random; VOLUMER_CHAOS_ROUNDS says how often all of them come (`make chaos`).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Random, testSeed } from '../simulation/random.js'
import { ownCluster } from './broker.js'
import { Fleet, type Place } from './fleet/fleet.js'
import { Follower } from './fleet/follower.js'
import { TcpProxy } from './fleet/tcp-proxy.js'

const ROUNDS = Number(process.env.VOLUMER_CHAOS_ROUNDS ?? 0)
const SOME = 3
/// Faults whose names contain it; all when it is not set.
const ONLY = process.env.VOLUMER_CHAOS_ONLY ?? ''
/// All steps of a fault together; each has a limit of its own.
const FAULT_MS_MAX = 120_000
/// A member that is silent for six seconds is missed (tools/kafka/node-properties.ts).
const BEYOND_SESSION_MS = 8000
/// More than the broker's own limit (tools/kafka/cluster.ts), whose error has its log.
const BROKER_MS_MAX = 90_000

test(`a cluster agrees with the producer’s ledger after every fault, ${ROUNDS > 0 ? `all of them ${ROUNDS} times` : `${SOME} of them`}`, {
  timeout: 600_000 + ROUNDS * 600_000,
}, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const brokers = await ownCluster({ brokers: 1, proxied: true })
  const { listens = 0, advertises = 0 } = brokers.ports[0]?.proxied ?? {}
  const proxy = await TcpProxy.listen(t, advertises, () => listens)
  const fleet = new Fleet(t, brokers.bootstrap(), random, () => brokers.lastLines())
  await fleet.roller()
  await fleet.roller()
  const behind = await fleet.roller('--kafka', `127.0.0.1:${advertises}`)
  await fleet.web()
  await fleet.web()
  await fleet.ready()
  const follower = await Follower.begin(t, fleet)
  const some = () => pause(random.between(200, 1500))
  const comesBack = async () => {
    brokers.restart(0)
    await fleet.step('the broker answers again', brokers.ready(), BROKER_MS_MAX)
  }
  const anyRoller = (): Place => random.pick(fleet.rollers)

  const faults: Readonly<Record<string, () => Promise<void>>> = {
    'a roller is killed and comes back': async () => {
      const place = anyRoller()
      await place.server.kill()
      await some()
      await fleet.restart(place)
    },
    'a roller is killed, and another one with an empty disk comes': async () => {
      const place = anyRoller()
      await place.server.kill()
      await fleet.restartBare(place)
    },
    'a roller is frozen for longer than its session, and goes on': async () => {
      const { server } = anyRoller()
      server.signal('SIGSTOP')
      await pause(BEYOND_SESSION_MS)
      server.signal('SIGCONT')
    },
    'rollers leave and join every second': async () => {
      for (let i = 0; i < 3; i++) {
        const place = anyRoller()
        await fleet.stop(place)
        await pause(random.between(0, 1000))
        await fleet.restart(place)
      }
    },
    'the broker is restarted': async () => {
      await brokers.nodes[0]?.stop()
      await some()
      await comesBack()
    },
    'the broker is killed': async () => {
      await brokers.nodes[0]?.kill()
      await some()
      await comesBack()
    },
    'a roller’s network is cut for longer than its session': async () => {
      proxy.cut()
      await pause(BEYOND_SESSION_MS)
      proxy.mend()
      assert.ok(behind.server.running, `${behind.name} has ended`)
    },
    'a web is killed with a client on it, and comes back': async () => {
      const place = follower.at
      assert.ok(place !== null)
      const { opened, gaps } = follower
      const gapsBefore = gaps.length
      await place.server.kill()
      await follower.comesBack(opened, gapsBefore)
      await some()
      await fleet.restart(place)
    },
    'everything but the broker is killed at once': async () => {
      const everybody = [...fleet.rollers, ...fleet.webs]
      await Promise.all(everybody.map(({ server }) => server.kill()))
      await Promise.all(everybody.map(place => fleet.restart(place)))
    },
  }

  for (let round = 0; round < Math.max(1, ROUNDS); round++) {
    const wanted = Object.entries(faults).filter(([what]) => what.includes(ONLY))
    const chosen = random.shuffled(wanted).slice(0, ROUNDS > 0 ? undefined : SOME)
    for (const [what, fault] of chosen) {
      const began = Date.now()
      await fleet.underLoad(async () => {
        await some()
        await fleet.step(what, fault(), FAULT_MS_MAX)
        await some()
      })
      const over = Date.now()
      await fleet.agree(what)
      await follower.agrees()
      t.diagnostic(
        `${what}: ${over - began} ms, agreed after ${Date.now() - over} ms; ${fleet.ledger.acknowledgedSwaps} swaps acknowledged`,
      )
    }
  }
  t.diagnostic(
    `a client got ${follower.updates} updates over ${follower.opened} connections, and was told of ${follower.gaps.length} gaps`,
  )
  assert.ok(fleet.ledger.acknowledgedSwaps > 2000, `only ${fleet.ledger.acknowledgedSwaps} swaps`)
})
