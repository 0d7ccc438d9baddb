/// Swaps into topic trades and out of it, through our producer and fetcher and through the client library's own, with
/// the broker on the same machine. Docs: docs/adr/0020-kafka-client.md.
///
///   node dist/bench/kafka.js [swaps]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Consumer, MessagesStreamModes, ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka'
import { KafkaCluster } from '../src/adapters/kafka/cluster.js'
import { NO_SECURITY } from '../src/adapters/kafka/security.js'
import { topicNames, topicSpecs } from '../src/adapters/kafka/topic-specs.js'
import { ensureTopics } from '../src/adapters/kafka/topics.js'
import { KafkaTradeLog } from '../src/adapters/kafka/trade-log.js'
import { SystemClock } from '../src/adapters/system/clock.js'
import { nextTurn } from '../src/adapters/system/turn.js'
import { JsonDecoder } from '../src/core/decode/json-decoder.js'
import type { KeyedRecords } from '../src/core/keyed-records.js'
import { offset } from '../src/core/units.js'
import type { SwapGenerator } from '../src/roles/faketrader/generator.js'
import { TestCluster } from '../tools/kafka/cluster.js'
import { swapsOf } from './load.js'
import { Checksum, type Measure, report } from './report.js'

const PARTITIONS = 4
const PER_APPEND = 1000
const IN_FLIGHT = 16
const SINGLES = 500
const swaps = Math.ceil(Number(process.argv[2] ?? 500_000) / PER_APPEND) * PER_APPEND

const measures: Measure[] = []
const checksum = new Checksum()

/// Measures work on all swaps: how many a second, and the processor time that this process takes for one.
async function measure(what: string, work: () => Promise<void>): Promise<void> {
  const before = process.cpuUsage()
  const began = performance.now()
  await work()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  measures.push({ what, value: swaps / seconds, unit: 'swaps/s' })
  measures.push({ what: `${what}: processor time`, value: (user + system) / swaps, unit: 'µs/swap' })
}

/// At most `limit` at a time.
async function each<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const one = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item)
  }
  await Promise.all(Array.from({ length: limit }, one))
}

async function readAll(log: KafkaTradeLog, decoder: JsonDecoder | null): Promise<void> {
  const one = async (partition: number) => {
    const { end } = await log.lookUpBounds(partition)
    for await (const { firstOffset, count, bytes, ranges } of log.follow(
      partition,
      offset(0),
      new AbortController().signal,
    )) {
      if (decoder !== null && ranges !== null) {
        const { batch } = decoder.decodeRanges(bytes, ranges.at, ranges.length)
        for (let i = 0; i < batch.size; i++) checksum.add(batch.usd[i] ?? 0)
      }
      if (firstOffset + count >= end) break
    }
  }
  // One after the other, so that the checksum does not depend on timing.
  for (let partition = 0; partition < PARTITIONS; partition++) await one(partition)
}

async function latencies(log: KafkaTradeLog, generator: SwapGenerator): Promise<void> {
  let seen = 0
  let seenAt = 0
  const abort = new AbortController()
  const ends = await Promise.all(Array.from({ length: PARTITIONS }, (_, i) => log.lookUpBounds(i)))
  const readers = ends.map(async ({ end }, partition) => {
    for await (const { count } of log.follow(partition, end, abort.signal)) {
      seen += count
      seenAt = performance.now()
    }
  })
  const times: number[] = []
  for (let i = 0; i < SINGLES; i++) {
    const before = seen
    const began = performance.now()
    void log.append([generator.next(Date.now(), 1)])
    while (seen === before) await nextTurn()
    times.push(seenAt - began)
  }
  abort.abort()
  await Promise.all(readers)
  times.sort((a, b) => a - b)
  for (const p of [50, 99]) {
    const value = times[Math.floor((times.length * p) / 100)] ?? 0
    measures.push({ what: `append to follower, one swap at a time, p${p}`, value, unit: 'ms' })
  }
}

interface Message {
  readonly key: string
  readonly value: string
}

function messagesOf({ size, bytes, recordAt, recordLength, tokenAt, tokenLength }: KeyedRecords): Message[] {
  const text = (at: Int32Array, length: Int32Array, i: number) => {
    const from = at[i] ?? 0
    return Buffer.from(bytes.subarray(from, from + (length[i] ?? 0))).toString()
  }
  return Array.from({ length: size }, (_, i) => ({
    key: text(tokenAt, tokenLength, i),
    value: text(recordAt, recordLength, i),
  }))
}

async function library(bootstrap: string, topic: string, pieces: readonly KeyedRecords[]): Promise<void> {
  const bootstrapBrokers = bootstrap.split(',')
  const producer = new Producer({
    clientId: 'bench',
    bootstrapBrokers,
    idempotent: true,
    compression: 'lz4',
    acks: ProduceAcks.ALL,
    serializers: stringSerializers,
  })
  const messages = pieces.map(messagesOf)
  // One at a time: more than that loses records.
  await measure('the library’s producer', () =>
    each(messages, 1, some => producer.send({ messages: some.map(message => ({ topic, ...message })) })),
  )
  await producer.close()
  const consumer = new Consumer({ clientId: 'bench', groupId: 'bench', bootstrapBrokers, maxBytes: 2 ** 22 })
  await measure('the library’s consumer', async () => {
    let seen = 0
    const stream = await consumer.consume({
      topics: [topic],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: false,
    })
    for await (const _ of stream) if (++seen === swaps) break
  })
  await consumer.close(true)
}

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-bench-'))
  const brokers = await TestCluster.start({ directory, brokers: 1 })
  const clock = new SystemClock()
  const port = brokers.ports[0]?.broker ?? 0
  const cluster = await KafkaCluster.open({
    brokers: [{ host: '127.0.0.1', port }],
    security: NO_SECURITY,
    clock,
    clientId: 'bench',
    say: console.error,
  })
  const plan = {
    replica: 'a',
    partitions: PARTITIONS,
    retentionMs: 86_400_000,
    deadLettersMaxBytes: 2 ** 28,
    replication: 1,
  }
  for (const prefix of ['ours.', 'theirs.']) await ensureTopics(cluster, topicSpecs({ ...plan, prefix }), 1)
  const log = await KafkaTradeLog.open({ cluster, topic: topicNames('ours.', 'a').trades })
  const generator = swapsOf(1)
  const now = Date.now()
  const pieces = Array.from({ length: swaps / PER_APPEND }, (_, i) => generator.next(now + i, PER_APPEND))

  await measure('append', () => each(pieces, IN_FLIGHT, piece => log.append([piece])))
  await measure('follow', () => readAll(log, null))
  await measure('follow and decode', () => readAll(log, new JsonDecoder()))
  await latencies(log, generator)
  await library(brokers.bootstrap(), topicNames('theirs.', 'a').trades, pieces)
  report({
    name: 'kafka',
    measures,
    checksum: checksum.toString(),
    notes: ['The broker runs on the same cores; its processor time is not counted.'],
  })
  await log.close()
  await cluster.close()
  await brokers.close()
  rmSync(directory, { recursive: true })
}

await main()
