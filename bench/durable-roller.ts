/// A roller with its durable state on this disk, for benchmarks that feed it a day of swaps, 1,000 a second of event time.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { EmbeddedStateStore } from '../src/adapters/embedded/state-store.js'
import type { ManualClock } from '../src/adapters/memory/clock.js'
import { MemoryDeadLetters } from '../src/adapters/memory/dead-letters.js'
import { MemoryTradeLog } from '../src/adapters/memory/trade-log.js'
import { SummaryCache } from '../src/core/roller/query/summaries.js'
import type { Window } from '../src/core/windows.js'
import { RollerRole } from '../src/roles/roller.js'
import { rollerConfig } from './load.js'

const HALF_AN_HOUR_MS = 1_800_000
export const START_MS = 1_790_000_000_000
export const PER_SECOND = 1000

interface DurableRoller {
  readonly store: EmbeddedStateStore
  readonly roller: RollerRole
  readonly windows: readonly Window[]
  /// What it keeps for questions.
  readonly summaries: SummaryCache
}

/// The trade log keeps nothing: it is not what is measured.
export function openRoller(directory: string, clock: ManualClock): DurableRoller {
  const config = rollerConfig(HALF_AN_HOUR_MS)
  const store = new EmbeddedStateStore({ directory, partition: 0, clock })
  const summaries = new SummaryCache()
  const roller = new RollerRole({
    ...{ config, summaries },
    log: new MemoryTradeLog({ clock }),
    store,
    deadLetters: new MemoryDeadLetters({ sizeBytesMax: 2 ** 20 }),
    clock,
    nextTurn: () => nextTurn(),
  })
  return { store, roller, windows: config.windows, summaries }
}
