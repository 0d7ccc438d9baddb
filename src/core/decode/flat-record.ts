/// The fast path: reads the JSON record that producers send into a row of the batch, in one pass and without
/// allocating.
///
/// It takes a flat object of known keys, each at most once, in any order, with any spaces and tabs; strings without
/// escapes; numbers in plain digits. For everything else, valid or not, it gives up and the exact path reads
/// the record anew. So it never decides that a record is invalid, and what it takes means the same there: both
/// share the decimals, the fingerprint and the limits, and a test holds both against JSON.parse on random records.

import { priceOf } from '../decimal.js'
import { DecimalReader } from '../decimal-read.js'
import { Fingerprint } from '../fingerprint.js'
import { ABSENT, BUY, SELL, type SwapBatch } from '../swap-batch.js'
import { REQUIRED_FIELDS, SwapField } from './fields.js'
import { MAX_INDEX, MAX_STRING_CHARACTERS, MAX_TIME_MS } from './row-writer.js'
import { countCodePoints } from './utf8.js'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const ALL_REQUIRED = (1 << REQUIRED_FIELDS) - 1
const PRICE_GIVEN = 1 << SwapField.PRICE

/// Bytes read ahead of a bounds check: the longest key with its quote, or a value's first bytes.
const AHEAD = 12

/// 1 for what ends or interrupts a plain string (the quote, the backslash, controls), 2 for what is not ASCII.
const STOP = 1
const STOPS = Uint8Array.from({ length: 256 }, (_, b) => {
  if (b < 0x20 || b === QUOTE || b === 0x5c) return STOP
  return b >= 0x80 ? 2 : 0
})
/// 1 for the bytes of a decimal.
const DECIMAL = Uint8Array.from({ length: 256 }, (_, b) =>
  '0123456789.eE+-'.includes(String.fromCharCode(b)) ? 1 : 0,
)

export class FlatRecordReader {
  readonly #decimals = new DecimalReader()
  readonly #fingerprint = new Fingerprint()
  /// The last integer.
  #integer = 0

  /// Reads the object at `at`, which ends before `end`, into everything but the record columns of the row. Returns where it
  /// ends, or −1 for what the exact path must read; the row's content is undefined then.
  read(bytes: Uint8Array, at: number, end: number, batch: SwapBatch, row: number): number {
    if (bytes[at] !== OPEN_OBJECT) return -1
    const decimals = this.#decimals
    let seen = 0
    let p = at + 1
    batch.block[row] = ABSENT
    batch.txIndex[row] = ABSENT
    batch.logIndex[row] = ABSENT
    batch.priceGiven[row] = 0
    batch.txLength[row] = 0
    batch.chainLength[row] = 0
    for (;;) {
      p = skipBlanks(bytes, p, end)
      if (p + AHEAD > end || bytes[p] !== QUOTE) return -1
      const field = keyAt(bytes, p + 1)
      if (field < 0 || (seen & (1 << field)) !== 0) return -1
      seen |= 1 << field
      p += KEY_LENGTHS[field] ?? 0
      if (bytes[p] !== COLON) {
        p = skipBlanks(bytes, p, end)
        if (p >= end || bytes[p] !== COLON) return -1
      }
      p = skipBlanks(bytes, p + 1, end)
      if (p >= end) return -1
      switch (field) {
        case SwapField.ID: {
          const from = p + 1
          p = stringEnd(bytes, p, end)
          if (p < 0) return -1
          batch.idAt[row] = from
          batch.idLength[row] = p - 1 - from
          this.#fingerprint.hash(bytes, from, p - 1 - from)
          batch.id0[row] = this.#fingerprint.word0
          batch.id1[row] = this.#fingerprint.word1
          batch.id2[row] = this.#fingerprint.word2
          break
        }
        case SwapField.WHO: {
          const from = p + 1
          p = stringEnd(bytes, p, end)
          if (p < 0) return -1
          batch.whoAt[row] = from
          batch.whoLength[row] = p - 1 - from
          batch.whoHash[row] = this.#fingerprint.name(bytes, from, p - 1 - from)
          break
        }
        case SwapField.TOKEN: {
          const from = p + 1
          p = stringEnd(bytes, p, end)
          if (p < 0) return -1
          batch.tokenAt[row] = from
          batch.tokenLength[row] = p - 1 - from
          batch.tokenHash[row] = this.#fingerprint.name(bytes, from, p - 1 - from)
          break
        }
        case SwapField.TX: {
          const from = p + 1
          p = stringEnd(bytes, p, end)
          batch.txAt[row] = from
          batch.txLength[row] = p - 1 - from
          break
        }
        case SwapField.CHAIN: {
          const from = p + 1
          p = stringEnd(bytes, p, end)
          batch.chainAt[row] = from
          batch.chainLength[row] = p - 1 - from
          break
        }
        case SwapField.TIME:
          p = this.#plainInteger(bytes, p, end, MAX_TIME_MS)
          batch.timeMs[row] = this.#integer
          break
        case SwapField.BLOCK:
          p = this.#plainInteger(bytes, p, end, Number.MAX_SAFE_INTEGER)
          batch.block[row] = this.#integer
          break
        case SwapField.TX_INDEX:
          p = this.#plainInteger(bytes, p, end, MAX_INDEX)
          batch.txIndex[row] = this.#integer
          break
        case SwapField.LOG_INDEX:
          p = this.#plainInteger(bytes, p, end, MAX_INDEX)
          batch.logIndex[row] = this.#integer
          break
        case SwapField.SIDE: {
          const side = sideAt(bytes, p, end)
          if (side < 0) return -1
          batch.side[row] = side
          p += side === BUY ? 5 : 6
          break
        }
        case SwapField.AMOUNT: {
          const inString = bytes[p] === QUOTE
          if (!inString && startsWithZeros(bytes, p, end)) return -1
          p = decimals.scanAmount(bytes, inString ? p + 1 : p, end)
          if (inString) p = p > 0 && p < end && bytes[p] === QUOTE ? p + 1 : -1
          batch.amount0[row] = decimals.amount0
          batch.amount1[row] = decimals.amount1
          batch.amount2[row] = decimals.amount2
          batch.amount3[row] = decimals.amount3
          break
        }
        case SwapField.USD: {
          const inString = bytes[p] === QUOTE
          if (!inString && startsWithZeros(bytes, p, end)) return -1
          p = decimals.scanUsd(bytes, inString ? p + 1 : p, end)
          if (inString) p = p > 0 && p < end && bytes[p] === QUOTE ? p + 1 : -1
          batch.usd[row] = decimals.usdMicro
          break
        }
        default:
          p = this.#price(bytes, p, end)
          batch.price[row] = decimals.price
          batch.priceGiven[row] = 1
      }
      if (p < 0 || p >= end) return -1
      if (bytes[p] === COMMA) {
        p++
        continue
      }
      p = skipBlanks(bytes, p, end)
      if (p >= end) return -1
      const delimiter = bytes[p++]
      if (delimiter === CLOSE_OBJECT) break
      if (delimiter !== COMMA) return -1
    }
    if ((seen & ALL_REQUIRED) !== ALL_REQUIRED) return -1
    if ((seen & PRICE_GIVEN) === 0) {
      batch.price[row] = priceOf(
        decimals.usdMicro,
        decimals.amount0,
        decimals.amount1,
        decimals.amount2,
        decimals.amount3,
      )
    }
    return p
  }

  /// An integer in plain digits without leading zeros. Returns where it ends, or −1.
  #plainInteger(bytes: Uint8Array, at: number, end: number, max: number): number {
    if (startsWithZeros(bytes, at, end)) return -1
    let p = at
    let high = 0
    // Nine digits at a time stay within 32 bits.
    const middle = Math.min(at + 9, end)
    for (; p < middle; p++) {
      const digit = (bytes[p] ?? 0) - 48
      if (digit >>> 0 > 9) break
      high = (Math.imul(high, 10) + digit) | 0
    }
    if (p === at) return -1
    let value = high
    if (p === at + 9) {
      let low = 0
      const from = p
      for (; p < end; p++) {
        const digit = (bytes[p] ?? 0) - 48
        if (digit >>> 0 > 9) break
        low = (Math.imul(low, 10) + digit) | 0
      }
      // 15 digits are below 2^53; longer ones are left to the exact path.
      if (p - from > 6) return -1
      value = high * (POW10[p - from] ?? 1) + low
    }
    if (value > max) return -1
    this.#integer = value
    return p
  }

  /// A price in any spelling of a decimal. Returns where it ends, or −1.
  #price(bytes: Uint8Array, at: number, end: number): number {
    const inString = bytes[at] === QUOTE
    if (!inString && startsWithZeros(bytes, at, end)) return -1
    const from = inString ? at + 1 : at
    let p = from
    while (p < end && DECIMAL[bytes[p] ?? 0] === 1) p++
    if (this.#decimals.readPrice(bytes, from, p) !== null) return -1
    if (!inString) return p
    return p < end && bytes[p] === QUOTE ? p + 1 : -1
  }
}

const POW10 = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000]

/// Length of each key with its quotes, by SwapField.
const KEY_LENGTHS = Int32Array.from([4, 6, 5, 7, 6, 8, 5, 7, 9, 10, 7, 4, 7])

/// The field whose name and closing quote stand at `at`, or −1. AHEAD bytes are there.
function keyAt(bytes: Uint8Array, at: number): number {
  switch (bytes[at]) {
    case 0x69: // id
      return bytes[at + 1] === 0x64 && bytes[at + 2] === QUOTE ? SwapField.ID : -1
    case 0x74: // time, token, txIndex, tx
      if (bytes[at + 1] === 0x69) return isTail(bytes, at + 2, 0x6d, 0x65) ? SwapField.TIME : -1
      if (bytes[at + 1] === 0x6f) {
        return bytes[at + 2] === 0x6b && isTail(bytes, at + 3, 0x65, 0x6e) ? SwapField.TOKEN : -1
      }
      if (bytes[at + 1] !== 0x78) return -1
      if (bytes[at + 2] === QUOTE) return SwapField.TX
      return isIndex(bytes, at + 2) ? SwapField.TX_INDEX : -1
    case 0x77: // who
      return isTail(bytes, at + 1, 0x68, 0x6f) ? SwapField.WHO : -1
    case 0x73: // side
      return bytes[at + 1] === 0x69 && isTail(bytes, at + 2, 0x64, 0x65) ? SwapField.SIDE : -1
    case 0x61: // amount
      return isWord(bytes, at + 1, 0x6d, 0x6f, 0x75) && isTail(bytes, at + 4, 0x6e, 0x74)
        ? SwapField.AMOUNT
        : -1
    case 0x75: // usd
      return isTail(bytes, at + 1, 0x73, 0x64) ? SwapField.USD : -1
    case 0x62: // block
      return bytes[at + 1] === 0x6c && bytes[at + 2] === 0x6f && isTail(bytes, at + 3, 0x63, 0x6b)
        ? SwapField.BLOCK
        : -1
    case 0x6c: // logIndex
      return bytes[at + 1] === 0x6f && bytes[at + 2] === 0x67 && isIndex(bytes, at + 3)
        ? SwapField.LOG_INDEX
        : -1
    case 0x70: // price
      return bytes[at + 1] === 0x72 && bytes[at + 2] === 0x69 && isTail(bytes, at + 3, 0x63, 0x65)
        ? SwapField.PRICE
        : -1
    case 0x63: // chain
      return bytes[at + 1] === 0x68 && bytes[at + 2] === 0x61 && isTail(bytes, at + 3, 0x69, 0x6e)
        ? SwapField.CHAIN
        : -1
    default:
      return -1
  }
}

/// Two bytes and the closing quote.
function isTail(bytes: Uint8Array, at: number, a: number, b: number): boolean {
  return bytes[at] === a && bytes[at + 1] === b && bytes[at + 2] === QUOTE
}

function isWord(bytes: Uint8Array, at: number, a: number, b: number, c: number): boolean {
  return bytes[at] === a && bytes[at + 1] === b && bytes[at + 2] === c
}

/// `Index"`
function isIndex(bytes: Uint8Array, at: number): boolean {
  return isWord(bytes, at, 0x49, 0x6e, 0x64) && isTail(bytes, at + 3, 0x65, 0x78)
}

/// The side that stands at `at` in quotes, or −1.
function sideAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 6 > end || bytes[at] !== QUOTE) return -1
  if (bytes[at + 1] === 0x62)
    return bytes[at + 2] === 0x75 && bytes[at + 3] === 0x79 && bytes[at + 4] === QUOTE ? BUY : -1
  return isWord(bytes, at + 1, 0x73, 0x65, 0x6c) && bytes[at + 4] === 0x6c && bytes[at + 5] === QUOTE
    ? SELL
    : -1
}

/// JSON allows no digit after a leading zero.
function startsWithZeros(bytes: Uint8Array, at: number, end: number): boolean {
  if (bytes[at] !== 48 || at + 1 >= end) return false
  const next = bytes[at + 1] ?? 0
  return next >= 48 && next <= 57
}

function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  let p = at
  while (p < end && (bytes[p] === 0x20 || bytes[p] === 0x09)) p++
  return p
}

/// The position after the string of 1 to 128 characters that stands at `at`, or −1.
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== QUOTE) return -1
  let p = at + 1
  // Four bytes at a time: the classes are looked up independently of one another.
  const last = end - 4
  while (p <= last) {
    const classes =
      (STOPS[bytes[p] ?? 0] ?? 0) |
      (STOPS[bytes[p + 1] ?? 0] ?? 0) |
      (STOPS[bytes[p + 2] ?? 0] ?? 0) |
      (STOPS[bytes[p + 3] ?? 0] ?? 0)
    if (classes !== 0) break
    p += 4
  }
  let classes = 0
  for (; p < end; p++) {
    const found = STOPS[bytes[p] ?? 0] ?? 0
    if (found === STOP) break
    classes |= found
  }
  if (p >= end || bytes[p] !== QUOTE) return -1
  const length = p - at - 1
  if (classes === 0) return length > 0 && length <= MAX_STRING_CHARACTERS ? p + 1 : -1
  if (length > 4 * MAX_STRING_CHARACTERS) return -1
  const count = countCodePoints(bytes, at + 1, p)
  return count > 0 && count <= MAX_STRING_CHARACTERS ? p + 1 : -1
}
