/// What cells say of statistics: a short text, and the exact value behind it.

import { dateTime, exact, percent, price, quantity, shortCount, span, UNKNOWN, usd, whole } from './format.js'

/// What a cell says: the text, and the exact value behind it.
export interface CellText {
  readonly text: string
  readonly exact: string
  /// Which way it went, where that has a colour.
  readonly tone?: 'up' | 'down'
}

export const dollars = (text: string | null | undefined): CellText => ({
  text: usd(text),
  exact: text === null || text === undefined ? 'not known' : `$${exact(text)}`,
})

export const perToken = (text: string | null | undefined): CellText => ({
  text: price(text),
  exact: text === null || text === undefined ? 'no price is known' : `$${exact(text)} per token`,
})

export const number = (value: number | null | undefined, what: string): CellText => ({
  text: shortCount(value),
  exact: value === null || value === undefined ? 'not known' : `${whole(value)} ${what}`,
})

export const age = (epochMs: number | undefined, now: number): CellText =>
  epochMs === undefined
    ? { text: UNKNOWN, exact: 'not known' }
    : { text: span(now - epochMs), exact: dateTime(epochMs) }

/// Buys minus sells.
export function netDollars(text: string | null | undefined): CellText {
  const value = Number(text ?? 0)
  return value === 0 ? dollars(text) : { ...dollars(text), tone: value > 0 ? 'up' : 'down' }
}

export const tokens = (text: string | undefined): CellText => ({
  text: quantity(text),
  exact: text === undefined ? 'not known' : `${exact(text)} tokens`,
})

export function changeCell(value: number | null | undefined): CellText {
  const exactly =
    value === null || value === undefined ? 'no price is known' : `${value > 0 ? '+' : ''}${value} percent`
  const text = percent(value)
  if (value === null || value === undefined || text === '0.00%') return { text, exact: exactly }
  return { text, exact: exactly, tone: value > 0 ? 'up' : 'down' }
}
