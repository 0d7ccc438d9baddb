import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TopicPoison } from '../../src/adapters/kafka/poison.js'
import { KafkaProducer } from '../../src/adapters/kafka/producer.js'
import { KafkaTradeFeed } from '../../src/adapters/kafka/trade-feed.js'
import { liveTrade, liveTrades, tradeFeedContract } from '../contract/trade-feed.js'
import { until } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, freshTopic, over } from './connect.js'

const broker = await sharedBroker()

tradeFeedContract('Kafka', async t => {
  const feed = await over(broker.plaintext, async cluster => {
    const topic = await freshTopic(cluster, 'trades.live', 3)
    return KafkaTradeFeed.open({ cluster, topic, onPoison: fail, fail })
  })
  t.after(() => feed.close())
  return feed
})

test('swaps reach other processes, whole and once; what is none is left out', async t => {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'trades.live', 2)
  const poison: TopicPoison[] = []
  const open = () =>
    over(broker.plaintext, other =>
      KafkaTradeFeed.open({ cluster: other, topic, onPoison: one => poison.push(one), fail }),
    )
  const [roller, replica, web] = [await open(), await open(), await open()]
  t.after(() => Promise.all([roller.close(), replica.close(), web.close()]))
  const heard: unknown[] = []
  const end = web.follow({
    wantsAny: true,
    wants: token => token !== 'NOBODY',
    onTrades: updates => heard.push(...updates.flatMap(({ trades }) => trades)),
  })
  t.after(end)
  await until(() => web.following, 'it follows')

  const producer = new KafkaProducer({ cluster })
  t.after(() => producer.close())
  for (const text of [
    '{',
    '{"version":2}',
    '{"version":1,"rolledAt":1,"trades":[{"token":"OTHER"}]}',
    'null',
  ]) {
    const append = producer.begin(1, 1000)
    append.addParts(topic, 0, { key: Buffer.from('A'), value: Buffer.from(text), timestampMs: Date.now() })
    await append.done()
  }
  // More than one record may have, by two replicas.
  const many = Array.from({ length: 250 }, (_, i) => i)
  roller.publish([liveTrades('A', many), liveTrades('NOBODY', [250])])
  replica.publish([liveTrades('A', many)])
  await until(() => heard.length >= 250, '250 swaps')
  roller.publish([liveTrades('🦄', [251])])
  await until(() => heard.length >= 251, 'one more')
  assert.deepEqual(heard, [...many.map(at => liveTrade('A', at)), liveTrade('🦄', 251)])
  await until(() => poison.length === 4, 'four records that are none of ours')
  assert.equal(roller.leftOut, 0)
})

function fail(what: unknown): never {
  throw new Error(`a feed failed: ${JSON.stringify(what)}`)
}
