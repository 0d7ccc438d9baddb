/// Token statistics made by hand, for tests of what delivers them.

import { FIELDS_PER_WINDOW, Field, type TokenGone, type TokenStats } from '../../src/core/stats.js'
import { epochMs, offset, tick } from '../../src/core/units.js'
import { parseWindows, type Window } from '../../src/core/windows.js'

/// What a window holds; the rest is as in an empty window.
export type Cells = Partial<Record<keyof typeof Field, number>>

const EMPTY: Cells = {
  OPEN: Number.NaN,
  HIGH: Number.NaN,
  LOW: Number.NaN,
  CLOSE: Number.NaN,
  LARGEST_USD: Number.NaN,
}

export function windowsOf(text: string): readonly Window[] {
  const parsed = parseWindows(text)
  if ('wrong' in parsed) throw new Error(`no windows: ${parsed.wrong}`)
  return parsed.windows
}

export const THREE_WINDOWS = windowsOf('1m,5m,24h')

/// Statistics at version `version`, one `Cells` per window.
export function tokenStats(
  token: string,
  version: number,
  cells: readonly Cells[],
  price = Number.NaN,
): TokenStats {
  const values = new Float64Array(cells.length * FIELDS_PER_WINDOW)
  for (const [w, window] of cells.entries()) {
    for (const [name, value] of Object.entries({ ...EMPTY, ...window })) {
      const index = new Map<string, number>(Object.entries(Field)).get(name)
      if (index === undefined) throw new Error(`no field ${name}`)
      values[w * FIELDS_PER_WINDOW + index] = value
    }
  }
  return {
    partition: 0,
    offset: offset(version),
    tick: tick(1_790_000_000),
    token,
    asOf: epochMs(1_790_000_000_000),
    price,
    firstSeen: epochMs(1_789_999_000_000),
    lastSeen: epochMs(1_789_999_999_500),
    cells: values,
  }
}

/// Statistics whose volume is `usd` dollars in each of the three windows.
export function withVolume(token: string, version: number, usd: number): TokenStats {
  const cells = { BUY_USD: usd * 1e6, AMOUNT_2: 1, BUYS: 1, BUYERS: 1, TRADERS: 1 }
  return tokenStats(token, version, [cells, cells, cells], usd)
}

export function tokenGone(token: string, version: number): TokenGone {
  return { partition: 0, offset: offset(version), tick: tick(1_790_000_000), token, cells: null }
}
