/// Takes the accepted rows of a batch into the ledger.
///
/// Not row by row, but step by step for a group of rows: first the names of tokens and traders, then the pairs, then the
/// rows. Nearly all of the time is spent waiting for memory, at some ten places per row that lie anywhere in large
/// tables. So before each step comes a glance: a short loop that only looks at those places, in which the processor
/// waits for many rows side by side. The step then finds what it needs in the cache. This doubles the roller's speed.

import type { SwapBatch } from '../swap-batch.js'
import type { Ledger } from './ledger.js'
import { SEEN } from './slices/cells.js'
import type { DeltaBuilder } from './storage/delta.js'
import { grownFloat64, grownInt32 } from './tables/columns.js'
import { LINE } from './tables/lines.js'
import { LAST_CELL, LAST_TICK, NEVER, PAIR } from './tables/pairs.js'
import { FATES } from './token-fates.js'
import { KINDS, QUEUES, RECORD } from './view/tokens.js'

/// Rows of a group: what they need fits into the second-level cache.
const GROUP = 256

export class Intake {
  readonly #ledger: Ledger
  #batch: SwapBatch | null = null
  #count = 0
  /// Of each accepted row: its row in the batch, tick, offset and digest.
  #row = new Int32Array(GROUP)
  #tick = new Int32Array(GROUP)
  #offset = new Float64Array(GROUP)
  #digest = new Int32Array(GROUP)
  /// Of each row that was not: its row in the batch, how many were accepted before it, and its fate (token-fates.ts).
  #refusedRow = new Int32Array(GROUP)
  #refusedAfter = new Int32Array(GROUP)
  #refusedFate = new Int32Array(GROUP)
  #refusedCount = 0
  #refusedNext = 0
  /// Of each row of the group.
  readonly #token = new Int32Array(GROUP)
  readonly #trader = new Int32Array(GROUP)
  readonly #pair = new Int32Array(GROUP)
  /// Takes what glances return, so that they are not optimised away.
  glanced = 0

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  begin(batch: SwapBatch): void {
    this.#batch = batch
    this.#count = 0
    this.#refusedCount = 0
    this.#refusedNext = 0
  }

  /// Adds row i of the batch.
  add(i: number, relativeTick: number, offset: number, digest: number): void {
    if (this.#count === this.#row.length) this.#grow()
    this.#row[this.#count] = i
    this.#tick[this.#count] = relativeTick
    this.#offset[this.#count] = offset
    this.#digest[this.#count] = digest
    this.#count++
  }

  /// Notes the fate of row i, which is not added.
  refuse(i: number, fate: number): void {
    const at = this.#refusedCount++
    if (at === this.#refusedRow.length) {
      this.#refusedRow = grownInt32(this.#refusedRow, at + 1)
      this.#refusedAfter = grownInt32(this.#refusedAfter, at + 1)
      this.#refusedFate = grownInt32(this.#refusedFate, at + 1)
    }
    this.#refusedRow[at] = i
    this.#refusedAfter[at] = this.#count
    this.#refusedFate[at] = fate
  }

  /// The rows of the batch that were added, until the next one begins.
  get rows(): Int32Array {
    return this.#row.subarray(0, this.#count)
  }

  /// Takes the rows in, and notes them in the delta.
  finish(delta: DeltaBuilder | null, logTimeMs: number): void {
    const batch = this.#batch
    if (batch === null) return
    this.#batch = null
    for (let from = 0; from < this.#count; from += GROUP) {
      const to = Math.min(this.#count, from + GROUP)
      this.#internNames(batch, from, to)
      this.#internPairs(to - from)
      this.#glanceAtTokens(to - from)
      this.#glanceAtCells(batch, from, to)
      this.#accept(batch, from, to, delta, logTimeMs)
    }
    this.#countRefused(batch, this.#count)
  }

  #internNames(batch: SwapBatch, from: number, to: number): void {
    const ledger = this.#ledger
    const { tokenNames, traderNames } = ledger
    const { bytes, tokenAt, tokenLength, tokenHash, whoAt, whoLength, whoHash } = batch
    const rows = this.#row
    let glanced = 0
    for (let k = from; k < to; k++) glanced ^= tokenNames.glance(tokenHash[rows[k] as number] as number)
    for (let k = from; k < to; k++) glanced ^= traderNames.glance(whoHash[rows[k] as number] as number)
    this.glanced = glanced
    for (let k = from; k < to; k++) {
      const i = rows[k] as number
      this.#token[k - from] = ledger.internToken(
        bytes,
        tokenAt[i] as number,
        tokenLength[i] as number,
        tokenHash[i] as number,
      )
    }
    for (let k = from; k < to; k++) {
      const i = rows[k] as number
      this.#trader[k - from] = ledger.internTrader(
        bytes,
        whoAt[i] as number,
        whoLength[i] as number,
        whoHash[i] as number,
      )
    }
  }

  #internPairs(count: number): void {
    const ledger = this.#ledger
    const { pairs } = ledger
    let glanced = 0
    for (let k = 0; k < count; k++) {
      glanced ^= pairs.glance(this.#token[k] as number, this.#trader[k] as number)
    }
    this.glanced = glanced
    for (let k = 0; k < count; k++) {
      this.#pair[k] = ledger.internPair(this.#token[k] as number, this.#trader[k] as number)
    }
  }

  #glanceAtTokens(count: number): void {
    const { tokens, windows } = this.#ledger.view
    const { extremes, lines, records, steps } = tokens
    const fates = this.#ledger.tokenFates.records
    const stride = windows + 1
    let glanced = 0
    for (let k = 0; k < count; k++) {
      const token = this.#token[k] as number
      glanced +=
        (lines.f64[(token * stride + windows) * LINE] as number) +
        (records[token * RECORD] as number) +
        (fates[token * FATES] as number) +
        (steps[token * KINDS * stride] as number)
    }
    for (let k = 0; k < count; k++) {
      const queue = (this.#token[k] as number) * QUEUES
      glanced += extremes.glance(queue) + extremes.glance(queue + 1) + extremes.glance(queue + 2)
    }
    this.glanced = glanced
  }

  /// The cells in which the pairs' last swaps lie.
  #glanceAtCells(batch: SwapBatch, from: number, to: number): void {
    const { slices, pairs } = this.#ledger
    const { records } = pairs
    let glanced = 0
    for (let k = from; k < to; k++) {
      const at = (this.#pair[k - from] as number) * PAIR + (batch.side[this.#row[k] as number] as number)
      const last = records[at + LAST_TICK] as number
      if (last === NEVER) continue
      const cells = slices.cellsAt(last)
      if (cells !== null) glanced ^= cells.seen[(records[at + LAST_CELL] as number) * SEEN] ?? 0
    }
    this.glanced = glanced
  }

  #accept(batch: SwapBatch, from: number, to: number, delta: DeltaBuilder | null, logTimeMs: number): void {
    const ledger = this.#ledger
    for (let k = from; k < to; k++) {
      const token = this.#token[k - from] as number
      // In the order of the log, since a first accepted swap begins a count.
      this.#countRefused(batch, k)
      ledger.tokenFates.accept(token, (this.#tick[k] as number) + ledger.origin)
      ledger.accept(
        batch,
        this.#row[k] as number,
        token,
        this.#pair[k - from] as number,
        this.#tick[k] as number,
        this.#offset[k] as number,
      )
      const entry = ledger.lastEntry
      if (delta === null || entry?.rows == null) continue
      delta.add(entry.index, entry.rows, ledger.lastRow, this.#digest[k] as number, logTimeMs)
    }
  }

  /// Counts what was refused before the k-th accepted row.
  #countRefused({ bytes, tokenAt, tokenLength, tokenHash }: SwapBatch, k: number): void {
    const { tokenNames, tokenFates } = this.#ledger
    for (; this.#refusedNext < this.#refusedCount; this.#refusedNext++) {
      const next = this.#refusedNext
      if ((this.#refusedAfter[next] as number) > k) return
      const i = this.#refusedRow[next] as number
      const at = tokenAt[i] as number
      const token = tokenNames.find(bytes, at, tokenLength[i] as number, tokenHash[i] as number)
      if (token >= 0) tokenFates.refuse(token, this.#refusedFate[next] as number)
    }
  }

  #grow(): void {
    const needed = this.#count + 1
    this.#row = grownInt32(this.#row, needed)
    this.#tick = grownInt32(this.#tick, needed)
    this.#offset = grownFloat64(this.#offset, needed)
    this.#digest = grownInt32(this.#digest, needed)
  }
}
