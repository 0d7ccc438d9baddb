/// PostgreSQL's errors, and those of the connection to it, as the port's.

import { DatabaseError } from 'pg'
import {
  PortError,
  PositionMovedError,
  SettingsMismatchError,
  StorageFullError,
  UnavailableError,
} from '../../ports/errors.js'

/// By SQLSTATE, whole or its class: what passes without anybody mending the archive.
const PASSING: readonly string[] = [
  '08', // the connection failed
  '40', // a serialization failure or a deadlock: the transaction was undone
  '53', // too little of something on the server
  '55P03', // a lock was not to be had in time
  '57', // the server shuts down, starts, or cancelled the statement
  '58030', // the server's disk failed a call
]

/// What somebody has to mend: no such user or password, no such database, no right to it.
const REFUSED: readonly string[] = ['28', '3D', '42501']

const NO_ROOM = '53100'

/// Messages of pg itself, which have no code.
const LOST =
  /Connection terminated|timeout|Client has encountered a connection error|Client was closed|not queryable|Cannot use a pool after|socket/i

export function portError(error: unknown): unknown {
  if (error instanceof PortError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isFirst = error instanceof DatabaseError && error.constraint === 'positions_pkey'
  if (isFirst) return new PositionMovedError('Another process has begun to archive this partition')
  if (error instanceof DatabaseError && REFUSED.some(prefix => code.startsWith(prefix))) {
    return new SettingsMismatchError(
      `The archive's PostgreSQL refuses: ${message}\nMend the database or --archive; with --archive none everything else works without it. ` +
        'What is in the trade log is archived then.',
    )
  }
  if (code === NO_ROOM) return new StorageFullError(`The archive's PostgreSQL found no room: ${message}`)
  const passes =
    error instanceof DatabaseError
      ? PASSING.some(prefix => code.startsWith(prefix))
      : /^E[A-Z]+$/.test(code) || LOST.test(message)
  return passes ? new UnavailableError(`The archive's PostgreSQL is away: ${message}`) : error
}
