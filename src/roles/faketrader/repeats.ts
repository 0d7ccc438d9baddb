/// Lines that are to be sent again, by the time when they are due: a binary heap, earliest first.
///
/// Bounded: above PENDING_MAX lines the earliest is due at once, whatever the clock says, so a generator that runs
/// faster than its clock keeps its share of duplicates and its memory.

const PENDING_MAX = 16_384

/// A line, `\n` included, and where its token is in it.
export interface Repeat {
  readonly line: Uint8Array
  readonly tokenAt: number
  readonly tokenLength: number
}

interface Pending {
  readonly dueMs: number
  readonly repeat: Repeat
}

export class Repeats {
  readonly #heap: Pending[] = []

  add(dueMs: number, repeat: Repeat): void {
    const heap = this.#heap
    const added = { dueMs, repeat }
    let at = heap.length
    heap.push(added)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.dueMs <= dueMs) break
      heap[at] = above
      at = parent
    }
    heap[at] = added
  }

  /// Takes the earliest line when it is due at `nowMs`; null when none is.
  takeDue(nowMs: number): Repeat | null {
    const first = this.#heap[0]
    if (first === undefined) return null
    if (first.dueMs > nowMs && this.#heap.length <= PENDING_MAX) return null
    this.#removeFirst()
    return first.repeat
  }

  #removeFirst(): void {
    const heap = this.#heap
    const moved = heap.pop()
    if (moved === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      let below = heap[child]
      const right = heap[child + 1]
      if (right !== undefined && below !== undefined && right.dueMs < below.dueMs) {
        child++
        below = right
      }
      if (below === undefined || below.dueMs >= moved.dueMs) break
      heap[at] = below
      at = child
    }
    heap[at] = moved
  }
}
