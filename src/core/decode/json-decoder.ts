/// Decodes swaps from JSON: NDJSON, or an array. One decoder reuses one batch; what it hands out is valid until the
/// next call. See flat-record.ts for the fast path and json-record.ts for the exact one.

import { invariant } from '../invariant.js'
import { SwapBatch } from '../swap-batch.js'
import { GivenFields } from './fields.js'
import { FlatRecordReader } from './flat-record.js'
import { InputBytes } from './input-bytes.js'
import { JsonRecordReader, TOO_LONG } from './json-record.js'
import { type DecodeResult, MAX_RECORD_BYTES, type Reject } from './reject.js'
import { RowWriter } from './row-writer.js'

const NEWLINE = 0x0a
const RETURN = 0x0d
const COMMA = 0x2c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const INITIAL_ROWS = 1024

const EMPTY = 'wanted a JSON object, got nothing'

const isBlank = (byte: number | undefined) => byte === NEWLINE || isSpace(byte)
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === RETURN

export class JsonDecoder {
  readonly #batch = new SwapBatch(INITIAL_ROWS)
  readonly #flat = new FlatRecordReader()
  readonly #exact = new JsonRecordReader()
  readonly #writer = new RowWriter()
  readonly #given = new GivenFields()
  readonly #input = new InputBytes()
  #rejects: Reject[] = []
  #records = 0
  // Lines are counted only where a reject needs them: #line is the line of the position #lineAt.
  #line = 1
  #lineAt = 0

  /// Decodes one JSON document per line. Lines end with `\n` or `\r\n`, the last one may lack it; blank lines are no
  /// records but count as lines.
  decodeLines(bytes: Uint8Array): DecodeResult {
    this.#start(bytes)
    const input = this.#input
    const end = bytes.length
    let at = 0
    while (at < end) {
      const stop = this.#flat.read(input.bytes, at, end, this.#batch, this.#rowForNext())
      const next = stop < 0 ? -1 : lineEndAfter(input.bytes, stop, end)
      if (next >= 0 && stop - at <= MAX_RECORD_BYTES) {
        this.#accept(at, stop)
        at = next + 1
      } else {
        const newline = input.bytes.subarray(0, end).indexOf(NEWLINE, at)
        const lineEnd = newline < 0 ? end : newline
        this.#decodeLine(at, lineEnd)
        at = lineEnd + 1
      }
    }
    return this.#result()
  }

  /// Decodes one JSON document per range bytes[at[i] … at[i] + length[i] − 1]: record i is the range i, whatever it
  /// holds, line breaks included. A reject's line is the record's number from 1.
  decodeRanges(bytes: Uint8Array, at: Int32Array, length: Int32Array): DecodeResult {
    this.#start(bytes)
    for (let i = 0; i < at.length; i++) {
      const from = at[i] ?? 0
      const end = from + (length[i] ?? 0)
      const stop = this.#flat.read(this.#input.bytes, from, end, this.#batch, this.#rowForNext())
      if (stop >= 0 && stop - from <= MAX_RECORD_BYTES && blankUpTo(this.#input.bytes, stop, end)) {
        this.#accept(from, stop)
      } else this.#decodeRange(from, end)
    }
    return this.#result()
  }

  /// Decodes a JSON array of swaps. Elements that are no swaps are rejected one by one; a syntax error rejects what
  /// follows it, as one record. An accepted element's range holds no line break: breaks between its tokens are
  /// replaced by spaces in a copy. Decoding stops at `rejectsMax` rejects, with what follows unread: an array of
  /// millions of elements that are no swaps must not cost a gigabyte of reasons.
  decodeArray(bytes: Uint8Array, rejectsMax = Number.POSITIVE_INFINITY): DecodeResult {
    this.#start(bytes)
    const end = bytes.length
    const scanner = this.#exact.scanner
    scanner.start(this.#input.bytes, 0, end)
    const open = scanner.skipSpace()
    if (open !== OPEN_ARRAY) {
      scanner.start(this.#input.bytes, scanner.position, end)
      scanner.fail('"[" that begins an array')
      this.#reject(scanner.position, end, null, scanner.error ?? '')
      return this.#result()
    }
    scanner.position++
    const empty = scanner.skipSpace() === CLOSE_ARRAY
    if (empty) scanner.position++
    let at = empty ? -1 : scanner.position
    while (at >= 0) {
      if (this.#rejects.length >= rejectsMax) return this.#result()
      at = this.#decodeElement(at, end)
    }
    if (scanner.error === null) {
      scanner.skipSpace()
      if (scanner.position < end) {
        scanner.start(this.#input.bytes, scanner.position, end)
        scanner.fail('nothing after the array')
        this.#reject(scanner.position, end, null, scanner.error ?? '')
      }
    }
    return this.#result()
  }

  #start(bytes: Uint8Array): void {
    invariant(bytes.length < 2 ** 30, 'an input is shorter than 1 GiB')
    this.#input.start(bytes)
    this.#rejects = []
    this.#records = 0
    this.#line = 1
    this.#lineAt = 0
    this.#batch.size = 0
  }

  #result(): DecodeResult {
    this.#batch.bytes = this.#input.bytes
    return { batch: this.#batch, records: this.#records, rejects: this.#rejects }
  }

  /// The row after the last one, with room made for it.
  #rowForNext(): number {
    const row = this.#batch.size
    if (row === this.#batch.capacity) this.#batch.grow(row + 1)
    return row
  }

  /// Makes the row that was just written part of the batch.
  #accept(at: number, end: number): void {
    const batch = this.#batch
    const row = batch.size++
    batch.record[row] = this.#records++
    batch.recordAt[row] = at
    batch.recordLength[row] = end - at
  }

  #reject(at: number, end: number, field: string | null, reason: string): void {
    const bytes = this.#input.original
    for (let p = this.#lineAt; p < at; p++) if (bytes[p] === NEWLINE) this.#line++
    this.#lineAt = at
    this.#rejects.push({ record: this.#records++, line: this.#line, field, reason, at, length: end - at })
  }

  /// Decodes the line bytes[from … to − 1] exactly.
  #decodeLine(from: number, to: number): void {
    const bytes = this.#input.bytes
    let at = from
    let end = to
    while (at < end && isSpace(bytes[at])) at++
    while (end > at && isSpace(bytes[end - 1])) end--
    if (at === end) return
    const problem = this.#lineProblem(at, end)
    if (problem === null) this.#acceptFields(at, end)
    else this.#reject(at, end, null, problem)
  }

  /// Decodes the record bytes[from … to − 1] exactly.
  #decodeRange(from: number, to: number): void {
    const bytes = this.#input.bytes
    let at = from
    let end = to
    while (at < end && isBlank(bytes[at])) at++
    while (end > at && isBlank(bytes[end - 1])) end--
    const problem = at === end ? EMPTY : this.#lineProblem(at, end)
    if (problem !== null) this.#rejects.push(this.#rejectOf(this.#records++, from, to, null, problem))
    else {
      const reason = this.#writer.write(this.#input.bytes, this.#given, this.#batch, this.#rowForNext())
      if (reason !== null) {
        this.#rejects.push(this.#rejectOf(this.#records++, from, to, this.#writer.field, reason))
      } else {
        this.#joinLines(at, end)
        this.#accept(at, end)
      }
    }
  }

  #rejectOf(record: number, at: number, end: number, field: string | null, reason: string): Reject {
    return { record, line: record + 1, field, reason, at, length: end - at }
  }

  /// Reads the fields of the record bytes[at … end − 1], or returns why it has none.
  #lineProblem(at: number, end: number): string | null {
    if (end - at > MAX_RECORD_BYTES) return `${TOO_LONG}, got ${end - at}`
    const scanner = this.#exact.scanner
    const reason = this.#exact.read(this.#input, at, end, this.#given)
    if (reason === null && scanner.position < end) scanner.fail('nothing after the record')
    return scanner.error ?? reason
  }

  /// Writes the given fields as a row, or rejects the record.
  #acceptFields(at: number, end: number): void {
    const reason = this.#writer.write(this.#input.bytes, this.#given, this.#batch, this.#rowForNext())
    if (reason === null) this.#accept(at, end)
    else this.#reject(at, end, this.#writer.field, reason)
  }

  /// Decodes the element at `at`. Returns where the next one begins, or −1 after the last; the scanner stands behind
  /// the array then, or has an error.
  #decodeElement(at: number, end: number): number {
    const scanner = this.#exact.scanner
    const stop = this.#flat.read(this.#input.bytes, at, end, this.#batch, this.#rowForNext())
    if (stop >= 0 && stop - at <= MAX_RECORD_BYTES) {
      this.#accept(at, stop)
      // The usual case without the scanner: a comma and the next element.
      if (this.#input.bytes[stop] === COMMA && stop + 1 < end && this.#input.bytes[stop + 1] === 0x7b)
        return stop + 1
      scanner.position = stop
    } else {
      const reason = this.#exact.read(this.#input, at, end, this.#given)
      if (scanner.error !== null) {
        this.#reject(at, end, null, scanner.error)
        return -1
      }
      const to = scanner.position
      if (reason !== null) this.#reject(at, to, null, reason)
      else {
        this.#joinLines(at, to)
        this.#acceptFields(at, to)
      }
    }
    const from = scanner.position
    scanner.start(this.#input.bytes, from, end)
    if (scanner.next(CLOSE_ARRAY)) return scanner.position
    if (scanner.error !== null) this.#reject(from, end, null, scanner.error)
    return -1
  }

  /// Replaces the line breaks between the tokens of a record by spaces; strings hold none.
  #joinLines(at: number, end: number): void {
    for (let p = at; p < end; p++) {
      if (this.#input.bytes[p] !== NEWLINE) continue
      this.#input.own()
      this.#input.bytes[p] = 0x20
    }
  }
}

function blankUpTo(bytes: Uint8Array, at: number, end: number): boolean {
  let p = at
  while (p < end && isBlank(bytes[p])) p++
  return p === end
}

/// The position of the line end when only blanks come before it (or of the input's end), else −1.
function lineEndAfter(bytes: Uint8Array, at: number, end: number): number {
  let p = at
  while (p < end && isSpace(bytes[p])) p++
  return p >= end || bytes[p] === NEWLINE ? p : -1
}
