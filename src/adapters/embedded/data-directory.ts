/// The data directory of the embedded adapters:
///
///   FORMAT                version, partitions, resolution (format-file.ts)
///   log/PARTITION/        the trade log          (docs/formats/log.md)
///   state/PARTITION/      deltas/ and parts/     (docs/formats/state-files.md)
///   dead-letters/         what was not taken     (docs/formats/dead-letters.md)
///   backfill/             state that is being built from the archive (backfill-directory.ts)
///   lock-PID-NONCE        the lock, a socket     (lock.ts)
///   damaged-TIME/         what `repair` moved aside (repair.ts)

import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '../../ports/clock.js'
import { DamagedError } from '../../ports/errors.js'
import { finishBackfill, readReady } from './backfill-directory.js'
import { EmbeddedDeadLetters } from './dead-letters.js'
import { checkSettings, type DirectorySettings, formatPath, readFormat, writeFormat } from './format-file.js'
import { lockDirectory } from './lock.js'
import { EmbeddedStateStore } from './state-store.js'
import { syncDirectory } from './stream-open.js'
import { EmbeddedTradeLog } from './trade-log.js'
import { REPAIR } from './way-out.js'

export const logDirectory = (directory: string): string => join(directory, 'log')
export const lettersDirectory = (directory: string): string => join(directory, 'dead-letters')
export const stateDirectory = (directory: string, partition: number): string =>
  join(directory, 'state', String(partition))

export interface EmbeddedStoresOptions extends DirectorySettings {
  readonly directory: string
  readonly clock: Clock
  /// Bound of the log's size once released (trade-log.ts).
  readonly logSizeBytesMax?: number
  /// Bound of the dead letters' size.
  readonly deadLettersSizeBytesMax?: number
}

export interface EmbeddedStores {
  readonly log: EmbeddedTradeLog
  /// One for each partition.
  readonly states: readonly EmbeddedStateStore[]
  readonly deadLetters: EmbeddedDeadLetters
  sizeBytes(): number
  /// Closes the stores and lets others have the directory.
  close(): Promise<void>
}

/// Opens everything in the directory, and creates it when it is not there. Rejects with LockedError,
/// SettingsMismatchError, UnknownFormatError or DamagedError, and with the file system's errors.
export async function openEmbeddedStores(options: EmbeddedStoresOptions): Promise<EmbeddedStores> {
  const { directory, clock } = options
  mkdirSync(directory, { recursive: true })
  const lock = await lockDirectory(directory, clock)
  const opened: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const store of opened) await store.close()
    await lock.release()
  }
  try {
    return openLocked(options, opened, close)
  } catch (error) {
    await close()
    throw error
  }
}

function openLocked(
  options: EmbeddedStoresOptions,
  opened: { close(): Promise<void> }[],
  close: () => Promise<void>,
): EmbeddedStores {
  const { directory, clock, partitions, logSizeBytesMax, deadLettersSizeBytesMax } = options
  const format = readFormat(directory)
  if (format !== null) checkSettings(directory, format, options)
  const create = format === null
  const begins = create ? readReady(directory) : null
  if (!create) finishBackfill(directory, stateDirectory(directory, 0))
  const keep = <T extends { close(): Promise<void> }>(store: T): T => {
    opened.push(store)
    return store
  }
  const log = keep(
    new EmbeddedTradeLog({
      directory: logDirectory(directory),
      clock,
      partitions,
      create,
      ...(begins === null ? {} : { begins }),
      ...(logSizeBytesMax === undefined ? {} : { sizeBytesMax: logSizeBytesMax }),
    }),
  )
  const deadLetters = keep(
    new EmbeddedDeadLetters({
      directory: lettersDirectory(directory),
      clock,
      create,
      ...(deadLettersSizeBytesMax === undefined ? {} : { sizeBytesMax: deadLettersSizeBytesMax }),
    }),
  )
  if (begins !== null) {
    // A state without a log: the log begins where the state ends.
    checkEmpty(directory, { log, states: [], deadLetters })
    writeFormat(directory, options)
    finishBackfill(directory, stateDirectory(directory, 0))
  }
  const states = Array.from({ length: partitions }, (_, partition) =>
    keep(
      new EmbeddedStateStore({ directory: stateDirectory(directory, partition), partition, clock, create }),
    ),
  )
  const stores = {
    log,
    states,
    deadLetters,
    sizeBytes: () =>
      log.sizeBytes() + deadLetters.sizeBytes() + states.reduce((sum, state) => sum + state.sizeBytes(), 0),
    close,
  }
  if (create && begins === null) {
    checkEmpty(directory, stores)
    syncDirectory(join(directory, 'state'))
    writeFormat(directory, options)
  }
  if (create) syncDirectory(dirname(resolve(directory)))
  checkPositions(directory, stores)
  return stores
}

/// Data without a FORMAT file have lost it.
function checkEmpty(
  directory: string,
  { log, states, deadLetters }: Pick<EmbeddedStores, 'log' | 'states' | 'deadLetters'>,
): void {
  const hasRecords = (partition: number) => log.bounds(partition).first < log.bounds(partition).end
  const hasData =
    states.some((state, partition) => state.position() > 0 || hasRecords(partition)) ||
    deadLetters.counts().stored > 0 ||
    existsSync(join(logDirectory(directory), String(log.partitions)))
  if (!hasData) return
  throw new DamagedError(
    `${formatPath(directory)} is missing, but there are data. All of them may be whole.`,
    REPAIR,
  )
}

/// Reading the log resumes where the state ends, so the log must reach there.
function checkPositions(directory: string, { log, states }: EmbeddedStores): void {
  for (const [partition, state] of states.entries()) {
    const { first, end } = log.bounds(partition)
    const position = state.position()
    if (first <= position && position <= end) continue
    throw new DamagedError(
      `${directory}: the state of partition ${partition} ends at offset ${position}, but the trade log holds ${first} to ${end}.`,
      REPAIR,
    )
  }
}
