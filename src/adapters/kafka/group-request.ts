/// The requests of a consumer group by KIP-848: ConsumerGroupHeartbeat version 1 and ConsumerGroupDescribe version 0. Ours,
/// because a refusal comes within the answer, and is no fault of the connection.

import { Code } from './codes.js'
import type { Request } from './connection.js'
import { WireReader, WireWriter } from './wire.js'

export interface Heartbeat {
  readonly group: string
  readonly memberId: string
  /// 0 joins, −1 leaves.
  readonly memberEpoch: number
  readonly rebalanceMsMax: number
  readonly topic: string
  readonly topicId: string
  /// What the member has now.
  readonly partitions: readonly number[]
}

export interface HeartbeatAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /// What the member is to have; null when that has not changed.
  readonly assignment: readonly { readonly topicId: string; readonly partitions: readonly number[] }[] | null
}

const HEARTBEAT = { key: 68, version: 1 }
const DESCRIBE = { key: 69, version: 0 }

export function heartbeatRequest(heartbeat: Heartbeat): Request<HeartbeatAnswer> {
  const { group, memberId, memberEpoch, rebalanceMsMax, topic, topicId, partitions } = heartbeat
  const writer = new WireWriter()
  writer.compactString(group).compactString(memberId).int32(memberEpoch)
  writer.compactString(null) // instance
  writer.compactString(null) // rack
  writer.int32(rebalanceMsMax)
  writer.compactArray([topic], name => writer.compactString(name))
  writer.compactString(null) // topics by a pattern
  writer.compactString(null) // assignor: the broker's choice
  writer.compactArray(partitions.length === 0 ? [] : [partitions], list => {
    writer.uuid(topicId)
    writer.compactArray(list, partition => writer.int32(partition))
    writer.noTags()
  })
  writer.noTags()
  return { ...HEARTBEAT, body: writer.done(), parse: parseHeartbeat }
}

function parseHeartbeat(answer: Buffer): HeartbeatAnswer {
  const reader = new WireReader(answer)
  reader.int32() // throttle time
  const errorCode = reader.int16()
  const errorMessage = reader.compactString()
  reader.compactString() // member id
  const memberEpoch = reader.int32()
  const heartbeatIntervalMs = reader.int32()
  const assignment = reader.int8() < 0 ? null : reader.compactArray(() => parseTopic(reader))
  return { errorCode, errorMessage, memberEpoch, heartbeatIntervalMs, assignment }
}

function parseTopic(reader: WireReader) {
  const topicId = reader.uuid()
  const partitions = reader.compactArray(() => reader.int32())
  reader.skipTags()
  return { topicId, partitions }
}

export interface GroupSize {
  readonly errorCode: number
  /// 0 with an error.
  readonly members: number
}

/// How many members the group has.
export function groupSizeRequest(group: string): Request<GroupSize> {
  const writer = new WireWriter()
  writer.compactArray([group], name => writer.compactString(name)).int8(0)
  writer.noTags()
  return { ...DESCRIBE, body: writer.done(), parse: parseGroupSize }
}

function parseGroupSize(answer: Buffer): GroupSize {
  const reader = new WireReader(answer)
  reader.int32() // throttle time
  if (reader.unsignedVarint() - 1 < 1) return { errorCode: Code.groupIdNotFound, members: 0 }
  const errorCode = reader.int16()
  reader.compactString() // message
  reader.compactString() // group
  reader.compactString() // state
  reader.int32() // group epoch
  reader.int32() // assignment epoch
  reader.compactString() // assignor
  return { errorCode, members: errorCode === Code.none ? Math.max(0, reader.unsignedVarint() - 1) : 0 }
}
