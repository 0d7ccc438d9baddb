/// Makes the summaries of tokens (summaries.ts), in steps of a millisecond or two: of the tokens with most
/// swaps before anybody asks, and of those that somebody has asked about. Questions make none: what is not there yet, they read
/// from rows.
///
/// After a restart nothing is there. Then, and whenever a block is past, has been sealed or its late swaps have been, what is
/// missing or out of date is made, newest blocks first.

import { offset, tick } from '../../units.js'
import type { Ledger } from '../ledger.js'
import { BLOCK_TICKS } from '../rows/block.js'
import type { TokenSummaries } from './summaries.js'
import { SummaryDraft } from './summary-draft.js'
import { swapsOf } from './swaps-of.js'
import { TokenQuery } from './token-query.js'

/// Bytes of a swap in summaries, roughly.
const SWAP_BYTES = 10.5
/// What share of the cache is for tokens that nobody has asked about.
const AHEAD_SHARE = 0.8
/// A block is past after so many ticks: most of what comes late has come by then. What comes later is added when it is a good part.
const PAST_TICKS = 30
const LATE_SHARE = 1 / 8
const REHEARSALS = 2
/// Tokens that are looked at in a step.
const STEP_TOKENS = 1 << 13

export class Summarizing {
  readonly #ledger: Ledger
  readonly #draft = new SummaryDraft()
  readonly #work: Iterator<'more' | 'idle', never>
  /// When tokens were chosen.
  #chosenAt = -1
  #rehearsals = REHEARSALS

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    this.#work = this.#forever()
  }

  /// Goes on for a step. False when there is nothing to do for now.
  step(): boolean {
    return this.#work.next().value === 'more'
  }

  *#forever(): Generator<'more' | 'idle', never> {
    const { summaries } = this.#ledger
    for (;;) {
      if (this.#chosenAt !== this.#state()) yield* this.#choose()
      let isIdle = true
      for (const token of [...summaries.tracked()]) {
        const of = summaries.of(token)
        if (of === undefined || of.madeAt === this.#state()) continue
        isIdle = false
        yield* this.#make(token, of)
        if (this.#rehearsals > 0 && !of.isEmpty) yield* this.#rehearse(token, of)
        yield 'more'
      }
      if (isIdle) yield 'idle'
    }
  }

  /// Asks for all there is, and forgets the answer: the first question of a process would pay for code that has not been
  /// compiled yet, with five times what the next one takes.
  *#rehearse(token: number, of: TokenSummaries): Generator<'more', void> {
    const ledger = this.#ledger
    const { isAsked } = of
    this.#rehearsals--
    const now = ledger.view.now + ledger.origin
    const stretches = [{ after: tick(ledger.view.expiredUpTo + ledger.origin), to: tick(now) }]
    const question = { stretches, medians: [0], largest: 10, newest: 0, traders: 10 }
    const query = new TokenQuery(ledger, token, ledger.origin, offset(0), question)
    // Nobody has.
    of.isAsked = isAsked
    while (query.step() === 'more') yield 'more'
  }

  /// Finds the tokens with most swaps whose summaries find room.
  *#choose(): Generator<'more', void> {
    const { tokenNames, summaries } = this.#ledger
    const { aheadSwaps, bytesMax } = summaries.cache.limits
    this.#chosenAt = this.#state()
    const found: { readonly token: number; readonly swaps: number }[] = []
    for (let token = 0; token < tokenNames.idLimit; token++) {
      if (token % STEP_TOKENS === STEP_TOKENS - 1) yield 'more'
      if (!tokenNames.has(token) || summaries.of(token) !== undefined) continue
      const swaps = swapsOf(this.#ledger, token)
      if (swaps >= aheadSwaps) found.push({ token, swaps })
    }
    if (found.length === 0) return
    let room = AHEAD_SHARE * bytesMax - summaries.cache.bytes
    for (const token of summaries.tracked()) {
      const missing = swapsOf(this.#ledger, token) * SWAP_BYTES - (summaries.of(token)?.bytes ?? 0)
      room -= Math.max(0, missing)
    }
    for (const { token, swaps } of found.sort((a, b) => b.swaps - a.swaps)) {
      if (swaps * SWAP_BYTES > room) continue
      room -= swaps * SWAP_BYTES
      if (tokenNames.has(token)) summaries.track(token)
    }
  }

  /// Makes what a token's summaries lack, until there is no more room.
  *#make(token: number, of: TokenSummaries): Generator<'more', void> {
    const { tokenBlocks } = this.#ledger.slices
    const { spanBlocks } = of.limits
    const until = this.#state()
    const blocks: number[] = []
    for (
      let node = tokenBlocks.from(token, Number.NEGATIVE_INFINITY);
      node >= 0;
      node = tokenBlocks.next(node)
    ) {
      blocks.push(tokenBlocks.blockOf(node))
    }
    const spans = new Set<number>()
    for (const block of blocks.reverse()) {
      spans.add(Math.floor(block / spanBlocks))
      if (this.#isMade(of, block)) continue
      if (yield* this.#makeBlock(token, of, block)) continue
      of.madeAt = until
      return
    }
    for (const span of spans) {
      const now = this.#partsOfSpan(span, spanBlocks)
      if (now === null || isEqual(now, of.partsOfSpan(span))) continue
      if (!(yield* this.#makeSpan(token, of, span, now))) break
    }
    of.madeAt = until
  }

  /// False when there is no room.
  *#makeBlock(token: number, of: TokenSummaries, block: number): Generator<'more', boolean> {
    const { parts, slices } = this.#ledger
    const draft = this.#draft
    const count = this.#partsOf(block)
    const rows = count > 0 ? null : (slices.get(block)?.rows ?? null)
    const hotRows = rows?.rows ?? 0
    const last = of.block(block)
    // Rows that were in memory are in parts in another order.
    const known = last !== undefined && last.parts > 0 === count > 0 ? last : null
    draft.begin()
    if (known !== null) draft.addBlock(known)
    if (rows !== null) draft.addHot(rows, token, known?.hotRows ?? 0, hotRows)
    else if (known === null) {
      const base = parts.runOf(block, token, 0)
      if (base === null || base.count < of.limits.runRows) return of.keepBlock(block, count, null)
      draft.addBase(base, this.#beginMs(block))
    }
    for (let part = known?.parts ?? 1; part < count; part++) this.#addPart(token, block, part)
    if (draft.count < of.limits.runRows) return of.keepBlock(block, count, null)
    yield 'more'
    draft.number(of.numbers)
    yield 'more'
    const { sums, largest } = draft
    const traders = yield* this.#list()
    yield 'more'
    if (this.#partsOf(block) < count || slices.get(block) === undefined) return true
    if (traders === null) return of.keepBlock(block, count, null)
    const summary = {
      parts: count,
      hotRows,
      count: draft.count,
      sums,
      traders,
      sizes: draft.sorted(),
      largest,
    }
    return of.keepBlock(block, count, summary)
  }

  /// Of its blocks' summaries, and of the rows of those that have none.
  *#makeSpan(
    token: number,
    of: TokenSummaries,
    span: number,
    now: readonly number[],
  ): Generator<'more', boolean> {
    const { spanBlocks, runRows } = of.limits
    const draft = this.#draft
    let firstPriced = -1
    let lastPriced = -1
    draft.begin()
    for (const [i, count] of now.entries()) {
      const block = span * spanBlocks + i
      const last = of.block(block)
      // One of rows in memory, which have been sealed since, says nothing of parts.
      const known = last !== undefined && last.parts > 0 ? last : undefined
      const wasPriced = draft.sums.pricedSlot >= 0
      draft.sums.pricedSlot = -1
      if (known !== undefined) draft.addTraders(known)
      for (let part = known?.parts ?? 0; part < count; part++) this.#addPart(token, block, part)
      draft.number(of.numbers)
      if (draft.sums.pricedSlot >= 0) {
        if (firstPriced < 0) firstPriced = block
        lastPriced = block
      } else if (wasPriced) draft.sums.pricedSlot = 0
      yield 'more'
      // A block has left the retention, or has more parts than there were.
      if (!isEqual(now, this.#partsOfSpan(span, spanBlocks))) return true
    }
    const { sums, count } = draft
    if (count < runRows * spanBlocks) return of.keepSpan(span, now, null)
    const traders = yield* this.#list()
    if (!isEqual(now, this.#partsOfSpan(span, spanBlocks))) return true
    if (traders === null) return of.keepSpan(span, now, null)
    return of.keepSpan(span, now, { parts: now, count, sums, traders, firstPriced, lastPriced })
  }

  *#list() {
    const making = this.#draft.list()
    for (let next = making.next(); ; next = making.next()) {
      if (next.done === true) return next.value
      yield 'more' as const
    }
  }

  #addPart(token: number, block: number, part: number): void {
    const run = this.#ledger.parts.runOf(block, token, part)
    if (run === null) return
    run.readRows(true)
    this.#draft.addRows(run.rows)
  }

  #beginMs(block: number): number {
    return block * BLOCK_TICKS * this.#ledger.resolutionMs
  }

  /// What decides which blocks are past, and what there is of them on disk: it never falls.
  #state(): number {
    const { slices, view, parts } = this.#ledger
    return parts.changes + slices.blockOf(view.now - PAST_TICKS)
  }

  #isMade(of: TokenSummaries, block: number): boolean {
    const { slices, view } = this.#ledger
    const entry = slices.get(block)
    if (entry === undefined) return true
    if (entry.onDisk) return this.#partsOf(block) <= of.partsOf(block)
    if (slices.beginOf(block + 1) > view.now - PAST_TICKS) return true
    const known = of.block(block)?.hotRows ?? 0
    return (entry.rows?.rows ?? 0) - known <= known * LATE_SHARE
  }

  /// Parts of a block that is on disk; else 0.
  #partsOf(block: number): number {
    const { slices, parts } = this.#ledger
    return slices.get(block)?.onDisk === true ? parts.countOf(block) : 0
  }

  /// Parts of a span's blocks; null while it goes on, or when a part of it has left the retention.
  #partsOfSpan(span: number, spanBlocks: number): number[] | null {
    const { slices, view } = this.#ledger
    const first = span * spanBlocks
    if (slices.beginOf(first) <= view.expiredUpTo || slices.beginOf(first + spanBlocks) > view.now)
      return null
    const counts: number[] = []
    for (let block = first; block < first + spanBlocks; block++) {
      counts.push(this.#partsOf(block))
      // What has not been sealed yet will be soon.
      if (slices.get(block)?.onDisk === false) return null
    }
    return counts
  }
}

function isEqual(a: readonly number[], b: readonly number[] | null): boolean {
  return b !== null && a.every((value, i) => value === b[i])
}
