import { KafkaStatsFeed } from '../../src/adapters/kafka/stats-feed.js'
import { statsLayout } from '../../src/adapters/kafka/stats-record.js'
import { FEED_WINDOWS_MS, statsFeedContract } from '../contract/stats-feed.js'
import { sharedBroker } from './broker.js'
import { freshTopic, over } from './connect.js'

const broker = await sharedBroker()
const layout = statsLayout(FEED_WINDOWS_MS, 1000)

statsFeedContract('Kafka', () =>
  over(broker.plaintext, async cluster => {
    const topic = await freshTopic(cluster, 'stats', 3)
    return KafkaStatsFeed.open({ cluster, topic, layout, onPoison: fail, fail })
  }),
)

function fail(what: unknown): never {
  throw new Error(`a feed failed: ${JSON.stringify(what)}`)
}
