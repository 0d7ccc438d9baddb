/// Reads record batches (format 2, the one of Kafka 4) as they come in a fetch: the header at once, the records only
/// when they are wanted, and then into columns of ranges, without an object per record.
///
///   0 base offset i64 │ 8 length i32 │ 12 leader epoch i32 │ 16 magic i8 │ 17 CRC-32C u32 │ 21 attributes i16 │
///   23 last offset delta i32 │ 27 base timestamp i64 │ 35 max timestamp i64 │ 43 producer id i64 │
///   51 producer epoch i16 │ 53 base sequence i32 │ 57 count i32 │ 61 records, compressed together
///
/// The CRC covers everything from the attributes on. A record, its numbers zigzag varints:
///
///   length │ attributes i8 │ timestamp delta │ offset delta │ key length │ key │ value length │ value │ headers

import { crc32c } from '@platformatic/kafka'
import { decompress } from './compression.js'
import { readInt64 } from './wire.js'

export const HEADER_BYTES = 61
const MAGIC = 2
const COMPRESSION = 0b111
const LOG_APPEND_TIME = 0b1000
const TRANSACTIONAL = 0b1_0000
const CONTROL = 0b10_0000

export interface RecordBatch {
  /// The whole batch as it came.
  readonly bytes: Buffer
  readonly baseOffset: number
  /// Offset after the last one that the batch covers.
  readonly endOffset: number
  readonly leaderEpoch: number
  /// The broker's time of the append; null when the producer's own times were kept.
  readonly appendTimeMs: number | null
  readonly baseTimestampMs: number
  readonly producerId: number
  readonly transactional: boolean
  /// A transaction's end, no data.
  readonly control: boolean
  /// How many records there are; fewer than offsets where compaction took some.
  readonly count: number
}

/// What a producer wrote cannot be told apart into records, though the broker kept it as it came.
export class BrokenBatchError extends Error {
  override readonly name = 'BrokenBatchError'
}

/// The batches of a fetched partition. The last one may be cut off by the fetch's size: it is left out.
export function readBatches(bytes: Buffer): RecordBatch[] {
  const found: RecordBatch[] = []
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (end > bytes.length || end < at + HEADER_BYTES) break
    found.push(readHeader(bytes.subarray(at, end)))
    at = end
  }
  return found
}

function readHeader(bytes: Buffer): RecordBatch {
  const baseOffset = readInt64(bytes, 0)
  const attributes = bytes.readInt16BE(21)
  return {
    bytes,
    baseOffset,
    endOffset: baseOffset + bytes.readInt32BE(23) + 1,
    leaderEpoch: bytes.readInt32BE(12),
    appendTimeMs: attributes & LOG_APPEND_TIME ? readInt64(bytes, 35) : null,
    baseTimestampMs: readInt64(bytes, 27),
    producerId: readInt64(bytes, 43),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    count: bytes.readInt32BE(57),
  }
}

/// Whether the checksum is right: if not, the bytes are not what the broker took.
export function isWhole({ bytes }: RecordBatch): boolean {
  return crc32c(bytes.subarray(21)) === bytes.readUInt32BE(17)
}

/// Record i has offset `baseOffset + offsetDelta[i]`; its key, value and headers are ranges of `bytes`. A length of −1
/// stands for none.
export interface RecordColumns {
  readonly count: number
  readonly bytes: Buffer
  readonly offsetDelta: Int32Array
  readonly timestampDelta: Float64Array
  readonly keyAt: Int32Array
  readonly keyLength: Int32Array
  readonly valueAt: Int32Array
  readonly valueLength: Int32Array
  /// Where the count of headers is.
  readonly headersAt: Int32Array
}

/// Reads all records of a batch. Throws BrokenBatchError.
export function readRecords(batch: RecordBatch): RecordColumns {
  const magic = batch.bytes.readInt8(16)
  if (magic !== MAGIC) throw new BrokenBatchError(`it has format ${magic}, and only format ${MAGIC} is known`)
  const attributes = batch.bytes.readInt16BE(21)
  let bytes: Buffer
  try {
    bytes = decompress(attributes & COMPRESSION, batch.bytes.subarray(HEADER_BYTES))
  } catch (error) {
    throw new BrokenBatchError(`it cannot be decompressed: ${error instanceof Error ? error.message : error}`)
  }
  return new RecordReader(bytes).read(batch.count, batch.endOffset - batch.baseOffset)
}

/// Reads the header values that `names` ask for; absent ones are left out.
export function readHeaders(bytes: Buffer, headersAt: number): Map<string, Buffer> {
  const reader = new RecordReader(bytes)
  reader.at = headersAt
  return reader.headers()
}

class RecordReader {
  readonly #bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  read(count: number, offsets: number): RecordColumns {
    // A record has at least seven bytes, so a false count cannot ask for much memory.
    if (count < 0 || count > offsets || count * 7 > this.#bytes.length)
      throw new BrokenBatchError(`it claims ${count} records`)
    const column = () => new Int32Array(count)
    const columns = {
      count,
      bytes: this.#bytes,
      offsetDelta: column(),
      timestampDelta: new Float64Array(count),
      keyAt: column(),
      keyLength: column(),
      valueAt: column(),
      valueLength: column(),
      headersAt: column(),
    }
    let last = -1
    for (let i = 0; i < count; i++) {
      last = this.#record(columns, i, last)
      if (last >= offsets) throw new BrokenBatchError(`record ${i} lies beyond the batch's offsets`)
    }
    return columns
  }

  headers(): Map<string, Buffer> {
    const found = new Map<string, Buffer>()
    for (let left = this.#varint(); left > 0; left--) {
      const name = this.#field()
      const value = this.#field()
      if (name !== null && value !== null) found.set(name.toString(), value)
    }
    return found
  }

  #record(columns: RecordColumns, i: number, last: number): number {
    const length = this.#varint()
    const end = this.at + length
    if (length < 0 || end > this.#bytes.length) throw new BrokenBatchError(`record ${i} ends too late`)
    this.at++
    columns.timestampDelta[i] = this.#varint()
    const delta = this.#varint()
    if (delta <= last) throw new BrokenBatchError(`record ${i} does not follow the one before`)
    columns.offsetDelta[i] = delta
    columns.keyLength[i] = this.#varint()
    columns.keyAt[i] = this.at
    this.at += Math.max(0, columns.keyLength[i] ?? 0)
    columns.valueLength[i] = this.#varint()
    columns.valueAt[i] = this.at
    this.at += Math.max(0, columns.valueLength[i] ?? 0)
    columns.headersAt[i] = this.at
    if (this.at > end) throw new BrokenBatchError(`record ${i} is longer than it says`)
    this.at = end
    return delta
  }

  #field(): Buffer | null {
    const length = this.#varint()
    if (length < 0) return null
    const at = this.at
    this.at += length
    if (this.at > this.#bytes.length) throw new BrokenBatchError('a header ends too late')
    return this.#bytes.subarray(at, this.at)
  }

  /// A zigzag varint of up to 53 bits.
  #varint(): number {
    const bytes = this.#bytes
    let byte = bytes[this.at++] ?? 0
    let value = byte & 0x7f
    // Up to 28 bits in integers, which is nearly always all.
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = bytes[this.at++] ?? 0
      value |= (byte & 0x7f) << shift
    }
    for (let factor = 2 ** 28; byte >= 0x80; factor *= 128) {
      if (factor > 2 ** 49) throw new BrokenBatchError('a number has too many bytes')
      byte = bytes[this.at++] ?? 0
      value += (byte & 0x7f) * factor
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }
}

/// The value of the record in row i, a view; empty where it has none.
export function recordValue({ bytes, valueAt, valueLength }: RecordColumns, i: number): Buffer {
  const at = valueAt[i] ?? 0
  return bytes.subarray(at, at + Math.max(0, valueLength[i] ?? 0))
}
