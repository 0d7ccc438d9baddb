/// The trade log on Kafka: topic `trades`, keyed by token. A record's value is one swap as JSON; its key, the token,
/// chooses the partition as Kafka's own producers do, so anybody may write to the topic. Append times are the broker's
/// (message.timestamp.type=LogAppendTime), one for each record batch.

import { invariant } from '../../core/invariant.js'
import { type KeyedRecords, recordsIn } from '../../core/keyed-records.js'
import { partitionOf } from '../../core/partition.js'
import { epochMs, type Offset, offset } from '../../core/units.js'
import { DamagedError, LogRefusedError, OffsetGoneError } from '../../ports/errors.js'
import type { Appended, LogBatch, LogBounds, TradeLog } from '../../ports/trade-log.js'
import type { KafkaCluster } from './cluster.js'
import { KafkaFault } from './connection.js'
import { Fetcher } from './fetcher.js'
import { LeaderEpochs } from './leader-epochs.js'
import { lookUpBounds } from './offsets.js'
import type { Fetched, PartitionReader } from './partition-reader.js'
import { type Append, KafkaProducer } from './producer.js'
import { BrokenBatchError, type RecordBatch, type RecordColumns, readRecords } from './record-batch.js'
import { checkWhole } from './whole-batch.js'

/// Poison is kept as far as a dead letter keeps it.
const BROKEN_BYTES_MAX = 4096

const CUT_BACK =
  'To go on with what Kafka has, stop every instance, delete topic rolls (of each replica set) and start again: the state is rolled anew from the swaps that are kept. Producers that still have the lost ones may send them again: ids make the others count once.'

export interface KafkaTradeLogOptions {
  readonly cluster: KafkaCluster
  readonly topic: string
  /// Bytes that may wait to be confirmed.
  readonly bufferBytesMax?: number
  /// How long an append waits to be confirmed.
  readonly confirmMsMax?: number
}

export class KafkaTradeLog implements TradeLog {
  /// Of what was followed; and of where it is to be followed on, which whoever keeps positions notes here.
  readonly epochs = new LeaderEpochs()
  readonly #cluster: KafkaCluster
  readonly #topic: string
  readonly #producer: KafkaProducer
  readonly #fetcher: Fetcher
  readonly #bounds = new Map<number, LogBounds>()
  #partitions = 0

  private constructor(options: KafkaTradeLogOptions) {
    const { cluster, topic, ...producer } = options
    this.#cluster = cluster
    this.#topic = topic
    this.#producer = new KafkaProducer({ cluster, ...producer })
    this.#fetcher = new Fetcher(cluster)
  }

  /// The topic must be there (topics.ts). Rejects with KafkaFault when the cluster cannot tell about it.
  static async open(options: KafkaTradeLogOptions): Promise<KafkaTradeLog> {
    const log = new KafkaTradeLog(options)
    await options.cluster.watch(options.topic)
    if (log.partitions === 0) throw new KafkaFault(`Kafka has no topic ${options.topic}`, false)
    const everyPartition = Array.from({ length: log.partitions }, (_, partition) => partition)
    for (const [partition, bounds] of await lookUpBounds(options.cluster, options.topic, everyPartition)) {
      log.#note(partition, bounds)
    }
    return log
  }

  /// Partitions can be added to a topic, never taken away.
  get partitions(): number {
    this.#partitions = Math.max(this.#partitions, this.#cluster.topic(this.#topic)?.leaders.length ?? 0)
    return this.#partitions
  }

  /// Appended bytes that Kafka has not confirmed yet.
  get unconfirmedBytes(): number {
    return this.#producer.bufferedBytes
  }

  async append(pieces: readonly KeyedRecords[]): Promise<readonly Appended[]> {
    const count = recordsIn(pieces)
    invariant(count > 0, 'an append has at least one record')
    const append = this.#producer.begin(
      count,
      pieces.reduce((sum, piece) => sum + bytesOf(piece), 0),
    )
    for (const piece of pieces) this.#addAll(piece, append)
    return append.done()
  }

  async *follow(partition: number, from: Offset, signal: AbortSignal): AsyncGenerator<LogBatch> {
    this.#checkPartition(partition)
    if (signal.aborted) return
    const reader = this.#fetcher.read(this.#topic, partition, from, this.epochs.below(partition, from))
    const end = () => reader.end()
    signal.addEventListener('abort', end, { once: true })
    try {
      for (;;) {
        const fetched = await reader.read()
        if (fetched === null) break
        this.#note(partition, { first: reader.logStartOffset, end: reader.endOffset })
        if (fetched.batch !== null) {
          this.epochs.note(partition, fetched.batch.baseOffset, fetched.batch.leaderEpoch)
        }
        yield* this.#batches(partition, fetched)
      }
      if (reader.fault !== null) throw await this.#faultOf(reader)
    } finally {
      signal.removeEventListener('abort', end)
      reader.end()
    }
  }

  bounds(partition: number): LogBounds {
    this.#checkPartition(partition)
    return this.#bounds.get(partition) ?? { first: offset(0), end: offset(0) }
  }

  async lookUpBounds(partition: number): Promise<LogBounds> {
    this.#checkPartition(partition)
    const found = await lookUpBounds(this.#cluster, this.#topic, [partition])
    for (const [asked, bounds] of found) this.#note(asked, bounds)
    return this.bounds(partition)
  }

  /// The topic's retention decides what is kept.
  release(): void {}

  /// The log lies with the brokers.
  sizeBytes(): number {
    return 0
  }

  async close(): Promise<void> {
    await this.#producer.close()
    await this.#fetcher.close()
  }

  #addAll(piece: KeyedRecords, append: Append): void {
    const { size, recordAt, recordLength, tokenAt, tokenLength } = piece
    const partitions = this.partitions
    const bytes = bufferOver(piece.bytes)
    for (let i = 0; i < size; i++) {
      const keyAt = tokenAt[i] ?? 0
      const keyLength = tokenLength[i] ?? 0
      const partition = partitionOf(bytes, keyAt, keyLength, partitions)
      append.add(this.#topic, partition, bytes, keyAt, keyLength, recordAt[i] ?? 0, recordLength[i] ?? 0)
    }
  }

  *#batches(partition: number, { batch, next }: Fetched): Iterable<LogBatch> {
    if (batch === null) {
      yield { ...empty(partition), firstOffset: offset(next) }
      return
    }
    checkWhole(this.#topic, partition, batch)
    const appendTime = epochMs(batch.appendTimeMs ?? 0)
    let columns: RecordColumns
    try {
      columns = readRecords(batch)
    } catch (error) {
      if (!(error instanceof BrokenBatchError)) throw error
      yield brokenBatch(partition, batch, error)
      return
    }
    yield* runs(partition, batch, columns, appendTime)
  }

  #note(partition: number, { first, end }: { readonly first: number; readonly end: number }): void {
    if (first >= 0) this.#bounds.set(partition, { first: offset(first), end: offset(end) })
  }

  #checkPartition(partition: number): void {
    const known = partition >= 0 && partition < this.partitions
    invariant(known, `topic ${this.#topic} has ${this.partitions} partitions, not one numbered ${partition}`)
  }

  async #faultOf({ partition, next, fault }: PartitionReader): Promise<Error> {
    const what = `Partition ${partition} of topic ${this.#topic}`
    switch (fault?.kind) {
      case 'gone': {
        const { first, end } = await this.lookUpBounds(partition)
        return new OffsetGoneError(`${what} holds offsets ${first} to ${end}, not ${next}`)
      }
      case 'diverged':
        return new DamagedError(
          `${what} was cut back at offset ${fault.at} and has other records now: swaps from there to offset ${next - 1} are counted, and Kafka has lost them.`,
          CUT_BACK,
        )
      case 'replaced':
        return new OffsetGoneError(
          `Topic ${this.#topic} was deleted and made again: its offsets mean other records now`,
        )
      case 'deleted':
        return new OffsetGoneError(`Topic ${this.#topic} was deleted`)
      default:
        return new LogRefusedError(`${what} cannot be read. ${fault?.why ?? ''}`)
    }
  }
}

const empty = (partition: number) => ({
  partition,
  count: 0,
  appendTime: epochMs(0),
  bytes: new Uint8Array(0),
  ranges: null,
  broken: null,
})

function brokenBatch(partition: number, batch: RecordBatch, error: BrokenBatchError): LogBatch {
  const { baseOffset, endOffset, appendTimeMs, bytes } = batch
  return {
    partition,
    firstOffset: offset(baseOffset),
    count: endOffset - baseOffset,
    appendTime: epochMs(appendTimeMs ?? 0),
    bytes: bytes.subarray(0, BROKEN_BYTES_MAX),
    ranges: null,
    broken: `record batch of offsets ${baseOffset} to ${endOffset - 1}: ${error.message}`,
  }
}

/// The records of a batch as log batches without holes: one, unless compaction took records out of it.
function* runs(
  partition: number,
  batch: RecordBatch,
  columns: RecordColumns,
  appendTime: LogBatch['appendTime'],
): Iterable<LogBatch> {
  const { count, bytes, offsetDelta, valueAt, valueLength } = columns
  for (let i = 0; i < count; i++) if ((valueLength[i] ?? 0) < 0) valueLength[i] = 0
  for (let from = 0; from < count; ) {
    let to = from + 1
    while (to < count && offsetDelta[to] === (offsetDelta[to - 1] ?? 0) + 1) to++
    yield {
      partition,
      firstOffset: offset(batch.baseOffset + (offsetDelta[from] ?? 0)),
      count: to - from,
      appendTime,
      bytes,
      ranges: { at: valueAt.subarray(from, to), length: valueLength.subarray(from, to) },
      broken: null,
    }
    from = to
  }
  const last = count === 0 ? -1 : (offsetDelta[count - 1] ?? 0)
  if (batch.baseOffset + last + 1 < batch.endOffset) {
    yield { ...empty(partition), firstOffset: offset(batch.endOffset) }
  }
}

/// Bytes of a piece's keys and records.
function bytesOf({ size, recordLength, tokenLength }: KeyedRecords): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += (recordLength[i] ?? 0) + (tokenLength[i] ?? 0)
  return sum
}

const bufferOver = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
