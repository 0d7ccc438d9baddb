/// A file of swaps as batches, decoded by the core: the same validation as everywhere.

import { CsvDecoder, readCsvHeader } from '../core/decode/csv-decoder.js'
import { JsonDecoder } from '../core/decode/json-decoder.js'
import type { DecodeResult } from '../core/decode/reject.js'
import { CommandError } from './failure.js'
import { formatOf, type SwapFile } from './swap-file.js'

export interface DecodedPiece extends DecodeResult {
  /// Lines of the file before the piece's: what must be added to a reject's line.
  readonly linesBefore: number
}

/// Each piece is valid until the next one is asked for.
export async function* decodeFile(file: SwapFile): AsyncGenerator<DecodedPiece> {
  const pieces = file.pieces()
  const first = await pieces.next()
  if (first.done) return
  const all = async function* () {
    yield first.value
    yield* pieces
  }
  if (formatOf(file.path, first.value) === 'csv') yield* decodeCsv(file.path, all())
  else yield* decodeLines(all())
}

async function* decodeLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<DecodedPiece> {
  const decoder = new JsonDecoder()
  let linesBefore = 0
  let atStart = true
  for await (const piece of pieces) {
    const marked = atStart && piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf
    atStart = false
    yield { ...decoder.decodeLines(marked ? piece.subarray(3) : piece), linesBefore }
    linesBefore += lineEnds(piece)
  }
}

function lineEnds(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++
  return count
}

async function* decodeCsv(path: string, pieces: AsyncIterable<Buffer>): AsyncGenerator<DecodedPiece> {
  let decoder: CsvDecoder | null = null
  let rest: Buffer = Buffer.alloc(0)
  const decode = (final: boolean): DecodedPiece | null => {
    if (decoder === null) {
      const header = readCsvHeader(rest, final)
      if (header === null) return null
      if (typeof header === 'string') throw new CommandError(`${path}: ${header}`)
      decoder = new CsvDecoder(header)
      rest = rest.subarray(header.length)
    }
    const result = decoder.decode(rest, final)
    rest = rest.subarray(result.consumed)
    return { batch: result.batch, records: result.records, rejects: result.rejects, linesBefore: 0 }
  }
  for await (const piece of pieces) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const decoded = decode(false)
    if (decoded !== null) yield decoded
  }
  const decoded = decode(true)
  if (decoded !== null) yield decoded
}
