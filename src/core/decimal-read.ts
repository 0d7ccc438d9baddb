/// Reading decimals from bytes, exactly, without making strings of them.
///
/// One grammar for a decimal, whether it came as a JSON string, a JSON number or a CSV field:
///   digits [ '.' digits ] [ ('e' | 'E') [ '+' | '-' ] digits ]
/// at most 100 characters, the exponent within −60 … 60. No sign in front, no hexadecimal, no NaN or Infinity, no
/// bare point. (A JSON number must be valid JSON besides, so it has no leading zeros.) Rounding works on the
/// decimal digits, half to even, never through binary64: 0.0000005 USD is 0, 0.0000015 USD is 2 micro-dollars.

import { AMOUNT_DECIMALS, MAX_MICRO_USD } from './decimal.js'

export const MAX_DECIMAL_CHARACTERS = 100
export const MAX_DECIMAL_EXPONENT = 60

export const MIN_PRICE = 1e-40
export const MAX_PRICE = 1e40

/// What each reading wants, for messages.
export const WANTED_USD = 'a decimal between 0 and 9000000000'
export const WANTED_AMOUNT = 'a decimal from 0 to below 1000000000000000000'
export const WANTED_PRICE = 'a decimal between 1e-40 and 1e40'
const WANTED_SHORT = `a decimal of at most ${MAX_DECIMAL_CHARACTERS} characters`
const WANTED_EXPONENT = `a decimal with an exponent between -${MAX_DECIMAL_EXPONENT} and ${MAX_DECIMAL_EXPONENT}`

const ZERO = 48
const POINT = 46

const POW10_I32 = Int32Array.from([1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9])
/// The powers of ten that a binary64 holds exactly.
const POW10 = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`))

/// Reads decimals into its own fields. The `scan` methods read the common spelling quickly and stop where it ends;
/// the others read any spelling of a given range and say what they wanted when it is none.
export class DecimalReader {
  /// The last usd that was read, in micro-dollars.
  usdMicro = 0
  /// The last amount that was read, in limbs (see swap-batch.ts).
  amount0 = 0
  amount1 = 0
  amount2 = 0
  amount3 = 0
  /// The last price that was read.
  price = 0

  // The significant digits of the decimal under parse, without leading zeros, and how many of them stand before
  // the point (negative: zeros after the point): the value is 0.d0 d1 d2 … × 10^point.
  readonly #digits = new Uint8Array(MAX_DECIMAL_CHARACTERS)
  #count = 0
  #point = 0

  /// Reads plain digits of up to 9 places and 6 decimals from `at` on. Returns where they end, or −1 for what needs
  /// the exact reading.
  scanUsd(bytes: Uint8Array, at: number, end: number): number {
    let p = at
    let whole = 0
    for (; p < end; p++) {
      const digit = (bytes[p] ?? 0) - ZERO
      if (digit >>> 0 > 9) break
      whole = (Math.imul(whole, 10) + digit) | 0
    }
    const places = p - at
    if (places === 0 || places > 9) return -1
    let fraction = 0
    if (p < end && bytes[p] === POINT) {
      const from = ++p
      for (; p < end; p++) {
        const digit = (bytes[p] ?? 0) - ZERO
        if (digit >>> 0 > 9) break
        fraction = (Math.imul(fraction, 10) + digit) | 0
      }
      const decimals = p - from
      if (decimals === 0 || decimals > 6) return -1
      fraction = Math.imul(fraction, POW10_I32[6 - decimals] ?? 0)
    }
    this.usdMicro = whole * 1_000_000 + fraction
    return p
  }

  /// Reads plain digits of up to 9 places and 18 decimals from `at` on. Returns where they end, or −1 for what needs
  /// the exact reading.
  scanAmount(bytes: Uint8Array, at: number, end: number): number {
    let p = at
    let whole = 0
    for (; p < end; p++) {
      const digit = (bytes[p] ?? 0) - ZERO
      if (digit >>> 0 > 9) break
      whole = (Math.imul(whole, 10) + digit) | 0
    }
    const places = p - at
    if (places === 0 || places > 9) return -1
    let upper = 0
    let lower = 0
    if (p < end && bytes[p] === POINT) {
      const from = ++p
      const middle = Math.min(p + 9, end)
      for (; p < middle; p++) {
        const digit = (bytes[p] ?? 0) - ZERO
        if (digit >>> 0 > 9) break
        upper = (Math.imul(upper, 10) + digit) | 0
      }
      let decimals = p - from
      if (decimals === 0) return -1
      if (decimals < 9) {
        upper = Math.imul(upper, POW10_I32[9 - decimals] ?? 0)
      } else {
        for (; p < end; p++) {
          const digit = (bytes[p] ?? 0) - ZERO
          if (digit >>> 0 > 9) break
          lower = (Math.imul(lower, 10) + digit) | 0
        }
        decimals = p - from
        if (decimals > AMOUNT_DECIMALS) return -1
        lower = Math.imul(lower, POW10_I32[18 - decimals] ?? 0)
      }
    }
    this.amount0 = lower
    this.amount1 = upper
    this.amount2 = whole
    this.amount3 = 0
    return p
  }

  /// Reads bytes[at … end − 1] as USD, rounded half to even to micro-dollars; the limit holds for the rounded
  /// value. Returns null, or what was wanted.
  usd(bytes: Uint8Array, at: number, end: number): string | null {
    const problem = this.#parse(bytes, at, end, WANTED_USD)
    if (problem !== null) return problem
    const places = this.#point + 6
    if (places > 16) return WANTED_USD
    let micro = 0
    for (let i = 0; i < places; i++) micro = micro * 10 + this.#digit(i)
    if (this.#roundsUp(places)) micro++
    if (micro > MAX_MICRO_USD) return WANTED_USD
    this.usdMicro = micro
    return null
  }

  /// Reads bytes[at … end − 1] as an amount, rounded half to even to 18 decimals; the limit holds for the rounded
  /// value. Returns null, or what was wanted.
  amount(bytes: Uint8Array, at: number, end: number): string | null {
    const problem = this.#parse(bytes, at, end, WANTED_AMOUNT)
    if (problem !== null) return problem
    const places = this.#point + AMOUNT_DECIMALS
    if (places > 36) return WANTED_AMOUNT
    let a0 = this.#limb(places - 9) + (this.#roundsUp(places) ? 1 : 0)
    let a1 = this.#limb(places - 18)
    let a2 = this.#limb(places - 27)
    let a3 = this.#limb(places - 36)
    if (a0 === 1e9) {
      a0 = 0
      a1++
    }
    if (a1 === 1e9) {
      a1 = 0
      a2++
    }
    if (a2 === 1e9) {
      a2 = 0
      a3++
    }
    if (a3 === 1e9) return WANTED_AMOUNT
    this.amount0 = a0
    this.amount1 = a1
    this.amount2 = a2
    this.amount3 = a3
    return null
  }

  /// Reads bytes[at … end − 1] as a price: the nearest binary64 within MIN_PRICE … MAX_PRICE. Returns null, or what
  /// was wanted.
  readPrice(bytes: Uint8Array, at: number, end: number): string | null {
    const problem = this.#parse(bytes, at, end, WANTED_PRICE)
    if (problem !== null) return problem
    const price = this.#nearest(bytes, at, end)
    if (!(price >= MIN_PRICE && price <= MAX_PRICE)) return WANTED_PRICE
    this.price = price
    return null
  }

  /// The binary64 nearest to the parsed decimal.
  //
  // An integer below 2^53 times or by a power of ten up to 10^22 is one operation on exact values, so it rounds
  // once (Clinger). The rest, rare for prices, goes through the language's own reading, which rounds correctly.
  #nearest(bytes: Uint8Array, at: number, end: number): number {
    const scale = this.#point - this.#count
    if (this.#count <= 15 && scale >= -22 && scale <= 22) {
      let integer = 0
      for (let i = 0; i < this.#count; i++) integer = integer * 10 + this.#digit(i)
      return scale < 0 ? integer / (POW10[-scale] ?? 1) : integer * (POW10[scale] ?? 1)
    }
    return Number(String.fromCharCode(...bytes.subarray(at, end)))
  }

  /// Digit i of the parsed decimal; zeros surround what was written.
  #digit(i: number): number {
    return i >= 0 && i < this.#count ? (this.#digits[i] ?? 0) : 0
  }

  /// The nine digits from `from` on as a number.
  #limb(from: number): number {
    let limb = 0
    for (let i = from; i < from + 9; i++) limb = limb * 10 + this.#digit(i)
    return limb
  }

  /// Whether keeping the first `places` digits rounds the last of them up, half to even.
  #roundsUp(places: number): boolean {
    const next = this.#digit(places)
    if (next !== 5) return next > 5
    for (let i = places + 1; i < this.#count; i++) if (this.#digits[i] !== 0) return true
    return this.#digit(places - 1) % 2 === 1
  }

  /// Takes the decimal apart. Returns null, or what was wanted.
  #parse(bytes: Uint8Array, at: number, end: number, wanted: string): string | null {
    if (end - at > MAX_DECIMAL_CHARACTERS) return WANTED_SHORT
    let p = this.#parseDigits(bytes, at, end, false)
    if (p === at) return wanted
    if (p < end && bytes[p] === POINT) {
      const from = p + 1
      p = this.#parseDigits(bytes, from, end, true)
      if (p === from) return wanted
    }
    if (p === end) return null
    if (((bytes[p] ?? 0) | 0x20) !== 0x65) return wanted
    p++
    const negative = p < end && bytes[p] === 0x2d
    if (negative || (p < end && bytes[p] === 0x2b)) p++
    if (p === end) return wanted
    let exponent = 0
    for (; p < end; p++) {
      const digit = (bytes[p] ?? 0) - ZERO
      if (digit < 0 || digit > 9) return wanted
      exponent = Math.min(exponent * 10 + digit, 1000)
    }
    if (exponent > MAX_DECIMAL_EXPONENT) return WANTED_EXPONENT
    // Zero is zero whatever its exponent.
    if (this.#count > 0) this.#point += negative ? -exponent : exponent
    return null
  }

  /// Collects the digits before the point (and starts anew) or after it. Returns where they end.
  #parseDigits(bytes: Uint8Array, at: number, end: number, afterPoint: boolean): number {
    if (!afterPoint) {
      this.#count = 0
      this.#point = 0
    }
    let p = at
    for (; p < end; p++) {
      const digit = (bytes[p] ?? 0) - ZERO
      if (digit < 0 || digit > 9) break
      if (digit !== 0 || this.#count > 0) {
        this.#digits[this.#count++] = digit
        if (!afterPoint) this.#point++
      } else if (afterPoint) this.#point--
    }
    return p
  }
}
