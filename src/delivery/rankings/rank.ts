/// The first tokens in an order, found without sorting all of them: a heap holds the best so far, its worst on top;
/// every other token is compared with that one and mostly dropped.

import type { TokenStats } from '../../core/stats.js'
import type { Filter } from './filter.js'
import { compareKeys, type Key, type Order, type SortKey } from './sort.js'

/// What tokens are ranked by.
export interface RankingRule {
  readonly sort: SortKey
  readonly order: Order
  readonly filter: Filter | null
}

/// Equal rules have equal texts.
export const ruleText = ({ sort, order, filter }: RankingRule): string =>
  `${sort.name} ${order} ${filter?.text ?? ''}`

export interface Entry {
  readonly stats: TokenStats
  readonly key: Key
}

export const compareEntries = (a: Entry, b: Entry, order: Order): number =>
  compareKeys(a.key, a.stats.token, b.key, b.stats.token, order)

export interface Ranked {
  readonly entries: readonly Entry[]
  /// Tokens that match the filter.
  readonly total: number
}

/// The first `limit` tokens that match and come after `after`, where it is given.
export function rank(
  tokens: Iterable<TokenStats>,
  { sort, order, filter }: RankingRule,
  limit: number,
  after?: { readonly key: Key; readonly token: string },
): Ranked {
  const heap: Entry[] = []
  let total = 0
  for (const stats of tokens) {
    if (filter !== null && !filter.matches(stats)) continue
    total++
    const key = sort.keyOf(stats)
    if (after !== undefined && compareKeys(key, stats.token, after.key, after.token, order) <= 0) continue
    if (heap.length < limit) {
      heap.push({ stats, key })
      siftUp(heap, order)
      continue
    }
    const worst = heap[0]
    if (worst === undefined || compareKeys(key, stats.token, worst.key, worst.stats.token, order) >= 0)
      continue
    heap[0] = { stats, key }
    siftDown(heap, order)
  }
  return { entries: heap.sort((a, b) => compareEntries(a, b, order)), total }
}

function siftUp(heap: Entry[], order: Order): void {
  let i = heap.length - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (!swapIfWorse(heap, parent, i, order)) return
    i = parent
  }
}

function siftDown(heap: Entry[], order: Order): void {
  let i = 0
  for (;;) {
    const left = 2 * i + 1
    const right = left + 1
    const a = heap[left]
    const b = heap[right]
    if (a === undefined) return
    const child = b !== undefined && compareEntries(b, a, order) > 0 ? right : left
    if (!swapIfWorse(heap, i, child, order)) return
    i = child
  }
}

/// Swaps when the child is worse than its parent: the worst is on top.
function swapIfWorse(heap: Entry[], parent: number, child: number, order: Order): boolean {
  const a = heap[parent]
  const b = heap[child]
  if (a === undefined || b === undefined || compareEntries(b, a, order) <= 0) return false
  heap[parent] = b
  heap[child] = a
  return true
}
