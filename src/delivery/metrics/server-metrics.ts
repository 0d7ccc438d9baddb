/// What a process measures of itself, and how it is told. No label has more values than the program has operations,
/// causes or partitions: none is per token, client or key.

import type { Stopwatch } from '../../ports/stopwatch.js'
import type { StatusReport } from '../wire/status.js'
import { Exposition } from './exposition.js'
import { Histogram } from './histogram.js'

/// What only the web role knows.
export interface WebGauges {
  readonly closed: ReadonlyMap<string, number>
  readonly rateLimited: number
  readonly resumeBytes: number
  readonly rankings: number
  readonly liveSwapsLeftOut: number
}

/// Those of an operation that were answered.
interface Requests {
  readonly byStatus: Map<number, number>
  readonly durations: Histogram
}

export class ServerMetrics {
  readonly #stopwatch: Stopwatch
  /// By operation.
  readonly #requests = new Map<string, Requests>()
  readonly #roll = new Histogram()
  readonly #checkpoint = new Histogram()
  readonly #delivery = new Histogram()

  constructor(stopwatch: Stopwatch) {
    this.#stopwatch = stopwatch
  }

  elapsedMs(): number {
    return this.#stopwatch.elapsedMs()
  }

  /// An HTTP request was answered.
  request(operation: string, status: number, ms: number): void {
    let requests = this.#requests.get(operation)
    if (requests === undefined) {
      requests = { byStatus: new Map(), durations: new Histogram() }
      this.#requests.set(operation, requests)
    }
    const { byStatus, durations } = requests
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1)
    durations.observe(ms / 1000)
  }

  /// So many messages about tokens have left in one turn, so long after the updates were rolled.
  delivered(ms: number, messages: number): void {
    if (messages > 0) this.#delivery.observe(ms / 1000, messages)
  }

  roll<T>(work: () => T): T {
    const began = this.elapsedMs()
    const result = work()
    this.#roll.observe((this.elapsedMs() - began) / 1000)
    return result
  }

  async checkpoint<T>(work: () => Promise<T>): Promise<T> {
    const began = this.elapsedMs()
    const result = await work()
    this.#checkpoint.observe((this.elapsedMs() - began) / 1000)
    return result
  }

  exposition(status: StatusReport, web: WebGauges, process: { cpuSeconds: number; node: string }): string {
    const out = new Exposition()
    const { clients, storage, memory, rates, fates } = status
    const partitions = status.partitions.filter(({ owner }) => owner === status.instance)
    out.gauge('volumer_build_info', 'The program.', [
      { labels: { version: status.version, node: process.node }, value: 1 },
    ])
    out.gauge('volumer_ready', '1 when the statistics are complete and current.', status.ready ? 1 : 0)
    out.gauge('volumer_tokens', 'Tokens with statistics.', status.tokens)
    const { conflict, ...fateCounts } = fates ?? { conflict: null }
    out.counter(
      'volumer_swaps_total',
      'Swaps by fate, since the beginning of the log.',
      Object.entries(fateCounts).map(([fate, value]) => ({ labels: { fate }, value })),
    )
    out.counter('volumer_swap_conflicts_total', 'Duplicates whose content differs.', conflict)
    out.gauge('volumer_updates_published_per_second', 'Over the last ten seconds.', rates.updatesPerSecond)

    const ofPartition = (value: (partition: (typeof partitions)[number]) => number | null) =>
      partitions.map(partition => ({ labels: { partition: partition.partition }, value: value(partition) }))
    out.gauge('volumer_partitions_owned', 'Partitions that this process rolls.', partitions.length)
    out.gauge(
      'volumer_log_end_offset',
      'The log holds the offsets below.',
      ofPartition(({ end }) => end),
    )
    out.gauge(
      'volumer_rolled_offset',
      'Every record below is rolled.',
      ofPartition(({ rolled }) => rolled),
    )
    out.gauge(
      'volumer_checkpointed_offset',
      'Every record below is covered by a checkpoint.',
      ofPartition(({ checkpointed }) => checkpointed),
    )
    out.gauge(
      'volumer_log_lag_records',
      'Records not yet rolled.',
      ofPartition(({ lag }) => lag),
    )
    out.gauge(
      'volumer_log_lag_seconds',
      'Age of the newest rolled record while there are newer ones.',
      ofPartition(({ lag, logTime }) =>
        lag === 0 ? 0 : logTime === null ? null : Math.max(0, status.now - logTime) / 1000,
      ),
    )

    out.histogram('volumer_roll_duration_seconds', 'Rolling one batch of the log.', [
      { histogram: this.#roll },
    ])
    out.histogram('volumer_checkpoint_duration_seconds', 'Storing one checkpoint.', [
      { histogram: this.#checkpoint },
    ])
    out.histogram(
      'volumer_delivery_duration_seconds',
      'From rolled to written to the sockets, by message about a token.',
      [{ histogram: this.#delivery }],
    )
    out.counter(
      'volumer_http_requests_total',
      'Answered requests.',
      Array.from(this.#requests, ([operation, { byStatus }]) =>
        Array.from(byStatus, ([code, value]) => ({ labels: { operation, code }, value })),
      ).flat(),
    )
    out.histogram(
      'volumer_http_request_duration_seconds',
      'From the header to the end of the answer; of postTrades it is the ingest.',
      Array.from(this.#requests, ([operation, { durations: histogram }]) => ({
        labels: { operation },
        histogram,
      })),
    )
    out.counter(
      'volumer_http_requests_rate_limited_total',
      'Requests refused for their rate.',
      web.rateLimited,
    )

    out.gauge('volumer_clients', 'Clients of the feeds.', [
      { labels: { transport: 'websocket' }, value: clients.webSockets },
      { labels: { transport: 'eventstream' }, value: clients.eventStreams },
    ])
    out.gauge('volumer_subscriptions', 'Of all clients.', clients.subscriptions)
    out.counter(
      'volumer_clients_closed_total',
      'Clients that went, by reason; `gone` left by themselves.',
      Array.from(web.closed, ([reason, value]) => ({ labels: { reason }, value })),
    )
    out.counter('volumer_messages_sent_total', 'To all clients.', clients.messagesSent)
    out.counter(
      'volumer_updates_conflated_total',
      'Replaced by newer ones for slow readers.',
      clients.updatesConflated,
    )
    out.gauge('volumer_queue_bytes', 'Bytes that wait, by queue.', [
      { labels: { queue: 'client' }, value: clients.unsentBytes },
      { labels: { queue: 'body' }, value: clients.bodyBytesInFlight },
      { labels: { queue: 'resume' }, value: web.resumeBytes },
    ])
    out.counter(
      'volumer_live_swaps_left_out_total',
      'Accepted swaps that found no room on the way to other instances.',
      web.liveSwapsLeftOut,
    )
    out.gauge('volumer_rankings_kept', 'Rankings that are kept in order.', web.rankings)
    out.gauge('volumer_storage_bytes', 'Bytes on the disk, by store.', [
      { labels: { store: 'trade_log' }, value: storage.tradeLogBytes },
      { labels: { store: 'state' }, value: storage.stateBytes },
      { labels: { store: 'dead_letters' }, value: storage.deadLetterBytes },
    ])
    out.counter('volumer_dead_letters_total', 'Stored dead letters.', storage.deadLettersStored)
    out.gauge('process_start_time_seconds', 'Since the Unix epoch.', status.startedAt / 1000)
    out.counter('process_cpu_seconds_total', 'User and system time.', process.cpuSeconds)
    out.gauge('process_resident_memory_bytes', 'Resident memory.', memory.rssBytes)
    return out.text
  }
}
