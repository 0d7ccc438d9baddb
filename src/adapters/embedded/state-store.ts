/// The roller's state on the local disk (docs/formats/state-files.md): a stream of deltas and a stream of parts, each
/// in a directory of its own. A segment file of parts is a segment of the roller, so forgetting one unlinks a file.
///
/// Only an index of the parts is kept in memory: where each lies, and where its pieces do once it has been read. Bytes
/// come from the files by read calls, into fresh buffers that belong to the caller; nothing is mapped, so what is not
/// referenced costs no memory.

import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { invariant } from '../../core/invariant.js'
import { epochMs, type Offset, offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { Delta, SlicePart, StateStore, StoredPart } from '../../ports/state-store.js'
import { addsTo } from '../memory/state-store.js'
import type { Disk } from './disk.js'
import { FRAME_HEADER_BYTES, type Frame, type FrameMeta } from './frame.js'
import { decodeTable, encodePart, type PartTable, type Stretch, tableLength } from './part-payload.js'
import { type FramePlace, readBytes, readFrames } from './segment-reader.js'
import { Stream } from './stream.js'
import type { StreamSpec } from './stream-open.js'
import { REPAIR_STATE } from './way-out.js'

const MIB = 1024 * 1024
const NO_SEGMENT = -1
/// How much is read to find a part's table: that of 128 pieces, and often the head.
const TABLE_READ_BYTES = 2048

export interface EmbeddedStateStoreOptions {
  readonly directory: string
  readonly partition: number
  readonly clock: Clock
  /// Whether streams that are not there are created (unless said, they are); else their absence is damage.
  readonly create?: boolean
  /// A file of deltas is rolled over at this length: 32 MiB.
  readonly deltaSegmentBytes?: number
  readonly disk?: Disk
  /// That of deltas, where they need not survive what parts must: another copy of them is elsewhere.
  readonly deltaDisk?: Disk
}

/// Meta of a delta's frame: coversFrom, coversTo, logTime, maxBlock.
export function deltaStreamSpec(directory: string, partition: number, create: boolean): StreamSpec {
  return {
    directory: join(directory, 'deltas'),
    kind: 'deltas',
    name: `The state (deltas of partition ${partition})`,
    create,
    // Where the next delta begins.
    initialCarry: [0],
    advance: (_, [, coversTo]) => [coversTo],
    safe: ([coversTo]) => `deltas that cover the offsets below ${coversTo}`,
    wayOut: REPAIR_STATE,
  }
}

/// Meta of a part's frame: block, coversFrom, coversTo, segment.
export function partStreamSpec(directory: string, partition: number, create: boolean): StreamSpec {
  return {
    directory: join(directory, 'parts'),
    kind: 'parts',
    name: `The state (slices of partition ${partition})`,
    create,
    // The roller's segment of the last part.
    initialCarry: [NO_SEGMENT],
    advance: (_, [, , , segment]) => [segment],
    safe: ([segment]) => `parts of segments below ${segment}`,
    wayOut: REPAIR_STATE,
  }
}

/// Where a part lies, and what identifies it.
interface PartPlace extends FramePlace {
  /// Number of the segment file.
  readonly file: number
  /// Null until the part is read.
  table: PartTable | null
  /// Null until somebody asks for the part.
  stored: StoredPart | null
}

/// What decides whether a file of deltas may be forgotten.
interface DeltaFile {
  coversTo: number
  logTime: number
  maxBlock: number
}

export class EmbeddedStateStore implements StateStore {
  readonly #deltas: Stream
  readonly #parts: Stream
  readonly #partsOf = new Map<number, PartPlace[]>()
  /// Highest block of each segment file of parts.
  readonly #highestBlock = new Map<number, number>()
  readonly #deltaFiles = new Map<number, DeltaFile>()
  /// The file of parts that was read last, kept open: reads come in runs.
  #reading: { readonly path: string; readonly fd: number } | null = null

  /// Throws DamagedError or UnknownFormatError. Payloads are verified when they are read.
  constructor(options: EmbeddedStateStoreOptions) {
    const { directory, partition, clock, create = true } = options
    mkdirSync(directory, { recursive: true })
    const common = {
      clock,
      queueBytesMax: 256 * MIB,
      ...(options.disk === undefined ? {} : { disk: options.disk }),
    }
    this.#deltas = new Stream({
      ...deltaStreamSpec(directory, partition, create),
      ...common,
      ...(options.deltaDisk === undefined ? {} : { disk: options.deltaDisk }),
      segmentBytes: options.deltaSegmentBytes ?? 32 * MIB,
      index: (file, frame) => this.#indexDelta(file, frame.meta),
      onCommit: frames => {
        for (const { segment, meta } of frames) this.#indexDelta(segment, meta)
      },
    })
    this.#parts = new Stream({
      ...partStreamSpec(directory, partition, create),
      ...common,
      segmentBytes: Number.POSITIVE_INFINITY,
      index: (file, frame) => this.#indexPart(file, frame),
      onCommit: frames => {
        for (const { segment, position, sequence, meta, payload } of frames) {
          // The payload is not kept: its checksum is read back with it.
          this.#indexPart(segment, { position, sequence, meta, payloadBytes: payload.length, payloadCrc: 0 })
        }
      },
    })
  }

  position(): Offset {
    return offset(this.#deltas.carry[0] ?? 0)
  }

  *parts(): Generator<StoredPart> {
    const places = [...this.#partsOf.values()].flat()
    for (const place of places.sort((a, b) => a.sequence - b.sequence)) yield this.#stored(place)
  }

  *deltas(): Generator<Delta> {
    for (const { meta, payload } of framesOf(this.#deltas)) {
      const [coversFrom, coversTo, logTime, maxBlock] = meta
      yield {
        coversFrom: offset(coversFrom),
        coversTo: offset(coversTo),
        logTime: epochMs(logTime),
        maxBlock,
        payload,
      }
    }
  }

  readParts(block: number): readonly StoredPart[] {
    return (this.#partsOf.get(block) ?? []).map(place => {
      place.stored ??= this.#stored(place)
      return place.stored
    })
  }

  async appendDelta(delta: Delta): Promise<void> {
    const { coversFrom, coversTo, logTime, maxBlock, payload } = delta
    const meta = ([position = 0]: readonly number[]): FrameMeta | null =>
      addsTo(delta, position) ? [coversFrom, coversTo, logTime, maxBlock] : null
    await this.#deltas.append([{ meta, payload }])
  }

  async appendParts(parts: readonly SlicePart[]): Promise<void> {
    await this.#parts.append(
      parts.map(part => ({
        payload: encodePart(part),
        meta: ([last = NO_SEGMENT]) => {
          const { block, coversFrom, coversTo, segment } = part
          invariant(segment >= last, `segments of parts ascend: ${segment} comes after ${last}`)
          return [block, coversFrom, coversTo, segment]
        },
        rollBefore: ([last]) => last !== NO_SEGMENT && last !== part.segment,
      })),
    )
  }

  async forget({ partsBelowBlock, deltas }: Parameters<StateStore['forget']>[0]): Promise<void> {
    const { coveredBelow, logTimeBefore, blockBelow } = deltas
    const dropped = await Promise.all([
      forgetFiles(this.#parts, number => (this.#highestBlock.get(number) ?? 0) < partsBelowBlock),
      forgetFiles(this.#deltas, number => {
        const file = this.#deltaFiles.get(number)
        return (
          file === undefined ||
          (file.coversTo <= coveredBelow && file.logTime < logTimeBefore && file.maxBlock < blockBelow)
        )
      }),
    ])
    if (dropped.includes(true)) this.#forgetIndex()
  }

  sizeBytes(): number {
    return this.#deltas.sizeBytes() + this.#parts.sizeBytes()
  }

  async close(): Promise<void> {
    this.#closeReading()
    await Promise.all([this.#deltas.close(), this.#parts.close()])
  }

  #indexDelta(file: number, [, coversTo, logTime, maxBlock]: FrameMeta): void {
    const known = this.#deltaFiles.get(file)
    this.#deltaFiles.set(file, {
      coversTo: Math.max(known?.coversTo ?? coversTo, coversTo),
      logTime: Math.max(known?.logTime ?? logTime, logTime),
      maxBlock: Math.max(known?.maxBlock ?? maxBlock, maxBlock),
    })
  }

  #indexPart(file: number, frame: FramePlace): void {
    const [block] = frame.meta
    const places = this.#partsOf.get(block)
    const place = { ...frame, file, table: null, stored: null }
    if (places === undefined) this.#partsOf.set(block, [place])
    else places.push(place)
    this.#highestBlock.set(file, Math.max(this.#highestBlock.get(file) ?? block, block))
  }

  #stored(place: PartPlace): StoredPart {
    const [block, coversFrom, coversTo, segment] = place.meta
    return {
      ...{ block, coversFrom: offset(coversFrom), coversTo: offset(coversTo), segment },
      head: () => this.#read(place, this.#tableOf(place).head),
      pieces: () => this.#tableOf(place).pieces.length,
      piece: index => {
        const { pieces } = this.#tableOf(place)
        const piece = pieces[index]
        invariant(piece !== undefined, `a part of ${pieces.length} pieces is not asked for piece ${index}`)
        return this.#read(place, piece)
      },
    }
  }

  #tableOf(place: PartPlace): PartTable {
    if (place.table !== null) return place.table
    const { payloadBytes } = place
    let bytes = this.#readRange(place, 0, Math.min(payloadBytes, TABLE_READ_BYTES))
    const length = tableLength(bytes)
    if (length > bytes.length && length <= payloadBytes) bytes = this.#readRange(place, 0, length)
    const table = decodeTable(bytes, payloadBytes)
    if (typeof table === 'string') throw this.#damaged(place, 0, table)
    place.table = table
    return table
  }

  #read(place: PartPlace, { at, length, crc }: Stretch): Uint8Array {
    const bytes = this.#readRange(place, at, length)
    if (crc32(bytes) !== crc) throw this.#damaged(place, at, 'a piece of a part fails its checksum')
    return bytes
  }

  /// Bytes of the payload, not verified yet.
  #readRange(place: PartPlace, at: number, length: number): Buffer {
    const { path } = this.#segmentOf(place)
    if (this.#reading?.path !== path) {
      this.#closeReading()
      this.#reading = { path, fd: openSync(path, 'r') }
    }
    const bytes = readBytes(this.#reading.fd, place.position + FRAME_HEADER_BYTES + at, length)
    if (bytes.length < length) throw this.#damaged(place, at + bytes.length, 'the file ends too early')
    return bytes
  }

  #damaged(place: PartPlace, at: number, what: string): Error {
    const { path, carry } = this.#segmentOf(place)
    return this.#parts.damage(carry)(path, place.position + FRAME_HEADER_BYTES + at, what)
  }

  #segmentOf(place: PartPlace): Stream['segments'][number] {
    const segment = this.#parts.segments.find(({ number }) => number === place.file)
    invariant(segment !== undefined, 'an indexed part lies in a segment that is kept')
    return segment
  }

  #closeReading(): void {
    if (this.#reading !== null) closeSync(this.#reading.fd)
    this.#reading = null
  }

  /// Lets go of what the dropped segment files held.
  #forgetIndex(): void {
    this.#closeReading()
    const firstPart = this.#parts.segments[0]?.number ?? 0
    for (const file of [...this.#highestBlock.keys()]) if (file < firstPart) this.#highestBlock.delete(file)
    for (const [block, places] of [...this.#partsOf]) {
      if (places.every(({ file }) => file < firstPart)) this.#partsOf.delete(block)
      else
        this.#partsOf.set(
          block,
          places.filter(({ file }) => file >= firstPart),
        )
    }
    const firstDelta = this.#deltas.segments[0]?.number ?? 0
    for (const file of [...this.#deltaFiles.keys()]) if (file < firstDelta) this.#deltaFiles.delete(file)
  }
}

/// The durable frames of a stream, in order, every one verified. What is appended while they are read is not among
/// them.
function* framesOf(stream: Stream): Generator<Frame> {
  const segments = stream.segments.map(segment => ({ ...segment }))
  for (const { path, headerBytes: from, bytes: to, firstSequence: sequence, carry } of segments) {
    yield* readFrames({ path, from, to, sequence }, stream.damage(carry))
  }
}

/// Drops the oldest files as long as they satisfy `done`, except the one that is being written. Says whether there were any.
async function forgetFiles(stream: Stream, done: (file: number) => boolean): Promise<boolean> {
  const kept = stream.segments.find(({ number }) => !done(number)) ?? stream.segments.at(-1)
  if (kept === undefined || kept === stream.segments[0]) return false
  await stream.dropBelow(kept.number)
  return true
}
