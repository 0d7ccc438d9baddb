/// Reads a partition of topic `rolls`: deltas and notes in order; what is none is told and skipped.

import { offset } from '../../core/units.js'
import { LogRefusedError } from '../../ports/errors.js'
import { lookUpBounds } from './offsets.js'
import type { PartitionReader } from './partition-reader.js'
import {
  BrokenBatchError,
  type RecordBatch,
  type RecordColumns,
  readRecords,
  recordValue,
} from './record-batch.js'
import type { RollsContext } from './rolls.js'
import { type RollRecord, RollRecordError, readRoll } from './rolls-record.js'
import { checkWhole } from './whole-batch.js'

/// A record of the partition.
export interface Read {
  readonly roll: RollRecord
  readonly appendTimeMs: number
  /// Offset of the record after it.
  readonly next: number
}

export class RollsReader {
  readonly #context: RollsContext
  readonly #partition: number

  constructor(context: RollsContext, partition: number) {
    this.#context = context
    this.#partition = partition
  }

  /// The records from `from` on, and at least up to `end`. Ends when the signal aborts.
  async *follow(from: number, signal: AbortSignal, end = Number.POSITIVE_INFINITY): AsyncGenerator<Read> {
    if (signal.aborted) return
    const { fetcher, topic } = this.#context
    const reader = fetcher.read(topic, this.#partition, from)
    const stop = () => reader.end()
    signal.addEventListener('abort', stop, { once: true })
    try {
      for (let next = from; next < end; ) {
        const fetched = await reader.read()
        if (fetched === null) {
          if (reader.fault === null) return
          throw this.#faultOf(reader)
        }
        next = fetched.next
        if (fetched.batch === null) continue
        // A batch comes whole, also where `from` is within it.
        for (const read of this.#records(fetched.batch)) if (read.next > from) yield read
      }
    } finally {
      signal.removeEventListener('abort', stop)
      reader.end()
    }
  }

  /// The last record; null where there is none.
  async last(signal: AbortSignal): Promise<Read | null> {
    const { cluster, topic } = this.#context
    const bounds = (await lookUpBounds(cluster, topic, [this.#partition])).get(this.#partition)
    if (bounds === undefined || bounds.first >= bounds.end) return null
    let last: Read | null = null
    for await (const read of this.follow(bounds.end - 1, signal, bounds.end)) last = read
    return last
  }

  *#records(batch: RecordBatch): Iterable<Read> {
    const { topic } = this.#context
    checkWhole(topic, this.#partition, batch)
    let columns: RecordColumns
    try {
      columns = readRecords(batch)
    } catch (error) {
      if (!(error instanceof BrokenBatchError)) throw error
      this.#poison(batch.baseOffset, error, batch.bytes)
      return
    }
    for (let i = 0; i < columns.count; i++) {
      const delta = columns.offsetDelta[i] ?? 0
      try {
        const roll = readRoll(columns, i)
        if (roll.partition !== this.#partition)
          throw new RollRecordError(`it is of partition ${roll.partition}`)
        const timestampMs = batch.baseTimestampMs + (columns.timestampDelta[i] ?? 0)
        const appendTimeMs = batch.appendTimeMs ?? timestampMs
        yield { roll, appendTimeMs, next: batch.baseOffset + delta + 1 }
      } catch (error) {
        if (!(error instanceof RollRecordError)) throw error
        this.#poison(batch.baseOffset + delta, error, recordValue(columns, i))
      }
    }
  }

  #poison(at: number, { message: reason }: Error, input: Uint8Array): void {
    const { onPoison, topic } = this.#context
    onPoison({ topic, partition: this.#partition, offset: offset(at), reason, input })
  }

  #faultOf({ fault }: PartitionReader): Error {
    const why = fault?.kind === 'refused' ? fault.why : fault?.kind
    return new LogRefusedError(
      `Partition ${this.#partition} of topic ${this.#context.topic} cannot be read: ${why}`,
    )
  }
}
