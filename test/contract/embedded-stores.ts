/// Opening the embedded stores for tests, and telling what they hold as plain values.
import { EmbeddedDeadLetters } from '../../src/adapters/embedded/dead-letters.js'
import { EmbeddedStateStore } from '../../src/adapters/embedded/state-store.js'
import { EmbeddedTradeLog, type EmbeddedTradeLogOptions } from '../../src/adapters/embedded/trade-log.js'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { plainDeltas, readBack } from './state-store.js'
import { readTo, records } from './trade-log.js'

export function openLog(directory: string, more: Partial<EmbeddedTradeLogOptions> = {}): EmbeddedTradeLog {
  return new EmbeddedTradeLog({ directory, clock: new ManualClock(1_000_000), segmentBytes: 1500, ...more })
}

export function openState(directory: string): EmbeddedStateStore {
  return new EmbeddedStateStore({
    directory,
    partition: 0,
    clock: new ManualClock(0),
    deltaSegmentBytes: 1500,
  })
}

export function openLetters(directory: string, create = true): EmbeddedDeadLetters {
  return new EmbeddedDeadLetters({ directory, clock: new ManualClock(0), sizeBytesMax: 16 * 1500, create })
}

/// Everything in the log of one partition, verified on the way.
export async function contentOfLog(log: EmbeddedTradeLog): Promise<unknown> {
  const { first, end } = log.bounds(0)
  const batches = await readTo(log, 0, first, end)
  return { first, end, batches: batches.map(b => [b.firstOffset, b.appendTime, records(b)]) }
}

/// Everything in the store, by both ways of reading it.
export async function contentOfState(store: EmbeddedStateStore): Promise<unknown> {
  const parts = readBack(store.parts())
  const blocks = [...new Set(parts.map(({ block }) => block))]
  return {
    position: store.position(),
    deltas: plainDeltas(store.deltas()),
    parts,
    byBlock: blocks.map(block => readBack(store.readParts(block))),
  }
}
