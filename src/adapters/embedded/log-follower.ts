/// One reader of a partition. It reads the files until it reaches the end, and from then on gets what is committed
/// from memory, right after it became durable. When its reader is so slow that more than PENDING_BYTES_MAX wait, they
/// are let go and it goes on from the files, so a slow reader costs no memory.

import { closeSync, openSync } from 'node:fs'
import { invariant } from '../../core/invariant.js'
import { epochMs, type Offset, offset } from '../../core/units.js'
import { OffsetGoneError } from '../../ports/errors.js'
import type { LogBatch } from '../../ports/trade-log.js'
import { FRAME_HEADER_BYTES, type FrameMeta } from './frame.js'
import { readSomeFrames } from './segment-reader.js'
import type { PlacedFrame, Stream } from './stream.js'
import type { Segment } from './stream-open.js'

const PENDING_BYTES_MAX = 8 * 1024 * 1024

/// What the follower needs of a frame, from a file or from memory.
interface Found {
  readonly position: number
  readonly sequence: number
  readonly meta: FrameMeta
  readonly payload: Uint8Array
}

export class LogFollower {
  readonly #stream: Stream
  readonly #partition: number
  readonly #from: Offset
  /// Where the next frame begins.
  #segment: Readonly<Segment>
  #position: number
  #sequence: number
  #next: Offset
  /// The segment file that is open for reading.
  #file: { readonly number: number; readonly fd: number } | null = null
  #live = false
  #pending: PlacedFrame[] = []
  #pendingBytes = 0
  #wake: () => void = () => {}
  #ended = false

  /// Throws OffsetGoneError when the log does not hold `from` and what follows.
  constructor(stream: Stream, partition: number, from: Offset) {
    this.#stream = stream
    this.#partition = partition
    this.#from = from
    const first = stream.segments[0]?.carry[0] ?? 0
    const end = stream.carry[0] ?? 0
    if (from < first || from > end) {
      throw new OffsetGoneError(
        `Partition ${partition} of the trade log holds offsets ${first} to ${end}, not ${from}`,
      )
    }
    const segment = stream.segments.findLast(({ carry }) => (carry[0] ?? 0) <= from)
    invariant(segment !== undefined, 'an offset within the bounds lies in a segment')
    this.#segment = segment
    this.#position = segment.headerBytes
    this.#sequence = segment.firstSequence
    this.#next = offset(segment.carry[0] ?? 0)
    if (from === end) this.#goToEnd()
  }

  /// The stream's frames as they are committed.
  onCommit(frames: readonly PlacedFrame[]): void {
    if (!this.#live) return
    for (const frame of frames) {
      this.#pending.push(frame)
      this.#pendingBytes += frame.payload.length
    }
    // What is handed over when nothing waited is let through whatever its size: it is in memory anyway.
    if (this.#pendingBytes > PENDING_BYTES_MAX && this.#pending.length > frames.length) {
      this.#live = false
      this.#pending = []
      this.#pendingBytes = 0
    }
    this.#wake()
  }

  /// Ends the iteration.
  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *batches(): AsyncGenerator<LogBatch> {
    try {
      while (!this.#ended) {
        const frame = this.#pending.shift()
        if (frame !== undefined) {
          this.#pendingBytes -= frame.payload.length
          this.#pass(
            frame,
            this.#stream.segments.find(({ number }) => number === frame.segment),
          )
          yield this.#batch(frame)
        } else if (this.#live) {
          await new Promise<void>(resolve => {
            this.#wake = resolve
          })
        } else if (this.#sequence === this.#stream.nextSequence) {
          this.#live = true
        } else {
          yield* this.#stored()
        }
      }
    } finally {
      this.#closeFile()
    }
  }

  /// The next few frames from the files.
  async *#stored(): AsyncGenerator<LogBatch> {
    while (this.#position >= this.#segment.bytes) this.#nextSegment()
    const { path, bytes } = this.#segment
    const stretch = { path, from: this.#position, to: bytes, sequence: this.#sequence }
    const fail = this.#stream.damage([this.#next])
    for (const frame of await readSomeFrames(this.#open(), stretch, fail)) {
      if (this.#ended) return
      this.#pass(frame, this.#segment)
      if (this.#next > this.#from) yield this.#batch(frame)
    }
  }

  #batch({ meta, payload }: Found): LogBatch {
    const [firstOffset, count, appendTime] = meta
    return {
      partition: this.#partition,
      firstOffset: offset(firstOffset),
      count,
      appendTime: epochMs(appendTime),
      bytes: payload,
      ranges: null,
      broken: null,
    }
  }

  /// Moves past a frame.
  #pass(frame: Found, segment: Readonly<Segment> | undefined): void {
    invariant(frame.sequence === this.#sequence, 'a follower sees every frame once')
    this.#segment = segment ?? this.#segment
    this.#position = frame.position + FRAME_HEADER_BYTES + frame.payload.length
    this.#sequence++
    this.#next = offset(frame.meta[0] + frame.meta[1])
  }

  #goToEnd(): void {
    const last = this.#stream.segments.at(-1)
    invariant(last !== undefined, 'a stream has a segment')
    this.#segment = last
    this.#position = last.bytes
    this.#sequence = this.#stream.nextSequence
    this.#next = offset(this.#stream.carry[0] ?? 0)
  }

  #nextSegment(): void {
    const segment = this.#stream.segments.find(({ number }) => number === this.#segment.number + 1)
    if (segment === undefined) throw this.#gone()
    this.#segment = segment
    this.#position = segment.headerBytes
  }

  #gone(): OffsetGoneError {
    return new OffsetGoneError(
      `Partition ${this.#partition} of the trade log dropped offset ${this.#next} while it was being read`,
    )
  }

  #open(): number {
    const { number, path } = this.#segment
    if (this.#file?.number === number) return this.#file.fd
    this.#closeFile()
    // A segment that was dropped before it was opened is gone; one that is open stays readable.
    if (!this.#stream.segments.some(kept => kept.number === number)) throw this.#gone()
    this.#file = { number, fd: openSync(path, 'r') }
    return this.#file.fd
  }

  #closeFile(): void {
    if (this.#file !== null) closeSync(this.#file.fd)
    this.#file = null
  }
}
