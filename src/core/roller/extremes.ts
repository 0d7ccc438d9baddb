/// The largest value of every window at once.
///
/// All windows end at the same instant, so one queue serves them all: ticks ascending, values strictly falling.
/// An entry stays while nothing after it is as large; the maximum of (p, now] is the first entry after p. A value
/// joins in O(1) amortised at the end, and in a binary search where it comes late. For a minimum, store the
/// negated values.
///
/// (Sliding-window maximum by a monotonic queue; here indexed by event time instead of by arrival.)

export class Extremes {
  /// tick, value, tick, value, …; entries before `#head` have left the longest window.
  #entries: number[] = []
  #head = 0

  /// Adds a value at a tick; any order.
  add(tick: number, value: number): void {
    const entries = this.#entries
    let length = entries.length
    if (length === this.#head) {
      entries.length = 0
      this.#head = 0
      entries.push(tick, value)
      return
    }
    if (tick > (entries[length - 2] as number)) {
      while (length > this.#head && (entries[length - 1] as number) <= value) {
        entries.length = length -= 2
      }
      entries.push(tick, value)
      return
    }
    this.#insert(tick, value)
  }

  /// The largest value at a tick after `after`, or NaN.
  maximumAfter(after: number): number {
    const at = this.#firstFrom(after + 1)
    return at < this.#entries.length ? (this.#entries[at + 1] as number) : Number.NaN
  }

  /// Lets go of entries at or before the tick.
  expire(upTo: number): void {
    const entries = this.#entries
    while (this.#head < entries.length && (entries[this.#head] as number) <= upTo) this.#head += 2
    if (this.#head === entries.length) {
      entries.length = 0
      this.#head = 0
    } else if (this.#head > 64 && this.#head * 2 > entries.length) {
      entries.splice(0, this.#head)
      this.#head = 0
    }
  }

  clear(): void {
    this.#entries.length = 0
    this.#head = 0
  }

  #insert(tick: number, value: number): void {
    const entries = this.#entries
    const at = this.#firstFrom(tick)
    // The first entry from this tick on holds the maximum of all that follows.
    if (at < entries.length && (entries[at + 1] as number) >= value) return
    let end = at
    if (at < entries.length && entries[at] === tick) end = at + 2
    let start = at
    while (start > this.#head && (entries[start - 1] as number) <= value) start -= 2
    entries.splice(start, end - start, tick, value)
  }

  #firstFrom(tick: number): number {
    const entries = this.#entries
    let low = this.#head >> 1
    let high = entries.length >> 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle * 2] as number) < tick) low = middle + 1
      else high = middle
    }
    return low * 2
  }
}
