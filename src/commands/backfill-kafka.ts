/// The states of a replica set on Kafka. They are built on the disk of this machine, all of them, before anything is written to
/// topic rolls; then each takes the place of the former one there (adapters/kafka/rebuilt-state.ts).

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { beginPlan, newStateDirectory, readPlan } from '../adapters/embedded/backfill-directory.js'
import { lockDirectory } from '../adapters/embedded/lock.js'
import { EmbeddedStateStore } from '../adapters/embedded/state-store.js'
import type { KafkaCluster } from '../adapters/kafka/cluster.js'
import { membersOf } from '../adapters/kafka/group-coordinator.js'
import type { RebuiltState } from '../adapters/kafka/rebuilt-state.js'
import { Rolls } from '../adapters/kafka/rolls.js'
import { rulesHash } from '../adapters/kafka/rolls-record.js'
import { type TopicNames, topicNames } from '../adapters/kafka/topic-specs.js'
import { KafkaTradeLog } from '../adapters/kafka/trade-log.js'
import type { Config } from '../config.js'
import type { EpochMs } from '../core/units.js'
import type { ArchivePosition } from '../ports/trade-archive.js'
import { logMismatch } from '../roles/archiver/same-log.js'
import { betweenThem } from './backfill-directory.js'
import type { BackfillPlace, Rebuilt } from './backfill-place.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT } from './failure.js'
import { ProgressBar } from './progress.js'
import { connectToKafka, makeTopics } from './start-kafka.js'

/// Instances that are told which partitions to roll are in no group: they have stopped when nothing was written for so long.
const QUIET_MS = 60_000

/// What no roller writes.
const OF_BACKFILLS: ReadonlySet<string> = new Set(['began', 'parts', 'ended'])

interface Opened {
  readonly cluster: KafkaCluster
  readonly log: KafkaTradeLog
  readonly rolls: Rolls
  readonly names: TopicNames
  close(): Promise<void>
}

export class KafkaPlace implements BackfillPlace {
  readonly #config: Config
  readonly #context: CommandContext
  readonly #opened: Opened

  private constructor(config: Config, context: CommandContext, opened: Opened) {
    this.#config = config
    this.#context = context
    this.#opened = opened
  }

  /// Rejects while rollers have the states, and with LockedError while another backfill uses the directory.
  static async open(
    config: Config,
    brokers: Exclude<Config['kafka'], 'none'>,
    context: CommandContext,
  ): Promise<KafkaPlace> {
    const { clock } = context
    const say = (message: string) => context.stderr.write(`${message}\n`)
    const cluster = await connectToKafka(config, brokers, clock, 'backfill', say)
    const opened: { close(): Promise<void> }[] = [cluster]
    const close = async () => {
      for (const one of opened.toReversed()) await one.close()
    }
    try {
      const names = topicNames(config.kafkaPrefix, config.replica)
      await cluster.watch(names.trades)
      if (cluster.topic(names.trades) === undefined) {
        throw new CommandError(
          `Kafka has no topic ${names.trades}: there is no trade log that rebuilt states could go on with. Is --kafka-prefix right?`,
        )
      }
      await makeTopics(cluster, config)
      const log = await KafkaTradeLog.open({ cluster, topic: names.trades })
      opened.push(log)
      const directory = join(config.data, 'kafka', 'backfill')
      mkdirSync(directory, { recursive: true })
      const lock = await lockDirectory(directory, clock)
      opened.push({ close: () => lock.release() })
      const rolls = await Rolls.open({
        ...{ cluster, topic: names.rolls, tradesTopic: names.trades, rules: config, epochs: log.epochs },
        directory: join(directory, 'states'),
        // Of former states: they are void soon.
        onPoison: () => {},
        say,
      })
      opened.push(rolls)
      const place = new KafkaPlace(config, context, { cluster, log, rolls, names, close })
      await place.#refuseRollers()
      return place
    } catch (error) {
      await close()
      throw error
    }
  }

  get partitions(): number {
    return this.#opened.log.partitions
  }

  async problemOf(partition: number, at: ArchivePosition): Promise<string | null> {
    const { log } = this.#opened
    const { first, end } = await log.lookUpBounds(partition)
    // Where nothing was ever archived and everything has expired, there is nothing to lose.
    if (at.offset < first && (at.offset > 0 || first < end)) {
      return `Partition ${partition}: ${betweenThem(at, first, end)}`
    }
    return logMismatch(log, partition, at, new AbortController().signal)
  }

  plan(partition: number): string | null {
    return readPlan(this.#opened.rolls.directoryOf(partition))
  }

  beginPlan(partition: number, plan: string): void {
    const directory = this.#opened.rolls.directoryOf(partition)
    mkdirSync(directory, { recursive: true })
    beginPlan(directory, plan)
  }

  async openStore(partition: number): Promise<EmbeddedStateStore> {
    const directory = newStateDirectory(this.#opened.rolls.directoryOf(partition))
    return new EmbeddedStateStore({ directory, partition, clock: this.#context.clock })
  }

  async takePlace(rebuilt: readonly Rebuilt[], incompleteUntil: EpochMs | null): Promise<void> {
    const { rolls } = this.#opened
    if (rebuilt.length !== this.partitions) {
      throw new CommandError(
        `There were ${rebuilt.length} partitions, and there are ${this.partitions} now. Nothing was changed; run this again.`,
      )
    }
    const areInPlace = await this.#allAreInPlace(rebuilt)
    const spread = areInPlace ? this.partitions : 0
    const stores = await Promise.all(rebuilt.map(({ partition }) => this.openStore(partition)))
    try {
      const states = rebuilt.map(({ partition, target }, i) => {
        const store = stores[i]
        if (store === undefined) throw new RangeError('there is a store for each state')
        return rolls.rebuilt(partition, store, { ...target, spread, incompleteUntil })
      })
      await this.#refuseRollers()
      for (const state of states) await state.begin()
      // One that has opened a state just before it was void would go on with it.
      await this.#refuseRollers()
      await this.#forEach('Writing', states, (state, progress) => state.write(progress))
      for (const state of states) await state.end()
      await this.#forEach('Verifying', states, (state, progress) => state.verify(progress))
      await this.#dropFormer(states)
      if (!areInPlace && rebuilt.some(({ strays }) => strays !== null && strays > 0)) this.#sayStrays()
      if (incompleteUntil !== null) this.#sayStale()
    } finally {
      for (const store of stores) await store.close()
    }
    for (const { partition } of rebuilt)
      rmSync(rolls.directoryOf(partition), { recursive: true, force: true })
  }

  close(): Promise<void> {
    return this.#opened.close()
  }

  async #forEach(
    what: string,
    states: readonly RebuiltState[],
    work: (state: RebuiltState, progress: (share: number) => void) => Promise<void>,
  ): Promise<void> {
    const { clock, stderr } = this.#context
    const bar = new ProgressBar(this.#config.quiet ? { write: () => {} } : stderr, clock, what)
    try {
      for (const [i, state] of states.entries()) {
        const note = states.length === 1 ? '' : `partition ${i}`
        await work(state, share => bar.update((i + share) / states.length, note))
      }
    } finally {
      bar.end()
    }
  }

  async #dropFormer(states: readonly RebuiltState[]): Promise<void> {
    const dropped = await Promise.all(states.map(state => state.dropFormer()))
    if (dropped.every(Boolean)) return
    this.#context.stderr.write(
      `Records of former states stay in topic ${this.#opened.names.rolls} until its retention drops them: the right to delete records is missing.\n`,
    )
  }

  #sayStrays(): void {
    this.#context.stderr.write(
      'Some swaps are archived in partitions that their tokens have left, since partitions were added. Rollers append those that the trade log holds ' +
        'to where they belong when they start; of older ones, those that were not appended there before are missing from the statistics of their tokens.\n',
    )
  }

  #sayStale(): void {
    const { stats } = this.#opened.names
    this.#context.stderr.write(
      `Of tokens that no swap in the new states has, topic ${stats} keeps the last statistics. Where there may be such, stop the webs, delete the topic, and start them.\n`,
    )
  }

  /// Whether the swaps of each partition are of tokens that belong there, or those that are not were carried to where they do, and accepted
  /// there by the same rules.
  async #allAreInPlace(rebuilt: readonly Rebuilt[]): Promise<boolean> {
    for (const { partition, strays } of rebuilt) {
      if (strays === 0) continue
      const last = await this.#opened.rolls.last(partition)
      if (last?.roll.spread !== this.partitions || last.roll.rules !== rulesHash(this.#config)) return false
    }
    return true
  }

  async #refuseRollers(): Promise<void> {
    const { cluster, names } = this.#opened
    if (this.#config.kafkaOwn !== 'group') return this.#refuseWriters()
    const members = await membersOf(cluster, names.group)
    if (members === 0) return
    throw new CommandError(
      `Group ${names.group} has ${members === 1 ? 'a member' : `${members} members`}: rollers of replica set ${this.#config.replica} have the states that are to be rebuilt. ` +
        'Stop every one, and run this again: it goes on where it was. Of those that were killed Kafka knows after group.consumer.session.timeout.ms (45 s unless the brokers say otherwise).',
      EXIT.locked,
    )
  }

  async #refuseWriters(): Promise<void> {
    const { rolls, names } = this.#opened
    const now = this.#context.clock.now()
    for (let partition = 0; partition < this.partitions; partition++) {
      const last = await rolls.last(partition)
      if (last === null || OF_BACKFILLS.has(last.roll.kind) || now - last.appendTimeMs > QUIET_MS) continue
      throw new CommandError(
        `Partition ${partition} of topic ${names.rolls} was written to ${Math.round((now - last.appendTimeMs) / 1000)} s ago. ` +
          `Stop every roller of replica set ${this.#config.replica}, wait for a minute, and run this again: it goes on where it was.`,
        EXIT.locked,
      )
    }
  }
}
