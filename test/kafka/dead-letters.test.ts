import { KafkaDeadLetters } from '../../src/adapters/kafka/dead-letters.js'
import { networkedDeadLettersContract } from '../contract/dead-letters.js'
import { sharedBroker } from './broker.js'
import { freshTopic, over } from './connect.js'

const broker = await sharedBroker()

networkedDeadLettersContract('Kafka', () =>
  over(broker.plaintext, async cluster => {
    const topic = await freshTopic(cluster, 'trades.dead')
    return KafkaDeadLetters.open({ cluster, topic, tradesTopic: 'trades' })
  }),
)
