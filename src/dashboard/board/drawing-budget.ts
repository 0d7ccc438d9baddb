/// Many rows at once take long to make or to draw anew. So only some of them are in one frame, and the others follow in the next ones: no
/// frame takes long, and nobody sees the difference.

import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'

const DRAWN_AT_ONCE = 10

/// What is drawn in one frame, made anew for each.
export class DrawingBudget {
  /// By row, what is drawn of it.
  readonly drawn = new Map<string, TokenStatistics | null>()
  /// Something has to wait for the next frame.
  isSpent = false
  readonly #before: ReadonlyMap<string, TokenStatistics | null>
  #left = DRAWN_AT_ONCE

  constructor(before: ReadonlyMap<string, TokenStatistics | null>) {
    this.#before = before
  }

  /// What is to be drawn of a row: its newest statistics, or those that are drawn already; undefined when it has to wait.
  take(row: string, newest: TokenStatistics | null): TokenStatistics | null | undefined {
    const before = this.#before.get(row)
    if (before === newest) {
      this.drawn.set(row, newest)
      return newest
    }
    if (this.#left === 0) {
      this.isSpent = true
      if (before !== undefined) this.drawn.set(row, before)
      return before
    }
    this.#left--
    this.drawn.set(row, newest)
    return newest
  }
}
