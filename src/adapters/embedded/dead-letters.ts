/// Dead letters on the local disk: one stream, a frame for each letter. The carry is the highest offset stored of each
/// partition, as pairs, so it outlives the letters that are dropped; the counts are the stream's sequences.

import { closeSync, openSync } from 'node:fs'
import type { Clock } from '../../ports/clock.js'
import type { DeadLetter, DeadLetters } from '../../ports/dead-letters.js'
import type { Disk } from './disk.js'
import { FRAME_HEADER_BYTES } from './frame.js'
import { decodeLetter, encodeLetter, letterMeta } from './letter-codec.js'
import { readSomeFrames } from './segment-reader.js'
import { Stream } from './stream.js'
import type { Carry, Segment, StreamSpec } from './stream-open.js'
import { REPAIR } from './way-out.js'

const MIB = 1024 * 1024

/// Default bound of what is kept.
export const DEAD_LETTERS_SIZE_BYTES_MAX = 256 * MIB

export interface EmbeddedDeadLettersOptions {
  readonly directory: string
  readonly clock: Clock
  /// Whether a store that is not there is created (unless said, it is); else its absence is damage.
  readonly create?: boolean
  /// Above this size (DEAD_LETTERS_SIZE_BYTES_MAX) the oldest file is dropped; a file is a sixteenth of it.
  readonly sizeBytesMax?: number
  readonly disk?: Disk
}

export function letterStreamSpec(directory: string, create: boolean): StreamSpec {
  return {
    directory,
    kind: 'dead-letters',
    name: 'The dead-letter log',
    create,
    initialCarry: [],
    advance: (carry, [partition, offset]) => withHighest(carry, partition, offset),
    safe: () => 'the letters before it',
    wayOut: REPAIR,
  }
}

/// The highest stored offset of a partition, −1 for none.
export function highestOf(carry: Carry, partition: number): number {
  for (let i = 0; i < carry.length; i += 2) if (carry[i] === partition) return carry[i + 1] ?? -1
  return -1
}

function withHighest(carry: Carry, partition: number, offset: number): Carry {
  if (partition < 0) return carry
  const next = [...carry]
  for (let i = 0; i < next.length; i += 2) {
    if (next[i] !== partition) continue
    next[i + 1] = Math.max(next[i + 1] ?? offset, offset)
    return next
  }
  return [...next, partition, offset]
}

export class EmbeddedDeadLetters implements DeadLetters {
  readonly #stream: Stream
  readonly #sizeBytesMax: number

  /// Throws DamagedError or UnknownFormatError.
  constructor(options: EmbeddedDeadLettersOptions) {
    this.#sizeBytesMax = options.sizeBytesMax ?? DEAD_LETTERS_SIZE_BYTES_MAX
    this.#stream = new Stream({
      ...letterStreamSpec(options.directory, options.create ?? true),
      clock: options.clock,
      segmentBytes: Math.floor(this.#sizeBytesMax / 16),
      queueBytesMax: 64 * MIB,
      ...(options.disk === undefined ? {} : { disk: options.disk }),
      onCommit: () => this.#dropOldest(),
    })
  }

  async append(letters: readonly DeadLetter[]): Promise<void> {
    await this.#stream.append(
      letters.map(letter => ({
        payload: encodeLetter(letter),
        meta: carry => {
          const { origin } = letter
          const known = origin.kind === 'log' && origin.offset <= highestOf(carry, origin.partition)
          return known ? null : letterMeta(letter)
        },
      })),
    )
  }

  async *read(): AsyncGenerator<DeadLetter> {
    const end = this.#stream.nextSequence
    const isKept = (segment: Readonly<Segment>) => this.#stream.segments.includes(segment)
    for (const segment of [...this.#stream.segments]) {
      // Letters that are dropped while they are read are skipped: dropping is counted elsewhere.
      if (isKept(segment)) yield* this.#readSegment(segment, end)
    }
  }

  counts(): { readonly stored: number; readonly dropped: number } {
    return { stored: this.#stream.nextSequence, dropped: this.#stream.segments[0]?.firstSequence ?? 0 }
  }

  sizeBytes(): number {
    return this.#stream.sizeBytes()
  }

  close(): Promise<void> {
    return this.#stream.close()
  }

  async *#readSegment(segment: Readonly<Segment>, end: number): AsyncGenerator<DeadLetter> {
    const { path, carry, headerBytes, firstSequence, bytes: to } = segment
    const fd = openSync(path, 'r')
    try {
      let from = headerBytes
      let sequence = firstSequence
      while (from < to && sequence < end) {
        for (const frame of await readSomeFrames(
          fd,
          { path, from, to, sequence },
          this.#stream.damage(carry),
        )) {
          from = frame.position + FRAME_HEADER_BYTES + frame.payloadBytes
          sequence = frame.sequence + 1
          yield decodeLetter(frame.meta, frame.payload)
        }
      }
    } finally {
      closeSync(fd)
    }
  }

  #dropOldest(): void {
    let excess = this.#stream.sizeBytes() - this.#sizeBytesMax
    if (excess <= 0) return
    let keepFrom = 0
    for (const { number, bytes } of this.#stream.segments) {
      if (excess <= 0) break
      excess -= bytes
      keepFrom = number + 1
    }
    void this.#stream.dropBelow(keepFrom)
  }
}
