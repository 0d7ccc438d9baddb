/// A ranking that is asked for again and again, kept in order while numbers move.
///
/// Changed tokens are only noted; a refresh takes them in. Filling it for the first time goes the same way, in pieces, so that
/// no turn of the event loop sorts everything.

import type { TokenStats } from '../../core/stats.js'
import { ChunkedOrder } from './chunked-order.js'
import type { Entry, RankingRule } from './rank.js'

/// Tokens that one refresh fills in: two or three milliseconds.
const PIECE = 1_000

export class Standing {
  readonly rule: RankingRule
  readonly #dirty = new Map<string, TokenStats | null>()
  readonly #order: ChunkedOrder
  readonly #entries = new Map<string, Entry>()
  #filling: Iterator<TokenStats> | null
  #revision = 0
  #tableRevision = 0

  /// `tokens` may change while it is being filled: what is noted is newer than what is filled in.
  constructor(rule: RankingRule, tokens: Iterable<TokenStats>) {
    this.rule = rule
    this.#order = new ChunkedOrder(rule.order)
    this.#filling = tokens[Symbol.iterator]()
  }

  /// False while it is being filled: tokens are missing from it.
  get complete(): boolean {
    return this.#filling === null
  }

  /// Counts the refreshes that changed something.
  get revision(): number {
    return this.#revision
  }

  /// Tokens that match, as of the last refresh.
  get size(): number {
    return this.#order.size
  }

  /// The first of them, as of the last refresh.
  first(limit: number): readonly Entry[] {
    return this.slice(0, limit)
  }

  /// Those from place `offset` on, counted from 0.
  slice(offset: number, limit: number): readonly Entry[] {
    return this.#order.slice(offset, limit)
  }

  /// The token has new statistics, or none any more.
  note(token: string, stats: TokenStats | null): void {
    this.#dirty.set(token, stats)
  }

  /// The table's revision at the last refresh: of which state the ranking is.
  get tableRevision(): number {
    return this.#tableRevision
  }

  /// Takes in what was noted, and a further piece while the ranking is being filled. `tableRevision` is the table's now.
  refresh(tableRevision: number): void {
    this.#tableRevision = tableRevision
    const gone: Entry[] = []
    const fresh: Entry[] = []
    for (const [token, stats] of this.#dirty) this.#take(token, stats, gone, fresh)
    this.#dirty.clear()
    if (this.#filling !== null) this.#fill(this.#filling, gone, fresh)
    if (gone.length === 0 && fresh.length === 0) return
    this.#order.change(gone, fresh)
    this.#revision++
  }

  #fill(tokens: Iterator<TokenStats>, gone: Entry[], fresh: Entry[]): void {
    for (let i = 0; i < PIECE; i++) {
      const next = tokens.next()
      if (next.done === true) {
        this.#filling = null
        return
      }
      const { token } = next.value
      if (!this.#entries.has(token)) this.#take(token, next.value, gone, fresh)
    }
  }

  #take(token: string, stats: TokenStats | null, gone: Entry[], fresh: Entry[]): void {
    const { sort, filter } = this.rule
    const before = this.#entries.get(token)
    if (before !== undefined) gone.push(before)
    if (stats === null || (filter !== null && !filter.matches(stats))) {
      this.#entries.delete(token)
      return
    }
    const entry = { stats, key: sort.keyOf(stats) }
    this.#entries.set(token, entry)
    fresh.push(entry)
  }
}
