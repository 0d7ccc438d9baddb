/// An append on its way: its records lie in batches of one or more partitions, and it is done when all of these are.

import { type Offset, offset } from '../../core/units.js'
import type { Appended } from '../../ports/trade-log.js'

export class Delivery {
  /// Resolves with what each partition took; rejects with the first failure.
  readonly done: Promise<readonly Appended[]>
  #resolve: (parts: readonly Appended[]) => void = () => {}
  #reject: (error: Error) => void = () => {}
  readonly #parts = new Map<number, { count: number; end: Offset }>()
  #open = 0
  #complete = false
  #settled = false

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever waits hears of it; that nobody waits any more is no fault.
    this.done.catch(() => {})
  }

  get settled(): boolean {
    return this.#settled
  }

  /// One more batch holds records of it.
  begin(): void {
    this.#open++
  }

  /// No further batch will.
  complete(): void {
    this.#complete = true
    this.#settleWhenDone()
  }

  /// A batch was appended: `count` records of this delivery, the last of them just below `end`.
  appended(partition: number, count: number, end: number): void {
    const part = this.#parts.get(partition)
    this.#parts.set(partition, {
      count: count + (part?.count ?? 0),
      end: offset(Math.max(end, part?.end ?? 0)),
    })
    this.#open--
    this.#settleWhenDone()
  }

  fail(error: Error): void {
    this.#settled = true
    this.#reject(error)
  }

  #settleWhenDone(): void {
    if (!this.#complete || this.#open > 0 || this.#settled) return
    this.#settled = true
    const parts = Array.from(this.#parts, ([partition, { count, end }]) => ({ partition, count, end }))
    this.#resolve(parts.sort((a, b) => a.partition - b.partition))
  }
}
