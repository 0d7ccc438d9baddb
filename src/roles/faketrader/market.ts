/// What is traded and by whom: tokens with Zipf popularity and walking prices, traders who stick to a few tokens.

import { mix32, type Random, WeightedChoice } from './random.js'

/// The most traded tokens, in order, with a starting price in USD. Further tokens get addresses for names.
const KNOWN: readonly (readonly [string, number])[] = [
  ['BTC', 84_000],
  ['ETH', 3_100],
  ['SOL', 165],
  ['XRP', 2.3],
  ['BNB', 640],
  ['DOGE', 0.21],
  ['ADA', 0.71],
  ['TRX', 0.27],
  ['LINK', 16.4],
  ['AVAX', 24.1],
  ['SUI', 3.4],
  ['TON', 3.2],
  ['SHIB', 0.0000134],
  ['HYPE', 21],
  ['DOT', 4.5],
  ['LTC', 91],
  ['UNI', 7.2],
  ['PEPE', 0.0000089],
  ['AAVE', 190],
  ['NEAR', 2.9],
  ['ARB', 0.38],
  ['OP', 0.82],
  ['WIF', 0.61],
  ['BONK', 0.0000181],
  ['JUP', 0.52],
  ['LDO', 0.93],
  ['CRV', 0.64],
  ['MKR', 1_550],
  ['SNX', 0.78],
  ['COMP', 47],
]

/// Rank k is traded in proportion to k^-ZIPF.
const ZIPF = 1.05

// Math.exp and Math.log throughout, and no fractional powers: those differ between versions of V8 in the last bit,
// which would make a seed mean other swaps on another Node.js.

const HEX = new TextEncoder().encode('0123456789abcdef')

/// Writes eight hexadecimal digits of a 32-bit word; returns the position after them.
export function writeHex32(out: Uint8Array, at: number, word: number): number {
  for (let shift = 28, i = at; shift >= 0; shift -= 4, i++) out[i] = HEX[(word >>> shift) & 15] ?? 0
  return at + 8
}

/// Writes `0x` and 40 digits that depend on (seed, index) alone.
export function writeAddress(out: Uint8Array, at: number, seed: number, index: number): number {
  out[at] = 0x30
  out[at + 1] = 0x78
  let end = at + 2
  let word = mix32(seed ^ index)
  for (let i = 0; i < 5; i++) {
    word = mix32(word + index + i * 0x9e3779b9)
    end = writeHex32(out, end, word)
  }
  return end
}

export class Market {
  /// UTF-8 names by rank.
  readonly names: readonly Uint8Array[]
  readonly #popularity: WeightedChoice
  /// How many traders trade the token of each rank.
  readonly #community: Float64Array
  readonly #traders: number
  readonly #seed: number
  readonly #base: Float64Array
  readonly #price: Float64Array
  readonly #volatility: Float64Array
  readonly #pricedAt: Float64Array

  /// Rank 0 is BTC, rank 1 is ETH.
  constructor(tokens: number, traders: number, random: Random) {
    this.#seed = random.uint32()
    this.#traders = traders
    const weights = new Float64Array(tokens).map((_, rank) => Math.exp(-ZIPF * Math.log(rank + 1)))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    this.#popularity = new WeightedChoice(weights)
    // Three memberships per trader on average: most people trade a handful of tokens.
    this.#community = weights.map(weight =>
      Math.min(traders, Math.max(3, Math.round((weight / total) * traders * 3))),
    )
    this.#base = new Float64Array(tokens)
    this.#volatility = new Float64Array(tokens)
    this.#pricedAt = new Float64Array(tokens)
    const encoder = new TextEncoder()
    this.names = Array.from({ length: tokens }, (_, rank) => {
      const known = KNOWN[rank]
      // Standard deviation of the logarithm over one second: 0.01 % for majors, up to 0.3 % for the long tail.
      this.#volatility[rank] = known ? 1e-4 + rank * 1e-5 : 5e-4 * (1 + 5 * random.unit())
      this.#base[rank] = known ? known[1] : Math.exp(Math.LN10 * (random.unit() * 9 - 7))
      if (known) return encoder.encode(known[0])
      const address = new Uint8Array(42)
      writeAddress(address, 0, this.#seed ^ 0x746f6b65, rank)
      return address
    })
    this.#price = this.#base.slice()
  }

  drawToken(random: Random): number {
    return this.#popularity.draw(random)
  }

  /// One of the token's own traders; a few of them do most of its trading. The index is below `traders`.
  drawTrader(rank: number, random: Random): number {
    const u = random.unit()
    const member = Math.floor(u * u * (this.#community[rank] ?? 1))
    return mix32(mix32(this.#seed + rank) + member) % this.#traders
  }

  writeTrader(out: Uint8Array, at: number, trader: number): number {
    return writeAddress(out, at, this.#seed ^ 0x77616c6c, trader)
  }

  /// The token's price in USD after the walk from its last swap to `nowMs`: geometric, pulled back towards where
  /// it began so that it stays in a plausible range for days.
  walk(rank: number, nowMs: number, random: Random): number {
    const last = this.#pricedAt[rank] ?? 0
    this.#pricedAt[rank] = nowMs
    const seconds = last === 0 ? 1 : Math.min(3600, Math.max(0.001, (nowMs - last) / 1000))
    const base = this.#base[rank] ?? 1
    const away = Math.log((this.#price[rank] ?? base) / base)
    const step = (this.#volatility[rank] ?? 0) * Math.sqrt(seconds) * random.normal()
    const next = base * Math.exp(away * (1 - Math.min(0.5, seconds * 2e-5)) + step)
    this.#price[rank] = next
    return next
  }
}
