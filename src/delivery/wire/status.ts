/// The answer of `GET /v1/status`: what an operator asks first. Times are epoch milliseconds, sizes bytes; what
/// this process does not know (a role that runs elsewhere) is null.

import Type from 'typebox'
import { ROLLING_STATES } from '../../ports/stats-feed.js'
import { closed, count, epochMs, nullable, type Wire } from './schema.js'

/// Ready: every token's statistics are complete, and as current as the log. `percent` says how much of the state is
/// restored, 0 … 100, null when nothing is being restored.
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string; readonly percent: number | null }

const offsetOf = (description: string) => nullable(count(description), 'null while nobody has said.')

export const GapStatus = closed(
  {
    from: count('The first offset that is missing.'),
    to: count('The offset after the last one.'),
    until: epochMs('From then on no window reaches back to them.'),
  },
  'Records that the log had dropped before they were rolled: swaps that are missing from the statistics.',
)
export type GapStatus = Wire<typeof GapStatus>

export const PartitionStatus = closed({
  partition: count('Partition of the trade log.'),
  replica: nullable(Type.String(), 'Of which replica set; null where there is one process.'),
  owner: nullable(Type.String(), 'The process that rolls it; null while nobody has said that it does.'),
  address: nullable(Type.String(), 'Where that process answers HTTP.'),
  state: Type.Enum([...ROLLING_STATES, 'silent', 'unknown'] as const, {
    description:
      'live: as current as the log. handing over: another process gets ready to take it. silent: its owner has not been heard of for ten seconds. unknown: nobody has said anything about it yet.',
  }),
  first: offsetOf('The log holds the offsets from here on.'),
  end: offsetOf('The log holds the offsets below.'),
  rolled: offsetOf('Every record below is rolled.'),
  checkpointed: offsetOf('Every record below is covered by a durable checkpoint.'),
  lag: offsetOf('Records not yet rolled: end − rolled.'),
  logTime: nullable(epochMs('Greatest append time that was rolled.')),
  viewTime: nullable(epochMs('The second at which windows end.')),
  gaps: Type.Array(GapStatus),
})
export type PartitionStatus = Wire<typeof PartitionStatus>

const milliseconds = nullable(Type.Number({ minimum: 0 }), 'Milliseconds; null without samples.')

export const DelayStatus = closed(
  {
    samples: count('How many there were.'),
    p50Ms: milliseconds,
    p90Ms: milliseconds,
    p99Ms: milliseconds,
    maxMs: milliseconds,
  },
  'From the append to the log until the update left for its readers, over the last minute.',
)
export type DelayStatus = Wire<typeof DelayStatus>

export const ClientStatus = closed({
  webSockets: count('Open WebSockets.'),
  eventStreams: count('Open streams of server-sent events.'),
  subscriptions: count('Of all clients.'),
  messagesSent: count('Over all clients since the start.'),
  updatesConflated: count('Updates that a slow reader did not get because a newer one replaced them.'),
  slowReadersClosed: count('Clients closed because they did not read.'),
  unsentBytes: count('Of messages that the clients have not taken yet.'),
  bodyBytesInFlight: count('Of request bodies that are not answered yet.'),
})
export type ClientStatus = Wire<typeof ClientStatus>

export const ArchiveStatus = closed(
  {
    archived: nullable(
      count('Every record below is archived.'),
      'null while the archive has not been reached yet, and where this process archives several partitions.',
    ),
    lag: nullable(count('Records not yet archived.'), 'null while that is not known.'),
    stored: count('Swaps stored since the start.'),
    duplicates: count('Swaps that were in the archive already, since the start.'),
    expired: count('Swaps older than what the archive keeps, since the start.'),
    lost: count('Records that the log dropped before they were archived, since the start.'),
    problem: nullable(Type.String(), 'Why nothing is stored for now; null while all is well.'),
  },
  'The archiver of this process.',
)
export type ArchiveStatus = Wire<typeof ArchiveStatus>

/// What a swap can become.
export const fates = {
  accepted: count('Counted.'),
  duplicate: count('Had been accepted before.'),
  late: count('Older than the retention.'),
  early: count('Dated too far ahead.'),
}
export const conflict = count('Duplicates whose content differs; in `duplicate` too.')

const rate = nullable(Type.Number(), 'Per second, over the last ten seconds.')
const known = (description: string) => nullable(Type.Integer(), description)

export const StatusReport = closed(
  {
    version: Type.String({ description: 'Of the program.' }),
    instance: Type.String({ description: 'Names this process.' }),
    startedAt: epochMs('When the process started.'),
    now: epochMs('The clock of the server.'),
    ready: Type.Boolean(),
    reason: nullable(Type.String(), 'Why it is not ready.'),
    percent: nullable(
      Type.Integer({ minimum: 0, maximum: 100 }),
      'How much of the state is restored; null when nothing is being restored.',
    ),
    tokens: count('Tokens with statistics.'),
    fates: nullable(
      closed({ ...fates, invalid: count('No swaps.'), conflict }),
      'What became of the swaps, since the beginning of the log.',
    ),
    rates: closed({ appendedPerSecond: rate, rolledPerSecond: rate, updatesPerSecond: rate }),
    partitions: Type.Array(PartitionStatus),
    delay: nullable(DelayStatus),
    clients: ClientStatus,
    archive: nullable(ArchiveStatus, 'null where there is no archive.'),
    storage: closed({
      tradeLogBytes: known('Bytes.'),
      stateBytes: known('Bytes.'),
      deadLetterBytes: known('Bytes.'),
      deadLettersStored: known('Since the store was created.'),
      deadLettersDropped: known('Since the store was created.'),
    }),
    memory: closed({ rssBytes: count('Bytes.'), heapUsedBytes: count('Bytes.') }),
  },
  'What an operator asks first.',
)
export type StatusReport = Wire<typeof StatusReport>
