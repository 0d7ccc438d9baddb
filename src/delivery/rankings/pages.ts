/// Pages of a ranking that stay consistent while numbers move.
///
/// `cursor=*` begins: the order of that instant is kept, with the statistics as they were, and every later page is cut
/// from it: no token comes twice, none is left out. What is kept is bounded in time, in depth and over all readers. A
/// page that is no longer kept, or was begun on another instance, or lies deeper, continues by value instead: tokens
/// that come after the last one now. Such a page says `consistent: false`.

import { createHash } from 'node:crypto'
import type { EpochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { ReadableTokens } from '../token-table.js'
import { TOKEN_LENGTH_MAX } from '../wire/schema.js'
import { type After, type Entry, type Ranked, type RankingRule, rankInTurns, ruleText } from './rank.js'
import type { Key } from './sort.js'
import type { Standings } from './standings.js'

/// Entries that one reader may page through consistently.
export const DEPTH_MAX = 10_000
const KEPT_MS = 120_000
/// That of the longest name, three characters to a number.
const KEY_LENGTH_MAX = Math.ceil(TOKEN_LENGTH_MAX / 3)
/// Over all readers. Statistics that have been replaced meanwhile live on in them: some 1.7 KB each.
const ENTRIES_MAX = 50_000

export interface Page extends Ranked {
  /// Where the next page begins; null on the last page, and without cursors.
  readonly next: string | null
  /// Whether this page is of the same instant as the first; null without cursors.
  readonly consistent: boolean | null
  /// Tokens that had to be looked at for it: none where the ranking is kept in order.
  readonly scanned: number
  /// The table's revision that it shows.
  readonly revision: number
}

type First = Ranked & Pick<Page, 'scanned' | 'revision'>

interface Kept {
  readonly entries: readonly Entry[]
  readonly total: number
  readonly revision: number
  readonly since: EpochMs
}

interface Cursor {
  readonly kept: number
  readonly index: number
  readonly rule: string
  readonly key: Key
  readonly token: string
}

export interface PagesOptions {
  readonly standings: Standings
  readonly tokens: ReadableTokens
  readonly clock: Clock
  /// Differs between processes, so that a cursor of another one is told from ours.
  readonly instance: number
  /// Resolves in a later turn of the event loop.
  nextTurn(): Promise<void>
}

export class Pages {
  readonly #options: PagesOptions
  /// Oldest first.
  readonly #kept = new Map<number, Kept>()
  #entries = 0
  #nextId: number

  constructor(options: PagesOptions) {
    this.#options = options
    this.#nextId = options.instance
  }

  /// null when the cursor is none of this rule's. `*` begins, undefined asks for the first page only, which may be a
  /// tenth of a second old.
  async page(rule: RankingRule, limit: number, cursor: string | undefined): Promise<Page | null> {
    if (cursor === undefined) {
      return { ...(await this.#first(rule, limit)), next: null, consistent: null }
    }
    this.#dropOld()
    if (cursor === '*') return this.#begin(rule, limit)
    const from = decode(cursor)
    if (from === null || from.rule !== ruleHash(rule)) return null
    const kept = this.#kept.get(from.kept)
    return kept === undefined
      ? this.#continueByValue(rule, limit, from)
      : this.#cut(rule, from.kept, kept, from.index, limit)
  }

  async #first(rule: RankingRule, limit: number): Promise<First> {
    const { standings, tokens, nextTurn } = this.#options
    const standing = standings.asked(rule)
    if (standing === null) {
      const { revision, size } = tokens
      return { ...(await rankInTurns(tokens.values(), rule, limit, nextTurn)), scanned: size, revision }
    }
    const { size, tableRevision } = standing
    return { entries: standing.first(limit), total: size, scanned: 0, revision: tableRevision }
  }

  async #begin(rule: RankingRule, limit: number): Promise<Page> {
    const { entries, total, scanned, revision } = await this.#first(rule, DEPTH_MAX)
    const kept = { entries, total, revision, since: this.#options.clock.now() }
    const id = this.#nextId++
    if (total > limit) {
      this.#kept.set(id, kept)
      this.#entries += entries.length
      this.#dropOld()
    }
    return { ...(await this.#cut(rule, id, kept, 0, limit)), scanned }
  }

  async #cut(rule: RankingRule, id: number, kept: Kept, index: number, limit: number): Promise<Page> {
    const entries = kept.entries.slice(index, index + limit)
    const end = index + entries.length
    const last = kept.entries[end - 1]
    const next = end < kept.total && last !== undefined ? encode(rule, id, end, last) : null
    // Past the depth the next page is continued by value.
    if (entries.length === 0 && end < kept.total && last !== undefined) {
      return this.#continueByValue(rule, limit, { ...last, token: last.stats.token })
    }
    return { entries, total: kept.total, next, consistent: true, scanned: 0, revision: kept.revision }
  }

  async #continueByValue(rule: RankingRule, limit: number, after: After): Promise<Page> {
    const { tokens, nextTurn } = this.#options
    const { revision } = tokens
    const ranked = await rankInTurns(tokens.values(), rule, limit + 1, nextTurn, after)
    const entries = ranked.entries.slice(0, limit)
    const last = entries.at(-1)
    const more = ranked.entries.length > limit && last !== undefined
    const next = more ? encode(rule, 0, 0, last) : null
    return { entries, total: ranked.total, next, consistent: false, scanned: tokens.size, revision }
  }

  #dropOld(): void {
    const before = this.#options.clock.now() - KEPT_MS
    for (const [id, { entries, since }] of this.#kept) {
      if (since > before && this.#entries <= ENTRIES_MAX) return
      this.#kept.delete(id)
      this.#entries -= entries.length
    }
  }
}

function ruleHash(rule: RankingRule): string {
  return createHash('sha256').update(ruleText(rule)).digest('base64url').slice(0, 12)
}

function encode(rule: RankingRule, kept: number, index: number, { key, stats }: Entry): string {
  const parts = [kept, index, ruleHash(rule), key, stats.token]
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

function decode(cursor: string): Cursor | null {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return null
  }
  if (!Array.isArray(parts)) return null
  const [kept, index, rule, key, token]: unknown[] = parts
  if (!Number.isSafeInteger(kept) || !Number.isSafeInteger(index) || Number(index) < 0) return null
  if (
    typeof rule !== 'string' ||
    typeof token !== 'string' ||
    !Array.isArray(key) ||
    key.length > KEY_LENGTH_MAX
  )
    return null
  // JSON has no NaN: an unknown value comes back as null.
  const numbers = key.map(part => (typeof part === 'number' ? part : Number.NaN))
  return { kept: Number(kept), index: Number(index), rule, key: numbers, token }
}
