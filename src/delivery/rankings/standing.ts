/// A ranking that is asked for again and again, kept in order while numbers move.
///
/// Changed tokens are only noted. A refresh takes them out of the order, sorts them among themselves, and merges both
/// into a new array: a pass over references, however much has changed. Nobody changes an array once it is made, so a
/// reader that holds one has a consistent ranking of its instant for nothing.
///
/// Filling it for the first time goes the same way, in pieces, so that no turn of the event loop sorts everything.

import type { TokenStats } from '../../core/stats.js'
import { compareEntries, type Entry, type RankingRule } from './rank.js'
import type { Key, Order } from './sort.js'

/// Tokens that one refresh takes in while the ranking is being filled: some milliseconds.
const PIECE = 5_000

class Place implements Entry {
  readonly stats: TokenStats
  readonly key: Key
  /// False once the token has another place. Readers of older arrays do not look at it.
  current = true

  constructor(stats: TokenStats, key: Key) {
    this.stats = stats
    this.key = key
  }
}

export class Standing {
  readonly rule: RankingRule
  readonly #dirty = new Map<string, TokenStats | null>()
  #entries: readonly Place[] = []
  readonly #places = new Map<string, Place>()
  #filling: Iterator<TokenStats> | null

  /// `tokens` may change while it is being filled: what is noted is newer than what is filled in.
  constructor(rule: RankingRule, tokens: Iterable<TokenStats>) {
    this.rule = rule
    this.#filling = tokens[Symbol.iterator]()
  }

  /// False while it is being filled: `entries` then lacks tokens.
  get complete(): boolean {
    return this.#filling === null
  }

  /// In order, as of the last refresh.
  get entries(): readonly Entry[] {
    return this.#entries
  }

  /// The token has new statistics, or none any more.
  note(token: string, stats: TokenStats | null): void {
    this.#dirty.set(token, stats)
  }

  /// Takes in what was noted, and a further piece while the ranking is being filled.
  refresh(): void {
    const filling = this.#filling
    const fresh: Place[] = []
    for (const [token, stats] of this.#dirty) this.#take(token, stats, fresh)
    this.#dirty.clear()
    if (filling !== null) this.#fill(filling, fresh)
    if (fresh.length === 0 && this.#entries.every(({ current }) => current)) return
    const { order } = this.rule
    fresh.sort((a, b) => compareEntries(a, b, order))
    this.#entries = merged(this.#entries, fresh, order)
  }

  #fill(tokens: Iterator<TokenStats>, fresh: Place[]): void {
    for (let i = 0; i < PIECE; i++) {
      const next = tokens.next()
      if (next.done === true) {
        this.#filling = null
        return
      }
      if (!this.#places.has(next.value.token)) this.#take(next.value.token, next.value, fresh)
    }
  }

  #take(token: string, stats: TokenStats | null, fresh: Place[]): void {
    const { sort, filter } = this.rule
    const before = this.#places.get(token)
    if (before !== undefined) before.current = false
    if (stats === null || (filter !== null && !filter.matches(stats))) {
      this.#places.delete(token)
      return
    }
    const place = new Place(stats, sort.keyOf(stats))
    this.#places.set(token, place)
    fresh.push(place)
  }
}

/// Those of `old` that are current, and the sorted `fresh`, in order. Each fresh one's place is searched for, so what lies between
/// is only copied.
function merged(old: readonly Place[], fresh: readonly Place[], order: Order): readonly Place[] {
  const result: Place[] = []
  let from = 0
  const copyTo = (end: number) => {
    for (; from < end; from++) {
      const place = old[from]
      if (place?.current) result.push(place)
    }
  }
  for (const place of fresh) {
    copyTo(firstAfter(old, from, place, order))
    result.push(place)
  }
  copyTo(old.length)
  return result
}

/// The first index from `low` on whose place comes after the given one.
function firstAfter(places: readonly Place[], low: number, place: Place, order: Order): number {
  let from = low
  let to = places.length
  while (from < to) {
    const middle = (from + to) >> 1
    const other = places[middle]
    if (other === undefined || compareEntries(other, place, order) > 0) to = middle
    else from = middle + 1
  }
  return from
}
