/// Who traded what, and when last: one record per (token, trader) in use.
///
/// Unique traders need no sets. For each pair the table keeps the last tick with a buy and with a sell among the
/// swaps that have entered; a window's count of traders rises when a pair's last tick lies outside the window and
/// the new one inside, and falls when a slice leaves that holds the pair's last tick. The buyers and the sellers
/// are counted the same way by their own ticks.
///
/// `last` is apart from the rest and small, because every arrival and every expiry reads it.

import { invariant } from '../invariant.js'
import { grownInt32 } from './columns.js'

export const NEVER = -0x8000_0000
const EMPTY = -1
const FREE = -1
const SLOT = 4
const SLOT_TRADER = 1
const SLOT_ID = 2

export class Pairs {
  /// pair × 2 + side: relative tick of the last entered buy / sell; NEVER before the first.
  last = new Int32Array(2048)
  /// pair × 2 + side: the expiry event (one window passing one slice) that last saw a buy / sell of the pair. A
  /// slice may hold several rows of a pair, and the count must fall once.
  seen = new Int32Array(2048)
  token = new Int32Array(1024)
  trader = new Int32Array(1024)
  /// Rows stored for the pair; it is freed at 0.
  rows = new Int32Array(1024)
  size = 0
  idLimit = 0
  #free: number[] = []
  /// slot × SLOT: token, trader and id, side by side, so that a probe waits for memory once.
  #slots = new Int32Array(1024 * SLOT).fill(EMPTY)

  /// The pair's id, made if it is new (`onNew` tells the caller to count a reference on token and trader).
  intern(token: number, trader: number, onNew: (token: number, trader: number) => void): number {
    const slots = this.#slots
    const mask = slots.length / SLOT - 1
    let slot = mix(token, trader) & mask
    for (;;) {
      const at = slot * SLOT
      const id = slots[at + SLOT_ID] as number
      if (id === EMPTY) break
      if (slots[at] === token && slots[at + SLOT_TRADER] === trader) return id
      slot = (slot + 1) & mask
    }
    onNew(token, trader)
    return this.#add(token, trader, slot)
  }

  /// Whether the id is in use.
  has(id: number): boolean {
    return this.token[id] !== FREE
  }

  free(id: number): void {
    invariant(this.rows[id] === 0, 'a freed pair has no rows')
    this.#unlink(id)
    this.token[id] = FREE
    this.#free.push(id)
    this.size--
  }

  /// Forgets which expiry events saw which pair, so that event numbers may begin again.
  resetSeen(): void {
    this.seen.fill(0)
  }

  #add(token: number, trader: number, slot: number): number {
    const id = this.#free.pop() ?? this.idLimit++
    if (id >= this.token.length) {
      this.last = grownInt32(this.last, id * 2 + 2)
      this.seen = grownInt32(this.seen, id * 2 + 2)
      this.token = grownInt32(this.token, id + 1)
      this.trader = grownInt32(this.trader, id + 1)
      this.rows = grownInt32(this.rows, id + 1)
    }
    this.last[id * 2] = NEVER
    this.last[id * 2 + 1] = NEVER
    this.seen[id * 2] = 0
    this.seen[id * 2 + 1] = 0
    this.token[id] = token
    this.trader[id] = trader
    this.rows[id] = 0
    this.#occupy(this.#slots, slot, token, trader, id)
    this.size++
    if (this.size * 10 > (this.#slots.length / SLOT) * 7) this.#rehash()
    return id
  }

  #occupy(slots: Int32Array, slot: number, token: number, trader: number, id: number): void {
    slots[slot * SLOT] = token
    slots[slot * SLOT + SLOT_TRADER] = trader
    slots[slot * SLOT + SLOT_ID] = id
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY)
    const mask = slots.length / SLOT - 1
    for (let id = 0; id < this.idLimit; id++) {
      if (!this.has(id)) continue
      const token = this.token[id] as number
      const trader = this.trader[id] as number
      let slot = mix(token, trader) & mask
      while (slots[slot * SLOT + SLOT_ID] !== EMPTY) slot = (slot + 1) & mask
      this.#occupy(slots, slot, token, trader, id)
    }
    this.#slots = slots
  }

  #unlink(id: number): void {
    const slots = this.#slots
    const mask = slots.length / SLOT - 1
    let hole = mix(this.token[id] as number, this.trader[id] as number) & mask
    while (slots[hole * SLOT + SLOT_ID] !== id) hole = (hole + 1) & mask
    for (let next = (hole + 1) & mask; slots[next * SLOT + SLOT_ID] !== EMPTY; next = (next + 1) & mask) {
      const at = next * SLOT
      const token = slots[at] as number
      const trader = slots[at + SLOT_TRADER] as number
      const home = mix(token, trader) & mask
      if (((next - home) & mask) < ((next - hole) & mask)) continue
      this.#occupy(slots, hole, token, trader, slots[at + SLOT_ID] as number)
      hole = next
    }
    slots[hole * SLOT + SLOT_ID] = EMPTY
  }
}

function mix(token: number, trader: number): number {
  let h = Math.imul(token, 0x9e3779b1) ^ Math.imul(trader, 0x85ebca77)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
