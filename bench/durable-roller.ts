/// A roller with its durable state on this disk, and the day of swaps that benchmarks feed it: 1,000 swaps a second of event
/// time, 10,000 tokens, 300,000 traders, 5 % duplicates, 5 % late.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { EmbeddedStateStore } from '../src/adapters/embedded/state-store.js'
import type { ManualClock } from '../src/adapters/memory/clock.js'
import { MemoryDeadLetters } from '../src/adapters/memory/dead-letters.js'
import { MemoryTradeLog } from '../src/adapters/memory/trade-log.js'
import { epochMs, offset } from '../src/core/units.js'
import { DEFAULT_WINDOWS, parseWindows, type Window } from '../src/core/windows.js'
import type { LogBatch } from '../src/ports/trade-log.js'
import { type GeneratedLines, SwapGenerator } from '../src/roles/faketrader/generator.js'
import { RollerRole } from '../src/roles/roller.js'

const HOUR_MS = 3_600_000
export const START_MS = 1_790_000_000_000
export const PER_SECOND = 1000

interface DurableRoller {
  readonly store: EmbeddedStateStore
  readonly roller: RollerRole
  readonly windows: readonly Window[]
}

/// The trade log keeps nothing: it is not what is measured.
export function openRoller(directory: string, clock: ManualClock): DurableRoller {
  const parsed = parseWindows(DEFAULT_WINDOWS)
  if ('wrong' in parsed) throw new Error('the default windows are windows')
  const store = new EmbeddedStateStore({ directory, partition: 0, clock })
  const roller = new RollerRole({
    config: {
      partition: 0,
      windows: parsed.windows,
      resolutionMs: 1000,
      retentionMs: 24 * HOUR_MS,
      admission: 'log-time',
      earlyToleranceMs: 60_000,
      dedupeHorizonMs: HOUR_MS,
      hotRangeMs: HOUR_MS / 2,
    },
    log: new MemoryTradeLog({ clock }),
    store,
    deadLetters: new MemoryDeadLetters({ sizeBytesMax: 2 ** 20 }),
    clock,
    nextTurn: () => nextTurn(),
  })
  return { store, roller, windows: parsed.windows }
}

export function dayOfSwaps(): SwapGenerator {
  return new SwapGenerator({ seed: 7, tokens: 10_000, traders: 300_000, duplicates: 0.05, late: 0.05 })
}

/// The lines as a batch of the log.
export function logBatch({ bytes, size }: GeneratedLines, position: number, nowMs: number): LogBatch {
  return {
    ...{ partition: 0, firstOffset: offset(position), count: size, appendTime: epochMs(nowMs) },
    ...{ bytes, ranges: null, broken: null },
  }
}
