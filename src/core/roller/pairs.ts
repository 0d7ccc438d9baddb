/// Who traded what, and when last: one record per (token, trader) in use.
///
/// Unique traders need no sets. For each pair the table keeps the last tick with a buy and with a sell among the
/// swaps that have entered; a window's count of traders rises when a pair's last tick lies outside the window and
/// the new one inside, and falls when a slice leaves that holds the pair's last tick. The buyers and the sellers
/// are counted the same way by their own ticks.
///
/// A record is eight Int32 in one cache line, because every arrival and every expiry touches it.

import { invariant } from '../invariant.js'
import { grownInt32 } from './columns.js'

export const PAIR_STRIDE = 8
/// Offsets within a record.
export const PAIR_TOKEN = 0
export const PAIR_TRADER = 1
/// Relative tick of the last entered buy / sell; NEVER before the first.
export const PAIR_LAST_BUY = 2
export const PAIR_LAST_SELL = 3
/// The expiry event (one window passing one slice) that last saw a buy / sell of the pair: a slice may hold
/// several rows of a pair, and the count must fall once.
export const PAIR_SEEN_BUY = 4
export const PAIR_SEEN_SELL = 5
/// Rows stored for the pair; it is freed at 0.
export const PAIR_ROWS = 6

export const NEVER = -0x8000_0000
const EMPTY = -1

export class Pairs {
  records = new Int32Array(1024 * PAIR_STRIDE)
  size = 0
  idLimit = 0
  #free: number[] = []
  #slots = new Int32Array(4096).fill(EMPTY)

  /// The pair's id, made if it is new (`onNew` tells the caller to count a reference on token and trader).
  intern(token: number, trader: number, onNew: (token: number, trader: number) => void): number {
    const slots = this.#slots
    const records = this.records
    const mask = slots.length - 1
    let slot = mix(token, trader) & mask
    for (;;) {
      const id = slots[slot] as number
      if (id === EMPTY) break
      const at = id * PAIR_STRIDE
      if (records[at] === token && records[at + PAIR_TRADER] === trader) return id
      slot = (slot + 1) & mask
    }
    onNew(token, trader)
    return this.#add(token, trader, slot)
  }

  free(id: number): void {
    const at = id * PAIR_STRIDE
    invariant(this.records[at + PAIR_ROWS] === 0, 'a freed pair has no rows')
    this.#unlink(id)
    this.records[at] = -1
    this.#free.push(id)
    this.size--
  }

  /// Forgets which expiry events saw which pair, so that event numbers may begin again.
  resetSeen(): void {
    for (let at = 0; at < this.idLimit * PAIR_STRIDE; at += PAIR_STRIDE) {
      this.records[at + PAIR_SEEN_BUY] = 0
      this.records[at + PAIR_SEEN_SELL] = 0
    }
  }

  #add(token: number, trader: number, slot: number): number {
    const id = this.#free.pop() ?? this.idLimit++
    const at = id * PAIR_STRIDE
    if (at >= this.records.length) this.records = grownInt32(this.records, at + PAIR_STRIDE)
    this.records[at] = token
    this.records[at + PAIR_TRADER] = trader
    this.records[at + PAIR_LAST_BUY] = NEVER
    this.records[at + PAIR_LAST_SELL] = NEVER
    this.records[at + PAIR_SEEN_BUY] = 0
    this.records[at + PAIR_SEEN_SELL] = 0
    this.records[at + PAIR_ROWS] = 0
    this.#slots[slot] = id
    this.size++
    if (this.size * 2 > this.#slots.length) this.#rehash()
    return id
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY)
    const mask = slots.length - 1
    for (let id = 0; id < this.idLimit; id++) {
      const at = id * PAIR_STRIDE
      if (this.records[at] === -1) continue
      let slot = this.#home(id, mask)
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask
      slots[slot] = id
    }
    this.#slots = slots
  }

  #home(id: number, mask: number): number {
    const at = id * PAIR_STRIDE
    return mix(this.records[at] as number, this.records[at + PAIR_TRADER] as number) & mask
  }

  #unlink(id: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = this.#home(id, mask)
    while (slots[hole] !== id) hole = (hole + 1) & mask
    let next = (hole + 1) & mask
    for (;;) {
      const moved = slots[next] as number
      if (moved === EMPTY) break
      if (((next - this.#home(moved, mask)) & mask) >= ((next - hole) & mask)) {
        slots[hole] = moved
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = EMPTY
  }
}

function mix(token: number, trader: number): number {
  let h = Math.imul(token, 0x9e3779b1) ^ Math.imul(trader, 0x85ebca77)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
