/// Which traders bought and which sold, as bits by the traders' numbers (pair-table.ts): distinct traders are counted exactly,
/// and a union is taken 32 traders at a time.

import { grownUint32 } from '../tables/columns.js'

/// Words by side: bought, sold.
export type WhoBits = readonly [Uint32Array, Uint32Array]

export class WhoTraded {
  readonly #bits: [Uint32Array, Uint32Array]

  /// With room for traders below `numbers`; more are taken too.
  constructor(numbers: number) {
    const words = (numbers + 31) >>> 5
    this.#bits = [new Uint32Array(words), new Uint32Array(words)]
  }

  /// The bits, with room for traders below `numbers`; to be used before anything else is added.
  room(numbers: number): WhoBits {
    const words = (numbers + 31) >>> 5
    for (const side of [0, 1] as const) {
      const bits = this.#bits[side]
      if (bits.length < words) this.#bits[side] = grownUint32(bits, words)
    }
    return this.#bits
  }

  clear(): void {
    for (const bits of this.#bits) bits.fill(0)
  }

  add(number: number, side: number): void {
    const word = number >>> 5
    const of = side & 1
    const bits = this.#bits[of] as Uint32Array
    if (word >= bits.length) this.#bits[of] = grownUint32(bits, word + 1)
    const target = this.#bits[of] as Uint32Array
    target[word] = (target[word] as number) | (1 << (number & 31))
  }

  addAll(other: WhoTraded): void {
    for (const side of [0, 1] as const) {
      const from = other.#bits[side]
      if (from.length > this.#bits[side].length) this.#bits[side] = grownUint32(this.#bits[side], from.length)
      const to = this.#bits[side]
      for (let word = 0; word < from.length; word++) to[word] = (to[word] as number) | (from[word] as number)
    }
  }

  /// How many bought, sold, did either.
  counts(): readonly [buyers: number, sellers: number, traders: number] {
    const [bought, sold] = this.#bits
    let [buyers, sellers, traders] = [0, 0, 0]
    for (let word = 0; word < Math.max(bought.length, sold.length); word++) {
      const buys = bought[word] ?? 0
      const sells = sold[word] ?? 0
      buyers += ones(buys)
      sellers += ones(sells)
      traders += ones(buys | sells)
    }
    return [buyers, sellers, traders]
  }
}

/// Bits that are set (Warren, Hacker's Delight, 5-1).
function ones(word: number): number {
  let sum = word - ((word >>> 1) & 0x5555_5555)
  sum = (sum & 0x3333_3333) + ((sum >>> 2) & 0x3333_3333)
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
