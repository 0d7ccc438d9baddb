/// The newest candles of a token as a live state: those that begin within the last `limit` intervals.
///
/// They come from the archive, as the answers of GET /v1/tokens/{token}/candles do, so that the two cannot differ. Which
/// of them are to be read again is told by the swaps that were archived, late ones as well (candle-reader.ts).

import { bucketOf, CANDLE_INTERVALS, type Candle, type CandleInterval } from '../../core/candles.js'
import { type EpochMs, epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { CandleQuery } from '../../ports/trade-archive.js'
import { candleJson } from '../wire/archive.js'
import type { CandleReader } from './candle-reader.js'
import { type MessageParts, timesText } from './parts.js'
import type { StateSource } from './state-feed.js'

/// Event times are not this far ahead.
const AHEAD_MS = 86_400_000

export interface CandleSourceOptions {
  readonly token: string
  readonly interval: CandleInterval
  readonly limit: number
  readonly delta: boolean
  readonly clock: Clock
  readonly reader: CandleReader
}

export class CandleSource implements StateSource {
  readonly #options: CandleSourceOptions
  readonly #intervalMs: number
  /// Candles as texts, by the beginnings of their buckets, ascending.
  #texts: ReadonlyMap<number, string> = new Map()
  /// Read since the last refresh; null when nothing was.
  #read: Map<number, string> | null = null
  #changed: readonly string[] = []
  #ready = false
  /// Candles from here on are to be read again.
  #touchedFrom = 0

  constructor(options: CandleSourceOptions) {
    this.#options = options
    this.#intervalMs = CANDLE_INTERVALS[options.interval]
    options.reader.open(this)
  }

  get token(): string {
    return this.#options.token
  }

  get ready(): boolean {
    return this.#ready
  }

  /// A swap of that event time is archived. Says whether its candle is one that is shown.
  touch(time: number): boolean {
    const bucket = bucketOf(time, this.#intervalMs)
    if (bucket < this.#from()) return false
    this.readAgain(bucket)
    return true
  }

  readAgain(from: number): void {
    this.#touchedFrom = Math.min(this.#touchedFrom, from)
  }

  /// What is to be read now. Afterwards nothing is, until it is touched again.
  question(): CandleQuery {
    const { token, interval, clock } = this.#options
    const from = epochMs(Math.max(this.#touchedFrom, this.#from()))
    this.#touchedFrom = Number.POSITIVE_INFINITY
    return { token, interval, from, to: epochMs(clock.now() + AHEAD_MS) }
  }

  /// The answer to a question.
  answered(candles: readonly Candle[]): void {
    const read = this.#read ?? new Map<number, string>()
    for (const candle of candles) read.set(candle.time, JSON.stringify(candleJson(candle)))
    this.#read = read
  }

  refresh(): boolean {
    const read = this.#read
    if (read === null) return false
    this.#read = null
    const changed = [...read].filter(([time, text]) => this.#texts.get(time) !== text)
    const from = this.#from()
    const all = new Map([...this.#texts, ...changed].filter(([time]) => time >= from))
    this.#texts = new Map([...all].sort(([a], [b]) => a - b))
    this.#changed = changed.sort(([a], [b]) => a - b).map(([, text]) => text)
    const isFirst = !this.#ready
    this.#ready = true
    return isFirst || changed.length > 0
  }

  whole(type: 'snapshot' | 'update', _name: string, sent: EpochMs): MessageParts {
    const from = this.#from()
    const shown = [...this.#texts].filter(([time]) => time >= from).map(([, text]) => text)
    return this.#message(type, shown, sent)
  }

  change(name: string, sent: EpochMs): MessageParts {
    return this.#options.delta
      ? this.#message('update', this.#changed, sent)
      : this.whole('update', name, sent)
  }

  close(): void {
    this.#options.reader.close(this)
  }

  /// Where the oldest candle that is shown begins.
  #from(): EpochMs {
    const { clock, limit } = this.#options
    const newest = bucketOf(clock.now(), this.#intervalMs)
    return epochMs(Math.max(0, newest - (limit - 1) * this.#intervalMs))
  }

  #message(type: 'snapshot' | 'update', candles: readonly string[], sent: EpochMs): MessageParts {
    const { token, interval } = this.#options
    const tail =
      `,"channel":"candles","token":${JSON.stringify(token)},"interval":"${interval}","from":${this.#from()}` +
      `,"candles":[${candles.join(',')}],"times":${timesText({ event: null, rolled: null, sent })}}`
    return { type, tail: Buffer.from(tail) }
  }
}
