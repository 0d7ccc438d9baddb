/// Pairs on disk: small local numbers, introduced once per scope (a delta, or a segment of parts) together with
/// the names they stand for. Payloads of a scope can therefore be read without anything from outside it, whatever
/// numbers the process that wrote them used inside.
///
/// An entry, in the order of local pair numbers: token reference, trader reference. A reference is a varint: a
/// local number given out before, or the next one, in which case the name's length and bytes follow. They are read by
/// dictionary-reader.ts.

import { grownInt32 } from '../tables/columns.js'
import type { ByteWriter } from './bytes.js'

/// Local numbers of ids, forgotten all at once when the scope ends and one by one when an id is freed. A number is kept with
/// what was given out in the scopes before added to it, so that one look tells both number and scope.
class Numbering {
  /// The id by number; -1 when it was freed.
  ids = new Int32Array(64)
  #given = 0
  #scope = 0
  #numbers = new Int32Array(64).fill(NONE)

  /// The next number to be given out.
  get next(): number {
    return this.#given - this.#scope
  }

  /// The id's number, or -1.
  get(id: number): number {
    const number = this.#numbers[id]
    return number === undefined || number < this.#scope ? NONE : number - this.#scope
  }

  add(id: number): number {
    if (id >= this.#numbers.length) {
      const known = this.#numbers.length
      this.#numbers = grownInt32(this.#numbers, id + 1)
      this.#numbers.fill(NONE, known)
    }
    const number = this.next
    if (number >= this.ids.length) this.ids = grownInt32(this.ids, number + 1)
    this.ids[number] = id
    this.#numbers[id] = this.#given++
    return number
  }

  forget(id: number): void {
    const number = this.get(id)
    if (number < 0) return
    this.ids[number] = -1
    this.#numbers[id] = NONE
  }

  begin(): void {
    this.#scope = this.#given
    if (this.#scope < GIVEN_MAX) return
    this.#numbers.fill(NONE)
    this.#given = 0
    this.#scope = 0
  }
}

const NONE = -1
/// Half of what 31 bits hold: no scope has as many ids as the other half.
const GIVEN_MAX = 2 ** 30

/// What a writer asks of the tables that give ids to names and pairs.
export interface NamesById {
  bytesOf(id: number): Uint8Array
}

export interface PairsById {
  token(id: number): number
  trader(id: number): number
}

export class DictionaryWriter {
  readonly #tokenNames: NamesById
  readonly #traderNames: NamesById
  readonly #pairs: PairsById
  readonly #pairNumbers = new Numbering()
  readonly #tokenNumbers = new Numbering()
  readonly #traderNumbers = new Numbering()

  constructor(tokenNames: NamesById, traderNames: NamesById, pairs: PairsById) {
    this.#tokenNames = tokenNames
    this.#traderNames = traderNames
    this.#pairs = pairs
  }

  /// Begins a new scope.
  begin(): void {
    this.#pairNumbers.begin()
    this.#tokenNumbers.begin()
    this.#traderNumbers.begin()
  }

  /// The pair's local number; writes its entry to `out` if it is new in the scope.
  number(pair: number, out: ByteWriter): number {
    const known = this.#pairNumbers.get(pair)
    if (known >= 0) return known
    reference(this.#tokenNumbers, this.#tokenNames, this.#pairs.token(pair), out)
    reference(this.#traderNumbers, this.#traderNames, this.#pairs.trader(pair), out)
    return this.#pairNumbers.add(pair)
  }

  /// How many pairs the scope knows.
  get size(): number {
    return this.#pairNumbers.next
  }

  /// How many tokens the scope knows.
  get tokenCount(): number {
    return this.#tokenNumbers.next
  }

  /// The token with this local number; -1 when its id was freed meanwhile.
  tokenAt(number: number): number {
    return this.#tokenNumbers.ids[number] as number
  }

  forgetPair(pair: number): void {
    this.#pairNumbers.forget(pair)
  }

  forgetToken(token: number): void {
    this.#tokenNumbers.forget(token)
  }

  forgetTrader(trader: number): void {
    this.#traderNumbers.forget(trader)
  }
}

function reference(numbers: Numbering, names: NamesById, id: number, out: ByteWriter): void {
  const known = numbers.get(id)
  if (known >= 0) {
    out.varint(known)
    return
  }
  out.varint(numbers.next)
  out.sized(names.bytesOf(id))
  numbers.add(id)
}
