/// Interned names: each distinct byte string gets a small integer for as long as it is in use, so that the
/// roller's tables are arrays and its keys are integers.
///
/// A table of hashes over one arena of bytes. Equality is decided on the bytes, never on a hash. Ids are reused
/// after `free`, and the arena is compacted when half of it is garbage: memory follows the names in use, not all
/// that ever came.

import { hash32 } from '../../fingerprint.js'
import { invariant } from '../../invariant.js'
import { grownInt32, grownUint8 } from './columns.js'
import { HashIndex } from './hash-index.js'

export class Names {
  /// Ids in use.
  size = 0
  /// Ids are below this.
  idLimit = 0
  /// The 32-bit hash of a name by id: the same in every process.
  hashOf = new Int32Array(64)
  readonly #index = new HashIndex()
  #bytes = new Uint8Array(4096)
  #view = new DataView(this.#bytes.buffer)
  /// The bytes that a name was last looked for in: usually the same again.
  #given: Uint8Array = this.#bytes
  #givenView: DataView = this.#view
  #bytesUsed = 0
  #bytesLive = 0
  /// id × 2: where the name begins in the arena, and its length; -1 for a free id.
  #places = new Int32Array(128).fill(-1)
  #free: number[] = []
  #texts: (string | undefined)[] = []
  readonly #decoder = new TextDecoder()

  /// The id of the name at bytes[at, at + length), whose hash32 is `hash`, interning it if it is new.
  intern(bytes: Uint8Array, at: number, length: number, hash: number): number {
    const known = this.find(bytes, at, length, hash)
    return known >= 0 ? known : this.#add(hash, bytes, at, length)
  }

  /// The id of a name, or -1.
  find(bytes: Uint8Array, at: number, length: number, hash: number): number {
    const index = this.#index
    let id = index.first(hash)
    while (id >= 0 && !this.#equals(id, bytes, at, length)) id = index.next()
    return id
  }

  /// Looks at the memory that `intern` will need for a name, and does nothing: calls for many names wait side by side.
  /// What it returns means nothing, but must be used, or there would be no look.
  glance(hash: number): number {
    const id = this.#index.first(hash)
    return id < 0 ? id : (this.#bytes[this.#places[id * 2] as number] as number)
  }

  /// The id of a name given as text, or -1.
  findText(text: string): number {
    const bytes = new TextEncoder().encode(text)
    return this.find(bytes, 0, bytes.length, hash32(bytes, 0, bytes.length))
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
    this.#index.remove(this.hashOf[id] as number, id)
    this.#bytesLive -= this.#places[id * 2 + 1] as number
    this.#places[id * 2 + 1] = -1
    this.#texts[id] = undefined
    this.#free.push(id)
    this.size--
  }

  #equals(id: number, bytes: Uint8Array, at: number, length: number): boolean {
    if (this.#places[id * 2 + 1] !== length) return false
    const start = this.#places[id * 2] as number
    if (bytes !== this.#given) {
      this.#given = bytes
      this.#givenView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const mine = this.#view
    const theirs = this.#givenView
    // Four bytes at a time, as long as there are so many.
    const words = length & ~3
    for (let i = 0; i < words; i += 4) if (mine.getInt32(start + i) !== theirs.getInt32(at + i)) return false
    for (let i = words; i < length; i++)
      if (mine.getUint8(start + i) !== theirs.getUint8(at + i)) return false
    return true
  }

  #add(hash: number, bytes: Uint8Array, at: number, length: number): number {
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
    this.#index.add(hash, id)
    this.size++
    return id
  }

  #makeRoom(length: number): void {
    if (this.#bytesLive * 2 > this.#bytesUsed || this.#bytesUsed < 1 << 16) {
      this.#setArena(grownUint8(this.#bytes, this.#bytesUsed + length))
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
    this.#setArena(compact)
    this.#bytesUsed = used
  }

  #setArena(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}
