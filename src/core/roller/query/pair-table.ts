/// A small table from pairs to 0, 1, 2, …, in the order in which they are met.

import { grownInt32 } from '../tables/columns.js'

export class PairTable {
  /// Slot: pair + 1, or 0.
  #keys = new Int32Array(64)
  #numbers = new Int32Array(64)
  #pairs = new Int32Array(32)
  size = 0

  get bytes(): number {
    return this.#keys.byteLength * 2 + this.#pairs.byteLength
  }

  /// The pair with a number.
  pairOf(number: number): number {
    return this.#pairs[number] as number
  }

  /// The pair's number, given if it is met for the first time.
  numberOf(pair: number): number {
    const mask = this.#keys.length - 1
    let slot = Math.imul(pair, 0x9e3779b1) & mask
    for (;;) {
      const key = this.#keys[slot] as number
      if (key === pair + 1) return this.#numbers[slot] as number
      if (key === 0) break
      slot = (slot + 1) & mask
    }
    const number = this.size++
    if (number === this.#pairs.length) this.#pairs = grownInt32(this.#pairs, number + 1)
    this.#pairs[number] = pair
    this.#keys[slot] = pair + 1
    this.#numbers[slot] = number
    if (this.size * 2 > this.#keys.length) this.#grow()
    return number
  }

  #grow(): void {
    this.#keys = new Int32Array(this.#keys.length * 2)
    this.#numbers = new Int32Array(this.#keys.length)
    const mask = this.#keys.length - 1
    for (let number = 0; number < this.size; number++) {
      const pair = this.#pairs[number] as number
      let slot = Math.imul(pair, 0x9e3779b1) & mask
      while (this.#keys[slot] !== 0) slot = (slot + 1) & mask
      this.#keys[slot] = pair + 1
      this.#numbers[slot] = number
    }
  }
}
