/// Builds a record batch (record-batch.ts) record by record in one buffer; nothing but bytes is kept of a record.

import { crc32c } from '@platformatic/kafka'
import { Compression, compress } from './compression.js'
import { HEADER_BYTES } from './record-batch.js'

/// What a record adds at most to the bytes of its key and value: its numbers, each a varint.
export const RECORD_OVERHEAD_BYTES = 32
/// Batches with fewer bytes are not worth compressing.
const COMPRESS_FROM_BYTES = 256

/// Bytes of a record; a view on somebody's buffer. Null stands for none, which compaction takes as “delete”.
export interface RecordParts {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers?: readonly (readonly [string, Buffer])[]
  readonly timestampMs: number
}

/// Who sends a batch, and its place in that producer's sequence for the partition.
export interface ProducerStamp {
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
}

export class RecordBatchBuilder {
  #bytes: Buffer
  #at = HEADER_BYTES
  #count = 0
  #baseTimestampMs = 0
  #maxTimestampMs = 0

  constructor(capacity = 4096) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  /// Begins anew in the same memory.
  clear(): void {
    this.#at = HEADER_BYTES
    this.#count = 0
  }

  get count(): number {
    return this.#count
  }

  /// Without compression.
  get sizeBytes(): number {
    return this.#at
  }

  /// Adds a record whose key and value are ranges of `bytes`.
  add(
    bytes: Buffer,
    keyAt: number,
    keyLength: number,
    valueAt: number,
    valueLength: number,
    timestampMs: number,
  ): void {
    const delta = this.#timestampDelta(timestampMs)
    const body =
      2 + varintBytes(delta) + varintBytes(this.#count) + varintBytes(keyLength) + varintBytes(valueLength)
    this.#room(body + keyLength + valueLength + 10)
    this.#varint(body + keyLength + valueLength)
    this.#begin(delta)
    this.#varint(keyLength)
    bytes.copy(this.#bytes, this.#at, keyAt, keyAt + keyLength)
    this.#at += keyLength
    this.#varint(valueLength)
    bytes.copy(this.#bytes, this.#at, valueAt, valueAt + valueLength)
    this.#at += valueLength
    this.#varint(0)
  }

  /// Adds a record of any shape.
  addParts({ key, value, headers = [], timestampMs }: RecordParts): void {
    const delta = this.#timestampDelta(timestampMs)
    const names = headers.map(([name]) => Buffer.from(name))
    let body = 1 + varintBytes(delta) + varintBytes(this.#count) + fieldBytes(key) + fieldBytes(value)
    body += varintBytes(headers.length)
    headers.forEach(([, content], i) => {
      body += fieldBytes(names[i] ?? null) + fieldBytes(content)
    })
    this.#room(body + 10)
    this.#varint(body)
    this.#begin(delta)
    this.#field(key)
    this.#field(value)
    this.#varint(headers.length)
    headers.forEach(([, content], i) => {
      this.#field(names[i] ?? null)
      this.#field(content)
    })
  }

  /// The finished batch, as a produce request carries it. May be called again with another stamp.
  finish({ producerId, producerEpoch, baseSequence }: ProducerStamp): Buffer {
    const records = this.#bytes.subarray(HEADER_BYTES, this.#at)
    const packed = records.length >= COMPRESS_FROM_BYTES ? compress(records) : records
    const smaller = packed.length < records.length
    const batch = Buffer.allocUnsafe(HEADER_BYTES + (smaller ? packed.length : records.length))
    const body = smaller ? packed : records
    body.copy(batch, HEADER_BYTES)
    batch.writeBigInt64BE(0n, 0)
    batch.writeInt32BE(batch.length - 12, 8)
    batch.writeInt32BE(-1, 12)
    batch.writeInt8(2, 16)
    batch.writeInt16BE(smaller ? Compression.lz4 : Compression.none, 21)
    batch.writeInt32BE(this.#count - 1, 23)
    batch.writeBigInt64BE(BigInt(this.#baseTimestampMs), 27)
    batch.writeBigInt64BE(BigInt(this.#maxTimestampMs), 35)
    batch.writeBigInt64BE(BigInt(producerId), 43)
    batch.writeInt16BE(producerEpoch, 51)
    batch.writeInt32BE(baseSequence, 53)
    batch.writeInt32BE(this.#count, 57)
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
    return batch
  }

  #timestampDelta(timestampMs: number): number {
    if (this.#count === 0) {
      this.#baseTimestampMs = timestampMs
      this.#maxTimestampMs = timestampMs
    } else if (timestampMs > this.#maxTimestampMs) this.#maxTimestampMs = timestampMs
    return timestampMs - this.#baseTimestampMs
  }

  #begin(timestampDelta: number): void {
    this.#bytes[this.#at++] = 0
    this.#varint(timestampDelta)
    this.#varint(this.#count++)
  }

  #field(bytes: Buffer | null): void {
    this.#varint(bytes === null ? -1 : bytes.length)
    if (bytes === null) return
    bytes.copy(this.#bytes, this.#at)
    this.#at += bytes.length
  }

  #varint(value: number): void {
    let rest = zigzag(value)
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const wider = Buffer.allocUnsafe(2 * (this.#at + length))
    this.#bytes.copy(wider, 0, 0, this.#at)
    this.#bytes = wider
  }
}

const zigzag = (value: number): number => (value >= 0 ? 2 * value : -2 * value - 1)

function varintBytes(value: number): number {
  let rest = zigzag(value)
  let length = 1
  while (rest >= 0x80) {
    rest = Math.floor(rest / 128)
    length++
  }
  return length
}

const fieldBytes = (bytes: Buffer | null): number =>
  bytes === null ? 1 : varintBytes(bytes.length) + bytes.length
