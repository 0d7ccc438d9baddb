/// Parts: the rows of a block, as they lie on disk once the block has left the hot range (docs/formats/parts.md).
///
/// A part is a head and pieces, each of which can be read alone. Data pieces hold the rows token by token, in the order
/// of the hashes of their names, those of a token in chain order: so what is asked of a token reads one piece per block.
/// Id pieces hold the fingerprints of ids slice by slice: so a late swap finds out whether it is a duplicate by reading
/// one of them. A row's fingerprint is found by counting: the n-th row of a slice, in the order of the data pieces, has
/// the n-th fingerprint of the slice.

import { invariant } from '../../invariant.js'
import { type Block, FROM_DISK } from '../rows/block.js'
import type { Names } from '../tables/names.js'
import type { Pairs } from '../tables/pairs.js'
import { lastAtMost } from '../tables/sorted.js'
import { ByteReader } from './bytes.js'
import type { DictionaryWriter } from './dictionary.js'
import { Dictionary, type Interner } from './dictionary-reader.js'
import { type EncodedPart, PartEncoder } from './part-encoder.js'
import { idPieces, type PartContents, readHead } from './part-head.js'
import { RunReader } from './run-reader.js'
import { Segments } from './segments.js'

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

export class Parts {
  readonly #source: PartSource
  readonly #writer: DictionaryWriter
  readonly #resolutionMs: number
  readonly #names: Names
  readonly #dictionaries = new Map<number, Dictionary>()
  /// Of each block, what its parts hold, in the order in which they were stored.
  readonly #contents = new Map<number, PartContents[]>()
  readonly #runs: RunReader
  readonly #tokenRuns: RunReader
  readonly #segments = new Segments()
  #segmentHighest = Number.POSITIVE_INFINITY

  constructor(
    source: PartSource,
    writer: DictionaryWriter,
    resolutionMs: number,
    tokenNames: Names,
    pairs: Pairs,
  ) {
    this.#source = source
    this.#writer = writer
    this.#resolutionMs = resolutionMs
    this.#names = tokenNames
    this.#runs = new RunReader(resolutionMs, pairs)
    this.#tokenRuns = new RunReader(resolutionMs, pairs)
  }

  /// How many data pieces each part of the block has, in the order of storing.
  piecesOf(block: number): readonly number[] {
    return (this.#contents.get(block) ?? []).map(({ firstHashes }) => firstHashes.length)
  }

  /// How many parts the block has.
  countOf(block: number): number {
    return this.#contents.get(block)?.length ?? 0
  }

  /// Parts that were added since the beginning.
  changes = 0

  /// Reads a data piece token by token: `visit` is given each run as far as RunReader.next reads it, and reads on what it
  /// wants. The run is the token's rows of this part, in chain order.
  readRuns(block: number, part: number, piece: number, visit: (run: RunReader) => void): void {
    const { stored, dictionary } = this.#part(block, part)
    const runs = this.#runs
    runs.begin(stored.piece(piece), block, dictionary.pairs)
    while (runs.next()) visit(runs)
  }

  /// Visits a token's rows of the block, part by part of the first `parts`, those of each in chain order, with their
  /// places and without fingerprints. The rows are used again for the next part.
  readToken(block: number, token: number, parts: number, visit: (rows: Block) => void): void {
    for (let part = 0; part < Math.min(parts, this.countOf(block)); part++) {
      const run = this.runOf(block, token, part)
      if (run === null) continue
      run.readRows(true)
      visit(run.rows)
    }
  }

  /// The token's run in a part of the block, as far as RunReader.seek reads it; null without one. It is the caller's until
  /// the next call.
  runOf(block: number, token: number, part: number): RunReader | null {
    if (part >= this.countOf(block)) return null
    const wanted = (this.#names.hashOf[token] as number) >>> 0
    const { contents, stored, dictionary } = this.#part(block, part)
    // The piece that would hold a hash is the last one that begins at or before it.
    const piece = lastAtMost(contents.firstHashes, wanted)
    if (piece < 0) return null
    const run = this.#tokenRuns
    run.begin(stored.piece(piece), block, dictionary.pairs)
    return run.seek(token, wanted, contents.firstHashes[piece] as number) ? run : null
  }

  /// Appends those rows of the first `parts` parts of the block for which `wanted` holds, with their fingerprints: reads
  /// all of it.
  readWithIds(
    block: number,
    parts: number,
    wanted: (token: number, slot: number) => boolean,
    into: Block,
  ): void {
    for (let part = 0; part < Math.min(parts, this.countOf(block)); part++) {
      const { contents } = this.#part(block, part)
      const nextId = this.#idReaders(block, part)
      for (let piece = 0; piece < contents.firstHashes.length; piece++) {
        this.readRuns(block, part, piece, run => {
          run.readRows(true)
          const { rows, token } = run
          for (let row = 0; row < rows.rows; row++) {
            const slot = rows.slot[row] as number
            const ids = nextId(slot)
            rows.id0[row] = ids.int32()
            rows.id1[row] = ids.int32()
            rows.id2[row] = 0
            rows.offset[row] = FROM_DISK
            if (wanted(token, slot)) into.copyRow(rows, row)
          }
        })
      }
    }
  }

  /// Whether a slice on disk has a row with this fingerprint.
  hasId(block: number, slot: number, id0: number, id1: number): boolean {
    for (let part = 0; part < this.countOf(block); part++) {
      const { contents, stored } = this.#part(block, part)
      for (const { piece, slots } of idPieces(contents)) {
        const place = slots.find(one => one.slot === slot)
        if (place === undefined) continue
        const reader = new ByteReader(stored.piece(piece))
        for (let at = place.at; at < place.at + place.rows * 8; at += 8) {
          if (reader.int32At(at) === id0 && reader.int32At(at + 4) === id1) return true
        }
      }
    }
    return false
  }

  /// Reads the head of a part that is in the store: in the store's order, before anything else is read.
  restore(block: number, part: StoredPart, interner: Interner): void {
    if (part.segment > this.#segments.current) {
      this.#dictionaries.get(this.#segments.current)?.seal()
      this.#segments.current = part.segment
    }
    let dictionary = this.#dictionaries.get(part.segment)
    if (dictionary === undefined) {
      dictionary = new Dictionary()
      this.#dictionaries.set(part.segment, dictionary)
    }
    this.#note(block, readHead(part, dictionary, interner))
  }

  /// Begins to encode those rows of a block for which `wanted` holds.
  begin(block: number, rows: Block, wanted: (row: number) => boolean): PartEncoder {
    this.#turnSegment(block)
    const segment = this.#segments.current
    const dictionary = this.#dictionaries.get(segment)
    invariant(dictionary !== undefined, 'the current segment has a dictionary')
    return new PartEncoder({
      ...{ block, rows, wanted, segment },
      ...{ names: this.#writer, dictionary, hashOf: this.#names.hashOf, resolutionMs: this.#resolutionMs },
    })
  }

  /// Says that an encoded part is in the store.
  stored(block: number, part: EncodedPart): void {
    this.#segmentHighest = Math.max(this.#segmentHighest, block)
    this.#note(block, part.contents)
  }

  /// The highest block with a part in the current segment. As long as more parts may join the segment, the store
  /// must not drop it: they lean on the names of the parts before.
  get segmentHighest(): number {
    return this.#segmentHighest
  }

  /// Begins a new segment at the next part, whatever the current one holds: after a restart, or when a part of
  /// it could not be stored.
  endSegment(): void {
    this.#segments.end()
  }

  /// Forgets the contents of a block that was dropped, and dictionaries that no block leans on any more.
  forget(block: number): void {
    const gone = this.#contents.get(block)
    this.#contents.delete(block)
    if (gone === undefined) return
    const inUse = new Set([this.#segments.current])
    for (const list of this.#contents.values()) for (const { segment } of list) inUse.add(segment)
    for (const { segment } of gone) if (!inUse.has(segment)) this.#dictionaries.delete(segment)
  }

  #note(block: number, contents: PartContents): void {
    this.changes++
    const known = this.#contents.get(block)
    if (known === undefined) this.#contents.set(block, [contents])
    else known.push(contents)
  }

  #part(block: number, part: number): { contents: PartContents; stored: StoredPart; dictionary: Dictionary } {
    const contents = this.#contents.get(block)?.[part]
    const stored = this.#source.readParts(block)[part]
    invariant(
      contents !== undefined && stored?.segment === contents.segment,
      'the store keeps the parts that it was given',
    )
    const dictionary = this.#dictionaries.get(contents.segment)
    invariant(dictionary !== undefined, 'a part is read after its dictionary')
    return { contents, stored, dictionary }
  }

  /// Gives, for a slot, a reader that stands before the slot's next fingerprint.
  #idReaders(block: number, part: number): (slot: number) => ByteReader {
    const { contents, stored } = this.#part(block, part)
    const readers: ByteReader[] = []
    for (const { piece, slots } of idPieces(contents)) {
      const bytes = stored.piece(piece)
      for (const { slot, at } of slots) readers[slot] = new ByteReader(bytes, at)
    }
    return slot => {
      const reader = readers[slot]
      invariant(reader !== undefined, 'every slice with rows has their fingerprints')
      return reader
    }
  }

  #turnSegment(block: number): void {
    const before = this.#segments.current
    if (!this.#segments.turn(block)) return
    this.#dictionaries.get(before)?.seal()
    this.#segmentHighest = Number.NEGATIVE_INFINITY
    this.#dictionaries.set(this.#segments.current, new Dictionary())
    this.#writer.begin()
  }
}
