/// Which windows and fields a caller wants, of a route or of a feed, with faults named.

import { parseWindow } from '../core/windows.js'
import { ALL_FIELDS, chooseFields, DEFAULT_FIELDS, type FieldName, isFieldName } from './wire/fields.js'
import type { PlacedWindow } from './wire/metrics.js'
import { ProblemError } from './wire/problem.js'
import type { Selection } from './wire/stats.js'

export interface Choice {
  readonly window?: readonly string[]
  readonly fields?: readonly string[]
}

/// The selection; null when everything that comes unasked is wanted. `field` names the windows' parameter in faults.
export function selectionOf(
  choice: Choice,
  windows: readonly PlacedWindow[],
  field = 'window',
): Selection | null {
  if (choice.window === undefined && choice.fields === undefined) return null
  const chosen = choice.window === undefined ? windows : chooseWindows(choice.window, windows)
  if ('unknown' in chosen) throw new ProblemError('invalid-parameter', chosen.unknown, { field })
  return { fields: choice.fields === undefined ? DEFAULT_FIELDS : fieldsOf(choice.fields), windows: chosen }
}

/// `fields` were validated: each is a name of a statistic, or `*`.
function fieldsOf(fields: readonly string[]): readonly FieldName[] {
  return fields.includes('*') ? ALL_FIELDS : chooseFields(fields.filter(isFieldName))
}

/// The windows asked for, in their usual order, or a sentence about the first that there is not.
export function chooseWindows(
  texts: readonly string[],
  windows: readonly PlacedWindow[],
): readonly PlacedWindow[] | { readonly unknown: string } {
  const lengths = new Set<number>()
  for (const text of texts) {
    const length = parseWindow(text)?.lengthMs
    if (length === undefined || !windows.some(({ lengthMs }) => lengthMs === length)) {
      const names = windows.map(({ name }) => name).join(', ')
      return { unknown: `there is no window ${JSON.stringify(text)}; windows are ${names}` }
    }
    lengths.add(length)
  }
  return windows.filter(({ lengthMs }) => lengths.has(lengthMs))
}

export interface ShapeChoice {
  readonly windows?: readonly string[]
  readonly fields?: readonly string[]
}

/// Throws ProblemError naming `windows` when there is no such window.
export function selectionFor(choice: ShapeChoice, windows: readonly PlacedWindow[]): Selection {
  return {
    fields: choice.fields === undefined ? DEFAULT_FIELDS : fieldsOf(choice.fields),
    windows: windowsFor(choice.windows, windows),
  }
}

export function windowsFor(
  texts: readonly string[] | undefined,
  windows: readonly PlacedWindow[],
): readonly PlacedWindow[] {
  if (texts === undefined) return windows
  const chosen = chooseWindows(texts, windows)
  if ('unknown' in chosen) throw new ProblemError('invalid-parameter', chosen.unknown, { field: 'windows' })
  return chosen
}
