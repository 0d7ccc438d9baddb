/// Rows as bytes, column by column, for deltas and for the slices of parts (docs/formats/rows.md draws it).
///
/// Columns, because a reader often wants few of them: to sum up a slice, nothing of places in the chain. What most rows
/// have in common is said once. Times and block numbers are differences from the row before, so they are short in chain
/// order; a price is written only where the producer gave one, for otherwise it follows from usd and amount.
///
/// Deltas keep the fingerprints of ids among the columns; parts keep them apart (parts.ts).

import { priceOf } from '../../decimal.js'
import { invariant } from '../../invariant.js'
import { ABSENT } from '../../swap-batch.js'
import { type Block, orderComplete } from '../rows/block.js'
import { grownInt32 } from '../tables/columns.js'
import { type ByteReader, ByteWriter } from './bytes.js'

/// A row's flags.
const PRICE_GIVEN = 1
const HAS_BLOCK = 2
const HAS_TX = 4
const HAS_LOG = 8
const HAS_ID = 16
/// Two bits: whole tokens only; nine decimals; eighteen decimals; eighteen decimals and 10^9 tokens or more.
const AMOUNT_FORM = 32

/// The first byte: all rows have the same flags, which are written once; and the bytes of a pair's number, less one.
const UNIFORM = 1
const PAIR_BYTES = 2

/// Words of a fingerprint that are among the columns.
export const WHOLE_ID = 3
export const NO_ID = 0
type IdWords = typeof WHOLE_ID | typeof NO_ID

export class RowColumnsWriter {
  readonly #idWords: IdWords
  readonly #ids = new ByteWriter(1 << 12)
  #pairs = new Int32Array(256)
  readonly #flags = new ByteWriter()
  readonly #times = new ByteWriter()
  readonly #usd = new ByteWriter(1 << 10)
  readonly #amounts = new ByteWriter(1 << 12)
  readonly #prices = new ByteWriter()
  readonly #blocks = new ByteWriter()
  readonly #places = new ByteWriter()
  readonly #idTexts = new ByteWriter()
  #previousMs = 0
  #previousBlock = 0
  #highestPair = 0
  #uniform = true
  count = 0

  constructor(idWords: IdWords) {
    this.#idWords = idWords
  }

  /// Begins a run of rows; the first one's time is written relative to `ms`.
  begin(ms: number): void {
    for (const column of this.#columns()) column.clear()
    this.#previousMs = ms
    this.#previousBlock = 0
    this.#highestPair = 0
    this.#uniform = true
    this.count = 0
  }

  /// `pair` is the pair's number in the dictionary that goes with the rows.
  add(rows: Block, row: number, pair: number): void {
    const block = rows.block[row] as number
    const tx = rows.txIndex[row] as number
    const log = rows.logIndex[row] as number
    const idAt = rows.idAt[row] as number
    const form = amountForm(rows, row)
    if (this.#idWords === WHOLE_ID) {
      this.#ids.uint32(rows.id0[row] as number)
      this.#ids.uint32(rows.id1[row] as number)
      this.#ids.uint32(rows.id2[row] as number)
    }
    this.#addPair(pair * 2 + ((rows.pairSide[row] as number) & 1))
    this.#addFlags(
      (rows.priceGiven[row] === 1 ? PRICE_GIVEN : 0) |
        (block !== ABSENT ? HAS_BLOCK : 0) |
        (tx !== ABSENT ? HAS_TX : 0) |
        (log !== ABSENT ? HAS_LOG : 0) |
        (idAt >= 0 ? HAS_ID : 0) |
        (form * AMOUNT_FORM),
    )
    const timeMs = rows.timeMs[row] as number
    this.#times.signed(timeMs - this.#previousMs)
    this.#previousMs = timeMs
    this.#usd.varint(rows.usd[row] as number)
    writeAmount(this.#amounts, rows, row, form)
    if (rows.priceGiven[row] === 1) this.#prices.float64(rows.price[row] as number)
    if (block !== ABSENT) {
      this.#blocks.signed(block - this.#previousBlock)
      this.#previousBlock = block
    }
    if (tx !== ABSENT) this.#places.varint(tx)
    if (log !== ABSENT) this.#places.varint(log)
    if (idAt >= 0) this.#idTexts.sized(rows.ids.subarray(idAt, idAt + (rows.idLength[row] as number)))
    this.count++
  }

  /// Writes the columns; the number of rows is for the caller to keep.
  finish(out: ByteWriter): void {
    const width = widthOf(this.#highestPair)
    out.uint8((this.#uniform ? UNIFORM : 0) | ((width - 1) * PAIR_BYTES))
    append(out, this.#ids)
    for (let i = 0; i < this.count; i++) out.uint(this.#pairs[i] as number, width)
    if (this.#uniform && this.count > 0) out.uint8(this.#flags.bytes[0] as number)
    else append(out, this.#flags)
    append(out, this.#times)
    append(out, this.#usd)
    append(out, this.#amounts)
    append(out, this.#prices)
    append(out, this.#blocks)
    append(out, this.#places)
    append(out, this.#idTexts)
  }

  #addPair(numberAndSide: number): void {
    if (this.count === this.#pairs.length) this.#pairs = grownInt32(this.#pairs, this.count + 1)
    this.#pairs[this.count] = numberAndSide
    if (numberAndSide > this.#highestPair) this.#highestPair = numberAndSide
  }

  #addFlags(flags: number): void {
    if (this.count > 0 && flags !== this.#flags.bytes[0]) this.#uniform = false
    this.#flags.uint8(flags)
  }

  #columns(): readonly ByteWriter[] {
    return [
      ...[this.#ids, this.#flags, this.#times, this.#usd, this.#amounts],
      ...[this.#prices, this.#blocks, this.#places, this.#idTexts],
    ]
  }
}

export class RowColumnsReader {
  readonly #idWords: IdWords
  #isUniform = false
  #flags = new Uint8Array(256)

  constructor(idWords: IdWords) {
    this.#idWords = idWords
  }

  /// Rows are read column by column, in this order and as far as they are wanted: `readPairs`, `readTimes`, `readValues`,
  /// `readPlaces`. Each reads `count` rows into rows [first, first + count) of `rows`, which must be there. Slot, offset,
  /// links and token are left alone.
  ///
  /// Who traded, on which side, and the fingerprint if it is among the columns. `pairs` are the pairs' ids by local
  /// number; without it they are left as their numbers.
  readPairs(reader: ByteReader, count: number, rows: Block, first: number, pairs: Int32Array | null): void {
    const shape = reader.uint8()
    this.#isUniform = (shape & UNIFORM) !== 0
    if (this.#idWords === WHOLE_ID) readIds(reader, count, rows, first)
    readPairs(reader, count, rows, first, (shape >> 1) + 1, pairs)
  }

  readTimes(reader: ByteReader, count: number, rows: Block, first: number, beginMs: number): void {
    this.#readFlags(reader, count)
    let ms = beginMs
    for (let row = first; row < first + count; row++) {
      ms += reader.signed()
      rows.timeMs[row] = ms
    }
  }

  /// Usd, amount and price: `readUsd`, then `readAmounts`.
  readValues(reader: ByteReader, count: number, rows: Block, first: number): void {
    this.readUsd(reader, count, rows, first)
    this.readAmounts(reader, count, rows, first)
  }

  readUsd(reader: ByteReader, count: number, rows: Block, first: number): void {
    for (let row = first; row < first + count; row++) rows.usd[row] = reader.varint()
  }

  /// Amount and price.
  readAmounts(reader: ByteReader, count: number, rows: Block, first: number): void {
    const flags = this.#flags
    for (let i = 0; i < count; i++) readAmount(reader, rows, first + i, (flags[i] as number) >> 5)
    for (let i = 0; i < count; i++) {
      const given = ((flags[i] as number) & PRICE_GIVEN) !== 0
      rows.priceGiven[first + i] = given ? 1 : 0
      if (given) rows.price[first + i] = reader.float64()
    }
  }

  /// Places in the chain, and the bytes of those ids that are kept.
  readPlaces(reader: ByteReader, count: number, rows: Block, first: number): void {
    const flags = this.#flags
    let block = 0
    for (let i = 0; i < count; i++) {
      const has = ((flags[i] as number) & HAS_BLOCK) !== 0
      if (has) block += reader.signed()
      rows.block[first + i] = has ? block : ABSENT
    }
    for (let i = 0; i < count; i++) {
      rows.txIndex[first + i] = ((flags[i] as number) & HAS_TX) !== 0 ? reader.varint() : ABSENT
      rows.logIndex[first + i] = ((flags[i] as number) & HAS_LOG) !== 0 ? reader.varint() : ABSENT
    }
    for (let i = 0; i < count; i++) {
      if (((flags[i] as number) & HAS_ID) !== 0) {
        const id = reader.sized()
        rows.keepId(first + i, id, 0, id.length)
      } else rows.idAt[first + i] = -1
    }
  }

  #readFlags(reader: ByteReader, count: number): void {
    if (this.#flags.length < count) this.#flags = new Uint8Array(count * 2)
    if (this.#isUniform && count > 0) this.#flags.fill(reader.uint8(), 0, count)
    else for (let i = 0; i < count; i++) this.#flags[i] = reader.uint8()
  }
}

function readIds(reader: ByteReader, count: number, rows: Block, first: number): void {
  for (let row = first; row < first + count; row++) {
    rows.id0[row] = reader.int32()
    rows.id1[row] = reader.int32()
    rows.id2[row] = reader.int32()
  }
}

function readPairs(
  reader: ByteReader,
  count: number,
  rows: Block,
  first: number,
  width: number,
  pairs: Int32Array | null,
): void {
  const { bytes } = reader
  let at = reader.at
  invariant(at + count * width <= bytes.length, 'a payload holds what it announces')
  for (let row = first; row < first + count; row++) {
    let value = bytes[at++] as number
    for (let shift = 8; shift < width * 8; shift += 8) value |= (bytes[at++] as number) << shift
    rows.pairSide[row] = value
  }
  reader.at = at
  if (pairs === null) return
  for (let row = first; row < first + count; row++) {
    const value = rows.pairSide[row] as number
    rows.pairSide[row] = (pairs[value >>> 1] as number) * 2 + (value & 1)
  }
}

function readAmount(reader: ByteReader, rows: Block, row: number, form: number): void {
  let a0 = 0
  let a1 = 0
  if (form >= 2) {
    const low = reader.uint32()
    a0 = low & 0x3fff_ffff
    a1 = (reader.uint32() << 2) | (low >>> 30)
  } else if (form === 1) a1 = reader.uint32()
  const a2 = reader.varint()
  const a3 = form === 3 ? reader.varint() : 0
  rows.setAmount(row, a0, a1, a2, a3)
  rows.price[row] = priceOf(rows.usd[row] as number, a0, a1, a2, a3)
}

/// Whether the id's bytes must be kept: without them the row's place in chain order could be undecided.
export function keepsId(block: number, txIndex: number, logIndex: number): boolean {
  return !orderComplete(block, txIndex, logIndex)
}

/// Bytes of the largest number.
function widthOf(highest: number): number {
  return highest < 0x100 ? 1 : highest < 0x1_0000 ? 2 : highest < 0x100_0000 ? 3 : 4
}

function append(out: ByteWriter, column: ByteWriter): void {
  out.raw(column.bytes.subarray(0, column.length))
}

function amountForm(rows: Block, row: number): number {
  if (rows.amountHigh[row] !== 0) return 3
  if ((rows.amountLow[row] as number) % 1e9 !== 0) return 2
  return rows.amountLow[row] !== 0 || (rows.amountMid[row] as number) % 1e6 !== 0 ? 1 : 0
}

function writeAmount(out: ByteWriter, rows: Block, row: number, form: number): void {
  const low = rows.amountLow[row] as number
  const mid = rows.amountMid[row] as number
  const a0 = low % 1e9
  const a1 = (low - a0) / 1e9 + (mid % 1e6) * 1000
  if (form >= 2) {
    // Two limbs of 30 bits in eight bytes.
    out.uint32((a0 | ((a1 & 3) << 30)) >>> 0)
    out.uint32(a1 >>> 2)
  } else if (form === 1) out.uint32(a1)
  out.varint(Math.floor(mid / 1e6))
  if (form === 3) out.varint(rows.amountHigh[row] as number)
}
