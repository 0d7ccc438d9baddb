/// The trade log on the local disk: one stream per partition (stream.ts, docs/formats/log.md). A frame is a batch
/// as it was appended; its meta is (first offset, count, append time, 0).

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { invariant } from '../../core/invariant.js'
import { type KeyedRecords, recordsIn } from '../../core/keyed-records.js'
import { linesByPartition, type PartitionLines } from '../../core/partitioned-lines.js'
import { epochMs, type Offset, offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { Appended, LogBatch, LogBounds, TradeLog } from '../../ports/trade-log.js'
import type { LogBeginning } from './backfill-directory.js'
import type { Disk } from './disk.js'
import { LogFollower } from './log-follower.js'
import { Stream } from './stream.js'
import type { StreamSpec } from './stream-open.js'
import { REPAIR } from './way-out.js'

const MIB = 1024 * 1024

/// Default bound of the log's size; only released records count as droppable.
export const LOG_SIZE_BYTES_MAX = 2048 * MIB
/// Bound of one append.
export const APPEND_BYTES_MAX = 64 * MIB

export interface EmbeddedTradeLogOptions {
  readonly directory: string
  readonly clock: Clock
  /// 1 unless said.
  readonly partitions?: number
  /// Whether partitions that are not there are created (unless said, they are); else their absence is damage.
  readonly create?: boolean
  /// Where a log that is created begins; 0 unless said.
  readonly begins?: LogBeginning
  /// A segment file is rolled over at this length: 64 MiB, or a sixteenth of the size bound if that is less.
  readonly segmentBytes?: number
  /// Above this size (LOG_SIZE_BYTES_MAX) segments that hold only released records are dropped, the oldest first.
  readonly sizeBytesMax?: number
  /// Bytes per partition that may wait to be written (64 MiB); appends beyond it are refused with LogFullError.
  readonly queueBytesMax?: number
  readonly disk?: Disk
}

interface Partition {
  readonly stream: Stream
  readonly followers: Set<LogFollower>
  released: Offset
}

/// What the stream of a partition is.
export function logStreamSpec(
  directory: string,
  partition: number,
  create: boolean,
  begins: LogBeginning = { offset: offset(0), logTime: epochMs(0) },
): StreamSpec {
  return {
    directory: join(directory, String(partition)),
    kind: 'log',
    name: `The trade log (partition ${partition})`,
    create,
    // Next offset, last append time.
    initialCarry: [begins.offset, begins.logTime],
    advance: (_, [firstOffset, count, appendTime]) => [firstOffset + count, appendTime],
    safe: ([next]) => `all records below offset ${next}`,
    wayOut: REPAIR,
  }
}

export class EmbeddedTradeLog implements TradeLog {
  readonly #clock: Clock
  readonly #sizeBytesMax: number
  readonly #partitions: readonly Partition[]

  /// Throws DamagedError or UnknownFormatError.
  constructor(options: EmbeddedTradeLogOptions) {
    this.#clock = options.clock
    this.#sizeBytesMax = options.sizeBytesMax ?? LOG_SIZE_BYTES_MAX
    mkdirSync(options.directory, { recursive: true })
    this.#partitions = Array.from({ length: options.partitions ?? 1 }, (_, i) => this.#open(options, i))
  }

  get partitions(): number {
    return this.#partitions.length
  }

  async append(pieces: readonly KeyedRecords[]): Promise<Appended[]> {
    invariant(recordsIn(pieces) > 0, 'an append has at least one record')
    const appends = linesByPartition(pieces, this.partitions).map(lines => this.#appendTo(lines))
    // All are waited for, also when one fails: the bytes are in use until then.
    const outcomes = await Promise.allSettled(appends)
    return outcomes.map(outcome => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  async *follow(partition: number, from: Offset, signal: AbortSignal): AsyncGenerator<LogBatch> {
    const { stream, followers } = this.#partition(partition)
    const follower = new LogFollower(stream, partition, from)
    const end = () => follower.end()
    if (signal.aborted) return
    signal.addEventListener('abort', end, { once: true })
    followers.add(follower)
    try {
      yield* follower.batches()
    } finally {
      followers.delete(follower)
      signal.removeEventListener('abort', end)
    }
  }

  bounds(partition: number): LogBounds {
    const { stream } = this.#partition(partition)
    return { first: offset(stream.segments[0]?.carry[0] ?? 0), end: offset(stream.carry[0] ?? 0) }
  }

  async lookUpBounds(partition: number): Promise<LogBounds> {
    return this.bounds(partition)
  }

  release(partition: number, below: Offset): void {
    const kept = this.#partition(partition)
    kept.released = offset(Math.max(kept.released, below))
    this.#dropReleased()
  }

  sizeBytes(): number {
    return this.#partitions.reduce((sum, { stream }) => sum + stream.sizeBytes(), 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.#partitions.map(({ stream }) => stream.close()))
    for (const { followers } of this.#partitions) for (const follower of followers) follower.end()
  }

  async #appendTo({ partition, bytes, count }: PartitionLines): Promise<Appended> {
    invariant(bytes.length <= APPEND_BYTES_MAX, `an append has at most ${APPEND_BYTES_MAX} bytes`)
    const [frame] = await this.#partition(partition).stream.append([
      {
        payload: bytes,
        meta: ([next = 0, lastTime = 0]) => [next, count, Math.max(this.#clock.now(), lastTime), 0],
      },
    ])
    invariant(frame !== undefined, 'an append makes a frame')
    return { partition, count, end: offset(frame.meta[0] + count) }
  }

  #partition(partition: number): Partition {
    const found = this.#partitions[partition]
    invariant(found !== undefined, `the log has ${this.partitions} partitions, not one numbered ${partition}`)
    return found
  }

  #open(options: EmbeddedTradeLogOptions, partition: number): Partition {
    const followers = new Set<LogFollower>()
    const stream = new Stream({
      ...logStreamSpec(options.directory, partition, options.create ?? true, options.begins),
      clock: options.clock,
      segmentBytes: options.segmentBytes ?? Math.min(64 * MIB, Math.ceil(this.#sizeBytesMax / 16)),
      queueBytesMax: options.queueBytesMax ?? 64 * MIB,
      ...(options.disk === undefined ? {} : { disk: options.disk }),
      onCommit: frames => {
        for (const follower of followers) follower.onCommit(frames)
        this.#dropReleased()
      },
    })
    return { stream, followers, released: offset(0) }
  }

  #dropReleased(): void {
    let excess = this.sizeBytes() - this.#sizeBytesMax
    if (excess <= 0) return
    for (const { stream, released } of this.#partitions) {
      let keepFrom = stream.segments[0]?.number ?? 0
      for (const [i, segment] of stream.segments.entries()) {
        const end = stream.segments[i + 1]?.carry[0]
        if (excess <= 0 || end === undefined || end > released) break
        excess -= segment.bytes
        keepFrom = segment.number + 1
      }
      void stream.dropBelow(keepFrom)
    }
  }
}
