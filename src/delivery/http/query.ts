/// Query parameters, read with their faults named.

import { parseWindow } from '../../core/windows.js'
import { ProblemError } from '../wire/problem.js'
import type { PlacedWindow } from '../wire/stats.js'

/// A parsed query string: a parameter that is given several times is an array.
export type Query = Readonly<Record<string, unknown>>

export function textParameter(query: Query, name: string): string | undefined {
  const value = query[name]
  if (value === undefined || typeof value === 'string') return value
  throw new ProblemError('invalid-parameter', `${name} is given once`, { field: name })
}

export function choiceParameter<T extends string>(
  query: Query,
  name: string,
  choices: readonly T[],
  otherwise: T,
): T {
  const text = textParameter(query, name)
  if (text === undefined) return otherwise
  const choice = choices.find(candidate => candidate === text)
  if (choice !== undefined) return choice
  throw new ProblemError('invalid-parameter', `${name} is one of ${choices.join(', ')}`, { field: name })
}

export function integerParameter(query: Query, name: string, max: number, otherwise: number): number {
  const text = textParameter(query, name)
  if (text === undefined) return otherwise
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= max) return value
  throw new ProblemError('invalid-parameter', `${name} is an integer from 1 to ${max}`, { field: name })
}

/// `window=5m,h24`: the windows asked for, in their usual order; undefined when all are.
export function windowParameter(query: Query, windows: readonly PlacedWindow[]): PlacedWindow[] | undefined {
  const text = textParameter(query, 'window')
  if (text === undefined) return undefined
  const lengths = new Set<number>()
  for (const entry of text.split(',')) {
    const length = parseWindow(entry)?.lengthMs
    if (length === undefined || !windows.some(({ lengthMs }) => lengthMs === length)) {
      const names = windows.map(({ name }) => name).join(', ')
      throw new ProblemError('invalid-parameter', `window is a list of ${names}`, { field: 'window' })
    }
    lengths.add(length)
  }
  return windows.filter(({ lengthMs }) => lengths.has(lengthMs))
}
