import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { tradeLogContract } from '../contract/trade-log.js'
import { sharedBroker } from './broker.js'
import { freshTopic, over } from './connect.js'

const broker = await sharedBroker()

tradeLogContract('Kafka', (_, { partitions }) =>
  over(broker.plaintext, async cluster =>
    KafkaTradeLog.open({ cluster, topic: await freshTopic(cluster, 'trades', partitions) }),
  ),
)
