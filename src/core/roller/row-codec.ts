/// One row as bytes, for deltas and parts (docs/formats/rows.md draws it).
///
/// Times and block numbers are written as differences from the row before, so rows in chain order are small;
/// amounts as 60 bits of fraction and a varint of whole tokens. The price is written only where the producer gave
/// one: otherwise it follows from usd and amount.

import { priceOf } from '../decimal.js'
import { ABSENT } from '../swap-batch.js'
import { type Block, orderComplete } from './block.js'
import type { ByteReader, ByteWriter } from './bytes.js'

const SIDE = 1
const PRICE_GIVEN = 2
const HAS_BLOCK = 4
const HAS_TX = 8
const HAS_LOG = 16
const HAS_ID = 32
/// Two bits: whole tokens only; nine decimals; eighteen decimals; eighteen decimals and 10^9 tokens or more.
const AMOUNT_FORM = 64

export class RowWriter {
  #previousMs = 0
  #previousBlock = 0

  /// Begins a run of rows; the first one's time is written relative to `ms`.
  begin(ms: number): void {
    this.#previousMs = ms
    this.#previousBlock = 0
  }

  /// `fullId` writes 96 bits of the fingerprint, else 64: enough inside a slice, whose rows are few.
  write(out: ByteWriter, rows: Block, row: number, pair: number, fullId: boolean): void {
    const block = rows.block[row] as number
    const tx = rows.txIndex[row] as number
    const log = rows.logIndex[row] as number
    const idAt = rows.idAt[row] as number
    const form = amountForm(rows, row)
    out.uint8(
      ((rows.pairSide[row] as number) & SIDE) |
        (rows.priceGiven[row] === 1 ? PRICE_GIVEN : 0) |
        (block !== ABSENT ? HAS_BLOCK : 0) |
        (tx !== ABSENT ? HAS_TX : 0) |
        (log !== ABSENT ? HAS_LOG : 0) |
        (idAt >= 0 ? HAS_ID : 0) |
        (form * AMOUNT_FORM),
    )
    out.varint(pair)
    const timeMs = rows.timeMs[row] as number
    out.signed(timeMs - this.#previousMs)
    this.#previousMs = timeMs
    out.varint(rows.usd[row] as number)
    writeAmount(out, rows, row, form)
    if (rows.priceGiven[row] === 1) out.float64(rows.price[row] as number)
    if (block !== ABSENT) {
      out.signed(block - this.#previousBlock)
      this.#previousBlock = block
    }
    if (tx !== ABSENT) out.varint(tx)
    if (log !== ABSENT) out.varint(log)
    out.uint32(rows.id0[row] as number)
    out.uint32(rows.id1[row] as number)
    if (fullId) out.uint32(rows.id2[row] as number)
    if (idAt >= 0) out.sized(rows.ids.subarray(idAt, idAt + (rows.idLength[row] as number)))
  }
}

export class RowReader {
  #previousMs = 0
  #previousBlock = 0

  begin(ms: number): void {
    this.#previousMs = ms
    this.#previousBlock = 0
  }

  /// Fills the row's columns but for slot, offset and links. `pairs` gives the pair of a local number,
  /// `tokens` the token of a pair.
  read(
    reader: ByteReader,
    rows: Block,
    row: number,
    pairs: Int32Array,
    tokens: Int32Array,
    fullId: boolean,
  ): void {
    const flags = reader.uint8()
    const pair = pairs[reader.varint()] as number
    rows.pairSide[row] = pair * 2 + (flags & SIDE)
    rows.token[row] = tokens[pair] as number
    const timeMs = this.#previousMs + reader.signed()
    this.#previousMs = timeMs
    rows.timeMs[row] = timeMs
    const usd = reader.varint()
    rows.usd[row] = usd
    const form = flags >> 6
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
    if ((flags & PRICE_GIVEN) !== 0) {
      rows.priceGiven[row] = 1
      rows.price[row] = reader.float64()
    } else {
      rows.priceGiven[row] = 0
      rows.price[row] = priceOf(usd, a0, a1, a2, a3)
    }
    if ((flags & HAS_BLOCK) !== 0) {
      this.#previousBlock += reader.signed()
      rows.block[row] = this.#previousBlock
    } else rows.block[row] = ABSENT
    rows.txIndex[row] = (flags & HAS_TX) !== 0 ? reader.varint() : ABSENT
    rows.logIndex[row] = (flags & HAS_LOG) !== 0 ? reader.varint() : ABSENT
    rows.id0[row] = reader.int32()
    rows.id1[row] = reader.int32()
    rows.id2[row] = fullId ? reader.int32() : 0
    if ((flags & HAS_ID) !== 0) {
      const id = reader.sized()
      rows.keepId(row, id, 0, id.length)
    } else rows.idAt[row] = -1
  }
}

/// Whether the id's bytes must be kept: without them the row's place in chain order could be undecided.
export function keepsId(block: number, txIndex: number, logIndex: number): boolean {
  return !orderComplete(block, txIndex, logIndex)
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
