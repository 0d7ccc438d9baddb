/// Fingerprints of byte ranges: 96 bits that stand for a swap's id, and 32 bits for tables of names.
///
/// Both are MurmurHash3 by Austin Appleby (public domain). Ids are compared by fingerprint alone, so its width is
/// what bounds wrong duplicates: with n ids within reach the chance of any collision is n²/2^97. A day at 1,000
/// swaps/s is n = 8.64·10^7, so 4.7·10^-14; 64 bits would give 2·10^-4, far above the 10^-8 that we promise.
/// MurmurHash3_x86_128 works on 32-bit words, which JavaScript multiplies natively; of its four words we keep three.
/// It resists accidents, not adversaries: a producer who crafts two colliding ids only loses swaps of its own.
///
/// Names are compared byte by byte after the hash, so 32 bits suffice there.

/// Part of the stored formats: changing it invalidates every stored fingerprint.
const SEED = 0x766f_6c75

function finalMix(hash: number): number {
  let h = hash
  h ^= h >>> 16
  h = Math.imul(h, 0x85eb_ca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2_ae35)
  return h ^ (h >>> 16)
}

/// Byte `at`, shifted; 0 beyond `end`.
function tailByte(bytes: Uint8Array, at: number, end: number, shift: number): number {
  return at < end ? (bytes[at] ?? 0) << shift : 0
}

/// A little-endian word, with zeros for bytes beyond `end`.
function tailWord(bytes: Uint8Array, at: number, end: number): number {
  return (
    tailByte(bytes, at, end, 0) |
    tailByte(bytes, at + 1, end, 8) |
    tailByte(bytes, at + 2, end, 16) |
    tailByte(bytes, at + 3, end, 24)
  )
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  )
}

const C1 = 0x239b_961b
const C2 = 0xab0e_9789 | 0
const C3 = 0x38b3_4ae5
const C4 = 0xa1e3_8b93 | 0

/// Computes fingerprints into its own fields, so that no result is allocated. One per decoder.
export class Fingerprint {
  /// The first three words of the last hash, as signed 32-bit integers; `word3` completes the 128 bits.
  word0 = 0
  word1 = 0
  word2 = 0
  word3 = 0
  // The engine reads a word through a view in one instruction, and four bytes in four. One view serves a whole batch.
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))

  /// hash32 of bytes[at … at + length − 1].
  name(bytes: Uint8Array, at: number, length: number): number {
    const view = this.#viewOf(bytes)
    let h = SEED | 0
    const end = at + length
    let p = at
    for (; p + 4 <= end; p += 4) h = mixedIn(h, view.getInt32(p, true))
    return finished32(h, tailWord(bytes, p, end), length)
  }

  /// MurmurHash3_x86_128 of bytes[at … at + length − 1].
  hash(bytes: Uint8Array, at: number, length: number, seed: number = SEED): void {
    const view = this.#viewOf(bytes)
    let h1 = seed | 0
    let h2 = seed | 0
    let h3 = seed | 0
    let h4 = seed | 0
    const end = at + length
    let p = at
    for (; p + 16 <= end; p += 16) {
      let k1 = Math.imul(view.getInt32(p, true), C1)
      k1 = (k1 << 15) | (k1 >>> 17)
      h1 ^= Math.imul(k1, C2)
      h1 = ((h1 << 19) | (h1 >>> 13)) + h2
      h1 = (Math.imul(h1, 5) + 0x561c_cd1b) | 0

      let k2 = Math.imul(view.getInt32(p + 4, true), C2)
      k2 = (k2 << 16) | (k2 >>> 16)
      h2 ^= Math.imul(k2, C3)
      h2 = ((h2 << 17) | (h2 >>> 15)) + h3
      h2 = (Math.imul(h2, 5) + 0x0bca_a747) | 0

      let k3 = Math.imul(view.getInt32(p + 8, true), C3)
      k3 = (k3 << 17) | (k3 >>> 15)
      h3 ^= Math.imul(k3, C4)
      h3 = ((h3 << 15) | (h3 >>> 17)) + h4
      h3 = (Math.imul(h3, 5) + 0x96cd_1c35) | 0

      let k4 = Math.imul(view.getInt32(p + 12, true), C4)
      k4 = (k4 << 18) | (k4 >>> 14)
      h4 ^= Math.imul(k4, C1)
      h4 = ((h4 << 13) | (h4 >>> 19)) + h1
      h4 = (Math.imul(h4, 5) + 0x32ac_3b17) | 0
    }
    if (p < end) {
      // A word of zeros leaves its hash word as it is, so the tail needs no cases.
      let k4 = Math.imul(tailWord(bytes, p + 12, end), C4)
      k4 = (k4 << 18) | (k4 >>> 14)
      h4 ^= Math.imul(k4, C1)
      let k3 = Math.imul(tailWord(bytes, p + 8, end), C3)
      k3 = (k3 << 17) | (k3 >>> 15)
      h3 ^= Math.imul(k3, C4)
      let k2 = Math.imul(tailWord(bytes, p + 4, end), C2)
      k2 = (k2 << 16) | (k2 >>> 16)
      h2 ^= Math.imul(k2, C3)
      let k1 = Math.imul(tailWord(bytes, p, end), C1)
      k1 = (k1 << 15) | (k1 >>> 17)
      h1 ^= Math.imul(k1, C2)
    }
    h1 ^= length
    h2 ^= length
    h3 ^= length
    h4 ^= length
    h1 = (h1 + h2 + h3 + h4) | 0
    h2 = (h2 + h1) | 0
    h3 = (h3 + h1) | 0
    h4 = (h4 + h1) | 0
    h1 = finalMix(h1)
    h2 = finalMix(h2)
    h3 = finalMix(h3)
    h4 = finalMix(h4)
    h1 = (h1 + h2 + h3 + h4) | 0
    this.word0 = h1
    this.word1 = (h2 + h1) | 0
    this.word2 = (h3 + h1) | 0
    this.word3 = (h4 + h1) | 0
  }

  #viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    return this.#view
  }
}

/// MurmurHash3_x86_32 of bytes[at … at + length − 1], as a signed 32-bit integer.
export function hash32(bytes: Uint8Array, at: number, length: number, seed: number = SEED): number {
  let h = seed | 0
  const end = at + length
  let p = at
  for (; p + 4 <= end; p += 4) h = mixedIn(h, word(bytes, p))
  return finished32(h, tailWord(bytes, p, end), length)
}

function scrambled(word: number): number {
  const k = Math.imul(word, 0xcc9e_2d51)
  return Math.imul((k << 15) | (k >>> 17), 0x1b87_3593)
}

function mixedIn(hash: number, word: number): number {
  const h = hash ^ scrambled(word)
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe654_6b64) | 0
}

/// A tail of zeros leaves the hash as it is.
function finished32(hash: number, tail: number, length: number): number {
  return finalMix(hash ^ scrambled(tail) ^ length)
}
