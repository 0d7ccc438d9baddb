/// Token statistics as JSON text: docs/wire.md shows it, docs/statistics.md defines each value.
///
/// The text is built by hand, in a fixed order of keys, because two replicas must agree on it byte by byte and
/// because this is the hot path of delivery: one update of a token is encoded once, by the first reader that wants
/// it, and shared by all others. What nobody reads is never encoded.

import { formatAmount, formatPrice, formatUsd } from '../../core/decimal.js'
import { FIELDS_PER_WINDOW, Field, type TokenStats, versionText } from '../../core/stats.js'
import type { Window } from '../../core/windows.js'

/// A value per window, keyed by window name (`m5`, `h24`), shortest window first. No window is ever missing.
export type PerWindow<T> = Readonly<Record<string, T>>

export interface TxnsJson {
  readonly buys: number
  readonly sells: number
  readonly total: number
  readonly buyers: number
  readonly sellers: number
  readonly traders: number
}

/// USD values, prices and amounts are decimal strings in plain notation; unknown values are null.
export interface TokenStatsJson {
  readonly token: string
  readonly priceUsd: string | null
  /// Epoch milliseconds.
  readonly asOf: number
  /// `partition:offset:tick`.
  readonly version: string
  readonly firstSeen: number
  readonly lastSeen: number
  readonly volume: PerWindow<string>
  readonly buyVolume: PerWindow<string>
  readonly sellVolume: PerWindow<string>
  readonly amount: PerWindow<string>
  readonly txns: PerWindow<TxnsJson>
  /// Percent.
  readonly priceChange: PerWindow<number | null>
  readonly open: PerWindow<string | null>
  readonly high: PerWindow<string | null>
  readonly low: PerWindow<string | null>
  readonly close: PerWindow<string | null>
  readonly vwap: PerWindow<string | null>
  readonly largestTrade: PerWindow<string | null>
}

/// A window and its place in `TokenStats.cells`.
export interface PlacedWindow extends Window {
  readonly index: number
}

export function placeWindows(windows: readonly Window[]): PlacedWindow[] {
  return windows.map((window, index) => ({ ...window, index }))
}

export interface StatsEncoder {
  readonly windows: readonly PlacedWindow[]
  /// The statistics with every window. Encoded once per TokenStats object.
  encode(stats: TokenStats): string
}

export function statsEncoder(windows: readonly Window[]): StatsEncoder {
  const placed = placeWindows(windows)
  const texts = new WeakMap<TokenStats, string>()
  return {
    windows: placed,
    encode(stats) {
      const known = texts.get(stats)
      if (known !== undefined) return known
      const text = encodeStats(stats, placed)
      texts.set(stats, text)
      return text
    },
  }
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

/// The statistics with the given windows only, in the given order.
export function encodeStats(stats: TokenStats, windows: readonly PlacedWindow[]): string {
  const { cells } = stats
  const opens = new PriceText()
  const highs = new PriceText()
  const lows = new PriceText()
  const closes = new PriceText()
  const vwaps = new PriceText()
  let volume = ''
  let buyVolume = ''
  let sellVolume = ''
  let amount = ''
  let txns = ''
  let priceChange = ''
  let open = ''
  let high = ''
  let low = ''
  let close = ''
  let vwap = ''
  let largest = ''
  let separator = ''
  for (const { name, index } of windows) {
    const at = index * FIELDS_PER_WINDOW
    const key = `${separator}"${name}":`
    separator = ','
    const windowVolume = volumeText(cells, at)
    const windowAmount = amountText(cells, at)
    const windowOpen = cell(cells, at + Field.OPEN)
    const windowClose = cell(cells, at + Field.CLOSE)
    const largestUsd = cell(cells, at + Field.LARGEST_USD)
    volume += `${key}"${windowVolume}"`
    buyVolume += `${key}"${formatUsd(cell(cells, at + Field.BUY_USD), cell(cells, at + Field.BUY_USD_HIGH))}"`
    sellVolume += `${key}"${formatUsd(cell(cells, at + Field.SELL_USD), cell(cells, at + Field.SELL_USD_HIGH))}"`
    amount += `${key}"${windowAmount}"`
    txns += key + txnsText(cells, at)
    priceChange += key + numberText(priceChangeOf(windowOpen, windowClose))
    open += key + opens.of(windowOpen)
    high += key + highs.of(cell(cells, at + Field.HIGH))
    low += key + lows.of(cell(cells, at + Field.LOW))
    close += key + closes.of(windowClose)
    vwap += key + vwaps.of(vwapOf(windowVolume, windowAmount))
    largest += key + (Number.isNaN(largestUsd) ? 'null' : `"${formatUsd(largestUsd, 0)}"`)
  }
  return (
    `{"token":${JSON.stringify(stats.token)},"priceUsd":${closes.of(stats.price)},"asOf":${stats.asOf}` +
    `,"version":"${versionText(stats)}","firstSeen":${stats.firstSeen},"lastSeen":${stats.lastSeen}` +
    `,"volume":{${volume}},"buyVolume":{${buyVolume}},"sellVolume":{${sellVolume}},"amount":{${amount}}` +
    `,"txns":{${txns}},"priceChange":{${priceChange}},"open":{${open}},"high":{${high}},"low":{${low}}` +
    `,"close":{${close}},"vwap":{${vwap}},"largestTrade":{${largest}}}`
  )
}

function txnsText(cells: Float64Array, at: number): string {
  const buys = cell(cells, at + Field.BUYS)
  const sells = cell(cells, at + Field.SELLS)
  return (
    `{"buys":${buys},"sells":${sells},"total":${buys + sells},"buyers":${cell(cells, at + Field.BUYERS)}` +
    `,"sellers":${cell(cells, at + Field.SELLERS)},"traders":${cell(cells, at + Field.TRADERS)}}`
  )
}

function numberText(x: number): string {
  // Adding 0 turns -0 into 0. A change beyond binary64 (an open near 5e-324) is not a JSON number.
  return Number.isFinite(x) ? String(x + 0) : 'null'
}

/// Formats one statistic's prices, remembering the last: neighbouring windows share most of theirs.
class PriceText {
  #price = Number.NaN
  #text = 'null'

  of(price: number): string {
    if (price === this.#price) return this.#text
    if (!Number.isFinite(price)) return 'null'
    this.#price = price
    this.#text = `"${formatPrice(price)}"`
    return this.#text
  }
}

function cell(cells: Float64Array, at: number): number {
  return cells[at] ?? Number.NaN
}
