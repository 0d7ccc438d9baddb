#!/usr/bin/env node
/// The entry of the program: makes the system's clock and streams, and hands over to the command line.

import { SystemClock } from './adapters/system/clock.js'
import { keys } from './commands/keys.js'
import { runProgram } from './commands/program.js'
import { repair } from './commands/repair.js'
import { start } from './commands/start.js'
import { Interrupter } from './roles/interrupter.js'

// A reader that went away (`volumer replay … | head`) ends the program, not with an error.
process.stdout.on('error', error => {
  if ('code' in error && error.code === 'EPIPE') process.exit(0)
  throw error
})

/// Aborts with the first SIGINT or SIGTERM; the second one ends the process.
function interruption(): AbortSignal {
  const controller = new AbortController()
  const interrupter = new Interrupter(process, () => process.exit(130))
  void interrupter.interrupted.then(() => controller.abort())
  return controller.signal
}

const clock = new SystemClock()
process.exitCode = await runProgram(
  process.argv.slice(2),
  {
    start: (resolved, context) => start(resolved, context, process),
    repair,
    keys,
    // Brings its database along, which other commands need not load.
    exportParquet: async (options, context) =>
      (await import('./commands/export.js')).exportParquet(options, context),
    backfill: async (options, context) => (await import('./commands/backfill.js')).backfill(options, context),
    interruption,
  },
  { clock, stdout: process.stdout, stderr: process.stderr },
)
