/// Which of several lines with one id counts, decided without regard to their order in the files: the first in
/// chain order (time, block, transaction index, log index), then by the other fields (compareRows).
///
/// A first pass over the files finds the ids that come more than once, in 12 bytes an id. In the second pass their
/// rows are held back, and the one that counts is kept; all others go straight through.

import type { SwapBatch } from '../core/swap-batch.js'
import { compareRows, copyColumns, rowAlone } from './batch-rows.js'

const keyOf = (id0: number, id1: number, id2: number) => `${id0}:${id1}:${id2}`

/// The ids seen so far, by fingerprint, and those seen again.
export class RepeatedIds {
  /// Open addressing; three words an entry, all of them 0 where there is none.
  #table = new Int32Array(3 * 4096)
  #size = 0
  readonly #repeated = new Set<string>()

  add(id0: number, id1: number, id2: number): void {
    // The fingerprint 0 stands for an empty entry. Such an id would merely be held back with its duplicates.
    if ((id0 | id1 | id2) === 0) {
      this.#repeated.add(keyOf(0, 0, 0))
      return
    }
    if (this.#size * 6 > this.#table.length) this.#grow()
    const at = this.#find(this.#table, id0, id1, id2)
    if ((this.#table[at] ?? 0) === id0 && this.#table[at + 1] === id1 && this.#table[at + 2] === id2) {
      this.#repeated.add(keyOf(id0, id1, id2))
      return
    }
    this.#put(this.#table, at, id0, id1, id2)
    this.#size++
  }

  has(id0: number, id1: number, id2: number): boolean {
    return this.#repeated.size > 0 && this.#repeated.has(keyOf(id0, id1, id2))
  }

  /// The entry of the id, or the free one where it belongs.
  #find(table: Int32Array, id0: number, id1: number, id2: number): number {
    const entries = table.length / 3
    for (let entry = (id0 >>> 0) & (entries - 1); ; entry = (entry + 1) & (entries - 1)) {
      const at = 3 * entry
      const [a, b, c] = [table[at], table[at + 1], table[at + 2]]
      if ((a === id0 && b === id1 && c === id2) || (a === 0 && b === 0 && c === 0)) return at
    }
  }

  #put(table: Int32Array, at: number, id0: number, id1: number, id2: number): void {
    table[at] = id0
    table[at + 1] = id1
    table[at + 2] = id2
  }

  #grow(): void {
    const table = new Int32Array(2 * this.#table.length)
    for (let i = 0; i < this.#table.length; i += 3) {
      const [a = 0, b = 0, c = 0] = [this.#table[i], this.#table[i + 1], this.#table[i + 2]]
      if ((a | b | c) !== 0) this.#put(table, this.#find(table, a, b, c), a, b, c)
    }
    this.#table = table
  }
}

interface Held {
  /// The one that counts, of those seen.
  row: SwapBatch
  total: number
  /// How many are the same in every field as the one that counts.
  same: number
}

export class Duplicates {
  readonly #repeated: RepeatedIds
  readonly #held = new Map<string, Held>()

  constructor(repeated: RepeatedIds) {
    this.#repeated = repeated
  }

  /// Takes the rows with repeated ids out of the batch; the others keep their order.
  holdBack(batch: SwapBatch): void {
    let kept = 0
    for (let i = 0; i < batch.size; i++) {
      const [id0 = 0, id1 = 0, id2 = 0] = [batch.id0[i], batch.id1[i], batch.id2[i]]
      if (this.#repeated.has(id0, id1, id2)) {
        this.#hold(keyOf(id0, id1, id2), batch, i)
        continue
      }
      if (kept < i) copyColumns(batch, i, batch, kept)
      kept++
    }
    batch.size = kept
  }

  #hold(key: string, batch: SwapBatch, i: number): void {
    const held = this.#held.get(key)
    if (held === undefined) {
      this.#held.set(key, { row: rowAlone(batch, i), total: 1, same: 1 })
      return
    }
    held.total++
    const order = compareRows(batch, i, held.row, 0)
    if (order === 0) held.same++
    if (order >= 0) return
    held.row = rowAlone(batch, i)
    held.same = 1
  }

  /// The rows that count, as batches of one row.
  *chosen(): Generator<SwapBatch> {
    for (const { row } of this.#held.values()) yield row
  }

  /// Lines that do not count, and how many of them differ from the one that does.
  counts(): { duplicate: number; conflict: number } {
    let duplicate = 0
    let conflict = 0
    for (const { total, same } of this.#held.values()) {
      duplicate += total - 1
      conflict += total - same
    }
    return { duplicate, conflict }
  }
}
