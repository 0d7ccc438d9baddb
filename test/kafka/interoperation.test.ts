/// Other programs write to and read from our topics: Kafka's own tools, in every codec, and transactions.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Producer, stringSerializers } from '@platformatic/kafka'
import type { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { partitionOf } from '../../src/core/partition.js'
import { runJava } from '../../tools/kafka/node.js'
import { keyedLines } from '../contract/append.js'
import { readTo, texts } from '../contract/trade-log.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { freshTopic, over } from './connect.js'

const broker = await sharedBroker()
const quiet = () => {}
let cluster: KafkaCluster
let log: KafkaTradeLog
let topic: string
const PARTITIONS = 3

before(async () => {
  log = await over(broker.plaintext, async opened => {
    cluster = opened
    topic = await freshTopic(cluster, 'trades', PARTITIONS)
    return KafkaTradeLog.open({ cluster, topic })
  })
})
after(() => log.close())

const partitionOfToken = (token: string) => {
  const key = Buffer.from(token)
  return partitionOf(key, 0, key.length, PARTITIONS)
}

/// What came into each partition since `from`.
async function newTexts(from: readonly number[]): Promise<string[][]> {
  const found: string[][] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const { end } = await log.lookUpBounds(partition)
    found.push((await readTo(log, partition, from[partition] ?? 0, end)).flatMap(texts))
  }
  return found
}

const ends = () => Promise.all([0, 1, 2].map(async partition => (await log.lookUpBounds(partition)).end))

for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`what Kafka’s own producer wrote with ${codec} is read, from the partitions that we would choose`, async () => {
    const from = await ends()
    const swaps = Array.from({ length: 300 }, (_, i) => {
      const token = `TOKEN${i % 40}ü`
      return { token, json: JSON.stringify({ id: `${codec}:${i}`, token, usd: 'x'.repeat(i % 50) }) }
    })
    const lines = swaps.map(({ token, json }) => `${token}\t${json}\n`).join('')
    const arguments_ = [
      '--bootstrap-server',
      broker.plaintext,
      '--topic',
      topic,
      '--compression-codec',
      codec,
    ]
    const reader = ['parse.key=true', 'key.separator=\t'].flatMap(pair => ['--reader-property', pair])
    await runJava('org.apache.kafka.tools.ConsoleProducer', [...arguments_, ...reader], quiet, lines)
    const found = await newTexts(from)
    for (const [partition, got] of found.entries()) {
      const want = swaps.filter(({ token }) => partitionOfToken(token) === partition)
      assert.deepEqual(
        got,
        want.map(({ json }) => json),
      )
    }
  })
}

test('Kafka’s own consumer reads what we append, under its key', async () => {
  const from = await ends()
  const tokens = ['BTC', 'ETH', 'Ünï', 'DOGE', 'A'.repeat(128)]
  const lines = (token: string) => Buffer.from(`{"of":"${token}","pad":"${'y'.repeat(500)}"}\n`.repeat(50))
  await Promise.all(tokens.map(token => log.append([keyedLines(lines(token), token)])))
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const want = tokens.filter(token => partitionOfToken(token) === partition)
    if (want.length === 0) continue
    const output = await runJava(
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      [
        ...['--bootstrap-server', broker.plaintext, '--topic', topic, '--partition', String(partition)],
        ...['--offset', String(from[partition]), '--max-messages', String(want.length * 50)],
        ...['--formatter-property', 'print.key=true'],
      ],
      quiet,
    )
    const got = output.split('\n').filter(line => line.includes('\t'))
    const wanted = want.flatMap(token =>
      Array.from({ length: 50 }, () => `${token}\t${lines(token).toString().split('\n')[0]}`),
    )
    assert.deepEqual(got.sort(), wanted.sort())
  }
})

test('records of aborted transactions are not read, and positions move over the markers', async () => {
  const from = await ends()
  const partition = partitionOfToken('BTC')
  const producer = new Producer({
    clientId: 'transactions',
    bootstrapBrokers: broker.plaintext.split(','),
    idempotent: true,
    transactionalId: `t${process.pid}`,
    serializers: stringSerializers,
  })
  for (const outcome of ['commit', 'abort', 'commit', 'abort'] as const) {
    const transaction = await producer.beginTransaction()
    await transaction.send({ messages: [{ topic, partition, key: 'BTC', value: `1 ${outcome}` }] })
    await transaction.send({ messages: [{ topic, partition, key: 'BTC', value: `2 ${outcome}` }] })
    if (outcome === 'commit') await transaction.commit()
    else await transaction.abort()
  }
  await producer.close()
  // The broker writes the markers after it has answered.
  const end = (from[partition] ?? 0) + 12
  await eventually(async () => {
    assert.equal((await log.lookUpBounds(partition)).end, end, 'eight records and four markers')
  })
  const batches = await readTo(log, partition, from[partition] ?? 0, end)
  assert.deepEqual(batches.flatMap(texts), ['1 commit', '2 commit', '1 commit', '2 commit'])
  const last = batches.at(-1)
  assert.deepEqual([last?.firstOffset, last?.count], [end, 0])
})
