/// The candles of a token in one interval: followed live from the archive, older ones asked for when the reader goes back in time, and the
/// newest one moved by the live price, since the archive is a second or two behind.

import { signal } from '@preact/signals'
import {
  type CandlesUpdate,
  type Subscription,
  type VolumerClient,
  VolumerError,
} from '../../client/client.js'
import type { CandleJson } from '../../delivery/wire/archive.js'
import type { CandlesSubscription } from '../../delivery/wire/requests.js'
import { INTERVAL_MS, type Interval } from '../route/route.js'

/// What is drawn. Times are epoch ms.
export interface Candle {
  readonly time: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly buyVolume: number
  readonly sellVolume: number
  readonly swaps: number
  /// null while it is only made of live prices.
  readonly traders: number | null
}

export type SeriesState = 'asking' | 'there' | 'no-archive' | 'away'

const FOLLOWED = 500
const OLDER = 500
/// Intervals in which there was none before it is believed that there are none at all.
const REACH_MAX = 4000
/// Candles that are held at most.
const HELD_MAX = 20_000

export class CandleSeries {
  readonly state = signal<SeriesState>('asking')
  /// Ascending. Another array whenever one of them has changed.
  readonly candles = signal<readonly Candle[]>([])
  readonly #client: VolumerClient
  readonly #token: string
  readonly #interval: Interval
  readonly #subscription: Subscription<CandlesSubscription>
  #older: readonly Candle[] = []
  #followed: readonly Candle[] = []
  #live: Candle | null = null
  #reach = OLDER
  #asking = false
  #atBeginning = false
  #ended = false

  constructor(client: VolumerClient, token: string, interval: Interval) {
    this.#client = client
    this.#token = token
    this.#interval = interval
    this.#subscription = client.subscribe<CandlesSubscription>({
      channel: 'candles',
      token,
      interval,
      limit: FOLLOWED,
      mode: 'delta',
    })
    void this.#read()
  }

  end(): void {
    this.#ended = true
    this.#subscription.unsubscribe()
  }

  /// The price at an instant of the server's clock.
  price(now: number, price: number): void {
    const length = INTERVAL_MS[this.#interval]
    const time = now - (now % length)
    const known =
      this.#live?.time === time ? this.#live : (this.#followed.findLast(each => each.time === time) ?? null)
    const last = this.#followed.at(-1) ?? this.#older.at(-1)
    if (last === undefined || time < last.time || known?.close === price) return
    this.#live =
      known === null
        ? {
            time,
            open: price,
            high: price,
            low: price,
            close: price,
            buyVolume: 0,
            sellVolume: 0,
            swaps: 0,
            traders: null,
          }
        : { ...known, close: price, high: Math.max(known.high, price), low: Math.min(known.low, price) }
    this.#changed()
  }

  /// Asks for candles before the first one, once at a time.
  async goBack(): Promise<void> {
    const [first] = this.#older.length > 0 ? this.#older : this.#followed
    const full = this.#older.length >= HELD_MAX
    if (this.#asking || this.#atBeginning || full || first === undefined) return
    this.#asking = true
    try {
      const length = INTERVAL_MS[this.#interval]
      const { candles } = await this.#client.candles(this.#token, {
        interval: this.#interval,
        from: Math.max(0, first.time - this.#reach * length),
        to: first.time,
      })
      // Over a hole, farther at each try.
      if (candles.length === 0) this.#reach *= 2
      this.#atBeginning = this.#reach > REACH_MAX
      this.#older = [...candles.flatMap(drawable), ...this.#older]
      if (!this.#ended) this.#changed()
    } catch {
      // The next movement asks again.
    }
    this.#asking = false
  }

  async #read(): Promise<void> {
    try {
      for await (const update of this.#subscription) this.#heard(update)
    } catch (error) {
      if (this.#ended) return
      this.state.value =
        error instanceof VolumerError && /archive/.test(`${error.code} ${error.message}`)
          ? 'no-archive'
          : 'away'
    }
  }

  #heard({ candles }: CandlesUpdate): void {
    const before = this.#followed
    this.#followed = candles.flatMap(drawable)
    const [first] = this.#followed
    // What has left the followed stretch at its beginning is still drawn.
    const left = first === undefined ? [] : before.filter(({ time }) => time < first.time)
    this.#older = [...this.#older, ...left]
      .filter(({ time }) => first === undefined || time < first.time)
      .slice(-HELD_MAX)
    const newest = this.#followed.at(-1)
    if (this.#live !== null && newest !== undefined && newest.time > this.#live.time) this.#live = null
    this.state.value = 'there'
    this.#changed()
  }

  #changed(): void {
    const live = this.#live
    const known = [...this.#older, ...this.#followed]
    if (live === null) {
      this.candles.value = known
      return
    }
    const archived = known.at(-1)?.time === live.time ? known.pop() : undefined
    this.candles.value = [
      ...known,
      archived === undefined ? live : { ...archived, ...spanned(archived, live) },
    ]
  }
}

/// An archived candle with what the live price did since.
function spanned(archived: Candle, live: Candle): Pick<Candle, 'high' | 'low' | 'close'> {
  return {
    high: Math.max(archived.high, live.high),
    low: Math.min(archived.low, live.low),
    close: live.close,
  }
}

/// None for a candle without a known price.
function drawable({
  time,
  open,
  high,
  low,
  close,
  buyVolume,
  sellVolume,
  buys,
  sells,
  traders,
}: CandleJson): Candle[] {
  if (open === null || high === null || low === null || close === null) return []
  return [
    {
      time,
      open: Number(open),
      high: Number(high),
      low: Number(low),
      close: Number(close),
      buyVolume: Number(buyVolume),
      sellVolume: Number(sellVolume),
      swaps: buys + sells,
      traders,
    },
  ]
}
