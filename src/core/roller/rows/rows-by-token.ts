/// Rows gathered by token: each token's in the order in which they were added, without a list for each.

import { invariant } from '../../invariant.js'
import { grownInt32 } from '../tables/columns.js'

export class RowsByToken {
  /// Tokens are numbered in the order of their first rows.
  readonly #numberOf = new Map<number, number>()
  #lastToken = -1
  #lastNumber = -1
  #counts = new Int32Array(64)
  #added = 0
  #rows = new Int32Array(256)
  #numbers = new Int32Array(256)
  /// Rows token by token, and where each token's begin; made when they are first asked for.
  #grouped: { readonly rows: Int32Array; readonly begins: Int32Array } | null = null

  add(token: number, row: number): void {
    invariant(this.#grouped === null, 'rows are gathered before they are asked for')
    if (this.#added === this.#rows.length) {
      this.#rows = grownInt32(this.#rows, this.#added + 1)
      this.#numbers = grownInt32(this.#numbers, this.#added + 1)
    }
    const number = token === this.#lastToken ? this.#lastNumber : this.#numbered(token)
    this.#counts[number] = (this.#counts[number] as number) + 1
    this.#rows[this.#added] = row
    this.#numbers[this.#added++] = number
  }

  /// In the order of their first rows.
  tokens(): Iterable<number> {
    return this.#numberOf.keys()
  }

  /// The token's rows; a view, which its caller may sort.
  of(token: number): Int32Array {
    this.#grouped ??= this.#group()
    const { rows, begins } = this.#grouped
    const number = this.#numberOf.get(token)
    invariant(number !== undefined, 'the token has rows')
    return rows.subarray(begins[number], begins[number + 1])
  }

  #numbered(token: number): number {
    let number = this.#numberOf.get(token)
    if (number === undefined) {
      number = this.#numberOf.size
      this.#numberOf.set(token, number)
      if (number === this.#counts.length) this.#counts = grownInt32(this.#counts, number + 1)
    }
    this.#lastToken = token
    this.#lastNumber = number
    return number
  }

  #group(): { rows: Int32Array; begins: Int32Array } {
    const tokens = this.#numberOf.size
    const begins = new Int32Array(tokens + 1)
    for (let i = 0; i < tokens; i++) begins[i + 1] = (begins[i] as number) + (this.#counts[i] as number)
    const next = begins.slice()
    const rows = new Int32Array(this.#added)
    for (let i = 0; i < this.#added; i++) {
      const number = this.#numbers[i] as number
      const at = next[number] as number
      rows[at] = this.#rows[i] as number
      next[number] = at + 1
    }
    return { rows, begins }
  }
}
