/// The beginning of every segment file (docs/formats/log.md):
///
///   0  8 bytes  magic "VOLUMERS"        24  f64  segment number
///   8  u16      format version          32  f64  sequence of the first frame
///  10  u16      kind of the stream      40  f64  length of the segment before, 0 for none
///  12  u32      CRC-32 of bytes 0 … 11  48  u32  n
///  16  8 bytes  id of the stream        52  n × f64  carry: the owner's state before the first frame
///                                       52 + 8n  u32  CRC-32 of all bytes before it
///
/// The first 16 bytes (the prelude) keep their form in every version, so that an unknown version is told from
/// damage.

import { crc32 } from 'node:zlib'
import { UnknownFormatError } from '../../ports/errors.js'

export const FORMAT_VERSION = 1
export const PRELUDE_BYTES = 16
const FIXED_BYTES = 52
/// Bound of the carry; a count above it is damage.
const CARRY_NUMBERS_MAX = 100_000

/// What a stream holds. Numbers are part of the format.
export const STREAM_KINDS = { log: 1, deltas: 2, parts: 3, 'dead-letters': 4 } as const
export type StreamKind = keyof typeof STREAM_KINDS

export interface SegmentHeader {
  readonly streamId: string
  readonly number: number
  readonly firstSequence: number
  readonly previousBytes: number
  readonly carry: readonly number[]
  /// Length of the header itself: where the first frame begins.
  readonly bytes: number
}

export function encodePrelude(target: Buffer, magic: string, kind: StreamKind): void {
  target.write(magic, 0, 'latin1')
  target.writeUInt16LE(FORMAT_VERSION, 8)
  target.writeUInt16LE(STREAM_KINDS[kind], 10)
  target.writeUInt32LE(crc32(target.subarray(0, 12)), 12)
}

/// What is wrong with the prelude, null when nothing is. Throws UnknownFormatError for an intact prelude of another
/// version.
export function checkPrelude(bytes: Buffer, magic: string, kind: StreamKind, path: string): string | null {
  if (bytes.length < PRELUDE_BYTES) return 'the file is too short'
  if (bytes.toString('latin1', 0, 8) !== magic) return 'the file does not begin as it should'
  if (bytes.readUInt32LE(12) !== crc32(bytes.subarray(0, 12))) return 'the file header fails its checksum'
  const version = bytes.readUInt16LE(8)
  if (version !== FORMAT_VERSION) {
    throw new UnknownFormatError(
      `${path} has format version ${version}; this program reads version ${FORMAT_VERSION}. Use the version of volumer that wrote it, or a newer one.`,
    )
  }
  return bytes.readUInt16LE(10) === STREAM_KINDS[kind] ? null : `the file is not one of ${kind}`
}

const MAGIC = 'VOLUMERS'

export function encodeSegmentHeader(kind: StreamKind, header: Omit<SegmentHeader, 'bytes'>): Buffer {
  const bytes = Buffer.alloc(segmentHeaderBytes(header.carry.length))
  encodePrelude(bytes, MAGIC, kind)
  bytes.write(header.streamId, 16, 'hex')
  bytes.writeDoubleLE(header.number, 24)
  bytes.writeDoubleLE(header.firstSequence, 32)
  bytes.writeDoubleLE(header.previousBytes, 40)
  bytes.writeUInt32LE(header.carry.length, 48)
  for (const [i, value] of header.carry.entries()) bytes.writeDoubleLE(value, FIXED_BYTES + 8 * i)
  const end = bytes.length - 4
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end)), end)
  return bytes
}

export function segmentHeaderBytes(carryNumbers: number): number {
  return FIXED_BYTES + 8 * carryNumbers + 4
}

/// Reads the header with `read(position, length)`, which returns fewer bytes at the end of the file. Returns a
/// phrase when it is damaged.
export function decodeSegmentHeader(
  kind: StreamKind,
  path: string,
  read: (position: number, length: number) => Buffer,
): SegmentHeader | string {
  const fixed = read(0, FIXED_BYTES)
  const wrong = checkPrelude(fixed, MAGIC, kind, path)
  if (wrong !== null) return wrong
  if (fixed.length < FIXED_BYTES) return 'the file is too short'
  const count = fixed.readUInt32LE(48)
  if (count > CARRY_NUMBERS_MAX) return 'the file header fails its checksum'
  const bytes = read(0, segmentHeaderBytes(count))
  const end = segmentHeaderBytes(count) - 4
  if (bytes.length < end + 4) return 'the file is too short'
  if (bytes.readUInt32LE(end) !== crc32(bytes.subarray(0, end))) return 'the file header fails its checksum'
  const carry: number[] = []
  for (let i = 0; i < count; i++) carry.push(bytes.readDoubleLE(FIXED_BYTES + 8 * i))
  return {
    streamId: bytes.toString('hex', 16, 24),
    number: bytes.readDoubleLE(24),
    firstSequence: bytes.readDoubleLE(32),
    previousBytes: bytes.readDoubleLE(40),
    carry,
    bytes: bytes.length,
  }
}
