/// From 32-bit hashes to small integers: the table under names, pairs and ids.
///
/// Open addressing with linear probing; hash and id lie side by side, so a probe waits for memory once, and the caller's
/// own record is read only where the whole hash agrees. At most half of the slots are in use: fuller tables cost more in
/// mispredicted branches than they save in memory. Deleting closes the hole, so no tombstones pile up.
///
/// A table that is full is not copied in one go, which would hold up everything for a tenth of a second at a million
/// entries: the larger one is filled a stretch with each entry that is added, and both are looked into meanwhile.
/// Whole clusters move, from one empty slot to the next, so that the old table stays consistent.

import { invariant } from '../../invariant.js'

/// Slots that an addition moves at least, while the table grows. Far more than needed for the old table to be empty
/// before the new one is full.
const MOVED_PER_ADDITION = 16

/// slot × 2: the hash, and the id + 1; 0 is an empty slot, so that fresh memory is an empty table.
type Slots = Int32Array

export class HashIndex {
  #slots: Slots
  #mask: number
  /// The table that is being moved, where the next cluster of it may begin, and how many entries it still has.
  #old: Slots | null = null
  #oldMask = 0
  #moveAt = 0
  #oldLeft = 0
  #size = 0
  /// Where the last look-up stands, for `next`.
  #at = 0
  #hash = 0
  #inOld = false

  /// `capacity` is a power of two.
  constructor(capacity = 256) {
    this.#slots = new Int32Array(capacity * 2)
    this.#mask = capacity - 1
  }

  get size(): number {
    return this.#size
  }

  /// An id that was added with this hash, or -1. `next` gives the others.
  first(hash: number): number {
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot * 2 + 1] as number
      if (id === 0) break
      if (slots[slot * 2] !== hash) continue
      this.#at = slot
      this.#hash = hash
      this.#inOld = false
      return id - 1
    }
    return this.#old === null ? -1 : this.#scanOld(hash, hash & this.#oldMask)
  }

  /// The next id with the hash of the last look-up, or -1. Nothing may have been added or removed since.
  next(): number {
    const hash = this.#hash
    if (this.#inOld) return this.#scanOld(hash, (this.#at + 1) & this.#oldMask)
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = (this.#at + 1) & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot * 2 + 1] as number
      if (id === 0) break
      if (slots[slot * 2] !== hash) continue
      this.#at = slot
      return id - 1
    }
    return this.#old === null ? -1 : this.#scanOld(hash, hash & this.#oldMask)
  }

  /// Adds an id, which must not be here.
  add(hash: number, id: number): void {
    if (this.#size * 2 > this.#mask) this.#grow()
    place(this.#slots, this.#mask, hash, id + 1)
    this.#size++
    if (this.#old !== null) this.#move(MOVED_PER_ADDITION)
  }

  /// Removes an id that was added with this hash.
  remove(hash: number, id: number): void {
    if (!take(this.#slots, this.#mask, hash, id + 1)) {
      const old = this.#old
      invariant(
        old !== null && take(old, this.#oldMask, hash, id + 1),
        'what is removed from a table is in it',
      )
      this.#oldLeft--
      if (this.#oldLeft === 0) this.#old = null
    }
    this.#size--
  }

  clear(): void {
    this.#slots.fill(0)
    this.#old = null
    this.#oldLeft = 0
    this.#size = 0
  }

  #scanOld(hash: number, from: number): number {
    const old = this.#old
    if (old === null) return -1
    const mask = this.#oldMask
    for (let slot = from; ; slot = (slot + 1) & mask) {
      const id = old[slot * 2 + 1] as number
      if (id === 0) return -1
      if (old[slot * 2] !== hash) continue
      this.#at = slot
      this.#hash = hash
      this.#inOld = true
      return id - 1
    }
  }

  #grow(): void {
    if (this.#old !== null) this.#move(Number.POSITIVE_INFINITY)
    this.#old = this.#slots
    this.#oldMask = this.#mask
    this.#oldLeft = this.#size
    this.#slots = new Int32Array(this.#old.length * 2)
    this.#mask = this.#slots.length / 2 - 1
    // Clusters move whole: begin at an empty slot, of which half the table is.
    let at = 0
    while (this.#old[at * 2 + 1] !== 0) at++
    this.#moveAt = at
  }

  /// Moves whole clusters of the old table until `slots` of its slots are done, or all.
  #move(slots: number): void {
    const old = this.#old
    if (old === null) return
    const mask = this.#oldMask
    let at = this.#moveAt
    for (let done = 0; this.#oldLeft > 0; done++) {
      const id = old[at * 2 + 1] as number
      if (id === 0) {
        if (done >= slots) break
      } else {
        place(this.#slots, this.#mask, old[at * 2] as number, id)
        old[at * 2 + 1] = 0
        this.#oldLeft--
      }
      at = (at + 1) & mask
    }
    this.#moveAt = at
    if (this.#oldLeft === 0) this.#old = null
  }
}

function place(slots: Slots, mask: number, hash: number, value: number): void {
  let slot = hash & mask
  while (slots[slot * 2 + 1] !== 0) slot = (slot + 1) & mask
  slots[slot * 2] = hash
  slots[slot * 2 + 1] = value
}

/// Takes an entry out and moves back what had probed past it. False when it is not there.
function take(slots: Slots, mask: number, hash: number, value: number): boolean {
  let hole = hash & mask
  for (;;) {
    const found = slots[hole * 2 + 1] as number
    if (found === value) break
    if (found === 0) return false
    hole = (hole + 1) & mask
  }
  for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
    const moved = slots[at * 2 + 1] as number
    if (moved === 0) break
    const home = (slots[at * 2] as number) & mask
    if (((at - home) & mask) < ((at - hole) & mask)) continue
    slots[hole * 2] = slots[at * 2] as number
    slots[hole * 2 + 1] = moved
    hole = at
  }
  slots[hole * 2 + 1] = 0
  return true
}
