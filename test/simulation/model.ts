/// The naive model: what the statistics mean, in the plainest way that is still exact. It keeps every accepted
/// swap in an array and computes each answer from scratch with BigInt; no slices, no cursors, no running totals.
///
/// It shares no code with src/core. Where the two differ, one of them is wrong.

import {
  type Answer,
  addWindow,
  EMPTY_WINDOW,
  emptyAnswer,
  plainOrNull,
  type WindowFigures,
} from './answer.js'
import { isSwap, type RawBatch, type RawSwap, type Rules } from './raw-swap.js'

export interface Accepted {
  readonly swap: RawSwap
  readonly tick: number
  /// Log time when it was accepted.
  readonly logTime: number
  readonly micro: bigint
  readonly atto: bigint
  readonly price: number | null
  readonly idBytes: Buffer
}

export interface ModelFates {
  accepted: number
  duplicate: number
  late: number
  early: number
  invalid: number
  /// Duplicates that differ from every first one they repeat, and from any of them: where an id has been
  /// accepted twice (beyond the horizon), a repetition may be held against either.
  conflictAtLeast: number
  conflictAtMost: number
}

const noFates = (): ModelFates => ({
  accepted: 0,
  duplicate: 0,
  late: 0,
  early: 0,
  invalid: 0,
  conflictAtLeast: 0,
  conflictAtMost: 0,
})

/// Of one token, since the log time at which it had a first swap within the retention.
export interface ModelTokenFates {
  readonly since: number
  newestTick: number
  readonly fates: ModelFates
}

export class Model {
  readonly rules: Rules
  readonly fates: ModelFates = noFates()
  readonly #byToken = new Map<string, ModelTokenFates>()
  logTime = Number.NEGATIVE_INFINITY
  /// View time T.
  viewTick = Number.NEGATIVE_INFINITY
  /// Records applied.
  offset = 0
  #accepted: Accepted[] = []

  constructor(rules: Rules) {
    this.rules = rules
  }

  apply(batch: RawBatch): void {
    this.logTime = Math.max(this.logTime, batch.appendTime)
    for (const record of batch.records) {
      this.offset++
      if (isSwap(record)) this.#take(record)
      else this.fates.invalid++
    }
  }

  advance(tick: number): void {
    this.viewTick = Math.max(this.viewTick, tick)
  }

  #take(swap: RawSwap): void {
    const { resolutionMs, retentionMs, earlyToleranceMs, dedupeHorizonMs } = this.rules
    const tick = Math.floor(swap.time / resolutionMs)
    const counts = [this.fates, ...this.#known(swap.token)]
    if (tick <= Math.floor(this.logTime / resolutionMs) - retentionMs / resolutionMs) {
      for (const each of counts) each.late++
      return
    }
    if (swap.time > this.logTime + earlyToleranceMs) {
      for (const each of counts) each.early++
      return
    }
    const micro = fixed(swap.usd, 6)
    const atto = fixed(swap.amount, 18)
    const entry = {
      swap,
      tick,
      logTime: this.logTime,
      micro,
      atto,
      price: priceOf(swap, micro, atto),
      idBytes: Buffer.from(swap.id, 'utf8'),
    }
    const earlier = this.#accepted.filter(
      a => a.swap.id === swap.id && (a.tick === tick || this.logTime - a.logTime < dedupeHorizonMs),
    )
    if (earlier.length > 0) {
      const differing = earlier.filter(a => !sameContent(a, entry)).length
      for (const each of counts) {
        each.duplicate++
        if (differing === earlier.length) each.conflictAtLeast++
        if (differing > 0) each.conflictAtMost++
      }
      return
    }
    this.fates.accepted++
    this.#accepted.push(entry)
    if (this.#known(swap.token).length === 0) {
      this.#byToken.set(swap.token, { since: this.logTime, newestTick: tick, fates: noFates() })
    }
    const mine = this.#byToken.get(swap.token)
    if (mine === undefined) return
    mine.fates.accepted++
    mine.newestTick = Math.max(mine.newestTick, tick)
  }

  /// The counts of the tokens that have an accepted swap within the retention by log time.
  tokenFates(): Map<string, ModelTokenFates> {
    return new Map([...this.#byToken].filter(([token]) => this.#known(token).length > 0))
  }

  #known(token: string): ModelFates[] {
    const { resolutionMs, retentionMs } = this.rules
    const mine = this.#byToken.get(token)
    if (mine === undefined) return []
    const age = Math.floor(this.logTime / resolutionMs) - mine.newestTick
    return age < retentionMs / resolutionMs ? [mine.fates] : []
  }

  /// The answer of every listed token, as JSON text.
  answers(): Map<string, string> {
    const live = this.#within(this.rules.retentionMs, this.#accepted)
    const byToken = new Map<string, Accepted[]>()
    for (const a of live) byToken.set(a.swap.token, [...(byToken.get(a.swap.token) ?? []), a])
    const answers = new Map<string, string>()
    for (const [token, swaps] of byToken) answers.set(token, JSON.stringify(this.#answer(token, swaps)))
    return answers
  }

  /// The token's accepted swaps with after < tick ≤ to, in chain order.
  stretch(token: string, after: number, to: number): Accepted[] {
    return this.#accepted
      .filter(a => a.swap.token === token && after < a.tick && a.tick <= to)
      .sort(chainOrder)
  }

  #within(lengthMs: number, swaps: readonly Accepted[]): Accepted[] {
    const from = this.viewTick - lengthMs / this.rules.resolutionMs
    return swaps.filter(a => from < a.tick && a.tick <= this.viewTick)
  }

  #answer(token: string, swaps: readonly Accepted[]): Answer {
    const inOrder = [...swaps].sort(chainOrder)
    const times = inOrder.map(a => a.swap.time)
    const answer = emptyAnswer({
      token,
      priceUsd: plainOrNull(inOrder.findLast(a => a.price !== null)?.price ?? null),
      asOf: this.viewTick * this.rules.resolutionMs,
      version: `0:${this.offset}:${this.viewTick}`,
      firstSeen: Math.min(...times),
      lastSeen: Math.max(...times),
    })
    for (const [name, lengthMs] of this.rules.windows) {
      addWindow(answer, name, figures(this.#within(lengthMs, inOrder)))
    }
    return answer
  }
}

export function figures(swaps: readonly Accepted[]): WindowFigures {
  if (swaps.length === 0) return EMPTY_WINDOW
  const buys = swaps.filter(a => a.swap.side === 'buy')
  const sells = swaps.filter(a => a.swap.side === 'sell')
  const prices = swaps.map(a => a.price).filter(price => price !== null)
  const open = prices.at(0) ?? null
  const close = prices.at(-1) ?? null
  const volume = sum(swaps.map(a => a.micro))
  const amount = sum(swaps.map(a => a.atto))
  return {
    volume: decimal(volume, 6),
    buyVolume: decimal(sum(buys.map(a => a.micro)), 6),
    sellVolume: decimal(sum(sells.map(a => a.micro)), 6),
    amount: decimal(amount, 18),
    buys: buys.length,
    sells: sells.length,
    buyers: new Set(buys.map(a => a.swap.who)).size,
    sellers: new Set(sells.map(a => a.swap.who)).size,
    traders: new Set(swaps.map(a => a.swap.who)).size,
    open,
    high: prices.length === 0 ? null : Math.max(...prices),
    low: prices.length === 0 ? null : Math.min(...prices),
    close,
    priceChange: open === null || close === null ? null : nearest(((close - open) / open) * 100 * 1e6) / 1e6,
    vwap: volume === 0n || amount === 0n ? null : Number(decimal(volume, 6)) / Number(decimal(amount, 18)),
    largestTrade: decimal(largest(swaps.map(a => a.micro)), 6),
  }
}

function chainOrder(a: Accepted, b: Accepted): number {
  return (
    a.swap.time - b.swap.time ||
    (a.swap.block ?? -1) - (b.swap.block ?? -1) ||
    (a.swap.txIndex ?? -1) - (b.swap.txIndex ?? -1) ||
    (a.swap.logIndex ?? -1) - (b.swap.logIndex ?? -1) ||
    Buffer.compare(a.idBytes, b.idBytes)
  )
}

function sameContent(a: Accepted, b: Accepted): boolean {
  return (
    a.swap.token === b.swap.token &&
    a.swap.who === b.swap.who &&
    a.swap.side === b.swap.side &&
    a.micro === b.micro &&
    a.atto === b.atto &&
    a.swap.block === b.swap.block &&
    a.swap.txIndex === b.swap.txIndex &&
    a.swap.logIndex === b.swap.logIndex
  )
}

function priceOf(swap: RawSwap, micro: bigint, atto: bigint): number | null {
  if (swap.price !== undefined) return Number(swap.price)
  if (micro === 0n || atto === 0n) return null
  return Number(decimal(micro, 6)) / Number(decimal(atto, 18))
}

/// The nearest integer, halves up. Not floor(x + 0.5): above 2^52 that sum is rounded itself.
function nearest(x: number): number {
  const floor = Math.floor(x)
  return x - floor >= 0.5 ? floor + 1 : floor
}

const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n)

function largest(values: readonly bigint[]): bigint {
  let most = 0n
  for (const value of values) if (value > most) most = value
  return most
}

/// Reads a decimal with `places` decimals kept, rounded half to even: fixed('0.0000005', 6) = 0n,
/// fixed('0.0000015', 6) = 2n, fixed('1e-6', 6) = 1n.
export function fixed(value: string | number, places: number): bigint {
  const parts = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(String(value))
  if (parts === null) throw new Error(`not a decimal: ${value}`)
  const [, whole = '', fraction = '', exponent = '0'] = parts
  const shift = places - fraction.length + Number(exponent)
  const digits = BigInt(whole + fraction)
  if (shift >= 0) return digits * 10n ** BigInt(shift)
  const unit = 10n ** BigInt(-shift)
  const floor = digits / unit
  const twice = (digits % unit) * 2n
  return twice > unit || (twice === unit && floor % 2n === 1n) ? floor + 1n : floor
}

/// The shortest decimal text of a fixed-point number: decimal(1_500_000n, 6) = `1.5`.
export function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  return digits.slice(0, -places) + (fraction === '' ? '' : `.${fraction}`)
}
