/// Exact decimals: the limits of money and amounts, their text, and their nearest binary64.
///
/// Money is a whole number of micro-dollars, an amount has 18 decimals (see swap-batch.ts). Both are kept as
/// integers in limbs, because a sum of binary64 depends on the order of its terms and drifts when terms are taken
/// out again. A price is a ratio and never summed, so it is a binary64, rounded the same way everywhere: each
/// conversion here gives the nearest binary64 (ties to even), so that two machines agree bit by bit.

import { invariant } from './invariant.js'

/// The most that one swap can be worth: 9,000,000,000 USD, a safe integer of micro-dollars.
export const MAX_MICRO_USD = 9_000_000_000_000_000

/// Decimals of an amount.
export const AMOUNT_DECIMALS = 18

/// One limb of an amount holds nine decimal digits.
const LIMB = 1_000_000_000

/// Veltkamp's constant: splits a binary64 into two halves of 26 bits, whose products are exact.
const SPLITTER = 134_217_729
const E18 = 1e18
// 10^18 needs 42 bits after its factors of two, so both halves are exact.
const E18_HIGH = SPLITTER * E18 - (SPLITTER * E18 - E18)
const E18_LOW = E18 - E18_HIGH

/// The binary64 nearest to the amount a0…a3 (limbs of 0 … 999,999,999), ties to even. Equal to
/// Number(formatAmount(a0, a1, a2, a3, 0)), without the text.
//
// The whole part and the fraction are exact sums of two binary64. The quotient fraction ÷ 10^18 is taken to twice
// the precision by dividing its remainder again (Dekker), which leaves a relative error below 2^-100. When the
// result is the same on both ends of a generous error interval, it is the nearest; else (ties, and about one
// case in 10^13) the text decides.
export function amountToNumber(a0: number, a1: number, a2: number, a3: number): number {
  // One division of two exact values rounds correctly.
  if (a0 === 0 && a3 === 0 && a2 < 9_000_000) return (a2 * LIMB + a1) / LIMB

  const fractionTop = a1 * LIMB
  const fraction = fractionTop + a0
  const fractionRest = a0 - (fraction - fractionTop)
  const quotient = fraction / E18
  const scaled = SPLITTER * quotient
  const quotientHigh = scaled - (scaled - quotient)
  const quotientLow = quotient - quotientHigh
  const product = quotient * E18
  const productRest =
    quotientLow * E18_LOW -
    (product - quotientHigh * E18_HIGH - quotientLow * E18_HIGH - quotientHigh * E18_LOW)
  const quotientRest = (fraction - product - productRest + fractionRest) / E18

  const wholeTop = a3 * LIMB
  const whole = wholeTop + a2
  const wholeRest = a2 - (whole - wholeTop)

  const sum = whole + quotient
  const back = sum - whole
  const sumRest = whole - (sum - back) + (quotient - back)
  const rest = sumRest + (wholeRest + quotientRest)
  const error = Math.abs(rest) * 2 ** -48 + sum * 2 ** -98
  const low = sum + (rest - error)
  const high = sum + (rest + error)
  return low === high ? low : Number(formatAmount(a0, a1, a2, a3, 0))
}

/// USD per token: the binary64 usd ÷ the binary64 amount, NaN when either is 0. `usdMicro` in micro-dollars.
/// Example: 3 USD for 2 tokens: priceOf(3_000_000, 0, 0, 2, 0) = 1.5.
export function priceOf(usdMicro: number, a0: number, a1: number, a2: number, a3: number): number {
  const amount = amountToNumber(a0, a1, a2, a3)
  return usdMicro === 0 || amount === 0 ? Number.NaN : usdMicro / 1e6 / amount
}

/// Brings limbs into 0 … base − 1 and appends what the top one carries. Exact for |limb| < 2^53.
function normalized(limbs: readonly number[], base: number): number[] {
  const digits: number[] = []
  let carry = 0
  for (const limb of limbs) {
    // The remainder has the sign of the limb, so the difference is no larger than the limb and exact.
    let digit = limb % base
    let next = (limb - digit) / base
    digit += carry
    for (; digit < 0; digit += base) next--
    for (; digit >= base; digit -= base) next++
    digits.push(digit)
    carry = next
  }
  invariant(carry >= 0 && carry < base, 'a formatted sum is not negative')
  digits.push(carry)
  return digits
}

/// The digits of normalized limbs, most significant first, as plain decimal with `decimals` decimals at most.
function plain(limbs: readonly number[], width: number, decimals: number): string {
  let text = ''
  for (const limb of limbs) text = String(limb).padStart(width, '0') + text
  const point = text.length - decimals
  let end = text.length
  while (end > point && text.charCodeAt(end - 1) === 48) end--
  let begin = 0
  while (begin < point - 1 && text.charCodeAt(begin) === 48) begin++
  const whole = text.slice(begin, point)
  return end === point ? whole : `${whole}.${text.slice(point, end)}`
}

/// The sum Σ a_i × 10^(9·i − 18) in plain decimal, exact, without trailing zeros: `0`, `12.5`, `1000000`. Limbs may
/// be unnormalised and negative (|limb| < 2^53); the total must not be negative.
export function formatAmount(a0: number, a1: number, a2: number, a3: number, a4: number): string {
  if (!carries(a0) || !carries(a1) || !carries(a2)) return amountOfLimbs(a0, a1, a2, a3, a4)
  // The usual case, without the limbs as a list: two limbs of fraction, and whole tokens that are a safe integer.
  const low = remainder(a0)
  const next = a1 + (a0 - low) / LIMB
  const high = remainder(next)
  const whole = a2 + (next - high) / LIMB
  const total = whole + a3 * LIMB
  if (a4 !== 0 || a3 > 9_000_000 || a3 < 0 || !(total >= 0 && total <= Number.MAX_SAFE_INTEGER)) {
    return amountOfLimbs(a0, a1, a2, a3, a4)
  }
  if (low !== 0) return `${total}.${padded(high, 9)}${fractionText(low, 9)}`
  return high === 0 ? String(total) : `${total}.${fractionText(high, 9)}`
}

function amountOfLimbs(...limbs: readonly number[]): string {
  return plain(normalized(limbs, LIMB), 9, AMOUNT_DECIMALS)
}

/// Whether limb and carry stay exact when the limb is brought into 0 … LIMB − 1.
function carries(limb: number): boolean {
  return limb >= -(2 ** 52) && limb <= 2 ** 52
}

/// limb mod LIMB, not negative.
function remainder(limb: number): number {
  // The quotient may round up to the next integer, which the rest tells.
  const rest = limb - Math.floor(limb / LIMB) * LIMB
  return rest < 0 ? rest + LIMB : rest
}

/// The micro-dollars low + high × 10^12 in USD, exact, up to six decimals without trailing zeros: `0`, `5061.23763`.
/// Limbs may be unnormalised and negative (|limb| < 2^53); the total must not be negative.
export function formatUsd(low: number, high: number): string {
  // Exact when the sum is safe: 9007 × 10^12 is, and so is every sum that does not leave the safe integers.
  const total = low + high * 1e12
  if (total >= 0 && total <= Number.MAX_SAFE_INTEGER && high <= 9007 && high >= -9007) {
    // The quotient may round up to the next integer, which the rest tells. (Faster than %.)
    let whole = Math.floor(total / 1_000_000)
    let fraction = total - whole * 1_000_000
    if (fraction < 0) {
      whole--
      fraction += 1_000_000
    }
    return fraction === 0 ? String(whole) : `${whole}.${fractionText(fraction, 6)}`
  }
  return plain(normalized([low, high], 1e12), 12, 6)
}

const POWERS_OF_TEN = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

/// n in `width` digits, n < 10^width ≤ 10^9.
function padded(n: number, width: number): string {
  return String(n + (POWERS_OF_TEN[width] ?? 0)).slice(1)
}

/// As padded, without trailing zeros; n is not 0.
function fractionText(n: number, width: number): string {
  let digits = n
  let length = width
  while (digits % 10 === 0) {
    digits /= 10
    length--
  }
  return padded(digits, length)
}

/// The shortest decimal that reads back as the same binary64, in plain notation: 1e-7 is `0.0000001`, 1e21 is
/// `1000000000000000000000`. `x` must be finite.
export function formatPrice(x: number): string {
  invariant(Number.isFinite(x), 'a formatted price is finite')
  const text = String(x)
  const mark = text.indexOf('e')
  if (mark < 0) return text
  const exponent = Number(text.slice(mark + 1))
  const sign = x < 0 ? '-' : ''
  const [whole = '', fraction = ''] = text.slice(sign.length, mark).split('.')
  const digits = whole + fraction
  // String(x) uses an exponent only below 1e-6 and from 1e21 on, and has at most 17 digits, one before the point.
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return sign + digits.padEnd(exponent + 1, '0')
}
