/// Produce, version 9: record batches as they are, with acknowledgement by all replicas in sync.

import type { Request } from './connection.js'
import { WireReader, WireWriter } from './wire.js'

export interface ProducedPartition {
  readonly topic: string
  readonly partition: number
  readonly batch: Buffer
}

export interface ProduceOutcome {
  readonly topic: string
  readonly partition: number
  readonly errorCode: number
  readonly errorMessage: string | null
  /// Of the batch; −1 when it was not appended now.
  readonly baseOffset: number
}

const ALL_IN_SYNC = -1

export function produceRequest(
  parts: readonly ProducedPartition[],
  timeoutMs: number,
): Request<ProduceOutcome[]> {
  const byTopic = new Map<string, ProducedPartition[]>()
  for (const part of parts) {
    const known = byTopic.get(part.topic)
    if (known === undefined) byTopic.set(part.topic, [part])
    else known.push(part)
  }
  const writer = new WireWriter().compactString(null).int16(ALL_IN_SYNC).int32(timeoutMs)
  writer.compactArray([...byTopic], ([topic, partitions]) => {
    writer.compactString(topic)
    writer.compactArray(partitions, ({ partition, batch }) => {
      writer.int32(partition).compactBytes(batch).noTags()
    })
    writer.noTags()
  })
  return { key: 0, version: 9, body: writer.noTags().done(), parse: parseProduced }
}

function parseProduced(bytes: Buffer): ProduceOutcome[] {
  const reader = new WireReader(bytes)
  const outcomes = reader.compactArray(() => {
    const topic = reader.compactString() ?? ''
    const partitions = reader.compactArray(() => parsePartition(reader, topic))
    reader.skipTags()
    return partitions
  })
  return outcomes.flat()
}

function parsePartition(reader: WireReader, topic: string): ProduceOutcome {
  const partition = reader.int32()
  const errorCode = reader.int16()
  const baseOffset = reader.int64()
  reader.int64() // log append time
  reader.int64() // log start offset
  const recordErrors = reader.compactArray(() => {
    reader.int32()
    const message = reader.compactString()
    reader.skipTags()
    return message
  })
  const errorMessage = reader.compactString() ?? recordErrors.find(message => message !== null) ?? null
  reader.skipTags()
  return { topic, partition, errorCode, errorMessage, baseOffset }
}
