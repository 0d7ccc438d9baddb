/// The statistics of one token counted anew from its swaps, in the plainest way: nothing of the roller is in it.

import type { TradeJson } from '../delivery/wire/archive.js'
import type { FullStatistics } from '../delivery/wire/token-statistics.js'

export interface RecountedWindow {
  readonly name: string
  readonly lengthMs: number
}

/// What differs between what is served and what was counted.
export interface Difference {
  readonly token: string
  /// Such as `volume.m5`.
  readonly what: string
  readonly served: unknown
  readonly counted: unknown
}

/// Sums of one window.
interface Count {
  buyUsd: bigint
  sellUsd: bigint
  amount: bigint
  largest: bigint | null
  buys: number
  sells: number
  readonly buyers: Set<string>
  readonly sellers: Set<string>
  readonly traders: Set<string>
  open: number | null
  close: number | null
  high: number | null
  low: number | null
}

const USD_DECIMALS = 6
const AMOUNT_DECIMALS = 18

export class Recount {
  readonly #token: string
  readonly #tick: number
  readonly #resolutionMs: number
  readonly #windows: readonly (RecountedWindow & { readonly count: Count })[]
  #lastSeen: number | null = null

  /// Windows end with the slice `tick` of event time.
  constructor(token: string, tick: number, resolutionMs: number, windows: readonly RecountedWindow[]) {
    this.#token = token
    this.#tick = tick
    this.#resolutionMs = resolutionMs
    this.#windows = windows.map(window => ({ ...window, count: nothing() }))
  }

  /// Swaps come newest first, in descending chain order.
  add(trade: TradeJson): void {
    const tick = Math.floor(trade.time / this.#resolutionMs)
    if (tick > this.#tick) return
    this.#lastSeen ??= trade.time
    for (const { lengthMs, count } of this.#windows) {
      if (tick > this.#tick - lengthMs / this.#resolutionMs) take(count, trade)
    }
  }

  /// Values of the windows that were counted, and when the token was traded last.
  differences(served: FullStatistics): Difference[] {
    const found: Difference[] = []
    const compare = (what: string, isThere: unknown, counted: unknown): void => {
      if (isThere !== counted) found.push({ token: this.#token, what, served: isThere, counted })
    }
    if (this.#lastSeen !== null) compare('lastSeen', served.lastSeen, this.#lastSeen)
    for (const { name, count } of this.#windows) {
      const volume = count.buyUsd + count.sellUsd
      const txns = served.txns[name]
      const fixed = (text: string | null | undefined, decimals: number) =>
        text === null || text === undefined ? (text ?? null) : plain(scaled(text, decimals), decimals)
      const usd = (micro: bigint) => plain(micro, USD_DECIMALS)
      compare(`volume.${name}`, fixed(served.volume[name], USD_DECIMALS), usd(volume))
      compare(`buyVolume.${name}`, fixed(served.buyVolume[name], USD_DECIMALS), usd(count.buyUsd))
      compare(`sellVolume.${name}`, fixed(served.sellVolume[name], USD_DECIMALS), usd(count.sellUsd))
      compare(
        `amount.${name}`,
        fixed(served.amount[name], AMOUNT_DECIMALS),
        plain(count.amount, AMOUNT_DECIMALS),
      )
      compare(
        `largestTrade.${name}`,
        fixed(served.largestTrade[name], USD_DECIMALS),
        count.largest === null ? null : usd(count.largest),
      )
      compare(`txns.${name}.buys`, txns?.buys, count.buys)
      compare(`txns.${name}.sells`, txns?.sells, count.sells)
      compare(`txns.${name}.total`, txns?.total, count.buys + count.sells)
      compare(`txns.${name}.buyers`, txns?.buyers, count.buyers.size)
      compare(`txns.${name}.sellers`, txns?.sellers, count.sellers.size)
      compare(`txns.${name}.traders`, txns?.traders, count.traders.size)
      for (const price of ['open', 'high', 'low', 'close'] as const) {
        compare(`${price}.${name}`, numberOf(served[price][name]), count[price])
      }
      compare(`priceChange.${name}`, served.priceChange[name], changeOf(count))
      const amount = Number(plain(count.amount, AMOUNT_DECIMALS))
      const vwap = volume === 0n || amount === 0 ? null : Number(usd(volume)) / amount
      compare(`vwap.${name}`, numberOf(served.vwap[name]), vwap)
    }
    return found
  }
}

function nothing(): Count {
  return {
    ...{ buyUsd: 0n, sellUsd: 0n, amount: 0n, largest: null, buys: 0, sells: 0 },
    ...{ buyers: new Set<string>(), sellers: new Set<string>(), traders: new Set<string>() },
    ...{ open: null, close: null, high: null, low: null },
  }
}

function take(count: Count, { side, usd: usdText, amount, who, price: priceText }: TradeJson): void {
  const usd = scaled(usdText, USD_DECIMALS)
  count.amount += scaled(amount, AMOUNT_DECIMALS)
  count.traders.add(who)
  if (count.largest === null || usd > count.largest) count.largest = usd
  if (side === 'buy') {
    count.buyUsd += usd
    count.buys++
    count.buyers.add(who)
  } else {
    count.sellUsd += usd
    count.sells++
    count.sellers.add(who)
  }
  const price = numberOf(priceText)
  if (price === null) return
  count.open = price
  count.close ??= price
  count.high = Math.max(count.high ?? price, price)
  count.low = Math.min(count.low ?? price, price)
}

function changeOf({ open, close }: Count): number | null {
  if (open === null || close === null) return null
  return Math.round(((close - open) / open) * 100 * 1e6) / 1e6
}

const numberOf = (text: string | null | undefined): number | null =>
  text === null || text === undefined ? null : Number(text)

/// `1.5` with six decimals is 1500000n.
function scaled(text: string, decimals: number): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(decimals, '0'))
}

/// The other way round, without trailing zeros.
function plain(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  const whole = digits.slice(0, -decimals)
  return fraction === '' ? whole : `${whole}.${fraction}`
}
