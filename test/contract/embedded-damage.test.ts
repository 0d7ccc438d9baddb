/// Damaged files: whatever is done to them, opening and reading either gives exactly what was acknowledged or fails
/// with one of the named errors. Never fewer records, never others, never another error.
import assert from 'node:assert/strict'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { offset } from '../../src/core/units.js'
import { PortError } from '../../src/ports/errors.js'
import { type Random, randomness } from '../random/randomness.js'
import { append } from './append.js'
import { content, fromHttp, fromLog } from './dead-letters.js'
import { contentOfLog, contentOfState, openLetters, openLog, openState } from './embedded-stores.js'
import { memoryScratchDirectory } from './scratch.js'
import { delta, part } from './state-store.js'
import { lines } from './trade-log.js'

const NAMED = ['E_DAMAGED', 'E_UNKNOWN_FORMAT']

interface Subject {
  readonly name: string
  /// Fills a new directory; the returned function closes it.
  readonly build: (directory: string) => Promise<() => Promise<void>>
  readonly content: (directory: string) => Promise<unknown>
}

const log: Subject = {
  name: 'trade log',
  build: async directory => {
    const log = openLog(directory)
    for (let i = 0; i < 60; i++) await append(log, 0, lines(i * 7, 7), 7)
    return () => log.close()
  },
  content: async directory => {
    const log = openLog(directory, { create: false })
    try {
      return await contentOfLog(log)
    } finally {
      await log.close()
    }
  },
}

const shortenedLog: Subject = {
  ...log,
  name: 'trade log that has dropped its beginning',
  build: async directory => {
    const log = openLog(directory, { sizeBytesMax: 8000 })
    for (let i = 0; i < 60; i++) {
      await append(log, 0, lines(i * 7, 7), 7)
      log.release(0, offset(i * 7))
    }
    return () => log.close()
  },
}

const state: Subject = {
  name: 'state',
  build: async directory => {
    const store = openState(directory)
    for (let i = 0; i < 40; i++) {
      await store.appendDelta(delta(i * 10, i * 10 + 10))
      await store.appendParts([part(Math.floor(i / 8), i % 5, i * 10), part(Math.floor(i / 8), i, i * 10)])
    }
    return () => store.close()
  },
  content: async directory => {
    const store = openState(directory)
    try {
      return await contentOfState(store)
    } finally {
      await store.close()
    }
  },
}

const letters: Subject = {
  name: 'dead letters',
  build: async directory => {
    const store = openLetters(directory)
    for (let i = 0; i < 80; i++) await store.append([fromLog(i % 2, i), fromHttp(i)])
    return () => store.close()
  },
  content: async directory => {
    const store = openLetters(directory, false)
    try {
      return { counts: store.counts(), letters: await content(store) }
    } finally {
      await store.close()
    }
  },
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(name =>
    statSync(join(directory, name)).isFile(),
  )

interface Trial {
  readonly directory: string
  readonly subject: Subject
  readonly files: readonly string[]
  /// Does `harm` to a fresh copy and judges the outcome; returns it.
  readonly try: (what: string, harm: (copy: string) => void) => Promise<'equal' | string>
}

/// The files as a process that is killed leaves them: not closed, the witness's slots one commit apart.
async function buildKilled(subject: Subject, scratch: string): Promise<string> {
  const close = await subject.build(join(scratch, 'open'))
  const directory = join(scratch, 'whole')
  cpSync(join(scratch, 'open'), directory, { recursive: true })
  await close()
  return directory
}

async function trial(t: TestContext, subject: Subject): Promise<Trial> {
  const scratch = memoryScratchDirectory(t)
  const directory = await buildKilled(subject, scratch)
  const whole = join(scratch, 'copy')
  cpSync(directory, whole, { recursive: true })
  const expected = await subject.content(whole)
  const files = filesBelow(directory)
  assert.ok(files.length > 5, 'several files are there to be harmed')
  return {
    directory,
    subject,
    files,
    try: async (what, harm) => {
      const copy = join(scratch, 'copy')
      rmSync(copy, { recursive: true, force: true })
      cpSync(directory, copy, { recursive: true })
      harm(copy)
      try {
        assert.deepEqual(await subject.content(copy), expected, what)
        return 'equal'
      } catch (error) {
        if (!(error instanceof PortError)) throw error
        assert.ok(NAMED.includes(error.code), `${what}: ${error.code} ${error.message}`)
        assert.match(error.message, /[/\\]/, 'the message names the file')
        return error.code
      }
    },
  }
}

function tally(t: TestContext, outcomes: readonly string[]): void {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  t.diagnostic([...counts].map(([outcome, n]) => `${outcome} ${n}`).join(', '))
}

/// A position of the file: its beginning and end more often than chance would take them.
function somewhere(random: Random, bytes: number): number {
  const near = random.below(Math.min(80, bytes))
  return [random.below(bytes), random.below(bytes), near, bytes - 1 - near][random.below(4)] ?? 0
}

const ROUNDS = 150

for (const subject of [log, shortenedLog, state, letters]) {
  test(`${subject.name}: a flipped bit anywhere is found or without consequence`, async t => {
    const random = randomness(t.name)
    const { directory, files, try: attempt } = await trial(t, subject)
    const outcomes = []
    for (let round = 0; round < ROUNDS; round++) {
      const file = files[round % files.length] ?? ''
      const at = somewhere(random, statSync(join(directory, file)).size)
      const bit = random.below(8)
      outcomes.push(
        await attempt(`${file}, byte ${at}, bit ${bit}`, copy => {
          const bytes = readFileSync(join(copy, file))
          bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
          writeFileSync(join(copy, file), bytes)
        }),
      )
    }
    assert.ok(outcomes.includes('E_DAMAGED'))
    tally(t, outcomes)
  })

  test(`${subject.name}: a file cut short anywhere is found or without consequence`, async t => {
    const random = randomness(t.name)
    const { directory, files, try: attempt } = await trial(t, subject)
    const outcomes = []
    for (let round = 0; round < ROUNDS; round++) {
      const file = files[round % files.length] ?? ''
      const to = somewhere(random, statSync(join(directory, file)).size)
      const outcome = await attempt(`${file} cut to ${to}`, copy => truncateSync(join(copy, file), to))
      assert.ok(outcome !== 'equal' || basename(file) === 'witness', `${file} cut to ${to} must be noticed`)
      outcomes.push(outcome)
    }
    tally(t, outcomes)
  })

  test(`${subject.name}: a stretch of zeros or garbage is found or without consequence`, async t => {
    const random = randomness(t.name)
    const { directory, files, try: attempt } = await trial(t, subject)
    const outcomes = []
    for (let round = 0; round < ROUNDS; round++) {
      const file = files[round % files.length] ?? ''
      const at = somewhere(random, statSync(join(directory, file)).size)
      const length = 1 + random.below(700)
      const garbage = random.below(2) === 1
      outcomes.push(
        await attempt(`${file}, ${length} bytes of ${garbage ? 'garbage' : 'zeros'} at ${at}`, copy => {
          const bytes = readFileSync(join(copy, file))
          for (let i = at; i < Math.min(at + length, bytes.length); i++) {
            bytes[i] = garbage ? random.below(256) : 0
          }
          writeFileSync(join(copy, file), bytes)
        }),
      )
    }
    tally(t, outcomes)
  })

  test(`${subject.name}: a missing file is found, each of them`, async t => {
    const { files, try: attempt } = await trial(t, subject)
    for (const file of files) {
      const outcome = await attempt(`${file} removed`, copy => rmSync(join(copy, file)))
      assert.equal(outcome, 'E_DAMAGED', file)
    }
  })

  test(`${subject.name}: a file in the place of another is found, each pair of neighbours`, async t => {
    const { files, try: attempt } = await trial(t, subject)
    const segments = files.filter(file => file.endsWith('.segment')).sort()
    for (const [i, file] of segments.entries()) {
      const other = segments[i + 1]
      if (other === undefined) continue
      const copied = await attempt(`${other} over ${file}`, copy => {
        copyFileSync(join(copy, other), join(copy, file))
      })
      assert.equal(copied, 'E_DAMAGED', file)
      const swapped = await attempt(`${other} and ${file} swapped`, copy => {
        renameSync(join(copy, file), join(copy, 'x'))
        renameSync(join(copy, other), join(copy, file))
        renameSync(join(copy, 'x'), join(copy, other))
      })
      assert.equal(swapped, 'E_DAMAGED', file)
    }
  })

  test(`${subject.name}: what a torn write leaves beyond the end is cut off`, async t => {
    const random = randomness(t.name)
    const { directory, files, try: attempt } = await trial(t, subject)
    const segments = files.filter(file => file.endsWith('.segment')).sort()
    for (let round = 0; round < 40; round++) {
      const file = segments[round % segments.length] ?? ''
      const isLast = !segments.some(other => other > file && join(other, '..') === join(file, '..'))
      // Zeros, garbage, or the beginning of a real frame.
      const real = readFileSync(join(directory, file)).subarray(72)
      const length = 1 + random.below(400)
      const tail = [
        Buffer.alloc(length),
        Buffer.from(Array.from({ length }, () => random.below(256))),
        real.subarray(0, length),
      ]
      const outcome = await attempt(`${length} bytes after ${file}`, copy => {
        appendFileSync(join(copy, file), tail[round % 3] ?? '')
      })
      assert.equal(outcome, isLast ? 'equal' : 'E_DAMAGED', file)
    }
  })

  test(`${subject.name}: a newer format version is refused by name`, async t => {
    const { files, try: attempt } = await trial(t, subject)
    const { crc32 } = await import('node:zlib')
    for (const file of files) {
      const outcome = await attempt(`${file} of version 2`, copy => {
        const bytes = readFileSync(join(copy, file))
        bytes.writeUInt16LE(2, 8)
        bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12)
        writeFileSync(join(copy, file), bytes)
      })
      assert.equal(outcome, 'E_UNKNOWN_FORMAT', file)
    }
  })

  test(`${subject.name}: either slot of a witness may be lost, nothing else is`, async t => {
    const { files, try: attempt } = await trial(t, subject)
    for (const file of files.filter(name => basename(name) === 'witness')) {
      for (const slot of [512, 1024]) {
        const outcome = await attempt(`${file} without the slot at ${slot}`, copy => {
          const bytes = readFileSync(join(copy, file))
          bytes.fill(0, slot, slot + 68)
          writeFileSync(join(copy, file), bytes)
        })
        assert.equal(outcome, 'equal')
      }
    }
  })
}
