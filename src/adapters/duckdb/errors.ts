/// DuckDB's errors as the port's. DuckDB has no codes: the kind of an error is the beginning of its message.

import {
  DamagedError,
  LockedError,
  PortError,
  StorageFullError,
  UnavailableError,
  UnknownFormatError,
} from '../../ports/errors.js'

const NO_ROOM = /No space left on device|Disk quota exceeded|File too large|max_temp_directory_size/i
const NO_MEMORY = /^Out of Memory Error/i
const LOCKED = /Could not set lock on file|already open|Conflicting lock/i
const NEWER =
  /storage version|newer version of DuckDB|older version of DuckDB|storage was written with|serialization version/i
const DAMAGED =
  /Corrupt|checksum|not a valid DuckDB database file|Serialization Error|Failure while replaying WAL|WAL|Could not read enough bytes|tried to read/i

/// True after an error that makes DuckDB refuse everything more until the file is opened again.
export function isFatal(error: unknown): boolean {
  return /FATAL|has been invalidated|must be restarted/i.test(messageOf(error))
}

export function portError(error: unknown, path: string): unknown {
  if (error instanceof PortError) return error
  const message = messageOf(error)
  const [line = ''] = message.split('\n')
  if (NO_ROOM.test(message)) return new StorageFullError(`The archive ${path} found no room: ${line}`)
  // It holds up the archive alone, and no less after a restart: what is in the trade log waits.
  if (NO_MEMORY.test(message)) return new UnavailableError(`The archive ${path} found no memory: ${line}`)
  if (LOCKED.test(message)) return new LockedError(`The archive ${path} is open in another process: ${line}`)
  if (NEWER.test(message)) return new UnknownFormatError(`${path}: ${line}`)
  if (!isFatal(error) && DAMAGED.test(message)) {
    return new DamagedError(
      `The archive ${path} is damaged: ${line}`,
      `The trade log and the state are not affected. Move ${path} away, and its .wal file with it: the next start begins a new archive from what the trade log still holds.`,
    )
  }
  return error
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
