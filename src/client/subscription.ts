/// One subscription, to be read with `for await`.

import type { Request, UpdateOf } from './channels.js'
import { Inbox } from './inbox.js'

/// Messages that wait for a slow reader before only the newest of each token are kept.
const INBOX_MAX = 1000

export interface SubscriptionHandlers<R extends Request> {
  /// Called with each update at once, besides the iteration.
  onUpdate?(update: UpdateOf<R>): void
  /// Updates were skipped, since this program reads more slowly than they come.
  onSkipped(count: number): void
  onUnsubscribe(): void
}

export class Subscription<R extends Request> implements AsyncIterableIterator<UpdateOf<R>, undefined> {
  readonly request: R
  readonly #handlers: SubscriptionHandlers<R>
  readonly #inbox: Inbox<UpdateOf<R>>
  #read = false
  #open = true

  constructor(request: R, keyOf: (update: UpdateOf<R>) => string, handlers: SubscriptionHandlers<R>) {
    this.request = request
    this.#handlers = handlers
    this.#inbox = new Inbox(INBOX_MAX, keyOf, count => {
      if (this.#read) handlers.onSkipped(count)
    })
  }

  /// For the client.
  hear(update: UpdateOf<R>): void {
    this.#handlers.onUpdate?.(update)
    this.#inbox.put(update)
  }

  /// For the client: ends the iteration, with an error where one is given.
  end(error?: unknown): void {
    this.#open = false
    this.#inbox.end(error)
  }

  next(): Promise<IteratorResult<UpdateOf<R>, undefined>> {
    this.#read = true
    return this.#inbox.next()
  }

  /// Leaving a `for await` loop unsubscribes.
  async return(): Promise<IteratorResult<UpdateOf<R>, undefined>> {
    this.unsubscribe()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  unsubscribe(): void {
    if (!this.#open) return
    this.end()
    this.#handlers.onUnsubscribe()
  }
}
