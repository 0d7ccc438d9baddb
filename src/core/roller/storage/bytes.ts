/// Little-endian bytes with variable-length integers (LEB128), for deltas and parts. Numbers up to 2^53 − 1.

import { InvariantError, invariant } from '../../invariant.js'
import { grownUint8 } from '../tables/columns.js'

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>
  length = 0
  readonly #scratch = new DataView(new ArrayBuffer(8))

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity)
  }

  clear(): void {
    this.length = 0
  }

  /// A copy of what was written.
  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length)
  }

  uint8(value: number): void {
    this.#room(1)
    this.bytes[this.length++] = value
  }

  uint32(value: number): void {
    this.#room(4)
    const { bytes } = this
    const at = this.length
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
    this.length = at + 4
  }

  /// `width` bytes, 1 … 4, of a value below 2^31.
  uint(value: number, width: number): void {
    this.#room(width)
    for (let shift = 0; shift < width * 8; shift += 8) this.bytes[this.length++] = value >>> shift
  }

  float64(value: number): void {
    this.#room(8)
    this.#scratch.setFloat64(0, value, true)
    for (let i = 0; i < 8; i++) this.bytes[this.length++] = this.#scratch.getUint8(i)
  }

  /// 0 … 2^53 − 1.
  varint(value: number): void {
    this.#room(8)
    const { bytes } = this
    let at = this.length
    let rest = value
    while (rest >= 0x1000_0000) {
      bytes[at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  /// A difference, small in either direction: −2^53 + 1 … 2^53 − 1. The first byte has the sign and six bits.
  signed(value: number): void {
    const magnitude = Math.abs(value)
    const sign = value < 0 ? 0x40 : 0
    if (magnitude < 0x40) {
      this.uint8(magnitude | sign)
      return
    }
    this.uint8((magnitude % 0x40) | sign | 0x80)
    this.varint(Math.floor(magnitude / 0x40))
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /// A length and then the bytes.
  sized(bytes: Uint8Array): void {
    this.varint(bytes.length)
    this.raw(bytes)
  }

  #room(needed: number): void {
    if (this.length + needed > this.bytes.length) this.bytes = grownUint8(this.bytes, this.length + needed)
  }
}

/// Reads what ByteWriter wrote. Reading past the end is an InvariantError: payloads are checksummed, so it is a
/// bug, not damage.
export class ByteReader {
  readonly bytes: Uint8Array
  at: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes
    this.at = at
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  uint8(): number {
    const value = this.bytes[this.at++]
    if (value === undefined) throw new InvariantError('Invariant violated: a payload ends inside a value')
    return value
  }

  uint32(): number {
    const value = this.#view.getUint32(this.at, true)
    this.at += 4
    return value
  }

  /// The value at a position, wherever the reader stands.
  int32At(at: number): number {
    return this.#view.getInt32(at, true)
  }

  int32(): number {
    const value = this.#view.getInt32(this.at, true)
    this.at += 4
    return value
  }

  float64(): number {
    const value = this.#view.getFloat64(this.at, true)
    this.at += 8
    return value
  }

  varint(): number {
    const { bytes } = this
    let at = this.at
    let byte = bytes[at++] as number
    if (byte < 0x80) {
      this.at = at
      return byte
    }
    let value = byte & 0x7f
    let scale = 128
    do {
      byte = this.#byte(at++)
      value += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80)
    this.at = at
    return value
  }

  signed(): number {
    const first = this.uint8()
    const low = first & 0x3f
    const magnitude = first < 0x80 ? low : low + this.varint() * 0x40
    return (first & 0x40) === 0 ? magnitude : -magnitude
  }

  sized(): Uint8Array {
    const length = this.varint()
    const at = this.at
    invariant(at + length <= this.bytes.length, 'a payload holds what it announces')
    this.at = at + length
    return this.bytes.subarray(at, at + length)
  }

  #byte(at: number): number {
    const byte = this.bytes[at]
    if (byte === undefined) throw new InvariantError('Invariant violated: a payload ends inside a value')
    return byte
  }
}
