/// Three brokers, of which one is killed at a time, the leader first: appends and readers go on with the others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { offset } from '../../src/core/units.js'
import { append, keyedLines } from '../contract/append.js'
import { lines, records } from '../contract/trade-log.js'
import { eventually, until } from '../wait/eventually.js'
import { ownCluster } from './broker.js'
import { connect, freshTopic } from './connect.js'

const brokers = await ownCluster({ brokers: 3 })
/// A broker that was killed is missed by the controller after nine seconds.
const FAILOVER_MS = 40_000

test('each broker in turn is killed: nothing is lost, nothing is there twice', {
  timeout: 180_000,
}, async t => {
  const { cluster } = await connect(t, brokers.bootstrap())
  const topic = await freshTopic(cluster, 'trades', 1, 3)
  const log = await KafkaTradeLog.open({ cluster, topic })
  await append(log, 0, lines(0, 10), 10)
  const seen: number[] = []
  const abort = new AbortController()
  const reading = (async () => {
    for await (const batch of log.follow(0, offset(0), abort.signal)) seen.push(...records(batch))
  })()
  let next = 10
  let running = true
  const one = async () => {
    while (running) {
      const first = next
      next += 10
      await log.append([keyedLines(lines(first, 10), 'BTC')])
    }
  }
  const loading = Promise.all([one(), one(), one(), one()])
  for (let round = 0; round < 2; round++) {
    const leader = cluster.leader(topic, 0)?.node ?? 0
    await brokers.nodes[leader - 1]?.kill()
    const before = next
    await until(() => next > before + 2000, 'appends go on with another leader', FAILOVER_MS)
    assert.notEqual(cluster.leader(topic, 0)?.node, leader)
    brokers.restart(leader - 1)
    await eventually(() => brokers.ready(), FAILOVER_MS)
  }
  running = false
  await loading
  await until(() => seen.length >= next, `the reader has seen ${next} records`)
  abort.abort()
  await reading
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: next }, (_, i) => i),
  )
  await log.close()
})
