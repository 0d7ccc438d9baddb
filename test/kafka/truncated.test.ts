/// A broker that loses the end of a partition and goes on: its disk broke, or an unclean election took a replica that was
/// behind. Whoever has counted the lost swaps must not go on among others at the same offsets.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readBatches } from '../../src/adapters/kafka/record-batch.js'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { offset } from '../../src/core/units.js'
import { append } from '../contract/append.js'
import { lines, readTo, records } from '../contract/trade-log.js'
import { ownCluster } from './broker.js'
import { connect, freshTopic } from './connect.js'

const brokers = await ownCluster({ brokers: 1 })
const [node] = brokers.nodes

/// Cuts the partition's file back to its first `count` batches.
function cutBack(topic: string, count: number): void {
  assert.ok(node)
  const directory = join(node.directory, 'data', `${topic}-0`)
  const [segment = ''] = readdirSync(directory).filter(name => name.endsWith('.log'))
  const path = join(directory, segment)
  const kept = readBatches(readFileSync(path)).slice(0, count)
  truncateSync(
    path,
    kept.reduce((sum, { bytes }) => sum + bytes.length, 0),
  )
}

test('a follower notices, and one that comes with a position and its epoch', {
  timeout: 120_000,
}, async t => {
  const { cluster } = await connect(t, brokers.bootstrap())
  const topic = await freshTopic(cluster, 'trades')
  const log = await KafkaTradeLog.open({ cluster, topic })
  for (let i = 0; i < 10; i++) await append(log, 0, lines(i * 10, 10), 10)
  const live = log.follow(0, offset(0), t.signal)[Symbol.asyncIterator]()
  for (let i = 0; i < 10; i++) await live.next()
  const epoch = log.epochs.below(0, 100)
  assert.ok(epoch >= 0)
  const refused = {
    code: 'E_DAMAGED',
    message: /was cut back at offset 60 and has other records now.* to offset 99/,
  }
  const noticed = assert.rejects(live.next(), refused)

  await node?.kill()
  cutBack(topic, 6)
  brokers.restart(0)
  await brokers.ready()
  const other = await KafkaTradeLog.open({ cluster, topic })
  for (let i = 0; i < 20; i++) await append(other, 0, lines(1000 + i * 10, 10), 10)
  assert.deepEqual(
    (await readTo(other, 0, 0, 260)).flatMap(records).slice(50, 70),
    [...Array.from({ length: 10 }, (_, i) => 50 + i), ...Array.from({ length: 10 }, (_, i) => 1000 + i)],
    'the broker has other records at offsets 60 and on',
  )

  await noticed
  // As a process that starts again: the position and its epoch were kept with the state.
  const again = await KafkaTradeLog.open({ cluster, topic })
  again.epochs.note(0, 99, epoch)
  await assert.rejects(again.follow(0, offset(100), t.signal)[Symbol.asyncIterator]().next(), refused)
  const before = again.follow(0, offset(50), t.signal)[Symbol.asyncIterator]()
  assert.equal((await before.next()).value?.firstOffset, 50, 'what was not lost is followed on')
  for (const one of [log, other, again]) await one.close()
})
