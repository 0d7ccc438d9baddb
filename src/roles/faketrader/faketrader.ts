/// Publishes the generator's swaps to the trade log at a steady rate.
///
/// Pacing: every TICK_MS it appends what is owed since the last tick. After a stall it catches up at twice the
/// rate and forgets what exceeds DEBT_MS, so that a machine that slept does not wake up to a burst.
///
/// Backpressure: at most IN_FLIGHT_MAX appends are under way; while the log is slower than the rate, nothing is
/// generated. When the log or the disk is full, the refused lines are kept and appended again after the delay that
/// the error asks for, so nothing that was generated is lost; it is said once, and once when it is over.

import type { EpochMs } from '../../core/units.js'
import { epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { LogFullError, LogUnavailableError, PortError } from '../../ports/errors.js'
import type { TradeLog } from '../../ports/trade-log.js'
import type { GeneratedLines, SwapGenerator } from './generator.js'

export const TICK_MS = 5
const IN_FLIGHT_MAX = 8
const DEBT_MS = 1000
const FULL_RETRY_MS = 1000

export interface FaketraderOptions {
  readonly generator: SwapGenerator
  readonly log: Pick<TradeLog, 'append'>
  readonly clock: Clock
  readonly tradesPerSecond: number
  /// Tells the user what happened, in one line.
  readonly say: (message: string) => void
  /// The log failed in a way that no retry helps.
  readonly fail: (error: unknown) => void
}

export class Faketrader {
  readonly #options: FaketraderOptions
  #appended = 0
  #owed = 0
  #lastMs: EpochMs
  #cancel: () => void = () => {}
  #running = false
  /// Lines that were refused, to be appended before anything new.
  readonly #refused: GeneratedLines[] = []
  #waitUntil: EpochMs = epochMs(0)
  #saidFull = false
  readonly #inFlight = new Set<Promise<void>>()

  constructor(options: FaketraderOptions) {
    this.#options = options
    this.#lastMs = options.clock.now()
  }

  /// Swaps that the log has acknowledged.
  get appended(): number {
    return this.#appended
  }

  start(): void {
    this.#running = true
    this.#lastMs = this.#options.clock.now()
    this.#arm()
  }

  /// Ends generating and waits for the appends under way.
  async stop(): Promise<void> {
    this.#running = false
    this.#cancel()
    await Promise.all(this.#inFlight)
  }

  #arm(): void {
    const { clock } = this.#options
    this.#cancel = clock.at(epochMs(clock.now() + TICK_MS), () => this.#tick())
  }

  #tick(): void {
    if (!this.#running) return
    const { clock, generator, tradesPerSecond } = this.#options
    const now = clock.now()
    this.#owe(now)
    if (now >= this.#waitUntil && this.#inFlight.size < IN_FLIGHT_MAX) {
      const refused = this.#refused.shift()
      if (refused !== undefined) this.#append(refused)
      else {
        const most = Math.ceil((2 * tradesPerSecond * TICK_MS) / 1000)
        const count = Math.min(Math.floor(this.#owed), most)
        if (count > 0) {
          this.#owed -= count
          this.#append(generator.next(now, count))
        }
      }
    }
    this.#arm()
  }

  #owe(now: EpochMs): void {
    const { tradesPerSecond } = this.#options
    const elapsedMs = Math.max(0, now - this.#lastMs)
    this.#lastMs = now
    const most = Math.max(1, (tradesPerSecond * DEBT_MS) / 1000)
    this.#owed = Math.min(most, this.#owed + (elapsedMs * tradesPerSecond) / 1000)
  }

  #append(lines: GeneratedLines): void {
    const appending = this.#options.log
      .append([lines])
      .then(
        () => this.#accepted(lines.size),
        (error: unknown) => this.#refuse(lines, error),
      )
      .finally(() => this.#inFlight.delete(appending))
    this.#inFlight.add(appending)
  }

  #accepted(count: number): void {
    this.#appended += count
    if (!this.#saidFull || this.#refused.length > 0) return
    this.#saidFull = false
    this.#options.say('faketrader goes on: the trade log takes swaps again')
  }

  #refuse(lines: GeneratedLines, error: unknown): void {
    if (!(error instanceof PortError && error.retryable)) {
      if (this.#running) this.#options.fail(error)
      this.#running = false
      return
    }
    const busy = error instanceof LogFullError || error instanceof LogUnavailableError
    const delayMs = busy ? error.retryAfterSeconds * 1000 : FULL_RETRY_MS
    this.#waitUntil = epochMs(this.#options.clock.now() + delayMs)
    this.#refused.push(lines)
    if (this.#saidFull) return
    this.#saidFull = true
    this.#options.say(`faketrader waits: ${error.message}`)
  }
}
