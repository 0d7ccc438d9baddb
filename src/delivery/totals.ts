/// Sums over all tokens, kept as statistics come: exact, because they are of integers. A change takes out what the
/// token counted before and adds what it counts now.

import { formatUsd } from '../core/decimal.js'
import { FIELDS_PER_WINDOW, Field, type TokenStats } from '../core/stats.js'
import { averageText, cell, type PlacedWindow, signedUsdText, tradesOf } from './wire/metrics.js'
import type { Totals } from './wire/token-statistics.js'

const USD_LIMB = 1e12

/// Of one window. USD limbs: the low one is kept within 0 … 10^12 − 1, so that sums stay exact.
interface Sums {
  active: number
  buys: number
  sells: number
  buyUsd: number
  buyUsdHigh: number
  sellUsd: number
  sellUsdHigh: number
}

export class TotalsTable {
  readonly #windows: readonly PlacedWindow[]
  readonly #sums: readonly Sums[]
  #tokens = 0
  #asOf: number | null = null

  constructor(windows: readonly PlacedWindow[]) {
    this.#windows = windows
    this.#sums = windows.map(() => ({
      active: 0,
      buys: 0,
      sells: 0,
      buyUsd: 0,
      buyUsdHigh: 0,
      sellUsd: 0,
      sellUsdHigh: 0,
    }))
  }

  readonly change = (_token: string, before: TokenStats | null, after: TokenStats | null): void => {
    if (before !== null) this.#add(before.cells, -1)
    if (after === null) return
    this.#add(after.cells, 1)
    this.#asOf = Math.max(this.#asOf ?? after.asOf, after.asOf)
  }

  /// The newest asOf of a token; null while there has been none.
  get asOf(): number | null {
    return this.#tokens === 0 ? null : this.#asOf
  }

  read(windows: readonly PlacedWindow[] = this.#windows): Totals {
    const chosen = windows.map(({ name, index }) => ({ name, sums: this.#sums[index] }))
    const per = <T>(value: (sums: Sums) => T): Record<string, T> =>
      Object.fromEntries(
        chosen.flatMap(({ name, sums }) => (sums === undefined ? [] : [[name, value(sums)]])),
      )
    return {
      asOf: this.asOf,
      tokens: this.#tokens,
      active: per(sums => sums.active),
      volume: per(sums => formatUsd(sums.buyUsd + sums.sellUsd, sums.buyUsdHigh + sums.sellUsdHigh)),
      buyVolume: per(sums => formatUsd(sums.buyUsd, sums.buyUsdHigh)),
      sellVolume: per(sums => formatUsd(sums.sellUsd, sums.sellUsdHigh)),
      netVolume: per(sums => signedUsdText(sums.buyUsd - sums.sellUsd, sums.buyUsdHigh - sums.sellUsdHigh)),
      averageTrade: per(sums =>
        averageText(sums.buyUsd + sums.sellUsd, sums.buyUsdHigh + sums.sellUsdHigh, sums.buys + sums.sells),
      ),
      txns: per(({ buys, sells }) => ({ buys, sells, total: buys + sells })),
    }
  }

  #add(cells: Float64Array, sign: 1 | -1): void {
    this.#tokens += sign
    let at = 0
    for (const sums of this.#sums) {
      if (tradesOf(cells, at) > 0) sums.active += sign
      sums.buys += sign * cell(cells, at + Field.BUYS)
      sums.sells += sign * cell(cells, at + Field.SELLS)
      const buyUsd = sums.buyUsd + sign * cell(cells, at + Field.BUY_USD)
      const buyCarry = Math.floor(buyUsd / USD_LIMB)
      sums.buyUsd = buyUsd - buyCarry * USD_LIMB
      sums.buyUsdHigh += sign * cell(cells, at + Field.BUY_USD_HIGH) + buyCarry
      const sellUsd = sums.sellUsd + sign * cell(cells, at + Field.SELL_USD)
      const sellCarry = Math.floor(sellUsd / USD_LIMB)
      sums.sellUsd = sellUsd - sellCarry * USD_LIMB
      sums.sellUsdHigh += sign * cell(cells, at + Field.SELL_USD_HIGH) + sellCarry
      at += FIELDS_PER_WINDOW
    }
  }
}
