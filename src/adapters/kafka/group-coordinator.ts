/// The broker that knows who is in a group.

import { findCoordinatorV6 } from '@platformatic/kafka'
import type { KafkaCluster } from './cluster.js'
import { Code, codeName, isRetryable } from './codes.js'
import { type BrokerConnection, KafkaFault } from './connection.js'
import { groupSizeRequest } from './group-request.js'

const GROUP_KEY = 0
const RETRY_MS = 200
const TRIES_MAX = 50

/// A connection of the caller's own to it. Rejects with KafkaFault.
export async function connectToCoordinator(cluster: KafkaCluster, group: string): Promise<BrokerConnection> {
  const control = await cluster.control()
  const { coordinators } = await control.call(findCoordinatorV6.api, GROUP_KEY, [group])
  const [found] = coordinators
  if (found === undefined || found.errorCode !== Code.none) {
    throw new KafkaFault(
      `Kafka has no coordinator of group ${group}: ${codeName(found?.errorCode ?? -1)}`,
      true,
    )
  }
  return cluster.connect(found.nodeId)
}

/// How many members the group has, also such as died and were not missed yet. Rejects with KafkaFault where Kafka does not tell.
export async function membersOf(cluster: KafkaCluster, group: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return await askOnce(cluster, group)
    } catch (error) {
      if (!(error instanceof KafkaFault && error.retryable) || tries >= TRIES_MAX) throw error
    }
    await cluster.pause(RETRY_MS)
    await cluster.refresh()
  }
}

async function askOnce(cluster: KafkaCluster, group: string): Promise<number> {
  const connection = await connectToCoordinator(cluster, group)
  try {
    const { errorCode, members } = await connection.request(groupSizeRequest(group))
    // Nobody has ever been in it.
    if (errorCode === Code.none || errorCode === Code.groupIdNotFound) return members
    throw new KafkaFault(
      `Kafka does not tell who is in group ${group}: ${codeName(errorCode)}`,
      isRetryable(errorCode),
    )
  } finally {
    await connection.close()
  }
}
