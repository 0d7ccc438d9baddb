/// Of a delta, the totals of fates by token at its end (docs/formats/deltas.md): first those of the tokens that its dictionary knows,
/// in the order of their numbers, since each of them has a row; then others, with their names.

import type { Names } from '../tables/names.js'
import {
  ACCEPTED,
  CONFLICT,
  DUPLICATE,
  EARLY,
  FATES,
  type FatesByToken,
  LATE,
  NEWEST,
  NOTHING,
  SINCE_MS,
  type TokenTotals,
  WHOLE,
} from '../token-fates.js'
import { type ByteReader, ByteWriter } from './bytes.js'
import type { DictionaryWriter } from './dictionary.js'

/// Flags of an entry; 0: nothing is known.
const TOTALS = 1
const SINCE = 2
const NOT_ACCEPTED = 4

export class TokenTotalsWriter {
  readonly #names: Names
  readonly #fates: FatesByToken
  readonly #dictionary: DictionaryWriter
  readonly #others = new ByteWriter(256)
  #newestTick = 0

  constructor(names: Names, fates: FatesByToken, dictionary: DictionaryWriter) {
    this.#names = names
    this.#fates = fates
    this.#dictionary = dictionary
  }

  /// Writes what the delta has to say, once.
  write(out: ByteWriter): void {
    const dictionary = this.#dictionary
    this.#newestTick = 0
    for (let number = 0; number < dictionary.tokenCount; number++) {
      const token = dictionary.tokenAt(number)
      if (token < 0 || !this.#entry(token, out, null)) out.uint8(0)
    }
    const others = this.#others
    others.clear()
    let count = 0
    for (const token of this.#fates.takeNoted()) {
      if (this.#names.has(token) && this.#entry(token, others, this.#names)) count++
    }
    out.varint(count)
    out.raw(others.bytes.subarray(0, others.length))
  }

  /// Writes the entry of a token, with its name where `names` are given; false when there is nothing to say.
  #entry(token: number, out: ByteWriter, names: Names | null): boolean {
    const said = this.#fates.take(token)
    if (said === NOTHING) return false
    if (names !== null) out.sized(names.bytesOf(token))
    const { records } = this.#fates
    const at = token * FATES
    const duplicate = records[at + DUPLICATE] as number
    const late = records[at + LATE] as number
    const early = records[at + EARLY] as number
    const isPlain = duplicate === 0 && late === 0 && early === 0
    const isWhole = said === WHOLE
    out.uint8(TOTALS | (isWhole ? SINCE : 0) | (isPlain ? 0 : NOT_ACCEPTED))
    out.varint(records[at + ACCEPTED] as number)
    if (!isPlain) {
      out.varint(duplicate)
      out.varint(late)
      out.varint(early)
      out.varint(records[at + CONFLICT] as number)
    }
    const newestTick = records[at + NEWEST] as number
    out.signed(newestTick - this.#newestTick)
    this.#newestTick = newestTick
    if (isWhole) out.varint(records[at + SINCE_MS] as number)
    return true
  }
}

/// Reads entries in their order.
export class TokenTotalsReader {
  readonly #reader: ByteReader
  #newestTick = 0

  constructor(reader: ByteReader) {
    this.#reader = reader
  }

  /// Null where nothing is known.
  next(): TokenTotals | null {
    const reader = this.#reader
    const flags = reader.uint8()
    if (flags === 0) return null
    const accepted = reader.varint()
    const isPlain = (flags & NOT_ACCEPTED) === 0
    const duplicate = isPlain ? 0 : reader.varint()
    const late = isPlain ? 0 : reader.varint()
    const early = isPlain ? 0 : reader.varint()
    const conflict = isPlain ? 0 : reader.varint()
    this.#newestTick += reader.signed()
    const since = (flags & SINCE) === 0 ? null : reader.varint()
    return { accepted, duplicate, late, early, conflict, since, newestTick: this.#newestTick }
  }
}
