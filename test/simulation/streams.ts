/// Random streams of swaps, built to hurt: ids that come again, times that lie far back or ahead, ties in every
/// part of the order key, unknown and explicit prices, numbers at the limits, names that trip up objects.

import type { Random } from './random.js'
import type { RawBatch, RawRecord, RawSwap, Rules } from './raw-swap.js'
import { isSwap } from './raw-swap.js'

export interface StreamProfile {
  readonly tokens: readonly string[]
  readonly traders: readonly string[]
  /// Append time of the first batch.
  readonly startMs: number
  readonly rules: Rules
  /// Records in a batch: 1 … this.
  readonly batchMost: number
  /// Log time between batches: 0 … this.
  readonly pauseMsMost: number
  /// Ids are drawn anew from this many; null makes every new swap's id unique.
  readonly idAlphabet: number | null
  readonly duplicateChance: number
  readonly invalidChance: number
}

export const ODD_TOKENS: readonly string[] = [
  'BTC',
  'ETH',
  '__proto__',
  'constructor',
  'toString',
  '🦄',
  '🦄🦄',
  'with space',
  ' leading',
  'trailing ',
  'Ω≈ç√',
  'a/b?c=d&e#f',
  '"quoted"',
  "it's",
  'back\\slash',
  '0',
  '-1',
  '1e3',
  'null',
  'x'.repeat(128),
  'é',
  'e\u0301',
]

const MAX_USD = '9000000000'
const MAX_AMOUNT = '999999999999999999.999999999999999999'

/// Makes one batch after another; keeps what it sent in order to send it again.
export class SwapStream {
  readonly #profile: StreamProfile
  readonly #random: Random
  readonly #sent: RawSwap[] = []
  #logTime: number
  #serial = 0

  constructor(random: Random, profile: StreamProfile) {
    this.#random = random
    this.#profile = profile
    this.#logTime = profile.startMs
  }

  get logTime(): number {
    return this.#logTime
  }

  batch(): RawBatch {
    const random = this.#random
    if (random.chance(0.9)) this.#logTime += random.between(0, this.#profile.pauseMsMost)
    const records: RawRecord[] = []
    const count = random.between(1, this.#profile.batchMost)
    for (let i = 0; i < count; i++) records.push(this.#record())
    // Append times of a log never decrease; the roller must not depend on it.
    const appendTime = random.chance(0.02) ? this.#logTime - random.below(5000) : this.#logTime
    return { appendTime, records }
  }

  #record(): RawRecord {
    const random = this.#random
    if (random.chance(this.#profile.invalidChance)) return { invalid: random.pick(INVALID_LINES) }
    if (this.#sent.length > 0 && random.chance(this.#profile.duplicateChance)) return this.#repeat()
    const swap = this.#fresh()
    this.#sent.push(swap)
    return swap
  }

  /// Sends something again: as it was, stamped anew, or with other content.
  #repeat(): RawSwap {
    const random = this.#random
    const recent = Math.max(0, this.#sent.length - (random.chance(0.7) ? 200 : 5000))
    const earlier = this.#sent[random.between(recent, this.#sent.length - 1)]
    if (earlier === undefined) throw new Error('nothing sent yet')
    const way = random.next()
    if (way < 0.45) return earlier
    if (way < 0.5) return this.#keep({ ...earlier, time: this.#withinSlice(earlier.time) })
    if (way < 0.7) return this.#keep({ ...earlier, time: this.#time() })
    if (way < 0.8) return this.#keep({ ...earlier, usd: this.#usd() })
    if (way < 0.9) return this.#keep({ ...earlier, side: earlier.side === 'buy' ? 'sell' : 'buy' })
    return this.#keep({
      ...this.#fresh(),
      id: earlier.id,
      time: random.chance(0.5) ? earlier.time : this.#time(),
    })
  }

  /// Another millisecond of the same slice.
  #withinSlice(time: number): number {
    const { resolutionMs } = this.#profile.rules
    return time - (time % resolutionMs) + this.#random.below(resolutionMs)
  }

  #keep(swap: RawSwap): RawSwap {
    this.#sent.push(swap)
    return swap
  }

  #fresh(): RawSwap {
    const random = this.#random
    const { tokens, traders, idAlphabet } = this.#profile
    const serial = this.#serial++
    const id = idAlphabet === null ? `${random.pick(ID_PREFIXES)}${serial}` : `id${random.below(idAlphabet)}`
    // The square makes the first tokens and traders frequent.
    const skewed = (size: number): number => Math.floor(random.next() ** 2 * size)
    return {
      id,
      time: this.#time(),
      who: traders[skewed(traders.length)] ?? 'nobody',
      token: tokens[skewed(tokens.length)] ?? 'none',
      side: random.chance(0.5) ? 'buy' : 'sell',
      amount: this.#amount(),
      usd: this.#usd(),
      ...this.#orderKey(serial),
      ...(random.chance(0.08) ? { price: this.#price() } : {}),
    }
  }

  #time(): number {
    const random = this.#random
    const { resolutionMs, retentionMs, earlyToleranceMs } = this.#profile.rules
    const way = random.next()
    const now = this.#logTime
    let time: number
    if (way < 0.5) time = now - random.below(3 * resolutionMs)
    else if (way < 0.65) time = now - random.below(Math.ceil(retentionMs / 100))
    else if (way < 0.9) time = now - random.below(retentionMs)
    else if (way < 0.94) time = now - retentionMs + random.between(-2 * resolutionMs, 2 * resolutionMs)
    else if (way < 0.96) time = now - retentionMs - random.below(retentionMs)
    else if (way < 0.98) time = now + random.below(earlyToleranceMs + 1)
    else time = now + earlyToleranceMs + random.between(-2, 2000)
    // Whole slices make ties in time frequent.
    return Math.max(0, random.chance(0.4) ? time - (time % resolutionMs) : time)
  }

  #usd(): string | number {
    const random = this.#random
    const way = random.next()
    if (way < 0.03) return '0'
    if (way < 0.05)
      return random.pick(['0.000001', '0.0000005', '0.0000015', '0.00000050001', '0.0000004999'])
    if (way < 0.07) return random.pick([MAX_USD, '8999999999.999999', '8999999999.9999995'])
    if (way < 0.1) return random.pick(['1.0000005', '1.0000015', '2.00000250', '7.1234565000001', '100.00'])
    if (way < 0.13) return random.between(1, 100000) / 100
    if (way < 0.3) return String(random.between(1, 20) * 100)
    return (random.next() ** 4 * 1e6).toFixed(random.between(0, 9))
  }

  #amount(): string | number {
    const random = this.#random
    const way = random.next()
    if (way < 0.03) return '0'
    if (way < 0.05) {
      return random.pick(['0.000000000000000001', '0.0000000000000000005', '0.0000000000000000015'])
    }
    if (way < 0.08)
      return random.pick([MAX_AMOUNT, '999999999999999999', '123456789012345678.987654321098765432'])
    if (way < 0.11) return random.between(1, 100000) / 64
    if (way < 0.3) return String(random.between(1, 1000))
    const whole = Math.floor(random.next() ** 6 * 1e9)
    const fraction = `${random.below(1e9)}`.padStart(9, '0') + `${random.below(1e9)}`.padStart(9, '0')
    return `${whole}.${fraction}${random.chance(0.2) ? random.pick(['5', '50', '49', '51', '500001']) : ''}`
  }

  #price(): string | number {
    return this.#random.pick([
      '0.1',
      '100',
      '3.0000000000000001',
      '123456789.123456789',
      0.30000000000000004,
      '1e-9',
      ...EXTREME_PRICES,
    ])
  }

  /// Ties at every depth; but where all three are given they are unique, as they are on a chain.
  #orderKey(serial: number): Pick<RawSwap, 'block' | 'txIndex' | 'logIndex'> {
    const random = this.#random
    const block = 1000 + random.below(3)
    const txIndex = random.below(2)
    switch (random.below(5)) {
      case 0:
        return {}
      case 1:
        return { block }
      case 2:
        return { block, txIndex }
      case 3:
        return { block, logIndex: random.below(2) }
      default:
        return { block, txIndex, logIndex: serial }
    }
  }
}

// The smallest and the largest price that are valid.
const EXTREME_PRICES = ['1e-40', '1e40']

const ID_PREFIXES = ['0xabc:', 'é', '🦄', 'Z', 'a', '\uffee']

/// Each is invalid for a reason of its own.
const INVALID_LINES = [
  '{',
  'null',
  '[]',
  '"swap"',
  '{"id":"x"}',
  '{"id":"x1","time":1700000000000,"who":"w","token":"T","side":"hold","amount":"1","usd":"1"}',
  '{"id":"x2","time":1700000000000,"who":"w","token":"T","side":"buy","amount":"-1","usd":"1"}',
  '{"id":"x3","time":1700000000000,"who":"w","token":"T","side":"buy","amount":"1","usd":"NaN"}',
  '{"id":"x4","time":1700000000000,"who":"w","token":"T","side":"buy","amount":"1","usd":"9000000000.000001"}',
  '{"id":"x5","time":1700000000000,"who":"w","token":"T","side":"buy","amount":"1000000000000000000","usd":"1"}',
  '{"id":"x8","time":1700000000000,"who":"w","token":"T","side":"buy","amount":"1","usd":"1","price":"0"}',
  '{"id":"x9","time":1700000000000,"who":"w","token":"T","side":"buy","amount":"1","usd":"1","price":"1.1e40"}',
  '{"id":"x6","time":"yesterday","who":"w","token":"T","side":"buy","amount":"1","usd":"1"}',
  '{"id":"x7","time":1700000000000,"who":"w","token":"\\ud800","side":"buy","amount":"1","usd":"1"}',
]

/// How many of the batches' records are swaps.
export function swapsOf(batches: readonly RawBatch[]): RawSwap[] {
  return batches.flatMap(batch => batch.records.filter(isSwap))
}
