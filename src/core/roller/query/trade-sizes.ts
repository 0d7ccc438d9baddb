/// The sizes of a token's swaps in a stretch of event time: the median, exact.
///
/// Sizes come singly, or as lists that are sorted already (sorted-sizes.ts) and stay where they are. The middle is found by
/// halving the range of sizes: how many are at most so large is soon told of sorted ones, and of the others, those are put on one
/// side that need no further look. At most LOOSE_CHUNKS × CHUNK sizes are kept as they came; of more, every CHUNK is sorted.

import { SortedSizes } from './sorted-sizes.js'

const CHUNK = 1 << 13
const LOOSE_CHUNKS = 16

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
  readonly #lists: readonly SortedSizes[]
  readonly #loose: Float64Array
  readonly #count: number
  /// Of the loose ones, those before `from` are at most `below`, those from `to` on are above `upTo`.
  #from = 0
  #to: number
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
    let count = split
    for (const list of this.#lists) count += list.countUpTo(at)
    if (isFound) {
      this.middle = [at, count > this.#count >> 1 ? at : this.#leastAbove(at)]
      return true
    }
    if (count > lower) {
      this.#upTo = at
      this.#to = split
    } else {
      this.#below = at
      this.#from = split
    }
    return false
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
    let least = Number.POSITIVE_INFINITY
    for (const size of this.#loose) if (size > usd && size < least) least = size
    for (const list of this.#lists) least = Math.min(least, list.leastAbove(usd))
    return least
  }
}
