/// The answer of `GET /v1/status`: what an operator asks first. Times are epoch milliseconds, sizes bytes; what
/// this process does not know (a role that runs elsewhere) is null.

import type { FateCounts } from '../../core/roller/fates.js'

/// Ready: every token's statistics are complete, and as current as the log. `percent` says how much of the state is
/// restored, 0 … 100, null when nothing is being restored.
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string; readonly percent: number | null }

export interface PartitionStatus {
  readonly partition: number
  /// Offsets that the log holds: first ≤ offset < end.
  readonly first: number
  readonly end: number
  /// Every record below is rolled.
  readonly rolled: number
  /// Every record below is covered by a durable checkpoint.
  readonly checkpointed: number
  /// Records not yet rolled: end − rolled.
  readonly lag: number
  readonly logTime: number | null
  readonly viewTime: number | null
}

/// Milliseconds over the recent past; null without samples.
export interface DelayStatus {
  readonly samples: number
  readonly p50Ms: number | null
  readonly p90Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number | null
}

export interface ClientStatus {
  readonly webSockets: number
  readonly subscriptions: number
  readonly messagesSent: number
  /// Updates that a slow reader did not get because a newer one replaced them.
  readonly updatesConflated: number
  readonly slowReadersClosed: number
  /// Of WebSocket messages that the clients have not taken yet.
  readonly unsentBytes: number
  readonly bodyBytesInFlight: number
}

export interface StatusReport {
  readonly version: string
  readonly startedAt: number
  readonly now: number
  readonly ready: boolean
  /// Why it is not ready.
  readonly reason: string | null
  /// How much of the state is restored, 0 … 100; null when nothing is being restored.
  readonly percent: number | null
  readonly tokens: number
  /// Totals since the beginning of the log.
  readonly fates: Readonly<FateCounts> | null
  /// Averages over the last ten seconds.
  readonly rates: {
    readonly appendedPerSecond: number | null
    readonly rolledPerSecond: number | null
    readonly updatesPerSecond: number | null
  }
  readonly partitions: readonly PartitionStatus[]
  /// From the append to the log until the update left for its readers.
  readonly delay: DelayStatus | null
  readonly clients: ClientStatus
  readonly storage: {
    readonly tradeLogBytes: number | null
    readonly stateBytes: number | null
    readonly deadLetterBytes: number | null
    readonly deadLettersStored: number | null
    readonly deadLettersDropped: number | null
  }
  readonly memory: { readonly rssBytes: number; readonly heapUsedBytes: number }
}
