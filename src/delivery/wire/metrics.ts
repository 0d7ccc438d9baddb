/// Single values of a window, read from the roller's cells. docs/statistics.md defines each.

import { formatAmount, formatUsd } from '../../core/decimal.js'
import { FIELDS_PER_WINDOW, Field } from '../../core/stats.js'
import type { Window } from '../../core/windows.js'

/// A window and its place in `TokenStats.cells`.
export interface PlacedWindow extends Window {
  readonly index: number
  /// Its key in JSON: `"m5":`.
  readonly label: string
  /// The longest of the configured windows: what a trend is measured against. An index of -1 where it is not known.
  readonly reference: { readonly index: number; readonly lengthMs: number }
}

export function placeWindows(windows: readonly Window[]): PlacedWindow[] {
  const index = windows.length - 1
  const reference = { index, lengthMs: windows[index]?.lengthMs ?? 0 }
  return windows.map((window, i) => ({ ...window, index: i, label: `"${window.name}":`, reference }))
}

const USD_LIMB = 1e12
/// A trend counts a burst for at most so many times the usual rate.
const MOMENTUM_MAX = 10

export function cell(cells: Float64Array, at: number): number {
  return cells[at] ?? Number.NaN
}

/// USD volume of both sides, exact.
export function volumeText(cells: Float64Array, at: number): string {
  return formatUsd(
    cell(cells, at + Field.BUY_USD) + cell(cells, at + Field.SELL_USD),
    cell(cells, at + Field.BUY_USD_HIGH) + cell(cells, at + Field.SELL_USD_HIGH),
  )
}

/// Token amount of both sides, exact.
export function amountText(cells: Float64Array, at: number): string {
  return formatAmount(
    cell(cells, at + Field.AMOUNT_0),
    cell(cells, at + Field.AMOUNT_1),
    cell(cells, at + Field.AMOUNT_2),
    cell(cells, at + Field.AMOUNT_3),
    cell(cells, at + Field.AMOUNT_4),
  )
}

/// The micro-dollars low + high × 10^12, which may be negative, in USD. Exact.
export function signedUsdText(low: number, high: number): string {
  const carry = Math.floor(low / USD_LIMB)
  return high + carry < 0 ? `-${formatUsd(-low, -high)}` : formatUsd(low, high)
}

/// Buys less sells in USD, exact.
export function netVolumeText(cells: Float64Array, at: number): string {
  return signedUsdText(
    cell(cells, at + Field.BUY_USD) - cell(cells, at + Field.SELL_USD),
    cell(cells, at + Field.BUY_USD_HIGH) - cell(cells, at + Field.SELL_USD_HIGH),
  )
}

export function tradesOf(cells: Float64Array, at: number): number {
  return cell(cells, at + Field.BUYS) + cell(cells, at + Field.SELLS)
}

/// USD per swap, the exact quotient rounded half-even to micro-dollars; null without swaps.
/// Example: 2 USD in 3 swaps is `0.666667`.
export function averageText(low: number, high: number, trades: number): string | null {
  if (!(trades > 0)) return null
  const micro = BigInt(low) + BigInt(high) * BigInt(USD_LIMB)
  const by = BigInt(trades)
  let quotient = micro / by
  const twice = 2n * (micro % by)
  if (twice > by || (twice === by && quotient % 2n === 1n)) quotient++
  return formatUsd(Number(quotient % BigInt(USD_LIMB)), Number(quotient / BigInt(USD_LIMB)))
}

/// Percent by which `close` differs from `open`, in binary64 in this order of operations, to six decimals; NaN
/// where there is no open. Example: 1.00 → 1.05 is 5.
export function priceChangeOf(open: number, close: number): number {
  return Math.round(((close - open) / open) * 100 * 1e6) / 1e6
}

/// USD per token over the window, the binary64 quotient of both texts; NaN where either is 0.
export function vwapOf(volume: string, amount: string): number {
  const usd = Number(volume)
  const tokens = Number(amount)
  return usd === 0 || tokens === 0 ? Number.NaN : usd / tokens
}

/// USD volume as the binary64 near it: for scores, never for money.
function volumeNear(cells: Float64Array, at: number): number {
  const low = cell(cells, at + Field.BUY_USD) + cell(cells, at + Field.SELL_USD)
  const high = cell(cells, at + Field.BUY_USD_HIGH) + cell(cells, at + Field.SELL_USD_HIGH)
  return (high * USD_LIMB + low) / 1e6
}

/// How much a token draws traders right now: traders × log10(1 + volume) × min(10, momentum), where momentum is the
/// volume per second in the window ÷ that in the longest window. 0 without volume. Rounded to six decimals.
///
/// Distinct traders come first, so that one wallet that trades with itself does not trend; the logarithm keeps one
/// large swap from deciding; momentum is 1 for a token that trades as usual.
/// Example: 50 traders and 10,000 USD in m5, 96,000 USD in h24: (10,000 ÷ 300) ÷ (96,000 ÷ 86,400) = 30, so 10;
/// 50 × log10(10,001) × 10 = 2000.021714. NaN where the longest window is not known.
export function trendingOf(cells: Float64Array, { index, lengthMs, reference }: PlacedWindow): number {
  const at = index * FIELDS_PER_WINDOW
  const volume = volumeNear(cells, at)
  const usual = volumeNear(cells, reference.index * FIELDS_PER_WINDOW) / reference.lengthMs
  if (Number.isNaN(usual)) return Number.NaN
  if (!(volume > 0) || !(usual > 0)) return 0
  const momentum = Math.min(MOMENTUM_MAX, volume / lengthMs / usual)
  const score = cell(cells, at + Field.TRADERS) * Math.log10(1 + volume) * momentum
  return Math.round(score * 1e6) / 1e6
}
