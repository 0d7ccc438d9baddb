/// One reader of a partition: the fetched batches that wait for it, in order, without those that no reader of committed
/// data may see.
///
/// Transactions. Volumer writes none, but other producers may. A fetch names the aborted ones within it; their batches
/// are left out, and so are the markers that end transactions. Positions move over both.

import type { AbortedTransaction, FetchedPartition } from './fetch-request.js'
import { type RecordBatch, readBatches } from './record-batch.js'

/// Why a partition cannot be followed on.
export type FetchFault =
  /// The position is not in the partition: truncated, or beyond its end.
  | { readonly kind: 'gone' }
  /// The log was cut back behind our back and has other records now at offsets below the position.
  | { readonly kind: 'diverged'; readonly at: number }
  /// The topic was deleted and made again.
  | { readonly kind: 'replaced' }
  /// The topic was deleted.
  | { readonly kind: 'deleted' }
  | { readonly kind: 'refused'; readonly why: string }

/// What a reader gets next: a batch; or, without one, that there is nothing more below `next`.
export interface Fetched {
  readonly batch: RecordBatch | null
  readonly next: number
}

export interface PartitionReaderOptions {
  readonly topic: string
  /// Null while nobody knows it.
  readonly topicId: string | null
  readonly partition: number
  readonly from: number
  /// Leader epoch of the record before `from`; −1 where it is not known.
  readonly lastEpoch: number
  /// There is room again after there was none.
  onRoom(): void
  onEnd(): void
}

/// A reader with more bytes than this is not fetched for.
const QUEUE_BYTES_MAX = 8 * 1024 * 1024

export class PartitionReader {
  readonly topic: string
  readonly partition: number
  topicId: string | null
  /// Where the next fetch begins, and the leader epoch of the record before.
  next: number
  lastEpoch: number
  /// True while it waits before another try.
  pausing = false
  /// Since when the brokers say that there is no such topic; null as long as there is.
  missingSinceMs: number | null = null
  /// As of the last answer: −1 before the first.
  logStartOffset = -1
  endOffset = -1
  readonly #options: PartitionReaderOptions
  readonly #queue: Fetched[] = []
  #queuedBytes = 0
  #fault: FetchFault | null = null
  #ended = false
  #wake: () => void = () => {}

  constructor(options: PartitionReaderOptions) {
    this.#options = options
    this.topic = options.topic
    this.topicId = options.topicId
    this.partition = options.partition
    this.next = options.from
    this.lastEpoch = options.lastEpoch
  }

  get hasRoom(): boolean {
    return this.#queuedBytes < QUEUE_BYTES_MAX
  }

  get ended(): boolean {
    return this.#ended
  }

  /// Why there is no more; null as long as there is, and after `end`.
  get fault(): FetchFault | null {
    return this.#fault
  }

  /// The next of what came; null when the reader has ended, or has failed and everything before was taken.
  async read(): Promise<Fetched | null> {
    for (;;) {
      const fetched = this.readNow()
      if (fetched !== null || this.#ended) return fetched
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }

  /// The same without waiting: null when nothing has come.
  readNow(): Fetched | null {
    const fetched = this.#queue.shift()
    if (fetched === undefined) return null
    const hadRoom = this.hasRoom
    this.#queuedBytes -= fetched.batch?.bytes.length ?? 0
    if (!hadRoom && this.hasRoom) this.#options.onRoom()
    return fetched
  }

  /// Takes what a fetch from `next` on has brought.
  take({ records, aborted, logStartOffset, lastStableOffset, divergesAt }: FetchedPartition): void {
    if (this.#ended) return
    if (divergesAt !== null) {
      this.fail({ kind: 'diverged', at: divergesAt })
      return
    }
    this.logStartOffset = logStartOffset
    this.endOffset = lastStableOffset
    const filter = new AbortedFilter(aborted)
    let hole = false
    for (const batch of readBatches(records)) {
      if (batch.endOffset <= this.next) continue
      this.next = batch.endOffset
      this.lastEpoch = batch.leaderEpoch
      hole = !filter.passes(batch)
      if (!hole) this.#put({ batch, next: batch.endOffset })
    }
    if (hole) this.#put({ batch: null, next: this.next })
    this.#wake()
  }

  /// Ends with a fault, which is seen after everything that came before.
  fail(fault: FetchFault): void {
    if (this.#ended) return
    this.#fault = fault
    this.#finish()
  }

  /// Ends at once.
  end(): void {
    if (this.#ended) return
    this.#queue.length = 0
    this.#finish()
  }

  #put(fetched: Fetched): void {
    this.#queue.push(fetched)
    this.#queuedBytes += fetched.batch?.bytes.length ?? 0
  }

  #finish(): void {
    this.#ended = true
    this.#options.onEnd()
    this.#wake()
  }
}

/// Follows which producers' transactions are aborted at the place that is being read.
class AbortedFilter {
  readonly #coming: AbortedTransaction[]
  readonly #open = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /// Whether a reader of committed data may see the batch.
  passes(batch: RecordBatch): boolean {
    while ((this.#coming[0]?.firstOffset ?? Number.POSITIVE_INFINITY) < batch.endOffset) {
      const transaction = this.#coming.shift()
      if (transaction !== undefined) this.#open.add(transaction.producerId)
    }
    if (batch.control) {
      this.#open.delete(batch.producerId)
      return false
    }
    return !(batch.transactional && this.#open.has(batch.producerId))
  }
}
