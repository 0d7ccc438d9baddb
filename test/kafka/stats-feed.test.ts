import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import { Fetcher } from '../../src/adapters/kafka/fetcher.js'
import { lookUpBounds } from '../../src/adapters/kafka/offsets.js'
import { readRecords } from '../../src/adapters/kafka/record-batch.js'
import { KafkaStatsFeed } from '../../src/adapters/kafka/stats-feed.js'
import { StatsRecordCodec, statsLayout } from '../../src/adapters/kafka/stats-record.js'
import { FEED_WINDOWS_MS, followed, statsFeedContract, update } from '../contract/stats-feed.js'
import { until } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { connect, freshTopic, over } from './connect.js'

const broker = await sharedBroker()
const layout = statsLayout(FEED_WINDOWS_MS, 1000)

statsFeedContract('Kafka', () =>
  over(broker.plaintext, async cluster => {
    const topic = await freshTopic(cluster, 'stats', 3)
    return KafkaStatsFeed.open({ cluster, topic, tradesTopic: 'none', layout, onPoison: fail, fail })
  }),
)

/// The offset in the last record of the key.
async function lastRecord(cluster: KafkaCluster, topic: string, token: string): Promise<number> {
  const codec = new StatsRecordCodec(layout)
  const fetcher = new Fetcher(cluster)
  const { end } = (await lookUpBounds(cluster, topic, [0])).get(0) ?? { end: 0 }
  const reader = fetcher.read(topic, 0, 0)
  let last = -1
  for (let next = 0; next < end; ) {
    const fetched = await reader.read()
    assert.ok(fetched !== null)
    next = fetched.next
    if (fetched.batch === null) continue
    const columns = readRecords(fetched.batch)
    for (let i = 0; i < columns.count; i++) {
      const read = codec.decode(columns, i, 0)
      if (read.token === token) last = read.offset
    }
  }
  await fetcher.close()
  return last
}

test('an older version that a lagging process writes last is mended, so that compaction keeps the newest', async t => {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'stats')
  const open = () =>
    over(broker.plaintext, other =>
      KafkaStatsFeed.open({ cluster: other, topic, tradesTopic: 'none', layout, onPoison: fail, fail }),
    )
  const [owner, lagging, web] = [await open(), await open(), await open()]
  const reader = followed(web)
  owner.publish([update('BTC', 10), update('ETH', 10)])
  await until(() => reader.of('ETH').length === 1, 'the owner’s are in the topic')
  // It reads nothing, so it knows of nothing newer.
  lagging.publish([update('BTC', 5)])
  await Promise.all([lagging.close(), owner.close()])
  assert.equal(await lastRecord(cluster, topic, 'BTC'), 5)
  await until(() => web.mended === 1, 'the web notices it')
  await web.close()
  assert.equal(await lastRecord(cluster, topic, 'BTC'), 10)
  assert.deepEqual(reader.of('BTC'), ['BTC 10:0'], 'nobody saw the older one')
})

function fail(what: unknown): never {
  throw new Error(`a feed failed: ${JSON.stringify(what)}`)
}
