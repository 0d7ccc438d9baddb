/// The witness: a small file that says how far a stream reached when it was last acknowledged.
///
/// A segment file alone cannot tell a torn write that nobody was promised from acknowledged data that went missing:
/// both look like a file that stops too early. So the end of the stream is noted elsewhere before each
/// acknowledgement. Opening cuts off an invalid tail beyond that end, and refuses anything short of it.
///
/// The note is written to the page cache, which survives the death of the process, and reaches the disk about each
/// second: after a loss of power the witness may be older than the data, and then vouches for less of it. The data
/// themselves are on the disk before they are acknowledged.
///
/// Two slots are written in turn, so that a damaged one leaves the other, which is one commit older:
///
///   0     prelude as in segment-header.ts, magic "VOLUMERW"
///   512   slot 0        1024  slot 1        1536  end
///
/// A slot: f64 generation, 8 bytes stream id, f64 first segment, f64 sequence of its first frame, f64 last segment,
/// f64 its length, f64 sequence of the next frame, f64 mark (the first number of the carry), u32 CRC-32.

import { closeSync, fdatasync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { checkPrelude, encodePrelude, type StreamKind } from './segment-header.js'

const MAGIC = 'VOLUMERW'
const SLOT_SPACING = 512
const SLOT_BYTES = 68
const FILE_BYTES = 3 * SLOT_SPACING

export interface Extent {
  readonly streamId: string
  readonly firstSegment: number
  /// Sequence of the first frame that is kept.
  readonly firstSequence: number
  readonly lastSegment: number
  /// Acknowledged length of the last segment.
  readonly lastBytes: number
  /// One above the sequence of the last acknowledged frame.
  readonly nextSequence: number
  /// The owner's number for people: the log's next offset, say.
  readonly mark: number
}

function encodeSlot(generation: number, extent: Extent): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES)
  slot.writeDoubleLE(generation, 0)
  slot.write(extent.streamId, 8, 'hex')
  slot.writeDoubleLE(extent.firstSegment, 16)
  slot.writeDoubleLE(extent.firstSequence, 24)
  slot.writeDoubleLE(extent.lastSegment, 32)
  slot.writeDoubleLE(extent.lastBytes, 40)
  slot.writeDoubleLE(extent.nextSequence, 48)
  slot.writeDoubleLE(extent.mark, 56)
  slot.writeUInt32LE(crc32(slot.subarray(0, 64)), 64)
  return slot
}

function decodeSlot(file: Buffer, at: number): { generation: number; extent: Extent } | null {
  if (file.length < at + SLOT_BYTES) return null
  const slot = file.subarray(at, at + SLOT_BYTES)
  if (slot.readUInt32LE(64) !== crc32(slot.subarray(0, 64))) return null
  return {
    generation: slot.readDoubleLE(0),
    extent: {
      streamId: slot.toString('hex', 8, 16),
      firstSegment: slot.readDoubleLE(16),
      firstSequence: slot.readDoubleLE(24),
      lastSegment: slot.readDoubleLE(32),
      lastBytes: slot.readDoubleLE(40),
      nextSequence: slot.readDoubleLE(48),
      mark: slot.readDoubleLE(56),
    },
  }
}

export interface Testimony {
  readonly extent: Extent
  readonly generation: number
  /// Both slots are intact. When one is not, the extent may be one commit old, and a torn tail is not to be told
  /// from damage.
  readonly whole: boolean
}

/// Reads a witness; a phrase when it is damaged. Throws the file system's error when there is none.
export function readWitness(path: string, kind: StreamKind): Testimony | string {
  const file = readFileSync(path)
  const wrong = checkPrelude(file, MAGIC, kind, path)
  if (wrong !== null) return wrong
  const slots = [decodeSlot(file, SLOT_SPACING), decodeSlot(file, 2 * SLOT_SPACING)].filter(s => s !== null)
  const newest = slots.sort((a, b) => b.generation - a.generation)[0]
  return newest === undefined ? 'both slots fail their checksums' : { ...newest, whole: slots.length === 2 }
}

/// Creates the file with both slots set; durable when it returns (but for the directory entry).
export function createWitness(path: string, kind: StreamKind, extent: Extent): void {
  const file = Buffer.alloc(FILE_BYTES)
  encodePrelude(file, MAGIC, kind)
  encodeSlot(0, extent).copy(file, SLOT_SPACING)
  encodeSlot(1, extent).copy(file, 2 * SLOT_SPACING)
  const fd = openSync(path, 'w')
  try {
    writeSync(fd, file, 0, FILE_BYTES, 0)
    fdatasyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export class Witness {
  readonly #fd: number
  #generation: number
  #dirty = false
  #syncing: Promise<void> | null = null

  constructor(path: string, generation: number) {
    this.#fd = openSync(path, 'r+')
    this.#generation = generation
  }

  /// Notes the extent; survives the process from here on.
  note(extent: Extent): void {
    const slot = encodeSlot(this.#generation + 1, extent)
    const written = writeSync(
      this.#fd,
      slot,
      0,
      SLOT_BYTES,
      SLOT_SPACING * (1 + ((this.#generation + 1) % 2)),
    )
    if (written !== SLOT_BYTES) throw Object.assign(new Error('short write'), { code: 'ENOSPC' })
    this.#generation++
    this.#dirty = true
  }

  /// Notes the extent in both slots and makes it durable: before files are removed that the older slot names.
  noteTwice(extent: Extent): void {
    this.note(extent)
    this.note(extent)
    fdatasyncSync(this.#fd)
    this.#dirty = false
  }

  /// Brings the last note to the disk in the background. A failure is of no consequence: see above.
  syncLater(): void {
    if (!this.#dirty || this.#syncing !== null) return
    this.#dirty = false
    this.#syncing = new Promise(resolve => {
      fdatasync(this.#fd, () => {
        this.#syncing = null
        resolve()
      })
    })
  }

  async close(): Promise<void> {
    await this.#syncing
    this.syncLater()
    await this.#syncing
    closeSync(this.#fd)
  }
}
