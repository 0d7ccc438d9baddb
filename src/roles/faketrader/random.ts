/// A small, fast, seeded generator (xoshiro128**, Blackman and Vigna 2018): the same seed gives the same numbers
/// on every machine, which Math.random does not promise. Not for secrets.

/// Spreads a seed over 32-bit words (splitmix32), so that seeds 1 and 2 have nothing in common.
function splitmix32(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    return mix32(state)
  }
}

/// A bijection of the 32-bit integers whose every output bit depends on every input bit.
export function mix32(n: number): number {
  let z = n ^ (n >>> 16)
  z = Math.imul(z, 0x21f0aaad)
  z ^= z >>> 15
  z = Math.imul(z, 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

export class Random {
  #a: number
  #b: number
  #c: number
  #d: number
  #spareNormal = Number.NaN

  /// `seed` is an integer from 0 to 2^53 − 1.
  constructor(seed: number) {
    const next = splitmix32((seed >>> 0) ^ mix32(Math.floor(seed / 2 ** 32)))
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next() | 1
  }

  /// An integer from 0 to 2^32 − 1.
  uint32(): number {
    const x = Math.imul(this.#b, 5)
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0
    const t = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /// From 0 (included) to 1 (excluded), in steps of 2^-32.
  unit(): number {
    return this.uint32() / 4294967296
  }

  /// An integer from 0 to n − 1; n up to 2^32.
  below(n: number): number {
    return Math.floor((this.uint32() / 4294967296) * n)
  }

  /// Standard normal (Box and Muller's polar method).
  normal(): number {
    const spare = this.#spareNormal
    if (!Number.isNaN(spare)) {
      this.#spareNormal = Number.NaN
      return spare
    }
    for (;;) {
      const u = 2 * this.unit() - 1
      const v = 2 * this.unit() - 1
      const s = u * u + v * v
      if (s > 0 && s < 1) {
        const scale = Math.sqrt((-2 * Math.log(s)) / s)
        this.#spareNormal = v * scale
        return u * scale
      }
    }
  }

  /// Exponential with the given mean.
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit())
  }
}

/// Draws indexes with given weights in constant time (Walker's alias method).
export class WeightedChoice {
  readonly #keep: Float64Array
  readonly #alias: Int32Array

  /// `weights` are positive; they need not sum to 1.
  constructor(weights: Float64Array) {
    const n = weights.length
    this.#keep = new Float64Array(n)
    this.#alias = new Int32Array(n)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const scaled = weights.map(weight => (weight * n) / total)
    const small: number[] = []
    const large: number[] = []
    for (let i = 0; i < n; i++) ((scaled[i] ?? 0) < 1 ? small : large).push(i)
    for (let s = small.pop(), l = large.pop(); s !== undefined || l !== undefined; ) {
      if (s === undefined || l === undefined) {
        // Only rounding is left over: these keep themselves.
        const rest = s ?? l ?? 0
        this.#keep[rest] = 1
        this.#alias[rest] = rest
        s = small.pop()
        l = large.pop()
        continue
      }
      this.#keep[s] = scaled[s] ?? 0
      this.#alias[s] = l
      const left = (scaled[l] ?? 0) + (scaled[s] ?? 0) - 1
      scaled[l] = left
      s = small.pop()
      if (left < 1) {
        if (s !== undefined) small.push(s)
        s = l
        l = large.pop()
      }
    }
  }

  draw(random: Random): number {
    const at = random.unit() * this.#keep.length
    const i = Math.floor(at)
    return at - i < (this.#keep[i] ?? 1) ? i : (this.#alias[i] ?? i)
  }
}
