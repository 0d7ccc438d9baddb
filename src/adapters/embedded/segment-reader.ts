/// Reading frames back from segment files. Everything that comes out of here has passed its checksums.

import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import type { DamagedError } from '../../ports/errors.js'
import { decodeFrameHeader, FRAME_HEADER_BYTES, type Frame, type FrameHeader, parseFrames } from './frame.js'

/// How much is read at once; a larger frame is read whole.
export const CHUNK_BYTES = 1024 * 1024

const readAsync = promisify(read)

/// A stretch of one segment file, from the beginning of frame `sequence` to the end of a frame (or of the file).
export interface Stretch {
  readonly path: string
  readonly from: number
  readonly to: number
  readonly sequence: number
}

export type Fail = (path: string, position: number, what: string) => DamagedError

/// Reads `length` bytes at `position`; fewer only at the end of the file. The buffer is fresh.
export function readBytes(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const n = readSync(fd, bytes, filled, length - filled, position + filled)
    if (n === 0) break
    filled += n
  }
  return bytes.subarray(0, filled)
}

async function readBytesAsync(fd: number, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await readAsync(fd, bytes, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/// Calls `use` with the file open for reading.
export function withFile<T>(path: string, use: (fd: number, bytes: number) => T): T {
  const fd = openSync(path, 'r')
  try {
    return use(fd, fstatSync(fd).size)
  } finally {
    closeSync(fd)
  }
}

/// The frames of a stretch, every one verified; payloads are views of fresh chunks of CHUNK_BYTES or more. Throws
/// what `fail` makes for the first that is not whole.
export function* readFrames(stretch: Stretch, fail: Fail): Generator<Frame> {
  const fd = openSync(stretch.path, 'r')
  try {
    let at = stretch.from
    let sequence = stretch.sequence
    let wanted = CHUNK_BYTES
    while (at < stretch.to) {
      const length = Math.min(Math.max(wanted, CHUNK_BYTES), stretch.to - at)
      const chunk = readBytes(fd, at, length)
      if (chunk.length < length) throw fail(stretch.path, at + chunk.length, 'the file ends too early')
      const { frames, consumed, needed, wrong } = parseFrames(chunk, at, sequence)
      yield* frames
      at += consumed
      sequence += frames.length
      wanted = needed
      if (wrong !== null) throw fail(stretch.path, at, wrong)
      if (needed > stretch.to - at) throw fail(stretch.path, at, 'a frame reaches beyond the end')
    }
  } finally {
    closeSync(fd)
  }
}

/// Reads the frames that begin at `from`, at least one and about CHUNK_BYTES, from an open file, without blocking.
export async function readSomeFrames(fd: number, stretch: Stretch, fail: Fail): Promise<readonly Frame[]> {
  let length = Math.min(CHUNK_BYTES, stretch.to - stretch.from)
  for (;;) {
    const chunk = await readBytesAsync(fd, stretch.from, length)
    if (chunk.length < length)
      throw fail(stretch.path, stretch.from + chunk.length, 'the file ends too early')
    const { frames, consumed, needed, wrong } = parseFrames(chunk, stretch.from, stretch.sequence)
    if (frames.length > 0) return frames
    if (wrong !== null) throw fail(stretch.path, stretch.from + consumed, wrong)
    if (needed > stretch.to - stretch.from) {
      throw fail(stretch.path, stretch.from, 'a frame reaches beyond the end')
    }
    length = needed
  }
}

/// Where a frame lies.
export interface FramePlace extends FrameHeader {
  readonly position: number
}

/// Walks the headers of a stretch without reading payloads.
export function walkHeaders(stretch: Stretch, fail: Fail, visit: (frame: FramePlace) => void): number {
  return withFile(stretch.path, fd => {
    const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
    let at = stretch.from
    let sequence = stretch.sequence
    while (at < stretch.to) {
      const n = readSync(fd, bytes, 0, FRAME_HEADER_BYTES, at)
      if (n < FRAME_HEADER_BYTES) throw fail(stretch.path, at, 'the file ends inside a frame header')
      const header = decodeFrameHeader(bytes, 0, sequence)
      if (typeof header === 'string') throw fail(stretch.path, at, header)
      const end = at + FRAME_HEADER_BYTES + header.payloadBytes
      if (end > stretch.to) throw fail(stretch.path, at, 'a frame reaches beyond the end')
      visit({ ...header, position: at })
      at = end
      sequence++
    }
    return sequence
  })
}
