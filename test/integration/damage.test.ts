/// Damaged files: bit flips, truncation, zeroed pages and missing files, in a data directory that a kill left behind.
/// The start either serves exactly what was acknowledged, or refuses with a message that names the way out. It never
/// serves wrong numbers.

import assert from 'node:assert/strict'
import {
  closeSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Random, testSeed } from '../simulation/random.js'
import { load, serves, servesAtOnce, settle } from './client.js'
import { Ledger } from './ledger.js'
import { Server } from './server.js'

const TRIALS = Number(process.env.VOLUMER_DAMAGE_TRIALS ?? 24)
const FLAGS = ['--checkpoint-interval', '200ms', '--hot-range', '5m']

test(`${TRIALS} kinds of damage are refused or do no harm`, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const ledger = new Ledger(random)
  const folder = mkdtempSync(join(tmpdir(), 'volumer-damage-'))
  const whole = join(folder, 'whole')
  const servers: Server[] = []
  const start = async (data: string): Promise<Server> => {
    const server = await Server.start(data, FLAGS)
    servers.push(server)
    return server
  }
  t.after(async () => {
    await Promise.all(servers.map(server => server.kill()))
    rmSync(folder, { recursive: true, force: true })
  })

  mkdirSync(whole)
  const server = await start(whole)
  assert.ok(await server.ready(), server.output)
  const enough = new AbortController()
  const working = load(server, ledger, random, enough.signal)
  await pause(2500)
  enough.abort()
  await working
  await settle(server, ledger)
  await serves(server, ledger)
  await server.kill()

  let refused = 0
  for (let trial = 0; trial < TRIALS; trial++) {
    const data = join(folder, `trial-${trial}`)
    // The killed process's lock is a socket: it cannot be copied and holds nothing.
    cpSync(whole, data, { recursive: true, filter: source => !lstatSync(source).isSocket() })
    const what = [damage(data, random)]
    if (random.chance(0.25)) what.push(damage(data, random))
    const hurt = await start(data)
    if (await hurt.ready()) {
      await servesAtOnce(hurt, ledger).catch(error => {
        throw new Error(
          `WRONG NUMBERS after ${what.join(' and ')}: ${error instanceof Error ? error.message : error}`,
        )
      })
    } else {
      refused++
      const { code, signal } = await hurt.exited
      assert.ok(
        signal === null && code !== null && code > 0,
        `${what.join(' and ')}: ended by ${signal ?? code}`,
      )
      assert.ok(isClear(hurt.output), `${what.join(' and ')}: the refusal is not clear:\n${hurt.output}`)
    }
    await hurt.kill()
    rmSync(data, { recursive: true, force: true })
  }
  t.diagnostic(
    `${ledger.acknowledgedSwaps} swaps; ${refused} of ${TRIALS} damaged copies refused, the rest exact`,
  )

  // The undamaged directory still serves.
  const last = await start(whole)
  assert.ok(await last.ready(), last.output)
  await servesAtOnce(last, ledger)
})

/// A refusal says what is wrong and what to do; it is not a stack trace.
function isClear(output: string): boolean {
  return (
    /damage|checksum|missing|corrupt|unknown version/i.test(output) && !/^\s+at .+:\d+:\d+\)?$/m.test(output)
  )
}

/// Damages one file of the directory and says what it did.
function damage(data: string, random: Random): string {
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => statSync(path).size > 0)
    .sort()
  const path = random.pick(files)
  const size = statSync(path).size
  const name = path.slice(data.length + 1)
  switch (random.below(6)) {
    case 0:
    case 1: {
      const at = random.below(size)
      overwrite(path, at, bytes => bytes.map(byte => byte ^ (1 << random.below(8))), 1)
      return `a flipped bit of byte ${at} of ${name} (${size} bytes)`
    }
    case 2: {
      const kept = random.below(size)
      truncateSync(path, kept)
      return `truncation of ${name} from ${size} to ${kept} bytes`
    }
    case 3: {
      const kept = Math.max(0, size - random.between(1, 64))
      truncateSync(path, kept)
      return `a torn end of ${name}: from ${size} to ${kept} bytes`
    }
    case 4: {
      const at = random.below(size)
      overwrite(path, at, bytes => bytes.fill(0), Math.min(512, size - at))
      return `zeroes at byte ${at} of ${name} (${size} bytes)`
    }
    default:
      rmSync(path)
      return `the loss of ${name} (${size} bytes)`
  }
}

function overwrite(path: string, at: number, change: (bytes: Buffer) => Uint8Array, length: number): void {
  const file = openSync(path, 'r+')
  const bytes = Buffer.alloc(length)
  readSync(file, bytes, 0, length, at)
  writeSync(file, change(bytes), 0, length, at)
  closeSync(file)
}
