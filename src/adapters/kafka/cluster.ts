/// The Kafka cluster as one process sees it: who the brokers are, who leads which partition, and connections to them.
///
/// What is known of topics is refreshed by whoever finds it wrong (`refresh`); at most one refresh is under way, and
/// each waits a little after the last one, so that many readers that lose a broker at once ask once. Besides, it is done
/// from time to time: partitions may have been added.

import { setMaxListeners } from 'node:events'
import { metadataV12 } from '@platformatic/kafka'
import type { EpochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { pause } from '../../ports/pause.js'
import {
  addressText,
  type BrokerAddress,
  BrokerConnection,
  type ConnectionSettings,
  KafkaFault,
} from './connection.js'
import { connectionOptions, type KafkaSecurity } from './security.js'

export interface KafkaClusterOptions {
  /// Where to begin; at least one.
  readonly brokers: readonly BrokerAddress[]
  readonly security: KafkaSecurity
  readonly clock: Clock
  /// Names this process in the brokers' logs and quotas.
  readonly clientId: string
  /// Tells the operator, in one line, that the cluster is away and that it is back.
  say(message: string): void
}

export interface Leader {
  readonly node: number
  readonly epoch: number
}

export interface Topic {
  readonly name: string
  /// 32 hexadecimal digits; another one after the topic was deleted and made again.
  readonly id: string
  /// By partition; null while a partition has none.
  readonly leaders: readonly (Leader | null)[]
}

const CONNECT_MS_MAX = 5000
const REQUEST_MS_MAX = 15_000
const REFRESH_PAUSE_MS = 100
const REFRESH_EACH_MS = 30_000
/// A cluster that is away for less is not worth a word.
const SILENT_MS = 2000

export class KafkaCluster {
  readonly clock: Clock
  readonly #options: KafkaClusterOptions
  readonly #settings: ConnectionSettings
  readonly #closed = new AbortController()
  readonly #wanted = new Set<string>()
  readonly #topics = new Map<string, Topic>()
  #brokers = new Map<number, BrokerAddress>()
  /// Every connection that is open: one that its owner forgot would keep the process from ending.
  readonly #connections = new Set<BrokerConnection>()
  #control: BrokerConnection | null = null
  #refreshing: Promise<void> | null = null
  #awaySince: EpochMs | null = null
  #saidAway = false

  private constructor(options: KafkaClusterOptions) {
    // Everything that waits listens to it: there is no leak to warn of.
    setMaxListeners(0, this.#closed.signal)
    this.clock = options.clock
    this.#options = options
    this.#settings = {
      clientId: options.clientId,
      security: connectionOptions(options.security),
      connectMsMax: CONNECT_MS_MAX,
      requestMsMax: REQUEST_MS_MAX,
    }
  }

  /// Rejects with KafkaFault when no broker can be reached, or none takes us for who we say we are.
  static async open(options: KafkaClusterOptions): Promise<KafkaCluster> {
    const cluster = new KafkaCluster(options)
    try {
      await cluster.#ask()
    } catch (error) {
      await cluster.close()
      throw error
    }
    cluster.#refreshEachWhile()
    return cluster
  }

  /// `127.0.0.1:9092,…`, for messages and commands.
  get bootstrap(): string {
    return this.#options.brokers.map(addressText).join(',')
  }

  /// How many brokers there are.
  get size(): number {
    return this.#brokers.size
  }

  /// Aborts when the cluster is closed.
  get signal(): AbortSignal {
    return this.#closed.signal
  }

  /// A topic as it was last seen; undefined when it was not there then, or was never asked for.
  topic(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  leader(topic: string, partition: number): Leader | null {
    return this.#topics.get(topic)?.leaders[partition] ?? null
  }

  /// Asks about the topics, and from then on with every refresh.
  async watch(...names: readonly string[]): Promise<void> {
    for (const name of names) this.#wanted.add(name)
    await this.#ask()
  }

  /// Asks again who the brokers and leaders are. Never rejects: where nobody answers, everything stays as it was
  /// known, and the caller tries again.
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshSoon().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  /// A new connection to a broker, the caller's own. Rejects with KafkaFault.
  async connect(node: number): Promise<BrokerConnection> {
    const address = this.#brokers.get(node)
    if (address === undefined) throw new KafkaFault(`Kafka knows no broker ${node}`, true)
    const connection = await this.#open(address)
    this.noteAnswer()
    return connection
  }

  /// A connection to any broker, shared by everything that asks seldom. Rejects with KafkaFault.
  async control(): Promise<BrokerConnection> {
    if (this.#control?.usable) return this.#control
    let last: unknown = new KafkaFault('no Kafka broker is known', true)
    for (const address of this.#everyAddress()) {
      try {
        this.#control = await this.#open(address)
        return this.#control
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  /// Waits before another try.
  pause(ms: number): Promise<void> {
    return pause(this.clock, ms, this.signal)
  }

  /// Somebody did not get an answer.
  noteFault(error: unknown): void {
    if (this.signal.aborted) return
    this.#awaySince ??= this.clock.now()
    if (this.#saidAway || this.clock.now() - this.#awaySince < SILENT_MS) return
    this.#saidAway = true
    const why = error instanceof Error ? error.message : String(error)
    this.#options.say(`Kafka is away and is tried again until it is back. ${why}`)
  }

  noteAnswer(): void {
    if (this.#saidAway) this.#options.say('Kafka answers again.')
    this.#awaySince = null
    this.#saidAway = false
  }

  /// Closes all connections, whosever they are.
  async close(): Promise<void> {
    this.#closed.abort()
    await Promise.all([...this.#connections].map(connection => connection.close()))
  }

  /// Nothing stays open, and nothing is opened, once the cluster is closed.
  async #open(address: BrokerAddress): Promise<BrokerConnection> {
    const closed = () => new KafkaFault('The connection to Kafka is closed', false)
    if (this.signal.aborted) throw closed()
    const connection = await BrokerConnection.open(address, this.#settings)
    if (this.signal.aborted) {
      await connection.close()
      throw closed()
    }
    this.#connections.add(connection)
    connection.onClosed(() => this.#connections.delete(connection))
    return connection
  }

  #refreshEachWhile(): void {
    void this.pause(REFRESH_EACH_MS)
      .then(() => this.refresh())
      .then(() => {
        if (!this.signal.aborted) this.#refreshEachWhile()
      })
  }

  async #refreshSoon(): Promise<void> {
    await this.pause(REFRESH_PAUSE_MS)
    if (this.signal.aborted) return
    try {
      await this.#ask()
    } catch (error) {
      this.noteFault(error)
    }
  }

  async #ask(): Promise<void> {
    const connection = await this.control()
    const answer = await connection.call(metadataV12.api, [...this.#wanted], false, false)
    this.#brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    for (const { name, errorCode, topicId, partitions } of answer.topics) {
      if (!name) continue
      if (errorCode !== 0) {
        this.#topics.delete(name)
        continue
      }
      const leaders: (Leader | null)[] = []
      for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
        leaders[partitionIndex] = leaderId < 0 ? null : { node: leaderId, epoch: leaderEpoch }
      }
      this.#topics.set(name, { name, id: topicId.replaceAll('-', ''), leaders })
    }
  }

  /// The brokers that are known, then those to begin with.
  #everyAddress(): BrokerAddress[] {
    const known = [...this.#brokers.values()]
    const more = this.#options.brokers.filter(
      ({ host, port }) => !known.some(address => address.host === host && address.port === port),
    )
    return [...known, ...more]
  }
}
