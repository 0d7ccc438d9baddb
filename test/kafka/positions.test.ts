/// Positions that are no longer what they were: a truncated topic, a deleted one, one with more partitions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPartitionsV3, deleteRecordsV2 } from '@platformatic/kafka'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { partitionOf } from '../../src/core/partition.js'
import { offset } from '../../src/core/units.js'
import { append, keyedLines } from '../contract/append.js'
import { lines, readTo, records } from '../contract/trade-log.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, deleteTopic, freshTopic, makeTopic } from './connect.js'

const broker = await sharedBroker()
const forever = () => new AbortController().signal

test('a position that was truncated away is refused, with what the log holds', async t => {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'trades')
  const log = await KafkaTradeLog.open({ cluster, topic })
  for (let i = 0; i < 10; i++) await append(log, 0, lines(i * 10, 10), 10)
  const connection = await cluster.control()
  const partitions = [{ partitionIndex: 0, offset: 50n }]
  await connection.call(deleteRecordsV2.api, [{ name: topic, partitions }], 10_000)
  const gone = log.follow(0, offset(20), forever())[Symbol.asyncIterator]()
  await assert.rejects(gone.next(), { code: 'E_OFFSET_GONE', message: /holds offsets 50 to 100, not 20/ })
  assert.deepEqual(await log.lookUpBounds(0), { first: 50, end: 100 })
  assert.deepEqual((await readTo(log, 0, 50, 100)).flatMap(records)[0], 50)
  await log.close()
})

test('a topic that is deleted and made again is not followed on', { timeout: 60_000 }, async t => {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'trades')
  const log = await KafkaTradeLog.open({ cluster, topic })
  await append(log, 0, lines(0, 10), 10)
  const following = log.follow(0, offset(0), forever())[Symbol.asyncIterator]()
  assert.equal((await following.next()).value?.count, 10)
  const next = following.next()
  await deleteTopic(cluster, topic)
  await eventually(() => makeTopic(cluster, topic, 1, { 'message.timestamp.type': 'LogAppendTime' }))
  await assert.rejects(next, { code: 'E_OFFSET_GONE', message: /was deleted and made again/ })
  await log.close()
})

test('a topic that is deleted ends its followers', { timeout: 60_000 }, async t => {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'trades')
  const log = await KafkaTradeLog.open({ cluster, topic })
  await append(log, 0, lines(0, 10), 10)
  const following = log.follow(0, offset(0), forever())[Symbol.asyncIterator]()
  assert.equal((await following.next()).value?.count, 10)
  const next = following.next()
  await deleteTopic(cluster, topic)
  await assert.rejects(next, { code: 'E_OFFSET_GONE', message: /was deleted$/ })
  await log.close()
  await assert.rejects(KafkaTradeLog.open({ cluster, topic }), /has no topic/)
})

test('added partitions are used; what was appended before stays where it is', async t => {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'trades', 2)
  const log = await KafkaTradeLog.open({ cluster, topic })
  const tokens = Array.from({ length: 30 }, (_, i) => `T${i}`)
  const appendAll = () => log.append(tokens.map((token, i) => keyedLines(lines(i, 1), token)))
  await appendAll()
  const connection = await cluster.control()
  await connection.call(createPartitionsV3.api, [{ name: topic, count: 5, assignments: null }], 10_000, false)
  await eventually(async () => {
    await cluster.refresh()
    assert.equal(log.partitions, 5)
  })
  const appended = await appendAll()
  for (const { partition, count } of appended) {
    const want = tokens.filter(token => partitionOf(Buffer.from(token), 0, token.length, 5) === partition)
    assert.equal(count, want.length)
  }
  assert.equal(appended.length, 5)
  await log.close()
})
