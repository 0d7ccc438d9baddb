/// Takes the accepted rows of a batch into the ledger.
///
/// Not row by row, but step by step for the whole batch: first the names of tokens and traders, then the pairs, then the
/// rows. Each step is a short loop over one table, in which the processor waits for the memory of many rows at once;
/// row by row it would wait for one table after the other. This is most of the roller's speed.

import type { SwapBatch } from '../swap-batch.js'
import { grownFloat64, grownInt32 } from './columns.js'
import type { DeltaBuilder } from './delta.js'
import type { Ledger } from './ledger.js'

export class Intake {
  readonly #ledger: Ledger
  #batch: SwapBatch | null = null
  #count = 0
  /// Of each accepted row: its row in the batch, tick, offset, token, trader and pair.
  #row = new Int32Array(256)
  #tick = new Int32Array(256)
  #offset = new Float64Array(256)
  #token = new Int32Array(256)
  #pair = new Int32Array(256)

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  begin(batch: SwapBatch): void {
    this.#batch = batch
    this.#count = 0
  }

  /// Adds row i of the batch.
  add(i: number, relativeTick: number, offset: number): void {
    if (this.#count === this.#row.length) this.#grow()
    this.#row[this.#count] = i
    this.#tick[this.#count] = relativeTick
    this.#offset[this.#count] = offset
    this.#count++
  }

  /// Takes the rows in, and notes them in the delta.
  finish(delta: DeltaBuilder | null, logTimeMs: number): void {
    const batch = this.#batch
    if (batch === null) return
    this.#batch = null
    this.#internNames(batch)
    this.#internPairs()
    const ledger = this.#ledger
    for (let k = 0; k < this.#count; k++) {
      ledger.accept(
        batch,
        this.#row[k] as number,
        this.#token[k] as number,
        this.#pair[k] as number,
        this.#tick[k] as number,
        this.#offset[k] as number,
      )
      const entry = ledger.lastEntry
      if (delta !== null && entry?.rows != null) delta.add(entry.index, entry.rows, ledger.lastRow, logTimeMs)
    }
  }

  #internNames(batch: SwapBatch): void {
    const ledger = this.#ledger
    const { bytes, tokenAt, tokenLength, tokenHash, whoAt, whoLength, whoHash } = batch
    for (let k = 0; k < this.#count; k++) {
      const i = this.#row[k] as number
      this.#token[k] = ledger.internToken(
        bytes,
        tokenAt[i] as number,
        tokenLength[i] as number,
        tokenHash[i] as number,
      )
    }
    for (let k = 0; k < this.#count; k++) {
      const i = this.#row[k] as number
      // Of the pair, for now its trader.
      this.#pair[k] = ledger.internTrader(
        bytes,
        whoAt[i] as number,
        whoLength[i] as number,
        whoHash[i] as number,
      )
    }
  }

  #internPairs(): void {
    for (let k = 0; k < this.#count; k++) {
      this.#pair[k] = this.#ledger.pair(this.#token[k] as number, this.#pair[k] as number)
    }
  }

  #grow(): void {
    const needed = this.#count + 1
    this.#row = grownInt32(this.#row, needed)
    this.#tick = grownInt32(this.#tick, needed)
    this.#offset = grownFloat64(this.#offset, needed)
    this.#token = grownInt32(this.#token, needed)
    this.#pair = grownInt32(this.#pair, needed)
  }
}
