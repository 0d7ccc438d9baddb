/// `volumer repair`: makes a data directory that opens again of one that does not, and says what is lost. Damaged
/// files are moved aside, never deleted.

import { existsSync } from 'node:fs'
import { type Loss, repair as repairDirectory } from '../adapters/embedded/repair.js'
import type { Config } from '../config.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT, type ExitCode } from './failure.js'

/// Returns `damaged` when something is lost for good, else `done`.
export async function repair(config: Config, { clock, stdout }: CommandContext): Promise<ExitCode> {
  const { data: directory, resolutionMs } = config
  if (!existsSync(directory)) throw new CommandError(`${directory}: there is no such data directory`)
  const { movedTo, done, lost } = await repairDirectory({ directory, clock, resolutionMs })
  for (const sentence of done) stdout.write(`${sentence}\n`)
  if (movedTo === null) {
    stdout.write(`${directory} is whole; nothing was changed.\n`)
    return EXIT.done
  }
  stdout.write(`The damaged files are in ${movedTo}; they may be deleted once nothing in them is wanted.\n`)
  if (lost.length === 0) stdout.write('Nothing is lost. Start again.\n')
  for (const loss of lost) stdout.write(`${lossText(loss)}\n`)
  return lost.length === 0 ? EXIT.done : EXIT.damaged
}

export function lossText({ partition, of, from, to }: Loss): string {
  const count = (to - from).toLocaleString('en')
  const where = `partition ${partition}, offsets ${from} to ${to - 1}`
  return of === 'records'
    ? `LOST: ${count} acknowledged swaps that no window will count (${where}). Send them again: ids make the others count once.`
    : `LOST: ${count} swaps that were counted are missing from the windows that reach back to them (${where}).`
}
