/// The system under test: decoder, roller and wire encoding over a state store in memory, with a log that outlives
/// crashes. Checkpoints and restores go the way the consumer goes.

import assert from 'node:assert/strict'
import { MemoryStateStore } from '../../src/adapters/memory/state-store.js'
import { JsonDecoder } from '../../src/core/decode/json-decoder.js'
import type { RollerConfig } from '../../src/core/roller/config.js'
import type { FateCounts } from '../../src/core/roller/fates.js'
import { SummaryCache, type SummaryLimits } from '../../src/core/roller/query/summaries.js'
import type { TokenQuery, TokenQuestion } from '../../src/core/roller/query/token-query.js'
import { Roller, type RollerDelta } from '../../src/core/roller/roller.js'
import type { CountedFates } from '../../src/core/roller/token-fates.js'
import { epochMs, offset, tick as tickUnit } from '../../src/core/units.js'
import { placeWindows } from '../../src/delivery/wire/metrics.js'
import { encodeStats } from '../../src/delivery/wire/stats.js'
import type { StateStore } from '../../src/ports/state-store.js'
import { ndjson, type RawBatch, type Rules } from './raw-swap.js'

export interface RolledOptions {
  readonly rules: Rules
  readonly startTick: number
  /// Null: without a store, everything in memory.
  readonly hotRangeMs: number | null
  /// False: the store keeps everything, as it may.
  readonly forgets?: boolean
  /// Opens the store, again after each crash; a store in memory unless given.
  readonly openStore?: () => StateStore
  /// Deltas go to a changelog that several writers share, and the store is a cache of it: see Changelog.
  readonly changelog?: boolean
  /// How questions are prepared for; unless given, with what little there is in a random history.
  readonly summaries?: SummaryLimits
}

const FEW: SummaryLimits = { bytesMax: 20_000, spanBlocks: 3, runRows: 2, askedSwaps: 0, aheadSwaps: 5 }

interface Logged {
  readonly firstOffset: number
  readonly count: number
  readonly appendTime: number
  readonly lines: Uint8Array
}

/// A process that was taken for dead and goes on for a while.
interface Zombie {
  readonly roller: Roller
  readonly store: StateStore
  unstored: RollerDelta | null
}

export class Rolled {
  readonly #config: RollerConfig
  readonly #durable: boolean
  readonly #summaries: SummaryCache
  readonly #forgets: boolean
  readonly #log: Logged[] = []
  readonly #decoder = new JsonDecoder()
  readonly #openStore: () => StateStore
  readonly #changelog: Changelog | null
  readonly #zombies: Zombie[] = []
  #moves = 0
  #store: StateStore
  /// The checkpoint under way, and its delta until that is stored.
  #saving: AsyncGenerator<void, void> | null = null
  #unstored: RollerDelta | null = null
  #roomForParts = Number.POSITIVE_INFINITY
  #roller: Roller
  /// What a watcher would serve: refreshed only for tokens that were reported as changed, and without the fields
  /// that every answer has anew.
  readonly #watched = new Map<string, string>()

  constructor({
    rules,
    startTick,
    hotRangeMs,
    forgets = true,
    openStore,
    changelog,
    summaries = FEW,
  }: RolledOptions) {
    const memory = new MemoryStateStore()
    this.#openStore = openStore ?? (() => memory)
    this.#changelog = changelog === true ? new Changelog() : null
    this.#store = this.#openStore()
    this.#forgets = forgets
    this.#durable = hotRangeMs !== null
    this.#summaries = new SummaryCache(summaries)
    this.#config = {
      partition: 0,
      windows: rules.windows.map(([name, lengthMs]) => ({ name, lengthMs })),
      resolutionMs: rules.resolutionMs,
      retentionMs: rules.retentionMs,
      admission: 'log-time',
      earlyToleranceMs: rules.earlyToleranceMs,
      dedupeHorizonMs: rules.dedupeHorizonMs,
      hotRangeMs: hotRangeMs ?? Number.POSITIVE_INFINITY,
    }
    this.#roller = this.#newRoller(startTick)
  }

  get viewTick(): number {
    return this.#roller.viewTick
  }

  get fates(): Readonly<FateCounts> {
    return this.#roller.fates
  }

  fatesOf(token: string): CountedFates | null {
    return this.#roller.fatesOf(token)
  }

  get sizes(): Roller['sizes'] {
    return this.#roller.sizes
  }

  /// Begins to answer a question; see Roller.ask.
  ask(token: string, question: TokenQuestion): TokenQuery | null {
    return this.#roller.ask(token, question)
  }

  get summaryBytes(): number {
    return this.#summaries.bytes
  }

  /// Goes on with what is prepared for questions; see Roller.summarize.
  summarize(): boolean {
    return this.#roller.summarize()
  }

  append(batch: RawBatch): void {
    const last = this.#log.at(-1)
    const logged = {
      firstOffset: last === undefined ? 0 : last.firstOffset + last.count,
      count: batch.records.length,
      appendTime: batch.appendTime,
      lines: ndjson(batch.records),
    }
    this.#log.push(logged)
    this.#roll(logged)
  }

  advance(tick: number): void {
    this.#roller.advance(tickUnit(tick))
  }

  /// Saves what has come, and moves what has left the hot range to the store.
  async checkpoint(): Promise<void> {
    while (!(await this.saveOn())) {}
  }

  /// Goes on with the checkpoint under way, or begins one, up to its next pause: the places where a process waits for
  /// its disk, goes on rolling meanwhile, and may be killed. True when the checkpoint is through.
  async saveOn(): Promise<boolean> {
    if (!this.#durable) return true
    this.#saving ??= this.#save()
    const { done = false } = await this.#saving.next()
    if (done) this.#saving = null
    return done
  }

  /// From here on, so many parts find room on the disk, then one does not.
  fillDisk(roomForParts: number): void {
    this.#roomForParts = roomForParts
  }

  async *#save(): AsyncGenerator<void, void> {
    const roller = this.#roller
    const until = roller.position
    for (;;) {
      this.#unstored ??= roller.takeDelta()
      yield
      if (this.#unstored === null) break
      const { coversTo } = this.#unstored
      this.#changelog?.append(this.#unstored)
      await this.#store.appendDelta(this.#unstored)
      yield
      this.#unstored = null
      roller.committed(coversTo)
      yield
      if (coversTo >= until) break
    }
    for (;;) {
      const parts = roller.takeParts()
      if (parts === null) break
      yield
      if (parts.length === 0) continue
      if (this.#roomForParts-- === 0) {
        this.#roomForParts = Number.POSITIVE_INFINITY
        roller.partsFailed()
        return
      }
      await this.#store.appendParts(parts)
      yield
      roller.partsStored()
      yield
    }
    const { forgettable } = roller
    if (forgettable === null || !this.#forgets) return
    yield
    await this.#store.forget(forgettable)
  }

  /// Forgets everything in memory, restores from the store, and rolls the log from there. View time begins at
  /// `restartTick` and goes on where it was. With a changelog, `moved` says that another process takes over, with an empty
  /// store or with what it had of old, while this one goes on as a zombie.
  async crash(restartTick: number, moved = false): Promise<void> {
    const viewTick = this.#roller.viewTick
    const changelog = this.#changelog
    if (moved && changelog !== null) {
      const zombie = { roller: this.#roller, store: this.#store, unstored: this.#unstored }
      const back = this.#moves++ % 3 === 2 ? this.#zombies.shift() : undefined
      this.#zombies.push(zombie)
      this.#store = back?.store ?? new MemoryStateStore()
    } else if (changelog === null) {
      await this.#store.close()
      this.#store = this.#openStore()
    }
    this.#saving = null
    this.#unstored = null
    this.#roller.letGo()
    await changelog?.foldInto(this.#store)
    const roller = this.#newRoller(restartTick)
    if (this.#durable) {
      for (const part of this.#store.parts()) roller.restorePart(part.block, part.coversTo, part)
      for (const delta of this.#store.deltas()) {
        roller.restoreDelta(delta)
        if (changelog !== null) await this.#sealWhileRestoring(roller)
      }
      for (const share of roller.restored()) assert.ok(share > 0 && share <= 1)
      assert.equal(
        roller.position,
        this.#store.position(),
        'a restored roller stands where its last delta ended',
      )
    }
    this.#roller = roller
    for (const logged of this.#log) {
      if (logged.firstOffset + logged.count > roller.position) this.#roll(logged)
    }
    roller.advance(tickUnit(viewTick))
    this.#watched.clear()
  }

  /// A process that was taken for dead rolls so many batches more, and writes a delta.
  haunt(which: number, batches: number): void {
    const zombie = this.#zombies[which % Math.max(1, this.#zombies.length)]
    if (zombie === undefined || this.#changelog === null) return
    let left = batches
    for (const logged of this.#log) {
      if (logged.firstOffset + logged.count <= zombie.roller.position) continue
      if (left-- === 0) break
      this.#roll(logged, zombie.roller)
    }
    zombie.unstored ??= zombie.roller.takeDelta()
    if (zombie.unstored === null) return
    this.#changelog.append(zombie.unstored)
    zombie.roller.committed(zombie.unstored.coversTo)
    zombie.unstored = null
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  /// The answer of every listed token, as JSON text.
  answers(): Map<string, string> {
    const windows = placeWindows(this.#config.windows)
    const answers = new Map<string, string>()
    for (const token of this.#roller.tokens()) {
      const stats = this.#roller.stats(token)
      assert.ok(stats !== null, `${token} is listed and has statistics`)
      assert.ok(!answers.has(token), `${token} is listed once`)
      answers.set(token, encodeStats(stats, windows))
    }
    return answers
  }

  /// What somebody knows who asks only for tokens that were reported as changed. `asOf` and `version` are left out:
  /// they advance without a change.
  watched(): Map<string, string> {
    const windows = placeWindows(this.#config.windows)
    const first = this.#watched.size === 0
    const changed = new Set([...this.#roller.takeChanged(), ...(first ? this.#roller.tokens() : [])])
    for (const token of changed) {
      const update = this.#roller.update(token)
      if (update.cells === null) this.#watched.delete(token)
      else this.#watched.set(token, withoutTime(encodeStats(update, windows)))
    }
    return this.#watched
  }

  /// As RollerRole does it: a cold store holds a day of deltas, which must not all stay in memory.
  async #sealWhileRestoring(roller: Roller): Promise<void> {
    roller.committed(roller.position)
    for (let parts = roller.takeParts(); parts !== null; parts = roller.takeParts()) {
      if (parts.length === 0) continue
      await this.#store.appendParts(parts)
      roller.partsStored()
    }
    const { forgettable } = roller
    if (forgettable !== null && this.#forgets) await this.#store.forget(forgettable)
  }

  #roll(logged: Logged, roller = this.#roller): void {
    const { batch, records } = this.#decoder.decodeLines(logged.lines)
    assert.equal(records, logged.count, 'every line is a record')
    roller.apply(batch, offset(logged.firstOffset), logged.count, epochMs(logged.appendTime))
  }

  #newRoller(startTick: number): Roller {
    return new Roller(this.#config, tickUnit(startTick), this.#durable ? this.#store : null, this.#summaries)
  }
}

/// What topic `rolls` is to its readers: deltas of several writers, in the order in which they came, which may cover the
/// same offsets.
class Changelog {
  readonly #deltas: RollerDelta[] = []

  append(delta: RollerDelta): void {
    this.#deltas.push(delta)
  }

  /// Brings the store up to date.
  async foldInto(store: StateStore): Promise<void> {
    for (const delta of this.#deltas) await store.appendDelta(delta)
  }
}

export function withoutTime(text: string): string {
  return text.replace(/"asOf":\d+,"version":"[^"]*"/, '"asOf":0,"version":""')
}
