/// Who traded what, and when last: one record per (token, trader) in use.
///
/// Unique traders need no sets. For each pair and side the record keeps the last tick with a swap among those that
/// have entered, and the cell (cells.ts) that this swap lies in. A window's count of traders rises when a pair's last
/// tick lies outside the window and the new one inside; it falls when a cell leaves, by the number of pairs whose last
/// swap lies in it (uniques.ts).
///
/// A record is half a cache line. Records are read at random, so one look must do.

import { invariant } from '../../invariant.js'
import { grownInt32 } from './columns.js'
import { HashIndex } from './hash-index.js'

export const NEVER = -0x8000_0000

/// A pair's record, in integers.
export const PAIR = 8
export const PAIR_TOKEN = 0
export const PAIR_TRADER = 1
/// + side: relative tick of the last buy, sell that has entered; NEVER before the first.
export const LAST_TICK = 2
/// + side: its cell in the block of that tick. Means something only while the slice is in memory as cells.
export const LAST_CELL = 4
/// Swaps of the pair that are dated ahead of view time: they keep it in use.
export const AHEAD = 6

const FREE = -1

export class Pairs {
  records = new Int32Array(256 * PAIR)
  size = 0
  idLimit = 0
  #free: number[] = []
  readonly #index = new HashIndex()

  token(id: number): number {
    return this.records[id * PAIR + PAIR_TOKEN] as number
  }

  trader(id: number): number {
    return this.records[id * PAIR + PAIR_TRADER] as number
  }

  /// The pair's id, or -1.
  find(token: number, trader: number): number {
    const index = this.#index
    const records = this.records
    let id = index.first(mix(token, trader))
    while (id >= 0) {
      if (records[id * PAIR] === token && records[id * PAIR + PAIR_TRADER] === trader) return id
      id = index.next()
    }
    return -1
  }

  /// As Names.glance.
  glance(token: number, trader: number): number {
    const id = this.#index.first(mix(token, trader))
    return id < 0 ? id : (this.records[id * PAIR + LAST_TICK] as number)
  }

  /// Adds a pair, which must be new.
  add(token: number, trader: number): number {
    const id = this.#free.pop() ?? this.idLimit++
    if ((id + 1) * PAIR > this.records.length) this.records = grownInt32(this.records, (id + 1) * PAIR)
    const { records } = this
    const at = id * PAIR
    records[at + PAIR_TOKEN] = token
    records[at + PAIR_TRADER] = trader
    records[at + LAST_TICK] = NEVER
    records[at + LAST_TICK + 1] = NEVER
    records[at + AHEAD] = 0
    this.#index.add(mix(token, trader), id)
    this.size++
    return id
  }

  /// Whether the id is in use.
  has(id: number): boolean {
    return this.records[id * PAIR + PAIR_TOKEN] !== FREE
  }

  /// Whether every swap of the pair lies at or before the relative tick.
  isPast(id: number, tick: number): boolean {
    const { records } = this
    const at = id * PAIR
    return (
      (records[at + LAST_TICK] as number) <= tick &&
      (records[at + LAST_TICK + 1] as number) <= tick &&
      records[at + AHEAD] === 0
    )
  }

  free(id: number): void {
    invariant(this.has(id), 'a freed pair is in use')
    this.#index.remove(mix(this.token(id), this.trader(id)), id)
    this.records[id * PAIR + PAIR_TOKEN] = FREE
    this.#free.push(id)
    this.size--
  }
}

function mix(token: number, trader: number): number {
  let h = Math.imul(token, 0x9e3779b1) ^ Math.imul(trader, 0x85ebca77)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  return h ^ (h >>> 13)
}
