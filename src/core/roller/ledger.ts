/// The accepted rows and everything derived from them, kept in step: names and pairs with their references, the
/// slices, and the view. The roller decides which rows come in; sealing and restoring move them to and from disk.

import { hash32 } from '../fingerprint.js'
import type { SwapBatch } from '../swap-batch.js'
import { BLOCK_TICKS, Block, compareRows, END } from './block.js'
import { grownInt32 } from './columns.js'
import type { RollerConfig } from './config.js'
import { DictionaryWriter, type Interner } from './dictionary.js'
import { digestOf, digestOfRow } from './digest.js'
import { Names } from './names.js'
import { Pairs } from './pairs.js'
import { type PartSource, Parts, type StoredPart } from './parts.js'
import { keepsId } from './row-codec.js'
import { type BlockEntry, Slices } from './slices.js'
import { View } from './view.js'

export class Ledger implements Interner {
  readonly tokenNames = new Names()
  readonly traderNames = new Names()
  readonly pairs = new Pairs()
  readonly slices: Slices
  readonly view: View
  readonly parts: Parts
  /// Of the delta under way, and of the current segment of parts.
  readonly deltaDictionary: DictionaryWriter
  readonly partDictionary: DictionaryWriter
  /// Blocks on disk with rows that are not.
  readonly lateEntries = new Set<BlockEntry>()
  lateRows = 0
  /// Called with the name of a token that is freed while it waits among the changed ones.
  onFreed: (token: string) => void = () => {}
  readonly #resolutionMs: number
  readonly #origin: number
  #traderPairs = new Int32Array(64)
  #oldest = Number.POSITIVE_INFINITY
  readonly #scratch = new Block(64)

  constructor(config: RollerConfig, origin: number, source: PartSource) {
    this.#resolutionMs = config.resolutionMs
    this.#origin = origin
    this.deltaDictionary = new DictionaryWriter(this.tokenNames, this.traderNames, this.pairs)
    this.partDictionary = new DictionaryWriter(this.tokenNames, this.traderNames, this.pairs)
    this.parts = new Parts(source, this.partDictionary, config.resolutionMs, () => this.pairs.token)
    this.slices = new Slices(this.parts)
    const lengths = config.windows.map(window => window.lengthMs / config.resolutionMs)
    this.view = new View(
      [...lengths, config.retentionMs / config.resolutionMs],
      origin,
      this.slices,
      this.pairs,
    )
    this.view.relativeTickOf = timeMs => this.relativeTick(timeMs)
  }

  relativeTick(timeMs: number): number {
    return Math.floor(timeMs / this.#resolutionMs) - this.#origin
  }

  blockOf(relativeTick: number): number {
    return Math.floor((relativeTick + this.#origin) / BLOCK_TICKS)
  }

  /// The relative tick with which the block begins.
  beginOf(index: number): number {
    return index * BLOCK_TICKS - this.#origin
  }

  token = (name: Uint8Array): number => this.#internToken(name, 0, name.length)

  trader = (name: Uint8Array): number => this.#internTrader(name, 0, name.length)

  pair = (token: number, trader: number): number => this.pairs.intern(token, trader, this.#onNewPair)

  /// Stores row i of the batch as accepted at the offset. Returns the entry and the row.
  accept(batch: SwapBatch, i: number, relativeTick: number, offset: number): void {
    const token = this.#internToken(batch.bytes, batch.tokenAt[i] as number, batch.tokenLength[i] as number)
    const trader = this.#internTrader(batch.bytes, batch.whoAt[i] as number, batch.whoLength[i] as number)
    const pair = this.pair(token, trader)
    const entry = this.#opened(relativeTick, token, !Number.isNaN(batch.price[i] as number))
    const rows = this.slices.rowsOf(entry)
    const row = rows.append(relativeTick - this.beginOf(entry.index))
    rows.pairSide[row] = pair * 2 + (batch.side[i] as number)
    rows.token[row] = token
    rows.timeMs[row] = batch.timeMs[i] as number
    rows.usd[row] = batch.usd[i] as number
    rows.setAmount(
      row,
      batch.amount0[i] as number,
      batch.amount1[i] as number,
      batch.amount2[i] as number,
      batch.amount3[i] as number,
    )
    rows.price[row] = batch.price[i] as number
    rows.priceGiven[row] = batch.priceGiven[i] as number
    const block = batch.block[i] as number
    const txIndex = batch.txIndex[i] as number
    const logIndex = batch.logIndex[i] as number
    rows.block[row] = block
    rows.txIndex[row] = txIndex
    rows.logIndex[row] = logIndex
    rows.id0[row] = batch.id0[i] as number
    rows.id1[row] = batch.id1[i] as number
    rows.id2[row] = batch.id2[i] as number
    rows.offset[row] = offset
    if (keepsId(block, txIndex, logIndex)) {
      rows.keepId(row, batch.bytes, batch.idAt[i] as number, batch.idLength[i] as number)
    } else rows.idAt[row] = -1
    this.#seat(entry, rows, row, token, relativeTick)
    this.lastEntry = entry
    this.lastRow = row
    this.lastDigest = digestOfRow(rows, row, this.tokenNames.lastHash, this.traderNames.lastHash)
  }

  /// Where the last accepted row lies, and its digest: results without an object per row.
  lastEntry: BlockEntry | null = null
  lastRow = 0
  lastDigest = 0

  /// Stores a row read back from a delta: it is in memory only.
  restoreRow(from: Block, source: number): void {
    const relativeTick = this.relativeTick(from.timeMs[source] as number)
    const token = from.token[source] as number
    const entry = this.#opened(relativeTick, token, !Number.isNaN(from.price[source] as number))
    const rows = this.slices.rowsOf(entry)
    const row = rows.copyRow(from, source, relativeTick - this.beginOf(entry.index))
    this.#seat(entry, rows, row, token, relativeTick)
    this.settleBlock(entry)
  }

  /// Takes in the rows of a part that is on disk.
  restorePart(index: number, part: StoredPart, coversTo: number): void {
    const isFirst = this.slices.get(index) === undefined
    const entry = this.#open(index)
    entry.onDisk = true
    entry.sealedUpTo = Math.max(entry.sealedUpTo, coversTo)
    const begin = this.beginOf(index)
    // A block's first part is read in place; the rows of a later one join those that are in memory, if any are.
    const from = isFirst ? this.slices.rowsOf(entry) : new Block(64)
    this.parts.restore(index, part, this, from)
    for (let row = 0; row < from.rows; row++) {
      const token = from.token[row] as number
      const relativeTick = begin + (from.slot[row] as number)
      if (isFirst) this.#seat(entry, from, row, token, relativeTick)
      else if (entry.complete) {
        const target = this.slices.rowsOf(entry)
        this.#seat(entry, target, target.copyRow(from, row), token, relativeTick)
      } else this.#seatOnDisk(entry, from, row, token, relativeTick)
    }
    this.settleBlock(entry)
  }

  /// Moves view time, drops what ends at or before the tick that `retained` gives then, and lets blocks that cursors
  /// have left go.
  advance(to: number, retained: () => number): void {
    this.view.advance(to)
    this.drop(retained())
    for (const index of this.view.left.splice(0)) {
      const entry = this.slices.get(index)
      if (entry !== undefined) this.settleBlock(entry)
    }
  }

  /// Lets a block that is on disk go, unless a cursor stands in it.
  settleBlock(entry: BlockEntry): void {
    if (entry.onDisk && entry.complete && !this.view.needs(entry.index)) this.slices.unload(entry)
  }

  /// The digest of the row with this id in the slice, or null where there is none.
  findInSlice(relativeTick: number, id0: number, id1: number): number | null {
    const index = this.blockOf(relativeTick)
    const entry = this.slices.get(index)
    if (entry === undefined) return null
    const slot = relativeTick - this.beginOf(index)
    if (entry.rows !== null) {
      const found = this.#findIn(entry.rows, slot, id0, id1)
      if (found !== null) return found
    }
    if (entry.complete) return null
    this.#scratch.clear()
    this.parts.loadSlice(index, slot, this.#scratch)
    return this.#findIn(this.#scratch, slot, id0, id1)
  }

  /// Removes the blocks that end at or before the relative tick, giving back what their rows refer to.
  drop(upTo: number): void {
    for (;;) {
      if (this.slices.count === 0 || this.beginOf(this.#oldest) + BLOCK_TICKS - 1 > upTo) return
      const entry = this.slices.get(this.#oldest)
      if (entry !== undefined) this.#dropBlock(entry)
      this.#oldest = this.#nextOldest()
    }
  }

  /// The lowest block that is kept, or the one that holds the relative tick when none is.
  oldestBlock(relativeTick: number): number {
    return this.slices.count === 0 ? this.blockOf(relativeTick) : this.#oldest
  }

  /// Frees pairs that no row refers to: dictionaries of parts name pairs all of whose rows are gone.
  freeUnused(): void {
    for (let pair = 0; pair < this.pairs.idLimit; pair++) {
      if (this.pairs.has(pair) && this.pairs.rows[pair] === 0) this.#freePair(pair)
    }
  }

  /// Says that the block's rows below `coversTo` are on disk.
  sealed(entry: BlockEntry, coversTo: number): void {
    entry.onDisk = true
    entry.sealedUpTo = coversTo
    // Late rows of a block that stays on disk are in a part now: kept here too, they would be read twice.
    if (entry.complete) this.settleBlock(entry)
    else this.slices.unload(entry)
    let late = false
    const { rows } = entry
    if (rows !== null) {
      for (let row = 0; row < rows.rows && !late; row++) late = (rows.offset[row] as number) >= coversTo
    }
    if (late) this.lateEntries.add(entry)
    else this.lateEntries.delete(entry)
    this.#recountLate()
  }

  get tokenOfPair(): Int32Array {
    return this.pairs.token
  }

  /// The digest that row i of the batch would have.
  digestOfBatch(batch: SwapBatch, i: number): number {
    this.#scratch.clear()
    this.#scratch.append(0)
    this.#scratch.setAmount(
      0,
      batch.amount0[i] as number,
      batch.amount1[i] as number,
      batch.amount2[i] as number,
      batch.amount3[i] as number,
    )
    return digestOf(
      hash32(batch.bytes, batch.tokenAt[i] as number, batch.tokenLength[i] as number),
      hash32(batch.bytes, batch.whoAt[i] as number, batch.whoLength[i] as number),
      batch.side[i] as number,
      batch.usd[i] as number,
      this.#scratch.amountLow[0] as number,
      this.#scratch.amountMid[0] as number,
      this.#scratch.amountHigh[0] as number,
      batch.block[i] as number,
      batch.txIndex[i] as number,
      batch.logIndex[i] as number,
    )
  }

  /// The digest of a row.
  digest(rows: Block, row: number): number {
    const token = rows.token[row] as number
    const trader = this.pairs.trader[(rows.pairSide[row] as number) >> 1] as number
    return digestOfRow(
      rows,
      row,
      this.tokenNames.hashOf[token] as number,
      this.traderNames.hashOf[trader] as number,
    )
  }

  #seat(entry: BlockEntry, rows: Block, row: number, token: number, relativeTick: number): void {
    const pair = (rows.pairSide[row] as number) >> 1
    this.pairs.rows[pair] = (this.pairs.rows[pair] as number) + 1
    if (entry.onDisk && (rows.offset[row] as number) >= 0) {
      this.lateEntries.add(entry)
      this.lateRows++
    }
    const firstPriced = this.slices.link(entry, rows, row, token, relativeTick)
    this.view.insert(rows, row, token, relativeTick, firstPriced)
  }

  /// Takes in the effects of a row whose block is on disk and stays there.
  #seatOnDisk(entry: BlockEntry, from: Block, row: number, token: number, relativeTick: number): void {
    const pair = (from.pairSide[row] as number) >> 1
    this.pairs.rows[pair] = (this.pairs.rows[pair] as number) + 1
    const { tokenBlocks } = this.slices
    const node = this.slices.node(token, entry.index)
    const timeMs = from.timeMs[row] as number
    tokenBlocks.noteFirst(node, timeMs)
    let firstPriced = !Number.isNaN(from.price[row] as number)
    const known = tokenBlocks.pricedTick(node)
    if (firstPriced && relativeTick === known) {
      // The block on disk tells which of the two is first; this row is part of it already.
      const rows = this.slices.complete(entry)
      const first = this.slices.firstPriced(rows, node, from.slot[row] as number)
      firstPriced = first !== END && compareRows(from, row, rows, first) <= 0
    }
    if (firstPriced && relativeTick <= known) {
      tokenBlocks.setPriced(node, relativeTick, from.price[row] as number)
    }
    this.view.insert(from, row, token, relativeTick, firstPriced)
    this.settleBlock(entry)
  }

  #findIn(rows: Block, slot: number, id0: number, id1: number): number | null {
    for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
      if (rows.id0[row] !== id0 || rows.id1[row] !== id1) continue
      return this.digest(rows, row)
    }
    return null
  }

  #opened(relativeTick: number, token: number, priced: boolean): BlockEntry {
    const entry = this.#open(this.blockOf(relativeTick))
    if (priced && this.slices.settles(entry, token, relativeTick)) this.slices.complete(entry)
    return entry
  }

  #open(index: number): BlockEntry {
    if (index < this.#oldest) this.#oldest = index
    return this.slices.open(index)
  }

  #dropBlock(entry: BlockEntry): void {
    const rows = this.slices.complete(entry)
    for (let row = 0; row < rows.rows; row++) {
      const pair = (rows.pairSide[row] as number) >> 1
      const left = (this.pairs.rows[pair] as number) - 1
      this.pairs.rows[pair] = left
      this.slices.tokenBlocks.drop(rows.token[row] as number, entry.index)
      if (left === 0) this.#freePair(pair)
    }
    if (this.lateEntries.delete(entry)) this.#recountLate()
    this.slices.remove(entry)
  }

  #recountLate(): void {
    this.lateRows = 0
    for (const entry of this.lateEntries) {
      const rows = entry.rows
      if (rows === null) continue
      for (let row = 0; row < rows.rows; row++) {
        if ((rows.offset[row] as number) >= entry.sealedUpTo) this.lateRows++
      }
    }
  }

  #nextOldest(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const entry of this.slices.entries()) if (entry.index < oldest) oldest = entry.index
    return oldest
  }

  #freePair(pair: number): void {
    const token = this.pairs.token[pair] as number
    const trader = this.pairs.trader[pair] as number
    this.deltaDictionary.forgetPair(pair)
    this.partDictionary.forgetPair(pair)
    this.pairs.free(pair)
    const { tokens } = this.view
    const ofToken = (tokens.pairs[token] as number) - 1
    tokens.pairs[token] = ofToken
    if (ofToken === 0) this.#freeToken(token)
    const ofTrader = (this.#traderPairs[trader] as number) - 1
    this.#traderPairs[trader] = ofTrader
    if (ofTrader === 0) {
      this.deltaDictionary.forgetTrader(trader)
      this.partDictionary.forgetTrader(trader)
      this.traderNames.free(trader)
    }
  }

  #freeToken(token: number): void {
    if (this.view.tokens.changed[token] === 1) {
      this.onFreed(this.tokenNames.text(token))
      this.view.forgetChanged(token)
    }
    this.deltaDictionary.forgetToken(token)
    this.partDictionary.forgetToken(token)
    this.slices.tokenBlocks.forget(token)
    this.tokenNames.free(token)
  }

  #internToken(bytes: Uint8Array, at: number, length: number): number {
    const before = this.tokenNames.size
    const token = this.tokenNames.intern(bytes, at, length)
    if (this.tokenNames.size !== before) this.view.tokens.begin(token)
    return token
  }

  #internTrader(bytes: Uint8Array, at: number, length: number): number {
    const before = this.traderNames.size
    const trader = this.traderNames.intern(bytes, at, length)
    if (this.traderNames.size !== before) {
      if (trader >= this.#traderPairs.length) this.#traderPairs = grownInt32(this.#traderPairs, trader + 1)
      this.#traderPairs[trader] = 0
    }
    return trader
  }

  readonly #onNewPair = (token: number, trader: number): void => {
    const { tokens } = this.view
    tokens.pairs[token] = (tokens.pairs[token] as number) + 1
    this.#traderPairs[trader] = (this.#traderPairs[trader] as number) + 1
  }
}
