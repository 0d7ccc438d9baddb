/// The statistics by name: which there are, which come without being asked for, and in which order they stand.

/// Of a token as a whole. `token`, `asOf` and `version` are in every answer.
export const TOKEN_FIELDS = ['token', 'priceUsd', 'asOf', 'version', 'firstSeen', 'lastSeen'] as const

/// Per window, in every answer that does not choose fields.
export const WINDOW_FIELDS = [
  'volume',
  'buyVolume',
  'sellVolume',
  'amount',
  'txns',
  'priceChange',
  'open',
  'high',
  'low',
  'close',
  'vwap',
  'largestTrade',
] as const

/// Per window, made from the others; only where they are chosen by name or with `*`.
export const DERIVED_FIELDS = ['netVolume', 'netBuyers', 'averageTrade', 'trending'] as const

/// Per window, only by name: it is computed from the swaps themselves.
export const MEDIAN_FIELD = 'medianTrade'

export type TokenField = (typeof TOKEN_FIELDS)[number]
export type WindowField = (typeof WINDOW_FIELDS)[number] | (typeof DERIVED_FIELDS)[number]
export type FieldName = TokenField | WindowField

export const DEFAULT_FIELDS: readonly FieldName[] = [...TOKEN_FIELDS, ...WINDOW_FIELDS]
export const ALL_FIELDS: readonly FieldName[] = [...DEFAULT_FIELDS, ...DERIVED_FIELDS]

const ALWAYS: readonly FieldName[] = ['token', 'asOf', 'version']

/// The chosen fields with those that always come, in the order of the answer. Example: chooseFields(['volume']) is
/// token, asOf, version, volume.
export function chooseFields(names: readonly FieldName[]): readonly FieldName[] {
  return ALL_FIELDS.filter(name => ALWAYS.includes(name) || names.includes(name))
}

export const isFieldName = (text: string): text is FieldName => ALL_FIELDS.some(name => name === text)
