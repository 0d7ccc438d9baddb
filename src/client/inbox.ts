/// What a subscription has heard and its reader has not taken yet. Bounded: when the reader is slower than the server, only the
/// newest message of each key is kept.

export class Inbox<T> {
  readonly #keyOf: (message: T) => string
  readonly #max: number
  readonly #onSkipped: (count: number) => void
  #messages: T[] = []
  #waiting: { resolve(result: IteratorResult<T, undefined>): void; reject(error: unknown): void }[] = []
  #ended: { readonly error: unknown } | null = null

  constructor(max: number, keyOf: (message: T) => string, onSkipped: (count: number) => void) {
    this.#max = max
    this.#keyOf = keyOf
    this.#onSkipped = onSkipped
  }

  put(message: T): void {
    if (this.#ended !== null) return
    const next = this.#waiting.shift()
    if (next !== undefined) {
      next.resolve({ value: message, done: false })
      return
    }
    this.#messages.push(message)
    if (this.#messages.length > this.#max) this.#conflate()
  }

  /// Nothing comes any more; with an error, readers get it once what is there is taken.
  end(error: unknown = undefined): void {
    if (this.#ended !== null) return
    this.#ended = { error }
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (error === undefined) resolve({ value: undefined, done: true })
      else reject(error)
    }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const message = this.#messages.shift()
    if (message !== undefined) return Promise.resolve({ value: message, done: false })
    if (this.#ended === null) return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
    const { error } = this.#ended
    return error === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error)
  }

  #conflate(): void {
    const newest = new Map<string, T>()
    for (const message of this.#messages) {
      const key = this.#keyOf(message)
      newest.delete(key)
      newest.set(key, message)
    }
    const skipped = this.#messages.length - newest.size
    this.#messages = [...newest.values()]
    if (skipped > 0) this.#onSkipped(skipped)
  }
}
