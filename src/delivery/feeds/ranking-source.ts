/// A stretch of an order, mostly its first tokens, as a live state: who is in it, in which order, who entered, left and moved since the
/// last message, and their statistics.

import type { TokenStats } from '../../core/stats.js'
import type { EpochMs } from '../../core/units.js'
import type { Standing } from '../rankings/standing.js'
import type { Standings } from '../rankings/standings.js'
import { encodeChanges, encodeSelection, type Selection } from '../wire/stats.js'
import { type MessageParts, timesText } from './parts.js'
import type { StateSource } from './state-feed.js'

export interface RankingSourceOptions {
  readonly standings: Standings
  /// Held for this source.
  readonly standing: Standing
  readonly offset: number
  readonly limit: number
  readonly selection: Selection
  readonly delta: boolean
}

interface Move {
  readonly token: string
  readonly from: number
  readonly to: number
}

/// How one list of names became another.
export interface ListChange {
  readonly enter: readonly string[]
  readonly leave: readonly string[]
  readonly move: readonly Move[]
}

export class RankingSource implements StateSource {
  readonly #options: RankingSourceOptions
  #seen = -1
  #top: readonly TokenStats[] = []
  #before: readonly TokenStats[] = []
  #total = 0
  #ready = false

  constructor(options: RankingSourceOptions) {
    this.#options = options
  }

  get ready(): boolean {
    return this.#ready
  }

  refresh(): boolean {
    const { standings, standing, offset, limit } = this.#options
    if (!standings.refresh(standing)) return false
    const { revision, size } = standing
    if (this.#ready && revision === this.#seen) return false
    const top = standing.slice(offset, limit).map(({ stats }) => stats)
    const same =
      this.#ready &&
      size === this.#total &&
      top.length === this.#top.length &&
      top.every((stats, i) => stats === this.#top[i])
    this.#seen = revision
    if (same) return false
    this.#before = this.#top
    this.#top = top
    this.#total = size
    this.#ready = true
    return true
  }

  whole(type: 'snapshot' | 'update', name: string, sent: EpochMs): MessageParts {
    const change = { enter: this.#top.map(({ token }) => token), leave: [], move: [] }
    return this.#message(type, name, change, this.#texts(null), sent)
  }

  change(name: string, sent: EpochMs): MessageParts {
    const change = listChange(
      this.#before.map(({ token }) => token),
      this.#top.map(({ token }) => token),
    )
    return this.#message('update', name, change, this.#texts(this.#options.delta ? this.#before : null), sent)
  }

  close(): void {
    this.#options.standings.release(this.#options.standing)
  }

  /// Of all that are in it; against what was there before, only what has changed.
  #texts(before: readonly TokenStats[] | null): readonly string[] {
    const { selection } = this.#options
    if (before === null) return this.#top.map(stats => encodeSelection(stats, selection))
    const known = new Map(before.map(stats => [stats.token, stats]))
    return this.#top.flatMap(stats => {
      const base = known.get(stats.token)
      if (base === undefined) return [encodeSelection(stats, selection)]
      return base === stats ? [] : [encodeChanges(base, stats, selection)]
    })
  }

  #message(
    type: 'snapshot' | 'update',
    name: string,
    { enter, leave, move }: ListChange,
    texts: readonly string[],
    sent: EpochMs,
  ): MessageParts {
    const { standing, offset, limit } = this.#options
    const { sort, order, filter } = standing.rule
    const newest = (pick: (stats: TokenStats) => number | undefined) =>
      this.#top.reduce<number | null>((most, stats) => {
        const value = pick(stats)
        return value === undefined ? most : Math.max(most ?? value, value)
      }, null)
    const times = { event: newest(stats => stats.lastSeen), rolled: newest(stats => stats.rolledAt), sent }
    const text =
      `,"channel":"ranking","name":${JSON.stringify(name)},"ranking":{"sort":"${sort.name}","order":"${order}"` +
      `,"filter":${JSON.stringify(filter?.text ?? null)},"offset":${offset},"limit":${limit},"total":${this.#total}` +
      `,"tokens":${JSON.stringify(this.#top.map(({ token }) => token))},"enter":${JSON.stringify(enter)}` +
      `,"leave":${JSON.stringify(leave)},"move":${JSON.stringify(move)},"stats":[${texts.join(',')}]}` +
      `,"times":${timesText(times)}}`
    return { type, tail: Buffer.from(text) }
  }
}

/// A token moves when its order among those that stay has changed: one that enters at the top moves nobody.
/// Example: A B C → D B A: D enters, C leaves, B moves from 1 to 1, A from 0 to 2.
export function listChange(before: readonly string[], after: readonly string[]): ListChange {
  const now = new Set(after)
  const then = new Set(before)
  const stayedBefore = before.filter(token => now.has(token))
  const stayedAfter = after.filter(token => then.has(token))
  const place = new Map(stayedBefore.map((token, i) => [token, i]))
  const move: Move[] = []
  for (const [i, token] of stayedAfter.entries()) {
    if (place.get(token) !== i) move.push({ token, from: before.indexOf(token), to: after.indexOf(token) })
  }
  return {
    enter: after.filter(token => !then.has(token)),
    leave: before.filter(token => !now.has(token)),
    move,
  }
}
