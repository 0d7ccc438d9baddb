/// The newest statistics of some tokens, live.

import { signal } from '@preact/signals'
import type { Subscription, TokenUpdate, VolumerClient } from '../../client/client.js'
import type { FieldName } from '../../delivery/wire/fields.js'
import type { TokenSubscription } from '../../delivery/wire/requests.js'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'

export interface FollowedOptions {
  /// All of them, unless given.
  readonly windows?: readonly string[]
  readonly fields?: readonly FieldName[]
  /// As fast as they come, unless given.
  readonly updatesPerSecond?: number
  /// Called in the frame that draws the updates, with those that came since the frame before.
  onFrame?(updates: readonly TokenUpdate[]): void
}

export class FollowedTokens {
  /// Changes whenever statistics did, once a frame at most.
  readonly revision = signal(0)
  readonly #stats = new Map<string, TokenStatistics | null>()
  readonly #subscription: Subscription<TokenSubscription>
  readonly #options: FollowedOptions
  #fresh: TokenUpdate[] = []
  #frame = 0

  constructor(client: VolumerClient, tokens: readonly string[], options: FollowedOptions) {
    const { windows, fields, updatesPerSecond } = options
    this.#options = options
    this.#subscription = client.subscribe<TokenSubscription>({
      channel: 'token',
      tokens: [...tokens],
      ...(windows === undefined ? {} : { windows: [...windows] }),
      ...(fields === undefined ? {} : { fields: [...fields] }),
      mode: 'delta',
      ...(updatesPerSecond === undefined ? {} : { maxRate: updatesPerSecond }),
    })
    void this.#read()
  }

  /// null: it has no swap within the retention. undefined: not known yet.
  of(token: string): TokenStatistics | null | undefined {
    return this.#stats.get(token)
  }

  end(): void {
    cancelAnimationFrame(this.#frame)
    this.#subscription.unsubscribe()
  }

  async #read(): Promise<void> {
    try {
      for await (const update of this.#subscription) {
        this.#stats.set(update.token, update.stats)
        if (this.#options.onFrame !== undefined && !document.hidden) this.#fresh.push(update)
        if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#changed())
      }
    } catch {
      // The connection is given up, which the page says at its top.
    }
  }

  #changed(): void {
    this.#frame = 0
    this.revision.value++
    this.#options.onFrame?.(this.#fresh)
    this.#fresh = []
  }
}
