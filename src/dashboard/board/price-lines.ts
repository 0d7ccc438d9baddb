/// The lines of prices beside the rows: from the archive's candles where there is an archive, else from the prices at which the windows
/// opened; then the live price goes on with them.
///
/// Only rows that are looked at are asked for, a few at a time. What was asked for is kept, boundedly.

import { signal } from '@preact/signals'
import { type VolumerClient, VolumerError } from '../../client/client.js'
import { windowMs } from '../numbers/format.js'
import { INTERVAL_MS, intervalFor } from '../route/route.js'

/// Points of a line, ascending in time.
export interface PriceLine {
  readonly times: readonly number[]
  readonly prices: readonly number[]
}

/// A line has about so many points: more could not be seen.
const POINTS = 48
const LINES_MAX = 400
const AT_ONCE = 3
/// A line that was not looked at for this share of its window is asked for again.
const STALE_SHARE = 1 / 8
const PAUSE_MS_MIN = 1000

interface Kept {
  line: PriceLine
  extendedAt: number
}

export class PriceLines {
  /// Changes when a line came.
  readonly revision = signal(0)
  readonly #client: VolumerClient
  readonly #window: string
  readonly #names: readonly string[]
  readonly #lines = new Map<string, Kept>()
  readonly #asked = new Set<string>()
  #queue: Wish[] = []
  #archive = true
  #pausedUntil = 0
  #timer = 0
  #ended = false

  /// `names` are those of all windows.
  constructor(client: VolumerClient, window: string, names: readonly string[]) {
    this.#client = client
    this.#window = window
    this.#names = names.filter(name => windowMs(name) <= windowMs(window))
  }

  of(token: string): PriceLine | undefined {
    return this.#lines.get(token)?.line
  }

  /// These are looked at, as of the server's clock. Whatever was wished for before and is not there yet is not any more.
  want(wishes: readonly Wish[], now: number): void {
    const stale = now - windowMs(this.#window) * STALE_SHARE
    this.#queue = wishes.filter(({ token }) => {
      const kept = this.#lines.get(token)
      return !this.#asked.has(token) && (kept === undefined || kept.extendedAt < stale)
    })
    for (const { token, price } of wishes) this.#extend(token, price, now)
    this.#work()
  }

  end(): void {
    this.#ended = true
    this.#queue = []
    window.clearTimeout(this.#timer)
  }

  /// The live price goes on with the line, a point for each of its steps.
  #extend(token: string, price: number, now: number): void {
    const kept = this.#lines.get(token)
    if (kept === undefined || !Number.isFinite(price)) return
    kept.extendedAt = now
    const { times, prices } = kept.line
    const span = windowMs(this.#window)
    if (now - (times.at(-1) ?? 0) < span / POINTS) return
    const first = times.findIndex(time => time > now - span)
    const from = first < 0 ? times.length : first
    kept.line = { times: [...times.slice(from), now], prices: [...prices.slice(from), price] }
    // Youngest last: the oldest line goes when there are too many.
    this.#lines.delete(token)
    this.#lines.set(token, kept)
  }

  #work(): void {
    const pause = this.#pausedUntil - Date.now()
    if (pause > 0) {
      window.clearTimeout(this.#timer)
      this.#timer = window.setTimeout(() => this.#work(), pause)
      return
    }
    while (this.#asked.size < AT_ONCE) {
      const wish = this.#queue.shift()
      if (wish === undefined) return
      if (this.#archive) void this.#ask([wish], () => this.#fromCandles(wish))
      else {
        const batch = [wish, ...this.#queue.splice(0)]
        void this.#ask(batch, () => this.#fromOpens(batch))
      }
    }
  }

  async #ask(wishes: readonly Wish[], question: () => Promise<void>): Promise<void> {
    for (const { token } of wishes) this.#asked.add(token)
    try {
      await question()
    } catch (error) {
      this.#failed(error, wishes)
    }
    for (const { token } of wishes) this.#asked.delete(token)
    if (this.#ended) return
    this.revision.value++
    this.#work()
  }

  #failed(error: unknown, wishes: readonly Wish[]): void {
    if (error instanceof VolumerError && (error.code === 'no-archive' || error.code === 'unknown-route')) {
      this.#archive = false
      this.#queue = [...wishes, ...this.#queue]
      return
    }
    const retryAfterMs = error instanceof VolumerError ? error.retryAfterMs : null
    this.#pausedUntil = Date.now() + Math.max(PAUSE_MS_MIN, retryAfterMs ?? 0)
  }

  async #fromCandles({ token, since, now, price }: Wish): Promise<void> {
    const from = Math.max(now - windowMs(this.#window), since)
    const interval = intervalFor(now - from)
    const intervalMs = INTERVAL_MS[interval]
    const { candles } = await this.#client.candles(token, {
      interval,
      from: Math.floor(from / intervalMs) * intervalMs,
      to: Math.ceil(now) + 1,
    })
    const known = candles.flatMap(({ time, close }) =>
      close === null ? [] : [{ time: Math.min(now, time + intervalMs), price: Number(close) }],
    )
    const first = candles.find(({ open }) => open !== null)
    const begin = first?.open ? [{ time: Math.max(from, first.time), price: Number(first.open) }] : []
    this.#keep(token, [...begin, ...thinned(known), { time: now, price }], now)
  }

  async #fromOpens(wishes: readonly Wish[]): Promise<void> {
    const tokens = wishes.map(({ token }) => token)
    const answer = await this.#client.query(tokens, { fields: ['open', 'priceUsd'], windows: this.#names })
    for (const stats of answer.tokens) {
      const points = this.#names.toReversed().flatMap(name => {
        const open = stats.open?.[name]
        const time = stats.asOf - windowMs(name)
        return open === null || open === undefined ? [] : [{ time, price: Number(open) }]
      })
      const wish = wishes.find(({ token }) => token === stats.token)
      const begun = points.filter(({ time }) => time >= (wish?.since ?? 0))
      const [oldest] = points
      const from =
        oldest === undefined ? [] : [{ time: Math.max(oldest.time, wish?.since ?? 0), price: oldest.price }]
      const last = { time: stats.asOf, price: Number(stats.priceUsd ?? Number.NaN) }
      this.#keep(stats.token, [...from, ...begun, last], stats.asOf)
    }
  }

  #keep(token: string, points: readonly { time: number; price: number }[], now: number): void {
    const known = points.filter(({ price }) => Number.isFinite(price))
    const line = { times: known.map(({ time }) => time), prices: known.map(({ price }) => price) }
    this.#lines.delete(token)
    this.#lines.set(token, { line, extendedAt: now })
    for (const oldest of this.#lines.keys()) {
      if (this.#lines.size <= LINES_MAX) break
      this.#lines.delete(oldest)
    }
  }
}

/// A row that is looked at.
export interface Wish {
  readonly token: string
  /// Its first swap, epoch ms.
  readonly since: number
  /// The server's clock.
  readonly now: number
  readonly price: number
}

/// Evenly, the last one kept.
function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.ceil(points.length / POINTS)
  return step <= 1 ? points : points.filter((_, i) => (points.length - 1 - i) % step === 0)
}

/// An SVG path of a line that goes on to the live price, in a box of the given size; empty without a line.
export function pathOf(line: PriceLine | undefined, price: number, width: number, height: number): string {
  if (line === undefined || line.times.length === 0) return ''
  const prices = Number.isFinite(price) ? [...line.prices.slice(0, -1), price] : line.prices
  const least = Math.min(...prices)
  const range = Math.max(...prices) - least
  const begin = line.times[0] ?? 0
  const time = Math.max(1, (line.times.at(-1) ?? 0) - begin)
  const margin = 1.5
  const inner = height - 2 * margin
  return prices
    .map((each, i) => {
      const x = (((line.times[i] ?? 0) - begin) / time) * width
      const y = range === 0 ? height / 2 : margin + inner * (1 - (each - least) / range)
      return `${i === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}
