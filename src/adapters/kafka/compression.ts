/// The codecs that record batches are compressed with. We write LZ4; producers of others may use any, so all are read.
/// What a batch decompresses to is bounded, since whoever may write to a topic could else fill our memory with little.

import { gunzipSync } from 'node:zlib'
import { lz4Compress, lz4Decompress, snappyDecompress } from '@platformatic/wasm-utils'
import { Decompress } from 'fzstd'

/// The lowest three bits of a batch's attributes.
export const Compression = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

const OUTPUT_BYTES_MAX = 128 * 1024 * 1024

export function compress(bytes: Buffer): Buffer {
  return lz4Compress(bytes)
}

/// Throws an Error, of whatever kind the codec's library has, when the bytes are not that codec's.
export function decompress(codec: number, bytes: Buffer): Buffer {
  switch (codec) {
    case Compression.none:
      return bytes
    case Compression.gzip:
      return gunzipSync(bytes, { maxOutputLength: OUTPUT_BYTES_MAX })
    case Compression.snappy:
      return unsnappy(bytes)
    case Compression.lz4:
      return lz4Decompress(bytes)
    case Compression.zstd:
      return unzstd(bytes)
    default:
      throw new Error(`there is no codec ${codec}`)
  }
}

// What the Java client writes: a header, then blocks with their lengths.
const SNAPPY_JAVA = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const SNAPPY_JAVA_HEADER_BYTES = 16

function unsnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, SNAPPY_JAVA.length).equals(SNAPPY_JAVA)) return unsnappyBlock(bytes)
  const blocks: Buffer[] = []
  let total = 0
  for (let at = SNAPPY_JAVA_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readInt32BE(at)
    const end = at + 4 + length
    if (length < 0 || end > bytes.length) throw new Error('a snappy block ends too early')
    const block = unsnappyBlock(bytes.subarray(at + 4, end))
    total += block.length
    if (total > OUTPUT_BYTES_MAX) throw tooLong()
    blocks.push(block)
    at = end
  }
  return Buffer.concat(blocks)
}

function unsnappyBlock(bytes: Buffer): Buffer {
  let length = 0
  for (let i = 0, factor = 1; i < 5; i++, factor *= 128) {
    const byte = bytes.readUInt8(i)
    length += (byte & 0x7f) * factor
    if (byte < 0x80) break
  }
  if (length > OUTPUT_BYTES_MAX) throw tooLong()
  return snappyDecompress(bytes)
}

function unzstd(bytes: Buffer): Buffer {
  const chunks: Uint8Array[] = []
  let total = 0
  const stream = new Decompress(chunk => {
    total += chunk.length
    if (total > OUTPUT_BYTES_MAX) throw tooLong()
    chunks.push(chunk)
  })
  stream.push(bytes, true)
  return Buffer.concat(chunks)
}

const tooLong = (): Error => new Error(`it decompresses to more than ${OUTPUT_BYTES_MAX} bytes`)
