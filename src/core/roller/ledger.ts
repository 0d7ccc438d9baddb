/// The accepted rows and everything derived from them, kept in step: names and pairs, the slices, and the view. The
/// roller decides which rows come in; sealing and restoring move them to and from disk.

import { invariant } from '../invariant.js'
import type { SwapBatch } from '../swap-batch.js'
import type { RollerConfig } from './config.js'
import { Summaries, SummaryCache } from './query/summaries.js'
import { appendSwap } from './rows/append-swap.js'
import { BLOCK_TICKS, Block, END } from './rows/block.js'
import { digestOfRow } from './rows/digest.js'
import { type BlockEntry, Slices } from './slices/slices.js'
import { DictionaryWriter } from './storage/dictionary.js'
import type { Interner } from './storage/dictionary-reader.js'
import { type PartSource, Parts } from './storage/parts.js'
import { grownInt32 } from './tables/columns.js'
import { Names } from './tables/names.js'
import { Pairs } from './tables/pairs.js'
import { FatesByToken } from './token-fates.js'
import { Readings } from './view/readings.js'
import { View } from './view/view.js'

/// How often, in a stretch of time as long as the retention, all pairs and tokens are gone through to free those that
/// are not in use: seldom, so that it costs next to nothing; and so that what lingers is a small part of the whole.
const SWEEPS_PER_RETENTION = 32

export class Ledger implements Interner {
  readonly tokenNames = new Names()
  readonly traderNames = new Names()
  readonly pairs = new Pairs()
  readonly slices: Slices
  readonly tokenFates: FatesByToken
  readonly view: View
  readonly readings: Readings
  readonly parts: Parts
  readonly summaries: Summaries
  /// Of the delta under way, and of the current segment of parts.
  readonly deltaDictionary: DictionaryWriter
  readonly partDictionary: DictionaryWriter
  /// Blocks on disk with rows that are not.
  readonly lateEntries = new Set<BlockEntry>()
  lateRows = 0
  /// After `accept`: where the row lies.
  lastEntry: BlockEntry | null = null
  lastRow = 0
  readonly resolutionMs: number
  /// The tick that relative ticks count from.
  readonly origin: number
  readonly #sweepTicks: number
  #traderPairs = new Int32Array(64)
  #oldest = Number.POSITIVE_INFINITY
  #sweepPair = 0
  #sweepToken = 0

  constructor(config: RollerConfig, origin: number, source: PartSource, summaries = new SummaryCache()) {
    this.summaries = new Summaries(summaries)
    this.resolutionMs = config.resolutionMs
    this.origin = origin
    this.tokenFates = new FatesByToken(this.tokenNames, config.dedupeHorizonMs, config.resolutionMs)
    this.deltaDictionary = new DictionaryWriter(this.tokenNames, this.traderNames, this.pairs)
    this.partDictionary = new DictionaryWriter(this.tokenNames, this.traderNames, this.pairs)
    this.parts = new Parts(
      ...([source, this.partDictionary, config.resolutionMs, this.tokenNames, this.pairs] as const),
    )
    this.slices = new Slices(this.parts, this.pairs, origin, config.resolutionMs)
    const lengths = config.windows.map(window => window.lengthMs / config.resolutionMs)
    const retention = config.retentionMs / config.resolutionMs
    if (lengths.at(-1) !== retention) lengths.push(retention)
    this.#sweepTicks = retention / SWEEPS_PER_RETENTION
    this.view = new View(lengths, this.slices, this.pairs)
    this.readings = new Readings(this.view, this.slices, origin, config.resolutionMs)
  }

  relativeTick(timeMs: number): number {
    return Math.floor(timeMs / this.resolutionMs) - this.origin
  }

  internToken = (bytes: Uint8Array, at: number, length: number, hash: number): number => {
    const { tokenNames } = this
    const before = tokenNames.size
    const token = tokenNames.intern(bytes, at, length, hash)
    if (tokenNames.size !== before) {
      this.view.tokens.begin(token)
      this.tokenFates.begin(token)
    }
    return token
  }

  internTrader = (bytes: Uint8Array, at: number, length: number, hash: number): number => {
    const { traderNames } = this
    const before = traderNames.size
    const trader = traderNames.intern(bytes, at, length, hash)
    if (traderNames.size !== before) {
      if (trader >= this.#traderPairs.length) this.#traderPairs = grownInt32(this.#traderPairs, trader + 1)
      this.#traderPairs[trader] = 0
    }
    return trader
  }

  internPair(token: number, trader: number): number {
    const known = this.pairs.find(token, trader)
    return known >= 0 ? known : this.#addPair(token, trader)
  }

  glanced = 0

  glanceAtToken = (hash: number): number => this.tokenNames.glance(hash)

  glanceAtTrader = (hash: number): number => this.traderNames.glance(hash)

  glanceAtPair(token: number, trader: number): number {
    return this.pairs.glance(token, trader)
  }

  /// Stores row i of the batch as accepted at the offset; `lastEntry` and `lastRow` tell where.
  accept(
    batch: SwapBatch,
    i: number,
    token: number,
    pair: number,
    relativeTick: number,
    offset: number,
  ): void {
    const entry = this.open(relativeTick)
    const rows = this.slices.rowsOf(entry)
    const row = appendSwap(rows, relativeTick - entry.begin, batch, i, token, pair, offset)
    if (entry.onDisk) this.noteLate(entry)
    const cell = this.slices.seat(entry, rows, row, token)
    this.view.insert(rows, row, token, relativeTick, cell, this.slices.opened)
    this.lastEntry = entry
    this.lastRow = row
  }

  /// The block of a relative tick, made if it is new.
  open(relativeTick: number): BlockEntry {
    const entry = this.slices.open(relativeTick)
    if (entry.index < this.#oldest) this.#oldest = entry.index
    return entry
  }

  /// Says that a row of a block on disk is in memory only.
  noteLate(entry: BlockEntry): void {
    this.lateEntries.add(entry)
    this.lateRows++
  }

  /// Moves view time, drops what ends at or before the tick that `retained` gives then, and frees what is not in use any
  /// more, a stretch at a time.
  advance(to: number, retained: () => number): void {
    const from = this.view.now
    this.view.advance(to)
    this.view.loadAhead()
    this.drop(retained())
    if (this.view.now > from) this.#sweep(retained(), (this.view.now - from) / this.#sweepTicks)
  }

  /// The digest of the row with this id in the slice, or null where there is none.
  findInSlice(relativeTick: number, id0: number, id1: number): number | null {
    const entry = this.slices.at(relativeTick)
    if (entry === undefined) return null
    const slot = relativeTick - entry.begin
    if (entry.rows !== null) {
      const found = this.#findIn(entry.rows, slot, id0, id1)
      if (found !== null) return found
    }
    if (!entry.onDisk || !this.parts.hasId(entry.index, slot, id0, id1)) return null
    const rows = new Block(64)
    this.parts.readWithIds(entry.index, Number.POSITIVE_INFINITY, (_, at) => at === slot, rows)
    return this.#findIn(rows, slot, id0, id1)
  }

  /// Removes the blocks that end at or before the relative tick.
  drop(upTo: number): void {
    while (this.slices.count > 0 && this.slices.beginOf(this.#oldest) + BLOCK_TICKS - 1 <= upTo) {
      const entry = this.slices.get(this.#oldest)
      if (entry !== undefined) {
        if (this.lateEntries.delete(entry)) this.#recountLate()
        this.slices.remove(entry)
        this.summaries.forgetBlock(entry.index)
      }
      this.#oldest = this.#nextOldest()
    }
  }

  /// The lowest block that is kept, or the one that holds the relative tick when none is.
  oldestBlock(relativeTick: number): number {
    return this.slices.count === 0 ? this.slices.blockOf(relativeTick) : this.#oldest
  }

  /// Says that the block's rows below `coversTo` are on disk.
  sealed(entry: BlockEntry, coversTo: number): void {
    const wasHot = !entry.onDisk
    entry.onDisk = true
    entry.sealedUpTo = coversTo
    this.slices.unloadRows(entry)
    if (wasHot && entry.cells !== null) {
      if (this.view.needs(entry)) this.slices.loadedBlocks.add(entry)
      else this.slices.release(entry)
    }
    if (entry.rows === null) this.lateEntries.delete(entry)
    else this.lateEntries.add(entry)
    this.#recountLate()
  }

  /// The digest of a row.
  digest(rows: Block, row: number): number {
    const token = rows.token[row] as number
    const trader = this.pairs.trader((rows.pairSide[row] as number) >> 1)
    return digestOfRow(
      rows,
      row,
      this.tokenNames.hashOf[token] as number,
      this.traderNames.hashOf[trader] as number,
    )
  }

  /// Frees every pair, trader and token that no row refers to.
  freeUnused(retained: number): void {
    this.#sweep(retained, 1)
  }

  #findIn(rows: Block, slot: number, id0: number, id1: number): number | null {
    for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
      if (rows.id0[row] === id0 && rows.id1[row] === id1) return this.digest(rows, row)
    }
    return null
  }

  #recountLate(): void {
    this.lateRows = 0
    for (const { rows } of this.lateEntries) this.lateRows += rows?.rows ?? 0
  }

  #nextOldest(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const entry of this.slices.entries()) if (entry.index < oldest) oldest = entry.index
    return oldest
  }

  /// Goes through a share of the pairs and tokens, and frees those all of whose swaps lie in blocks that are gone.
  #sweep(retained: number, share: number): void {
    if (retained === Number.NEGATIVE_INFINITY) return
    const oldest = this.slices.blockOf(retained + 1)
    const before = this.slices.beginOf(oldest) - 1
    const pairs = Math.ceil(Math.min(1, share) * this.pairs.idLimit)
    for (let i = 0; i < pairs; i++) {
      const pair = this.#sweepPair
      this.#sweepPair = pair + 1 >= this.pairs.idLimit ? 0 : pair + 1
      if (this.pairs.has(pair) && this.pairs.isPast(pair, before)) this.#freePair(pair)
    }
    const tokens = Math.ceil(Math.min(1, share) * this.tokenNames.idLimit)
    for (let i = 0; i < tokens; i++) {
      const token = this.#sweepToken
      this.#sweepToken = token + 1 >= this.tokenNames.idLimit ? 0 : token + 1
      if (this.tokenNames.has(token)) this.#trimToken(token, oldest)
    }
  }

  #trimToken(token: number, oldest: number): void {
    const { tokenBlocks } = this.slices
    tokenBlocks.trim(token, oldest)
    const { tokens } = this.view
    if (tokens.pairs[token] !== 0 || tokens.changed[token] === 1) return
    invariant(tokenBlocks.from(token, oldest) < 0, 'a token without pairs has no swaps')
    this.deltaDictionary.forgetToken(token)
    this.partDictionary.forgetToken(token)
    this.summaries.forgetToken(token)
    this.tokenNames.free(token)
  }

  #addPair(token: number, trader: number): number {
    const { tokens } = this.view
    tokens.pairs[token] = (tokens.pairs[token] as number) + 1
    this.#traderPairs[trader] = (this.#traderPairs[trader] as number) + 1
    return this.pairs.add(token, trader)
  }

  #freePair(pair: number): void {
    const token = this.pairs.token(pair)
    const trader = this.pairs.trader(pair)
    this.deltaDictionary.forgetPair(pair)
    this.partDictionary.forgetPair(pair)
    this.pairs.free(pair)
    const { tokens } = this.view
    tokens.pairs[token] = (tokens.pairs[token] as number) - 1
    const ofTrader = (this.#traderPairs[trader] as number) - 1
    this.#traderPairs[trader] = ofTrader
    if (ofTrader > 0) return
    this.deltaDictionary.forgetTrader(trader)
    this.partDictionary.forgetTrader(trader)
    this.traderNames.free(trader)
  }
}
