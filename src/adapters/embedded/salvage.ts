/// Reading what is left of a damaged stream: every frame that passes its checksums, whatever is missing around it. Only
/// `repair` reads this way.

import { existsSync } from 'node:fs'
import { DamagedError } from '../../ports/errors.js'
import { decodeFrameHeader, FRAME_HEADER_BYTES, type Frame, parseFrames } from './frame.js'
import { decodeSegmentHeader } from './segment-header.js'
import { type FramePlace, readBytes, readFrames, withFile } from './segment-reader.js'
import {
  type Carry,
  damage,
  listSegments,
  openStream,
  type StreamSpec,
  segmentPath,
  witnessPath,
} from './stream-open.js'
import { type Extent, readWitness, type Testimony } from './witness.js'

export interface SavedFrame extends FramePlace {
  readonly path: string
}

export interface Salvage {
  /// Ascending sequences; where one is left out, the frame is lost.
  readonly frames: readonly SavedFrame[]
  /// What the stream held as far as the witness knows; null without it.
  readonly extent: Extent | null
  /// The owner's state after the last frame.
  readonly carry: Carry
}

/// What is wrong with the stream, payloads included; null when it is whole. A torn tail is cut off. Throws
/// UnknownFormatError.
export function examine(spec: StreamSpec): DamagedError | null {
  try {
    for (const segment of openStream({ ...spec, create: false }).segments) {
      const { path, headerBytes: from, bytes: to, firstSequence: sequence, carry } = segment
      const frames = readFrames(
        { path, from, to, sequence },
        damage(spec, () => carry),
      )
      // Reading verifies.
      while (frames.next().done !== true);
    }
    return null
  } catch (error) {
    if (error instanceof DamagedError) return error
    throw error
  }
}

export function salvage(spec: StreamSpec): Salvage {
  if (!existsSync(spec.directory)) return { frames: [], extent: null, carry: spec.initialCarry }
  const testimony = testimonyOf(spec)
  const frames: SavedFrame[] = []
  let carry: Carry = spec.initialCarry
  let streamId = testimony?.extent.streamId
  for (const number of listSegments(spec.directory)) {
    if (number < (testimony?.extent.firstSegment ?? 0)) continue
    const path = segmentPath(spec.directory, number)
    withFile(path, (fd, bytes) => {
      const header = decodeSegmentHeader(spec.kind, path, (position, length) =>
        readBytes(fd, position, length),
      )
      if (typeof header === 'string' || header.streamId !== (streamId ?? header.streamId)) return
      streamId = header.streamId
      // A copy of another segment repeats its sequences.
      const known = frames.at(-1)?.sequence ?? -1
      if (header.firstSequence <= known) return
      const before = frames.length
      savePart(fd, path, header.bytes, bytes, header.firstSequence, frames)
      carry = frames.slice(before).reduce((state, { meta }) => spec.advance(state, meta), header.carry)
    })
  }
  return { frames, extent: testimony?.extent ?? null, carry }
}

/// Collects the frames of one segment. After a payload that fails its checksum the next frame can be found, after
/// a header that does it cannot.
function savePart(
  fd: number,
  path: string,
  from: number,
  to: number,
  firstSequence: number,
  frames: SavedFrame[],
): void {
  let at = from
  let sequence = firstSequence
  while (at + FRAME_HEADER_BYTES <= to) {
    const header = decodeFrameHeader(readBytes(fd, at, FRAME_HEADER_BYTES), 0, sequence)
    if (typeof header === 'string') return
    const bytes = readBytes(fd, at, FRAME_HEADER_BYTES + header.payloadBytes)
    if (parseFrames(bytes, at, sequence).frames.length === 1) frames.push({ ...header, position: at, path })
    at += FRAME_HEADER_BYTES + header.payloadBytes
    sequence++
  }
}

function testimonyOf(spec: StreamSpec): Testimony | null {
  const path = witnessPath(spec.directory)
  if (!existsSync(path)) return null
  const testimony = readWitness(path, spec.kind)
  return typeof testimony === 'string' ? null : testimony
}

/// Reads a saved frame again.
export function readSaved({ path, position, payloadBytes, sequence }: SavedFrame): Frame {
  const bytes = withFile(path, fd => readBytes(fd, position, FRAME_HEADER_BYTES + payloadBytes))
  const frame = parseFrames(bytes, position, sequence).frames[0]
  if (frame === undefined)
    throw new DamagedError(`${path}, byte ${position} changed while it was repaired`, 'Run it again.')
  return frame
}
