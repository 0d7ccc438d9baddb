/// Kafka's primitive types over one contiguous buffer: what the requests of the data path are made of. The client
/// library reads through a list of chunks and cannot read tagged fields, which brokers use in answers about leaders.

/// Reads; every number that can be beyond 2^53 in theory (offsets, producer ids) is one that never is in practice.
export class WireReader {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  int8(): number {
    return this.bytes.readInt8(this.#pass(1))
  }

  int16(): number {
    return this.bytes.readInt16BE(this.#pass(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.#pass(4))
  }

  int64(): number {
    return readInt64(this.bytes, this.#pass(8))
  }

  unsignedVarint(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.bytes.readUInt8(this.#pass(1))
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      if (factor > 2 ** 49) throw new RangeError('a varint has too many bytes')
    }
  }

  /// 16 bytes in hexadecimal.
  uuid(): string {
    const at = this.#pass(16)
    return this.bytes.toString('hex', at, at + 16)
  }

  /// Null when absent.
  compactString(): string | null {
    const length = this.unsignedVarint() - 1
    if (length < 0) return null
    const at = this.#pass(length)
    return this.bytes.toString('utf8', at, at + length)
  }

  /// The bytes themselves, not a copy; empty when absent.
  compactBytes(): Buffer {
    const length = Math.max(0, this.unsignedVarint() - 1)
    const at = this.#pass(length)
    return this.bytes.subarray(at, at + length)
  }

  compactArray<T>(element: () => T): T[] {
    const count = Math.max(0, this.unsignedVarint() - 1)
    const found: T[] = []
    for (let i = 0; i < count; i++) found.push(element())
    return found
  }

  /// Hands out each tagged field, with a reader of its content.
  tags(take: (tag: number, content: WireReader) => void): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      const tag = this.unsignedVarint()
      const length = this.unsignedVarint()
      const at = this.#pass(length)
      take(tag, new WireReader(this.bytes.subarray(0, at + length), at))
    }
  }

  skipTags(): void {
    this.tags(() => {})
  }

  /// Moves past `length` bytes; returns where they begin.
  #pass(length: number): number {
    const at = this.at
    this.at += length
    if (this.at > this.bytes.length) throw new RangeError('an answer of the broker ends too early')
    return at
  }
}

/// Writes into a buffer that grows.
export class WireWriter {
  #bytes = Buffer.allocUnsafe(512)
  #at = 0

  int8(value: number): this {
    this.#at = this.#room(1).writeInt8(value, this.#at)
    return this
  }

  int16(value: number): this {
    this.#at = this.#room(2).writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#at = this.#room(4).writeInt32BE(value, this.#at)
    return this
  }

  int64(value: number): this {
    this.#at = this.#room(8).writeBigInt64BE(BigInt(value), this.#at)
    return this
  }

  unsignedVarint(value: number): this {
    let rest = value
    this.#room(8)
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
    return this
  }

  uuid(hex: string): this {
    return this.raw(Buffer.from(hex, 'hex'))
  }

  compactString(text: string | null): this {
    if (text === null) return this.unsignedVarint(0)
    const bytes = Buffer.from(text)
    return this.unsignedVarint(bytes.length + 1).raw(bytes)
  }

  compactBytes(bytes: Buffer): this {
    return this.unsignedVarint(bytes.length + 1).raw(bytes)
  }

  compactArray<T>(elements: readonly T[], write: (element: T) => void): this {
    this.unsignedVarint(elements.length + 1)
    for (const element of elements) write(element)
    return this
  }

  noTags(): this {
    return this.unsignedVarint(0)
  }

  raw(bytes: Buffer): this {
    bytes.copy(this.#room(bytes.length), this.#at)
    this.#at += bytes.length
    return this
  }

  /// What was written; the writer is done.
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  #room(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) {
      const wider = Buffer.allocUnsafe(2 * (this.#at + length))
      this.#bytes.copy(wider, 0, 0, this.#at)
      this.#bytes = wider
    }
    return this.#bytes
  }
}

export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
}
