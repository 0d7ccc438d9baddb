/// The newest statistics of every token, as a web process has them from the feed.
///
/// A Map, never an object: a token may be called `__proto__`.

import { compareVersions, type StatsUpdate, type TokenStats } from '../core/stats.js'

export interface ReadableTokens {
  get(token: string): TokenStats | undefined
  readonly size: number
  values(): IterableIterator<TokenStats>
}

export class TokenTable implements ReadableTokens {
  readonly #newest = new Map<string, TokenStats>()

  /// Keeps the update unless it is not newer than the kept one. Says whether it was kept.
  take(update: StatsUpdate): boolean {
    const kept = this.#newest.get(update.token)
    if (kept !== undefined && kept.partition === update.partition && compareVersions(update, kept) <= 0) {
      return false
    }
    if (update.cells === null) this.#newest.delete(update.token)
    else this.#newest.set(update.token, update)
    return true
  }

  get(token: string): TokenStats | undefined {
    return this.#newest.get(token)
  }

  get size(): number {
    return this.#newest.size
  }

  values(): IterableIterator<TokenStats> {
    return this.#newest.values()
  }
}
