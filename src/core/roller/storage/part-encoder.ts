/// Encodes a part in steps, so that a block of a hundred thousand rows holds up nobody.
///
/// First the rows are gathered by token, then each token's rows are put in chain order and written, tokens in the order
/// of their hashes. Fingerprints are written apart, slice by slice, in the order in which the rows were.

import { BLOCK_TICKS, type Block, compareRows } from '../rows/block.js'
import { RowsByToken } from '../rows/rows-by-token.js'
import { ByteWriter } from './bytes.js'
import type { DictionaryWriter } from './dictionary.js'
import type { Dictionary } from './dictionary-reader.js'
import { idPieces, type PartContents, writeHead } from './part-head.js'
import { NO_ID, RowColumnsWriter } from './row-columns.js'
import { RunSums, SUMMED_ROWS } from './run-sums.js'

/// A part to be stored.
export interface EncodedPart {
  readonly segment: number
  readonly head: Uint8Array
  readonly pieces: readonly Uint8Array[]
  readonly contents: PartContents
}

export interface EncoderOptions {
  readonly block: number
  readonly rows: Block
  readonly wanted: (row: number) => boolean
  readonly segment: number
  readonly names: DictionaryWriter
  readonly dictionary: Dictionary
  /// Hash of each token's name.
  readonly hashOf: Int32Array
  readonly resolutionMs: number
}

/// A data piece ends with the token that brings it to so many rows.
const PIECE_ROWS = 1024

export class PartEncoder {
  readonly #options: EncoderOptions
  readonly #byToken = new RowsByToken()
  /// Tokens by hash; null while rows are being gathered.
  #tokens: { token: number; hash: number }[] | null = null
  #gathered = 0
  #written = 0
  /// Pairs that are new in the segment, and their entries.
  #newPairs = 0
  readonly #entries = new ByteWriter(4096)
  readonly #columns = new RowColumnsWriter(NO_ID)
  readonly #sums = new RunSums()
  readonly #run = new ByteWriter(1024)
  #piece = new ByteWriter(1 << 15)
  #pieceRows = 0
  #lastHash = 0
  readonly #firstHashes: number[] = []
  readonly #pieces: Uint8Array[] = []
  readonly #ids: (ByteWriter | undefined)[] = []

  constructor(options: EncoderOptions) {
    this.#options = options
  }

  get block(): number {
    return this.#options.block
  }

  /// Goes on for about `rowsMost` rows. Returns whether all is done.
  step(rowsMost: number): boolean {
    if (this.#tokens === null) {
      this.#gather(rowsMost)
      if (this.#gathered < this.#options.rows.rows) return false
      this.#tokens = this.#byHash()
      if (Number.isFinite(rowsMost)) return false
    }
    const tokens = this.#tokens
    for (let done = 0; this.#written < tokens.length && done < rowsMost; this.#written++) {
      const next = tokens[this.#written]
      if (next !== undefined) done += this.#writeToken(next.token, next.hash)
    }
    if (this.#written < tokens.length) return false
    this.#endPiece()
    return true
  }

  /// The part, or null without rows. After the last step.
  part(): EncodedPart | null {
    if (this.#pieces.length === 0) return null
    const contents = this.#contents()
    const ids = idPieces(contents).map(({ slots }) => {
      const piece = new ByteWriter(slots.reduce((sum, { rows }) => sum + rows * 8, 0))
      for (const { slot } of slots) {
        const of = this.#ids[slot]
        if (of !== undefined) piece.raw(of.bytes.subarray(0, of.length))
      }
      return piece.take()
    })
    return {
      segment: this.#options.segment,
      head: writeHead(this.#newPairs, this.#entries, contents),
      pieces: [...this.#pieces, ...ids],
      contents,
    }
  }

  #contents(): PartContents {
    const slots: number[] = []
    for (let slot = 0; slot < BLOCK_TICKS; slot++) if (this.#ids[slot] !== undefined) slots.push(slot)
    return {
      segment: this.#options.segment,
      firstHashes: Uint32Array.from(this.#firstHashes),
      slots: Uint8Array.from(slots),
      counts: Uint32Array.from(slots, slot => (this.#ids[slot]?.length ?? 0) / 8),
    }
  }

  #gather(rowsMost: number): void {
    const { rows, wanted } = this.#options
    const end = Math.min(rows.rows, this.#gathered + rowsMost)
    for (let row = this.#gathered; row < end; row++)
      if (wanted(row)) this.#byToken.add(rows.token[row] as number, row)
    this.#gathered = end
  }

  #byHash(): { token: number; hash: number }[] {
    const { hashOf } = this.#options
    return Array.from(this.#byToken.tokens(), token => ({
      token,
      hash: (hashOf[token] as number) >>> 0,
    })).sort((a, b) => a.hash - b.hash)
  }

  #writeToken(token: number, hash: number): number {
    const { block, rows, names, dictionary, resolutionMs } = this.#options
    const list = inChainOrder(rows, this.#byToken.of(token))
    const columns = this.#columns
    columns.begin(block * BLOCK_TICKS * resolutionMs)
    for (const row of list) {
      const pair = (rows.pairSide[row] as number) >> 1
      const number = names.number(pair, this.#entries)
      if (number === dictionary.size) {
        dictionary.push(pair)
        this.#newPairs++
      }
      columns.add(rows, row, number)
      this.#addId(rows, row)
    }
    this.#run.clear()
    if (list.length >= SUMMED_ROWS) this.#writeSums(list)
    columns.finish(this.#run)
    this.#beginRun(hash)
    this.#piece.varint(list.length)
    this.#piece.sized(this.#run.bytes.subarray(0, this.#run.length))
    this.#pieceRows += list.length
    return list.length
  }

  #writeSums(list: Int32Array): void {
    const sums = this.#sums
    sums.clear()
    for (const row of list) sums.add(this.#options.rows, row)
    sums.write(this.#run)
  }

  #addId(rows: Block, row: number): void {
    const slot = rows.slot[row] as number
    let ids = this.#ids[slot]
    if (ids === undefined) {
      ids = new ByteWriter(64)
      this.#ids[slot] = ids
    }
    ids.uint32(rows.id0[row] as number)
    ids.uint32(rows.id1[row] as number)
  }

  /// Tokens with one hash stay in one piece: a reader looks into one.
  #beginRun(hash: number): void {
    if (this.#pieceRows >= PIECE_ROWS && hash !== this.#lastHash) this.#endPiece()
    if (this.#pieceRows === 0) {
      this.#firstHashes.push(hash)
      this.#lastHash = hash
    }
    this.#piece.varint(hash - this.#lastHash)
    this.#lastHash = hash
  }

  #endPiece(): void {
    if (this.#pieceRows === 0) return
    this.#pieces.push(this.#piece.take())
    this.#piece.clear()
    this.#pieceRows = 0
  }
}

/// Sorts the rows, which nearly always are in order.
function inChainOrder(rows: Block, list: Int32Array): Int32Array {
  for (let i = 1; i < list.length; i++) {
    if (compareRows(rows, list[i - 1] as number, rows, list[i] as number) > 0) {
      return list.sort((a, b) => compareRows(rows, a, rows, b))
    }
  }
  return list
}
