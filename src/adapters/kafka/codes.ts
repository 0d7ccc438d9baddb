/// Kafka's error codes, as far as anything here decides by them.

export const Code = {
  none: 0,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  brokerNotAvailable: 8,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  networkException: 13,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  recordListTooLarge: 18,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  unknownMemberId: 25,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  invalidReplicationFactor: 38,
  notController: 41,
  policyViolation: 44,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  kafkaStorageError: 56,
  unknownProducerId: 59,
  groupIdNotFound: 69,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  offsetNotAvailable: 78,
  throttlingQuotaExceeded: 89,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
  fencedMemberEpoch: 110,
} as const

const names = new Map<number, string>(Object.entries(Code).map(([name, code]) => [code, name]))

/// `notEnoughReplicas (19)`, for messages.
export const codeName = (code: number): string => `${names.get(code) ?? 'error'} (${code})`

/// Somebody else leads the partition, or will in a moment: ask who, and go there.
const STALE: ReadonlySet<number> = new Set([
  Code.unknownTopicOrPartition,
  Code.leaderNotAvailable,
  Code.notLeaderOrFollower,
  Code.replicaNotAvailable,
  Code.kafkaStorageError,
  Code.fencedLeaderEpoch,
  Code.unknownLeaderEpoch,
  Code.unknownTopicId,
  Code.inconsistentTopicId,
])

/// It passes by itself.
const TRANSIENT: ReadonlySet<number> = new Set([
  Code.corruptMessage,
  Code.requestTimedOut,
  Code.brokerNotAvailable,
  Code.networkException,
  Code.coordinatorLoadInProgress,
  Code.coordinatorNotAvailable,
  Code.notCoordinator,
  Code.notEnoughReplicas,
  Code.notEnoughReplicasAfterAppend,
  Code.notController,
  Code.offsetNotAvailable,
  Code.throttlingQuotaExceeded,
])

export const isStale = (code: number): boolean => STALE.has(code)
export const isRetryable = (code: number): boolean => STALE.has(code) || TRANSIENT.has(code)
