/// Sums as they are handed out (stats.ts), from the lines that they are kept in (tables/lines.ts).

import { Field } from '../../stats.js'
import {
  AMOUNT_LIMB,
  AMOUNT_LOW,
  AMOUNT_MID,
  COUNT,
  HIGH,
  HIGH_AMOUNT,
  HIGH_USD,
  INTS,
  LINE,
  type Lines,
  USD,
  USD_LIMB,
} from '../tables/lines.js'

/// Writes a window's sums and counts to `cells` from `out` on: those of one line less those of another.
export function writeSums(
  lines: Lines,
  total: number,
  expired: number,
  cells: Float64Array,
  out: number,
): void {
  const { f64, ints, high } = lines
  // Canonical limbs: equal values are equal bits, whatever carries have happened on the way.
  for (let side = 0; side < 2; side++) {
    const low = (f64[total * LINE + USD + side] as number) - (f64[expired * LINE + USD + side] as number)
    const carry = Math.floor(low / USD_LIMB)
    cells[out + Field.BUY_USD + side * 2] = low - carry * USD_LIMB
    cells[out + Field.BUY_USD_HIGH + side * 2] = highOf(high, total, expired, HIGH_USD + side) + carry
    const count = COUNT + side
    cells[out + Field.BUYS + side] =
      ((ints[total * INTS + count] as number) - (ints[expired * INTS + count] as number)) | 0
  }
  // Limbs of 10^12 and 10^15 become limbs of 10^9: the middle one is split at 10^18.
  const mid = (f64[total * LINE + AMOUNT_MID] as number) - (f64[expired * LINE + AMOUNT_MID] as number)
  const whole = Math.floor(mid / 1e6)
  cells[out + Field.AMOUNT_0] =
    (f64[total * LINE + AMOUNT_LOW] as number) - (f64[expired * LINE + AMOUNT_LOW] as number)
  cells[out + Field.AMOUNT_1] = (mid - whole * 1e6) * 1000
  cells[out + Field.AMOUNT_2] = whole
  cells[out + Field.AMOUNT_3] = highOf(high, total, expired, HIGH_AMOUNT)
  cells[out + Field.AMOUNT_4] = highOf(high, total, expired, HIGH_AMOUNT + 1)
  for (let limb = out + Field.AMOUNT_0; limb < out + Field.AMOUNT_4; limb++) {
    const value = cells[limb] as number
    const carry = Math.floor(value / AMOUNT_LIMB)
    cells[limb] = value - carry * AMOUNT_LIMB
    cells[limb + 1] = (cells[limb + 1] as number) + carry
  }
}

function highOf(high: Float64Array | null, total: number, expired: number, limb: number): number {
  if (high === null) return 0
  return (high[total * HIGH + limb] as number) - (high[expired * HIGH + limb] as number)
}
