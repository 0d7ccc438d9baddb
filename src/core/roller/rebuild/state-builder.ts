/// Makes the durable state of a roller from the swaps that were accepted, in whatever order they are read: what a state
/// store would hold if a roller had rolled the log up to `position`.
///
/// Blocks older than the hot range are filled with their rows, for a PartMaker. What is younger, and what the dedupe horizon
/// reaches back to, becomes deltas, which are in the order of the log. A roller that is restored from them cannot be told from
/// one that never stopped: restoring counts everything again from the rows.

import { priceOf } from '../../decimal.js'
import { invariant } from '../../invariant.js'
import type { SwapBatch } from '../../swap-batch.js'
import { type EpochMs, epochMs, type Offset, offset, tickOf } from '../../units.js'
import type { RollerConfig } from '../config.js'
import type { FateCounts } from '../fates.js'
import { Ledger } from '../ledger.js'
import type { RollerDelta } from '../roller.js'
import { appendSwap } from '../rows/append-swap.js'
import { BLOCK_TICKS, Block } from '../rows/block.js'
import { digestOfBatch } from '../rows/digest.js'
import type { SealedPart } from '../sealing.js'
import { DeltaBuilder } from '../storage/delta.js'
import type { EncodedPart } from '../storage/part-encoder.js'
import { TokenTotalsWriter } from '../storage/token-totals.js'
import { grownInt32 } from '../tables/columns.js'
import { type FilledBlock, IdsGiven } from './part-maker.js'

/// Accepted swaps. Row i of `batch` stands at `offset[i]`, where log time is `logTime[i]`.
export interface AcceptedRows {
  readonly batch: SwapBatch
  readonly offset: Float64Array
  readonly logTime: Float64Array
  /// Numbers of the rows' names, where the source has such: equal ones are equal names, whatever batch they come in.
  readonly numbers: { readonly token: Int32Array; readonly who: Int32Array } | null
}

export interface RebuildTarget {
  /// Every accepted swap below is given.
  readonly position: Offset
  /// Log time at `position`.
  readonly logTime: EpochMs
  /// How many swaps were accepted, for the totals of fates: what became of others is not known any more.
  readonly accepted: number
}

/// Windows end with the clock's second, and a clock may be behind log time.
const CLOCK_BEHIND_MS_MAX = 3_600_000
const DELTA_ROWS_MAX = 8192
const GROUP = 256

/// Our ids by a source's numbers.
class IdsByNumber {
  #ids = new Int32Array(1024).fill(-1)

  /// -1 where there is none, and for a number that is none.
  get(number: number): number {
    return this.#ids[number] ?? -1
  }

  set(number: number, id: number): void {
    if (number < 0) return
    if (number >= this.#ids.length) {
      const before = this.#ids.length
      this.#ids = grownInt32(this.#ids, number + 1).fill(-1, before)
    }
    this.#ids[number] = id
  }
}

export class StateBuilder {
  readonly #target: RebuildTarget
  readonly #blockMs: number
  readonly #resolutionMs: number
  readonly #ledger: Ledger
  readonly #delta: DeltaBuilder
  readonly #idsGiven: IdsGiven
  readonly #blocks = new Map<number, Block>()
  readonly #spare: Block[] = []
  /// The block of the row before.
  #lastIndex = -1
  #lastBlock: Block | null = null
  readonly #recent = new Block(DELTA_ROWS_MAX)
  readonly #tokens = new Int32Array(GROUP)
  readonly #traders = new Int32Array(GROUP)
  readonly #tokenIds = new IdsByNumber()
  readonly #traderIds = new IdsByNumber()
  #deltaFrom: number | null = null
  #deltaTo = 0
  #deltaTime = 0
  /// Swaps before it are in no window and not taken in.
  readonly from: EpochMs
  /// Swaps before it are in parts.
  readonly hotFrom: EpochMs
  /// Swaps with this log time or a later one are in deltas.
  readonly loggedFrom: EpochMs

  constructor(config: RollerConfig, target: RebuildTarget) {
    this.#target = target
    this.#resolutionMs = config.resolutionMs
    this.#blockMs = BLOCK_TICKS * config.resolutionMs
    this.#ledger = new Ledger(config, tickOf(target.logTime, config.resolutionMs), { readParts: () => [] })
    this.#idsGiven = new IdsGiven(this.#ledger)
    const { tokenNames, tokenFates, deltaDictionary } = this.#ledger
    // What became of other swaps is not known any more, so nothing is said of any token.
    const totals = new TokenTotalsWriter(tokenNames, tokenFates, deltaDictionary)
    this.#delta = new DeltaBuilder(deltaDictionary, totals)
    const { logTime } = target
    this.from = this.#beginOf(logTime - config.retentionMs - CLOCK_BEHIND_MS_MAX)
    this.hotFrom = this.#beginOf(Math.max(this.from, logTime - config.hotRangeMs))
    // An early swap comes at most the tolerance ahead of its time.
    const oldest = Math.min(logTime - config.dedupeHorizonMs, this.hotFrom - config.earlyToleranceMs)
    this.loggedFrom = epochMs(Math.max(0, oldest))
  }

  /// Takes in rows of any order. All of a block have been when `filled` is called.
  add({ batch, offset, numbers }: AcceptedRows): void {
    for (let begin = 0; begin < batch.size; begin += GROUP) {
      const end = Math.min(batch.size, begin + GROUP)
      this.#nameRows(batch, numbers, begin, end)
      for (let i = begin; i < end; i++) {
        if ((offset[i] as number) >= this.#target.position) continue
        const timeMs = batch.timeMs[i] as number
        const index = Math.floor(timeMs / this.#blockMs)
        this.#append(this.#rowsOf(index), index, batch, i, i - begin, offset[i] as number)
      }
    }
  }

  /// The blocks that were taken in since the last time, ascending. Their rows are the caller's, who may give them back.
  *filled(): Generator<FilledBlock> {
    this.#lastBlock = null
    for (const [block, rows] of [...this.#blocks].sort(([a], [b]) => a - b)) {
      this.#blocks.delete(block)
      yield { block, rows, newIds: this.#idsGiven.take() }
    }
  }

  /// Rows to be filled anew.
  giveBack(rows: Block): void {
    rows.clear()
    this.#spare.push(rows)
  }

  /// The part of a block, to be stored.
  sealed(block: number, part: EncodedPart): SealedPart {
    return { block, coversFrom: offset(0), coversTo: this.#target.position, ...part }
  }

  /// Deltas go on from there: what was made before is stored.
  beginDeltas(position: Offset): void {
    if (position === 0) return
    this.#deltaFrom = position
    this.#delta.begin(position)
  }

  /// Takes in rows in the order of their offsets; yields deltas as they fill.
  *addRecent({ batch, offset: offsets, logTime, numbers }: AcceptedRows): Generator<RollerDelta> {
    for (let begin = 0; begin < batch.size; begin += GROUP) {
      const end = Math.min(batch.size, begin + GROUP)
      this.#nameRows(batch, numbers, begin, end)
      for (let i = begin; i < end; i++) {
        const at = offsets[i] as number
        if (at >= this.#target.position || (this.#deltaFrom !== null && at < this.#deltaFrom)) continue
        invariant(at >= this.#deltaTo, 'recent rows come in the order of the log')
        if (this.#deltaFrom === null) this.beginDeltas(offset(at))
        this.#deltaFrom ??= at
        const index = Math.floor((batch.timeMs[i] as number) / this.#blockMs)
        const row = this.#append(this.#recent, index, batch, i, i - begin, at)
        this.#delta.add(index, this.#recent, row, digestOfBatch(batch, i), logTime[i] as number)
        this.#deltaTo = at + 1
        this.#deltaTime = logTime[i] as number
        if (this.#delta.count >= DELTA_ROWS_MAX) {
          yield this.#takeDelta(this.#deltaTo, this.#deltaTime)
        }
      }
    }
  }

  /// The last delta, which ends at the target. Null when deltas end there already.
  finish(): RollerDelta | null {
    const { position, logTime } = this.#target
    if (this.#deltaFrom === position) return null
    return this.#takeDelta(position, logTime)
  }

  #takeDelta(coversTo: number, logTime: number): RollerDelta {
    const coversFrom = this.#deltaFrom ?? 0
    const isLast = coversTo === this.#target.position
    const accepted = isLast ? this.#target.accepted : 0
    const fates: FateCounts = { accepted, duplicate: 0, late: 0, early: 0, invalid: 0, conflict: 0 }
    const delta = {
      coversFrom: offset(coversFrom),
      coversTo: offset(coversTo),
      logTime: epochMs(logTime),
      maxBlock: this.#delta.maxBlock,
      payload: this.#delta.payload(fates),
    }
    this.#recent.clear()
    this.#deltaFrom = coversTo
    this.#delta.begin(coversTo)
    return delta
  }

  /// Finds the ids of a group's names, and looks at what their pairs will need.
  #nameRows(batch: SwapBatch, numbers: AcceptedRows['numbers'], begin: number, end: number): void {
    const ledger = this.#ledger
    let glanced = 0
    for (let i = begin; i < end; i++) {
      const token = this.#tokenOf(batch, i, numbers?.token[i] ?? -1)
      const trader = this.#traderOf(batch, i, numbers?.who[i] ?? -1)
      this.#tokens[i - begin] = token
      this.#traders[i - begin] = trader
      glanced ^= ledger.glanceAtPair(token, trader)
    }
    ledger.glanced = glanced
  }

  #tokenOf({ bytes, tokenAt, tokenLength, tokenHash }: SwapBatch, i: number, number: number): number {
    const known = this.#tokenIds.get(number)
    if (known >= 0) return known
    const at = tokenAt[i] as number
    const id = this.#ledger.internToken(bytes, at, tokenLength[i] as number, tokenHash[i] as number)
    this.#tokenIds.set(number, id)
    return id
  }

  #traderOf({ bytes, whoAt, whoLength, whoHash }: SwapBatch, i: number, number: number): number {
    const known = this.#traderIds.get(number)
    if (known >= 0) return known
    const at = whoAt[i] as number
    const id = this.#ledger.internTrader(bytes, at, whoLength[i] as number, whoHash[i] as number)
    this.#traderIds.set(number, id)
    return id
  }

  /// Row i of the batch, the k-th of its group.
  #append(rows: Block, index: number, batch: SwapBatch, i: number, k: number, at: number): number {
    const token = this.#tokens[k] as number
    const pair = this.#ledger.internPair(token, this.#traders[k] as number)
    const slot = Math.floor((batch.timeMs[i] as number) / this.#resolutionMs) - index * BLOCK_TICKS
    const row = appendSwap(rows, slot, batch, i, token, pair, at)
    // Whoever archived it may not have kept whether the price was given: one that follows from the rest need not be.
    const implied = priceOf(
      batch.usd[i] as number,
      batch.amount0[i] as number,
      batch.amount1[i] as number,
      batch.amount2[i] as number,
      batch.amount3[i] as number,
    )
    rows.priceGiven[row] = Object.is(implied, rows.price[row]) ? 0 : 1
    return row
  }

  #rowsOf(index: number): Block {
    if (index === this.#lastIndex && this.#lastBlock !== null) return this.#lastBlock
    let rows = this.#blocks.get(index)
    if (rows === undefined) {
      rows = this.#spare.pop() ?? new Block(1024)
      this.#blocks.set(index, rows)
    }
    this.#lastIndex = index
    this.#lastBlock = rows
    return rows
  }

  #beginOf(timeMs: number): EpochMs {
    return epochMs(Math.max(0, timeMs - (timeMs % this.#blockMs)))
  }
}
