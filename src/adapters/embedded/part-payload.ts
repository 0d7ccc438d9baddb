/// The payload of a part's frame (docs/formats/state-files.md): a table, the head, the pieces. Each of the three is
/// verified by itself, so that a piece can be read without the megabytes around it.
///
///   0  u32          number of pieces, n      12       n × { u32 length, u32 CRC-32 }, a piece each
///   4  u32          length of the head       12 + 8n  u32 CRC-32 of all bytes before it
///   8  u32          CRC-32 of the head       16 + 8n  the head, then the pieces
///
/// All little-endian.

import { crc32 } from 'node:zlib'
import type { SlicePart } from '../../ports/state-store.js'

const FIXED_BYTES = 12
const PIECE_BYTES = 8

/// Bytes of the table of a part with so many pieces.
const tableBytes = (pieces: number): number => FIXED_BYTES + PIECE_BYTES * pieces + 4

/// Where a stretch lies in the payload, and its checksum.
export interface Stretch {
  readonly at: number
  readonly length: number
  readonly crc: number
}

export interface PartTable {
  readonly head: Stretch
  readonly pieces: readonly Stretch[]
}

export function encodePart({ head, pieces }: SlicePart): Buffer {
  const table = Buffer.allocUnsafe(tableBytes(pieces.length))
  table.writeUInt32LE(pieces.length, 0)
  table.writeUInt32LE(head.length, 4)
  table.writeUInt32LE(crc32(head), 8)
  for (const [i, piece] of pieces.entries()) {
    table.writeUInt32LE(piece.length, FIXED_BYTES + PIECE_BYTES * i)
    table.writeUInt32LE(crc32(piece), FIXED_BYTES + PIECE_BYTES * i + 4)
  }
  const end = table.length - 4
  table.writeUInt32LE(crc32(table.subarray(0, end)), end)
  return Buffer.concat([table, head, ...pieces])
}

/// Head and pieces of a whole payload, as views; or what is wrong with it, as a phrase. Only the table is verified.
export function decodePart(payload: Buffer): Pick<SlicePart, 'head' | 'pieces'> | string {
  const table = decodeTable(payload, payload.length)
  if (typeof table === 'string') return table
  const of = ({ at, length }: Stretch) => payload.subarray(at, at + length)
  return { head: of(table.head), pieces: table.pieces.map(of) }
}

/// How many bytes of the payload hold the table, judging by its beginning (FIXED_BYTES or more).
export function tableLength(payload: Buffer): number {
  return payload.length < FIXED_BYTES ? FIXED_BYTES : tableBytes(payload.readUInt32LE(0))
}

/// The table at the beginning of a payload of `payloadBytes`, or what is wrong with it, as a phrase.
export function decodeTable(payload: Buffer, payloadBytes: number): PartTable | string {
  const length = tableLength(payload)
  if (payload.length < length) return 'a part ends inside its table'
  if (payload.readUInt32LE(length - 4) !== crc32(payload.subarray(0, length - 4))) {
    return "a part's table fails its checksum"
  }
  const head = { at: length, length: payload.readUInt32LE(4), crc: payload.readUInt32LE(8) }
  const pieces: Stretch[] = []
  let at = head.at + head.length
  for (let i = 0; i < payload.readUInt32LE(0); i++) {
    const entry = FIXED_BYTES + PIECE_BYTES * i
    pieces.push({ at, length: payload.readUInt32LE(entry), crc: payload.readUInt32LE(entry + 4) })
    at += payload.readUInt32LE(entry)
  }
  return at === payloadBytes ? { head, pieces } : "a part's pieces do not fill its payload"
}
