/// What tokens are sorted and filtered by: the path of a number in the statistics, such as `volume.h24`; or sorted by, `token`.
///
/// A value becomes a key of a few numbers, most significant first. Sums are compared as the integers they are, by
/// their limbs: two volumes that differ by a micro-dollar above 2^53 would be equal as binary64.

import { FIELDS_PER_WINDOW, Field, type TokenStats } from '../../core/stats.js'
import { parseWindow } from '../../core/windows.js'
import {
  amountText,
  cell,
  type PlacedWindow,
  priceChangeOf,
  tradesOf,
  trendingOf,
  volumeText,
  vwapOf,
} from '../wire/metrics.js'

/// Most significant first; a shorter one goes on with zeros. NaN at 0 is an unknown value.
export type Key = readonly number[]

export interface SortKey {
  /// As it is answered: `volume.h24`.
  readonly name: string
  readonly keyOf: (stats: TokenStats) => Key
  /// A binary64 near the value: two that differ clearly (`clearly`) are in the order of the keys. Costs no object.
  readonly near: (stats: TokenStats) => number
  /// The key of a decimal that values are compared with; null when no value can be written so.
  readonly literal: (decimal: string) => Key | null
}

export type Order = 'asc' | 'desc'

const USD_LIMB = 1e12
const AMOUNT_LIMB = 1e9

/// A decimal in plain notation.
const DECIMAL = /^-?\d{1,40}(?:\.\d{1,40})?$/

interface Kind {
  readonly near: (cells: Float64Array, at: number, window: PlacedWindow) => number
  readonly keyOf: (cells: Float64Array, at: number, window: PlacedWindow) => Key
  readonly literal: SortKey['literal']
}

const number = (value: (cells: Float64Array, at: number, window: PlacedWindow) => number): Kind => ({
  near: value,
  keyOf: (cells, at, window) => [value(cells, at, window)],
  literal: binary64,
})
const field = (index: number) => number((cells, at) => cell(cells, at + index))
/// Sums of micro-dollars whose low limbs are at the given places, minus those at `less`.
const usd = (more: readonly number[], less: readonly number[] = []): Kind => ({
  near(cells, at) {
    let low = 0
    let high = 0
    for (const index of more) {
      low += cell(cells, at + index)
      high += cell(cells, at + index + 1)
    }
    for (const index of less) {
      low -= cell(cells, at + index)
      high -= cell(cells, at + index + 1)
    }
    // Limbs are subtracted before they are put together, so that large sums do not swallow small differences.
    return high * USD_LIMB + low
  },
  keyOf(cells, at) {
    let low = 0
    let high = 0
    for (const index of more) {
      low += cell(cells, at + index)
      high += cell(cells, at + index + 1)
    }
    for (const index of less) {
      low -= cell(cells, at + index)
      high -= cell(cells, at + index + 1)
    }
    const carry = Math.floor(low / USD_LIMB)
    return [high + carry, low - carry * USD_LIMB]
  },
  literal: text => limbs(text, 6, USD_LIMB, 2),
})

/// NaN is unknown, and below every other value it must not be.
const average = (cells: Float64Array, at: number): number => {
  const trades = tradesOf(cells, at)
  const low = cell(cells, at + Field.BUY_USD) + cell(cells, at + Field.SELL_USD)
  const high = cell(cells, at + Field.BUY_USD_HIGH) + cell(cells, at + Field.SELL_USD_HIGH)
  return trades > 0 ? (high * USD_LIMB + low) / trades / 1e6 : Number.NaN
}

const METRICS: ReadonlyMap<string, Kind> = new Map([
  ['volume', usd([Field.BUY_USD, Field.SELL_USD])],
  ['buyVolume', usd([Field.BUY_USD])],
  ['sellVolume', usd([Field.SELL_USD])],
  ['netVolume', usd([Field.BUY_USD], [Field.SELL_USD])],
  [
    'amount',
    { near: amountNear, keyOf: amountKey, literal: (text: string) => limbs(text, 18, AMOUNT_LIMB, 5) },
  ],
  ['txns.buys', field(Field.BUYS)],
  ['txns.sells', field(Field.SELLS)],
  ['txns.total', number(tradesOf)],
  ['txns.buyers', field(Field.BUYERS)],
  ['txns.sellers', field(Field.SELLERS)],
  ['txns.traders', field(Field.TRADERS)],
  ['netBuyers', number((cells, at) => cell(cells, at + Field.BUYERS) - cell(cells, at + Field.SELLERS))],
  [
    'priceChange',
    number((cells, at) => priceChangeOf(cell(cells, at + Field.OPEN), cell(cells, at + Field.CLOSE))),
  ],
  ['open', field(Field.OPEN)],
  ['high', field(Field.HIGH)],
  ['low', field(Field.LOW)],
  ['close', field(Field.CLOSE)],
  ['vwap', number((cells, at) => vwapOf(volumeText(cells, at), amountText(cells, at)))],
  ['largestTrade', number((cells, at) => cell(cells, at + Field.LARGEST_USD) / 1e6)],
  ['averageTrade', number(average)],
  ['trending', number((cells, _at, window) => trendingOf(cells, window))],
])

const OF_TOKEN: ReadonlyMap<string, (stats: TokenStats) => number> = new Map([
  ['priceUsd', (stats: TokenStats): number => stats.price],
  ['firstSeen', (stats: TokenStats): number => stats.firstSeen],
  ['lastSeen', (stats: TokenStats): number => stats.lastSeen],
])

/// Names in the order of their code units, three to a number of 48 bits.
const BY_NAME: SortKey = {
  name: 'token',
  near: ({ token }) => codeUnits(token, 0),
  keyOf({ token }) {
    const key: number[] = []
    for (let at = 0; at < token.length; at += 3) key.push(codeUnits(token, at))
    return key
  },
  literal: () => null,
}

function codeUnits(text: string, at: number): number {
  let number = 0
  for (let i = at; i < at + 3; i++) number = number * 65_536 + (i < text.length ? text.charCodeAt(i) : 0)
  return number
}

/// Reads `volume.h24`, `txns.5m.buys` (the path of the value in the answer), `priceUsd` or `token`. Returns what was wanted
/// when it is none of them.
export function parseSort(
  text: string,
  windows: readonly PlacedWindow[],
): SortKey | { readonly wanted: string } {
  if (text === BY_NAME.name) return BY_NAME
  const ofToken = OF_TOKEN.get(text)
  if (ofToken !== undefined) {
    return { name: text, near: ofToken, keyOf: stats => [ofToken(stats)], literal: binary64 }
  }
  const [head = '', windowText = '', part] = text.split('.')
  const length = parseWindow(windowText)?.lengthMs
  const window = windows.find(({ lengthMs }) => lengthMs === length)
  const metric = METRICS.get(part === undefined ? head : `${head}.${part}`)
  if (metric === undefined || window === undefined || text.split('.').length > 3) {
    return { wanted: wanted(windows) }
  }
  const at = window.index * FIELDS_PER_WINDOW
  return {
    name: part === undefined ? `${head}.${window.name}` : `${head}.${window.name}.${part}`,
    near: stats => metric.near(stats.cells, at, window),
    keyOf: stats => metric.keyOf(stats.cells, at, window),
    literal: metric.literal,
  }
}

function wanted(windows: readonly PlacedWindow[]): string {
  const metrics = [...METRICS.keys()].map(name => name.replace(/^txns\./, 'txns.WINDOW.'))
  const perWindow = metrics.map(name => (name.includes('WINDOW') ? name : `${name}.WINDOW`))
  const names = windows.map(({ name }) => name).join(', ')
  return `one of ${[...OF_TOKEN.keys(), BY_NAME.name, ...perWindow].join(', ')}, where WINDOW is one of ${names}`
}

/// Negative when a comes before b: by key in the given order, unknown values last in both, equal ones by name (code
/// units).
export function compareKeys(a: Key, aToken: string, b: Key, bToken: string, order: Order): number {
  const aUnknown = Number.isNaN(a[0])
  const bUnknown = Number.isNaN(b[0])
  if (aUnknown !== bUnknown) return aUnknown ? 1 : -1
  const difference = aUnknown ? 0 : compareValues(a, b)
  if (difference !== 0) return order === 'asc' ? difference : -difference
  return aToken < bToken ? -1 : aToken > bToken ? 1 : 0
}

/// Negative when the value a is less than b. Both are known.
export function compareValues(a: Key, b: Key): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const x = a[i] ?? 0
    const y = b[i] ?? 0
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}

/// The `near` of a key.
export function nearOf(key: Key): number {
  const base = key.length === 2 ? USD_LIMB : AMOUNT_LIMB
  return key.reduce((sum, limb) => sum * base + limb, 0)
}

/// Whether two values that are near those of keys differ so much that the keys must be in their order. The sums of
/// differences of limbs lose less than that; what is closer is decided by the keys.
export function clearly(a: number, b: number): boolean {
  return Math.abs(a - b) > 1e-9 * (Math.abs(a) + Math.abs(b))
}

function amountNear(cells: Float64Array, at: number): number {
  let sum = 0
  for (let i = 4; i >= 0; i--) sum = sum * AMOUNT_LIMB + cell(cells, at + Field.AMOUNT_0 + i)
  return sum
}

/// Limbs of the amount, most significant first, normalised.
function amountKey(cells: Float64Array, at: number): Key {
  const key = [0, 0, 0, 0, 0]
  let carry = 0
  for (let i = 0; i < 4; i++) {
    const limb = cell(cells, at + Field.AMOUNT_0 + i) + carry
    carry = Math.floor(limb / AMOUNT_LIMB)
    key[4 - i] = limb - carry * AMOUNT_LIMB
  }
  key[0] = cell(cells, at + Field.AMOUNT_4) + carry
  return key
}

function binary64(text: string): Key | null {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? [value] : null
}

/// The decimal as an integer of 10^-decimals in `length` limbs, most significant first; null with more decimals.
function limbs(text: string, decimals: number, base: number, length: number): Key | null {
  if (!DECIMAL.test(text)) return null
  const [whole = '0', fraction = ''] = text.split('.')
  const kept = fraction.replace(/0+$/, '')
  if (kept.length > decimals) return null
  let rest = BigInt(whole + kept.padEnd(decimals, '0'))
  const by = BigInt(base)
  const key: number[] = []
  for (let i = 1; i < length; i++) {
    // As Math.floor: limbs below the first are never negative.
    const digit = ((rest % by) + by) % by
    key.unshift(Number(digit))
    rest = (rest - digit) / by
  }
  key.unshift(Number(rest))
  return key
}
