/// Cursors: a position in the history of this process, and what tells this process from others.

import type { History } from './history.js'

export class Cursors {
  readonly #epoch: string
  readonly #history: History

  constructor(epoch: string, history: History) {
    this.#epoch = epoch
    this.#history = history
  }

  /// Example: `83ade9ae.1041`.
  readonly of = (position: number): string => `${this.#epoch}.${position}`

  /// null when the cursor is of another process, or none.
  positionOf(cursor: string): number | null {
    const dot = cursor.lastIndexOf('.')
    const digits = cursor.slice(dot + 1)
    const position = /^\d{1,15}$/.test(digits) ? Number(digits) : Number.NaN
    return cursor.slice(0, dot) === this.#epoch && position <= this.#history.position ? position : null
  }
}
