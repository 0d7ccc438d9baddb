/// Lets one at a time work, in the order of asking, and a bounded number wait.

import { BusyError, UnavailableError } from '../../ports/errors.js'

export class Turns {
  readonly #waitingMax: number
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#waitingMax) {
      throw new BusyError(`${this.#waitingMax} questions to the archive wait already`)
    }
    this.#waiting++
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    try {
      return await result
    } finally {
      this.#waiting--
    }
  }

  /// Waits for everybody, and lets nobody work any more.
  async end(): Promise<void> {
    const before = this.#last
    this.#last = before.then(() => {
      throw new UnavailableError('The archive is closed')
    })
    this.#last.catch(() => {})
    await before
  }
}
