/// Carries swaps to where their tokens belong after partitions were added: appends them to the log again, which chooses by key. Ids
/// make each count once there, however often this is done; where they came from they are not published any more.

import { JsonDecoder } from '../../core/decode/json-decoder.js'
import type { KeyedRecords } from '../../core/keyed-records.js'
import { partitionOf } from '../../core/partition.js'
import type { Offset } from '../../core/units.js'
import { PortError } from '../../ports/errors.js'
import type { LogBatch, TradeLog } from '../../ports/trade-log.js'
import { decodeLogged } from '../logged-rows.js'

export interface CarrierOptions {
  readonly log: TradeLog
  /// Whose swaps are looked at.
  readonly partition: number
  /// How many there are now.
  readonly partitions: number
  /// Resolves after a pause.
  pause(ms: number): Promise<void>
}

const RETRY_MS = 200

export class Carrier {
  readonly #options: CarrierOptions
  readonly #decoder = new JsonDecoder()

  constructor(options: CarrierOptions) {
    this.#options = options
  }

  /// Carries what the log holds now below `end`. `progress` gets 0 … 1. Returns how many swaps were carried. Ends early when the signal
  /// aborts.
  async all(end: Offset, progress: (share: number) => void, signal: AbortSignal): Promise<number> {
    const { log, partition } = this.#options
    const { first } = await log.lookUpBounds(partition)
    let carried = 0
    if (first >= end) return carried
    for await (const batch of log.follow(partition, first, signal)) {
      const strays = this.#straysOf(batch)
      if (strays !== null) await this.#append(strays)
      carried += strays?.size ?? 0
      const next = batch.firstOffset + batch.count
      progress((next - first) / (end - first))
      if (next >= end) break
    }
    return carried
  }

  /// Carries those of the swaps that belong elsewhere; resolves when they are durable there. Null where there are none.
  some(swaps: KeyedRecords): Promise<void> | null {
    const strays = this.#strays(swaps)
    return strays === null ? null : this.#append(strays)
  }

  /// Waits out what passes.
  async #append(strays: KeyedRecords): Promise<void> {
    for (;;) {
      try {
        await this.#options.log.append([strays])
        return
      } catch (error) {
        if (!(error instanceof PortError && error.retryable)) throw error
        await this.#options.pause(RETRY_MS)
      }
    }
  }

  #straysOf(batch: LogBatch): KeyedRecords | null {
    if (batch.broken !== null || batch.count === 0) return null
    return this.#strays(decodeLogged(this.#decoder, batch).batch)
  }

  #strays(swaps: KeyedRecords): KeyedRecords | null {
    const { partition, partitions } = this.#options
    if (partitions === 1) return null
    const { size, bytes, recordAt, recordLength, tokenAt, tokenLength } = swaps
    const rows: number[] = []
    for (let row = 0; row < size; row++) {
      const home = partitionOf(bytes, tokenAt[row] ?? 0, tokenLength[row] ?? 0, partitions)
      if (home !== partition) rows.push(row)
    }
    if (rows.length === 0) return null
    const of = (column: Int32Array) => Int32Array.from(rows, row => column[row] ?? 0)
    return {
      ...{ size: rows.length, bytes },
      recordAt: of(recordAt),
      recordLength: of(recordLength),
      tokenAt: of(tokenAt),
      tokenLength: of(tokenLength),
    }
  }
}
