/// The rankings that are kept in order: those that feeds follow, and those that were asked for twice within some
/// seconds. Bounded; whatever finds no room is ranked from scratch.

import type { TokenStats } from '../../core/stats.js'
import { type EpochMs, epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { ReadableTokens } from '../token-table.js'
import { type RankingRule, ruleText } from './rank.js'
import { Standing } from './standing.js'

/// An answer may be so old.
const FRESH_MS = 100
/// Asked for again within this, a ranking is kept in order; not asked for as long, it is let go.
const INTEREST_MS = 30_000
const STANDINGS_MAX = 64
const ASKED_MAX = 256

interface Kept {
  readonly standing: Standing
  readonly name: string
  holders: number
  askedAt: EpochMs
  refreshedAt: number
}

export interface StandingsOptions {
  readonly tokens: ReadableTokens
  readonly clock: Clock
}

export class Standings {
  readonly #options: StandingsOptions
  readonly #kept = new Map<string, Kept>()
  /// When a ranking that is not kept was last asked for, oldest first.
  readonly #asked = new Map<string, EpochMs>()
  #cancelWake: (() => void) | null = null

  constructor(options: StandingsOptions) {
    this.#options = options
  }

  /// Call with every change of a token.
  note(token: string, stats: TokenStats | null): void {
    for (const { standing } of this.#kept.values()) standing.note(token, stats)
  }

  /// The ranking where it is kept and complete, else null.
  asked(rule: RankingRule): Standing | null {
    const now = this.#options.clock.now()
    const name = ruleText(rule)
    const kept = this.#kept.get(name) ?? this.#keepWhenWanted(name, rule, now)
    if (kept === null) return null
    kept.askedAt = now
    // Who has to wait for a ranking from scratch helps to make it the last one.
    if (!kept.standing.complete) kept.standing.refresh(this.#options.tokens.revision)
    return this.#current(kept) ? kept.standing : null
  }

  /// Keeps the ranking until it is released as often as it was held; null when there is no room.
  hold(rule: RankingRule): Standing | null {
    const name = ruleText(rule)
    const kept = this.#kept.get(name) ?? this.#keep(name, rule, this.#options.clock.now())
    if (kept === null) return null
    kept.holders++
    return kept.standing
  }

  release(standing: Standing): void {
    const kept = this.#kept.get(ruleText(standing.rule))
    if (kept?.standing === standing) kept.holders--
  }

  /// Takes in what has changed since; false while the ranking is not complete.
  refresh(standing: Standing): boolean {
    const kept = this.#kept.get(ruleText(standing.rule))
    return kept?.standing === standing && this.#current(kept)
  }

  get size(): number {
    return this.#kept.size
  }

  close(): void {
    this.#cancelWake?.()
    this.#cancelWake = null
    this.#kept.clear()
  }

  #current(kept: Kept): boolean {
    const { standing } = kept
    const now = this.#options.clock.now()
    // A clock that was set back must not keep an old answer alive.
    if (standing.complete && Math.abs(now - kept.refreshedAt) >= FRESH_MS) {
      kept.refreshedAt = now
      standing.refresh(this.#options.tokens.revision)
    }
    return standing.complete
  }

  #keepWhenWanted(name: string, rule: RankingRule, now: EpochMs): Kept | null {
    const before = this.#asked.get(name)
    this.#asked.delete(name)
    if (before !== undefined && now - before < INTEREST_MS) return this.#keep(name, rule, now)
    if (this.#asked.size >= ASKED_MAX) {
      for (const oldest of this.#asked.keys()) {
        this.#asked.delete(oldest)
        break
      }
    }
    this.#asked.set(name, now)
    return null
  }

  #keep(name: string, rule: RankingRule, now: EpochMs): Kept | null {
    if (this.#kept.size >= STANDINGS_MAX && !this.#dropIdlest()) return null
    const standing = new Standing(rule, this.#options.tokens.values())
    const kept: Kept = { standing, name, holders: 0, askedAt: now, refreshedAt: now }
    this.#kept.set(name, kept)
    // The first piece at once: small rankings are then complete.
    standing.refresh(this.#options.tokens.revision)
    this.#armWake()
    return kept
  }

  #dropIdlest(): boolean {
    let idlest: Kept | null = null
    for (const kept of this.#kept.values()) {
      if (kept.holders === 0 && (idlest === null || kept.askedAt < idlest.askedAt)) idlest = kept
    }
    if (idlest === null) return false
    return this.#kept.delete(idlest.name)
  }

  /// Fills what is incomplete, a piece a turn, and lets go of what nobody wants.
  #armWake(): void {
    if (this.#cancelWake !== null || this.#kept.size === 0) return
    const filling = [...this.#kept.values()].some(({ standing }) => !standing.complete)
    const now = this.#options.clock.now()
    this.#cancelWake = this.#options.clock.at(epochMs(filling ? now : now + INTEREST_MS), () => {
      this.#cancelWake = null
      const idleBefore = this.#options.clock.now() - INTEREST_MS
      for (const kept of this.#kept.values()) {
        if (!kept.standing.complete) kept.standing.refresh(this.#options.tokens.revision)
        else if (kept.holders === 0 && kept.askedAt <= idleBefore) this.#kept.delete(kept.name)
      }
      this.#armWake()
    })
  }
}
