/// A ranking that is asked for again and again, kept in order while numbers move.
///
/// Changed tokens are only noted. A refresh takes them out of the order, sorts them among themselves, and merges both
/// into a new array: a pass over references, however much has changed. Nobody changes an array once it is made, so a
/// reader that holds one has a consistent ranking of its instant for nothing.
///
/// Filling it for the first time goes the same way, in pieces, so that no turn of the event loop sorts everything.

import type { TokenStats } from '../../core/stats.js'
import { compareEntries, type Entry, type RankingRule } from './rank.js'

/// Tokens that one refresh takes in: some milliseconds.
const PIECE = 5_000

export class Standing {
  readonly rule: RankingRule
  readonly #dirty = new Map<string, TokenStats | null>()
  #entries: readonly Entry[] = []
  #places = new Map<string, Entry>()
  #filling = true

  constructor(rule: RankingRule, tokens: Iterable<TokenStats>) {
    this.rule = rule
    for (const stats of tokens) this.#dirty.set(stats.token, stats)
  }

  /// False while it is being filled: `entries` then lacks tokens.
  get complete(): boolean {
    return !this.#filling
  }

  /// In order, as of the last refresh.
  get entries(): readonly Entry[] {
    return this.#entries
  }

  /// The token has new statistics, or none any more.
  note(token: string, stats: TokenStats | null): void {
    this.#dirty.set(token, stats)
  }

  /// Takes in what was noted, at most a piece of it while the ranking is being filled.
  refresh(): void {
    if (this.#dirty.size === 0) {
      this.#filling = false
      return
    }
    const { sort, order, filter } = this.rule
    const gone = new Set<Entry>()
    const fresh: Entry[] = []
    let room = this.#filling ? PIECE : Number.POSITIVE_INFINITY
    for (const [token, stats] of this.#dirty) {
      if (room-- <= 0) break
      this.#dirty.delete(token)
      const before = this.#places.get(token)
      if (before !== undefined) gone.add(before)
      if (stats === null || (filter !== null && !filter.matches(stats))) {
        this.#places.delete(token)
        continue
      }
      const entry = { stats, key: sort.keyOf(stats) }
      this.#places.set(token, entry)
      fresh.push(entry)
    }
    if (this.#dirty.size === 0) this.#filling = false
    fresh.sort((a, b) => compareEntries(a, b, order))
    this.#entries = merged(this.#entries, gone, fresh, (a, b) => compareEntries(a, b, order))
  }
}

function merged(
  old: readonly Entry[],
  gone: ReadonlySet<Entry>,
  fresh: readonly Entry[],
  compare: (a: Entry, b: Entry) => number,
): readonly Entry[] {
  const result: Entry[] = []
  let next = 0
  for (const entry of old) {
    if (gone.has(entry)) continue
    for (let one = fresh[next]; one !== undefined && compare(one, entry) < 0; one = fresh[++next])
      result.push(one)
    result.push(entry)
  }
  for (; next < fresh.length; next++) {
    const one = fresh[next]
    if (one !== undefined) result.push(one)
  }
  return result
}
