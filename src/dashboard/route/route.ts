/// Where the reader is: what the address bar holds after `#`, so that a view can be kept, sent and opened again. Everything about a view
/// is in it but what is the reader's own (pins, theme, key).
///
///   #/                                   the board
///   #/?window=m5&sort=change&order=asc&search=pe&minVolume=10000
///   #/token/BTC?window=h1&interval=5m    a token; its name percent-encoded
///   #/pulse

import type { CandlesAnswer } from '../../delivery/wire/archive.js'

export type Interval = CandlesAnswer['interval']
export const INTERVALS: readonly Interval[] = ['1s', '1m', '5m', '15m', '1h', '4h', '1d']

export const INTERVAL_MS: Readonly<Record<Interval, number>> = {
  '1s': 1000,
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
}

/// The longest candles of which there are still fifteen or more in the time.
export function intervalFor(spanMs: number): Interval {
  const fitting = (['1h', '15m', '5m', '1m'] as const).find(each => spanMs / INTERVAL_MS[each] >= 15)
  return fitting ?? '1s'
}

/// What the board can be sorted by; each is a column, or one of the usual views.
export const SORTS = [
  'token',
  'price',
  'change',
  'volume',
  'swaps',
  'traders',
  'net',
  'largest',
  'average',
  'vwap',
  'high',
  'low',
  'first',
  'last',
  'trending',
] as const
export type Sort = (typeof SORTS)[number]
export type Order = 'desc' | 'asc'

/// Bounds that have fields of their own; numbers as they were typed.
export const BOUNDS = ['minVolume', 'minSwaps', 'minTraders', 'minChange', 'maxChange'] as const
export type Bound = (typeof BOUNDS)[number]

export interface BoardView {
  readonly at: 'board'
  /// Name of a window; null for the usual one.
  readonly window: string | null
  readonly sort: Sort
  readonly order: Order
  /// A part of the token's name.
  readonly search: string
  readonly bounds: Readonly<Partial<Record<Bound, string>>>
  /// A filter of the API, in its own words.
  readonly filter: string
}

export interface TokenView {
  readonly at: 'token'
  readonly token: string
  readonly window: string | null
  /// null for one that suits what there is.
  readonly interval: Interval | null
}

export interface PulseView {
  readonly at: 'pulse'
}

export type View = BoardView | TokenView | PulseView

export const BOARD: BoardView = {
  at: 'board',
  window: null,
  sort: 'volume',
  order: 'desc',
  search: '',
  bounds: {},
  filter: '',
}

/// The order in which a sort is shown first: names from A, the rest from the greatest.
export const usualOrder = (sort: Sort): Order => (sort === 'token' ? 'asc' : 'desc')

/// The view of a hash; the board where it is none of ours.
export function viewOf(hash: string): View {
  const [path = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s, 2)
  const params = new URLSearchParams(query)
  const window = windowOf(params.get('window'))
  if (path === '/pulse') return { at: 'pulse' }
  if (path.startsWith('/token/')) {
    const token = decoded(path.slice('/token/'.length))
    const interval = INTERVALS.find(each => each === params.get('interval')) ?? null
    if (token !== null && token !== '') return { at: 'token', token, window, interval }
  }
  const sort = SORTS.find(each => each === params.get('sort')) ?? BOARD.sort
  const order = params.get('order')
  const bounds: Partial<Record<Bound, string>> = {}
  for (const bound of BOUNDS) {
    const text = params.get(bound)
    if (text !== null && isDecimal(text)) bounds[bound] = text
  }
  return {
    at: 'board',
    window,
    sort,
    order: order === 'asc' || order === 'desc' ? order : usualOrder(sort),
    search: (params.get('search') ?? '').slice(0, 128),
    bounds,
    filter: params.get('filter') ?? '',
  }
}

export function hashOf(view: View): string {
  switch (view.at) {
    case 'pulse':
      return '#/pulse'
    case 'token': {
      const path = `#/token/${encodeURIComponent(view.token)}`
      return withQuery(path, { window: view.window, interval: view.interval })
    }
    case 'board': {
      const { window, sort, order, search, bounds, filter } = view
      return withQuery('#/', {
        window,
        sort: sort === BOARD.sort ? null : sort,
        order: order === usualOrder(sort) ? null : order,
        search,
        ...bounds,
        filter,
      })
    }
    default:
      return view satisfies never
  }
}

/// The filter of the API that the board's view comes to; null for every token. `window` is the one shown.
export function filterOf({ search, bounds, filter, sort }: BoardView, window: string): string | null {
  const parts: string[] = []
  if (search.trim() !== '') parts.push(`token~"${search.trim().replaceAll(/["\\]/g, '\\$&')}"`)
  const compare = (path: string, operator: string, value: string | undefined) => {
    if (value !== undefined) parts.push(`${path}${operator}${value}`)
  }
  compare(`volume.${window}`, '>=', bounds.minVolume)
  compare(`txns.${window}.total`, '>=', bounds.minSwaps)
  compare(`txns.${window}.traders`, '>=', bounds.minTraders)
  compare(`priceChange.${window}`, '>=', bounds.minChange)
  compare(`priceChange.${window}`, '<=', bounds.maxChange)
  if (sort === 'trending') parts.push(`trending.${window}>0`)
  if (filter.trim() !== '') parts.push(parts.length > 0 ? `(${filter.trim()})` : filter.trim())
  return parts.length === 0 ? null : parts.join(' and ')
}

export const isDecimal = (text: string): boolean => /^-?\d{1,15}(\.\d{1,6})?$/.test(text)

const windowOf = (text: string | null): string | null =>
  text !== null && /^(ms|s|m|h|d)\d{1,9}$/.test(text) ? text : null

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function withQuery(path: string, values: Readonly<Record<string, string | null | undefined>>): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, value)
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}
