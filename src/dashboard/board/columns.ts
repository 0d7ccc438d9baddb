/// The columns of the board: what each shows of a token, how it is sorted by the server, and how wide a board must be to have it.

import type { FieldName } from '../../delivery/wire/fields.js'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { age, type CellText, changeCell, dollars, netDollars, number, perToken } from '../numbers/cells.js'
import type { Sort } from '../route/route.js'

export interface Column {
  readonly sort: Sort
  readonly label: string
  /// In full, for the menu of sorts and for hovering.
  readonly about: string
  /// Statistics that it needs.
  readonly fields: readonly FieldName[]
  /// The path that the API sorts by.
  readonly path: (window: string) => string
  /// From which width of the board on, in px.
  readonly from: number
  /// Share of the width.
  readonly grow: string
  readonly kind: 'name' | 'price' | 'split' | 'line' | 'number'
  readonly cell: (stats: TokenStatistics, window: string, now: number) => CellText
}

export const COLUMNS: readonly Column[] = [
  {
    sort: 'token',
    label: 'Token',
    about: 'Name',
    fields: [],
    path: () => 'token',
    from: 0,
    grow: 'minmax(7rem, 1.6fr)',
    kind: 'name',
    cell: ({ token }) => ({ text: token, exact: token }),
  },
  {
    sort: 'price',
    label: 'Price $',
    about: 'Price of the last swap',
    fields: ['priceUsd'],
    path: () => 'priceUsd',
    from: 0,
    grow: 'minmax(5.5rem, 1fr)',
    kind: 'price',
    cell: ({ priceUsd }) => perToken(priceUsd),
  },
  {
    sort: 'change',
    label: 'Change',
    about: 'Change of the price within the window',
    fields: ['priceChange'],
    path: window => `priceChange.${window}`,
    from: 0,
    grow: 'minmax(5rem, 0.8fr)',
    kind: 'number',
    cell: ({ priceChange }, window) => changeCell(priceChange?.[window]),
  },
  {
    sort: 'volume',
    label: 'Volume',
    about: 'Volume: dollars of buys and sells',
    fields: ['volume'],
    path: window => `volume.${window}`,
    from: 0,
    grow: 'minmax(5rem, 0.9fr)',
    kind: 'number',
    cell: ({ volume }, window) => dollars(volume?.[window]),
  },
  {
    sort: 'swaps',
    label: 'Buys / sells',
    about: 'Swaps; the bar parts them into buys and sells',
    fields: ['txns'],
    path: window => `txns.${window}.total`,
    from: 560,
    grow: 'minmax(8rem, 1.5fr)',
    kind: 'split',
    cell: ({ txns }, window) => number(txns?.[window]?.total, 'swaps'),
  },
  {
    sort: 'traders',
    label: 'Traders',
    about: 'Distinct traders',
    fields: ['txns'],
    path: window => `txns.${window}.traders`,
    from: 760,
    grow: 'minmax(4.5rem, 0.7fr)',
    kind: 'number',
    cell: ({ txns }, window) => number(txns?.[window]?.traders, 'traders'),
  },
  {
    sort: 'net',
    label: 'Net volume',
    about: 'Buys minus sells, in dollars',
    fields: ['netVolume'],
    path: window => `netVolume.${window}`,
    from: 1060,
    grow: 'minmax(5.5rem, 0.9fr)',
    kind: 'number',
    cell: ({ netVolume }, window) => netDollars(netVolume?.[window]),
  },
  {
    sort: 'largest',
    label: 'Largest',
    about: 'Dollars of the largest swap',
    fields: ['largestTrade'],
    path: window => `largestTrade.${window}`,
    from: 1260,
    grow: 'minmax(5rem, 0.8fr)',
    kind: 'number',
    cell: ({ largestTrade }, window) => dollars(largestTrade?.[window]),
  },
  {
    sort: 'average',
    label: 'Average',
    about: 'Dollars of the average swap',
    fields: ['averageTrade'],
    path: window => `averageTrade.${window}`,
    from: 1720,
    grow: 'minmax(5rem, 0.8fr)',
    kind: 'number',
    cell: ({ averageTrade }, window) => dollars(averageTrade?.[window]),
  },
  {
    sort: 'vwap',
    label: 'VWAP $',
    about: 'Average price, weighted by volume',
    fields: ['vwap'],
    path: window => `vwap.${window}`,
    from: 1560,
    grow: 'minmax(5.5rem, 0.9fr)',
    kind: 'number',
    cell: ({ vwap }, window) => perToken(vwap?.[window]),
  },
  {
    sort: 'high',
    label: 'High $',
    about: 'Greatest price',
    fields: ['high'],
    path: window => `high.${window}`,
    from: 1900,
    grow: 'minmax(5.5rem, 0.9fr)',
    kind: 'number',
    cell: ({ high }, window) => perToken(high?.[window]),
  },
  {
    sort: 'low',
    label: 'Low $',
    about: 'Least price',
    fields: ['low'],
    path: window => `low.${window}`,
    from: 1900,
    grow: 'minmax(5.5rem, 0.9fr)',
    kind: 'number',
    cell: ({ low }, window) => perToken(low?.[window]),
  },
  {
    sort: 'first',
    label: 'Seen for',
    about: 'Since its first swap of the last 24 hours',
    fields: ['firstSeen'],
    path: () => 'firstSeen',
    from: 1400,
    grow: 'minmax(4.5rem, 0.6fr)',
    kind: 'number',
    cell: ({ firstSeen }, _window, now) => age(firstSeen, now),
  },
  {
    sort: 'last',
    label: 'Last swap',
    about: 'Since its last swap',
    fields: ['lastSeen'],
    path: () => 'lastSeen',
    from: 2100,
    grow: 'minmax(4.5rem, 0.6fr)',
    kind: 'number',
    cell: ({ lastSeen }, _window, now) => age(lastSeen, now),
  },
]

/// Sorts without a column of their own.
const PATHS: Readonly<Partial<Record<Sort, (window: string) => string>>> = {
  trending: window => `trending.${window}`,
}

/// Below this width a row has two lines.
export const NARROW = 560

/// Whether a row has a line of the price: not where its columns leave no room.
export const hasLine = (width: number): boolean => width >= 660 || width < NARROW

/// What a row is parted into, as CSS has it: pin, rank, columns, line.
export function gridTemplate(columns: readonly Column[], width: number): string {
  const line = hasLine(width) ? ['minmax(5rem, 1.2fr)'] : []
  return ['24px', '2.6rem', ...columns.map(({ grow }) => grow), ...line].join(' ')
}

export const columnsFor = (width: number): readonly Column[] => COLUMNS.filter(({ from }) => width >= from)

export function sortPath(sort: Sort, window: string): string {
  const path = COLUMNS.find(column => column.sort === sort)?.path ?? PATHS[sort]
  return path?.(window) ?? `volume.${window}`
}

/// What the columns need of each token; `firstSeen` says how long the line of its price can be.
export function fieldsFor(columns: readonly Column[]): readonly FieldName[] {
  return [...new Set<FieldName>(['priceUsd', 'firstSeen', ...columns.flatMap(({ fields }) => fields)])].sort()
}
