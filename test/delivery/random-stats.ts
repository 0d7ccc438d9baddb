/// Random statistics of tokens, for tests of what reads them.

import type { TokenStats } from '../../src/core/stats.js'
import { epochMs } from '../../src/core/units.js'
import type { Random } from '../simulation/random.js'
import { type Cells, tokenStats } from './token-stats.js'

/// Small numbers, so that ties are common; sometimes an empty window, sometimes limbs that are not normalised.
function randomCells(random: Random): Cells {
  if (random.chance(0.2)) return {}
  const buys = random.below(4)
  const sells = random.below(4)
  const price = random.pick([Number.NaN, 1, 2, 2.5, 1e-7])
  return {
    BUY_USD: buys * random.pick([1, 500_000, 999_999_999_999]),
    BUY_USD_HIGH: buys > 0 ? random.below(3) : 0,
    SELL_USD: sells * random.pick([1, 500_000, 999_999_999_999]),
    SELL_USD_HIGH: sells > 0 ? random.below(3) : 0,
    AMOUNT_0: random.below(3),
    AMOUNT_1: random.below(1_000_000_000),
    AMOUNT_2: random.below(5),
    BUYS: buys,
    SELLS: sells,
    BUYERS: Math.min(buys, 1 + random.below(3)),
    SELLERS: Math.min(sells, 1 + random.below(3)),
    TRADERS: random.below(6),
    OPEN: price,
    HIGH: price * 2,
    LOW: price / 2,
    CLOSE: price * random.pick([1, 1.5, 0.5]),
    LARGEST_USD: buys + sells > 0 ? random.below(5) * 1e6 : Number.NaN,
  }
}

/// Three windows.
export function randomStats(random: Random, token: string, version: number): TokenStats {
  const price = random.pick([Number.NaN, 1, 2, 3])
  const windows = [randomCells(random), randomCells(random), randomCells(random)]
  const seen = 1_789_999_000_000 + random.below(5) * 1000
  return {
    ...tokenStats(token, version, windows, price),
    firstSeen: epochMs(seen),
    lastSeen: epochMs(seen + random.below(1000)),
  }
}
