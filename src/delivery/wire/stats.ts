/// Token statistics as JSON text: docs/wire.md shows it, docs/statistics.md defines each value.
///
/// The text is built by hand, in a fixed order of keys, because two replicas must agree on it byte by byte and
/// because this is the hot path of delivery: one update of a token is encoded once, by the first reader that wants
/// it, and shared by all others. What nobody reads is never encoded. Tests hold it against the schema
/// (token-statistics.ts).

import { formatPrice, formatUsd } from '../../core/decimal.js'
import { FIELDS_PER_WINDOW, Field, type TokenStats, versionText } from '../../core/stats.js'
import { DEFAULT_FIELDS, type FieldName, type TokenField, type WindowField } from './fields.js'
import {
  amountText,
  averageText,
  cell,
  netVolumeText,
  type PlacedWindow,
  priceChangeOf,
  tradesOf,
  trendingOf,
  volumeText,
  vwapOf,
} from './metrics.js'

/// Which part of a token's statistics is wanted.
export interface Selection {
  /// In the order of the answer.
  readonly fields: readonly FieldName[]
  readonly windows: readonly PlacedWindow[]
}

/// The statistics with the given windows, in the given order, and the fields that come unasked.
export function encodeStats(stats: TokenStats, windows: readonly PlacedWindow[]): string {
  return encodeSelection(stats, { fields: DEFAULT_FIELDS, windows })
}

export function encodeSelection(stats: TokenStats, { fields, windows }: Selection): string {
  const values = new WindowValues(stats.cells)
  let text = ''
  for (const field of fields) {
    text += text === '' ? `{"${field}":` : `,"${field}":`
    if (!isWindowField(field)) {
      text += tokenValue(stats, field)
      continue
    }
    const { text: valueText } = WINDOW_VALUES[field]
    let separator = '{'
    for (const window of windows) {
      text += separator + window.label + valueText(values, window)
      separator = ','
    }
    text += separator === '{' ? '{}' : '}'
  }
  return `${text}}`
}

/// What of the selection differs between two statistics of a token: `token`, `asOf` and `version` always, the other
/// values only where they have changed. Merged into the text of `before`, key by key and window by window, it gives
/// that of `after`.
export function encodeChanges(before: TokenStats, after: TokenStats, { fields, windows }: Selection): string {
  const values = new WindowValues(after.cells)
  let text = ''
  for (const field of fields) {
    if (!isWindowField(field)) {
      if (!tokenValueChanged(before, after, field)) continue
      text += `${text === '' ? '{' : ','}"${field}":${tokenValue(after, field)}`
      continue
    }
    const { reads, text: valueText } = WINDOW_VALUES[field]
    let changed = ''
    for (const window of windows) {
      if (!windowChanged(before.cells, after.cells, window, reads)) continue
      changed += (changed === '' ? '' : ',') + window.label + valueText(values, window)
    }
    if (changed !== '') text += `,"${field}":{${changed}}`
  }
  return `${text}}`
}

function tokenValue(stats: TokenStats, field: TokenField): string {
  switch (field) {
    case 'token':
      return JSON.stringify(stats.token)
    case 'priceUsd':
      return Number.isFinite(stats.price) ? `"${formatPrice(stats.price)}"` : 'null'
    case 'version':
      return `"${versionText(stats)}"`
    case 'asOf':
    case 'firstSeen':
    case 'lastSeen':
      return String(stats[field])
    default:
      return field satisfies never
  }
}

function tokenValueChanged(before: TokenStats, after: TokenStats, field: TokenField): boolean {
  switch (field) {
    case 'priceUsd':
      return !Object.is(before.price, after.price)
    case 'firstSeen':
    case 'lastSeen':
      return before[field] !== after[field]
    default:
      return true
  }
}

/// Texts of one token's windows. What several fields need is made once.
class WindowValues {
  readonly cells: Float64Array
  readonly prices = new PriceText()
  readonly #volumes: string[] = []
  readonly #amounts: string[] = []

  constructor(cells: Float64Array) {
    this.cells = cells
  }

  volume(index: number): string {
    let text = this.#volumes[index]
    if (text === undefined) {
      text = volumeText(this.cells, index * FIELDS_PER_WINDOW)
      this.#volumes[index] = text
    }
    return text
  }

  amount(index: number): string {
    let text = this.#amounts[index]
    if (text === undefined) {
      text = amountText(this.cells, index * FIELDS_PER_WINDOW)
      this.#amounts[index] = text
    }
    return text
  }

  at(window: PlacedWindow, field: number): number {
    return cell(this.cells, window.index * FIELDS_PER_WINDOW + field)
  }
}

interface WindowValue {
  /// The cells that it is made from; `reference` says that those of the longest window count too.
  readonly reads: { readonly cells: readonly number[]; readonly reference: boolean }
  readonly text: (values: WindowValues, window: PlacedWindow) => string
}

const { BUY_USD, BUY_USD_HIGH, SELL_USD, SELL_USD_HIGH, BUYS, SELLS, BUYERS, SELLERS, TRADERS } = Field
const { OPEN, HIGH, LOW, CLOSE, LARGEST_USD } = Field
const USD = [BUY_USD, BUY_USD_HIGH, SELL_USD, SELL_USD_HIGH]
const AMOUNT = [Field.AMOUNT_0, Field.AMOUNT_1, Field.AMOUNT_2, Field.AMOUNT_3, Field.AMOUNT_4]

const value = (cells: readonly number[], text: WindowValue['text'], reference = false): WindowValue => ({
  reads: { cells, reference },
  text,
})

const price = (field: number) =>
  value([field], (values, window) => values.prices.of(values.at(window, field)))

const WINDOW_VALUES: Readonly<Record<WindowField, WindowValue>> = {
  volume: value(USD, (values, { index }) => `"${values.volume(index)}"`),
  buyVolume: value([BUY_USD, BUY_USD_HIGH], (values, window) => usdText(values, window, BUY_USD)),
  sellVolume: value([SELL_USD, SELL_USD_HIGH], (values, window) => usdText(values, window, SELL_USD)),
  amount: value(AMOUNT, (values, { index }) => `"${values.amount(index)}"`),
  txns: value([BUYS, SELLS, BUYERS, SELLERS, TRADERS], ({ cells }, { index }) =>
    txnsText(cells, index * FIELDS_PER_WINDOW),
  ),
  priceChange: value([OPEN, CLOSE], (values, window) =>
    numberText(priceChangeOf(values.at(window, OPEN), values.at(window, CLOSE))),
  ),
  open: price(OPEN),
  high: price(HIGH),
  low: price(LOW),
  close: price(CLOSE),
  vwap: value([...USD, ...AMOUNT], (values, { index }) =>
    values.prices.of(vwapOf(values.volume(index), values.amount(index))),
  ),
  largestTrade: value([LARGEST_USD], (values, window) => {
    const usd = values.at(window, LARGEST_USD)
    return Number.isNaN(usd) ? 'null' : `"${formatUsd(usd, 0)}"`
  }),
  netVolume: value(USD, ({ cells }, { index }) => `"${netVolumeText(cells, index * FIELDS_PER_WINDOW)}"`),
  netBuyers: value([BUYERS, SELLERS], (values, window) =>
    String(values.at(window, BUYERS) - values.at(window, SELLERS)),
  ),
  averageTrade: value([...USD, BUYS, SELLS], (values, window) => {
    const text = averageText(
      values.at(window, BUY_USD) + values.at(window, SELL_USD),
      values.at(window, BUY_USD_HIGH) + values.at(window, SELL_USD_HIGH),
      tradesOf(values.cells, window.index * FIELDS_PER_WINDOW),
    )
    return text === null ? 'null' : `"${text}"`
  }),
  trending: value([...USD, TRADERS], ({ cells }, window) => numberText(trendingOf(cells, window)), true),
}

function isWindowField(field: FieldName): field is WindowField {
  return Object.hasOwn(WINDOW_VALUES, field)
}

function windowChanged(
  before: Float64Array,
  after: Float64Array,
  { index, reference }: PlacedWindow,
  reads: WindowValue['reads'],
): boolean {
  return (
    cellsDiffer(before, after, index, reads.cells) ||
    (reads.reference && cellsDiffer(before, after, reference.index, reads.cells))
  )
}

function cellsDiffer(
  before: Float64Array,
  after: Float64Array,
  index: number,
  fields: readonly number[],
): boolean {
  for (const field of fields) {
    const at = index * FIELDS_PER_WINDOW + field
    if (!Object.is(before[at], after[at])) return true
  }
  return false
}

function usdText(values: WindowValues, window: PlacedWindow, low: number): string {
  return `"${formatUsd(values.at(window, low), values.at(window, low + 1))}"`
}

function txnsText(cells: Float64Array, at: number): string {
  return (
    `{"buys":${cell(cells, at + BUYS)},"sells":${cell(cells, at + SELLS)},"total":${tradesOf(cells, at)}` +
    `,"buyers":${cell(cells, at + BUYERS)},"sellers":${cell(cells, at + SELLERS)}` +
    `,"traders":${cell(cells, at + TRADERS)}}`
  )
}

function numberText(x: number): string {
  // Adding 0 turns -0 into 0. A change beyond binary64 (an open near 5e-324) is not a JSON number.
  return Number.isFinite(x) ? String(x + 0) : 'null'
}

/// Formats prices, remembering the last: neighbouring windows share most of theirs.
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
