/// State that is being built from the archive lies in the data directory beside the state that is in use, and takes its
/// place in one step:
///
///   backfill/PLAN      what is being built, in the words of whoever builds it, and the CRC-32 of that
///   backfill/state/    the new state of partition 0
///   backfill/READY     the new state is whole: it may take the place of the old one
///   backfill/replaced/ the old one, on its way out
///
/// READY decides. Without it the directory is as it was, and building may go on; with it the next one to open the directory
/// (`finishBackfill`) does what is left to do, from wherever a crash stopped it.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type EpochMs, epochMs, type Offset, offset } from '../../core/units.js'
import { syncDirectory } from './stream-open.js'

/// Where a log that is not there yet begins: the state that takes its place reaches to here.
export interface LogBeginning {
  readonly offset: Offset
  readonly logTime: EpochMs
}

const backfillDirectory = (directory: string): string => join(directory, 'backfill')
export const newStateDirectory = (directory: string): string => join(backfillDirectory(directory), 'state')
const planPath = (directory: string): string => join(backfillDirectory(directory), 'PLAN')
const readyPath = (directory: string): string => join(backfillDirectory(directory), 'READY')

const checked = (text: string): string => `${text}\n${crc32(text).toString(16).padStart(8, '0')}\n`

function writeChecked(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, checked(text), { flush: true })
  renameSync(`${path}.new`, path)
  syncDirectory(dirname(path))
}

/// Null where the file is not there or not whole: then it was not written to the end.
function readChecked(path: string): string | null {
  if (!existsSync(path)) return null
  const [text = ''] = readFileSync(path, 'utf8').split('\n')
  return readFileSync(path, 'utf8') === checked(text) ? text : null
}

/// The plan of a building that was interrupted; null where there is none.
export function readPlan(directory: string): string | null {
  return readChecked(planPath(directory))
}

/// Begins to build anew by this plan, a text of one line.
export function beginPlan(directory: string, plan: string): void {
  rmSync(backfillDirectory(directory), { recursive: true, force: true })
  writeChecked(planPath(directory), plan)
  syncDirectory(directory)
}

/// The new state is whole.
export function markReady(directory: string, { offset: at, logTime }: LogBeginning): void {
  writeChecked(readyPath(directory), JSON.stringify({ offset: at, logTime }))
}

/// Where the log begins that a state which is ready goes on with; null without one.
export function readReady(directory: string): LogBeginning | null {
  const text = readChecked(readyPath(directory))
  if (text === null) return null
  const { offset: at, logTime }: { offset: number; logTime: number } = JSON.parse(text)
  return { offset: offset(at), logTime: epochMs(logTime) }
}

/// Puts the new state in `place`, that of the old one, if it is ready. Safe to repeat after a crash at any point.
export function finishBackfill(directory: string, place: string): void {
  if (readReady(directory) === null) return
  const replaced = join(backfillDirectory(directory), 'replaced')
  const fresh = newStateDirectory(directory)
  if (existsSync(fresh)) {
    if (existsSync(place)) {
      rmSync(replaced, { recursive: true, force: true })
      renameSync(place, replaced)
    }
    mkdirSync(dirname(place), { recursive: true })
    renameSync(fresh, place)
    for (const each of [dirname(place), backfillDirectory(directory)]) syncDirectory(each)
  }
  rmSync(readyPath(directory))
  syncDirectory(backfillDirectory(directory))
  rmSync(backfillDirectory(directory), { recursive: true, force: true })
  syncDirectory(directory)
}
