/// The roller's state of one partition on Kafka: its partition of topic `rolls` is the truth, a store on this machine a
/// cache of it (rolls-cache.ts).
///
/// Opening reads what is new in the topic into the cache, each offset once (rolls-fold.ts). A checkpoint is an append
/// to the topic, confirmed by all replicas in sync, then one to the cache. Parts are made here, from deltas, and are never
/// shared, but for those of a state that a backfill wrote (rebuilt-state.ts).
///
/// Two processes may write at once: one that is handing the partition over and its successor, or one that was taken for
/// dead. Deltas are deterministic, so it makes no difference whose are read. Once a backfill has begun another state, what is written on
/// the former one is void.

import { epochMs, type Offset } from '../../core/units.js'
import {
  DamagedError,
  SettingsMismatchError,
  StateReplacedError,
  UnfinishedStateError,
} from '../../ports/errors.js'
import type {
  Delta,
  LogGap,
  Placement,
  SharedState,
  SlicePart,
  StateStore,
  StoredPart,
} from '../../ports/state-store.js'
import { addsTo } from '../memory/state-store.js'
import { lookUpBounds, type PartitionBounds } from './offsets.js'
import type { RollsContext } from './rolls.js'
import { appendRoll } from './rolls-append.js'
import { RollsCache } from './rolls-cache.js'
import { RollsFold } from './rolls-fold.js'
import { PartsAssembler } from './rolls-parts.js'
import { type Read, RollsReader } from './rolls-reader.js'
import { deltaOf, type RollRecord } from './rolls-record.js'

/// Writers with other rules than ours are a danger as long as they may go on writing.
const OTHER_RULES_MS = 60_000
/// Topic `rolls` keeps what is an hour older than the retention.
const KEEP_ALIVE_MS = 30 * 60_000
const NO_BYTES = new Uint8Array(0)

/// Reading the topic, 0 … 1.
export type ReadProgress = (share: number) => void

export class KafkaStateStore implements StateStore, SharedState {
  readonly #context: RollsContext
  readonly #partition: number
  readonly #reader: RollsReader
  #cache: RollsCache
  /// Which state it is (rolls-record.ts).
  #state = 0
  #readTo = 0
  /// Below it no other state has begun.
  #currentTo = 0
  #gaps: LogGap[] = []
  /// A delta that the topic has and the cache has not: this is where it ends.
  #inTopicTo = 0
  #placement: Placement = { carried: 0, settled: 0 }
  /// The last delta that was appended or read, and when.
  #last: { readonly delta: Delta; readonly at: number } | null = null

  private constructor(context: RollsContext, partition: number, cache: RollsCache) {
    this.#context = context
    this.#partition = partition
    this.#reader = new RollsReader(context, partition)
    this.#cache = cache
  }

  /// Reads what is new. Rejects with SettingsMismatchError where others write by other rules or of another topic, with
  /// UnfinishedStateError while a backfill has not ended what it began, with DamagedError where something of what it wrote is missing, with
  /// UnknownFormatError, with LogRefusedError when the topic cannot be read, and with the signal's reason when it aborts.
  static async open(
    context: RollsContext,
    partition: number,
    progress: ReadProgress,
    signal: AbortSignal,
  ): Promise<KafkaStateStore> {
    const store = new KafkaStateStore(context, partition, await RollsCache.open(context.cache(partition)))
    try {
      await store.#catchUp(progress, signal)
    } catch (error) {
      await store.#cache.store.close()
      throw error
    }
    return store
  }

  position(): Offset {
    return this.#cache.store.position()
  }

  parts(): Iterable<StoredPart> {
    return this.#cache.store.parts()
  }

  deltas(): Iterable<Delta> {
    return this.#cache.store.deltas()
  }

  readParts(block: number): readonly StoredPart[] {
    return this.#cache.store.readParts(block)
  }

  async appendDelta(delta: Delta): Promise<void> {
    if (!addsTo(delta, this.position())) return
    // Where the cache alone failed, the topic has it already.
    if (delta.coversTo > this.#inTopicTo) {
      await this.#append({ kind: 'delta', ...delta })
      this.#inTopicTo = delta.coversTo
      this.#last = { delta, at: this.#context.cluster.clock.now() }
    }
    await this.#cache.store.appendDelta(delta)
    this.#noteCursor()
  }

  appendParts(parts: readonly SlicePart[]): Promise<void> {
    return this.#cache.store.appendParts(parts)
  }

  forget(what: Parameters<StateStore['forget']>[0]): Promise<void> {
    return this.#cache.store.forget(what)
  }

  /// On this machine.
  sizeBytes(): number {
    return this.#cache.store.sizeBytes()
  }

  async close(): Promise<void> {
    await this.#cache.store.close()
  }

  gaps(): readonly LogGap[] {
    const now = this.#context.cluster.clock.now()
    this.#gaps = this.#gaps.filter(({ until }) => until > now)
    return this.#gaps
  }

  async noteGap(gap: LogGap): Promise<void> {
    const { from: coversFrom, to: coversTo, until: logTime } = gap
    await this.#append({ kind: 'gap', coversFrom, coversTo, logTime, maxBlock: -1, payload: NO_BYTES })
    this.#gaps = [...this.gaps(), gap]
    this.#noteCursor()
  }

  placement(): Placement {
    return this.#placement
  }

  async noteCarried(partitions: number): Promise<void> {
    const at = this.position()
    const logTime = epochMs(this.#context.cluster.clock.now())
    await this.#append(
      { kind: 'carried', coversFrom: at, coversTo: at, logTime, maxBlock: -1, payload: NO_BYTES },
      partitions,
    )
    this.#placement = { ...this.#placement, carried: partitions }
    this.#noteCursor()
  }

  settle(partitions: number): void {
    this.#placement = { carried: partitions, settled: partitions }
    this.#noteCursor()
  }

  async othersCarried(partitions: number): Promise<boolean> {
    const { cluster, tradesTopic } = this.#context
    const every = Array.from({ length: partitions }, (_, i) => i)
    const trades = await lookUpBounds(cluster, tradesTopic, every)
    // One without swaps has none to carry; what comes later is carried as it comes.
    const others = every.filter(i => i !== this.#partition && !isEmpty(trades.get(i)))
    for (const partition of others) {
      // By its last record: whoever is at work there says it, again and again until all have.
      const last = await new RollsReader(this.#context, partition).last(cluster.signal)
      if (last?.roll.spread !== partitions) return false
    }
    return true
  }

  async keepAlive(): Promise<void> {
    const { clock } = this.#context.cluster
    if (this.#last === null || clock.now() - this.#last.at < KEEP_ALIVE_MS) return
    const { delta } = this.#last
    await this.#append({ kind: 'delta', ...delta })
    this.#last = { delta, at: clock.now() }
    this.#noteCursor()
  }

  async overtaken(at: Offset, signal: AbortSignal): Promise<boolean> {
    const { writer } = this.#context
    for await (const { roll } of this.#reader.follow(await this.#keptFrom(this.#readTo), signal)) {
      this.#checkCurrent(roll)
      const isSuccessors = roll.writer !== writer && roll.state >= this.#state
      if (roll.kind === 'delta' && isSuccessors && roll.coversTo > at) return true
    }
    return false
  }

  discard(): Promise<void> {
    return this.#cache.discard()
  }

  async #append(
    roll: Pick<RollRecord, 'kind' | keyof Delta>,
    spread = this.#placement.settled,
  ): Promise<void> {
    const [appended] = await appendRoll(this.#context, {
      ...roll,
      ...{ spread, state: this.#state, partition: this.#partition },
    })
    if (appended === undefined) return
    // What others have appended before it was not read: then the next start reads from there.
    if (appended.end === this.#readTo + 1) this.#readTo = appended.end
    else await this.#checkUpTo(appended.end - 1)
    this.#currentTo = appended.end
  }

  /// What others have appended may be the beginning of another state, in which what is appended here is void.
  async #checkUpTo(end: number): Promise<void> {
    if (this.#currentTo >= end) return
    const from = await this.#keptFrom(this.#currentTo)
    for await (const { roll } of this.#reader.follow(from, this.#context.cluster.signal, end)) {
      this.#checkCurrent(roll)
    }
  }

  /// A backfill drops what was there before.
  async #keptFrom(at: number): Promise<number> {
    const { cluster, topic } = this.#context
    const bounds = await lookUpBounds(cluster, topic, [this.#partition])
    return Math.max(at, bounds.get(this.#partition)?.first ?? at)
  }

  #checkCurrent({ kind, state }: RollRecord): void {
    if (kind !== 'began' && state <= this.#state) return
    throw new StateReplacedError(
      `Partition ${this.#partition}: \`volumer backfill\` has written the state anew, while this process had the former one. ` +
        'What was rolled since is in the trade log, and the new state goes on from there: start again.',
    )
  }

  #noteCursor(): void {
    const { gaps, placement } = { gaps: this.#gaps, placement: this.#placement }
    const coversTo = this.position()
    this.#cache.note({ readTo: this.#readTo, coversTo, state: this.#state, gaps, placement })
  }

  async #catchUp(progress: ReadProgress, signal: AbortSignal): Promise<void> {
    const { cluster, topic } = this.#context
    const { first, end } =
      (await lookUpBounds(cluster, topic, [this.#partition])).get(this.#partition) ?? NONE
    const from = this.#beginFrom({ first, end })
    this.#readTo = from
    const fold = new RollsFold({ position: this.position(), state: this.#state, first, from })
    let parts = new PartsAssembler()
    let holes = 0
    let last: Read | null = null
    if (from < end) {
      for await (const read of this.#reader.follow(from, signal, end)) {
        this.#check(read.roll)
        const standing = fold.enter(read.roll, read.next - 1)
        if (standing === 'anew') {
          await this.#beginAnew(fold.state)
          parts = new PartsAssembler()
        }
        if (standing !== 'void') {
          last = read
          if (!(await this.#take(read, fold, parts))) holes++
        }
        progress((read.next - from) / (end - from))
      }
    }
    signal.throwIfAborted()
    this.#readTo = Math.max(from, end)
    this.#currentTo = this.#readTo
    this.#checkWhole(fold)
    this.#checkRules(last)
    if (holes > 0) this.#sayHoles(holes)
    this.#inTopicTo = this.position()
    this.#noteCursor()
    progress(1)
  }

  /// Where reading begins: at the cursor, as long as the topic reaches back to it.
  #beginFrom({ first, end }: PartitionBounds): number {
    const { cursor } = this.#cache
    if (cursor === null || cursor.readTo < first || cursor.readTo > end) return first
    this.#gaps = [...cursor.gaps]
    this.#placement = cursor.placement
    this.#state = cursor.state
    return cursor.readTo
  }

  /// Lets go of the state up to now.
  async #beginAnew(state: number): Promise<void> {
    await this.#dropCache()
    this.#state = state
    this.#gaps = []
    this.#placement = { carried: 0, settled: 0 }
    this.#last = null
  }

  async #dropCache(): Promise<void> {
    await this.#cache.store.close()
    this.#cache = RollsCache.anew(this.#context.cache(this.#partition))
  }

  /// False for a delta behind a hole.
  async #take(read: Read, fold: RollsFold, parts: PartsAssembler): Promise<boolean> {
    const { roll } = read
    switch (roll.kind) {
      case 'delta':
        return this.#takeDelta(read, fold)
      case 'gap':
        this.#takeGap(roll)
        return true
      case 'carried':
        this.#takePlacement(roll.spread, 0)
        return true
      case 'began':
        return true
      case 'parts':
        await this.#takeParts(roll, fold, parts)
        return true
      case 'ended':
        if (!parts.isComplete) fold.noteDamage('the end of its last part')
        fold.end(roll)
        this.#takePlacement(roll.spread, roll.spread)
        return true
      default:
        return roll.kind satisfies never
    }
  }

  async #takeParts(roll: RollRecord, fold: RollsFold, parts: PartsAssembler): Promise<void> {
    if (!fold.takesParts(roll)) return
    const taken = parts.take(Buffer.from(roll.payload))
    if (typeof taken === 'string') fold.noteDamage(`a part of which ${taken}`)
    else if (taken.length > 0) await this.#cache.store.appendParts(taken)
  }

  /// False for one behind a hole.
  async #takeDelta({ roll, appendTimeMs }: Read, fold: RollsFold): Promise<boolean> {
    const { epochs } = this.#context
    const verdict = fold.judge(roll)
    if (verdict === 'hole') return false
    epochs.note(this.#partition, roll.coversTo - 1, roll.leaderEpoch)
    this.#takePlacement(roll.spread, roll.spread)
    if (verdict === 'begins' && this.position() > 0) await this.#dropCache()
    if (verdict === 'covered') return true
    const delta = deltaOf(roll)
    await this.#cache.store.appendDelta(delta)
    this.#last = { delta, at: appendTimeMs }
    return true
  }

  /// There are never fewer partitions than before: a smaller number is that of a zombie.
  #takePlacement(carried: number, settled: number): void {
    this.#placement = {
      carried: Math.max(this.#placement.carried, carried),
      settled: Math.max(this.#placement.settled, settled),
    }
  }

  #takeGap({ coversFrom: from, coversTo: to, logTime: until }: RollRecord): void {
    const known = this.#gaps.some(gap => gap.from === from && gap.to === to)
    if (!known && until > this.#context.cluster.clock.now()) this.#gaps.push({ from, to, until })
  }

  #checkWhole({ damage, isUnfinished }: RollsFold): void {
    const where = `Partition ${this.#partition} of topic ${this.#context.topic}`
    if (damage !== null) {
      throw new DamagedError(
        `${where} has a state that \`volumer backfill\` wrote, and lacks ${damage}.`,
        'Stop every roller and run `volumer backfill` again.',
      )
    }
    if (!isUnfinished) return
    throw new UnfinishedStateError(
      `${where} has a state that \`volumer backfill\` began to write and did not bring to its end: half of it would be served. ` +
        'Nothing is lost: swaps are in the archive and in the trade log. Stop every roller and run `volumer backfill` again, to its end; then start. ' +
        `Or delete topic ${this.#context.topic}, and start: the state is rolled anew from the swaps that the trade log holds.`,
    )
  }

  #check({ tradesId }: RollRecord): void {
    const { topic, tradesTopic, tradesId: current } = this.#context
    if (tradesId === current) return
    throw new SettingsMismatchError(
      `Topic ${tradesTopic} was deleted and made again, and topic ${topic} holds the state of the former one: its offsets mean other swaps. ` +
        `To begin anew with what ${tradesTopic} holds now, delete topic ${topic}, too, and start again.`,
    )
  }

  /// Who writes by other rules accepts other swaps: the state must not be a mixture, unless the others have stopped.
  #checkRules(last: Read | null): void {
    const { topic, rules, cluster } = this.#context
    if (last === null || last.roll.rules === rules || last.roll.writer === this.#context.writer) return
    if (cluster.clock.now() - last.appendTimeMs > OTHER_RULES_MS) return
    throw new SettingsMismatchError(
      `Another instance writes to topic ${topic} with another resolution, retention, early-tolerance or dedupe-horizon. ` +
        'All instances of a replica set have the same. To change one of them, stop all, wait for a minute, and start them with the new value.',
    )
  }

  #sayHoles(holes: number): void {
    const { topic, say } = this.#context
    say(
      `Partition ${this.#partition} of topic ${topic} lacks a delta before ${holes} others: the state is rolled again from offset ${this.position().toLocaleString('en')} on.`,
    )
  }
}

const isEmpty = (bounds: PartitionBounds | undefined): boolean =>
  bounds !== undefined && bounds.first >= bounds.end

const NONE: PartitionBounds = { first: 0, end: 0 }
