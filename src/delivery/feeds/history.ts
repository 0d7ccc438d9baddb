/// The updates of the last two minutes, of tokens that somebody follows or followed within them: what a client that
/// comes back has missed.
///
/// Updates are numbered by position as this process got them. For each token it is known from which position on its
/// record is without a hole, so that an answer is exact or says that it is not. Bounded in time and in bytes: the
/// oldest go first.

import type { StatsUpdate } from '../../core/stats.js'
import type { EpochMs } from '../../core/units.js'

/// An update's own objects besides its cells.
const OVERHEAD_BYTES = 320
/// Tokens that nobody follows any more and that are kept on. Names are the clients' to invent, so there is a bound.
const LEFT_MAX = 50_000

export interface HistoryRecord {
  readonly position: number
  readonly at: EpochMs
  readonly update: StatsUpdate
}

interface Track {
  readonly token: string
  /// Every update above this position is in `records`.
  completeAbove: number
  records: HistoryRecord[]
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
  readonly #tracks = new Map<string, Track>()
  /// Tracks without a follower, the one that was left first first.
  readonly #left = new Map<string, Track>()
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

  /// Numbers an update, and keeps it where its token is tracked.
  record(update: StatsUpdate, at: EpochMs): number {
    const position = ++this.#position
    const track = this.#tracks.get(update.token)
    if (track === undefined) return position
    const bytes = (update.cells?.byteLength ?? 0) + OVERHEAD_BYTES
    track.records.push({ position, at, update })
    this.#queue.push({ track, bytes, at })
    this.#bytes += bytes
    while (this.#bytes > this.#options.bytesMax) this.#dropOldest()
    return position
  }

  /// From now on the token's updates are kept.
  follow(token: string): void {
    const track = this.#tracks.get(token)
    if (track !== undefined) {
      track.leftAt = null
      this.#left.delete(token)
    } else {
      const fresh = { token, completeAbove: this.#position, records: [], first: 0, leftAt: null }
      this.#tracks.set(token, fresh)
    }
  }

  /// Nobody follows the token any more. It is kept on for as long as somebody may come back.
  leave(token: string, now: EpochMs): void {
    const track = this.#tracks.get(token)
    if (track === undefined) return
    track.leftAt = now
    this.#left.delete(token)
    this.#left.set(token, track)
    if (this.#left.size > LEFT_MAX) this.#forgetFirstLeft()
  }

  /// Tokens whose updates are kept.
  get tracked(): number {
    return this.#tracks.size
  }

  /// The token's updates above the position, oldest first; null when some of them are not kept any more.
  since(token: string, position: number): readonly HistoryRecord[] | null {
    const track = this.#tracks.get(token)
    if (track === undefined || position < track.completeAbove) return null
    const { records, first } = track
    let at = records.length
    while (at > first && (records[at - 1]?.position ?? 0) > position) at--
    return records.slice(at)
  }

  /// Drops what is too old. Call now and then.
  expire(now: EpochMs): void {
    const before = now - this.#options.keptMs
    for (let oldest = this.#queue[this.#queueFirst]; oldest !== undefined && oldest.at < before; ) {
      this.#dropOldest()
      oldest = this.#queue[this.#queueFirst]
    }
    // In the order in which they were left, so that the first one that is young ends it.
    for (const { leftAt } of this.#left.values()) {
      if (leftAt === null || leftAt >= before) break
      this.#forgetFirstLeft()
    }
  }

  /// Its records stay in the queue until their time, and are no answer any more.
  #forgetFirstLeft(): void {
    for (const token of this.#left.keys()) {
      this.#left.delete(token)
      this.#tracks.delete(token)
      return
    }
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
