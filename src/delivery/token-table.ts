/// The newest statistics of every token, as a web process has them from the feed.
///
/// A Map, never an object: a token may be called `__proto__`.

import { compareVersions, type StatsUpdate, type TokenStats } from '../core/stats.js'

export interface ReadableTokens {
  get(token: string): TokenStats | undefined
  readonly size: number
  /// Counts the changes since the process began.
  readonly revision: number
  values(): IterableIterator<TokenStats>
}

/// What is kept beside the table. Called with each change: null is no statistics.
export type TableObserver = (token: string, before: TokenStats | null, after: TokenStats | null) => void

export class TokenTable implements ReadableTokens {
  readonly #newest = new Map<string, TokenStats>()
  readonly #observers: readonly TableObserver[]
  #revision = 0

  constructor(observers: readonly TableObserver[] = []) {
    this.#observers = observers
  }

  /// Keeps the update unless it is not newer than the kept one. Says whether it was kept.
  take(update: StatsUpdate): boolean {
    const kept = this.#newest.get(update.token)
    if (kept !== undefined && kept.partition === update.partition && compareVersions(update, kept) <= 0) {
      return false
    }
    const after = update.cells === null ? null : update
    if (after === null) this.#newest.delete(update.token)
    else this.#newest.set(update.token, after)
    this.#revision++
    for (const observe of this.#observers) observe(update.token, kept ?? null, after)
    return true
  }

  get(token: string): TokenStats | undefined {
    return this.#newest.get(token)
  }

  get size(): number {
    return this.#newest.size
  }

  get revision(): number {
    return this.#revision
  }

  values(): IterableIterator<TokenStats> {
    return this.#newest.values()
  }
}
