/// A Kafka consumer group by the protocol of KIP-848 (Kafka 4): each member tells the coordinator that it lives, and gets
/// its partitions in the answer; the broker assigns.
///
/// A member that is to give partitions up says at once that it has. Usually a member must stop first, because two owners
/// would do things twice; here two may roll one partition at a time (adapters/kafka/state-store.ts), so the successor
/// begins to read the state while the former owner goes on.
///
/// The protocol asks for a heartbeat each 5 s by default, and a partition changes hands within three: so we send them
/// more often, and for a while after each change much more often. They are some hundred bytes.

import { SettingsMismatchError } from '../../ports/errors.js'
import type { PartitionGroup } from '../../ports/partition-group.js'
import { pause } from '../../ports/pause.js'
import type { KafkaCluster } from './cluster.js'
import { Code, codeName, isRetryable } from './codes.js'
import { type BrokerConnection, KafkaFault } from './connection.js'
import { connectToCoordinator } from './group-coordinator.js'
import { groupSizeRequest, heartbeatRequest } from './group-request.js'

export interface KafkaPartitionGroupOptions {
  readonly cluster: KafkaCluster
  readonly group: string
  readonly topic: string
  /// Names the member, for as long as its group lives. A process that died and comes back under its name gets its partitions at
  /// once; under another one, only when the coordinator has missed the former. No two processes may have one at a time.
  readonly memberId: string
  /// Who is not in the group for this long had better not be: the broker gives its partitions away.
  readonly heartbeatMsMax?: number
  /// The group cannot be taken part in any more.
  fail(error: unknown): void
}

const HEARTBEAT_MS = 1000
/// After a change, for so long, so often.
const QUICK_FOR_MS = 10_000
const QUICK_HEARTBEAT_MS = 150
const RETRY_MS = 200
/// Nobody waits for anything when a partition is given up.
const REBALANCE_MS_MAX = 30_000
const LEAVE_MS_MAX = 500
const LEAVING = -1
const JOINING = 0

export class KafkaPartitionGroup implements PartitionGroup {
  readonly #options: KafkaPartitionGroupOptions
  readonly #heartbeatMsMax: number
  readonly #left = new AbortController()
  #epoch = JOINING
  #held: readonly number[] = []
  /// Whether `assigned` knows of the assignment of this membership.
  #isTold = false
  #changedAt = 0
  #connection: BrokerConnection | null = null
  /// The coordinator is being looked for.
  #finding: Promise<BrokerConnection> | null = null
  #running: Promise<void> = Promise.resolve()
  #assigned: (partitions: readonly number[]) => void = () => {}

  constructor(options: KafkaPartitionGroupOptions) {
    this.#options = options
    this.#heartbeatMsMax = options.heartbeatMsMax ?? HEARTBEAT_MS
  }

  join(assigned: (partitions: readonly number[]) => void): void {
    this.#assigned = assigned
    this.#running = this.#run().catch(error => {
      if (!this.#left.signal.aborted) this.#options.fail(error)
    })
  }

  async leave(): Promise<void> {
    const { cluster } = this.#options
    this.#left.abort()
    // A broker that does not answer must not hold a drain up.
    await Promise.race([this.#running, pause(cluster.clock, LEAVE_MS_MAX, cluster.signal)])
    const isMember = this.#epoch > JOINING
    this.#epoch = LEAVING
    this.#held = []
    // Where nobody can be told, the coordinator finds out when heartbeats stay away.
    const told = isMember ? this.#beat().then(noop, noop) : Promise.resolve()
    await Promise.race([told, pause(cluster.clock, LEAVE_MS_MAX, cluster.signal)])
    await this.#connection?.close()
  }

  async hasOthers(): Promise<boolean> {
    try {
      const connection = await this.#coordinator()
      return (await connection.request(groupSizeRequest(this.#options.group))).members > 1
    } catch (error) {
      if (error instanceof KafkaFault) return false
      throw error
    }
  }

  async #run(): Promise<void> {
    const { cluster } = this.#options
    // With the cluster's connections everything ends, as with the process.
    const ended = AbortSignal.any([this.#left.signal, cluster.signal])
    while (!ended.aborted) {
      let waitMs = RETRY_MS
      try {
        waitMs = await this.#beat()
      } catch (error) {
        if (!(error instanceof KafkaFault && error.retryable)) throw error
        cluster.noteFault(error)
        await this.#forgetCoordinator()
      }
      await pause(cluster.clock, waitMs, ended)
    }
  }

  /// Sends a heartbeat and takes in the answer; says when the next one is due.
  async #beat(): Promise<number> {
    const { cluster, group, topic, memberId } = this.#options
    const connection = await this.#coordinator()
    const topicId = cluster.topic(topic)?.id ?? ''
    const answer = await connection.request(
      heartbeatRequest({
        ...{ group, topic, topicId, memberId, memberEpoch: this.#epoch },
        rebalanceMsMax: REBALANCE_MS_MAX,
        partitions: this.#held,
      }),
    )
    cluster.noteAnswer()
    if (this.#epoch === LEAVING) return 0
    switch (answer.errorCode) {
      case Code.none:
        break
      case Code.unknownMemberId:
      case Code.fencedMemberEpoch:
        this.#joinAnew()
        return RETRY_MS
      default:
        await this.#refuse(answer.errorCode, answer.errorMessage)
        return RETRY_MS
    }
    const now = cluster.clock.now()
    if (answer.memberEpoch !== this.#epoch) this.#changedAt = now
    this.#epoch = answer.memberEpoch
    if (answer.assignment !== null) {
      const ours = answer.assignment.filter(one => one.topicId === topicId)
      const partitions = ours.flatMap(one => one.partitions)
      await this.#know(partitions)
      this.#take(partitions)
    }
    const isQuick = now - this.#changedAt < QUICK_FOR_MS
    return isQuick ? QUICK_HEARTBEAT_MS : Math.min(this.#heartbeatMsMax, answer.heartbeatIntervalMs)
  }

  /// The coordinator may know of added partitions before we do.
  async #know(partitions: readonly number[]): Promise<void> {
    const { cluster, topic } = this.#options
    const isKnown = () => partitions.every(at => at < (cluster.topic(topic)?.leaders.length ?? 0))
    while (!isKnown() && !this.#left.signal.aborted && !cluster.signal.aborted) await cluster.refresh()
  }

  #take(partitions: readonly number[]): void {
    const sorted = [...partitions].sort((a, b) => a - b)
    if (this.#isTold && sorted.join() === this.#held.join()) return
    this.#isTold = true
    this.#held = sorted
    this.#changedAt = this.#options.cluster.clock.now()
    this.#assigned(sorted)
  }

  /// Somebody took us for dead; the partitions are others' by now.
  #joinAnew(): void {
    this.#epoch = JOINING
    this.#held = []
    this.#isTold = false
    this.#assigned([])
  }

  async #refuse(code: number, message: string | null): Promise<void> {
    const { group } = this.#options
    const why = `Kafka refuses group ${group}: ${codeName(code)}${message ? `, ${message}` : ''}`
    if (code === Code.unsupportedVersion || code === Code.groupIdNotFound) {
      throw new SettingsMismatchError(
        `${why}. Its brokers lack the group protocol of Kafka 4 (KIP-848), or group ${group} is one of the older kind. ` +
          'With such brokers, say with --kafka-own which partitions each instance rolls.',
      )
    }
    if (!isRetryable(code)) throw new KafkaFault(why, false)
    await this.#forgetCoordinator()
  }

  /// One connection to it, whoever asks.
  async #coordinator(): Promise<BrokerConnection> {
    if (this.#connection?.usable) return this.#connection
    const { cluster, group } = this.#options
    this.#finding ??= connectToCoordinator(cluster, group).finally(() => {
      this.#finding = null
    })
    this.#connection = await this.#finding
    return this.#connection
  }

  async #forgetCoordinator(): Promise<void> {
    await this.#connection?.close()
    this.#connection = null
    await this.#options.cluster.refresh()
  }
}

function noop(): void {}
