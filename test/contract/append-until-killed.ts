/// A process that appends to the log and the state of a directory until it is killed. Each acknowledgement is a line
/// on stdout, written before anything else happens: `log END` or `delta COVERS_TO` or `part SEGMENT`.
///   node append-until-killed.js DIRECTORY
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { offset } from '../../src/core/units.js'
import { append } from './append.js'
import { openLog, openState } from './embedded-stores.js'
import { delta, part } from './state-store.js'
import { lines } from './trade-log.js'

const directory = process.argv[2] ?? ''

/// A pipe that is full because its reader is slow refuses; the line must be out before anything else happens.
function say(text: string): void {
  for (;;) {
    try {
      writeSync(1, `${text}\n`)
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

async function appendToLog(): Promise<void> {
  const log = openLog(join(directory, 'log'), {
    clock: new SystemClock(),
    segmentBytes: 20_000,
    sizeBytesMax: 200_000,
  })
  let next: number = log.bounds(0).end
  const one = async () => {
    for (;;) {
      const count = 1 + (next % 40)
      const first = next
      next += count
      const appended = await append(log, 0, lines(first, count), count)
      say(`log ${appended.firstOffset + count}`)
      log.release(0, offset(Math.max(0, appended.firstOffset - 5000)))
    }
  }
  await Promise.all([one(), one(), one()])
}

async function appendToState(): Promise<void> {
  const store = openState(join(directory, 'state'))
  let position: number = store.position()
  let segment = [...store.parts()].at(-1)?.segment ?? 0
  for (let i = 0; ; i++) {
    await store.appendDelta(delta(position, position + 10))
    position += 10
    say(`delta ${position}`)
    if (i % 3 !== 0) continue
    segment++
    await store.appendParts([part(segment, segment, segment), part(segment, segment + 1, segment)])
    say(`part ${segment}`)
    await store.forget({
      partsBelowBlock: segment - 50,
      deltas: {
        coveredBelow: offset(position - 2000),
        logTimeBefore: delta(0, position).logTime,
        blockBelow: 2 ** 40,
      },
    })
  }
}

await Promise.all([appendToLog(), appendToState()])
