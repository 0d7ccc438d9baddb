/// The statistics and the swaps of the last two minutes, of tokens that somebody follows or followed within them: what a
/// client that comes back has missed.
///
/// Both are numbered by position, in one row, as this process got them. For each token it is known from which position on
/// its record is without a hole, so that an answer is exact or says that it is not. Bounded in time and in bytes: the
/// oldest go first.

import type { StatsUpdate } from '../../core/stats.js'
import type { EpochMs } from '../../core/units.js'
import type { TokenTrades } from '../../ports/trade-feed.js'

/// An update's own objects besides its cells.
const OVERHEAD_BYTES = 320
/// A swap with its texts.
const TRADE_BYTES = 640
/// Tokens that nobody follows any more and that are kept on. Names are the clients' to invent, so there is a bound.
const LEFT_MAX = 50_000

/// What is recorded of a token, by channel.
export interface Happenings {
  readonly token: StatsUpdate
  readonly trades: TokenTrades
}
type Channel = keyof Happenings

export interface HistoryRecord<C extends Channel = 'token'> {
  readonly position: number
  readonly at: EpochMs
  readonly update: Happenings[C]
}

interface Track<C extends Channel = Channel> {
  readonly channel: C
  readonly token: string
  /// Every update above this position is in `records`.
  completeAbove: number
  records: HistoryRecord<C>[]
  /// Records below it are forgotten.
  first: number
  /// When the last follower left; null while there is one.
  leftAt: EpochMs | null
}

export interface HistoryOptions {
  readonly keptMs: number
  readonly bytesMax: number
}

export class History {
  readonly #options: HistoryOptions
  readonly #tracks = { token: new Map<string, Track<'token'>>(), trades: new Map<string, Track<'trades'>>() }
  /// Tracks without a follower, the one that was left first first.
  readonly #left = new Set<Track>()
  /// All records in order of position, each with its track.
  #queue: { readonly track: Track; readonly bytes: number; readonly at: EpochMs }[] = []
  #queueFirst = 0
  #bytes = 0
  #position = 0

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  /// Of the newest update.
  get position(): number {
    return this.#position
  }

  get bytes(): number {
    return this.#bytes
  }

  /// Numbers statistics, and keeps them where their token's are tracked.
  record(update: StatsUpdate, at: EpochMs): number {
    const position = ++this.#position
    const track = this.#tracks.token.get(update.token)
    if (track === undefined) return position
    track.records.push({ position, at, update })
    this.#keep(track, (update.cells?.byteLength ?? 0) + OVERHEAD_BYTES, at)
    return position
  }

  /// The same of swaps.
  recordTrades(update: TokenTrades, at: EpochMs): number {
    const position = ++this.#position
    const track = this.#tracks.trades.get(update.token)
    if (track === undefined) return position
    track.records.push({ position, at, update })
    this.#keep(track, OVERHEAD_BYTES + TRADE_BYTES * update.trades.length, at)
    return position
  }

  /// From now on what happens to the token is kept.
  follow(token: string, channel: Channel = 'token'): void {
    const track = this.#tracks[channel].get(token)
    if (track !== undefined) {
      track.leftAt = null
      this.#left.delete(track)
      return
    }
    const fresh = { token, completeAbove: this.#position, records: [], first: 0, leftAt: null }
    if (channel === 'token') this.#tracks.token.set(token, { ...fresh, channel })
    else this.#tracks.trades.set(token, { ...fresh, channel })
  }

  /// Nobody follows the token any more. It is kept on for as long as somebody may come back.
  leave(token: string, now: EpochMs, channel: Channel = 'token'): void {
    const track = this.#tracks[channel].get(token)
    if (track === undefined) return
    track.leftAt = now
    this.#left.delete(track)
    this.#left.add(track)
    if (this.#left.size > LEFT_MAX) this.#forgetFirstLeft()
  }

  /// Tokens whose updates are kept, and those whose swaps are.
  get tracked(): number {
    return this.#tracks.token.size + this.#tracks.trades.size
  }

  /// The token's statistics above the position, oldest first; null when some of them are not kept any more.
  since(token: string, position: number): readonly HistoryRecord[] | null {
    return recordsAbove(this.#tracks.token.get(token), position)
  }

  /// The same of its swaps.
  tradesSince(token: string, position: number): readonly HistoryRecord<'trades'>[] | null {
    return recordsAbove(this.#tracks.trades.get(token), position)
  }

  /// The newest records of its swaps that are kept, up to so many.
  newestTrades(token: string, count: number): readonly HistoryRecord<'trades'>[] {
    const track = this.#tracks.trades.get(token)
    return track === undefined ? [] : track.records.slice(Math.max(track.first, track.records.length - count))
  }

  /// Drops what is too old. Call now and then.
  expire(now: EpochMs): void {
    const before = now - this.#options.keptMs
    for (let oldest = this.#queue[this.#queueFirst]; oldest !== undefined && oldest.at < before; ) {
      this.#dropOldest()
      oldest = this.#queue[this.#queueFirst]
    }
    // In the order in which they were left, so that the first one that is young ends it.
    for (const { leftAt } of this.#left) {
      if (leftAt === null || leftAt >= before) break
      this.#forgetFirstLeft()
    }
  }

  /// Its records stay in the queue until their time, and are no answer any more.
  #forgetFirstLeft(): void {
    for (const track of this.#left) {
      this.#left.delete(track)
      this.#tracks[track.channel].delete(track.token)
      return
    }
  }

  #keep(track: Track, bytes: number, at: EpochMs): void {
    this.#queue.push({ track, bytes, at })
    this.#bytes += bytes
    while (this.#bytes > this.#options.bytesMax) this.#dropOldest()
  }

  #dropOldest(): void {
    const oldest = this.#queue[this.#queueFirst]
    if (oldest === undefined) return
    this.#queueFirst++
    this.#bytes -= oldest.bytes
    const { track } = oldest
    track.completeAbove = track.records[track.first]?.position ?? track.completeAbove
    track.first++
    // Arrays are cut once half of them is forgotten: constant time each.
    if (track.first * 2 > track.records.length) {
      track.records = track.records.slice(track.first)
      track.first = 0
    }
    if (this.#queueFirst * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueFirst)
      this.#queueFirst = 0
    }
  }
}

function recordsAbove<C extends Channel>(
  track: Track<C> | undefined,
  position: number,
): readonly HistoryRecord<C>[] | null {
  if (track === undefined || position < track.completeAbove) return null
  const { records, first } = track
  let at = records.length
  while (at > first && (records[at - 1]?.position ?? 0) > position) at--
  return records.slice(at)
}
