/// The sizes of a token's swaps in a stretch of event time: the median, exact.
///
/// Sizes come singly, or as lists that are sorted already (sorted-sizes.ts) and stay where they are. The middle is found by
/// halving the range of sizes. Of sorted ones, samples tell about how many are at most so large, until the middle is near; then
/// what is left of them is taken out. Of the others, those are put on one side that need no further look. At most LOOSE_CHUNKS × CHUNK sizes are kept as they came; of more, every CHUNK is sorted.

import { SortedSizes, STEP } from './sorted-sizes.js'

const CHUNK = 1 << 13
const LOOSE_CHUNKS = 16
/// Sizes that are taken out of sorted lists.
const TAKEN_OUT_MAX = 1 << 18

export class TradeSizes {
  readonly #lists: SortedSizes[] = []
  readonly #loose: Float64Array[] = []
  #chunk = new Float64Array(256)
  #inChunk = 0
  #count = 0
  #most = 0
  #search: Search | null = null

  /// Micro-dollars.
  add(usd: number): void {
    this.#count++
    if (usd > this.#most) this.#most = usd
    if (this.#inChunk === this.#chunk.length) this.#moreRoom()
    this.#chunk[this.#inChunk++] = usd
  }

  addAll(list: SortedSizes): void {
    if (list.size === 0) return
    this.#count += list.size
    this.#lists.push(list)
  }

  /// Goes on looking for the middle, once everything has been added. True when it has been found.
  step(): boolean {
    if (this.#count === 0) return true
    this.#search ??= this.#beginSearch()
    return this.#search.step()
  }

  /// The two sizes in the middle, in micro-dollars, of which the median is the mean: one and the same when their number is
  /// odd; null without swaps. Example: of 1, 2, 4, 8 they are 2 and 4, and the median is 3. After the last step.
  middle(): readonly [lower: number, upper: number] | null {
    return this.#search?.middle ?? null
  }

  #beginSearch(): Search {
    const all = new Float64Array(this.#loose.length * CHUNK + this.#inChunk)
    for (const [i, chunk] of this.#loose.entries()) all.set(chunk, i * CHUNK)
    all.set(this.#chunk.subarray(0, this.#inChunk), this.#loose.length * CHUNK)
    for (const { most } of this.#lists) if (most > this.#most) this.#most = most
    return new Search(this.#lists, all, this.#count, this.#most)
  }

  #moreRoom(): void {
    if (this.#inChunk < CHUNK) {
      const chunk = new Float64Array(Math.min(CHUNK, this.#inChunk * 4))
      chunk.set(this.#chunk)
      this.#chunk = chunk
      return
    }
    this.#inChunk = 0
    if (this.#loose.length === LOOSE_CHUNKS) {
      this.#lists.push(new SortedSizes(this.#chunk.sort()))
      return
    }
    this.#loose.push(this.#chunk)
    this.#chunk = new Float64Array(CHUNK)
  }
}

class Search {
  /// Those that have not been taken out.
  #lists: readonly SortedSizes[]
  #loose: Float64Array
  readonly #count: number
  /// Of the loose ones, those before `from` are at most `below`, those from `to` on are above `upTo`.
  #from = 0
  #to: number
  /// Sizes of lists that are at most `below` and were not taken out.
  #settled = 0
  /// The lower one in the middle is above `below`, and at most `upTo`.
  #below = -1
  #upTo: number
  middle: readonly [number, number] | null = null

  constructor(lists: readonly SortedSizes[], loose: Float64Array, count: number, most: number) {
    this.#lists = lists
    this.#loose = loose
    this.#count = count
    this.#to = loose.length
    this.#upTo = most
  }

  step(): boolean {
    if (this.middle !== null) return true
    const lower = (this.#count - 1) >> 1
    const isFound = this.#upTo - this.#below <= 1
    const at = isFound ? this.#upTo : this.#below + Math.ceil((this.#upTo - this.#below) / 2)
    const split = this.#partition(at)
    const most = split + this.#settled + this.#countUpToMost(at)
    if (isFound) {
      const count = split + this.#settled + this.#countUpTo(at)
      this.middle = [at, count > this.#count >> 1 ? at : this.#leastAbove(at)]
      return true
    }
    const isBelow = most <= lower
    const isAbove = most - this.#lists.length * (STEP - 1) > lower
    // Where samples do not tell, what lies between may be few.
    if (!isBelow && !isAbove && this.#takeOut()) return false
    const count = isBelow || isAbove ? most : split + this.#settled + this.#countUpTo(at)
    if (count > lower) {
      this.#upTo = at
      this.#to = split
    } else {
      this.#below = at
      this.#from = split
    }
    return false
  }

  /// Takes what matters out of the lists. False when it is too much, as it is of many equal sizes, or when there is nothing.
  #takeOut(): boolean {
    const lists = this.#lists
    const room = this.#countUpToMost(this.#upTo) - this.#countUpToMost(this.#below) + lists.length * STEP
    if (room > TAKEN_OUT_MAX || lists.length === 0) return false
    const kept = this.#loose.subarray(this.#from, this.#to)
    const loose = new Float64Array(kept.length + room)
    loose.set(kept)
    let end = kept.length
    this.#settled += this.#from + this.#countUpTo(this.#below)
    // The upper one in the middle may be above.
    this.#above = this.#leastAbove(this.#upTo)
    for (const list of lists) end = list.copyBetween(this.#below, this.#upTo, loose, end)
    this.#lists = []
    this.#loose = loose.subarray(0, end)
    this.#from = 0
    this.#to = end
    return true
  }

  /// The least size above those that were taken out.
  #above = Number.POSITIVE_INFINITY

  #countUpToMost(usd: number): number {
    let count = 0
    for (const list of this.#lists) count += list.countUpToMost(usd)
    return count
  }

  #countUpTo(usd: number): number {
    let count = 0
    for (const list of this.#lists) count += list.countUpTo(usd)
    return count
  }

  /// Puts loose sizes of at most `usd` before all others; returns how many there are.
  #partition(usd: number): number {
    const loose = this.#loose
    let at = this.#from
    for (let i = this.#from; i < this.#to; i++) {
      const size = loose[i] as number
      if (size > usd) continue
      loose[i] = loose[at] as number
      loose[at++] = size
    }
    return at
  }

  #leastAbove(usd: number): number {
    let least = this.#above
    for (const size of this.#loose) if (size > usd && size < least) least = size
    for (const list of this.#lists) least = Math.min(least, list.leastAbove(usd))
    return least
  }
}
