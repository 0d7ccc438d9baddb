/// A summary that is being made, in steps: between them other work goes on.

import type { Block } from '../rows/block.js'
import type { RunReader } from '../storage/run-reader.js'
import { RunSums } from '../storage/run-sums.js'
import { grownFloat64, grownInt32 } from '../tables/columns.js'
import type { PairTable } from './pair-table.js'
import { SortedSizes } from './sorted-sizes.js'
import { type BlockSummary, LargestRows } from './summary.js'
import { type TraderList, TraderListWriter } from './trader-list.js'
import { TraderSums } from './trader-sums.js'

/// Traders that are looked at in one step.
const STEP_NUMBERS = 1 << 15

/// Room for one draft after the other.
export class SummaryDraft {
  sums = new RunSums()
  count = 0
  /// Null where rows alone can tell.
  largest: LargestRows | null = null
  readonly #traders = new TraderSums()
  readonly #writer = new TraderListWriter()
  #sizes = new Float64Array(256)
  /// Of rows whose traders have not been looked at yet.
  #pairSide = new Int32Array(256)
  #rows = 0
  #isClean = true
  /// Traders of rows, in the order in which they were met, and whether there are others, of lists.
  #found = new Int32Array(256)
  #size = 0
  #hasLists = false

  /// Begins with nothing.
  begin(): void {
    this.sums = new RunSums()
    this.count = 0
    this.largest = null
    this.#rows = 0
    this.#size = 0
    this.#hasLists = false
    this.#writer.clear()
    if (!this.#isClean) this.#traders.clearAll()
    this.#isClean = true
  }

  /// Adds the rows of the base part, after `begin`.
  addBase(run: RunReader, beginMs: number): void {
    run.readRows(true)
    if (run.isSummed) this.sums = run.sums.copy()
    else this.#addSums(run.rows)
    this.largest = new LargestRows(run.rows, beginMs)
    this.#hold(run.rows)
  }

  /// Adds all of another summary.
  addBlock({ count, sums, traders, sizes, largest }: BlockSummary): void {
    this.sums.addSums(sums)
    this.largest = largest
    this.#isClean = false
    this.#hasLists = true
    traders.addTo(this.#traders, 1)
    if (this.#sizes.length < this.count + count) this.#sizes = grownFloat64(this.#sizes, this.count + count)
    sizes.copyTo(this.#sizes, this.count)
    this.count += count
  }

  /// The same, of which sizes do not matter.
  addTraders({ count, sums, traders }: BlockSummary): void {
    this.sums.addSums(sums)
    this.#isClean = false
    this.#hasLists = true
    traders.addTo(this.#traders, 1)
    this.count += count
  }

  /// Adds rows of a part, in any order.
  addRows(rows: Block): void {
    const least = this.largest?.least ?? 0
    for (let row = 0; row < rows.rows; row++) if ((rows.usd[row] as number) >= least) this.largest = null
    this.#addSums(rows)
    this.#hold(rows)
  }

  /// Adds a token's rows [from, to) of a block that is in memory. Which of them are the largest, rows tell.
  addHot(rows: Block, token: number, from: number, to: number): void {
    this.largest = null
    for (let row = from; row < to; row++) {
      if (rows.token[row] !== token) continue
      this.sums.add(rows, row)
      this.#room(1)
      this.#sizes[this.count++] = rows.usd[row] as number
      this.#pairSide[this.#rows++] = rows.pairSide[row] as number
    }
  }

  /// Looks at the traders of the rows that were added since the last time.
  number(numbers: PairTable): void {
    const traders = this.#traders
    const first = this.count - this.#rows
    this.#isClean = false
    if (this.#found.length < this.#size + this.#rows)
      this.#found = grownInt32(this.#found, this.#size + this.#rows)
    for (let i = 0; i < this.#rows; i++) {
      const value = this.#pairSide[i] as number
      const number = numbers.numberOf(value >> 1)
      traders.hold(number + 1)
      if (!traders.hasTraded(number)) this.#found[this.#size++] = number
      traders.addOne(number, (value & 1) === 0 ? 0 : 1, this.#sizes[first + i] as number, 1)
    }
    this.#rows = 0
  }

  /// What the traders did; null where a sum does not fit. To be done before the next `begin`.
  *list(): Generator<void, TraderList | null> {
    const traders = this.#traders
    if (traders.isHuge) return null
    // Few are sorted sooner than all are looked at.
    const found = this.#hasLists ? null : this.#found.subarray(0, this.#size).sort()
    const end = found === null ? traders.capacity : found.length
    for (let i = 0; i < end; i++) {
      if (i % STEP_NUMBERS === STEP_NUMBERS - 1) yield
      const number = found === null ? i : (found[i] as number)
      if (found === null && !traders.hasTraded(number)) continue
      const [bought, sold] = [traders.usd(number, 0), traders.usd(number, 1)]
      this.#writer.add(number, traders.buys(number), traders.sells(number), bought, sold)
      traders.clear(number)
    }
    this.#isClean = true
    return this.#writer.take()
  }

  sorted(): SortedSizes {
    return new SortedSizes(this.#sizes.subarray(0, this.count).sort())
  }

  #addSums(rows: Block): void {
    for (let row = 0; row < rows.rows; row++) this.sums.add(rows, row)
  }

  #hold({ rows, usd, pairSide }: Block): void {
    this.#room(rows)
    this.#sizes.set(usd.subarray(0, rows), this.count)
    this.#pairSide.set(pairSide.subarray(0, rows), this.#rows)
    this.#rows += rows
    this.count += rows
  }

  #room(rows: number): void {
    const count = this.count + rows
    if (this.#sizes.length < count) this.#sizes = grownFloat64(this.#sizes, count)
    if (this.#pairSide.length < this.#rows + rows) {
      this.#pairSide = grownInt32(this.#pairSide, this.#rows + rows)
    }
  }
}
