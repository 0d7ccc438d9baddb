/// The swaps of a token as they are accepted, newest first: those that the server still has, then live ones.

import { signal } from '@preact/signals'
import type { Subscription, TradesUpdate, VolumerClient } from '../../client/client.js'
import type { TradesSubscription } from '../../delivery/wire/requests.js'

export interface TapeSwap {
  readonly key: string
  readonly time: number
  readonly who: string
  readonly side: 'buy' | 'sell'
  readonly usd: string
  readonly amount: string
  readonly price: string | null
  /// It came while the reader was looking.
  readonly live: boolean
}

type Told = Omit<TapeSwap, 'key' | 'live'>

/// More than are on a screen.
const SWAPS = 60
const UPDATES_PER_SECOND = 5

export class Tape {
  /// Newest first.
  readonly swaps = signal<readonly TapeSwap[]>([])
  readonly #client: VolumerClient
  readonly #token: string
  readonly #subscription: Subscription<TradesSubscription>
  #waiting: TapeSwap[] = []
  #frame = 0
  #ended = false

  constructor(client: VolumerClient, token: string) {
    this.#client = client
    this.#token = token
    this.#subscription = client.subscribe<TradesSubscription>({
      channel: 'trades',
      tokens: [token],
      maxRate: UPDATES_PER_SECOND,
    })
    void this.#read()
  }

  end(): void {
    this.#ended = true
    cancelAnimationFrame(this.#frame)
    this.#subscription.unsubscribe()
  }

  async #read(): Promise<void> {
    try {
      for await (const update of this.#subscription) this.#heard(update)
    } catch {
      // The connection is given up, which the page says at its top.
    }
  }

  #heard({ type, trades }: TradesUpdate): void {
    this.#take(trades, type === 'update')
    if (type === 'snapshot' && trades.length < SWAPS / 2) void this.#askForOlder()
  }

  /// What was accepted before this server was started is in no feed.
  async #askForOlder(): Promise<void> {
    try {
      const { trades } = await this.#client.recentTrades(this.#token, SWAPS)
      if (!this.#ended) this.#take(trades, false)
    } catch {
      // A token that nobody has traded has none.
    }
  }

  #take(told: readonly Told[], live: boolean): void {
    const fresh = told.map(({ time, who, side, usd, amount, price }) => {
      const key = `${time} ${side} ${who} ${amount} ${usd}`
      return { key, time, who, side, usd, amount, price, live }
    })
    // In a tab that nobody sees there are no frames.
    this.#waiting = [...this.#waiting, ...fresh].slice(-SWAPS)
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw())
  }

  #draw(): void {
    this.#frame = 0
    const all = new Map(this.swaps.value.map(swap => [swap.key, swap]))
    for (const swap of this.#waiting) if (!all.has(swap.key)) all.set(swap.key, swap)
    this.#waiting = []
    this.swaps.value = [...all.values()].sort((a, b) => b.time - a.time).slice(0, SWAPS)
  }
}
