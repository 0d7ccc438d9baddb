/// Frames: the unit of every stream on disk (docs/formats/log.md). A frame is a header of fixed size, with a
/// checksum of its own so that a stream can be indexed without reading payloads, and the payload.
///
///   0  u32  magic "VFRM"          48  u32  CRC-32 of the payload
///   4  u32  payload length        52  u32  CRC-32 of bytes 0 … 51
///   8  f64  sequence              56  payload
///  16  f64  meta, four numbers
///
/// All little-endian. Numbers are binary64, exact for integers up to 2^53.

import { crc32 } from 'node:zlib'

export const FRAME_HEADER_BYTES = 56
/// Bound of a payload; a length above it is damage.
export const FRAME_PAYLOAD_BYTES_MAX = 256 * 1024 * 1024

const MAGIC = 0x4d524656 // "VFRM"

/// What a stream's owner says of each frame; the meaning is the owner's.
export type FrameMeta = readonly [number, number, number, number]

export interface FrameHeader {
  readonly sequence: number
  readonly meta: FrameMeta
  readonly payloadBytes: number
  readonly payloadCrc: number
}

export interface Frame extends FrameHeader {
  /// Byte position of the header in the segment file.
  readonly position: number
  readonly payload: Uint8Array
}

export function encodeFrameHeader(sequence: number, meta: FrameMeta, payload: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
  header.writeUInt32LE(MAGIC, 0)
  header.writeUInt32LE(payload.length, 4)
  header.writeDoubleLE(sequence, 8)
  for (const [i, value] of meta.entries()) header.writeDoubleLE(value, 16 + 8 * i)
  header.writeUInt32LE(crc32(payload), 48)
  header.writeUInt32LE(crc32(header.subarray(0, 52)), 52)
  return header
}

/// The header at `at`, or what is wrong with it, as a phrase.
export function decodeFrameHeader(bytes: Buffer, at: number, sequence: number): FrameHeader | string {
  if (bytes.readUInt32LE(at) !== MAGIC) return 'a frame should begin here, but does not'
  if (bytes.readUInt32LE(at + 52) !== crc32(bytes.subarray(at, at + 52))) {
    return 'a frame header fails its checksum'
  }
  const found = bytes.readDoubleLE(at + 8)
  if (found !== sequence) return `frame ${sequence} should be here, but frame ${found} is`
  const payloadBytes = bytes.readUInt32LE(at + 4)
  if (payloadBytes > FRAME_PAYLOAD_BYTES_MAX) return `a payload claims ${payloadBytes} bytes`
  return {
    sequence,
    meta: [
      bytes.readDoubleLE(at + 16),
      bytes.readDoubleLE(at + 24),
      bytes.readDoubleLE(at + 32),
      bytes.readDoubleLE(at + 40),
    ],
    payloadBytes,
    payloadCrc: bytes.readUInt32LE(at + 48),
  }
}

/// What a piece of a segment file holds.
export interface Parsed {
  readonly frames: readonly Frame[]
  /// Bytes that the frames take.
  readonly consumed: number
  /// Bytes that the next, incomplete frame needs to be read from its beginning; 0 when nothing is left over.
  readonly needed: number
  /// What is wrong right after the frames, null when nothing is.
  readonly wrong: string | null
}

/// Reads the whole frames of `bytes`, which lie at `position` of the file and begin with frame `sequence`.
export function parseFrames(bytes: Buffer, position: number, sequence: number): Parsed {
  const frames: Frame[] = []
  let at = 0
  const parsed = (needed: number, wrong: string | null): Parsed => ({ frames, consumed: at, needed, wrong })
  while (at < bytes.length) {
    if (bytes.length - at < FRAME_HEADER_BYTES) return parsed(FRAME_HEADER_BYTES, null)
    const header = decodeFrameHeader(bytes, at, sequence + frames.length)
    if (typeof header === 'string') return parsed(0, header)
    const end = at + FRAME_HEADER_BYTES + header.payloadBytes
    if (end > bytes.length) return parsed(end - at, null)
    const payload = bytes.subarray(at + FRAME_HEADER_BYTES, end)
    if (crc32(payload) !== header.payloadCrc) return parsed(0, 'a payload fails its checksum')
    frames.push({ ...header, position: position + at, payload })
    at = end
  }
  return parsed(0, null)
}
