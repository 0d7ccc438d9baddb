/// What each trader bought and sold in a stretch of event time, in a few bytes each, ascending by the traders' numbers
/// (pair-table.ts).
///
/// A head for each trader: how far its number lies above the one before, and a tag; then counts, where they are not those of a
/// single swap. Micro-dollars lie apart, so that who asks only who traded passes over the heads alone. Numbers are dense, so
/// most heads are two bytes; a swap of a hundred dollars takes four.

import { invariant } from '../../invariant.js'
import { ByteWriter } from '../storage/bytes.js'
import type { TraderSums } from './trader-sums.js'
import type { WhoTraded } from './who-traded.js'

/// A head that begins with 0 is no trader: the next number lies so much further.
const GAP_MAX = 255
/// A tag: bytes of the micro-dollars bought, those sold, which are none only for who has not, and the form of the counts.
const SOLD_BYTES = 3
const BYTES = 7
const FORM = 6
/// Forms: one swap; both counts in a byte; in four bytes each.
const ONE = 0
const SMALL = 1
const LARGE = 2
const SMALL_MAX = 15
/// By form, bytes of the counts.
const COUNT_BYTES = Uint8Array.of(0, 1, 8)

/// So that four bytes can be read wherever a number begins, whatever its length.
const PADDING = 8
const MASKS = Int32Array.of(0, 0xff, 0xffff, 0xff_ffff, -1, -1, -1, -1)
const HIGH_MASKS = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xff_ffff)

export class TraderList {
  readonly #heads: Uint8Array
  readonly #usd: Uint8Array
  /// Above the highest number.
  readonly #limit: number
  /// Traders in it.
  readonly size: number

  constructor(heads: Uint8Array, usd: Uint8Array, limit: number, size: number) {
    this.#heads = heads
    this.#usd = usd
    this.#limit = limit
    this.size = size
  }

  get bytes(): number {
    return this.#heads.length + this.#usd.length
  }

  addWho(who: WhoTraded): void {
    const heads = this.#heads
    const [bought, sold] = who.room(this.#limit)
    let number = -1
    for (let at = 0; at < heads.length; ) {
      const gap = heads[at++] as number
      if (gap === 0) {
        number += GAP_MAX
        continue
      }
      number += gap
      const tag = heads[at++] as number
      at += COUNT_BYTES[tag >>> FORM] as number
      // Without branches, which nothing predicts: 1 for bytes, 0 for none.
      const hasBought = ((tag & BYTES) + BYTES) >>> SOLD_BYTES
      const hasSold = (((tag >>> SOLD_BYTES) & BYTES) + BYTES) >>> SOLD_BYTES
      const word = number >>> 5
      bought[word] = (bought[word] as number) | (hasBought << (number & 31))
      sold[word] = (sold[word] as number) | (hasSold << (number & 31))
    }
  }

  /// Adds everything; `place` says where it was found (TraderSums.add).
  addTo(sums: TraderSums, place: number): void {
    const heads = this.#heads
    const bytes = this.#usd
    sums.hold(this.#limit)
    let number = -1
    let usdAt = 0
    for (let at = 0; at < heads.length; ) {
      const gap = heads[at++] as number
      if (gap === 0) {
        number += GAP_MAX
        continue
      }
      number += gap
      const tag = heads[at++] as number
      const form = tag >>> FORM
      const bought = tag & BYTES
      const sold = (tag >>> SOLD_BYTES) & BYTES
      if (form === ONE) {
        sums.addOne(number, bought === 0 ? 1 : 0, numberAt(bytes, usdAt, bought + sold), place)
      } else {
        const isSmall = form === SMALL
        const buys = isSmall ? (heads[at] as number) & SMALL_MAX : countAt(heads, at)
        const sells = isSmall ? (heads[at] as number) >>> 4 : countAt(heads, at + 4)
        at += isSmall ? 1 : 8
        const buyUsd = numberAt(bytes, usdAt, bought)
        sums.add(number, buys, sells, buyUsd, numberAt(bytes, usdAt + bought, sold), place)
      }
      usdAt += bought + sold
    }
  }

  /// Calls `visit` with those of the numbers, which ascend, that are in it.
  find(wanted: readonly number[], visit: (number: number) => void): void {
    const heads = this.#heads
    let number = -1
    let next = 0
    for (let at = 0; at < heads.length && next < wanted.length; ) {
      const gap = heads[at++] as number
      if (gap === 0) {
        number += GAP_MAX
        continue
      }
      number += gap
      at += COUNT_BYTES[(heads[at] as number) >>> FORM] as number
      at++
      while ((wanted[next] as number) < number) next++
      if (wanted[next] === number) visit(number)
    }
  }
}

export class TraderListWriter {
  readonly #heads = new ByteWriter(1 << 12)
  readonly #usd = new ByteWriter(1 << 14)
  #number = -1
  #size = 0

  /// Traders come in ascending order of their numbers; of sums below 2^53.
  add(number: number, buys: number, sells: number, buyUsd: number, sellUsd: number): void {
    invariant(number > this.#number, 'traders ascend')
    const heads = this.#heads
    let gap = number - this.#number
    for (; gap > GAP_MAX; gap -= GAP_MAX) heads.uint8(0)
    heads.uint8(gap)
    this.#number = number
    this.#size++
    const bought = buys === 0 ? 0 : this.#write(buyUsd)
    const sold = sells === 0 ? 0 : this.#write(sellUsd)
    const isSmall = buys <= SMALL_MAX && sells <= SMALL_MAX
    const form = buys + sells === 1 ? ONE : isSmall ? SMALL : LARGE
    heads.uint8(bought | (sold << SOLD_BYTES) | (form << FORM))
    if (form === SMALL) heads.uint8(buys | (sells << 4))
    if (form !== LARGE) return
    heads.uint32(buys)
    heads.uint32(sells)
  }

  /// What was added since the last time.
  take(): TraderList {
    for (let i = 0; i < PADDING; i++) this.#usd.uint8(0)
    const list = new TraderList(this.#heads.take(), this.#usd.take(), this.#number + 1, this.#size)
    this.clear()
    return list
  }

  clear(): void {
    this.#heads.clear()
    this.#usd.clear()
    this.#number = -1
    this.#size = 0
  }

  /// At least a byte.
  #write(value: number): number {
    const out = this.#usd
    const begin = out.length
    let rest = value
    do {
      out.uint8(rest % 256)
      rest = Math.floor(rest / 256)
    } while (rest > 0)
    return out.length - begin
  }
}

function countAt(bytes: Uint8Array, at: number): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [
    number,
    number,
    number,
    number,
  ]
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
}

/// A number of 0 … 7 bytes.
function numberAt(bytes: Uint8Array, at: number, length: number): number {
  const low =
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) &
    (MASKS[length] as number)
  if (length <= 4) return low >>> 0
  const high =
    ((bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8) | ((bytes[at + 6] as number) << 16)) &
    (HIGH_MASKS[length] as number)
  return high * 2 ** 32 + (low >>> 0)
}
