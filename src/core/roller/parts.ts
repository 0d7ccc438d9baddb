/// Parts: the rows of a block, sorted, as they lie on disk once the block has left the hot range.
///
/// Payload (version 1; docs/formats/parts.md): version, count and entries of the pairs that are new in the
/// segment, then for each of the BLOCK_TICKS slices its row count and byte length, then the slices' rows in chain
/// order. A slice can be read alone: that is how a late swap finds out whether it is a duplicate.

import { invariant } from '../invariant.js'
import { BLOCK_TICKS, type Block, compareRows, END } from './block.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { Dictionary, type DictionaryWriter, type Interner } from './dictionary.js'
import { RowReader, RowWriter } from './row-codec.js'
import type { BlockReader } from './slices.js'

export const PART_VERSION = 1

/// A part as the state store keeps it.
export interface StoredPart {
  readonly segment: number
  readonly payload: Uint8Array
}

/// Reads parts back; see ports/state-store.ts for the contract.
export interface PartSource {
  readParts(block: number): readonly StoredPart[]
}

/// New segments begin after so many blocks: segments are dropped whole, so shorter ones free disk space sooner,
/// longer ones repeat fewer names.
const SEGMENT_BLOCKS = 64

export class Parts implements BlockReader {
  readonly #source: PartSource
  readonly #writer: DictionaryWriter
  readonly #resolutionMs: number
  readonly #tokenOfPair: () => Int32Array
  readonly #dictionaries = new Map<number, Dictionary>()
  readonly #rowWriter = new RowWriter()
  readonly #rowReader = new RowReader()
  #segment = 0
  #segmentEnd = Number.NEGATIVE_INFINITY
  #segmentHighest = Number.POSITIVE_INFINITY
  /// While parts are being restored: how many of each block have been.
  #restored: Map<number, number> | null = null

  constructor(
    source: PartSource,
    writer: DictionaryWriter,
    resolutionMs: number,
    tokenOfPair: () => Int32Array,
  ) {
    this.#tokenOfPair = tokenOfPair
    this.#source = source
    this.#writer = writer
    this.#resolutionMs = resolutionMs
  }

  /// Reads the dictionary of a stored part and appends its rows to `into`.
  restore(index: number, part: StoredPart, interner: Interner, into: Block): void {
    this.#restored ??= new Map()
    this.#restored.set(index, (this.#restored.get(index) ?? 0) + 1)
    if (part.segment > this.#segment) {
      this.#dictionaries.get(this.#segment)?.seal()
      this.#segment = part.segment
    }
    let dictionary = this.#dictionaries.get(part.segment)
    if (dictionary === undefined) {
      dictionary = new Dictionary()
      this.#dictionaries.set(part.segment, dictionary)
    }
    const reader = opened(part.payload)
    const count = reader.varint()
    reader.varint()
    dictionary.read(reader, count, interner)
    this.#readRows(reader, index, dictionary, into)
  }

  load(index: number, into: Block): void {
    for (const part of this.#readable(index)) {
      const { reader, dictionary } = this.#rowsOf(part)
      this.#readRows(reader, index, dictionary, into)
    }
  }

  /// Appends the rows of one slice that are on disk.
  loadSlice(index: number, slot: number, into: Block): void {
    for (const part of this.#readable(index)) {
      const { reader, dictionary } = this.#rowsOf(part)
      let skip = 0
      let count = 0
      for (let other = 0; other < BLOCK_TICKS; other++) {
        const rows = reader.varint()
        const length = reader.varint()
        if (other < slot) skip += length
        if (other === slot) count = rows
      }
      reader.at += skip
      this.#readSlice(reader, index, slot, count, dictionary, into)
    }
  }

  /// Encodes those rows of a block for which `wanted` holds. Returns null when there are none.
  encode(index: number, rows: Block, wanted: (row: number) => boolean): StoredPart | null {
    this.#turnSegment(index)
    const dictionary = this.#dictionaries.get(this.#segment)
    invariant(dictionary !== undefined, 'the current segment has a dictionary')
    const names = new ByteWriter(4096)
    const directory = new ByteWriter(BLOCK_TICKS * 4)
    const body = new ByteWriter(rows.rows * 32 + 64)
    const before = dictionary.size
    let total = 0
    const begin = index * BLOCK_TICKS * this.#resolutionMs
    for (let slot = 0; slot < BLOCK_TICKS; slot++) {
      const sorted = sliceInChainOrder(rows, slot, wanted)
      const start = body.length
      this.#rowWriter.begin(begin + slot * this.#resolutionMs)
      for (const row of sorted) {
        const pair = (rows.pairSide[row] as number) >> 1
        const number = this.#writer.number(pair, names)
        if (number === dictionary.size) dictionary.push(pair)
        this.#rowWriter.write(body, rows, row, number, false)
      }
      directory.varint(sorted.length)
      directory.varint(body.length - start)
      total += sorted.length
    }
    if (total === 0) return null
    this.#segmentHighest = Math.max(this.#segmentHighest, index)
    const out = new ByteWriter(names.length + directory.length + body.length + 32)
    out.uint8(PART_VERSION)
    out.varint(dictionary.size - before)
    out.varint(names.length)
    out.raw(names.bytes.subarray(0, names.length))
    out.raw(directory.bytes.subarray(0, directory.length))
    out.raw(body.bytes.subarray(0, body.length))
    return { segment: this.#segment, payload: out.take() }
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

  /// Every part of the block. While parts are being restored, only those that have been: the names of the others
  /// are not known yet.
  #readable(index: number): readonly StoredPart[] {
    const parts = this.#source.readParts(index)
    return this.#restored === null ? parts : parts.slice(0, this.#restored.get(index) ?? 0)
  }

  /// Says that every part in the store has been restored.
  endRestoring(): void {
    this.#restored = null
    this.endSegment()
  }

  #turnSegment(index: number): void {
    if (index < this.#segmentEnd && this.#segmentEnd !== Number.NEGATIVE_INFINITY) return
    this.#dictionaries.get(this.#segment)?.seal()
    this.#segment++
    this.#segmentEnd = index + SEGMENT_BLOCKS
    this.#segmentHighest = Number.NEGATIVE_INFINITY
    this.#dictionaries.set(this.#segment, new Dictionary())
    this.#writer.begin()
  }

  #rowsOf(part: StoredPart): { reader: ByteReader; dictionary: Dictionary } {
    const dictionary = this.#dictionaries.get(part.segment)
    invariant(dictionary !== undefined, 'a part is read after its dictionary')
    const reader = opened(part.payload)
    reader.varint()
    const namesLength = reader.varint()
    reader.at += namesLength
    return { reader, dictionary }
  }

  #readRows(reader: ByteReader, index: number, dictionary: Dictionary, into: Block): void {
    const counts = new Int32Array(BLOCK_TICKS)
    for (let slot = 0; slot < BLOCK_TICKS; slot++) {
      counts[slot] = reader.varint()
      reader.varint()
    }
    for (let slot = 0; slot < BLOCK_TICKS; slot++) {
      this.#readSlice(reader, index, slot, counts[slot] as number, dictionary, into)
    }
  }

  #readSlice(
    reader: ByteReader,
    index: number,
    slot: number,
    count: number,
    dictionary: Dictionary,
    into: Block,
  ): void {
    this.#rowReader.begin((index * BLOCK_TICKS + slot) * this.#resolutionMs)
    const tokens = this.#tokenOfPair()
    for (let i = 0; i < count; i++) {
      const row = into.append(slot)
      into.offset[row] = -1
      this.#rowReader.read(reader, into, row, dictionary.pairs, tokens, false)
    }
  }

  /// Forgets the dictionaries of segments that the store has dropped.
  forgetSegments(alive: (segment: number) => boolean): void {
    for (const segment of this.#dictionaries.keys()) {
      if (segment !== this.#segment && !alive(segment)) this.#dictionaries.delete(segment)
    }
  }
}

function opened(payload: Uint8Array): ByteReader {
  const reader = new ByteReader(payload)
  const version = reader.uint8()
  invariant(version === PART_VERSION, `parts are of version ${PART_VERSION}, found ${version}`)
  return reader
}

function sliceInChainOrder(rows: Block, slot: number, wanted: (row: number) => boolean): number[] {
  const list: number[] = []
  for (let row = rows.sliceHead[slot] as number; row !== END; row = rows.nextInSlice[row] as number) {
    if (wanted(row)) list.push(row)
  }
  return list.sort((a, b) => compareRows(rows, a, rows, b))
}
