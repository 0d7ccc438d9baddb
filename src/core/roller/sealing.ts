/// Moves blocks that left the hot range to disk, and late rows after them.
///
/// A block is sealed once, whole; rows that come later stay in memory until a sweep writes them as further parts.
/// A sweep is due when there are many late rows, or after a number of blocks. When it is through, every delta up
/// to its beginning holds only rows that are in parts or in hot blocks: older deltas can be forgotten.
///
/// A block is encoded in steps, between which other work goes on.

import { invariant } from '../invariant.js'
import { type EpochMs, type Offset, offset } from '../units.js'
import type { Ledger } from './ledger.js'
import type { BlockEntry } from './slices/slices.js'
import type { EncodedPart, PartEncoder } from './storage/part-encoder.js'

/// A part to be stored; see ports/state-store.ts.
export interface SealedPart extends EncodedPart {
  readonly block: number
  readonly coversFrom: Offset
  readonly coversTo: Offset
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

/// Late rows are 100 bytes each in memory.
const LATE_ROWS_MAX = 1 << 18
const SWEEP_EVERY_BLOCKS = 16
/// Late parts are small: many fit into a call.
const LATE_PARTS_PER_CALL = 64
/// Rows that are encoded in one step: some milliseconds.
const STEP_ROWS = 8192

interface Sweep {
  readonly committed: number
  readonly hotBlock: number
  readonly left: BlockEntry[]
}

/// A part that is being encoded, or stored.
interface Job {
  readonly entry: BlockEntry
  readonly encoder: PartEncoder
  readonly from: number
  readonly committed: number
}

interface HandedOut {
  readonly entry: BlockEntry
  readonly part: SealedPart
}

export class Sealing {
  readonly #ledger: Ledger
  #sweep: Sweep | null = null
  #blocksSinceSweep = 0
  #sweptTo = 0
  #sweptBelowBlock = Number.NEGATIVE_INFINITY
  /// A whole block that is being encoded.
  #block: Job | null = null
  /// What was handed out and is being stored.
  #underWay: HandedOut[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /// Goes on for a step. Returns parts to be stored, none when there is more to do before the next, or null when
  /// nothing is due. Only rows below `committed` are in them; blocks below `hotBlock` are sealed.
  step(committed: number, hotBlock: number): readonly SealedPart[] | null {
    invariant(this.#underWay.length === 0, 'parts are stored before the next are made')
    this.#block ??= this.#nextBlock(committed, hotBlock)
    if (this.#block !== null) return this.#encodeBlock(this.#block)
    if (this.#sweep === null) {
      const due = this.#ledger.lateRows >= LATE_ROWS_MAX || this.#blocksSinceSweep >= SWEEP_EVERY_BLOCKS
      if (!due) return null
      this.#sweep = { committed, hotBlock, left: [...this.#ledger.lateEntries] }
      this.#blocksSinceSweep = 0
    }
    return this.#nextLate(this.#sweep)
  }

  /// The parts that were handed out are in the store.
  stored(): void {
    for (const { entry, part } of this.#underWay) {
      // A block may have left retention meanwhile.
      if (this.#ledger.slices.get(entry.index) !== entry) continue
      if (!entry.onDisk) this.#blocksSinceSweep++
      this.#ledger.parts.stored(entry.index, part)
      this.#ledger.sealed(entry, part.coversTo)
    }
    this.#underWay = []
  }

  /// The store could not keep the parts: they are made again, in a segment of their own.
  failed(): void {
    this.#ledger.parts.endSegment()
    const late = this.#underWay.map(({ entry }) => entry).filter(({ onDisk }) => onDisk)
    this.#sweep?.left.push(...late)
    this.#underWay = []
  }

  forgettable(oldestBlock: number, logTimeBefore: EpochMs, coveredAtMost: Offset): Forgettable {
    const coveredBelow = offset(Math.min(this.#sweptTo, coveredAtMost))
    return {
      partsBelowBlock: oldestBlock,
      deltas: { coveredBelow, logTimeBefore, blockBelow: this.#sweptBelowBlock },
    }
  }

  #nextBlock(committed: number, hotBlock: number): Job | null {
    for (const entry of this.#ledger.slices.entries()) {
      if (entry.onDisk || entry.index >= hotBlock) continue
      const job = this.#begin(entry, committed)
      if (job !== null) return job
    }
    return null
  }

  #encodeBlock(job: Job): readonly SealedPart[] {
    if (this.#ledger.slices.get(job.entry.index) !== job.entry) {
      // It has left retention. Names that were given numbers for it are in no part.
      this.#block = null
      this.#ledger.parts.endSegment()
      return []
    }
    if (!job.encoder.step(STEP_ROWS)) return []
    this.#block = null
    return this.#handOut([job])
  }

  #nextLate(sweep: Sweep): readonly SealedPart[] | null {
    const jobs: Job[] = []
    while (jobs.length < LATE_PARTS_PER_CALL) {
      const entry = sweep.left.pop()
      if (entry === undefined) break
      const job = this.#begin(entry, sweep.committed)
      if (job === null) continue
      job.encoder.step(Number.POSITIVE_INFINITY)
      jobs.push(job)
    }
    if (jobs.length > 0) return this.#handOut(jobs)
    this.#sweptTo = sweep.committed
    this.#sweptBelowBlock = sweep.hotBlock
    this.#sweep = null
    return null
  }

  /// A job for the rows of the block that are not in parts and below `committed`, or null when there are none.
  #begin(entry: BlockEntry, committed: number): Job | null {
    const { rows } = entry
    if (rows === null) return null
    const from = entry.sealedUpTo
    const wanted = (row: number): boolean => {
      const at = rows.offset[row] as number
      return at >= from && at < committed
    }
    let some = false
    for (let row = 0; row < rows.rows && !some; row++) some = wanted(row)
    if (!some) return null
    return { entry, encoder: this.#ledger.parts.begin(entry.index, rows, wanted), from, committed }
  }

  #handOut(jobs: Job[]): readonly SealedPart[] {
    this.#underWay = jobs.map(({ entry, encoder, from, committed }) => {
      const part = encoder.part()
      invariant(part !== null, 'a part that is stored has rows')
      const covers = { coversFrom: offset(from), coversTo: offset(committed) }
      return { entry, part: { block: entry.index, ...covers, ...part } }
    })
    return this.#underWay.map(({ part }) => part)
  }
}
