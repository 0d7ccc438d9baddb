/// The tokens by which the page measures how long a swap takes to this very screen: the most active ones of now, followed as fast as they
/// change, drawn, and noted when their frame is on the screen.

import { signal } from '@preact/signals'
import type { TokenUpdate } from '../../client/client.js'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { afterPaint } from '../session/after-paint.js'
import { FollowedTokens } from '../session/followed-tokens.js'
import type { Session } from '../session/session.js'

const TOKENS = 12
/// While nobody trades there is nothing to follow yet.
const AGAIN_MS = 2000

export interface MeasuredToken {
  readonly token: string
  readonly stats: TokenStatistics
  /// Of its last swap, to the screen; null before one was seen.
  readonly delayMs: number | null
}

export class MeasuredTokens {
  /// In the order in which they were chosen.
  readonly shown = signal<readonly MeasuredToken[]>([])
  readonly #session: Session
  readonly #window: string
  readonly #delays = new Map<string, number>()
  readonly #events = new Map<string, number>()
  #followed: FollowedTokens | null = null
  #timer = 0
  #ended = false

  /// `window` says over which the most active ones are chosen.
  constructor(session: Session, window: string) {
    this.#session = session
    this.#window = window
    void this.#choose()
  }

  end(): void {
    this.#ended = true
    window.clearTimeout(this.#timer)
    this.#followed?.end()
  }

  async #choose(): Promise<void> {
    const tokens = await this.#mostActive()
    if (this.#ended) return
    if (tokens.length === 0) {
      this.#timer = window.setTimeout(() => void this.#choose(), AGAIN_MS)
      return
    }
    const followed = new FollowedTokens(this.#session.client, tokens, {
      windows: [this.#window],
      fields: ['priceUsd', 'txns'],
      onFrame: updates => this.#drawn(tokens, updates),
    })
    this.#followed = followed
  }

  async #mostActive(): Promise<readonly string[]> {
    try {
      const { tokens } = await this.#session.client.tokens({
        sort: `txns.${this.#window}.total`,
        limit: TOKENS,
        windows: [this.#window],
        fields: ['priceUsd'],
      })
      return tokens.map(({ token }) => token)
    } catch {
      // The page says at its top what is the matter.
      return []
    }
  }

  #drawn(tokens: readonly string[], updates: readonly TokenUpdate[]): void {
    this.shown.value = tokens.flatMap(token => {
      const stats = this.#followed?.of(token) ?? null
      return stats === null ? [] : [{ token, stats, delayMs: this.#delays.get(token) ?? null }]
    })
    // A snapshot, and what changed because a window moved, tell of no swap that is new.
    const swaps = updates.filter(update => {
      const { event } = update.times
      const before = this.#events.get(update.token)
      if (event === null || (before !== undefined && event <= before)) return false
      this.#events.set(update.token, event)
      return before !== undefined && update.type === 'update'
    })
    if (swaps.length === 0) return
    afterPaint(() => {
      const now = this.#session.serverNow()
      for (const { token, times } of swaps) {
        this.#session.delays.note(times, now)
        if (times.event !== null) this.#delays.set(token, Math.max(0, now - times.event))
      }
    })
  }
}
