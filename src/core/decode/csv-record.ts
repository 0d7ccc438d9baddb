/// The grammar of CSV (RFC 4180): fields between commas, records between line ends (`\n` or `\r\n`), fields in double
/// quotes may hold commas, line ends and doubled quotes. A quote inside an unquoted field is an ordinary character.

import type { InputBytes } from './input-bytes.js'
import { MAX_RECORD_BYTES } from './reject.js'

export const MAX_COLUMNS = 256

const QUOTE = 0x22
const COMMA = 0x2c
const NEWLINE = 0x0a
const RETURN = 0x0d

/// What became of a record.
export type CsvOutcome =
  | 'record'
  /// The input ends within the record.
  | 'incomplete'
  /// A quoted field does not end, or more follows its closing quote.
  | 'broken'

export class CsvRecordReader {
  /// Ranges of the fields, without quotes; of the first MAX_COLUMNS.
  readonly at = new Int32Array(MAX_COLUMNS)
  readonly length = new Int32Array(MAX_COLUMNS)
  /// How many fields the record has.
  count = 0
  /// The record ends at `end`, its line end excluded; the next one begins at `next`.
  end = 0
  next = 0
  /// Line ends within the record and after it.
  lineEnds = 0

  /// Reads the record at `at` in input.bytes[… end − 1]. With `final`, the input's end ends the record.
  read(input: InputBytes, at: number, end: number, final: boolean): CsvOutcome {
    this.count = 0
    this.lineEnds = 0
    let p = at
    for (;;) {
      const quoted = p < end && input.bytes[p] === QUOTE
      const stop = quoted ? this.#quoted(input, p, end) : this.#plain(input.bytes, p, end)
      if (stop < 0) return final || end - at > MAX_RECORD_BYTES ? 'broken' : 'incomplete'
      const byte = stop < end ? input.bytes[stop] : -1
      if (byte === COMMA) {
        p = stop + 1
        continue
      }
      if (byte === -1 && !final) return 'incomplete'
      if (byte === -1 || byte === NEWLINE) return this.#finish(stop, stop + 1)
      // Only a quoted field ends before something else.
      if (byte !== RETURN) return 'broken'
      if (stop + 1 === end) {
        if (!final) return 'incomplete'
      } else if (input.bytes[stop + 1] !== NEWLINE) return 'broken'
      return this.#finish(stop, stop + 2)
    }
  }

  #finish(end: number, next: number): CsvOutcome {
    this.end = end
    this.next = next
    this.lineEnds++
    return 'record'
  }

  #field(at: number, length: number): void {
    if (this.count < MAX_COLUMNS) {
      this.at[this.count] = at
      this.length[this.count] = length
    }
    this.count++
  }

  /// An unquoted field; returns where it ends: at a comma, a line end or the input's end.
  #plain(bytes: Uint8Array, at: number, end: number): number {
    let p = at
    while (p < end && bytes[p] !== COMMA && bytes[p] !== NEWLINE) p++
    // The return of a line end is no part of the field.
    const last = p > at && bytes[p - 1] === RETURN && (p === end || bytes[p] === NEWLINE)
    if (last) p--
    this.#field(at, p - at)
    return p
  }

  /// A quoted field; returns the position after its closing quote, or −1 when there is none.
  #quoted(input: InputBytes, at: number, end: number): number {
    const bytes = input.bytes
    const limit = Math.min(end, at + MAX_RECORD_BYTES)
    let doubled = false
    let p = at + 1
    for (; p < limit; p++) {
      const byte = bytes[p]
      if (byte === NEWLINE) this.lineEnds++
      if (byte !== QUOTE) continue
      if (p + 1 >= end || bytes[p + 1] !== QUOTE) break
      doubled = true
      p++
    }
    if (p >= limit) return -1
    if (doubled) this.#undoubled(input, at + 1, p)
    else this.#field(at + 1, p - at - 1)
    return p + 1
  }

  /// Writes the field with single quotes behind the input.
  #undoubled(input: InputBytes, at: number, end: number): void {
    input.own()
    const from = input.tail
    let to = from
    for (let p = at; p < end; p++) {
      input.bytes[to++] = input.bytes[p] ?? 0
      if (input.bytes[p] === QUOTE) p++
    }
    input.keep(to)
    this.#field(from, to - from)
  }
}
