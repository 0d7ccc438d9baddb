/// The topics that Volumer uses, and what each must be like for its promises to hold.

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/// Readers begin at the end: it is for those that lag behind.
const LIVE_MS = 10 * 60_000
const MIB = 1024 * 1024
/// Kafka's own default: what a producer's batch may have.
const MESSAGE_BYTES = 1_048_588

/// What a setting must be.
export interface Setting {
  readonly name: string
  /// With this value the topic is created, and mended.
  readonly value: string
  /// `equal`; or at least `value`, where −1 stands for without bound.
  readonly rule: 'equal' | 'at least' | 'any'
  /// Completes “because …”.
  readonly because: string
}

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly settings: readonly Setting[]
}

export interface TopicPlan {
  /// Before every topic's name: several Volumers may share a cluster.
  readonly prefix: string
  /// Of which replica set topic rolls is.
  readonly replica: string
  readonly partitions: number
  readonly retentionMs: number
  readonly deadLettersMaxBytes: number
  /// How many copies each topic gets.
  readonly replication: number
}

export interface TopicNames {
  readonly trades: string
  readonly rolls: string
  readonly stats: string
  readonly live: string
  readonly deadLetters: string
  /// Of consumers: those that roll.
  readonly group: string
}

/// The first replica set, whose name topics need not have.
const FIRST_REPLICA = 'a'

/// Each replica set has a group and a topic rolls of its own, so that nothing that befalls one concerns the other.
export function topicNames(prefix: string, replica: string): TopicNames {
  const ofReplica = (name: string) => (replica === FIRST_REPLICA ? name : `${name}.${replica}`)
  return {
    trades: `${prefix}trades`,
    rolls: ofReplica(`${prefix}rolls`),
    stats: `${prefix}stats`,
    live: `${prefix}trades.live`,
    deadLetters: `${prefix}trades.dead`,
    group: ofReplica(`${prefix}rollers`),
  }
}

const equal = (name: string, value: string | number, because: string): Setting => ({
  name,
  value: String(value),
  rule: 'equal',
  because,
})
const atLeast = (name: string, value: number, because: string): Setting => ({
  name,
  value: String(value),
  rule: 'at least',
  because,
})
/// Only for creation.
const atFirst = (name: string, value: string | number): Setting => ({
  name,
  value: String(value),
  rule: 'any',
  because: '',
})

/// In the order in which they are created.
export function topicSpecs(plan: TopicPlan): TopicSpec[] {
  const { partitions, retentionMs } = plan
  const names = topicNames(plan.prefix, plan.replica)
  const kept = retentionMs + HOUR_MS
  const safe: Setting[] = [
    equal('unclean.leader.election.enable', 'false', 'an unclean election loses acknowledged records'),
    // Two of three copies confirm, so one broker may be lost with nothing on it being the only one.
    ...(plan.replication >= 3
      ? [atLeast('min.insync.replicas', 2, 'what one broker alone has confirmed is lost with it')]
      : [atFirst('min.insync.replicas', 1)]),
  ]
  return [
    {
      name: names.trades,
      partitions,
      settings: [
        ...safe,
        equal('message.timestamp.type', 'LogAppendTime', 'log time is the brokers’, never a producer’s'),
        equal('cleanup.policy', 'delete', 'compaction would keep one swap of each token'),
        atLeast('retention.ms', kept, 'swaps must be there until they are rolled, and to roll them again'),
        equal('retention.bytes', -1, 'a bound of bytes drops swaps that may not be rolled yet'),
        atLeast('max.message.bytes', MESSAGE_BYTES, 'batches of swaps are up to a megabyte'),
        atFirst('segment.ms', HOUR_MS),
      ],
    },
    {
      name: names.rolls,
      partitions,
      settings: [
        ...safe,
        equal('cleanup.policy', 'delete', 'compaction would keep one delta of each key'),
        atLeast('retention.ms', kept, 'the state of the whole retention is folded from it'),
        equal('retention.bytes', -1, 'a bound of bytes drops state that windows still need'),
        atLeast('max.message.bytes', 8 * MIB, 'a delta is one record'),
        atFirst('message.timestamp.type', 'LogAppendTime'),
        atFirst('segment.ms', HOUR_MS),
      ],
    },
    {
      name: names.stats,
      partitions,
      settings: [
        ...safe,
        equal('cleanup.policy', 'compact', 'the newest statistics of every token must stay'),
        atLeast('max.message.bytes', MESSAGE_BYTES, 'batches of statistics are up to a megabyte'),
        // A web instance reads the topic whole before it is ready, so little of it should be out of date.
        atFirst('segment.bytes', 16 * MIB),
        atFirst('min.cleanable.dirty.ratio', 0.2),
        atFirst('message.timestamp.type', 'CreateTime'),
      ],
    },
    {
      name: names.live,
      partitions,
      settings: [
        // Nothing of it must last.
        equal('cleanup.policy', 'delete', 'compaction would keep one swap of each token'),
        atLeast('max.message.bytes', MESSAGE_BYTES, 'batches of swaps are up to a megabyte'),
        atFirst('retention.ms', LIVE_MS),
        atFirst('segment.ms', LIVE_MS),
        atFirst('message.timestamp.type', 'CreateTime'),
      ],
    },
    {
      name: names.deadLetters,
      // One, so that letters are read in the order in which they were written.
      partitions: 1,
      settings: [
        ...safe,
        equal('cleanup.policy', 'delete', 'letters have no key'),
        atFirst('retention.ms', 7 * DAY_MS),
        atFirst('retention.bytes', plan.deadLettersMaxBytes),
        atFirst('segment.bytes', Math.max(MIB, Math.floor(plan.deadLettersMaxBytes / 16))),
      ],
    },
  ]
}
