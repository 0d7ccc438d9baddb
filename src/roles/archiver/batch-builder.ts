/// Makes batches for the archive from batches of the trade log: decodes the records, leaves out what is invalid, late or
/// early, and gives each swap what the archive needs to know of it.

import { type AdmissionRules, refusalOf } from '../../core/admission.js'
import { chainPlace } from '../../core/chain-place.js'
import { JsonDecoder } from '../../core/decode/json-decoder.js'
import type { SwapBatch } from '../../core/swap-batch.js'
import { type EpochMs, epochMs, type Offset, offset } from '../../core/units.js'
import type { AdmittedSwap, ArchiveBatch, ArchivePosition } from '../../ports/trade-archive.js'
import type { LogBatch } from '../../ports/trade-log.js'
import { decodeLogged } from '../logged-rows.js'
import { loggedSwap, RowText } from '../logged-swap.js'

export interface BuilderRules extends AdmissionRules {
  readonly dedupeHorizonMs: number
}

/// Swaps that are made in one go: some 2 ms.
const ROWS_PER_TURN = 1000

export class BatchBuilder {
  readonly #partition: number
  readonly #rules: BuilderRules
  readonly #decoder = new JsonDecoder()
  #swaps: AdmittedSwap[] = []
  #from: Offset
  #to: Offset
  #logTime: EpochMs
  /// Of the first record since the last `take`.
  #firstLogTime: EpochMs | null = null

  constructor(partition: number, rules: BuilderRules, position: ArchivePosition) {
    this.#partition = partition
    this.#rules = rules
    this.#from = position.offset
    this.#to = position.offset
    this.#logTime = position.logTime
  }

  /// Swaps that wait to be taken.
  get size(): number {
    return this.#swaps.length
  }

  /// The first offset that was not added yet.
  get to(): Offset {
    return this.#to
  }

  /// Log time at `to`.
  get logTime(): EpochMs {
    return this.#logTime
  }

  /// Whether no records were added since the last `take`.
  get isEmpty(): boolean {
    return this.#to === this.#from
  }

  /// False when what waits must be taken before the batch is added: a batch of the archive spans less than a dedupe
  /// horizon of log time. (A batch without records has no time.)
  fits({ appendTime }: LogBatch): boolean {
    return this.#firstLogTime === null || appendTime - this.#firstLogTime < this.#rules.dedupeHorizonMs
  }

  /// Adds what the batch has at and above `to`. Long batches are done in turns of the event loop.
  async add(log: LogBatch, nextTurn: () => Promise<void>): Promise<void> {
    const logTime = epochMs(Math.max(this.#logTime, log.appendTime))
    const { batch } = decodeLogged(this.#decoder, log)
    const text = new RowText(batch)
    for (let row = 0; row < batch.size; row++) {
      if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await nextTurn()
      const at = offset(log.firstOffset + (batch.record[row] ?? 0))
      if (at < this.#to || refusalOf(batch.timeMs[row] ?? 0, logTime, this.#rules) !== null) continue
      this.#swaps.push(swapOf(batch, row, text, at, logTime))
    }
    if (log.count > 0) this.#firstLogTime ??= logTime
    this.#logTime = logTime
    this.#to = offset(Math.max(this.#to, log.firstOffset + log.count))
  }

  /// What was added since the last time.
  take(): ArchiveBatch {
    const batch = {
      partition: this.#partition,
      from: this.#from,
      to: this.#to,
      logTime: this.#logTime,
      swaps: this.#swaps,
    }
    this.#swaps = []
    this.#from = this.#to
    this.#firstLogTime = null
    return batch
  }
}

function swapOf(batch: SwapBatch, row: number, text: RowText, at: Offset, logTime: EpochMs): AdmittedSwap {
  return {
    ...loggedSwap(batch, row, text, at, logTime),
    fingerprint: [batch.id0[row] ?? 0, batch.id1[row] ?? 0, batch.id2[row] ?? 0],
    place: chainPlace(batch, row),
  }
}
