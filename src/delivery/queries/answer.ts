/// Answers of the owner of a token's slices as JSON: in the shape and order of kept statistics, with what only an
/// answer has behind them.

import { formatAmount, formatPrice, formatUsd } from '../../core/decimal.js'
import type { ScannedTrader } from '../../core/roller/query/top-traders.js'
import type { ScannedTrade } from '../../core/roller/query/trade-lists.js'
import { versionText } from '../../core/stats.js'
import type { TokenAnswer } from '../../ports/token-queries.js'
import { type FieldName, MEDIAN_FIELD, TOKEN_FIELDS } from '../wire/fields.js'
import { type PlacedWindow, signedUsdText } from '../wire/metrics.js'
import { encodeSelection } from '../wire/stats.js'
import type { SliceTrade, TopTrader } from '../wire/token-answer.js'
import { changesBetween } from './change.js'
import type { StatisticsQuestion } from './question.js'

/// The windows among those asked for that the retention covers.
export function coveredWindows(
  answer: TokenAnswer,
  windows: readonly PlacedWindow[],
): readonly PlacedWindow[] {
  return windows.filter(({ index }) => answer.covered[index] === true)
}

export function encodeAnswer(answer: TokenAnswer, asked: StatisticsQuestion): string {
  const { token } = asked.question
  const { partition, offset, tick, asOf, price, firstSeen, lastSeen, cells } = answer
  const stats = { token, partition, offset, tick, asOf, price, firstSeen, lastSeen, cells }
  const windows = coveredWindows(answer, asked.windows).map(window => withReference(answer, window))
  const medianOf = (window: PlacedWindow) => medianText(answer, asked, window.index)
  let text = encodeSelection(stats, { fields: asked.fields, windows })
  if (asked.median) text = withKey(text, MEDIAN_FIELD, objectText(windows, medianOf))
  if (asked.previous.length === 0) return text

  const compared = asked.fields.filter(name => !NOT_COMPARED.includes(name))
  const before = (window: PlacedWindow) => asked.previous.find(({ name }) => name === window.name)
  const known = windows
    .flatMap(window => before(window) ?? [])
    .filter(({ index }) => answer.covered[index] === true)
  const now = parsed(encodeSelection(stats, { fields: compared, windows }))
  const then = parsed(encodeSelection(stats, { fields: compared, windows: known }))
  if (asked.median) {
    now[MEDIAN_FIELD] = parsed(objectText(windows, medianOf))
    then[MEDIAN_FIELD] = parsed(objectText(known, medianOf))
  }
  const names = windows.map(({ name }) => name)
  const { previous, change } = changesBetween(then, now, names)
  return withKey(withKey(text, 'previous', JSON.stringify(previous)), 'change', JSON.stringify(change))
}

/// What is of the token and not of a window, and what measures a window against another one already.
const NOT_COMPARED: readonly FieldName[] = [...TOKEN_FIELDS, 'trending']

const withKey = (text: string, key: string, value: string): string =>
  `${text.slice(0, -1)},"${key}":${value}}`

function objectText(windows: readonly PlacedWindow[], value: (window: PlacedWindow) => string): string {
  return `{${windows.map(window => window.label + value(window)).join(',')}}`
}

function parsed(text: string): Record<string, unknown> {
  // A selection without fields is empty.
  return JSON.parse(text === '}' ? '{}' : text)
}

/// A trend can be measured only where the longest window is covered.
function withReference({ covered }: TokenAnswer, window: PlacedWindow): PlacedWindow {
  const { reference } = window
  return covered[reference.index] === true ? window : { ...window, reference: { ...reference, index: -1 } }
}

/// The mean of both in the middle, rounded half-even to micro-dollars.
function medianText(answer: TokenAnswer, { question }: StatisticsQuestion, stretch: number): string {
  const middle = answer.medians[question.medians.indexOf(stretch)] ?? null
  if (middle === null) return 'null'
  const twice = BigInt(middle[0]) + BigInt(middle[1])
  const half = twice / 2n
  const rounded = twice % 2n === 1n && half % 2n === 1n ? half + 1n : half
  return `"${formatUsd(Number(rounded % LIMB), Number(rounded / LIMB))}"`
}

const LIMB = 10n ** 12n

/// `token`, `asOf`, `version`, as every answer about a token has them.
export function headOf(token: string, answer: TokenAnswer): { token: string; asOf: number; version: string } {
  return { token, asOf: answer.asOf, version: versionText(answer) }
}

export function sliceTradeJson(trade: ScannedTrade): SliceTrade {
  const { time, who, side, usd, price, block, txIndex, logIndex } = trade
  const given = (place: number) => (place < 0 ? null : place)
  return {
    time,
    who,
    side,
    amount: amountText(trade),
    usd: formatUsd(usd, 0),
    price: Number.isFinite(price) ? formatPrice(price) : null,
    block: given(block),
    txIndex: given(txIndex),
    logIndex: given(logIndex),
  }
}

function amountText({ amountLow, amountMid, amountHigh }: ScannedTrade): string {
  // Limbs of 12, 15 and 9 digits as limbs of 9.
  const second = Math.floor(amountLow / 1e9) + (amountMid % 1e6) * 1000
  return formatAmount(amountLow % 1e9, second, Math.floor(amountMid / 1e6), amountHigh, 0)
}

export function topTraderJson(trader: ScannedTrader): TopTrader {
  const { who, buyUsd, buyUsdHigh, sellUsd, sellUsdHigh, buys, sells, lastSeen } = trader
  return {
    who,
    volume: formatUsd(buyUsd + sellUsd, buyUsdHigh + sellUsdHigh),
    buyVolume: formatUsd(buyUsd, buyUsdHigh),
    sellVolume: formatUsd(sellUsd, sellUsdHigh),
    netVolume: signedUsdText(buyUsd - sellUsd, buyUsdHigh - sellUsdHigh),
    buys,
    sells,
    lastSeen,
  }
}
