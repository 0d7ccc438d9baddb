/// Summaries of blocks on disk, of those tokens whose swaps were asked for last: the second question about a busy token
/// reads no rows but those at the ends of its stretches.
///
/// Bounded by bytes: the tokens that were asked for longest ago are let go. Letting go of one is always safe, for a summary
/// can be made again from the block's parts.

import type { BlockSummary } from './block-summary.js'
import { PairTable } from './pair-table.js'

/// A token's.
export class TokenSummaries {
  /// The token's traders, who are bits in its summaries.
  readonly numbers = new PairTable()
  readonly byBlock = new Map<number, BlockSummary>()
}

export class Summaries {
  readonly #bytesMax: number
  /// By token, longest unused first.
  readonly #tokens = new Map<number, TokenSummaries>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /// The token's summaries, which are now those used last. `pairs` is how many traders the token has: numbers of those who
  /// are gone add up, so from time to time everything is made anew.
  use(token: number, pairs: number): TokenSummaries {
    let summaries = this.#tokens.get(token)
    if (summaries !== undefined && summaries.numbers.size > 2 * pairs + 1024) this.#drop(token, summaries)
    summaries = this.#tokens.get(token) ?? new TokenSummaries()
    this.#tokens.delete(token)
    this.#tokens.set(token, summaries)
    return summaries
  }

  /// Keeps a summary of a block, if there is room, and the token's have not been let go since `use` gave them.
  keep(token: number, summaries: TokenSummaries, block: number, summary: BlockSummary): void {
    if (this.#tokens.get(token) !== summaries) return
    this.#remove(summaries, block)
    summary.charged = summary.bytes
    this.#bytes += summary.charged
    summaries.byBlock.set(block, summary)
    for (const [oldest, others] of this.#tokens) {
      if (this.#bytes <= this.#bytesMax || oldest === token) break
      this.#drop(oldest, others)
    }
    if (this.#bytes > this.#bytesMax) this.#remove(summaries, block)
  }

  /// The block has left the retention.
  forgetBlock(block: number): void {
    for (const [token, summaries] of this.#tokens) {
      this.#remove(summaries, block)
      if (summaries.byBlock.size === 0) this.#tokens.delete(token)
    }
  }

  #remove({ byBlock }: TokenSummaries, block: number): void {
    this.#bytes -= byBlock.get(block)?.charged ?? 0
    byBlock.delete(block)
  }

  #drop(token: number, summaries: TokenSummaries): void {
    for (const block of [...summaries.byBlock.keys()]) this.#remove(summaries, block)
    this.#tokens.delete(token)
  }
}
