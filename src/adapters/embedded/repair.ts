/// The way out of damage: makes a data directory that opens again of one that does not, loses as little as can be, and
/// says exactly what is lost. Damaged streams are written anew from the frames that are whole; the old files are
/// moved to `damaged-TIME/`, never deleted.
///
/// What can be lost depends on what else there is:
/// - Log records below the state's position are in the state: nothing is lost by losing them.
/// - Log records beyond it are lost where their frame is not whole. The whole ones after it close ranks: they get the
///   offsets from there on, and nothing else refers to these yet.
/// - A damaged state is dropped when the log still goes back to its first record: the next start rolls all of it again.
/// - Otherwise deltas are kept up to the first that is lost, and rolled again from the log; or, where the log does not
///   go back that far, the others are all kept. Parts are kept where they are whole; rows of lost ones are in the
///   deltas if these go back that far.

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Clock } from '../../ports/clock.js'
import { DamagedError } from '../../ports/errors.js'
import { lettersDirectory, logDirectory, stateDirectory } from './data-directory.js'
import { letterStreamSpec } from './dead-letters.js'
import { type DirectorySettings, formatPath, readFormat, writeFormat } from './format-file.js'
import type { FrameMeta } from './frame.js'
import { lockDirectory } from './lock.js'
import { examine, readSaved, type Salvage, type SavedFrame, salvage } from './salvage.js'
import { deltaStreamSpec, partStreamSpec } from './state-store.js'
import { Stream } from './stream.js'
import { type Carry, openStream, type StreamSpec, syncDirectory } from './stream-open.js'
import { logStreamSpec } from './trade-log.js'
import type { Extent } from './witness.js'

const MIB = 1024 * 1024

/// Something that is gone for good.
export interface Loss {
  readonly partition: number
  /// `records`: acknowledged swaps that no window will count. `rows`: swaps that were counted, and are missing from
  /// the windows that reach back to them.
  readonly of: 'records' | 'rows'
  /// Offsets from ≤ offset < to.
  readonly from: number
  readonly to: number
}

export interface RepairReport {
  /// Where the damaged files are; null when there was nothing to repair.
  readonly movedTo: string | null
  /// What was found and done, a sentence each.
  readonly done: readonly string[]
  readonly lost: readonly Loss[]
}

export interface RepairOptions {
  readonly directory: string
  readonly clock: Clock
  /// For a directory whose FORMAT file is lost; the number of partitions is taken from the log's directories.
  readonly resolutionMs: number
}

interface Work {
  readonly clock: Clock
  readonly directory: string
  /// Where damaged files go.
  readonly aside: string
  readonly done: string[]
  readonly lost: Loss[]
}

/// What a stream is written anew from.
interface Rewrite {
  readonly frames: readonly SavedFrame[]
  readonly carry: Carry
  /// The meta of a frame in the new stream, from the carry before it; unless said, the old one.
  readonly meta?: (frame: SavedFrame, carry: Carry) => FrameMeta
}

/// Repairs the directory. Rejects with LockedError when a process has it open, and with UnknownFormatError.
export async function repair(options: RepairOptions): Promise<RepairReport> {
  const { directory, clock } = options
  if (!existsSync(directory))
    throw new DamagedError(`${directory} is not there`, 'Name the data directory with --data.')
  const lock = await lockDirectory(directory, clock)
  try {
    const time = new Date(clock.now()).toISOString().replaceAll(/[:.]/g, '-')
    const work: Work = { clock, directory, aside: join(directory, `damaged-${time}`), done: [], lost: [] }
    const { partitions } = repairFormat(work, options)
    const replayed = new Map<number, number>()
    for (let partition = 0; partition < partitions; partition++)
      await repairPartition(work, partition, replayed)
    await repairLetters(work, replayed)
    return { movedTo: existsSync(work.aside) ? work.aside : null, done: work.done, lost: work.lost }
  } finally {
    await lock.release()
  }
}

function repairFormat(work: Work, options: RepairOptions): DirectorySettings {
  const { directory } = work
  try {
    const stored = readFormat(directory)
    if (stored !== null) return stored
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error
    mkdirSync(work.aside, { recursive: true })
    renameSync(formatPath(directory), join(work.aside, 'FORMAT'))
  }
  const logs = existsSync(logDirectory(directory)) ? readdirSync(logDirectory(directory)) : []
  const partitions = Math.max(1, ...logs.filter(name => /^\d+$/.test(name)).map(name => Number(name) + 1))
  const settings = { partitions, resolutionMs: options.resolutionMs }
  writeFormat(directory, settings)
  work.done.push(
    `FORMAT was lost and is written again: ${partitions} partitions, a resolution of ${options.resolutionMs} ms.`,
  )
  return settings
}

/// Notes in `replayed` the offset from which on a partition's records have other offsets than before.
async function repairPartition(work: Work, partition: number, replayed: Map<number, number>): Promise<void> {
  const log = logStreamSpec(logDirectory(work.directory), partition, true)
  const deltas = deltaStreamSpec(stateDirectory(work.directory, partition), partition, true)
  const parts = partStreamSpec(stateDirectory(work.directory, partition), partition, true)
  for (const spec of [log, deltas, parts]) finishMove(spec)
  const logDamage = examine(log)
  const stateDamage = [examine(deltas), examine(parts)]
  if (stateDamage.some(found => found !== null)) {
    const bounds = logDamage === null ? boundsOf(log) : null
    await repairState(work, partition, { deltas, parts }, stateDamage[0] ?? null, bounds)
  }
  const position = openStream(deltas).carry[0] ?? 0
  if (logDamage === null) {
    const { first, end } = boundsOf(log)
    if (first <= position && position <= end) return
  }
  await repairLog(work, partition, log, position)
  replayed.set(partition, position)
}

function boundsOf(log: StreamSpec): { readonly first: number; readonly end: number } {
  const { segments, carry } = openStream(log)
  return { first: segments[0]?.carry[0] ?? 0, end: carry[0] ?? 0 }
}

/// Keeps what the state does not cover; a whole frame after a gap gets the offsets where the gap began.
async function repairLog(work: Work, partition: number, spec: StreamSpec, position: number): Promise<void> {
  const { frames, extent } = salvage(spec)
  const needed = frames.filter(({ meta: [firstOffset, count] }) => firstOffset + count > position)
  const gaps: Loss[] = []
  let end = position
  for (const { meta } of needed) {
    const [firstOffset, count] = meta
    if (firstOffset > end) gaps.push({ partition, of: 'records', from: end, to: firstOffset })
    end = firstOffset + count
  }
  const oldEnd = extent?.mark ?? end
  if (oldEnd > end) gaps.push({ partition, of: 'records', from: end, to: oldEnd })
  const start = Math.min(needed[0]?.meta[0] ?? position, position)
  await rewrite(work, spec, 64 * MIB, {
    frames: needed,
    carry: [start, needed[0]?.meta[2] ?? frames.at(-1)?.meta[2] ?? 0],
    meta: ({ meta: [, count, appendTime] }, [next = 0]) => [next, count, appendTime, 0],
  })
  work.lost.push(...gaps)
  work.done.push(
    gaps.length === 0
      ? `${spec.name}: written anew from offset ${start} on; nothing is lost, the state covers all records before.`
      : `${spec.name}: written anew without ${gaps.map(range).join(', ')}. Records after a gap follow right after it, at new offsets.`,
  )
}

interface StateSpecs {
  readonly deltas: StreamSpec
  readonly parts: StreamSpec
}

async function repairState(
  work: Work,
  partition: number,
  specs: StateSpecs,
  deltasDamage: DamagedError | null,
  log: { readonly first: number; readonly end: number } | null,
): Promise<void> {
  const { deltas, parts } = specs
  if (log?.first === 0) {
    await rewrite(work, deltas, 32 * MIB, { frames: [], carry: deltas.initialCarry })
    await rewrite(work, parts, Number.POSITIVE_INFINITY, { frames: [], carry: parts.initialCarry })
    work.done.push(
      `The state of partition ${partition}: moved aside; nothing is lost, the next start rolls the trade log again from its first record.`,
    )
    return
  }
  const saved = salvage(deltas)
  const prefixEnd = contiguousEnd(saved)
  const fromLog =
    deltasDamage !== null &&
    log !== null &&
    prefixEnd !== null &&
    log.first <= prefixEnd &&
    prefixEnd <= log.end
  const kept = fromLog ? saved.frames.filter(({ meta }) => meta[1] <= prefixEnd) : saved.frames
  const position = kept.at(-1)?.meta[1] ?? saved.extent?.mark ?? log?.first ?? 0
  const deltasFrom = kept[0]?.meta[0] ?? position
  if (deltasDamage !== null) {
    await rewrite(work, deltas, 32 * MIB, { frames: kept, carry: [deltasFrom] })
    if (!fromLog) work.lost.push(...missingRows(partition, kept, saved, position))
    work.done.push(
      fromLog
        ? `${deltas.name}: kept up to offset ${prefixEnd}; the trade log has what follows, and the next start rolls it again.`
        : `${deltas.name}: written anew from those that are whole.`,
    )
  }
  await repairParts(work, partition, parts, position, deltasFrom)
}

/// Where the deltas end that follow one another from the first on; null when the first is lost.
function contiguousEnd({ frames, extent }: Salvage): number | null {
  if (extent === null || frames[0]?.sequence !== extent.firstSequence) return null
  let end: number | null = null
  for (const { meta } of frames) {
    if (end !== null && meta[0] !== end) break
    end = meta[1]
  }
  return end
}

/// The offsets that no kept delta covers. Some of their rows may be in parts.
function missingRows(
  partition: number,
  kept: readonly SavedFrame[],
  { extent }: Salvage,
  position: number,
): Loss[] {
  const losses: Loss[] = []
  const isFirst = extent !== null && kept[0]?.sequence === extent.firstSequence
  let from = isFirst ? (kept[0]?.meta[0] ?? 0) : 0
  for (const { meta } of kept) {
    if (meta[0] > from) losses.push({ partition, of: 'rows', from, to: meta[0] })
    from = meta[1]
  }
  const to = Math.max(position, extent?.mark ?? 0)
  if (to > from) losses.push({ partition, of: 'rows', from, to })
  return losses
}

/// Keeps the whole parts. A part can be read only with all those before it in its segment of the roller (they share a
/// dictionary), and must not reach beyond the position.
async function repairParts(
  work: Work,
  partition: number,
  spec: StreamSpec,
  position: number,
  deltasFrom: number,
): Promise<void> {
  const { frames, extent } = salvage(spec)
  const broken = new Set<number>()
  const kept: SavedFrame[] = []
  const dropped: SavedFrame[] = []
  let next = extent?.firstSequence ?? 0
  for (const frame of frames) {
    const segment = frame.meta[3]
    // Whether lost frames before this one were of its segment is not known.
    if (frame.sequence !== next) broken.add(segment)
    if (frame.meta[2] > position) broken.add(segment)
    next = frame.sequence + 1
    if (broken.has(segment)) dropped.push(frame)
    else kept.push(frame)
  }
  const unread = lostFrames(frames, extent)
  if (dropped.length === 0 && unread === 0 && examine(spec) === null) return
  await rewrite(work, spec, Number.POSITIVE_INFINITY, { frames: kept, carry: spec.initialCarry })
  const lost = dropped.filter(({ meta }) => meta[1] < deltasFrom)
  for (const { meta } of lost) {
    work.lost.push({ partition, of: 'rows', from: meta[1], to: Math.min(meta[2], deltasFrom) })
  }
  // What a part that cannot be read covered is not known: all that the deltas do not go back to.
  if (unread > 0 && deltasFrom > 0) work.lost.push({ partition, of: 'rows', from: 0, to: deltasFrom })
  work.done.push(
    `${spec.name}: ${kept.length} parts kept, ${dropped.length + unread} moved aside; their rows from offset ${deltasFrom} on are in the deltas.`,
  )
}

/// How many frames the witness knows of and are not whole.
function lostFrames(frames: readonly SavedFrame[], extent: Extent | null): number {
  const firstSequence = extent?.firstSequence ?? 0
  const nextSequence = Math.max(extent?.nextSequence ?? 0, (frames.at(-1)?.sequence ?? -1) + 1)
  return nextSequence - firstSequence - frames.length
}

async function repairLetters(work: Work, replayed: ReadonlyMap<number, number>): Promise<void> {
  const spec = letterStreamSpec(lettersDirectory(work.directory), true)
  finishMove(spec)
  const found = examine(spec)
  if (found === null && replayed.size === 0) return
  const { frames, extent, carry } = salvage(spec)
  // Letters of records that are rolled again come again.
  const kept = frames.filter(
    ({ meta: [partition, at] }) => at < (replayed.get(partition) ?? Number.POSITIVE_INFINITY),
  )
  const highest = carry.map((value, i) => {
    const position = i % 2 === 1 ? replayed.get(carry[i - 1] ?? -1) : undefined
    return position === undefined ? value : Math.min(value, position - 1)
  })
  await rewrite(work, spec, 16 * MIB, { frames: kept, carry: highest })
  const lost = lostFrames(frames, extent)
  work.done.push(
    `${spec.name}: ${kept.length} letters kept, ${lost} lost, ${frames.length - kept.length} come again.`,
  )
}

/// Writes the stream anew beside its place, moves the old files aside and puts the new ones there.
async function rewrite(work: Work, spec: StreamSpec, segmentBytes: number, what: Rewrite): Promise<void> {
  const fresh = freshPath(spec)
  rmSync(fresh, { recursive: true, force: true })
  mkdirSync(dirname(spec.directory), { recursive: true })
  const stream = new Stream({
    ...spec,
    directory: fresh,
    create: true,
    initialCarry: what.carry,
    clock: work.clock,
    segmentBytes,
    queueBytesMax: 1024 * MIB,
  })
  for (const group of grouped(what.frames)) {
    await stream.append(
      group.map(saved => ({
        payload: readSaved(saved).payload,
        meta: carry => what.meta?.(saved, carry) ?? saved.meta,
        rollBefore: ([last]) => spec.kind === 'parts' && last !== saved.meta[3],
      })),
    )
  }
  await stream.close()
  if (existsSync(spec.directory)) {
    const aside = join(work.aside, relative(work.directory, spec.directory))
    mkdirSync(dirname(aside), { recursive: true })
    renameSync(spec.directory, aside)
  }
  renameSync(fresh, spec.directory)
  syncDirectory(dirname(spec.directory))
}

/// Frames to be written together: some megabytes, or one.
function* grouped(frames: readonly SavedFrame[]): Generator<readonly SavedFrame[]> {
  let group: SavedFrame[] = []
  let bytes = 0
  for (const frame of frames) {
    group.push(frame)
    bytes += frame.payloadBytes
    if (bytes < 4 * MIB) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

const freshPath = (spec: StreamSpec): string => `${spec.directory}.repaired`

/// A repair that was killed between moving the old files and putting the new ones in their place.
function finishMove(spec: StreamSpec): void {
  if (existsSync(freshPath(spec)) && !existsSync(spec.directory)) renameSync(freshPath(spec), spec.directory)
}

const range = ({ from, to }: Loss): string => `offsets ${from} to ${to - 1}`
