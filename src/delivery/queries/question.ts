/// What a caller asks about a token that is computed on demand, as a question to the owner of its slices.

import { epochMs } from '../../core/units.js'
import { parseWindow, type Window, windowLabel } from '../../core/windows.js'
import type { AskedStretch, TokenQueries, TokenQuestion } from '../../ports/token-queries.js'
import type { Choice } from '../selection.js'
import {
  ALL_FIELDS,
  chooseFields,
  DEFAULT_FIELDS,
  type FieldName,
  isFieldName,
  MEDIAN_FIELD,
} from '../wire/fields.js'
import type { PlacedWindow } from '../wire/metrics.js'
import { ProblemError } from '../wire/problem.js'

type Rules = TokenQueries['rules']

export interface TokenChoice extends Choice {
  readonly asOf?: number
  readonly compare?: 'previous'
}

/// A question about statistics, and where in its answer they are.
export interface StatisticsQuestion {
  readonly question: TokenQuestion
  readonly fields: readonly FieldName[]
  readonly median: boolean
  /// `index` is that of the window's stretch.
  readonly windows: readonly PlacedWindow[]
  /// Stretches of the windows before, in the order of `windows`; empty where they are not wanted.
  readonly previous: readonly PlacedWindow[]
  /// Whether the windows were named, and not those that are configured.
  readonly named: boolean
}

/// Whether kept statistics hold what is asked for.
export function isKept(
  { window, fields, asOf, compare }: TokenChoice,
  windows: readonly PlacedWindow[],
): boolean {
  return (
    asOf === undefined &&
    compare === undefined &&
    fields?.includes(MEDIAN_FIELD) !== true &&
    (window ?? []).every(text => {
      const lengthMs = parseWindow(text)?.lengthMs
      return windows.some(each => each.lengthMs === lengthMs)
    })
  )
}

/// Throws ProblemError where a window is none that can be asked for.
export function statisticsQuestion(
  token: string,
  choice: TokenChoice,
  configured: readonly PlacedWindow[],
  rules: Rules,
): StatisticsQuestion {
  const { asOf, compare, window } = choice
  const windows = window === undefined ? configured : windowsOf(window, rules)
  const names = (choice.fields ?? []).filter(name => name !== MEDIAN_FIELD)
  const fields = choice.fields === undefined ? DEFAULT_FIELDS : fieldsOf(names)
  const median = choice.fields?.includes(MEDIAN_FIELD) === true

  const stretches: AskedStretch[] = []
  const place = (lengthMs: number, agoMs: number) => stretches.push({ lengthMs, agoMs }) - 1
  const now = windows.map(each => ({ window: each, index: place(each.lengthMs, 0) }))
  const before =
    compare === undefined
      ? []
      : windows.map(each => ({ window: each, index: place(each.lengthMs, each.lengthMs) }))
  const longest = configured.at(-1)?.lengthMs
  const reference = {
    index: fields.includes('trending') && longest !== undefined ? place(longest, 0) : -1,
    lengthMs: longest ?? 0,
  }
  const placed = ({
    window: { name, lengthMs },
    index,
  }: {
    window: Window
    index: number
  }): PlacedWindow => ({
    name,
    lengthMs,
    index,
    label: `"${name}":`,
    reference,
  })
  return {
    question: {
      token,
      asOf: asOf === undefined ? null : epochMs(asOf),
      stretches,
      medians: median ? [...now, ...before].map(({ index }) => index) : [],
      ...{ largest: 0, newest: 0, traders: 0 },
    },
    fields,
    median,
    windows: now.map(placed),
    previous: before.map(placed),
    named: window !== undefined,
  }
}

/// Windows by name, shortest first, each once. Throws ProblemError naming `window`.
export function windowsOf(texts: readonly string[], { resolutionMs, retentionMs }: Rules): readonly Window[] {
  const windows = new Map<number, Window>()
  for (const text of texts) {
    const window = parseWindow(text)
    if (window === null || window.lengthMs % resolutionMs !== 0 || window.lengthMs > retentionMs) {
      const detail =
        `${JSON.stringify(text)} is no window that can be asked for: a multiple of ${resolutionMs} ms ` +
        `up to the retention of ${windowLabel(retentionMs)}, such as 7m or 90s`
      throw new ProblemError('invalid-parameter', detail, { field: 'window' })
    }
    windows.set(window.lengthMs, window)
  }
  return [...windows.values()].sort((a, b) => a.lengthMs - b.lengthMs)
}

function fieldsOf(names: readonly string[]): readonly FieldName[] {
  return names.includes('*') ? ALL_FIELDS : chooseFields(names.filter(isFieldName))
}
