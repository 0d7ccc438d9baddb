/// A file of swaps as JSON lines, for sending: NDJSON as it is, CSV record by record.

import { formatOf, type SwapFile } from './swap-file.js'

export interface SwapLine {
  /// Of the file, 1 for its first; where a record begins.
  readonly line: number
  /// The swap as JSON, without a line break. Not validated: that is the server's part.
  readonly json: string
}

/// Fields that are whole numbers in JSON.
const WHOLE = new Set(['time', 'block', 'txIndex', 'logIndex'])

export async function* swapLines(file: SwapFile): AsyncGenerator<SwapLine> {
  let csv: CsvReader | null = null
  let first = true
  let line = 0
  for await (const piece of file.pieces()) {
    let text = piece.toString('utf8')
    if (first) {
      if (formatOf(file.path, piece) === 'csv') csv = new CsvReader()
      text = text.replace(/^\uFEFF/, '')
      first = false
    }
    if (csv !== null) {
      yield* csv.read(text)
      continue
    }
    for (const json of text.replace(/\n$/, '').split('\n')) {
      line++
      const trimmed = json.trim()
      if (trimmed !== '') yield { line, json: trimmed }
    }
  }
  if (csv !== null) yield* csv.end()
}

/// Event time in epoch milliseconds; null where the line has none that can be read.
export function timeOf({ json }: SwapLine): number | null {
  const match = TIME.exec(json)
  return match === null ? null : Number(match[2])
}

/// The line with its time moved. Only the digits change, so that every other value stays as it was written.
export function shifted(line: SwapLine, byMs: number): SwapLine {
  const time = timeOf(line)
  if (time === null) return line
  return { line: line.line, json: line.json.replace(TIME, (_, before: string) => `${before}${time + byMs}`) }
}

// Inside a string the quotes would be escaped, so this finds the key.
const TIME = /("time"\s*:\s*)(\d{1,16})(?=\s*[,}])/

/// RFC 4180, in pieces: quoted fields may hold commas, doubled quotes and line breaks.
export class CsvReader {
  #header: readonly string[] | null = null
  #fields: string[] = []
  #field = ''
  #quoted = false
  #wasQuoted = false
  #line = 1
  #recordLine = 1;

  *read(text: string): Generator<SwapLine> {
    for (let i = 0; i < text.length; i++) {
      const char = text[i] ?? ''
      if (char === '\n') this.#line++
      if (this.#quoted) {
        if (char !== '"') this.#field += char
        else if (text[i + 1] === '"') {
          this.#field += '"'
          i++
        } else this.#quoted = false
      } else if (char === '"' && this.#field === '' && !this.#wasQuoted) {
        this.#quoted = true
        this.#wasQuoted = true
      } else if (char === ',') this.#endField()
      else if (char === '\n') {
        const swap = this.#endRecord()
        if (swap !== null) yield swap
      } else if (char !== '\r') this.#field += char
    }
  }

  *end(): Generator<SwapLine> {
    const swap = this.#endRecord()
    if (swap !== null) yield swap
  }

  #endField(): void {
    this.#fields.push(this.#field)
    this.#field = ''
    this.#wasQuoted = false
  }

  #endRecord(): SwapLine | null {
    const blank = this.#fields.length === 0 && this.#field === '' && !this.#wasQuoted
    this.#endField()
    const fields = this.#fields
    const line = this.#recordLine
    this.#fields = []
    this.#quoted = false
    this.#recordLine = this.#line
    if (blank) return null
    if (this.#header === null) {
      this.#header = fields.map(name => name.trim())
      return null
    }
    return { line, json: jsonOf(this.#header, fields) }
  }
}

function jsonOf(header: readonly string[], fields: readonly string[]): string {
  const parts: string[] = []
  for (const [i, name] of header.entries()) {
    const value = fields[i] ?? ''
    if (value === '' && i >= fields.length) continue
    if (value === '' && WHOLE.has(name) && name !== 'time') continue
    const bare = WHOLE.has(name) && /^\d{1,16}$/.test(value)
    parts.push(`${JSON.stringify(name)}:${bare ? value : JSON.stringify(value)}`)
  }
  return `{${parts.join(',')}}`
}
