/// The stores of a process, by configuration: embedded on the local disk, in memory, or on Kafka; and the archive.

import { join } from 'node:path'
import { type EmbeddedStores, openEmbeddedStores } from '../adapters/embedded/data-directory.js'
import { MemoryDeadLetters } from '../adapters/memory/dead-letters.js'
import { FixedGroup } from '../adapters/memory/fixed-group.js'
import { MemoryStateStore } from '../adapters/memory/state-store.js'
import { MemoryStatsFeed } from '../adapters/memory/stats-feed.js'
import { MemoryTradeFeed } from '../adapters/memory/trade-feed.js'
import { MemoryTradeLog } from '../adapters/memory/trade-log.js'
import { nextTurn } from '../adapters/system/turn.js'
import type { Config } from '../config.js'
import { invariant } from '../core/invariant.js'
import type { ApiKeys } from '../ports/api-keys.js'
import type { Clock } from '../ports/clock.js'
import type { DeadLetters } from '../ports/dead-letters.js'
import type { PartitionGroup } from '../ports/partition-group.js'
import type { StateStore } from '../ports/state-store.js'
import type { StatsFeed } from '../ports/stats-feed.js'
import type { TradeArchive } from '../ports/trade-archive.js'
import type { TradeFeed } from '../ports/trade-feed.js'
import type { TradeLog } from '../ports/trade-log.js'
import type { PartitionRollerOptions } from '../roles/rollers/partition-roller.js'
import { openKafkaStores } from './start-kafka.js'
import { openKeys } from './start-keys.js'

/// What the roles work with.
export interface RollerStores {
  readonly log: TradeLog
  readonly deadLetters: DeadLetters
  readonly feed: StatsFeed
  readonly trades: TradeFeed
  readonly group: PartitionGroup
  readonly openState: PartitionRollerOptions['openState']
  close(): Promise<void>
}

export interface Stores extends RollerStores {
  /// null where no key is asked for.
  readonly keys: ApiKeys | null
  /// null where there is none.
  readonly archive: TradeArchive | null
}

/// What becomes of stores while they are used.
export interface StoreEvents {
  /// Tells the operator, in one line.
  say(message: string): void
  /// They cannot be used any more.
  fail(error: unknown): void
}

export async function openStores(config: Config, clock: Clock, events: StoreEvents): Promise<Stores> {
  const keys = await openKeys(config, clock)
  const stores = await openRollerStores(config, clock, events)
  const archive = await openArchive(config, clock).catch(async error => {
    await stores.close()
    throw error
  })
  const close = async () => {
    // What an archive has not stored is in the log: whatever becomes of it, the other stores are closed.
    await archive?.close().catch(() => {})
    await stores.close()
  }
  return { ...stores, keys, archive, close }
}

async function openRollerStores(config: Config, clock: Clock, events: StoreEvents): Promise<RollerStores> {
  if (config.kafka !== 'none') return openKafkaStores(config, config.kafka, clock, events)
  const feed = new MemoryStatsFeed()
  const trades = new MemoryTradeFeed()
  const group = new FixedGroup([0])
  // Of one process's own: it is closed with the other stores.
  const of = (store: StateStore) => async () => ({ store, shared: null, close: async () => {} })
  if (config.storage === 'memory') {
    const log = new MemoryTradeLog({ clock })
    const deadLetters = new MemoryDeadLetters({ sizeBytesMax: config.deadLettersMaxBytes })
    const state = new MemoryStateStore()
    const close = async () => {
      for (const store of [log, state, deadLetters]) await store.close()
    }
    return { log, deadLetters, feed, trades, group, openState: of(state), close }
  }
  const stores = await openDataDirectory(config, clock)
  const [state] = stores.states
  invariant(state !== undefined, 'every partition has a state store')
  const { log, deadLetters } = stores
  return { log, deadLetters, feed, trades, group, openState: of(state), close: () => stores.close() }
}

/// The data directory of the configuration. Rejects when another process has it.
export function openDataDirectory(config: Config, clock: Clock): Promise<EmbeddedStores> {
  return openEmbeddedStores({
    directory: config.data,
    clock,
    partitions: 1,
    resolutionMs: config.resolutionMs,
    logSizeBytesMax: config.logMaxBytes,
    deadLettersSizeBytesMax: config.deadLettersMaxBytes,
  })
}

/// The archive of the configuration; null where there is none.
export async function openArchive(config: Config, clock: Clock): Promise<TradeArchive | null> {
  const { archive } = config
  const options = {
    rules: {
      resolutionMs: config.resolutionMs,
      retentionMs: config.retentionMs,
      dedupeHorizonMs: config.dedupeHorizonMs,
      earlyToleranceMs: config.earlyToleranceMs,
    },
    limits: {
      tradesRetentionMs: config.archiveRetentionMs,
      candlesRetentionMs: config.archiveCandlesRetentionMs,
      sizeBytesMax: config.archiveMaxBytes,
    },
    nextTurn,
  }
  switch (archive.kind) {
    case 'none':
      return null
    // Databases are loaded when they are used: each takes some tens of milliseconds.
    case 'duckdb': {
      const { DuckDbTradeArchive } = await import('../adapters/duckdb/trade-archive.js')
      return DuckDbTradeArchive.open({ ...options, directory: join(config.data, 'archive') })
    }
    case 'postgres': {
      const { PostgresTradeArchive } = await import('../adapters/postgres/trade-archive.js')
      return new PostgresTradeArchive({ ...options, url: archive.url, clock })
    }
    default:
      return archive satisfies never
  }
}
