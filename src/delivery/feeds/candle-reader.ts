/// Reads the candles that are followed from the archive again when swaps of their tokens have been archived.
///
/// One question at a time, so that feeds never take more than one of the archive's turns from who asks over HTTP. What is
/// touched while its question waits is read with it. An archive that is away is asked again, and feeds stand still meanwhile.

import type { Candle } from '../../core/candles.js'
import { epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { PortError } from '../../ports/errors.js'
import type { CandleQuery } from '../../ports/trade-archive.js'
import type { CandleSource } from './candle-source.js'

const RETRY_MS = 1000
const POLL_MS = 1000

export interface CandleReaderOptions {
  readonly clock: Clock
  /// Who archives tells `archived`. Where that is another process, everything that is followed is read once a second.
  readonly isTold: boolean
  candles(query: CandleQuery): Promise<readonly Candle[]>
  /// Gets errors that asking again does not help.
  onError(error: unknown): void
}

export class CandleReader {
  readonly #options: CandleReaderOptions
  readonly #byToken = new Map<string, Set<CandleSource>>()
  /// To be read, in this order.
  readonly #waiting = new Set<CandleSource>()
  #reading = false
  #cancelPause: (() => void) | null = null
  #cancelPoll: (() => void) | null = null

  constructor(options: CandleReaderOptions) {
    this.#options = options
  }

  /// Whether anybody follows candles.
  get followed(): boolean {
    return this.#byToken.size > 0
  }

  open(source: CandleSource): void {
    const sources = this.#byToken.get(source.token)
    if (sources === undefined) this.#byToken.set(source.token, new Set([source]))
    else sources.add(source)
    this.#ask(source)
    if (!this.#options.isTold && this.#cancelPoll === null) this.#poll()
  }

  close(source: CandleSource): void {
    const sources = this.#byToken.get(source.token)
    sources?.delete(source)
    if (sources?.size === 0) this.#byToken.delete(source.token)
    this.#waiting.delete(source)
    if (!this.followed) this.stop()
  }

  /// Those swaps are in the archive now.
  archived(swaps: readonly { readonly token: string; readonly time: number }[]): void {
    if (!this.followed) return
    for (const { token, time } of swaps) {
      for (const source of this.#byToken.get(token) ?? []) if (source.touch(time)) this.#ask(source)
    }
  }

  stop(): void {
    this.#cancelPoll?.()
    this.#cancelPoll = null
    if (this.#cancelPause === null) return
    this.#cancelPause()
    this.#cancelPause = null
    this.#reading = false
  }

  #poll(): void {
    const { clock } = this.#options
    this.#cancelPoll = clock.at(epochMs(clock.now() + POLL_MS), () => {
      this.#poll()
      for (const sources of this.#byToken.values()) {
        for (const source of sources) {
          source.readAgain(0)
          this.#ask(source)
        }
      }
    })
  }

  #ask(source: CandleSource): void {
    this.#waiting.add(source)
    if (this.#reading) return
    this.#reading = true
    void this.#readAll()
  }

  async #readAll(): Promise<void> {
    for (const source of this.#waiting) {
      this.#waiting.delete(source)
      const question = source.question()
      try {
        source.answered(await this.#options.candles(question))
      } catch (error) {
        if (!(error instanceof PortError && error.retryable)) {
          this.#options.onError(error)
          continue
        }
        source.readAgain(question.from)
        if (this.#byToken.get(source.token)?.has(source)) this.#waiting.add(source)
        if (this.#waiting.size === 0) continue
        this.#pause()
        return
      }
    }
    this.#reading = false
  }

  #pause(): void {
    const { clock } = this.#options
    this.#cancelPause = clock.at(epochMs(clock.now() + RETRY_MS), () => {
      this.#cancelPause = null
      void this.#readAll()
    })
  }
}
