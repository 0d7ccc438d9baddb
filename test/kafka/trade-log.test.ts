import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { tradeLogContract } from '../contract/trade-log.js'
import { sharedBroker } from './broker.js'
import { connect, freshTopic } from './connect.js'

const broker = await sharedBroker()

tradeLogContract('Kafka', async (t, { partitions }) => {
  const { cluster } = await connect(t, broker.plaintext)
  return KafkaTradeLog.open({ cluster, topic: await freshTopic(cluster, 'trades', partitions) })
})
