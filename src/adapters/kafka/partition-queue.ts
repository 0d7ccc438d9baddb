/// What waits to be produced to one partition, and the producer's place in its sequence there.
///
/// One batch at a time is under way. That is what keeps the order and the sequence right through every failure: the
/// batch is sent again, with the same stamp, until the broker says what became of it. What is appended meanwhile
/// gathers in the next batch, so the slower the broker, the larger the batches.

import type { Delivery } from './delivery.js'
import { type ProducerStamp, RecordBatchBuilder } from './record-batch-builder.js'

/// Of a batch without compression: below a broker's default limit of 1,048,588 bytes.
export const BATCH_BYTES_MAX = 1_000_000
const SEQUENCE_MASK = 0x7fff_ffff

export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

interface Waiter {
  readonly delivery: Delivery
  /// How many records of the batch are its, and how many come before its last one.
  count: number
  last: number
}

export class PendingBatch {
  readonly builder: RecordBatchBuilder
  readonly waiters: Waiter[] = []
  /// Bytes that were reserved for it in the producer's buffer.
  reserved = 0
  /// As it was sent; kept until the broker answered.
  sent: Buffer | null = null

  constructor(builder: RecordBatchBuilder) {
    this.builder = builder
  }

  /// Notes that the delivery has put one more record into it.
  note(delivery: Delivery): void {
    const waiter = this.waiters.at(-1)
    if (waiter?.delivery === delivery) {
      waiter.count++
      waiter.last = this.builder.count - 1
    } else {
      delivery.begin()
      this.waiters.push({ delivery, count: 1, last: this.builder.count - 1 })
    }
  }
}

export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /// Waiting behind the one under way, oldest first; the last one still takes records.
  readonly #batches: PendingBatch[] = []
  #underWay: PendingBatch | null = null
  /// The builder of a batch that is done: its memory is used again.
  #spare: RecordBatchBuilder | null = null
  #identity: ProducerIdentity | null = null
  #nextSequence = 0
  /// True while it waits before another try.
  pausing = false
  /// True while a request carries the batch under way.
  inFlight = false

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /// The batch that takes a record of up to `bytes`.
  batchFor(bytes: number): PendingBatch {
    const last = this.#batches.at(-1)
    if (last !== undefined && last.builder.sizeBytes + bytes <= BATCH_BYTES_MAX) return last
    const batch = new PendingBatch(this.#spare ?? new RecordBatchBuilder())
    this.#spare = null
    this.#batches.push(batch)
    return batch
  }

  get empty(): boolean {
    return this.#underWay === null && this.#batches.length === 0
  }

  /// Whether a request may take its batch now.
  get ready(): boolean {
    return !this.empty && !this.inFlight && !this.pausing
  }

  /// The bytes to send next: those that are under way already, or the next batch's. `identity` is taken where the
  /// partition has none of its own.
  take(identity: ProducerIdentity): Buffer | null {
    this.#underWay ??= this.#batches.shift() ?? null
    if (this.#underWay === null) return null
    this.#identity ??= identity
    const stamp: ProducerStamp = { ...this.#identity, baseSequence: this.#nextSequence }
    this.#underWay.sent ??= this.#underWay.builder.finish(stamp)
    return this.#underWay.sent
  }

  /// The batch under way is in the log.
  appended(baseOffset: number): PendingBatch | null {
    const batch = this.#underWay
    if (batch === null) return null
    this.#underWay = null
    this.#nextSequence = (this.#nextSequence + batch.builder.count) & SEQUENCE_MASK
    for (const { delivery, count, last } of batch.waiters) {
      delivery.appended(this.partition, count, baseOffset + last + 1)
    }
    batch.builder.clear()
    this.#spare = batch.builder
    return batch
  }

  /// The broker will never take the batch under way; nothing of it is in the log.
  refused(error: Error): PendingBatch | null {
    const batch = this.#underWay
    this.#underWay = null
    for (const { delivery } of batch?.waiters ?? []) delivery.fail(error)
    return batch
  }

  /// The broker does not know this producer here any more: the batch under way is sent again as another producer's.
  /// It may be in the log then already, which ids make harmless.
  reset(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#nextSequence = 0
    if (this.#underWay !== null) this.#underWay.sent = null
  }

  /// Fails everything that waits, and returns it.
  abandon(error: Error): PendingBatch[] {
    const waiting = this.#batches.splice(0)
    for (const { waiters } of waiting) for (const { delivery } of waiters) delivery.fail(error)
    const underWay = this.refused(error)
    return underWay === null ? waiting : [underWay, ...waiting]
  }
}
