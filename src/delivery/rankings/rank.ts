/// The first tokens in an order, found without sorting all of them: a heap holds the best so far, its worst on top;
/// every other token is compared with that one and mostly dropped.

import type { TokenStats } from '../../core/stats.js'
import type { Filter } from './filter.js'
import { clearly, compareKeys, type Key, type Order, type SortKey } from './sort.js'

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

interface Candidate extends Entry {
  readonly near: number
}

export const compareEntries = (a: Entry, b: Entry, order: Order): number =>
  compareKeys(a.key, a.stats.token, b.key, b.stats.token, order)

export interface Ranked {
  readonly entries: readonly Entry[]
  /// Tokens that match the filter.
  readonly total: number
}

/// Where a page by value begins.
export interface After {
  readonly key: Key
  readonly token: string
}

/// Takes tokens in any order, and knows the first `limit` of those that match and come after `after`, where it is given.
export class Ranker {
  readonly #rule: RankingRule
  readonly #limit: number
  readonly #after: After | null
  readonly #heap: Candidate[] = []
  #total = 0

  constructor(rule: RankingRule, limit: number, after: After | null = null) {
    this.#rule = rule
    this.#limit = limit
    this.#after = after
  }

  offer(stats: TokenStats): void {
    const { sort, order, filter } = this.#rule
    if (filter !== null && !filter.matches(stats)) return
    this.#total++
    const heap = this.#heap
    const near = sort.near(stats)
    const worst = heap.length < this.#limit ? undefined : heap[0]
    // Most tokens are no candidates, which is seen without making their keys.
    if (worst !== undefined && clearly(near, worst.near) && near < worst.near === (order === 'desc')) return
    const key = sort.keyOf(stats)
    const after = this.#after
    if (after !== null && compareKeys(key, stats.token, after.key, after.token, order) <= 0) return
    if (worst === undefined) {
      heap.push({ stats, key, near })
      siftUp(heap, order)
    } else if (compareKeys(key, stats.token, worst.key, worst.stats.token, order) < 0) {
      heap[0] = { stats, key, near }
      siftDown(heap, order)
    }
  }

  ranked(): Ranked {
    const { order } = this.#rule
    return { entries: this.#heap.sort((a, b) => compareEntries(a, b, order)), total: this.#total }
  }
}

/// Tokens of one turn: a millisecond or two, since each is somewhere else in memory.
const TURN_TOKENS = 4_000

/// With turns of the event loop in between, so that nobody waits for it. A token that changes meanwhile counts as it was
/// when its turn came.
export async function rankInTurns(
  tokens: Iterable<TokenStats>,
  rule: RankingRule,
  limit: number,
  nextTurn: () => Promise<void>,
  after: After | null = null,
): Promise<Ranked> {
  const ranker = new Ranker(rule, limit, after)
  let room = TURN_TOKENS
  for (const stats of tokens) {
    ranker.offer(stats)
    if (--room > 0) continue
    await nextTurn()
    room = TURN_TOKENS
  }
  return ranker.ranked()
}

function siftUp(heap: Candidate[], order: Order): void {
  let i = heap.length - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (!swapIfWorse(heap, parent, i, order)) return
    i = parent
  }
}

function siftDown(heap: Candidate[], order: Order): void {
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
function swapIfWorse(heap: Candidate[], parent: number, child: number, order: Order): boolean {
  const a = heap[parent]
  const b = heap[child]
  if (a === undefined || b === undefined || compareEntries(b, a, order) <= 0) return false
  heap[parent] = b
  heap[child] = a
  return true
}
