/// Turns SIGINT and SIGTERM into one ordered drain, and gives it a limit. A second signal ends the process at once:
/// nothing that was acknowledged is lost by that, since it is durable in the log before it is acknowledged; the next
/// start only rolls again what came after the last checkpoint.

import { epochMs } from '../core/units.js'
import type { Clock } from '../ports/clock.js'

export const DRAIN_MS_MAX = 5000

export type Signal = 'SIGINT' | 'SIGTERM'
const SIGNALS: readonly Signal[] = ['SIGINT', 'SIGTERM']

/// The part of `process` that is needed here.
export interface SignalSource {
  on(signal: Signal, listener: (signal: Signal) => void): unknown
  off(signal: Signal, listener: (signal: Signal) => void): unknown
}

export class Interrupter {
  readonly #source: SignalSource
  readonly #onSecond: () => void
  readonly #listener: (signal: Signal) => void
  /// Resolves with the first signal.
  readonly interrupted: Promise<Signal>

  /// Listens from now on. `onSecond` is called with each signal after the first.
  constructor(source: SignalSource, onSecond: () => void) {
    this.#source = source
    this.#onSecond = onSecond
    const { promise, resolve } = withResolver<Signal>()
    this.interrupted = promise
    let first = true
    this.#listener = signal => {
      if (!first) this.#onSecond()
      first = false
      resolve(signal)
    }
    for (const signal of SIGNALS) source.on(signal, this.#listener)
  }

  stop(): void {
    for (const signal of SIGNALS) this.#source.off(signal, this.#listener)
  }
}

/// What `work` came to: its result, or 'timeout' when it took longer than `limitMs`; then it goes on unwatched.
export async function within<T>(clock: Clock, limitMs: number, work: Promise<T>): Promise<T | 'timeout'> {
  const { promise, resolve } = withResolver<'timeout'>()
  const cancel = clock.at(epochMs(clock.now() + limitMs), () => resolve('timeout'))
  try {
    return await Promise.race([work, promise])
  } finally {
    cancel()
  }
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(settle => {
    resolve = settle
  })
  return { promise, resolve }
}
