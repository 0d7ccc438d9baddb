/// Tokens by a statistic: which ones are the first `limit`, without sorting all of them.
///
/// A heap holds the best `limit` so far, its worst on top; every other token is compared with that one and mostly
/// dropped. Sums are compared as the integers they are, by their limbs: two volumes that differ by a micro-dollar
/// above 2^53 would be equal as binary64.

import { FIELDS_PER_WINDOW, Field, type TokenStats } from '../core/stats.js'
import { parseWindow } from '../core/windows.js'
import { amountText, type PlacedWindow, priceChangeOf, volumeText, vwapOf } from './wire/stats.js'

/// Writes the sort key into `into`, most significant number first. NaN at 0 is an unknown value.
type KeyReader = (stats: TokenStats, into: Float64Array) => void

export interface SortKey {
  /// As it is answered: `volume.h24`.
  readonly name: string
  readonly read: KeyReader
}

const KEY_LENGTH = 5
const USD_LIMB = 1e12
const AMOUNT_LIMB = 1e9

const number = (value: (cells: Float64Array, at: number) => number) => {
  return (cells: Float64Array, at: number, into: Float64Array) => {
    into[0] = value(cells, at)
  }
}
const field = (index: number) => number((cells, at) => cell(cells, at + index))
const usd = (...lows: readonly number[]) => {
  return (cells: Float64Array, at: number, into: Float64Array) => {
    let low = 0
    let high = 0
    for (const index of lows) {
      low += cell(cells, at + index)
      high += cell(cells, at + index + 1)
    }
    const carry = Math.floor(low / USD_LIMB)
    into[0] = high + carry
    into[1] = low - carry * USD_LIMB
  }
}

const METRICS: ReadonlyMap<string, (cells: Float64Array, at: number, into: Float64Array) => void> = new Map([
  ['volume', usd(Field.BUY_USD, Field.SELL_USD)],
  ['buyVolume', usd(Field.BUY_USD)],
  ['sellVolume', usd(Field.SELL_USD)],
  ['amount', readAmount],
  ['txns.buys', field(Field.BUYS)],
  ['txns.sells', field(Field.SELLS)],
  ['txns.total', number((cells, at) => cell(cells, at + Field.BUYS) + cell(cells, at + Field.SELLS))],
  ['txns.buyers', field(Field.BUYERS)],
  ['txns.sellers', field(Field.SELLERS)],
  ['txns.traders', field(Field.TRADERS)],
  [
    'priceChange',
    number((cells, at) => priceChangeOf(cell(cells, at + Field.OPEN), cell(cells, at + Field.CLOSE))),
  ],
  ['open', field(Field.OPEN)],
  ['high', field(Field.HIGH)],
  ['low', field(Field.LOW)],
  ['close', field(Field.CLOSE)],
  ['vwap', number((cells, at) => vwapOf(volumeText(cells, at), amountText(cells, at)))],
  ['largestTrade', field(Field.LARGEST_USD)],
])

const OF_TOKEN: ReadonlyMap<string, KeyReader> = new Map([
  ['priceUsd', (stats: TokenStats, into: Float64Array) => put(into, stats.price)],
  ['firstSeen', (stats: TokenStats, into: Float64Array) => put(into, stats.firstSeen)],
  ['lastSeen', (stats: TokenStats, into: Float64Array) => put(into, stats.lastSeen)],
])

/// Reads `volume.h24`, `txns.5m.buys` (the path of the value in the answer) or `priceUsd`. Returns what was wanted
/// when it is none of them.
export function parseSort(
  text: string,
  windows: readonly PlacedWindow[],
): SortKey | { readonly wanted: string } {
  const ofToken = OF_TOKEN.get(text)
  if (ofToken !== undefined) return { name: text, read: ofToken }
  const [head = '', windowText = '', part] = text.split('.')
  const length = parseWindow(windowText)?.lengthMs
  const window = windows.find(({ lengthMs }) => lengthMs === length)
  const metric = METRICS.get(part === undefined ? head : `${head}.${part}`)
  if (metric === undefined || window === undefined) return { wanted: wanted(windows) }
  const at = window.index * FIELDS_PER_WINDOW
  return {
    name: part === undefined ? `${head}.${window.name}` : `${head}.${window.name}.${part}`,
    read: (stats, into) => metric(stats.cells, at, into),
  }
}

function wanted(windows: readonly PlacedWindow[]): string {
  const metrics = [...METRICS.keys()].map(name => name.replace(/^txns\./, 'txns.WINDOW.'))
  const perWindow = metrics.map(name => (name.includes('WINDOW') ? name : `${name}.WINDOW`))
  const names = windows.map(({ name }) => name).join(', ')
  return `one of ${[...OF_TOKEN.keys(), ...perWindow].join(', ')}, where WINDOW is one of ${names}`
}

export type Order = 'asc' | 'desc'

interface Entry {
  stats: TokenStats
  readonly key: Float64Array
}

/// The first `limit` tokens in the order; unknown values come last in both, equal ones by name (code units).
export function rank(
  tokens: Iterable<TokenStats>,
  sort: SortKey,
  order: Order,
  limit: number,
): readonly TokenStats[] {
  const sign = order === 'asc' ? 1 : -1
  const heap: Entry[] = []
  const key = new Float64Array(KEY_LENGTH)
  for (const stats of tokens) {
    key.fill(0)
    sort.read(stats, key)
    if (heap.length < limit) {
      heap.push({ stats, key: key.slice() })
      siftUp(heap, sign)
      continue
    }
    const worst = heap[0]
    if (worst === undefined || compare(stats, key, worst.stats, worst.key, sign) >= 0) continue
    worst.stats = stats
    worst.key.set(key)
    siftDown(heap, sign)
  }
  heap.sort((a, b) => compareEntries(a, b, sign))
  return heap.map(({ stats }) => stats)
}

function compare(a: TokenStats, aKey: Float64Array, b: TokenStats, bKey: Float64Array, sign: number): number {
  const aUnknown = Number.isNaN(aKey[0])
  const bUnknown = Number.isNaN(bKey[0])
  if (aUnknown !== bUnknown) return aUnknown ? 1 : -1
  if (!aUnknown) {
    for (let i = 0; i < KEY_LENGTH; i++) {
      const x = cell(aKey, i)
      const y = cell(bKey, i)
      if (x !== y) return x < y ? -sign : sign
    }
  }
  return a.token < b.token ? -1 : a.token > b.token ? 1 : 0
}

function compareEntries(a: Entry, b: Entry, sign: number): number {
  return compare(a.stats, a.key, b.stats, b.key, sign)
}

function siftUp(heap: Entry[], sign: number): void {
  let i = heap.length - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (!swapIfWorse(heap, parent, i, sign)) return
    i = parent
  }
}

function siftDown(heap: Entry[], sign: number): void {
  let i = 0
  for (;;) {
    const left = 2 * i + 1
    const right = left + 1
    const a = heap[left]
    const b = heap[right]
    if (a === undefined) return
    const child = b !== undefined && compareEntries(b, a, sign) > 0 ? right : left
    if (!swapIfWorse(heap, i, child, sign)) return
    i = child
  }
}

/// Swaps when the child is worse than its parent: the worst is on top.
function swapIfWorse(heap: Entry[], parent: number, child: number, sign: number): boolean {
  const a = heap[parent]
  const b = heap[child]
  if (a === undefined || b === undefined || compareEntries(b, a, sign) <= 0) return false
  heap[parent] = b
  heap[child] = a
  return true
}

/// Limbs of the amount, most significant first, normalised.
function readAmount(cells: Float64Array, at: number, into: Float64Array): void {
  let carry = 0
  for (let i = 0; i < 4; i++) {
    const limb = cell(cells, at + Field.AMOUNT_0 + i) + carry
    carry = Math.floor(limb / AMOUNT_LIMB)
    into[4 - i] = limb - carry * AMOUNT_LIMB
  }
  into[0] = cell(cells, at + Field.AMOUNT_4) + carry
}

function put(into: Float64Array, value: number): void {
  into[0] = value
}

function cell(cells: Float64Array, at: number): number {
  return cells[at] ?? Number.NaN
}
