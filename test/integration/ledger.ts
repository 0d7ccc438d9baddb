/// What a producer knows: which swaps it made, and which of them the server acknowledged. From it follows what the
/// server must serve.

import { decimal, fixed } from '../simulation/model.js'
import type { Random } from '../simulation/random.js'
import type { RawSwap } from '../simulation/raw-swap.js'

export interface Batch {
  readonly swaps: readonly RawSwap[]
  readonly body: string
}

/// The day's statistics of one token.
export interface Day {
  readonly volume: string
  readonly buyVolume: string
  readonly sellVolume: string
  readonly amount: string
  readonly txns: {
    readonly buys: number
    readonly sells: number
    readonly total: number
    readonly buyers: number
    readonly sellers: number
    readonly traders: number
  }
  readonly largestTrade: string | null
}

const TOKENS = ['BTC', 'ETH', '__proto__', '🦄', 'with space', 'a/b', 'T6', 'T7', 'T8', 'T9']

interface TokenLedger {
  buyUsd: bigint
  sellUsd: bigint
  largest: bigint
  atto: bigint
  buys: number
  sells: number
  readonly buyers: Set<string>
  readonly sellers: Set<string>
}

export class Ledger {
  /// Batches without an acknowledgement: the server may have taken them or not.
  readonly unacknowledged = new Set<Batch>()
  acknowledgedSwaps = 0
  readonly #byToken = new Map<string, TokenLedger>()
  readonly #random: Random
  #serial = 0

  constructor(random: Random) {
    this.#random = random
  }

  get tokens(): readonly string[] {
    return TOKENS
  }

  /// Makes a batch of swaps with new ids, dated within the last twenty minutes.
  newBatch(nowMs: number): Batch {
    const random = this.#random
    const swaps: RawSwap[] = []
    for (let left = random.between(1, 120); left > 0; left--) {
      swaps.push({
        id: `k${this.#serial++}`,
        time: nowMs - (random.chance(0.7) ? random.below(2000) : random.below(1_200_000)),
        who: `trader ${random.below(400)}`,
        token: random.pick(TOKENS),
        side: random.chance(0.5) ? 'buy' : 'sell',
        amount: `${random.below(1000)}.${1 + random.below(999_999_999)}`,
        usd: `${random.below(100_000)}.${String(random.below(1_000_000)).padStart(6, '0')}`,
      })
    }
    const batch = { swaps, body: swaps.map(swap => `${JSON.stringify(swap)}\n`).join('') }
    this.unacknowledged.add(batch)
    return batch
  }

  /// The server took the batch; taking it again changes nothing.
  acknowledge(batch: Batch): void {
    if (!this.unacknowledged.delete(batch)) return
    this.acknowledgedSwaps += batch.swaps.length
    for (const swap of batch.swaps) this.#count(swap)
  }

  #count(swap: RawSwap): void {
    const entry = this.#byToken.get(swap.token) ?? {
      ...{ buyUsd: 0n, sellUsd: 0n, largest: 0n, atto: 0n, buys: 0, sells: 0 },
      buyers: new Set(),
      sellers: new Set(),
    }
    this.#byToken.set(swap.token, entry)
    const usd = fixed(swap.usd, 6)
    entry.atto += fixed(swap.amount, 18)
    if (usd > entry.largest) entry.largest = usd
    if (swap.side === 'buy') {
      entry.buyUsd += usd
      entry.buys++
      entry.buyers.add(swap.who)
    } else {
      entry.sellUsd += usd
      entry.sells++
      entry.sellers.add(swap.who)
    }
  }

  /// What must be served of the token when all acknowledged swaps count once, and nothing else does; null when
  /// none was acknowledged.
  day(token: string): Day | null {
    const entry = this.#byToken.get(token)
    if (entry === undefined) return null
    return {
      volume: decimal(entry.buyUsd + entry.sellUsd, 6),
      buyVolume: decimal(entry.buyUsd, 6),
      sellVolume: decimal(entry.sellUsd, 6),
      amount: decimal(entry.atto, 18),
      txns: {
        buys: entry.buys,
        sells: entry.sells,
        total: entry.buys + entry.sells,
        buyers: entry.buyers.size,
        sellers: entry.sellers.size,
        traders: new Set([...entry.buyers, ...entry.sellers]).size,
      },
      largestTrade: decimal(entry.largest, 6),
    }
  }
}
