/// How a command ends: the exit code, and the one message that says what happened, what is safe and what to do.

import { CommanderError } from 'commander'
import { ConfigError } from '../config.js'
import {
  DamagedError,
  LockedError,
  PortError,
  SettingsMismatchError,
  StorageFullError,
  UnfinishedStateError,
  UnknownFormatError,
} from '../ports/errors.js'

export const EXIT = {
  /// The command did what was asked.
  done: 0,
  /// It could not: no server, no such token, no such file, the port is taken.
  failed: 1,
  /// Wrong usage or configuration; nothing was done.
  usage: 2,
  /// Another process holds the data directory.
  locked: 3,
  /// Stored data is damaged or of an unknown version.
  damaged: 4,
  /// A fault stopped the process while it ran.
  fault: 5,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODES_HELP = `
Exit codes: 0 done · 1 failed (no server, no such token or file, port taken) · 2 wrong usage or configuration
            3 data directory locked · 4 data damaged · 5 a fault stopped the process`

/// A command that could not do what was asked, said in words for the user.
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

export interface Failure {
  readonly exitCode: ExitCode
  readonly message: string
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '')

const ACKNOWLEDGED = 'Every acknowledged swap is durable in the trade log.'

/// `unexpected` is the exit code for errors that are nobody's usage and no known condition.
export function failureOf(error: unknown, unexpected: ExitCode = EXIT.failed): Failure {
  if (!(error instanceof Error)) return { exitCode: unexpected, message: String(error) }
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message }
  if (error instanceof ConfigError) {
    return {
      exitCode: EXIT.usage,
      message: `${error.message}\nNothing was started. \`volumer config --help\` lists all keys.`,
    }
  }
  // Commander has already printed its message; help and version are no errors.
  if (error instanceof CommanderError)
    return { exitCode: error.exitCode === 0 ? EXIT.done : EXIT.usage, message: '' }
  if (error instanceof SettingsMismatchError) return { exitCode: EXIT.usage, message: error.message }
  if (error instanceof LockedError) return { exitCode: EXIT.locked, message: error.message }
  if (error instanceof DamagedError) {
    return {
      exitCode: EXIT.damaged,
      message: `${error.message}\nNothing was changed, and no statistics were served from it.\n${error.wayOut}`,
    }
  }
  if (error instanceof UnfinishedStateError) return { exitCode: EXIT.damaged, message: error.message }
  if (error instanceof UnknownFormatError) {
    return {
      exitCode: EXIT.damaged,
      message: `${error.message}\nNothing was changed. Start the version of volumer that wrote it, or choose another --data directory.`,
    }
  }
  if (error instanceof StorageFullError) {
    return {
      exitCode: EXIT.fault,
      message: `${error.message}\n${ACKNOWLEDGED} Make room on the disk and start again.`,
    }
  }
  if (error instanceof PortError) return { exitCode: unexpected, message: `${error.message} (${error.code})` }
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return {
        exitCode: EXIT.failed,
        message: `${error.message}\nAnother program listens there. Stop it, or choose another --port (0 takes any free one).`,
      }
    case 'EACCES':
    case 'EPERM':
      return {
        exitCode: EXIT.failed,
        message: `${error.message}\nChoose a place or port that this user may use.`,
      }
    case 'E_INVARIANT':
      return {
        exitCode: EXIT.fault,
        message:
          `${error.message}\nThis is a bug, and going on could serve wrong numbers, so the process stops. ${ACKNOWLEDGED}\n` +
          'Start again; if it comes back, report it with the output of VOLUMER_DEBUG=1.',
      }
    default:
      return { exitCode: unexpected, message: error.message }
  }
}

/// Prints the message, with the stack trace when `debug`.
export function report(
  error: unknown,
  failure: Failure,
  debug: boolean,
  write: (text: string) => unknown,
): void {
  if (failure.message !== '') write(`volumer: ${failure.message}\n`)
  if (!debug) return
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    write(`${cause.stack ?? ''}\n`)
}
