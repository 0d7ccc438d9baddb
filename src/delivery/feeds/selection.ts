/// Windows and fields of a subscription.

import { chooseWindows, fieldsOf } from '../http/selection.js'
import { DEFAULT_FIELDS } from '../wire/fields.js'
import type { PlacedWindow } from '../wire/metrics.js'
import { ProblemError } from '../wire/problem.js'
import type { Selection } from '../wire/stats.js'

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
