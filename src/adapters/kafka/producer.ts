/// Produces records: idempotent, asynchronous, batched, compressed, bounded.
///
/// Rejected: the client library's own producer. It takes a batch's sequence number when it encodes the batch and counts
/// it on when the answer comes, so two batches under way carry the same number, and the broker keeps the first and
/// acknowledges both (docs/adr/0020-kafka-client.md has the experiment).
///
/// Here each partition has a queue with one batch under way (partition-queue.ts), and each broker a loop with one request
/// under way, which carries a batch of every partition that it leads and that has one. A broker works on the requests
/// of a connection one after the other anyway. Nothing lingers: when the broker is free, what is there is sent.
///
/// Outage. Everything stays in its queue and is sent again until it is confirmed, at the same place in the sequence, so it is
/// stored once. The buffer is bounded: what does not fit is refused with LogFullError. Whoever waits for longer than
/// CONFIRM_MS_MAX is told so (LogUnavailableError), but the records stay: they may be in the log already.

import { initProducerIdV4 } from '@platformatic/kafka'
import { epochMs } from '../../core/units.js'
import { LogFullError, LogRefusedError, LogUnavailableError, type PortError } from '../../ports/errors.js'
import type { Appended } from '../../ports/trade-log.js'
import { type BrokerLoop, BrokerLoops, rotated } from './broker-loops.js'
import type { KafkaCluster } from './cluster.js'
import { Code, codeName, isRetryable, isStale } from './codes.js'
import { type BrokerConnection, KafkaFault } from './connection.js'
import { Delivery } from './delivery.js'
import {
  BATCH_BYTES_MAX,
  PartitionQueue,
  type PendingBatch,
  type ProducerIdentity,
} from './partition-queue.js'
import { type ProducedPartition, type ProduceOutcome, produceRequest } from './produce-request.js'
import { RECORD_OVERHEAD_BYTES, type RecordParts } from './record-batch-builder.js'

const MIB = 1024 * 1024
const REQUEST_BYTES_MAX = 8 * MIB
/// How long a broker may wait for the replicas.
const REPLICAS_MS_MAX = 10_000
export const CONFIRM_MS_MAX = 30_000
const RETRY_AFTER_SECONDS = 1

export interface ProducerOptions {
  readonly cluster: KafkaCluster
  /// Bytes of records that wait, without compression; 64 MiB unless said.
  readonly bufferBytesMax?: number
  /// CONFIRM_MS_MAX unless said.
  readonly confirmMsMax?: number
}

/// Gathers the records of one append; nothing else of the process runs between its calls.
export interface Append {
  /// Adds a record whose key and value are ranges of `bytes`, which may change afterwards.
  add(
    topic: string,
    partition: number,
    bytes: Buffer,
    keyAt: number,
    keyLength: number,
    valueAt: number,
    valueLength: number,
  ): void
  addParts(topic: string, partition: number, parts: RecordParts): void
  /// Resolves when all is durable. Rejects with LogUnavailableError or LogRefusedError.
  done(): Promise<readonly Appended[]>
}

export class KafkaProducer {
  readonly #cluster: KafkaCluster
  readonly #bufferBytesMax: number
  readonly #confirmMsMax: number
  readonly #queues = new Map<string, PartitionQueue[]>()
  readonly #loops: BrokerLoops<PartitionQueue>
  /// Deliveries that are waited for, oldest first, with the time at which waiting ends.
  readonly #waiting = new Map<Delivery, number>()
  #cancelWaiting: (() => void) | null = null
  #bufferedBytes = 0
  #identity: Promise<ProducerIdentity> | null = null

  constructor(options: ProducerOptions) {
    this.#cluster = options.cluster
    this.#bufferBytesMax = options.bufferBytesMax ?? 64 * MIB
    this.#confirmMsMax = options.confirmMsMax ?? CONFIRM_MS_MAX
    this.#loops = new BrokerLoops(this.#cluster, (loop, connect) => this.#send(loop, connect))
  }

  /// Bytes that wait to be confirmed.
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /// Begins an append of up to `records` records with `bytes` of keys, values and headers. Throws LogFullError; then
  /// nothing was taken.
  begin(records: number, bytes: number): Append {
    const wanted = bytes + records * RECORD_OVERHEAD_BYTES
    // An append alone is taken whatever its size: the caller bounds it.
    if (this.#bufferedBytes > 0 && this.#bufferedBytes + wanted > this.#bufferBytesMax) {
      throw new LogFullError(
        `Kafka has not confirmed ${this.#bufferedBytes} bytes of swaps yet, and no more are taken until it does`,
        RETRY_AFTER_SECONDS,
      )
    }
    const delivery = new Delivery()
    const touched = new Set<PartitionQueue>()
    const into = (topic: string, partition: number, size: number): PendingBatch => {
      const queue = this.#queue(topic, partition)
      touched.add(queue)
      const batch = queue.batchFor(size + RECORD_OVERHEAD_BYTES)
      batch.reserved += size + RECORD_OVERHEAD_BYTES
      this.#bufferedBytes += size + RECORD_OVERHEAD_BYTES
      return batch
    }
    return {
      add: (topic, partition, source, keyAt, keyLength, valueAt, valueLength) => {
        const batch = into(topic, partition, keyLength + valueLength)
        batch.builder.add(source, keyAt, keyLength, valueAt, valueLength, this.#cluster.clock.now())
        batch.note(delivery)
      },
      addParts: (topic, partition, parts) => {
        const batch = into(topic, partition, sizeOf(parts))
        batch.builder.addParts(parts)
        batch.note(delivery)
      },
      done: () => {
        delivery.complete()
        if (!delivery.settled) this.#await(delivery)
        for (const queue of touched) this.#dispatch(queue)
        return delivery.done
      },
    }
  }

  /// Waits until all that was appended is confirmed or given up, then ends.
  async close(): Promise<void> {
    await Promise.allSettled([...this.#waiting.keys()].map(({ done }) => done))
    this.#cancelWaiting?.()
    const ended = this.#loops.close(false)
    const gone = new LogUnavailableError('The log is closed', RETRY_AFTER_SECONDS)
    for (const queues of this.#queues.values()) for (const queue of queues) this.#abandon(queue, gone)
    await ended
  }

  #queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#queues.get(topic)
    if (queues === undefined) {
      queues = []
      this.#queues.set(topic, queues)
    }
    for (let next = queues.length; next <= partition; next++) queues.push(new PartitionQueue(topic, next))
    const queue = queues[partition]
    if (queue === undefined) throw new RangeError(`there is no partition ${partition}`)
    return queue
  }

  #dispatch(queue: PartitionQueue): void {
    if (queue.ready && !this.#loops.closed) this.#loops.dispatch(queue, again => this.#dispatch(again))
  }

  #tryLater(queue: PartitionQueue, stale: boolean): void {
    this.#loops.later(queue, stale, again => this.#dispatch(again))
  }

  /// Sends one request to the broker and waits for its answer.
  async #send(loop: BrokerLoop, connect: () => Promise<BrokerConnection>): Promise<boolean> {
    const queues = this.#readyFor(loop)
    if (queues.length === 0) return false
    for (const queue of queues) queue.inFlight = true
    try {
      const identity = await this.#identify()
      const connection = await connect()
      const request = produceRequest(takeUpTo(queues, identity), REPLICAS_MS_MAX)
      const outcomes = await connection.request(request)
      this.#cluster.noteAnswer()
      for (const queue of queues) queue.inFlight = false
      this.#settle(queues, outcomes)
    } catch (error) {
      for (const queue of queues) queue.inFlight = false
      this.#retry(queues, error)
    }
    return true
  }

  #readyFor({ node, turn }: BrokerLoop): PartitionQueue[] {
    const found: PartitionQueue[] = []
    for (const [topic, queues] of this.#queues) {
      for (const queue of queues) {
        if (queue.ready && this.#cluster.leader(topic, queue.partition)?.node === node) found.push(queue)
      }
    }
    return rotated(found, turn)
  }

  #settle(queues: readonly PartitionQueue[], outcomes: readonly ProduceOutcome[]): void {
    for (const outcome of outcomes) {
      const queue = queues.find(
        ({ topic, partition }) => topic === outcome.topic && partition === outcome.partition,
      )
      if (queue !== undefined) this.#settleOne(queue, outcome)
    }
    for (const queue of queues) this.#dispatch(queue)
  }

  #settleOne(queue: PartitionQueue, { errorCode, errorMessage, baseOffset }: ProduceOutcome): void {
    switch (errorCode) {
      case Code.none:
        this.#release(queue.appended(baseOffset))
        return
      case Code.outOfOrderSequence:
      case Code.duplicateSequence:
      case Code.unknownProducerId:
      case Code.invalidProducerEpoch:
        this.#startAnew(queue)
        return
      default:
        if (isRetryable(errorCode)) this.#tryLater(queue, isStale(errorCode))
        else {
          const why = errorMessage === null ? codeName(errorCode) : `${codeName(errorCode)}: ${errorMessage}`
          const where = `topic ${queue.topic}, partition ${queue.partition}`
          this.#release(queue.refused(new LogRefusedError(`Kafka refuses records for ${where}: ${why}`)))
        }
    }
  }

  /// The broker has lost track of this producer in the partition.
  #startAnew(queue: PartitionQueue): void {
    queue.pausing = true
    void this.#newIdentity()
      .then(
        identity => queue.reset(identity),
        error => this.#cluster.noteFault(error),
      )
      .then(() => this.#tryLater(queue, false))
  }

  #retry(queues: readonly PartitionQueue[], error: unknown): void {
    this.#cluster.noteFault(error)
    if (error instanceof KafkaFault && !error.retryable) {
      for (const queue of queues) this.#abandon(queue, new LogRefusedError(error.message))
    }
    for (const queue of queues) this.#tryLater(queue, true)
  }

  #abandon(queue: PartitionQueue, error: PortError): void {
    for (const batch of queue.abandon(error)) this.#release(batch)
  }

  #release(batch: PendingBatch | null): void {
    this.#bufferedBytes -= batch?.reserved ?? 0
  }

  #identify(): Promise<ProducerIdentity> {
    this.#identity ??= this.#newIdentity().catch(error => {
      this.#identity = null
      throw error
    })
    return this.#identity
  }

  async #newIdentity(): Promise<ProducerIdentity> {
    const connection = await this.#cluster.control()
    const answer = await connection.call(initProducerIdV4.api, null, REPLICAS_MS_MAX, -1n, -1)
    if (answer.errorCode !== Code.none) {
      throw new KafkaFault(
        `Kafka gives no producer id: ${codeName(answer.errorCode)}`,
        isRetryable(answer.errorCode),
      )
    }
    return { producerId: Number(answer.producerId), producerEpoch: answer.producerEpoch }
  }

  #await(delivery: Delivery): void {
    this.#waiting.set(delivery, this.#cluster.clock.now() + this.#confirmMsMax)
    void delivery.done.then(
      () => this.#waiting.delete(delivery),
      () => this.#waiting.delete(delivery),
    )
    if (this.#cancelWaiting === null) this.#armWaiting()
  }

  /// One alarm for all: every delivery is waited for equally long.
  #armWaiting(): void {
    this.#cancelWaiting = null
    const [first] = this.#waiting.values()
    if (first === undefined || this.#loops.closed) return
    this.#cancelWaiting = this.#cluster.clock.at(epochMs(first), () => {
      const now = this.#cluster.clock.now()
      for (const [delivery, until] of this.#waiting) {
        if (until > now) break
        this.#waiting.delete(delivery)
        delivery.fail(this.#unconfirmed())
      }
      this.#armWaiting()
    })
  }

  #unconfirmed(): PortError {
    return new LogUnavailableError(
      `Kafka has not confirmed within ${this.#confirmMsMax / 1000} s; the records stay with this process and may still be appended`,
      RETRY_AFTER_SECONDS,
    )
  }
}

function takeUpTo(queues: readonly PartitionQueue[], identity: ProducerIdentity): ProducedPartition[] {
  const parts: ProducedPartition[] = []
  let bytes = 0
  for (const queue of queues) {
    if (bytes > REQUEST_BYTES_MAX - BATCH_BYTES_MAX) break
    const batch = queue.take(identity)
    if (batch === null) continue
    bytes += batch.length
    parts.push({ topic: queue.topic, partition: queue.partition, batch })
  }
  return parts
}

function sizeOf({ key, value, headers = [] }: RecordParts): number {
  const inHeaders = headers.reduce((sum, [name, content]) => sum + 3 * name.length + content.length + 10, 0)
  return (key?.length ?? 0) + (value?.length ?? 0) + inHeaders
}
