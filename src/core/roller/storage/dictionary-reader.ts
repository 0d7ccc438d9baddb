/// Reads the entries of dictionaries (dictionary.ts), and says what their local numbers mean in this process.
///
/// A restart reads some ten million entries of parts, so these are looked up many at a time (see intake.ts). Of a delta
/// that is mostly in parts already few entries are wanted; those of a delta are looked up when they are asked for.

import { Fingerprint } from '../../fingerprint.js'
import { invariant } from '../../invariant.js'
import { grownInt32 } from '../tables/columns.js'
import type { ByteReader } from './bytes.js'

/// Gives ids of this process to names and pairs.
export interface Interner {
  /// Names are bytes[at, at + length), with their hash32.
  internToken(bytes: Uint8Array, at: number, length: number, hash: number): number
  internTrader(bytes: Uint8Array, at: number, length: number, hash: number): number
  internPair(token: number, trader: number): number
  /// As Names.glance: at what the calls above will need.
  glanceAtToken(hash: number): number
  glanceAtTrader(hash: number): number
  glanceAtPair(token: number, trader: number): number
  /// Takes what glances return.
  glanced: number
}

const GROUP = 256

/// The dictionary of a segment of parts.
export class Dictionary {
  /// Pair id by local number. Ids of pairs that are no longer in use are stale.
  pairs = new Int32Array(64)
  size = 0
  /// Ids of names by local number, as long as further entries may come.
  #tokens: number[] = []
  #traders: number[] = []

  push(pair: number): void {
    if (this.size === this.pairs.length) this.pairs = grownInt32(this.pairs, this.size + 1)
    this.pairs[this.size++] = pair
  }

  /// Reads `count` entries.
  read(reader: ByteReader, count: number, interner: Interner): void {
    const entries = readEntries(reader, count, this.#tokens.length, this.#traders.length)
    internNames(entries.tokens, reader.bytes, this.#tokens, interner.internToken, interner.glanceAtToken)
    internNames(entries.traders, reader.bytes, this.#traders, interner.internTrader, interner.glanceAtTrader)
    internPairs(entries, this.#tokens, this.#traders, interner, pair => this.push(pair))
  }

  /// No further entries will come: the numbers of names are not needed any more.
  seal(): void {
    this.#tokens = []
    this.#traders = []
  }
}

/// The dictionary of a delta.
export class DeltaDictionary {
  readonly #bytes: Uint8Array
  readonly #entries: Entries
  readonly #pairs: Int32Array
  readonly #interner: Interner

  constructor(reader: ByteReader, count: number, interner: Interner) {
    this.#bytes = reader.bytes
    this.#entries = readEntries(reader, count, 0, 0)
    this.#pairs = new Int32Array(count).fill(-1)
    this.#interner = interner
  }

  /// Looks up all pairs at once, which is faster if most of them are wanted. Before any is asked for.
  lookUpAll(): void {
    const interner = this.#interner
    const { tokens, traders } = this.#entries
    const tokenIds: number[] = []
    const traderIds: number[] = []
    internNames(tokens, this.#bytes, tokenIds, interner.internToken, interner.glanceAtToken)
    internNames(traders, this.#bytes, traderIds, interner.internTrader, interner.glanceAtTrader)
    let next = 0
    internPairs(this.#entries, tokenIds, traderIds, interner, pair => {
      this.#pairs[next++] = pair
    })
  }

  /// How many tokens it knows.
  get tokenCount(): number {
    return this.#entries.tokens.count
  }

  /// The id of the token with a local number.
  token(number: number): number {
    return this.#entries.tokens.intern(number, this.#bytes, this.#interner.internToken)
  }

  /// The id of the pair with a local number.
  pair(number: number): number {
    const known = this.#pairs[number] as number
    if (known >= 0) return known
    const { token, trader, tokens, traders } = this.#entries
    const interner = this.#interner
    const id = interner.internPair(
      tokens.intern(token[number] as number, this.#bytes, interner.internToken),
      traders.intern(trader[number] as number, this.#bytes, interner.internTrader),
    )
    this.#pairs[number] = id
    return id
  }
}

/// Appends the ids of names that are new, looked up many at a time (see intake.ts).
function internNames(
  names: NewNames,
  bytes: Uint8Array,
  ids: number[],
  intern: Interner['internToken'],
  glance: Interner['glanceAtToken'],
): void {
  let glanced = 0
  for (let from = 0; from < names.count; from += GROUP) {
    const to = Math.min(names.count, from + GROUP)
    for (let i = from; i < to; i++) glanced ^= glance(names.hashes[i] as number)
    for (let i = from; i < to; i++) ids.push(names.intern(i, bytes, intern))
  }
  names.glanced = glanced
}

/// Gives the ids of all pairs of the entries, in their order.
function internPairs(
  { token, trader }: Entries,
  tokenIds: readonly number[],
  traderIds: readonly number[],
  interner: Interner,
  give: (pair: number) => void,
): void {
  let glanced = 0
  for (let i = 0; i < token.length; i++) {
    token[i] = tokenIds[token[i] as number] as number
    trader[i] = traderIds[trader[i] as number] as number
  }
  for (let from = 0; from < token.length; from += GROUP) {
    const to = Math.min(token.length, from + GROUP)
    for (let i = from; i < to; i++) {
      glanced ^= interner.glanceAtPair(token[i] as number, trader[i] as number)
    }
    for (let i = from; i < to; i++) give(interner.internPair(token[i] as number, trader[i] as number))
  }
  interner.glanced = glanced
}

/// Entries that are found but not looked up: local numbers of each pair's token and trader, and the names that are new.
interface Entries {
  readonly token: Int32Array
  readonly trader: Int32Array
  readonly tokens: NewNames
  readonly traders: NewNames
}

/// `tokensKnown` and `tradersKnown` names have come in payloads before.
function readEntries(reader: ByteReader, count: number, tokensKnown: number, tradersKnown: number): Entries {
  const token = new Int32Array(count)
  const trader = new Int32Array(count)
  const fingerprint = new Fingerprint()
  const tokens = new NewNames(tokensKnown, fingerprint)
  const traders = new NewNames(tradersKnown, fingerprint)
  for (let i = 0; i < count; i++) {
    token[i] = tokens.read(reader)
    trader[i] = traders.read(reader)
  }
  return { token, trader, tokens, traders }
}

/// The names that are new in a payload, from local number `first` on.
class NewNames {
  count = 0
  /// As Intake.glanced.
  glanced = 0
  hashes = new Int32Array(64)
  readonly #first: number
  readonly #fingerprint: Fingerprint
  /// Where each lies, and its length.
  #places = new Int32Array(128)

  constructor(first: number, fingerprint: Fingerprint) {
    this.#first = first
    this.#fingerprint = fingerprint
  }

  /// Reads a reference, with its name where it is new. Returns the local number.
  read(reader: ByteReader): number {
    const number = reader.varint()
    if (number < this.#first + this.count) return number
    invariant(number === this.#first + this.count, 'names are numbered in their order')
    const length = reader.varint()
    invariant(reader.at + length <= reader.bytes.length, 'a payload holds what it announces')
    const i = this.count++
    if (i === this.hashes.length) {
      this.hashes = grownInt32(this.hashes, i + 1)
      this.#places = grownInt32(this.#places, this.hashes.length * 2)
    }
    this.hashes[i] = this.#fingerprint.name(reader.bytes, reader.at, length)
    this.#places[i * 2] = reader.at
    this.#places[i * 2 + 1] = length
    reader.at += length
    return number
  }

  /// Interns the i-th of them.
  intern(i: number, bytes: Uint8Array, intern: Interner['internToken']): number {
    return intern(
      bytes,
      this.#places[i * 2] as number,
      this.#places[i * 2 + 1] as number,
      this.hashes[i] as number,
    )
  }
}
