/// The largest value of every window at once, for many series.
///
/// All windows end at the same instant, so one queue serves them all: ticks ascending, values strictly falling.
/// An entry stays while nothing after it is as large; the maximum of (p, now] is the first entry after p. A value
/// joins in O(1) amortised at the end, and in a binary search where it comes late. For a minimum, store the
/// negated values. (Sliding-window maximum by a monotonic queue; here indexed by event time instead of by arrival.)
///
/// The queues of all tokens lie in one slab: with an object and an array each, an arrival waited a dozen times for
/// the memory of its three queues.

import { grownFloat64, grownInt32 } from '../tables/columns.js'

/// Meta data of a queue: first place in the slab, and its entries [head, end) of `capacity`. In entries.
const META = 4
const BASE = 0
const HEAD = 1
const LAST = 2
const CAPACITY = 3
const FIRST_CAPACITY = 4

export class Extremes {
  #meta = new Int32Array(256 * META)
  /// tick, value, tick, value, …
  #slab = new Float64Array(4096)
  #slabUsed = 0
  /// Free places by capacity (a power of two).
  readonly #free = new Map<number, number[]>()

  /// Empties the queue, which may be new.
  clear(queue: number): void {
    const at = queue * META
    if (at >= this.#meta.length) this.#meta = grownInt32(this.#meta, at + META)
    this.#meta[at + HEAD] = 0
    this.#meta[at + LAST] = 0
  }

  /// Adds a value at a tick; any order. Entries at or before `after` are not needed any more.
  add(queue: number, tick: number, value: number, after: number): void {
    const meta = this.#meta
    const slab = this.#slab
    const at = queue * META
    const base = meta[at + BASE] as number
    const head = meta[at + HEAD] as number
    let end = meta[at + LAST] as number
    if (end > head) {
      const last = slab[(base + end) * 2 - 2] as number
      if (tick < last) {
        this.#insert(queue, tick, value, after)
        return
      }
      if (tick === last && (slab[(base + end) * 2 - 1] as number) >= value) return
    }
    while (end > head && (slab[(base + end) * 2 - 1] as number) <= value) end--
    meta[at + LAST] = end
    if (end === (meta[at + CAPACITY] as number)) end = this.#makeRoom(queue, after)
    const to = ((meta[at + BASE] as number) + end) * 2
    this.#slab[to] = tick
    this.#slab[to + 1] = value
    meta[at + LAST] = end + 1
  }

  /// As Names.glance.
  glance(queue: number): number {
    const meta = this.#meta
    const at = queue * META
    const last = (meta[at + BASE] as number) + (meta[at + LAST] as number) - 1
    return last < 0 ? last : (this.#slab[last * 2] as number)
  }

  /// The largest value at a tick after `after`, or NaN.
  maximumAfter(queue: number, after: number): number {
    const at = this.#firstFrom(queue, after + 1)
    const meta = queue * META
    if (at === (this.#meta[meta + LAST] as number)) return Number.NaN
    return this.#slab[((this.#meta[meta + BASE] as number) + at) * 2 + 1] as number
  }

  #insert(queue: number, tick: number, value: number, after: number): void {
    const meta = this.#meta
    const at = queue * META
    const found = this.#firstFrom(queue, tick)
    const head = meta[at + HEAD] as number
    let base = meta[at + BASE] as number
    // The first entry from this tick on holds the maximum of all that follows.
    if ((this.#slab[(base + found) * 2 + 1] as number) >= value) return
    const rest = this.#slab[(base + found) * 2] === tick ? found + 1 : found
    let from = found
    while (from > head && (this.#slab[(base + from) * 2 - 1] as number) <= value) from--
    if (from === rest) {
      // Nothing makes room: move what follows by one.
      if (meta[at + LAST] === meta[at + CAPACITY]) {
        const last = meta[at + LAST] as number
        from -= last - this.#makeRoom(queue, after)
      }
      base = meta[at + BASE] as number
      const end = meta[at + LAST] as number
      this.#slab.copyWithin((base + from + 1) * 2, (base + from) * 2, (base + end) * 2)
      meta[at + LAST] = end + 1
    } else {
      const end = meta[at + LAST] as number
      this.#slab.copyWithin((base + from + 1) * 2, (base + rest) * 2, (base + end) * 2)
      meta[at + LAST] = end - (rest - from) + 1
    }
    this.#slab[(base + from) * 2] = tick
    this.#slab[(base + from) * 2 + 1] = value
  }

  /// Makes room for one entry more, by letting go of those at or before `after` if they are many; returns the new end.
  #makeRoom(queue: number, after: number): number {
    const meta = this.#meta
    const at = queue * META
    const base = meta[at + BASE] as number
    const head = this.#firstFrom(queue, after + 1)
    const capacity = meta[at + CAPACITY] as number
    const used = (meta[at + LAST] as number) - head
    meta[at + HEAD] = 0
    meta[at + LAST] = used
    if (head > 0 && used * 2 <= capacity) {
      this.#slab.copyWithin(base * 2, (base + head) * 2, (base + head + used) * 2)
      return used
    }
    const larger = capacity === 0 ? FIRST_CAPACITY : capacity * 2
    const to = this.#allocate(larger)
    this.#slab.copyWithin(to * 2, (base + head) * 2, (base + head + used) * 2)
    if (capacity > 0) this.#release(base, capacity)
    meta[at + BASE] = to
    meta[at + CAPACITY] = larger
    return used
  }

  #allocate(capacity: number): number {
    const free = this.#free.get(capacity)?.pop()
    if (free !== undefined) return free
    const base = this.#slabUsed
    this.#slabUsed += capacity
    if (this.#slabUsed * 2 > this.#slab.length) this.#slab = grownFloat64(this.#slab, this.#slabUsed * 2)
    return base
  }

  #release(base: number, capacity: number): void {
    const places = this.#free.get(capacity)
    if (places === undefined) this.#free.set(capacity, [base])
    else places.push(base)
  }

  /// Index of the first entry at or after the tick.
  #firstFrom(queue: number, tick: number): number {
    const at = queue * META
    const base = this.#meta[at + BASE] as number
    let low = this.#meta[at + HEAD] as number
    let high = this.#meta[at + LAST] as number
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#slab[(base + middle) * 2] as number) < tick) low = middle + 1
      else high = middle
    }
    return low
  }
}
