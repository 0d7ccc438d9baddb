/// Rules of rankings, as they are asked for.

import type { PlacedWindow } from '../wire/metrics.js'
import { ProblemError } from '../wire/problem.js'
import { parseFilter } from './filter.js'
import type { RankingRule } from './rank.js'
import { type Order, parseSort } from './sort.js'

/// The rule that sort, order and filter say. Throws ProblemError naming the one at fault.
export function ruleOf(
  { sort, order, filter }: { readonly sort?: string; readonly order?: Order; readonly filter?: string },
  windows: readonly PlacedWindow[],
): RankingRule {
  const key = parseSort(sort ?? `volume.${windows.at(-1)?.name}`, windows)
  if ('wanted' in key) throw new ProblemError('invalid-parameter', `sort is ${key.wanted}`, { field: 'sort' })
  const parsed = filter === undefined ? null : parseFilter(filter, windows)
  if (parsed !== null && 'fault' in parsed) {
    throw new ProblemError('invalid-parameter', `filter ${parsed.fault}`, { field: 'filter' })
  }
  return { sort: key, order: order ?? 'desc', filter: parsed }
}
