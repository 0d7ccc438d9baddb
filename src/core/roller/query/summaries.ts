/// Summaries of the tokens with most swaps, and of those that were asked about last: a question about a busy token reads no
/// rows but those at the ends of its stretches.
///
/// Bounded by bytes, for all partitions of a process together: the tokens that were asked about longest ago are let go. Letting
/// go of one is always safe, for it can be made again from parts on disk.

import { PairTable } from './pair-table.js'
import { type BlockSummary, bytesOf, type SpanSummary } from './summary.js'

export interface SummaryLimits {
  /// Of everything that is kept.
  readonly bytesMax: number
  /// Blocks of a span: their swaps are added up in one list of traders, which has fewer entries than theirs together.
  readonly spanBlocks: number
  /// Runs of fewer rows have no summary: reading them takes less than keeping it is worth. Nor have spans whose blocks have
  /// fewer on average.
  readonly runRows: number
  /// Tokens with so many swaps within the retention are summed up once somebody has asked about them.
  readonly askedSwaps: number
  /// Tokens with so many are summed up before anybody asks, the busiest first.
  readonly aheadSwaps: number
}

export const SUMMARY_LIMITS: SummaryLimits = {
  bytesMax: 128 * 2 ** 20,
  spanBlocks: 64,
  runRows: 256,
  askedSwaps: 75_000,
  aheadSwaps: 300_000,
}

/// What the summaries of all partitions of a process share.
export class SummaryCache {
  readonly limits: SummaryLimits
  /// Longest unused first.
  readonly #tokens = new Set<TokenSummaries>()
  #bytes = 0

  constructor(limits: Partial<SummaryLimits> = {}) {
    this.limits = { ...SUMMARY_LIMITS, ...limits }
  }

  get bytes(): number {
    return this.#bytes
  }

  /// Puts a token at the end of the line.
  use(summaries: TokenSummaries): void {
    this.#tokens.delete(summaries)
    this.#tokens.add(summaries)
  }

  /// Makes room. A token that nobody has asked about gets none of others' room. False where there is none.
  take(summaries: TokenSummaries, bytes: number): boolean {
    const { bytesMax } = this.limits
    for (const oldest of this.#tokens) {
      if (this.#bytes + bytes <= bytesMax || oldest === summaries || !summaries.isAsked) break
      this.drop(oldest)
    }
    if (this.#bytes + bytes > bytesMax) return false
    this.#bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }

  drop(summaries: TokenSummaries): void {
    this.#tokens.delete(summaries)
    summaries.letGo()
  }
}

/// A token's.
export class TokenSummaries {
  /// The token's traders, whose numbers are in its summaries.
  readonly numbers = new PairTable()
  /// Somebody has asked about it.
  isAsked = false
  /// Its summaries have been let go, for others: these are not used any more.
  isGone = false
  /// What everything was that has been made (Summarizing.#state).
  madeAt = -1
  readonly #cache: SummaryCache
  readonly #blocks = new Map<number, BlockSummary>()
  readonly #spans = new Map<number, SpanSummary>()
  /// Of blocks and spans that have none, since they hold too little, or sums that do not fit: the parts that were looked at.
  readonly #without = new Map<number, number>()
  readonly #spansWithout = new Map<number, readonly number[]>()
  #bytes = 0
  #numbersBytes = 0

  constructor(cache: SummaryCache) {
    this.#cache = cache
  }

  get bytes(): number {
    return this.#bytes
  }

  get limits(): SummaryLimits {
    return this.#cache.limits
  }

  /// Of a block, by its index.
  block(index: number): BlockSummary | undefined {
    return this.#blocks.get(index)
  }

  /// Of the blocks from index × spanBlocks on.
  span(index: number): SpanSummary | undefined {
    return this.#spans.get(index)
  }

  get isEmpty(): boolean {
    return this.#blocks.size === 0 && this.#spans.size === 0
  }

  /// Parts of the block that have been looked at for its summary; 0 before.
  partsOf(block: number): number {
    return this.#blocks.get(block)?.parts ?? this.#without.get(block) ?? 0
  }

  /// The same of a span's blocks; null before.
  partsOfSpan(span: number): readonly number[] | null {
    return this.#spans.get(span)?.parts ?? this.#spansWithout.get(span) ?? null
  }

  /// Keeps a block's; null where it has none. False when there is no room.
  keepBlock(block: number, parts: number, summary: BlockSummary | null): boolean {
    this.#without.delete(block)
    if (summary === null) this.#without.set(block, parts)
    return this.#keep(this.#blocks, block, summary)
  }

  keepSpan(span: number, parts: readonly number[], summary: SpanSummary | null): boolean {
    this.#spansWithout.delete(span)
    if (summary === null) this.#spansWithout.set(span, parts)
    return this.#keep(this.#spans, span, summary)
  }

  /// The block has left the retention.
  forgetBlock(block: number): void {
    const span = Math.floor(block / this.#cache.limits.spanBlocks)
    this.#remove(this.#blocks, block)
    this.#remove(this.#spans, span)
    this.#without.delete(block)
    this.#spansWithout.delete(span)
  }

  letGo(): void {
    this.isGone = true
    this.#cache.give(this.#bytes)
    this.#bytes = 0
    this.#blocks.clear()
    this.#spans.clear()
    this.#without.clear()
    this.#spansWithout.clear()
  }

  #keep<S extends BlockSummary | SpanSummary>(into: Map<number, S>, at: number, summary: S | null): boolean {
    this.#remove(into, at)
    if (this.isGone) return false
    const numbers = this.numbers.bytes
    const bytes = (summary === null ? 0 : bytesOf(summary)) + numbers - this.#numbersBytes
    if (!this.#cache.take(this, bytes)) return false
    this.#numbersBytes = numbers
    this.#bytes += bytes
    if (summary !== null) into.set(at, summary)
    return true
  }

  #remove<S extends BlockSummary | SpanSummary>(from: Map<number, S>, index: number): void {
    const summary = from.get(index)
    if (summary === undefined) return
    from.delete(index)
    this.#bytes -= bytesOf(summary)
    this.#cache.give(bytesOf(summary))
  }
}

/// A partition's, by token.
export class Summaries {
  readonly cache: SummaryCache
  readonly #tokens = new Map<number, TokenSummaries>()
  #isClosed = false

  constructor(cache: SummaryCache) {
    this.cache = cache
  }

  /// The token's summaries, for a question: they are now those used last. Where there are none yet, they will be made if the
  /// token has enough swaps within the retention. `pairs` is how many traders it has: numbers of those who are gone add up, so
  /// from time to time everything is made anew.
  use(token: number, pairs: number, swaps: number): TokenSummaries {
    const known = this.of(token)
    if (known !== undefined && known.numbers.size > 2 * pairs + 1024) this.cache.drop(known)
    if (swaps >= this.cache.limits.askedSwaps && !this.#isClosed) {
      const summaries = this.track(token)
      summaries.isAsked = true
      this.cache.use(summaries)
    }
    const summaries = this.of(token)
    // Numbers of traders take room, which only those who have summaries are worth.
    return summaries === undefined || summaries.isEmpty ? new TokenSummaries(this.cache) : summaries
  }

  /// The token's summaries, for whoever makes them.
  track(token: number): TokenSummaries {
    const known = this.of(token)
    if (known !== undefined) return known
    const summaries = new TokenSummaries(this.cache)
    this.#tokens.set(token, summaries)
    this.cache.use(summaries)
    return summaries
  }

  of(token: number): TokenSummaries | undefined {
    const known = this.#tokens.get(token)
    if (known?.isGone !== true) return known
    this.#tokens.delete(token)
    return undefined
  }

  /// Tokens that have summaries, or are about to.
  tracked(): IterableIterator<number> {
    return this.#tokens.keys()
  }

  forgetBlock(block: number): void {
    for (const summaries of this.#tokens.values()) summaries.forgetBlock(block)
  }

  /// The token's number is free for another one.
  forgetToken(token: number): void {
    const known = this.#tokens.get(token)
    this.#tokens.delete(token)
    if (known !== undefined) this.cache.drop(known)
  }

  /// The partition is let go: nothing is kept any more.
  clear(): void {
    this.#isClosed = true
    for (const token of [...this.#tokens.keys()]) this.forgetToken(token)
  }
}
