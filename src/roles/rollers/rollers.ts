/// The partitions that this process rolls, as the group assigns them: each gets a PartitionRoller, and hands over when it goes
/// to another process. Tells about all of them each second.

import { partitionOf } from '../../core/partition.js'
import { SummaryCache } from '../../core/roller/query/summaries.js'
import { epochMs } from '../../core/units.js'
import type { Readiness } from '../../delivery/wire/status.js'
import type { PartitionGroup } from '../../ports/partition-group.js'
import type { PartitionReport } from '../../ports/stats-feed.js'
import { within } from '../interrupter.js'
import type { RollerRole } from '../roller.js'
import {
  HAND_OVER_MS_MAX,
  PartitionRoller,
  type PartitionRollerOptions,
  RestoreInterrupted,
} from './partition-roller.js'
import { SummingUp } from './summing-up.js'

export interface RollersOptions extends Omit<PartitionRollerOptions, 'config' | 'partitions' | 'summaries'> {
  /// All but the partition.
  readonly config: Omit<PartitionRollerOptions['config'], 'partition'>
  readonly group: PartitionGroup
  readonly replica: string
  readonly instance: string
  /// Where this process answers HTTP.
  address(): string | null
  /// Which others must know to ask there; null where nobody may.
  readonly secret: string | null
  /// Tells the operator which partitions there are here, where that can change.
  assigned(partitions: readonly number[]): void
}

const REPORT_MS = 1000
/// A drain is short: so long others have to get ready.
const LEAVE_MS_MAX = 2500
const ASK_MS_MAX = 500

export class Rollers {
  readonly #options: RollersOptions
  readonly #rollers = new Map<number, PartitionRoller>()
  readonly #summaries = new SummaryCache()
  readonly #summingUp: SummingUp
  /// Those that are on their way out, by partition.
  readonly #ending = new Map<number, Promise<void>>()
  /// How many there are, as those that are here know it.
  #partitions: number
  #assignment: ReadonlySet<number> | null = null
  #firstAssignment: () => void = () => {}
  #isStarted = false
  #isReady = false
  #stopped = false
  #cancelReport: () => void = () => {}
  /// Of those that have ended.
  #past = { rolled: 0, published: 0 }

  constructor(options: RollersOptions) {
    this.#options = options
    this.#partitions = options.log.partitions
    const { clock, fail } = options
    this.#summingUp = new SummingUp({ clock, fail, live: () => this.#live() })
  }

  /// Resolves once what is assigned first is restored and followed. Rejects with what kept it from that: RestoreInterrupted
  /// after `interrupt`.
  async start(): Promise<void> {
    // It was interrupted before.
    if (this.#stopped) throw new RestoreInterrupted()
    const first = new Promise<void>(resolve => {
      this.#firstAssignment = resolve
    })
    this.#options.group.join(partitions => this.#assign(partitions))
    this.#reportEachSecond()
    this.#summingUp.start()
    await first
    try {
      if (this.#stopped) throw new RestoreInterrupted()
      await this.#everythingRestored()
      this.#isStarted = true
    } catch (error) {
      await this.stop().catch(() => {})
      throw error
    }
  }

  /// Also what is assigned meanwhile.
  async #everythingRestored(): Promise<void> {
    const awaited = new Set<PartitionRoller>()
    for (;;) {
      const next = [...this.#rollers.values()].find(roller => !awaited.has(roller))
      if (next === undefined) return
      awaited.add(next)
      await next.restored.catch(error => {
        // One that went to another process before it was restored.
        if (this.#stopped || !(error instanceof RestoreInterrupted)) throw error
      })
    }
  }

  /// A restore that is under way ends at its next turn, and `start` with it.
  interrupt(): void {
    if (this.#assignment === null || [...this.#rollers.values()].some(({ roller }) => roller === null)) {
      this.#stopped = true
      for (const roller of this.#rollers.values()) void roller.stop().catch(() => {})
      this.#firstAssignment()
    }
  }

  /// Leaves the group, hands over to whoever is there, saves everything.
  async stop(): Promise<void> {
    const { group, clock } = this.#options
    this.#stopped = true
    this.#cancelReport()
    this.#summingUp.stop()
    const others = await within(
      clock,
      ASK_MS_MAX,
      group.hasOthers().catch(() => false),
    )
    const live = [...this.#rollers.values()]
    const leaving = group.leave()
    if (others === true) {
      const handed = Promise.allSettled(live.map(roller => roller.handOver(LEAVE_MS_MAX)))
      await within(clock, LEAVE_MS_MAX, handed)
    }
    const ended = await Promise.allSettled([...live.map(roller => roller.stop()), ...this.#ending.values()])
    await leaving
    const failed = ended.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  /// At a fault: nothing is saved, because what is in memory may be wrong.
  abandon(): void {
    this.#stopped = true
    this.#cancelReport()
    this.#summingUp.stop()
  }

  /// Once everything that was assigned at the start is as current as the log; partitions that come later do not change it.
  readiness(): Readiness {
    if (this.#isReady) return { ready: true }
    const all = [...this.#rollers.values()]
    const percent = (shares: readonly number[]) =>
      Math.floor((shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length)) * 100)
    if (this.#assignment === null)
      return { ready: false, reason: 'partitions are being assigned', percent: null }
    if (all.some(({ roller }) => roller === null)) {
      const shares = all.map(({ restoredShare }) => restoredShare)
      return { ready: false, reason: 'the state is being restored', percent: percent(shares) }
    }
    if (all.some(({ state }) => state === 'catching up')) {
      const shares = all.map(({ caughtUpShare }) => caughtUpShare)
      return { ready: false, reason: 'the end of the trade log is being rolled', percent: percent(shares) }
    }
    this.#isReady = true
    return { ready: true }
  }

  /// Those that are rolled here, or are about to be.
  get partitions(): readonly number[] {
    return [...this.#rollers.keys()]
  }

  /// 0 … 1; null when nothing is being restored.
  get restoring(): number | null {
    const shares = [...this.#rollers.values()].filter(({ roller }) => roller === null)
    if (shares.length === 0) return null
    return shares.reduce((sum, { restoredShare }) => sum + restoredShare, 0) / shares.length
  }

  /// The roller of the token's partition; null where it is not here, or not ready.
  rollerOf(token: string): RollerRole | null {
    const key = Buffer.from(token)
    const partition = partitionOf(key, 0, key.length, this.#partitions)
    const found = this.#rollers.get(partition)
    return found?.state === 'live' || found?.state === 'handing over' ? found.roller : null
  }

  /// Sums over the partitions of this process, since its start.
  get counts(): { readonly rolled: number; readonly published: number; readonly stateBytes: number } {
    const all = [...this.#rollers.values()]
    const sum = (pick: (roller: PartitionRoller) => number) =>
      all.reduce((total, one) => total + pick(one), 0)
    return {
      rolled: this.#past.rolled + sum(({ rolled }) => rolled),
      published: this.#past.published + sum(({ published }) => published),
      stateBytes: sum(({ stateBytes }) => stateBytes),
    }
  }

  reports(): PartitionReport[] {
    const { replica, instance, secret, clock } = this.#options
    const common = { replica, instance, secret, address: this.#options.address(), at: clock.now() }
    return [...this.#rollers.values()]
      .map(roller => ({ ...common, ...roller.report() }))
      .sort((a, b) => a.partition - b.partition)
  }

  #live(): RollerRole[] {
    return [...this.#rollers.values()].flatMap(({ state, roller }) =>
      state === 'live' && roller !== null ? [roller] : [],
    )
  }

  #assign(partitions: readonly number[]): void {
    if (this.#stopped) return
    const assignment = new Set(partitions)
    this.#assignment = assignment
    this.#noteAdded()
    for (const [partition, roller] of this.#rollers) {
      if (!assignment.has(partition)) this.#handOver(partition, roller)
    }
    for (const partition of partitions) {
      if (!this.#rollers.get(partition)?.keep()) void this.#begin(partition)
    }
    this.#options.assigned(partitions)
    this.#firstAssignment()
  }

  #handOver(partition: number, roller: PartitionRoller): void {
    if (roller.state === 'handing over') return
    const ended = roller
      .handOver(HAND_OVER_MS_MAX)
      .catch(error => {
        // The successor rolls again what could not be saved.
        this.#options.say(
          `Partition ${partition} was given up without a last checkpoint: ${error instanceof Error ? error.message : String(error)}`,
        )
      })
      .then(() => {
        if (
          this.#assignment?.has(partition) &&
          this.#rollers.get(partition) === roller &&
          roller.state === 'live'
        )
          return
        this.#end(partition, roller)
      })
    this.#ending.set(partition, ended)
    void ended.then(() => {
      if (this.#ending.get(partition) === ended) this.#ending.delete(partition)
    })
  }

  #end(partition: number, roller: PartitionRoller): void {
    if (this.#rollers.get(partition) !== roller) return
    this.#past = {
      rolled: this.#past.rolled + roller.rolled,
      published: this.#past.published + roller.published,
    }
    this.#rollers.delete(partition)
  }

  async #begin(partition: number): Promise<void> {
    const former = this.#ending.get(partition)
    if (former !== undefined) {
      await former
      if (this.#stopped || !this.#assignment?.has(partition) || this.#rollers.has(partition)) return
    }
    const { config, ...options } = this.#options
    const roller = new PartitionRoller({
      ...options,
      partitions: this.#partitions,
      summaries: this.#summaries,
      config: { ...config, partition },
    })
    this.#rollers.set(partition, roller)
    roller.restored.catch(error => {
      // What is assigned at the start fails by way of `start`.
      if (this.#isStarted && !(error instanceof RestoreInterrupted)) this.#options.fail(error)
    })
  }

  /// Partitions were added, and tokens belong to others now: everything is restored again, and carries what moved.
  #noteAdded(): void {
    const { partitions } = this.#options.log
    if (partitions === this.#partitions) return
    this.#options.say(
      `The trade log had ${this.#partitions} partitions and has ${partitions}: tokens move, and their statistics stand still until their swaps have.`,
    )
    this.#partitions = partitions
    for (const [partition, roller] of this.#rollers) {
      const ended = roller
        .stop()
        .catch(error => this.#options.fail(error))
        .then(() => this.#end(partition, roller))
      this.#ending.set(partition, ended)
      void this.#begin(partition)
    }
  }

  #reportEachSecond(): void {
    const { clock, feed } = this.#options
    this.#cancelReport = clock.at(epochMs(clock.now() + REPORT_MS), () => {
      if (this.#stopped) return
      this.#noteAdded()
      const reports = this.reports()
      if (reports.length > 0) feed.report(reports)
      this.#reportEachSecond()
    })
  }
}
