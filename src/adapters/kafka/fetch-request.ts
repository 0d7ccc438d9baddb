/// Fetch, version 13: by topic id, so that a topic that was deleted and made again is told from the one that was
/// followed. Only data of committed transactions is wanted; aborted ones are named in the answer.

import type { Request } from './connection.js'
import { WireReader, WireWriter } from './wire.js'

export interface FetchLimits {
  /// How long the broker may wait for something to come.
  readonly waitMsMax: number
  readonly bytesMax: number
  readonly partitionBytesMax: number
}

export interface FetchPosition {
  /// 32 hexadecimal digits.
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly offset: number
  /// Leader epoch of the record before `offset`; −1 where it is not known. The broker says when its log has another record
  /// there.
  readonly lastEpoch: number
}

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
}

export interface FetchedPartition {
  readonly topicId: string
  readonly partition: number
  readonly errorCode: number
  /// What a reader of committed data may read up to.
  readonly lastStableOffset: number
  readonly logStartOffset: number
  /// Where the log that was followed and the broker's part; null when they do not.
  readonly divergesAt: number | null
  readonly aborted: readonly AbortedTransaction[]
  /// Record batches as they are stored. A view of the answer.
  readonly records: Buffer
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly partitions: readonly FetchedPartition[]
}

const CONSUMER = -1
const READ_COMMITTED = 1
const NO_SESSION = 0
const FULL_FETCH = -1
const BYTES_MIN = 1
/// A tagged field of the answer.
const DIVERGING_EPOCH = 0

export function fetchRequest(positions: readonly FetchPosition[], limits: FetchLimits): Request<FetchAnswer> {
  const writer = new WireWriter()
    .int32(CONSUMER)
    .int32(limits.waitMsMax)
    .int32(BYTES_MIN)
    .int32(limits.bytesMax)
    .int8(READ_COMMITTED)
    .int32(NO_SESSION)
    .int32(FULL_FETCH)
  writer.compactArray(positions, ({ topicId, partition, leaderEpoch, offset, lastEpoch }) => {
    writer.uuid(topicId)
    writer.compactArray([partition], () => {
      writer.int32(partition).int32(leaderEpoch).int64(offset).int32(lastEpoch).int64(-1)
      writer.int32(limits.partitionBytesMax).noTags()
    })
    writer.noTags()
  })
  writer.unsignedVarint(1).compactString('').noTags()
  return { key: 1, version: 13, body: writer.done(), parse: parseFetched }
}

function parseFetched(bytes: Buffer): FetchAnswer {
  const reader = new WireReader(bytes)
  reader.int32() // throttle time
  const errorCode = reader.int16()
  reader.int32() // session
  const partitions = reader.compactArray(() => {
    const topicId = reader.uuid()
    const found = reader.compactArray(() => parsePartition(reader, topicId))
    reader.skipTags()
    return found
  })
  return { errorCode, partitions: partitions.flat() }
}

function parsePartition(reader: WireReader, topicId: string): FetchedPartition {
  const partition = reader.int32()
  const errorCode = reader.int16()
  reader.int64() // high watermark
  const lastStableOffset = reader.int64()
  const logStartOffset = reader.int64()
  const aborted = reader.compactArray(() => {
    const transaction = { producerId: reader.int64(), firstOffset: reader.int64() }
    reader.skipTags()
    return transaction
  })
  reader.int32() // preferred replica
  const records = reader.compactBytes()
  let divergesAt: number | null = null
  reader.tags((tag, content) => {
    if (tag !== DIVERGING_EPOCH) return
    content.int32() // the epoch
    divergesAt = content.int64()
  })
  return { topicId, partition, errorCode, lastStableOffset, logStartOffset, divergesAt, aborted, records }
}
