/// The ids accepted within the last stretch of log time: a swap whose id is here is a duplicate, whatever event
/// time it carries.
///
/// A ring of fingerprints in the order of acceptance, under an open-addressing table of ring positions. At 1,000
/// swaps a second an hour holds 3.6 million; 96-bit fingerprints make the chance that two different ids of a day
/// collide within the hour about 86.4e6 × 3.6e6 / 2^96 = 4e-15.

import { grownInt32, grownUint32 } from './columns.js'

const EMPTY = -1

export class Horizon {
  #id0 = new Int32Array(1024)
  #id1 = new Int32Array(1024)
  #id2 = new Int32Array(1024)
  #digest = new Int32Array(1024)
  /// Log time in milliseconds modulo 2^32; the horizon is far shorter than the 49 days that this spans.
  #logTime = new Uint32Array(1024)
  #head = 0
  #size = 0
  /// Log time of the last id added, in full.
  #newest = 0
  #slots = new Int32Array(4096).fill(EMPTY)

  get size(): number {
    return this.#size
  }

  /// Ring position of an id, or -1.
  find(id0: number, id1: number, id2: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = (id0 ^ (id0 >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const at = slots[slot] as number
      if (at === EMPTY) return -1
      if (this.#id0[at] === id0 && this.#id1[at] === id1 && this.#id2[at] === id2) return at
    }
  }

  digestAt(position: number): number {
    return this.#digest[position] as number
  }

  /// Adds an id that is not here. Log times must not decrease.
  add(id0: number, id1: number, id2: number, digest: number, logTimeMs: number): void {
    if (this.#size === this.#id0.length) this.#grow()
    const at = (this.#head + this.#size) & (this.#id0.length - 1)
    this.#id0[at] = id0
    this.#id1[at] = id1
    this.#id2[at] = id2
    this.#digest[at] = digest
    this.#logTime[at] = logTimeMs >>> 0
    this.#size++
    this.#newest = logTimeMs
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = (id0 ^ (id0 >>> 15)) & mask
    while (slots[slot] !== EMPTY) slot = (slot + 1) & mask
    slots[slot] = at
  }

  /// Lets go of ids whose log time is `horizonMs` or more before `logTimeMs`.
  expire(logTimeMs: number, horizonMs: number): void {
    if (logTimeMs - this.#newest >= horizonMs) {
      // All of them, also when the log was idle for longer than the stored times can tell.
      if (this.#size > 0) this.#slots.fill(EMPTY)
      this.#head = 0
      this.#size = 0
      return
    }
    const now = logTimeMs >>> 0
    while (this.#size > 0) {
      const at = this.#head
      if ((now - (this.#logTime[at] as number)) >>> 0 < horizonMs) return
      this.#unlink(at)
      this.#head = (at + 1) & (this.#id0.length - 1)
      this.#size--
    }
  }

  #home(at: number, mask: number): number {
    const id0 = this.#id0[at] as number
    return (id0 ^ (id0 >>> 15)) & mask
  }

  #unlink(at: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = this.#home(at, mask)
    while (slots[hole] !== at) hole = (hole + 1) & mask
    let next = (hole + 1) & mask
    for (;;) {
      const moved = slots[next] as number
      if (moved === EMPTY) break
      if (((next - this.#home(moved, mask)) & mask) >= ((next - hole) & mask)) {
        slots[hole] = moved
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = EMPTY
  }

  #grow(): void {
    const length = this.#id0.length
    // Unroll the ring so that it begins at 0 again, then double it.
    for (const column of [this.#id0, this.#id1, this.#id2, this.#digest, this.#logTime])
      rotate(column, this.#head)
    this.#head = 0
    this.#id0 = grownInt32(this.#id0, length * 2)
    this.#id1 = grownInt32(this.#id1, length * 2)
    this.#id2 = grownInt32(this.#id2, length * 2)
    this.#digest = grownInt32(this.#digest, length * 2)
    this.#logTime = grownUint32(this.#logTime, length * 2)
    const slots = new Int32Array(length * 4).fill(EMPTY)
    const mask = slots.length - 1
    for (let at = 0; at < this.#size; at++) {
      let slot = this.#home(at, mask)
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask
      slots[slot] = at
    }
    this.#slots = slots
  }
}

/// Moves the element at `by` to the front, keeping the cyclic order.
function rotate(column: Int32Array | Uint32Array, by: number): void {
  if (by === 0) return
  const front = column.slice(0, by)
  column.copyWithin(0, by)
  column.set(front, column.length - by)
}
