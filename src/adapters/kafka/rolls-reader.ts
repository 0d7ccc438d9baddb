/// Reads a partition of topic `rolls`: deltas and notes in order; what is none is told and skipped.

import { offset } from '../../core/units.js'
import { LogRefusedError } from '../../ports/errors.js'
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
        if (fetched.batch !== null) yield* this.#records(fetched.batch)
      }
    } finally {
      signal.removeEventListener('abort', stop)
      reader.end()
    }
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
