/// Makes parts of whole blocks, as sealing does, apart from the tables that gave ids to names and pairs: so in another
/// thread than the one that fills blocks. It is told of names and pairs as they come.

import { invariant } from '../../invariant.js'
import type { Block } from '../rows/block.js'
import { DictionaryWriter, type NamesById, type PairsById } from '../storage/dictionary.js'
import { Dictionary } from '../storage/dictionary-reader.js'
import { type EncodedPart, PartEncoder } from '../storage/part-encoder.js'
import { Segments } from '../storage/segments.js'
import { grownInt32, grownUint8 } from '../tables/columns.js'
import type { Names } from '../tables/names.js'
import type { Pairs } from '../tables/pairs.js'

/// Names in the order of their ids, one after the other.
export interface NameList {
  readonly bytes: Uint8Array
  readonly lengths: Int32Array
}

/// What got ids since the block before, in the order of the ids.
export interface NewIds {
  readonly tokens: NameList
  /// hash32 of each token's name.
  readonly tokenHashes: Int32Array
  readonly traders: NameList
  /// Token and trader of each pair.
  readonly pairs: Int32Array
}

/// All rows of a block.
export interface FilledBlock {
  readonly block: number
  readonly rows: Block
  readonly newIds: NewIds
}

export interface PartMakerOptions {
  readonly resolutionMs: number
  /// Parts begin a new segment after this one; 0 where there is none.
  readonly lastSegment: number
}

export class PartMaker {
  readonly #resolutionMs: number
  readonly #segments: Segments
  readonly #tokens = new ListedNames()
  readonly #traders = new ListedNames()
  readonly #pairs = new ListedPairs()
  readonly #writer = new DictionaryWriter(this.#tokens, this.#traders, this.#pairs)
  #hashes = new Int32Array(1024)
  #dictionary = new Dictionary()

  constructor({ resolutionMs, lastSegment }: PartMakerOptions) {
    this.#resolutionMs = resolutionMs
    this.#segments = new Segments(lastSegment)
  }

  /// Blocks ascend. Each is in the store before the next.
  make({ block, rows, newIds }: FilledBlock): EncodedPart {
    this.#learn(newIds)
    if (this.#segments.turn(block)) {
      this.#dictionary = new Dictionary()
      this.#writer.begin()
    }
    const encoder = new PartEncoder({
      ...{ block, rows, wanted: () => true, segment: this.#segments.current, names: this.#writer },
      ...{ dictionary: this.#dictionary, hashOf: this.#hashes, resolutionMs: this.#resolutionMs },
    })
    encoder.step(Number.POSITIVE_INFINITY)
    const part = encoder.part()
    invariant(part !== null, 'a filled block has rows')
    return part
  }

  #learn({ tokens, tokenHashes, traders, pairs }: NewIds): void {
    const known = this.#tokens.count
    if (known + tokenHashes.length > this.#hashes.length) {
      this.#hashes = grownInt32(this.#hashes, known + tokenHashes.length)
    }
    this.#hashes.set(tokenHashes, known)
    this.#tokens.add(tokens)
    this.#traders.add(traders)
    this.#pairs.add(pairs)
  }
}

class ListedNames implements NamesById {
  count = 0
  #bytes = new Uint8Array(4096)
  /// Where each name begins, and the last one ends.
  #begins = new Int32Array(1024)

  add({ bytes, lengths }: NameList): void {
    let end = this.#begins[this.count] as number
    if (end + bytes.length > this.#bytes.length) this.#bytes = grownUint8(this.#bytes, end + bytes.length)
    this.#bytes.set(bytes, end)
    if (this.count + lengths.length >= this.#begins.length) {
      this.#begins = grownInt32(this.#begins, this.count + lengths.length + 1)
    }
    for (const length of lengths) {
      end += length
      this.#begins[++this.count] = end
    }
  }

  bytesOf(id: number): Uint8Array {
    return this.#bytes.subarray(this.#begins[id], this.#begins[id + 1])
  }
}

class ListedPairs implements PairsById {
  #pairs = new Int32Array(1024)
  #count = 0

  add(pairs: Int32Array): void {
    const used = 2 * this.#count
    if (used + pairs.length > this.#pairs.length) {
      this.#pairs = grownInt32(this.#pairs, used + pairs.length)
    }
    this.#pairs.set(pairs, used)
    this.#count += pairs.length / 2
  }

  token(id: number): number {
    return this.#pairs[2 * id] as number
  }

  trader(id: number): number {
    return this.#pairs[2 * id + 1] as number
  }
}

/// Says which ids a ledger has given since it was last asked. None may have been freed.
export class IdsGiven {
  readonly #tokens: Names
  readonly #traders: Names
  readonly #pairs: Pairs
  #tokenCount = 0
  #traderCount = 0
  #pairCount = 0

  constructor({ tokenNames, traderNames, pairs }: { tokenNames: Names; traderNames: Names; pairs: Pairs }) {
    this.#tokens = tokenNames
    this.#traders = traderNames
    this.#pairs = pairs
  }

  take(): NewIds {
    const tokens = this.#tokenCount
    const traders = this.#traderCount
    const pairs = new Int32Array(2 * (this.#pairs.idLimit - this.#pairCount))
    for (let i = 0; i < pairs.length; i += 2) {
      const id = this.#pairCount++
      pairs[i] = this.#pairs.token(id)
      pairs[i + 1] = this.#pairs.trader(id)
    }
    this.#tokenCount = this.#tokens.idLimit
    this.#traderCount = this.#traders.idLimit
    return {
      tokens: listed(this.#tokens, tokens),
      tokenHashes: this.#tokens.hashOf.slice(tokens, this.#tokenCount),
      traders: listed(this.#traders, traders),
      pairs,
    }
  }
}

function listed(names: Names, from: number): NameList {
  const lengths = new Int32Array(names.idLimit - from)
  let total = 0
  for (let i = 0; i < lengths.length; i++) {
    lengths[i] = names.bytesOf(from + i).length
    total += lengths[i] as number
  }
  const bytes = new Uint8Array(total)
  let at = 0
  for (let i = 0; i < lengths.length; i++) {
    bytes.set(names.bytesOf(from + i), at)
    at += lengths[i] as number
  }
  return { bytes, lengths }
}
