/// What this machine keeps of a partition's state, so that a start reads from topic `rolls` only what is new: an
/// embedded state store, and a cursor that says how far the topic was read into it.
///
/// Deltas are written without waiting for the disk, because the topic has them; parts are waited for, because deltas are
/// forgotten once their rows are in parts. Whatever is damaged or does not fit is thrown away and read again.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { epochMs, offset } from '../../core/units.js'
import { DamagedError, UnknownFormatError } from '../../ports/errors.js'
import type { LogGap, Placement } from '../../ports/state-store.js'
import { EmbeddedStateStore, type EmbeddedStateStoreOptions } from '../embedded/state-store.js'

export interface Cursor {
  /// Every record of the topic's partition below this offset is in the store, or adds nothing to it.
  readonly readTo: number
  /// The store's position then.
  readonly coversTo: number
  /// Which state it is (rolls-record.ts).
  readonly state: number
  readonly gaps: readonly LogGap[]
  readonly placement: Placement
}

/// Programs that do not know of states that a backfill wrote must not take the cache of one for that of another.
const VERSION_GROWN = 1
const VERSION_REBUILT = 2

export class RollsCache {
  readonly #directory: string
  readonly store: EmbeddedStateStore
  /// How far the topic was read; null when that is not known.
  readonly cursor: Cursor | null

  private constructor(directory: string, store: EmbeddedStateStore, cursor: Cursor | null) {
    this.#directory = directory
    this.store = store
    this.cursor = cursor
  }

  /// Opens what is there, or begins anew where nobody can tell what that is, or deltas were lost with the machine.
  static async open(options: EmbeddedStateStoreOptions): Promise<RollsCache> {
    const cursor = readCursor(options.directory)
    if (cursor === null) return RollsCache.anew(options)
    let store: EmbeddedStateStore
    try {
      store = openStore(options)
    } catch (error) {
      if (!(error instanceof DamagedError || error instanceof UnknownFormatError)) throw error
      return RollsCache.anew(options)
    }
    if (store.position() >= cursor.coversTo) return new RollsCache(options.directory, store, cursor)
    await store.close()
    return RollsCache.anew(options)
  }

  /// An empty one, whatever is there.
  static anew(options: EmbeddedStateStoreOptions): RollsCache {
    rmSync(options.directory, { recursive: true, force: true })
    return new RollsCache(options.directory, openStore(options), null)
  }

  /// Call after everything below `readTo` is in the store.
  note(cursor: Cursor): void {
    const path = cursorPath(this.#directory)
    const { placement, ...rest } = cursor
    const version = cursor.state === 0 ? VERSION_GROWN : VERSION_REBUILT
    writeFileSync(`${path}.new`, JSON.stringify({ version, ...rest, ...placement }))
    renameSync(`${path}.new`, path)
  }

  async discard(): Promise<void> {
    await this.store.close().catch(() => {})
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

const cursorPath = (directory: string): string => join(directory, 'cursor.json')

/// Where one of the streams is there the other one must be, too.
function openStore(options: EmbeddedStateStoreOptions): EmbeddedStateStore {
  const create = !['deltas', 'parts'].some(stream => existsSync(join(options.directory, stream)))
  return new EmbeddedStateStore({ ...options, create })
}

/// Null for whatever is no cursor: it is a hint.
function readCursor(directory: string): Cursor | null {
  try {
    const text = readFileSync(cursorPath(directory), 'utf8')
    const read: Readonly<Record<string, unknown>> = JSON.parse(text)
    const { version, readTo, coversTo, gaps } = read
    if (version !== VERSION_GROWN && version !== VERSION_REBUILT) return null
    if (!Number.isSafeInteger(readTo) || !Number.isSafeInteger(coversTo)) return null
    if (!Array.isArray(gaps)) return null
    const placement = { carried: countOf(read.carried), settled: countOf(read.settled) }
    const [to, covers, state] = [Number(readTo), Number(coversTo), countOf(read.state)]
    return { readTo: to, coversTo: covers, state, gaps: gaps.map(gapOf), placement }
  } catch {
    return null
  }
}

const countOf = (value: unknown): number => (Number.isSafeInteger(value) ? Number(value) : 0)

function gapOf(value: unknown): LogGap {
  const number = (name: string): number => Number(Reflect.get(Object(value), name))
  return { from: offset(number('from')), to: offset(number('to')), until: epochMs(number('until')) }
}
