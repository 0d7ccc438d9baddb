/// Turns the given fields of a record into a row of the batch, or says what is wrong with them.

import { priceOf } from '../decimal.js'
import { DecimalReader } from '../decimal-read.js'
import { Fingerprint } from '../fingerprint.js'
import { ABSENT, BUY, SELL, type SwapBatch } from '../swap-batch.js'
import { FIELD_NAMES, type GivenFields, Kind, REQUIRED_FIELDS, SwapField } from './fields.js'
import { bare, quoted } from './reject.js'
import { countCodePoints } from './utf8.js'

export const MAX_STRING_CHARACTERS = 128
/// The last millisecond of the year 9999.
export const MAX_TIME_MS = 253_402_300_799_999
export const MAX_INDEX = 2 ** 31 - 1

const WANTED_STRING = `a string of 1 to ${MAX_STRING_CHARACTERS} characters`
const WANTED_UTF8 = 'valid UTF-8'
const WANTED_OPTIONAL_STRING = `a string of at most ${MAX_STRING_CHARACTERS} characters`
const WANTED_TIME = `an integer of epoch milliseconds between 0 and ${MAX_TIME_MS}`
const WANTED_SIDE = '"buy" or "sell"'
const WANTED_BLOCK = `an integer between 0 and ${Number.MAX_SAFE_INTEGER}`
const WANTED_INDEX = `an integer between 0 and ${MAX_INDEX}`

const BUY_TEXT = [...'buy'].map(c => c.charCodeAt(0))
const SELL_TEXT = [...'sell'].map(c => c.charCodeAt(0))

export class RowWriter {
  readonly #decimals = new DecimalReader()
  readonly #fingerprint = new Fingerprint()
  #bytes: Uint8Array = new Uint8Array(0)
  /// The field at fault after `write` returned a reason.
  field: string | null = null

  /// Writes everything but the record columns of the row. Returns null, or the reason why the fields are no swap;
  /// the row's content is undefined then. Fields are checked in the order of SwapField; the first fault is told.
  write(bytes: Uint8Array, given: GivenFields, batch: SwapBatch, row: number): string | null {
    this.#bytes = bytes
    for (let field = 0; field < FIELD_NAMES.length; field++) {
      const wanted = this.#isAbsent(given, field)
        ? this.#writeAbsent(field, batch, row)
        : this.#writeField(given, field, batch, row)
      if (wanted !== null) return this.#reason(given, field, wanted)
    }
    if (batch.priceGiven[row] === 0) {
      const d = this.#decimals
      batch.price[row] = priceOf(d.usdMicro, d.amount0, d.amount1, d.amount2, d.amount3)
    }
    return null
  }

  /// An optional field that is null counts as absent. A required one without a value fails in #writeField.
  #isAbsent(given: GivenFields, field: number): boolean {
    const kind = given.kind[field]
    return field >= REQUIRED_FIELDS && (kind === Kind.NONE || kind === Kind.NULL)
  }

  #writeAbsent(field: number, batch: SwapBatch, row: number): null {
    if (field === SwapField.BLOCK) batch.block[row] = ABSENT
    else if (field === SwapField.TX_INDEX) batch.txIndex[row] = ABSENT
    else if (field === SwapField.LOG_INDEX) batch.logIndex[row] = ABSENT
    else if (field === SwapField.PRICE) batch.priceGiven[row] = 0
    else if (field === SwapField.TX) batch.txLength[row] = 0
    else if (field === SwapField.CHAIN) batch.chainLength[row] = 0
    return null
  }

  /// Returns null, or what was wanted.
  #writeField(given: GivenFields, field: number, batch: SwapBatch, row: number): string | null {
    const kind = given.kind[field] ?? 0
    const at = given.at[field] ?? 0
    const length = given.length[field] ?? 0
    switch (field) {
      case SwapField.ID: {
        const wanted = this.#wantedString(kind, at, length)
        if (wanted !== null) return wanted
        batch.idAt[row] = at
        batch.idLength[row] = length
        this.#fingerprint.hash(this.#bytes, at, length)
        batch.id0[row] = this.#fingerprint.word0
        batch.id1[row] = this.#fingerprint.word1
        batch.id2[row] = this.#fingerprint.word2
        return null
      }
      case SwapField.WHO: {
        const wanted = this.#wantedString(kind, at, length)
        if (wanted !== null) return wanted
        batch.whoAt[row] = at
        batch.whoLength[row] = length
        batch.whoHash[row] = this.#fingerprint.name(this.#bytes, at, length)
        return null
      }
      case SwapField.TOKEN: {
        const wanted = this.#wantedString(kind, at, length)
        if (wanted !== null) return wanted
        batch.tokenAt[row] = at
        batch.tokenLength[row] = length
        batch.tokenHash[row] = this.#fingerprint.name(this.#bytes, at, length)
        return null
      }
      case SwapField.TX:
        batch.txAt[row] = at
        batch.txLength[row] = length
        return this.#wantedOptionalString(kind, at, length)
      case SwapField.CHAIN:
        batch.chainAt[row] = at
        batch.chainLength[row] = length
        return this.#wantedOptionalString(kind, at, length)
      case SwapField.TIME: {
        const time = this.#integer(kind, at, length, MAX_TIME_MS)
        batch.timeMs[row] = time
        return time < 0 ? WANTED_TIME : null
      }
      case SwapField.BLOCK: {
        const block = this.#integer(kind, at, length, Number.MAX_SAFE_INTEGER)
        batch.block[row] = block
        return block < 0 ? WANTED_BLOCK : null
      }
      case SwapField.TX_INDEX: {
        const index = this.#integer(kind, at, length, MAX_INDEX)
        batch.txIndex[row] = index
        return index < 0 ? WANTED_INDEX : null
      }
      case SwapField.LOG_INDEX: {
        const index = this.#integer(kind, at, length, MAX_INDEX)
        batch.logIndex[row] = index
        return index < 0 ? WANTED_INDEX : null
      }
      case SwapField.SIDE:
        if (kind === Kind.STRING && this.#is(BUY_TEXT, at, length)) batch.side[row] = BUY
        else if (kind === Kind.STRING && this.#is(SELL_TEXT, at, length)) batch.side[row] = SELL
        else return WANTED_SIDE
        return null
      default:
        return this.#writeDecimal(kind, at, at + length, field, batch, row)
    }
  }

  #writeDecimal(
    kind: number,
    at: number,
    end: number,
    field: number,
    batch: SwapBatch,
    row: number,
  ): string | null {
    const decimals = this.#decimals
    // Of what is neither a string nor a number nothing is read, so that the complaint names the limits.
    const stop = kind === Kind.STRING || kind === Kind.NUMBER ? end : at
    if (field === SwapField.USD) {
      const quick = decimals.scanUsd(this.#bytes, at, stop) === stop
      const wanted = quick ? null : decimals.usd(this.#bytes, at, stop)
      batch.usd[row] = decimals.usdMicro
      return wanted
    }
    if (field === SwapField.AMOUNT) {
      const quick = decimals.scanAmount(this.#bytes, at, stop) === stop
      const wanted = quick ? null : decimals.amount(this.#bytes, at, stop)
      batch.amount0[row] = decimals.amount0
      batch.amount1[row] = decimals.amount1
      batch.amount2[row] = decimals.amount2
      batch.amount3[row] = decimals.amount3
      return wanted
    }
    const wanted = decimals.readPrice(this.#bytes, at, stop)
    batch.price[row] = decimals.price
    batch.priceGiven[row] = 1
    return wanted
  }

  #is(text: readonly number[], at: number, length: number): boolean {
    return length === text.length && text.every((byte, i) => this.#bytes[at + i] === byte)
  }

  #wantedString(kind: number, at: number, length: number): string | null {
    if (kind !== Kind.STRING || length === 0 || length > 4 * MAX_STRING_CHARACTERS) return WANTED_STRING
    const count = countCodePoints(this.#bytes, at, at + length)
    if (count < 0) return WANTED_UTF8
    return count > MAX_STRING_CHARACTERS ? WANTED_STRING : null
  }

  #wantedOptionalString(kind: number, at: number, length: number): string | null {
    const isEmpty = length === 0 && kind === Kind.STRING
    return isEmpty || this.#wantedString(kind, at, length) === null ? null : WANTED_OPTIONAL_STRING
  }

  /// The integer of plain digits, 0 … max, or −1.
  #integer(kind: number, at: number, length: number, max: number): number {
    if ((kind !== Kind.STRING && kind !== Kind.NUMBER) || length === 0) return -1
    let value = 0
    for (let p = at; p < at + length; p++) {
      const digit = (this.#bytes[p] ?? 0) - 48
      if (digit < 0 || digit > 9) return -1
      // max < 2^53, so both sides are exact.
      if (value > (max - digit) / 10) return -1
      value = value * 10 + digit
    }
    return value
  }

  #reason(given: GivenFields, field: number, wanted: string): string {
    this.field = FIELD_NAMES[field] ?? null
    return `${this.field}: wanted ${wanted}, got ${this.#got(given, field)}`
  }

  #got(given: GivenFields, field: number): string {
    const at = given.at[field] ?? 0
    const end = at + (given.length[field] ?? 0)
    switch (given.kind[field]) {
      case Kind.NONE:
        return 'nothing'
      case Kind.STRING:
        return quoted(this.#bytes, at, end)
      case Kind.OTHER:
        if (this.#bytes[at] === 0x7b) return 'an object'
        return this.#bytes[at] === 0x5b ? 'an array' : bare(this.#bytes, at, end)
      default:
        return bare(this.#bytes, at, end)
    }
  }
}
