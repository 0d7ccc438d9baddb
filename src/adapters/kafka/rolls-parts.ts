/// Parts on topic `rolls`: only a backfill writes them, everybody else makes parts of their own from deltas. A part may be
/// larger than a record, so all of a state are one stream of bytes, which records have in pieces:
///
///   0 block f64 │ 8 covers from f64 │ 16 covers to f64 │ 24 segment u32 │ 28 length u32 │ 32 the part (embedded/part-payload.ts)

import { offset } from '../../core/units.js'
import type { SlicePart, StoredPart } from '../../ports/state-store.js'
import { decodePart, encodePart } from '../embedded/part-payload.js'

const HEADER_BYTES = 32

/// A piece of the stream; the first byte of it is byte `at`.
export interface StreamPiece {
  readonly at: number
  readonly bytes: Buffer
}

/// The stream of these parts, in pieces of up to so many bytes.
export function* piecesOf(parts: Iterable<StoredPart>, bytesMax: number): Generator<StreamPiece> {
  let at = 0
  for (const part of parts) {
    const bytes = framed(part)
    for (let from = 0; from < bytes.length; from += bytesMax) {
      const piece = bytes.subarray(from, from + bytesMax)
      yield { at, bytes: piece }
      at += piece.length
    }
  }
}

function framed(part: StoredPart): Buffer {
  const pieces = Array.from({ length: part.pieces() }, (_, i) => part.piece(i))
  const payload = encodePart({ ...part, head: part.head(), pieces })
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeDoubleLE(part.block, 0)
  header.writeDoubleLE(part.coversFrom, 8)
  header.writeDoubleLE(part.coversTo, 16)
  header.writeUInt32LE(part.segment, 24)
  header.writeUInt32LE(payload.length, 28)
  return Buffer.concat([header, payload])
}

/// Puts parts together from the stream's bytes as they come.
export class PartsAssembler {
  #waiting: Buffer[] = []
  #bytes = 0
  #wanted = HEADER_BYTES

  /// Whether the bytes end with a part.
  get isComplete(): boolean {
    return this.#bytes === 0
  }

  /// The parts that are whole with these bytes, in order; or what is wrong with one, as a phrase.
  take(bytes: Buffer): readonly SlicePart[] | string {
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    const parts: SlicePart[] = []
    while (this.#bytes >= this.#wanted) {
      const [joined, length] = this.#joined()
      if (joined.length < length) break
      const part = partIn(joined.subarray(0, length))
      if (typeof part === 'string') return part
      parts.push(part)
      this.#keep(joined.subarray(length))
    }
    return parts
  }

  /// What waits as one buffer, and how long the first part of it is, with its header.
  #joined(): readonly [Buffer, number] {
    const [first = Buffer.alloc(0), ...more] = this.#waiting
    const joined = more.length === 0 ? first : Buffer.concat(this.#waiting)
    this.#waiting = [joined]
    this.#wanted = HEADER_BYTES + joined.readUInt32LE(28)
    return [joined, this.#wanted]
  }

  #keep(rest: Buffer): void {
    this.#waiting = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    this.#wanted = HEADER_BYTES
  }
}

function partIn(bytes: Buffer): SlicePart | string {
  const decoded = decodePart(bytes.subarray(HEADER_BYTES))
  if (typeof decoded === 'string') return decoded
  return {
    ...{ block: bytes.readDoubleLE(0), segment: bytes.readUInt32LE(24) },
    coversFrom: offset(bytes.readDoubleLE(8)),
    coversTo: offset(bytes.readDoubleLE(16)),
    ...decoded,
  }
}
