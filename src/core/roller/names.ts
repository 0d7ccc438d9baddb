/// Interned names: each distinct byte string gets a small integer for as long as it is in use, so that the
/// roller's tables are arrays and its keys are integers.
///
/// An open-addressing table of ids over one arena of bytes. Equality is decided on the bytes, never on a hash.
/// Ids are reused after `free`, and the arena is compacted when half of it is garbage: memory follows the names
/// in use, not all that ever came.

import { hash32 } from '../fingerprint.js'
import { invariant } from '../invariant.js'
import { grownInt32, grownUint8 } from './columns.js'

const EMPTY = -1

export class Names {
  /// Ids in use.
  size = 0
  /// Ids are below this.
  idLimit = 0
  /// The 32-bit hash of a name by id: the same in every process.
  hashOf = new Int32Array(64)
  /// The hash of the name interned last.
  lastHash = 0
  #bytes = new Uint8Array(4096)
  #bytesUsed = 0
  #bytesLive = 0
  /// id × 2: where the name begins in the arena, and its length; -1 for a free id.
  #places = new Int32Array(128).fill(-1)
  #free: number[] = []
  /// slot × 2: hash and id, side by side, so that a probe waits for memory once.
  #slots = new Int32Array(512).fill(EMPTY)
  #texts: (string | undefined)[] = []
  readonly #decoder = new TextDecoder()

  /// The id of the name at bytes[at, at + length), interning it if it is new.
  intern(bytes: Uint8Array, at: number, length: number): number {
    const hash = hash32(bytes, at, length)
    this.lastHash = hash
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    let slot = hash & mask
    for (;;) {
      const id = slots[slot * 2 + 1] as number
      if (id === EMPTY) break
      if (slots[slot * 2] === hash && this.#equals(id, bytes, at, length)) return id
      slot = (slot + 1) & mask
    }
    return this.#add(hash, slot, bytes, at, length)
  }

  /// The id of a name, or -1.
  find(bytes: Uint8Array, at: number, length: number): number {
    const hash = hash32(bytes, at, length)
    const mask = this.#slots.length / 2 - 1
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot * 2 + 1] as number
      if (id === EMPTY) return -1
      if (this.#slots[slot * 2] === hash && this.#equals(id, bytes, at, length)) return id
    }
  }

  /// True while the id is in use.
  has(id: number): boolean {
    return id < this.idLimit && (this.#places[id * 2 + 1] as number) >= 0
  }

  text(id: number): string {
    const known = this.#texts[id]
    if (known !== undefined) return known
    const text = this.#decoder.decode(this.bytesOf(id))
    this.#texts[id] = text
    return text
  }

  /// The name's bytes: a view, valid until the next call of `intern`.
  bytesOf(id: number): Uint8Array {
    const at = this.#places[id * 2] as number
    return this.#bytes.subarray(at, at + (this.#places[id * 2 + 1] as number))
  }

  /// Gives the id back. Nothing may refer to it afterwards.
  free(id: number): void {
    invariant(this.has(id), 'a freed name is in use')
    this.#unlink(id)
    this.#bytesLive -= this.#places[id * 2 + 1] as number
    this.#places[id * 2 + 1] = -1
    this.#texts[id] = undefined
    this.#free.push(id)
    this.size--
  }

  #equals(id: number, bytes: Uint8Array, at: number, length: number): boolean {
    if (this.#places[id * 2 + 1] !== length) return false
    const mine = this.#bytes
    const start = this.#places[id * 2] as number
    for (let i = 0; i < length; i++) if (mine[start + i] !== bytes[at + i]) return false
    return true
  }

  #add(hash: number, slot: number, bytes: Uint8Array, at: number, length: number): number {
    const id = this.#free.pop() ?? this.idLimit++
    if (id * 2 >= this.#places.length) {
      const places = grownInt32(this.#places, id * 2 + 2)
      places.fill(-1, this.#places.length)
      this.#places = places
      this.hashOf = grownInt32(this.hashOf, id + 1)
    }
    if (this.#bytesUsed + length > this.#bytes.length) this.#makeRoom(length)
    this.#bytes.set(bytes.subarray(at, at + length), this.#bytesUsed)
    this.#places[id * 2] = this.#bytesUsed
    this.#places[id * 2 + 1] = length
    this.hashOf[id] = hash
    this.#bytesUsed += length
    this.#bytesLive += length
    this.#slots[slot * 2] = hash
    this.#slots[slot * 2 + 1] = id
    this.size++
    if (this.size * 4 > this.#slots.length) this.#rehash()
    return id
  }

  #makeRoom(length: number): void {
    if (this.#bytesLive * 2 > this.#bytesUsed || this.#bytesUsed < 1 << 16) {
      this.#bytes = grownUint8(this.#bytes, this.#bytesUsed + length)
      return
    }
    // Half of the arena is garbage: copy what lives.
    const compact = new Uint8Array(Math.max(4096, (this.#bytesLive + length) * 2))
    let used = 0
    for (let id = 0; id < this.idLimit; id++) {
      const size = this.#places[id * 2 + 1] as number
      if (size < 0) continue
      const at = this.#places[id * 2] as number
      compact.set(this.#bytes.subarray(at, at + size), used)
      this.#places[id * 2] = used
      used += size
    }
    this.#bytes = compact
    this.#bytesUsed = used
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY)
    const mask = slots.length / 2 - 1
    for (let id = 0; id < this.idLimit; id++) {
      if (!this.has(id)) continue
      const hash = this.hashOf[id] as number
      let slot = hash & mask
      while (slots[slot * 2 + 1] !== EMPTY) slot = (slot + 1) & mask
      slots[slot * 2] = hash
      slots[slot * 2 + 1] = id
    }
    this.#slots = slots
  }

  #unlink(id: number): void {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    let hole = (this.hashOf[id] as number) & mask
    while (slots[hole * 2 + 1] !== id) hole = (hole + 1) & mask
    // Close the hole by moving back what probed past it, so that no tombstones pile up.
    for (let next = (hole + 1) & mask; slots[next * 2 + 1] !== EMPTY; next = (next + 1) & mask) {
      const home = (slots[next * 2] as number) & mask
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      slots[hole * 2] = slots[next * 2] as number
      slots[hole * 2 + 1] = slots[next * 2 + 1] as number
      hole = next
    }
    slots[hole * 2 + 1] = EMPTY
  }
}
