/// An append-only stream of frames in numbered segment files (docs/formats/log.md).
///
/// Group commit: an append is written and synced at once when nothing else is under way; what arrives meanwhile goes
/// out together, in one write and one sync, when that is done. Latency is that of one sync, and throughput does not
/// depend on how many callers there are.
///
/// After a failed write the file is cut back to its last good length, so the stream is usable again as soon as there
/// is room. After a failed sync nobody knows what the disk holds: the stream refuses everything from then on, and the
/// next start verifies what is there.

import { closeSync, ftruncateSync, openSync, unlinkSync } from 'node:fs'
import { invariant } from '../../core/invariant.js'
import type { Clock } from '../../ports/clock.js'
import { LogFullError, StorageFailedError, StorageFullError } from '../../ports/errors.js'
import { type Disk, errorCode, isNoRoom, systemDisk } from './disk.js'
import { encodeFrameHeader, FRAME_HEADER_BYTES, FRAME_PAYLOAD_BYTES_MAX, type FrameMeta } from './frame.js'
import { encodeSegmentHeader, segmentHeaderBytes } from './segment-header.js'
import type { Fail } from './segment-reader.js'
import {
  type Carry,
  damage,
  type OpenStream,
  openStream,
  type Segment,
  type StreamSpec,
  segmentPath,
  syncDirectory,
  witnessPath,
} from './stream-open.js'
import { type Extent, Witness } from './witness.js'

/// One write goes up to this size (or one append, if that is larger).
const GROUP_BYTES_MAX = 8 * 1024 * 1024
/// The witness reaches the disk about this often.
const WITNESS_SYNC_MS = 1000

export interface StreamOptions extends StreamSpec {
  readonly clock: Clock
  /// A new segment begins when this length is reached.
  readonly segmentBytes: number
  /// Payload bytes that may wait; an append beyond it is refused with LogFullError.
  readonly queueBytesMax: number
  readonly disk?: Disk
  /// Told of the frames of each commit, in order, before the appends resolve.
  readonly onCommit?: (frames: readonly PlacedFrame[]) => void
}

/// A frame to be appended.
export interface Entry {
  /// Makes the meta when the frame's turn has come, from the carry before it; null leaves the frame out. May throw:
  /// the whole append is then rejected with the error and changes nothing.
  readonly meta: (carry: Carry) => FrameMeta | null
  readonly payload: Uint8Array
  /// Whether the frame begins a new segment, from the carry before it.
  readonly rollBefore?: (carry: Carry) => boolean
}

export interface PlacedFrame {
  readonly segment: number
  readonly position: number
  readonly sequence: number
  readonly meta: FrameMeta
  readonly payload: Uint8Array
}

interface Append {
  readonly entries: readonly Entry[]
  readonly bytes: number
  readonly resolve: (frames: readonly PlacedFrame[]) => void
  readonly reject: (error: unknown) => void
}

/// A part of a group that goes into one segment.
interface Run {
  readonly segment: Segment
  readonly isNew: boolean
  readonly buffers: Uint8Array[]
  readonly position: number
}

interface NewFile {
  readonly fd: number
  readonly path: string
}

/// A group as it will be when it is written.
interface Plan {
  readonly runs: Run[]
  readonly done: { readonly append: Append; readonly frames: readonly PlacedFrame[] }[]
  bytes: number
  sequence: number
  carry: Carry
}

export class Stream {
  readonly #options: StreamOptions
  readonly #disk: Disk
  readonly #streamId: string
  readonly #segments: Segment[]
  readonly #witness: Witness
  readonly cutBytes: number
  #fd: number
  #sequence: number
  #carry: Carry
  #queue: Append[] = []
  #queuedBytes = 0
  #dropBelow = 0
  #pumping: Promise<void> | null = null
  #broken: StorageFailedError | null = null
  #closed = false
  #witnessSyncedAt = 0

  /// Opens or creates the stream. Throws DamagedError or UnknownFormatError.
  constructor(options: StreamOptions) {
    this.#options = options
    this.#disk = options.disk ?? systemDisk
    const open: OpenStream = openStream(options)
    this.#streamId = open.streamId
    this.#segments = open.segments
    this.#sequence = open.nextSequence
    this.#carry = open.carry
    this.cutBytes = open.cutBytes
    this.#witness = new Witness(witnessPath(options.directory), open.generation)
    this.#fd = openSync(this.#active.path, 'r+')
    this.#witness.noteTwice(this.#extent())
  }

  /// The owner's state after the last durable frame.
  get carry(): Carry {
    return this.#carry
  }

  /// Oldest first; the last one is being written. Lengths are those of durable frames.
  get segments(): readonly Readonly<Segment>[] {
    return this.#segments
  }

  get nextSequence(): number {
    return this.#sequence
  }

  sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0)
  }

  /// Makes the error for damage that a reader found; the carry says what is safe.
  damage(carry: Carry | null): Fail {
    return damage(this.#options, () => carry)
  }

  /// Appends the frames as one unit: all are durable when it resolves, none is stored when it rejects. Payloads belong
  /// to the stream from the call on.
  append(entries: readonly Entry[]): Promise<readonly PlacedFrame[]> {
    invariant(!this.#closed, 'a closed stream takes no appends')
    for (const { payload } of entries) {
      invariant(
        payload.length <= FRAME_PAYLOAD_BYTES_MAX,
        `a payload has at most ${FRAME_PAYLOAD_BYTES_MAX} bytes`,
      )
    }
    if (this.#broken !== null) return Promise.reject(this.#broken)
    const bytes = entries.reduce((sum, { payload }) => sum + FRAME_HEADER_BYTES + payload.length, 0)
    // A single append larger than the queue is let through when nothing waits, else it could never be stored.
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#options.queueBytesMax) {
      return Promise.reject(
        new LogFullError(`${this.#options.name} has ${this.#queuedBytes} bytes waiting to be written`, 1),
      )
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ entries, bytes, resolve, reject })
      this.#queuedBytes += bytes
      this.#wake()
    })
  }

  /// Removes the segments below `number`, except the one that is being written.
  async dropBelow(number: number): Promise<void> {
    this.#dropBelow = Math.max(this.#dropBelow, Math.min(number, this.#active.number))
    this.#wake()
    await this.#pumping
  }

  /// Waits for what is under way. No append may follow.
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#pumping
    closeSync(this.#fd)
    if (this.#broken === null) this.#witness.noteTwice(this.#extent())
    await this.#witness.close()
  }

  get #active(): Segment {
    const active = this.#segments.at(-1)
    invariant(active !== undefined, 'a stream has a segment')
    return active
  }

  #extent(): Extent {
    const first = this.#segments[0] ?? this.#active
    return {
      streamId: this.#streamId,
      firstSegment: first.number,
      firstSequence: first.firstSequence,
      lastSegment: this.#active.number,
      lastBytes: this.#active.bytes,
      nextSequence: this.#sequence,
      mark: this.#carry[0] ?? 0,
    }
  }

  #wake(): void {
    this.#pumping ??= this.#pump()
  }

  async #pump(): Promise<void> {
    // Lets the appends of the same turn of the event loop go out together.
    await null
    while (this.#queue.length > 0 || this.#dropBelow > (this.#segments[0]?.number ?? 0)) {
      if (this.#queue.length > 0) await this.#commit(this.#plan())
      this.#drop()
    }
    this.#pumping = null
  }

  /// Takes appends from the queue and lays them out, up to GROUP_BYTES_MAX.
  #plan(): Plan {
    const plan: Plan = { runs: [], done: [], bytes: 0, sequence: this.#sequence, carry: this.#carry }
    while (this.#queue.length > 0 && plan.bytes < GROUP_BYTES_MAX) {
      const append = this.#queue.shift()
      if (append === undefined) break
      this.#queuedBytes -= append.bytes
      try {
        this.#layOut(plan, append)
      } catch (error) {
        append.reject(error)
      }
    }
    return plan
  }

  #layOut(plan: Plan, append: Append): void {
    // Metas first: one that throws leaves the plan as it was.
    let carry = plan.carry
    const metas = append.entries.map(({ meta }) => {
      const made = meta(carry)
      if (made !== null) carry = this.#options.advance(carry, made)
      return made
    })
    const frames: PlacedFrame[] = []
    for (const [i, { payload, rollBefore }] of append.entries.entries()) {
      const meta = metas[i] ?? null
      if (meta === null) continue
      const run = this.#runFor(plan, rollBefore?.(plan.carry) ?? false)
      const { segment } = run
      const header = encodeFrameHeader(plan.sequence, meta, payload)
      frames.push({
        segment: segment.number,
        position: segment.bytes,
        sequence: plan.sequence,
        meta,
        payload,
      })
      run.buffers.push(header, payload)
      segment.bytes += header.length + payload.length
      plan.bytes += header.length + payload.length
      plan.sequence++
      plan.carry = this.#options.advance(plan.carry, meta)
    }
    plan.done.push({ append, frames })
  }

  /// The run that the next frame joins: the current one, or one in a new segment.
  #runFor(plan: Plan, roll: boolean): Run {
    const current = plan.runs.at(-1)
    const segment = current?.segment ?? this.#active
    const hasFrames = segment.bytes > segment.headerBytes
    if (hasFrames && (roll || segment.bytes >= this.#options.segmentBytes)) {
      return this.#newRun(plan, segment)
    }
    if (current !== undefined) return current
    // A copy: the stream's own segment changes when the group is durable.
    const run = { segment: { ...segment }, isNew: false, buffers: [], position: segment.bytes }
    plan.runs.push(run)
    return run
  }

  #newRun(plan: Plan, previous: Segment): Run {
    const number = previous.number + 1
    const headerBytes = segmentHeaderBytes(plan.carry.length)
    const segment: Segment = {
      number,
      path: segmentPath(this.#options.directory, number),
      firstSequence: plan.sequence,
      headerBytes,
      carry: plan.carry,
      bytes: headerBytes,
    }
    const header = encodeSegmentHeader(this.#options.kind, {
      streamId: this.#streamId,
      number,
      firstSequence: plan.sequence,
      previousBytes: previous.bytes,
      carry: plan.carry,
    })
    const run = { segment, isNew: true, buffers: [header], position: 0 }
    plan.runs.push(run)
    return run
  }

  async #commit(plan: Plan): Promise<void> {
    if (this.#broken !== null) return this.#rejectAll(plan, this.#broken)
    const opened: NewFile[] = []
    try {
      for (const run of plan.runs) await this.#write(run, opened)
      this.#witness.note(this.#extentAfter(plan))
    } catch (error) {
      return this.#rejectAll(plan, this.#undo(opened, error))
    }
    this.#apply(plan)
    this.#useFile(opened)
    this.#syncWitness()
    this.#options.onCommit?.(plan.done.flatMap(({ frames }) => frames))
    for (const { append, frames } of plan.done) append.resolve(frames)
  }

  async #write(run: Run, opened: NewFile[]): Promise<void> {
    let fd = this.#fd
    if (run.isNew) {
      fd = openSync(run.segment.path, 'wx+')
      opened.push({ fd, path: run.segment.path })
    }
    await this.#disk.write(fd, run.buffers, run.position)
    try {
      await this.#disk.sync(fd)
      if (run.isNew) syncDirectory(this.#options.directory)
    } catch (error) {
      this.#break(`could not be made durable (${errorCode(error)})`)
      throw error
    }
  }

  #extentAfter(plan: Plan): Extent {
    const last = plan.runs.at(-1)?.segment ?? this.#active
    return {
      ...this.#extent(),
      lastSegment: last.number,
      lastBytes: last.bytes,
      nextSequence: plan.sequence,
      mark: plan.carry[0] ?? 0,
    }
  }

  #apply(plan: Plan): void {
    for (const { segment, isNew } of plan.runs) {
      if (isNew) this.#segments.push(segment)
      else this.#active.bytes = segment.bytes
    }
    this.#sequence = plan.sequence
    this.#carry = plan.carry
  }

  /// The last of the new segments' files is the one to write to from now on.
  #useFile(opened: NewFile[]): void {
    const last = opened.pop()
    if (last === undefined) return
    for (const { fd } of opened) closeSync(fd)
    closeSync(this.#fd)
    this.#fd = last.fd
  }

  /// Brings the files back to what they were before the plan; returns the error for its callers.
  #undo(opened: readonly NewFile[], cause: unknown): Error {
    try {
      for (const { fd, path } of opened.toReversed()) {
        closeSync(fd)
        unlinkSync(path)
      }
      ftruncateSync(this.#fd, this.#active.bytes)
    } catch (error) {
      this.#break(`could not be brought back to its last good length (${errorCode(error)})`)
    }
    if (this.#broken !== null) return this.#broken
    const { name } = this.#options
    if (isNoRoom(cause)) {
      return new StorageFullError(
        `${name} found no room (${errorCode(cause)}); what was stored before is safe, and storing goes on when there is room.`,
      )
    }
    return new StorageFailedError(
      `${name} could not be written (${errorCode(cause)}); what was stored before is safe.`,
    )
  }

  #break(what: string): void {
    this.#broken ??= new StorageFailedError(
      `${this.#options.name} ${what}. Check the disk and start again: opening verifies everything that was acknowledged.`,
    )
  }

  #rejectAll(plan: Plan, error: Error): void {
    for (const { append } of plan.done) append.reject(error)
  }

  #syncWitness(): void {
    const now = this.#options.clock.now()
    if (Math.abs(now - this.#witnessSyncedAt) < WITNESS_SYNC_MS) return
    this.#witnessSyncedAt = now
    this.#witness.syncLater()
  }

  /// The witness stops naming the segments before their files go; a crash in between leaves files that the next
  /// opening removes.
  #drop(): void {
    const kept = this.#segments.findIndex(segment => segment.number >= this.#dropBelow)
    if (kept <= 0 || this.#broken !== null) {
      this.#dropBelow = 0
      return
    }
    const dropped = this.#segments.splice(0, kept)
    try {
      this.#witness.noteTwice(this.#extent())
      for (const segment of dropped) unlinkSync(segment.path)
      syncDirectory(this.#options.directory)
    } catch (error) {
      this.#break(`could not drop old segments (${errorCode(error)})`)
    }
  }
}
