/// Parts: the rows of a block, slice by slice, as they lie on disk once the block has left the hot range.
///
/// A part is a head and pieces (docs/formats/parts.md). The head has the entries of the pairs that are new in the
/// segment and says which slices the pieces are; a piece has the rows of one slice in chain order, as columns. Each can be
/// read alone: that is how a cursor reads a block a slice at a time, and how a late swap finds out whether it is a
/// duplicate.

import { invariant } from '../../invariant.js'
import { BLOCK_TICKS, type Block, compareRows, END } from '../rows/block.js'
import type { Pairs } from '../tables/pairs.js'
import { ByteReader, ByteWriter } from './bytes.js'
import type { DictionaryWriter } from './dictionary.js'
import { Dictionary, type Interner } from './dictionary-reader.js'
import { RowColumnsReader, RowColumnsWriter, SLICE_ID } from './row-columns.js'

export const PART_VERSION = 2

/// A part to be stored.
export interface EncodedPart {
  readonly segment: number
  readonly head: Uint8Array
  readonly pieces: readonly Uint8Array[]
}

/// A part as the state store gives it back; see ports/state-store.ts for the contract.
export interface StoredPart {
  readonly segment: number
  head(): Uint8Array
  piece(index: number): Uint8Array
}

/// Reads parts back, those of a block in the order in which they were stored.
export interface PartSource {
  readParts(block: number): readonly StoredPart[]
}

/// New segments begin after so many blocks: segments are dropped whole, so shorter ones free disk space sooner,
/// longer ones repeat fewer names.
const SEGMENT_BLOCKS = 64

/// What a part's head says of its pieces: ascending slices, and how many rows each has.
interface Contents {
  readonly segment: number
  readonly slots: Uint8Array
  readonly counts: Uint32Array
}

export class Parts {
  readonly #source: PartSource
  readonly #writer: DictionaryWriter
  readonly #resolutionMs: number
  readonly #pairs: Pairs
  readonly #dictionaries = new Map<number, Dictionary>()
  /// Of each block, what its parts hold, in the order in which they were stored.
  readonly #contents = new Map<number, Contents[]>()
  readonly #rowWriter = new RowColumnsWriter(SLICE_ID)
  readonly #rowReader = new RowColumnsReader(SLICE_ID)
  #segment = 0
  #segmentEnd = Number.NEGATIVE_INFINITY
  #segmentHighest = Number.POSITIVE_INFINITY

  constructor(source: PartSource, writer: DictionaryWriter, resolutionMs: number, pairs: Pairs) {
    this.#source = source
    this.#writer = writer
    this.#resolutionMs = resolutionMs
    this.#pairs = pairs
  }

  /// How many parts of the block have rows of the slice.
  countOf(block: number, slot: number): number {
    let count = 0
    for (const contents of this.#contents.get(block) ?? []) if (contents.slots.includes(slot)) count++
    return count
  }

  /// Appends the rows of one slice that are on disk to `into`, those of each part in chain order. Unless `whole`,
  /// without their ids and places in the chain.
  readSlice(block: number, slot: number, into: Block, whole: boolean): void {
    for (const { reader, count, dictionary } of this.#piecesOf(block, slot)) {
      const first = into.extend(slot, count)
      const numbers = { pairs: dictionary.pairs, records: this.#pairs.records }
      this.#rowReader.read(reader, count, into, first, this.#beginMs(block, slot), numbers, whole)
      for (let row = first; row < first + count; row++) into.offset[row] = -1
    }
  }

  /// Whether the slice on disk has a row with this fingerprint.
  hasId(block: number, slot: number, id0: number, id1: number): boolean {
    for (const { reader, count } of this.#piecesOf(block, slot)) {
      if (this.#rowReader.find(reader, count, id0, id1) >= 0) return true
    }
    return false
  }

  /// Reads the head of a part that is in the store: in the store's order, before anything else is read.
  restore(block: number, part: StoredPart, interner: Interner): void {
    if (part.segment > this.#segment) {
      this.#dictionaries.get(this.#segment)?.seal()
      this.#segment = part.segment
    }
    let dictionary = this.#dictionaries.get(part.segment)
    if (dictionary === undefined) {
      dictionary = new Dictionary()
      this.#dictionaries.set(part.segment, dictionary)
    }
    const reader = new ByteReader(part.head())
    const version = reader.uint8()
    invariant(version === PART_VERSION, `parts are of version ${PART_VERSION}, found ${version}`)
    dictionary.read(reader, reader.varint(), interner)
    const pieces = reader.varint()
    const slots = new Uint8Array(pieces)
    const counts = new Uint32Array(pieces)
    for (let i = 0; i < pieces; i++) {
      slots[i] = reader.uint8()
      counts[i] = reader.varint()
    }
    this.#note(block, { segment: part.segment, slots, counts })
  }

  /// Says that every part in the store has been restored. The next part begins a segment.
  endRestoring(): void {
    this.endSegment()
  }

  /// Begins to encode those rows of a block for which `wanted` holds.
  begin(block: number, rows: Block, wanted: (row: number) => boolean): PartEncoder {
    this.#turnSegment(block)
    const dictionary = this.#dictionaries.get(this.#segment)
    invariant(dictionary !== undefined, 'the current segment has a dictionary')
    const encoder = {
      ...{ block, rows, wanted, segment: this.#segment },
      ...{ names: this.#writer, dictionary, columns: this.#rowWriter, resolutionMs: this.#resolutionMs },
    }
    return new PartEncoder(encoder)
  }

  /// Says that an encoded part is in the store.
  stored(encoder: PartEncoder): void {
    this.#segmentHighest = Math.max(this.#segmentHighest, encoder.block)
    this.#note(encoder.block, encoder.contents)
  }

  /// The highest block with a part in the current segment. As long as more parts may join the segment, the store
  /// must not drop it: they lean on the names of the parts before.
  get segmentHighest(): number {
    return this.#segmentHighest
  }

  /// Begins a new segment at the next part, whatever the current one holds: after a restart, or when a part of
  /// it could not be stored.
  endSegment(): void {
    this.#segmentEnd = Number.NEGATIVE_INFINITY
  }

  /// Forgets the contents of blocks that were dropped, and dictionaries that no block leans on any more.
  forget(block: number): void {
    const gone = this.#contents.get(block)
    this.#contents.delete(block)
    if (gone === undefined) return
    const inUse = new Set([this.#segment])
    for (const list of this.#contents.values()) for (const { segment } of list) inUse.add(segment)
    for (const { segment } of gone) if (!inUse.has(segment)) this.#dictionaries.delete(segment)
  }

  #note(block: number, contents: Contents): void {
    const known = this.#contents.get(block)
    if (known === undefined) this.#contents.set(block, [contents])
    else known.push(contents)
  }

  *#piecesOf(
    block: number,
    slot: number,
  ): Generator<{ reader: ByteReader; count: number; dictionary: Dictionary }> {
    const list = this.#contents.get(block)
    if (list === undefined) return
    let parts: readonly StoredPart[] | null = null
    for (const [i, { segment, slots, counts }] of list.entries()) {
      const piece = slots.indexOf(slot)
      if (piece < 0) continue
      parts ??= this.#source.readParts(block)
      const part = parts[i]
      const dictionary = this.#dictionaries.get(segment)
      invariant(part !== undefined && part.segment === segment, 'the store keeps the parts that it was given')
      invariant(dictionary !== undefined, 'a part is read after its dictionary')
      yield { reader: new ByteReader(part.piece(piece)), count: counts[piece] as number, dictionary }
    }
  }

  #beginMs(block: number, slot: number): number {
    return (block * BLOCK_TICKS + slot) * this.#resolutionMs
  }

  #turnSegment(block: number): void {
    if (block < this.#segmentEnd && this.#segmentEnd !== Number.NEGATIVE_INFINITY) return
    this.#dictionaries.get(this.#segment)?.seal()
    this.#segment++
    this.#segmentEnd = block + SEGMENT_BLOCKS
    this.#segmentHighest = Number.NEGATIVE_INFINITY
    this.#dictionaries.set(this.#segment, new Dictionary())
    this.#writer.begin()
  }
}

interface EncoderOptions {
  readonly block: number
  readonly rows: Block
  readonly wanted: (row: number) => boolean
  readonly segment: number
  readonly names: DictionaryWriter
  readonly dictionary: Dictionary
  readonly columns: RowColumnsWriter
  readonly resolutionMs: number
}

/// Encodes a part in steps, so that a block of a hundred thousand rows holds up nobody.
export class PartEncoder {
  readonly #options: EncoderOptions
  readonly #entries = new ByteWriter(4096)
  /// Pairs that are new in the segment.
  #newPairs = 0
  readonly #slots: number[] = []
  readonly #counts: number[] = []
  readonly #pieces: Uint8Array[] = []
  #nextSlot = 0

  constructor(options: EncoderOptions) {
    this.#options = options
  }

  get block(): number {
    return this.#options.block
  }

  /// Encodes slices until `rowsMost` rows are done. Returns whether all are.
  step(rowsMost: number): boolean {
    let done = 0
    while (this.#nextSlot < BLOCK_TICKS && done < rowsMost) done += this.#encodeSlice(this.#nextSlot++)
    return this.#nextSlot === BLOCK_TICKS
  }

  /// The part, or null without rows.
  part(): EncodedPart | null {
    if (this.#slots.length === 0) return null
    const { segment } = this.#options
    const head = new ByteWriter(this.#entries.length + this.#slots.length * 4 + 32)
    head.uint8(PART_VERSION)
    head.varint(this.#newPairs)
    head.raw(this.#entries.bytes.subarray(0, this.#entries.length))
    head.varint(this.#slots.length)
    for (const [i, slot] of this.#slots.entries()) {
      head.uint8(slot)
      head.varint(this.#counts[i] ?? 0)
    }
    return { segment, head: head.take(), pieces: this.#pieces }
  }

  get contents(): Contents {
    return {
      segment: this.#options.segment,
      slots: Uint8Array.from(this.#slots),
      counts: Uint32Array.from(this.#counts),
    }
  }

  #encodeSlice(slot: number): number {
    const { block, rows, wanted, names, dictionary, columns, resolutionMs } = this.#options
    const sorted = sliceInChainOrder(rows, slot, wanted)
    if (sorted.length === 0) return 0
    columns.begin((block * BLOCK_TICKS + slot) * resolutionMs)
    for (const row of sorted) {
      const pair = (rows.pairSide[row] as number) >> 1
      const number = names.number(pair, this.#entries)
      if (number === dictionary.size) {
        dictionary.push(pair)
        this.#newPairs++
      }
      columns.add(rows, row, number)
    }
    const piece = new ByteWriter(sorted.length * 34 + 32)
    columns.finish(piece)
    this.#pieces.push(piece.take())
    this.#slots.push(slot)
    this.#counts.push(sorted.length)
    return sorted.length
  }
}

export function sliceInChainOrder(rows: Block, slot: number, wanted: (row: number) => boolean): number[] {
  const list: number[] = []
  for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
    if (wanted(row)) list.push(row)
  }
  return list.sort((a, b) => compareRows(rows, a, rows, b))
}
