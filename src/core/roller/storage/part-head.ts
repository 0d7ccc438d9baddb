/// The head of a part: the entries of the pairs that are new in its segment, and what its pieces are.

import { invariant } from '../../invariant.js'
import { ByteReader, ByteWriter } from './bytes.js'
import type { Dictionary, Interner } from './dictionary-reader.js'
import type { StoredPart } from './parts.js'

export const PART_VERSION = 3

/// What the pieces of a part are.
export interface PartContents {
  readonly segment: number
  /// Of each data piece the hash of its first token's name, unsigned; ascending.
  readonly firstHashes: Uint32Array
  /// The slices with rows, ascending, and how many they have.
  readonly slots: Uint8Array
  readonly counts: Uint32Array
}

export function writeHead(
  newPairs: number,
  entries: ByteWriter,
  { firstHashes, slots, counts }: PartContents,
): Uint8Array {
  const head = new ByteWriter(entries.length + firstHashes.length * 4 + slots.length * 3 + 32)
  head.uint8(PART_VERSION)
  head.varint(newPairs)
  head.raw(entries.bytes.subarray(0, entries.length))
  head.varint(firstHashes.length)
  for (const hash of firstHashes) head.uint32(hash)
  head.varint(slots.length)
  for (const [i, slot] of slots.entries()) {
    head.uint8(slot)
    head.varint(counts[i] ?? 0)
  }
  return head.take()
}

/// Reads a head, and its entries into the dictionary of the segment.
export function readHead(part: StoredPart, dictionary: Dictionary, interner: Interner): PartContents {
  const reader = new ByteReader(part.head())
  const version = reader.uint8()
  invariant(version === PART_VERSION, `parts are of version ${PART_VERSION}, found ${version}`)
  dictionary.read(reader, reader.varint(), interner)
  const firstHashes = new Uint32Array(reader.varint())
  for (let i = 0; i < firstHashes.length; i++) firstHashes[i] = reader.uint32()
  const slots = new Uint8Array(reader.varint())
  const counts = new Uint32Array(slots.length)
  for (let i = 0; i < slots.length; i++) {
    slots[i] = reader.uint8()
    counts[i] = reader.varint()
  }
  invariant(reader.done, 'a head holds what it announces')
  return { segment: part.segment, firstHashes, slots, counts }
}

/// An id piece ends with the slice that brings it to so many fingerprints.
const ID_PIECE_ROWS = 4096

/// An id piece, and where the fingerprints of its slices begin.
export interface IdPiece {
  readonly piece: number
  readonly slots: readonly { readonly slot: number; readonly at: number; readonly rows: number }[]
}

/// The id pieces, which come after the data pieces.
export function idPieces({ firstHashes, slots, counts }: PartContents): IdPiece[] {
  const pieces: IdPiece[] = []
  let under: { slot: number; at: number; rows: number }[] = []
  let rows = 0
  for (const [i, slot] of slots.entries()) {
    const count = counts[i] ?? 0
    under.push({ slot, at: rows * 8, rows: count })
    rows += count
    if (rows < ID_PIECE_ROWS && i < slots.length - 1) continue
    pieces.push({ piece: firstHashes.length + pieces.length, slots: under })
    under = []
    rows = 0
  }
  return pieces
}
