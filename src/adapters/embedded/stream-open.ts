/// Opening a stream: finds out which of its bytes are acknowledged records, which are a torn write that nobody was
/// promised, and whether anything is missing.
///
/// Everything up to the end that the witness names must be there and be right, from the first segment it names on:
/// segment numbers follow one another, each header states the length of the segment before, sequences are
/// continuous. Beyond that end, whole frames are kept, and the first that is not whole is cut off with all that
/// follows. Payloads before the last segment are verified when they are read.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DamagedError } from '../../ports/errors.js'
import { FRAME_HEADER_BYTES, type FrameMeta } from './frame.js'
import { decodeSegmentHeader, encodeSegmentHeader, type StreamKind } from './segment-header.js'
import {
  type Fail,
  type FramePlace,
  readBytes,
  readFrames,
  type Stretch,
  walkHeaders,
  withFile,
} from './segment-reader.js'
import { createWitness, type Extent, readWitness, type Testimony } from './witness.js'

export type Carry = readonly number[]

/// What a stream is, for its owner.
export interface StreamSpec {
  readonly directory: string
  readonly kind: StreamKind
  /// For messages, with a capital: `The trade log (partition 0)`.
  readonly name: string
  /// Whether a stream that is not there is created. False where it must exist: its absence is damage then.
  readonly create: boolean
  /// The owner's state of a few numbers; the stream hands it on from frame to frame and keeps it when old segments
  /// are dropped. This is the one before the first frame.
  readonly initialCarry: Carry
  /// The state after a frame.
  readonly advance: (carry: Carry, meta: FrameMeta) => Carry
  /// What is safe when the stream is whole up to a carry: `all records below offset 120`.
  readonly safe: (carry: Carry) => string
  readonly wayOut: string
  /// Told of every frame, in order, while the stream opens. Without it only the last segment is walked.
  readonly index?: (segment: number, frame: FramePlace) => void
}

export interface Segment {
  readonly number: number
  readonly path: string
  readonly firstSequence: number
  readonly headerBytes: number
  /// The owner's state before the segment's first frame.
  readonly carry: Carry
  /// Durable length, header included.
  bytes: number
}

export interface OpenStream {
  readonly streamId: string
  readonly generation: number
  readonly segments: Segment[]
  readonly nextSequence: number
  readonly carry: Carry
  /// Bytes of a torn write that were cut off.
  readonly cutBytes: number
}

export const segmentPath = (directory: string, number: number): string =>
  join(directory, `${String(number).padStart(10, '0')}.segment`)

export const witnessPath = (directory: string): string => join(directory, 'witness')

/// Makes the entries of a directory durable.
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/// Creates the stream beside its place and renames it there, so that a stream is either absent or complete.
function createStream(spec: StreamSpec): void {
  const fresh = `${spec.directory}.new`
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(fresh, { recursive: true })
  const streamId = randomBytes(8).toString('hex')
  const header = encodeSegmentHeader(spec.kind, {
    streamId,
    number: 1,
    firstSequence: 0,
    previousBytes: 0,
    carry: spec.initialCarry,
  })
  writeFileSync(segmentPath(fresh, 1), header, { flush: true })
  createWitness(witnessPath(fresh), spec.kind, {
    streamId,
    firstSegment: 1,
    firstSequence: 0,
    lastSegment: 1,
    lastBytes: header.length,
    nextSequence: 0,
    mark: spec.initialCarry[0] ?? 0,
  })
  syncDirectory(fresh)
  renameSync(fresh, spec.directory)
  syncDirectory(dirname(spec.directory))
}

/// The numbers of the segment files, ascending.
export function listSegments(directory: string): number[] {
  return readdirSync(directory)
    .map(name => /^(\d{10,})\.segment$/.exec(name)?.[1])
    .filter(digits => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
}

/// Makes the errors of a stream: names file, byte position, what is safe and the way out.
export function damage(spec: StreamSpec, carry: () => Carry | null): Fail {
  return (path, position, what) => {
    const safe = carry()
    const kept = safe === null ? 'What it holds could not be established.' : `Safe: ${spec.safe(safe)}.`
    return new DamagedError(
      `${spec.name} is damaged: ${path}, byte ${position}: ${what}. ${kept}`,
      spec.wayOut,
    )
  }
}

export function openStream(spec: StreamSpec): OpenStream {
  const { directory } = spec
  if (!existsSync(directory)) {
    if (!spec.create) throw damage(spec, () => null)(directory, 0, 'the directory is missing')
    createStream(spec)
  }
  const testimony = testimonyOf(spec)
  const segments = openSegments(spec, testimony)
  return walk(spec, testimony, segments)
}

function testimonyOf(spec: StreamSpec): Testimony {
  const path = witnessPath(spec.directory)
  const fail = damage(spec, () => null)
  if (!existsSync(path)) throw fail(path, 0, 'the file is missing')
  const testimony = readWitness(path, spec.kind)
  if (typeof testimony === 'string') throw fail(path, 0, testimony)
  return testimony
}

/// Reads the headers of all segments and holds them against each other and the witness. Removes what is left over from
/// dropping old segments, and a last segment whose creation was cut short.
function openSegments(spec: StreamSpec, { extent, whole }: Testimony): Segment[] {
  const { directory } = spec
  const segments: Segment[] = []
  const fail = damage(spec, () => segments.at(-1)?.carry ?? null)
  const numbers = listSegments(directory)
  for (const number of numbers.filter(n => n < extent.firstSegment))
    unlinkSync(segmentPath(directory, number))
  const last = Math.max(extent.lastSegment, numbers.at(-1) ?? 0)
  for (let number = extent.firstSegment; number <= last; number++) {
    const path = segmentPath(directory, number)
    if (!existsSync(path)) throw fail(path, 0, 'the file is missing')
    const segment = openSegment(spec, path, number, extent.streamId, segments.at(-1))
    if (typeof segment !== 'string') segments.push(segment)
    else if (number > extent.lastSegment && number === last && whole) unlinkSync(path)
    else throw fail(path, 0, segment)
  }
  const first = segments[0]
  if (first !== undefined && first.firstSequence !== extent.firstSequence) {
    throw fail(first.path, 0, `frame ${extent.firstSequence} should be the first`)
  }
  return segments
}

function openSegment(
  spec: StreamSpec,
  path: string,
  number: number,
  streamId: string,
  previous: Segment | undefined,
): Segment | string {
  return withFile(path, (fd, bytes) => {
    const header = decodeSegmentHeader(spec.kind, path, (position, length) => readBytes(fd, position, length))
    if (typeof header === 'string') return header
    if (header.streamId !== streamId) return 'the file belongs to another stream'
    if (header.number !== number) return `the file is segment ${header.number}`
    if (previous !== undefined && header.previousBytes !== previous.bytes) {
      return `it follows a segment of ${header.previousBytes} bytes, but ${previous.path} has ${previous.bytes}`
    }
    const { firstSequence, carry } = header
    return { number, path, firstSequence, headerBytes: header.bytes, carry, bytes }
  })
}

/// Walks the frames of every segment that must be walked, holds their ends against the witness, and cuts off a torn
/// tail.
function walk(spec: StreamSpec, testimony: Testimony, segments: Segment[]): OpenStream {
  const { extent, generation, whole } = testimony
  let next: number | null = null
  let carry: Carry = spec.initialCarry
  let cutBytes = 0
  const fail = damage(spec, () => carry)
  const visitor = (segment: Segment) => (frame: FramePlace) => {
    // Field by field: the payload that some frames carry along is not to be kept alive by an index.
    const { sequence, meta, payloadBytes, payloadCrc, position } = frame
    spec.index?.(segment.number, { sequence, meta, payloadBytes, payloadCrc, position })
    carry = spec.advance(carry, frame.meta)
    next = frame.sequence + 1
  }
  for (const segment of segments) {
    if (spec.index === undefined && segment.number < extent.lastSegment) continue
    const { path, headerBytes: from, firstSequence, bytes } = segment
    if (next !== null && next !== firstSequence) {
      throw fail(path, 0, `it begins with frame ${firstSequence} instead of ${next}`)
    }
    next = firstSequence
    carry = segment.carry
    const to = vouchedBytes(segment, extent)
    if (bytes < to) throw fail(path, bytes, `the file should have ${to} bytes`)
    const visit = visitor(segment)
    const stretch = { path, from, to, sequence: next }
    if (spec.index === undefined) for (const frame of readFrames(stretch, fail)) visit(frame)
    else walkHeaders(stretch, fail, visit)
    if (segment.number === extent.lastSegment && next !== extent.nextSequence) {
      throw fail(path, to, `frame ${extent.nextSequence} should be next, but ${next} is`)
    }
    segment.bytes = keepWhole({ path, from: to, to: bytes, sequence: next }, visit)
    if (segment.bytes === bytes) continue
    if (segment !== segments.at(-1) || !whole) throw fail(path, segment.bytes, 'a frame is not whole')
    cutBytes = bytes - segment.bytes
    cut(path, segment.bytes)
  }
  return { streamId: extent.streamId, generation, segments, nextSequence: next ?? 0, carry, cutBytes }
}

/// How much of the segment is known to be acknowledged.
function vouchedBytes(segment: Segment, extent: Extent): number {
  if (segment.number < extent.lastSegment) return segment.bytes
  return segment.number === extent.lastSegment ? extent.lastBytes : segment.headerBytes
}

/// Visits the whole frames of a tail and returns where they end.
function keepWhole(stretch: Stretch, visit: (frame: FramePlace) => void): number {
  let end = stretch.from
  const torn = new DamagedError('torn', '')
  try {
    for (const frame of readFrames(stretch, () => torn)) {
      visit(frame)
      end = frame.position + FRAME_HEADER_BYTES + frame.payloadBytes
    }
  } catch (error) {
    if (error !== torn) throw error
  }
  return end
}

function cut(path: string, bytes: number): void {
  const fd = openSync(path, 'r+')
  try {
    ftruncateSync(fd, bytes)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
