/// The answer of `GET /v1/status`: what an operator asks first. Times are epoch milliseconds, sizes bytes; what
/// this process does not know (a role that runs elsewhere) is null.

import Type from 'typebox'
import { closed, count, epochMs, nullable, type Wire } from './schema.js'

/// Ready: every token's statistics are complete, and as current as the log. `percent` says how much of the state is
/// restored, 0 … 100, null when nothing is being restored.
export type Readiness =
  | { readonly ready: true }
  | { readonly ready: false; readonly reason: string; readonly percent: number | null }

export const PartitionStatus = closed({
  partition: count('Partition of the trade log.'),
  first: count('The log holds the offsets from here on.'),
  end: count('The log holds the offsets below.'),
  rolled: count('Every record below is rolled.'),
  checkpointed: count('Every record below is covered by a durable checkpoint.'),
  lag: count('Records not yet rolled: end − rolled.'),
  logTime: nullable(epochMs('Greatest append time that was rolled.')),
  viewTime: nullable(epochMs('The second at which windows end.')),
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
      'null while the archive has not been reached yet.',
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

const rate = nullable(Type.Number(), 'Per second, over the last ten seconds.')
const known = (description: string) => nullable(Type.Integer(), description)

export const StatusReport = closed(
  {
    version: Type.String({ description: 'Of the program.' }),
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
      closed({
        accepted: count('Counted.'),
        duplicate: count('Had been accepted before.'),
        late: count('Older than the retention.'),
        early: count('Dated too far ahead.'),
        invalid: count('No swaps.'),
        conflict: count('Duplicates whose content differs; in `duplicate` too.'),
      }),
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
