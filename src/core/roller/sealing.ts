/// Moves blocks that left the hot range to disk, and late rows after them.
///
/// A block is sealed once, whole; rows that come later stay in memory until a sweep writes them as further parts.
/// A sweep is due when there are many late rows, or after a number of blocks. When it is through, every delta up
/// to its beginning holds only rows that are in parts or in hot blocks: older deltas can be forgotten.

import { type EpochMs, type Offset, offset } from '../units.js'
import type { Ledger } from './ledger.js'
import type { BlockEntry } from './slices.js'

/// A part to be stored; see ports/state-store.ts.
export interface SealedPart {
  readonly block: number
  readonly coversFrom: Offset
  readonly coversTo: Offset
  readonly segment: number
  readonly payload: Uint8Array
}

/// What the state store may forget; see StateStore.forget.
export interface Forgettable {
  readonly partsBelowBlock: number
  readonly deltas: {
    readonly coveredBelow: Offset
    readonly logTimeBefore: EpochMs
    readonly blockBelow: number
  }
}

/// Late rows are 80 bytes each in memory.
const LATE_ROWS_MAX = 1 << 18
const SWEEP_EVERY_BLOCKS = 16
/// Late parts are small: many fit into a call.
const LATE_PARTS_PER_CALL = 64

interface Sweep {
  readonly committed: number
  readonly hotBlock: number
  readonly left: BlockEntry[]
}

export class Sealing {
  readonly #ledger: Ledger
  #sweep: Sweep | null = null
  #blocksSinceSweep = 0
  #sweptTo = 0
  #sweptBelowBlock = Number.NEGATIVE_INFINITY
  /// Blocks that were looked at at this position and had nothing to seal yet.
  #underWay: BlockEntry[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /// The next parts, or none. Only rows below `committed` are in them; blocks below `hotBlock` are sealed.
  take(committed: number, hotBlock: number): readonly SealedPart[] {
    const base = this.#nextBase(committed, hotBlock)
    if (base !== null) return [base]
    if (this.#sweep === null) {
      const due = this.#ledger.lateRows >= LATE_ROWS_MAX || this.#blocksSinceSweep >= SWEEP_EVERY_BLOCKS
      if (!due) return []
      this.#sweep = { committed, hotBlock, left: [...this.#ledger.lateEntries] }
      this.#blocksSinceSweep = 0
    }
    return this.#nextLate(this.#sweep)
  }

  stored(parts: readonly SealedPart[]): void {
    for (const part of parts) {
      const entry = this.#ledger.slices.get(part.block)
      if (entry === undefined) continue
      if (!entry.onDisk) this.#blocksSinceSweep++
      this.#ledger.sealed(entry, part.coversTo)
    }
    this.#underWay = []
  }

  /// The store could not keep the parts: they are made again, in a segment of their own.
  failed(): void {
    this.#ledger.parts.endSegment()
    if (this.#sweep !== null) this.#sweep.left.push(...this.#underWay)
    this.#underWay = []
  }

  forgettable(oldestBlock: number, logTimeBefore: EpochMs, coveredAtMost: Offset): Forgettable {
    const coveredBelow = offset(Math.min(this.#sweptTo, coveredAtMost))
    return {
      partsBelowBlock: oldestBlock,
      deltas: { coveredBelow, logTimeBefore, blockBelow: this.#sweptBelowBlock },
    }
  }

  #nextBase(committed: number, hotBlock: number): SealedPart | null {
    for (const entry of this.#ledger.slices.entries()) {
      if (entry.onDisk || entry.index >= hotBlock) continue
      const part = this.#encode(entry, committed)
      if (part !== null) return part
    }
    return null
  }

  #nextLate(sweep: Sweep): readonly SealedPart[] {
    const parts: SealedPart[] = []
    while (parts.length < LATE_PARTS_PER_CALL) {
      const entry = sweep.left.pop()
      if (entry === undefined) break
      const part = this.#encode(entry, sweep.committed)
      if (part === null) continue
      parts.push(part)
      this.#underWay.push(entry)
    }
    if (parts.length === 0) {
      this.#sweptTo = sweep.committed
      this.#sweptBelowBlock = sweep.hotBlock
      this.#sweep = null
    }
    return parts
  }

  #encode(entry: BlockEntry, committed: number): SealedPart | null {
    const { rows } = entry
    if (rows === null) return null
    const from = entry.sealedUpTo
    const part = this.#ledger.parts.encode(entry.index, rows, row => {
      const at = rows.offset[row] as number
      return at >= from && at < committed
    })
    if (part === null) return null
    return { block: entry.index, coversFrom: offset(from), coversTo: offset(committed), ...part }
  }
}
