/// What replica sets have written to topic `stats`: which updates came more than once, and whether with the same bytes.
import assert from 'node:assert/strict'
import type { KafkaCluster } from '../../../src/adapters/kafka/cluster.js'
import { Fetcher } from '../../../src/adapters/kafka/fetcher.js'
import { lookUpBounds } from '../../../src/adapters/kafka/offsets.js'
import { type RecordBatch, readRecords, recordValue } from '../../../src/adapters/kafka/record-batch.js'
import { isReport } from '../../../src/adapters/kafka/report-record.js'

/// The header of a record: format, partition, offset and tick (docs/formats/kafka-topics.md).
const versionOf = (value: Buffer): string =>
  [value.readInt32LE(8), value.readDoubleLE(12), value.readDoubleLE(20)].join(':')

export class WrittenVersions {
  /// `TOKEN partition:offset:tick` of those that came again.
  readonly twice = new Set<string>()
  /// Those that came again with other bytes.
  readonly different: string[] = []
  readonly #bytes = new Map<string, Buffer>()
  readonly #cluster: KafkaCluster
  readonly #topic: string
  readonly #next = new Map<number, number>()

  constructor(cluster: KafkaCluster, topic: string) {
    this.#cluster = cluster
    this.#topic = topic
  }

  get versions(): number {
    return this.#bytes.size
  }

  /// Reads what is there by now and was not read before.
  async read(): Promise<void> {
    const [cluster, topic] = [this.#cluster, this.#topic]
    await cluster.watch(topic)
    const partitions = Array.from({ length: cluster.topic(topic)?.leaders.length ?? 0 }, (_, i) => i)
    assert.ok(partitions.length > 0, `there is no topic ${topic}`)
    const fetcher = new Fetcher(cluster)
    try {
      for (const [partition, { first, end }] of await lookUpBounds(cluster, topic, partitions)) {
        const from = this.#next.get(partition) ?? first
        const reader = fetcher.read(topic, partition, from)
        for (let next = from; next < end; this.#next.set(partition, next)) {
          const fetched = await reader.read()
          assert.ok(fetched !== null)
          next = fetched.next
          if (fetched.batch !== null) this.#take(fetched.batch)
        }
        reader.end()
      }
    } finally {
      await fetcher.close()
    }
  }

  #take(batch: RecordBatch): void {
    const columns = readRecords(batch)
    for (let i = 0; i < columns.count; i++) {
      const value = recordValue(columns, i)
      if (isReport(columns, i) || value.length === 0) continue
      const keyAt = columns.keyAt[i] ?? 0
      const key = columns.bytes.toString('utf8', keyAt, keyAt + (columns.keyLength[i] ?? 0))
      const version = `${key} ${versionOf(value)}`
      const known = this.#bytes.get(version)
      if (known === undefined) this.#bytes.set(version, Buffer.from(value))
      else if (known.equals(value)) this.twice.add(version)
      else this.different.push(version)
    }
  }
}
