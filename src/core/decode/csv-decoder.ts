/// Decodes swaps from CSV with a header, in chunks: `id,block,time,who,token,side,amount,usd` and whatever other
/// columns there are, in any order. `txIndex`, `logIndex`, `price`, `tx`, `chain` and `block` are optional; unknown columns are
/// ignored; an empty field is an absent one.

import { invariant } from '../invariant.js'
import { SwapBatch } from '../swap-batch.js'
import { CsvRecordReader, MAX_COLUMNS } from './csv-record.js'
import { FIELD_NAMES, fieldNamed, GivenFields, Kind, REQUIRED_FIELDS } from './fields.js'
import { InputBytes } from './input-bytes.js'
import { TOO_LONG } from './json-record.js'
import { type DecodeResult, MAX_RECORD_BYTES, quoted, type Reject } from './reject.js'
import { RowWriter } from './row-writer.js'

const NEWLINE = 0x0a
const INITIAL_ROWS = 1024
const BROKEN_QUOTES = 'wanted a closing quote, then a comma or the end of the line'

/// What a header says: the field of each column, −1 for those that are ignored.
export interface CsvHeader {
  readonly columns: readonly number[]
  /// Bytes of the header with its line end; the rows begin there.
  readonly length: number
  /// Lines that it takes.
  readonly lines: number
}

export interface CsvResult extends DecodeResult {
  /// Bytes that were decoded: what follows is an incomplete record, to be given again with more behind it.
  readonly consumed: number
}

/// Reads the header at the beginning of a file; a byte order mark before it is skipped. Returns a message where it is
/// no header of swaps, and null where `bytes` ends within it and `final` is false.
export function readCsvHeader(bytes: Uint8Array, final: boolean): CsvHeader | string | null {
  const input = new InputBytes()
  input.start(bytes)
  const reader = new CsvRecordReader()
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const outcome = reader.read(input, marked ? 3 : 0, bytes.length, final)
  if (outcome === 'incomplete') return null
  if (outcome === 'broken') return `header: ${BROKEN_QUOTES}`
  if (reader.count > MAX_COLUMNS) return `header: wanted at most ${MAX_COLUMNS} columns, got ${reader.count}`
  const columns: number[] = []
  for (let i = 0; i < reader.count; i++) {
    columns.push(fieldNamed(input.bytes, reader.at[i] ?? 0, reader.length[i] ?? 0))
  }
  const missing = FIELD_NAMES.slice(0, REQUIRED_FIELDS).filter((_, field) => !columns.includes(field))
  if (missing.length > 0) {
    const line = quoted(input.bytes, 0, reader.end)
    return `header: wanted the columns ${missing.join(', ')} too, got ${line}`
  }
  const twice = columns.find((field, i) => field >= 0 && columns.indexOf(field) !== i)
  if (twice !== undefined) return `header: wanted the column ${FIELD_NAMES[twice]} once, got it twice`
  return { columns, length: Math.min(reader.next, bytes.length), lines: reader.lineEnds }
}

export class CsvDecoder {
  readonly #header: CsvHeader
  readonly #batch = new SwapBatch(INITIAL_ROWS)
  readonly #reader = new CsvRecordReader()
  readonly #writer = new RowWriter()
  readonly #given = new GivenFields()
  readonly #input = new InputBytes()
  #rejects: Reject[] = []
  #records = 0
  #line: number

  constructor(header: CsvHeader) {
    this.#header = header
    this.#line = 1 + header.lines
  }

  /// Decodes the next chunk of rows, the first one beginning after the header. An incomplete record at the end of
  /// the chunk is left (see `consumed`) unless `final` says that nothing follows. Record indices count within the
  /// chunk, lines within the file. Blank lines are no records. A record whose quotes are broken is rejected up to the end of
  /// its first line. The batch is valid until the next call.
  decode(chunk: Uint8Array, final: boolean): CsvResult {
    invariant(chunk.length < 2 ** 30, 'an input is shorter than 1 GiB')
    this.#input.start(chunk)
    this.#rejects = []
    this.#records = 0
    this.#batch.size = 0
    let at = 0
    while (at < chunk.length) {
      const outcome = this.#reader.read(this.#input, at, chunk.length, final)
      if (outcome === 'incomplete') break
      if (outcome === 'record') {
        this.#decodeRecord(at)
        at = this.#reader.next
        this.#line += this.#reader.lineEnds
      } else {
        const newline = chunk.indexOf(NEWLINE, at)
        const end = newline < 0 ? chunk.length : newline
        this.#reject(at, end, null, BROKEN_QUOTES)
        at = end + 1
        this.#line++
      }
    }
    this.#batch.bytes = this.#input.bytes
    return {
      batch: this.#batch,
      records: this.#records,
      rejects: this.#rejects,
      consumed: Math.min(at, chunk.length),
    }
  }

  #decodeRecord(at: number): void {
    const reader = this.#reader
    const end = reader.end
    if (end === at) return
    if (end - at > MAX_RECORD_BYTES) {
      this.#reject(at, end, null, `${TOO_LONG}, got ${end - at}`)
      return
    }
    const columns = this.#header.columns
    if (reader.count !== columns.length) {
      this.#reject(at, end, null, `wanted ${columns.length} fields, got ${reader.count}`)
      return
    }
    this.#giveFields()
    const batch = this.#batch
    const row = batch.size
    if (row === batch.capacity) batch.grow(row + 1)
    const reason = this.#writer.write(this.#input.bytes, this.#given, batch, row)
    if (reason !== null) {
      this.#reject(at, end, this.#writer.field, reason)
      return
    }
    batch.size++
    batch.record[row] = this.#records++
    batch.recordAt[row] = at
    batch.recordLength[row] = end - at
  }

  #giveFields(): void {
    const reader = this.#reader
    const columns = this.#header.columns
    this.#given.clear()
    for (let i = 0; i < columns.length; i++) {
      const field = columns[i] ?? -1
      const length = reader.length[i] ?? 0
      if (field >= 0 && length > 0) this.#given.set(field, Kind.STRING, reader.at[i] ?? 0, length)
    }
  }

  #reject(at: number, end: number, field: string | null, reason: string): void {
    this.#rejects.push({ record: this.#records++, line: this.#line, field, reason, at, length: end - at })
  }
}
