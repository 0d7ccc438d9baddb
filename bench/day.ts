/// A day of swaps, fast-forwarded through the roller with its durable state, then a cold restart in a new process.
///
///   node dist/bench/day.js [HOURS] [DIRECTORY]          24 hours, in the temporary directory
///
/// 1,000 swaps a second of event time, 10,000 tokens, 300,000 traders, 5 % duplicates, 5 % late; a batch each second,
/// a checkpoint each five, what changed is taken each second. The trade log keeps nothing: it is not what is measured.
/// The roller runs in one child process and the restart in another, so that each peak is its own. Both compute a
/// checksum of the statistics of all tokens at the same view time; the run fails when the two differ.
///
/// How long the event loop is held up is told too: by a step of view time, in which cursors pass slices in memory and
/// on disk, and by a step of moving blocks to disk.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../src/adapters/memory/clock.js'
import { Roller } from '../src/core/roller/roller.js'
import { openRoller, PER_SECOND, START_MS } from './durable-roller.js'
import { logBatch, swapsOf } from './load.js'
import { report } from './report.js'
import { statisticsChecksum } from './statistics-checksum.js'

const CHECKPOINT_SECONDS = 5
const MIB = 2 ** 20

interface Rolled {
  readonly swaps: number
  readonly accepted: number
  readonly rollWallMs: number
  readonly rollCpuMs: number
  readonly generatorCpuMs: number
  readonly generatorRssBytes: number
  readonly peakRssBytes: number
  readonly stateBytes: number
  readonly checksum: string
  readonly tokens: number
  readonly advanceMs: readonly number[]
  readonly stepMs: readonly number[]
}

interface Restarted {
  readonly wallMs: number
  readonly cpuMs: number
  readonly rssBytes: number
  readonly peakRssBytes: number
  readonly checksum: string
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/// VmHWM where the system tells it, else what getrusage calls the maximum.
function peakRssBytes(): number {
  try {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (kib !== undefined) return Number(kib) * 1024
  } catch {
    // Not every system has it.
  }
  return process.resourceUsage().maxRSS * 1024
}

/// The median, the 99.9th percentile and the longest of some times in milliseconds.
const SHARES = [0.5, 0.999, 1] as const

function percentiles(times: number[]): number[] {
  times.sort((a, b) => a - b)
  return SHARES.map(share => times[Math.ceil(share * times.length) - 1] ?? 0)
}

/// Notes how long each call of a method of every roller takes.
function timed(method: 'takeParts' | 'partsStored', times: number[]): void {
  const original: (this: Roller) => unknown = Roller.prototype[method]
  Object.defineProperty(Roller.prototype, method, {
    value(this: Roller) {
      const begun = performance.now()
      const result = original.call(this)
      times.push(performance.now() - begun)
      return result
    },
  })
}

async function roll(directory: string, seconds: number): Promise<Rolled> {
  const before = process.memoryUsage.rss()
  const swaps = swapsOf(7)
  const generatorRssBytes = process.memoryUsage.rss() - before
  const clock = new ManualClock(START_MS)
  const advanceTimes: number[] = []
  const stepTimes: number[] = []
  timed('takeParts', stepTimes)
  timed('partsStored', stepTimes)
  const { store, roller, windows } = openRoller(directory, clock)
  const names = new Set<string>()
  let position = 0
  let rollWallMs = 0
  let rollCpuMs = 0
  let generatorCpuMs = 0
  for (let second = 1; second <= seconds; second++) {
    const now = START_MS + second * 1000
    clock.moveTo(now)
    const generated = cpuMs()
    const batch = logBatch(swaps.next(now, PER_SECOND), position, now)
    const begun = { cpu: cpuMs(), wall: performance.now() }
    roller.advance()
    advanceTimes.push(performance.now() - begun.wall)
    roller.roll(batch)
    position += batch.count
    for (const name of roller.takeChanged()) names.add(name)
    if (second % CHECKPOINT_SECONDS === 0 || second === seconds) await roller.checkpoint()
    generatorCpuMs += begun.cpu - generated
    rollCpuMs += cpuMs() - begun.cpu
    rollWallMs += performance.now() - begun.wall
    if (second % 3600 === 0) {
      const speed = Math.round((position / rollCpuMs) * 1000)
      const state = (store.sizeBytes() / position).toFixed(1)
      const rss = Math.round(process.memoryUsage.rss() / MIB)
      console.error(`  hour ${second / 3600}: ${speed} swaps/s, ${state} bytes a swap, RSS ${rss} MiB`)
    }
  }
  const peak = peakRssBytes()
  const tokens = [...names].sort()
  const result: Rolled = {
    swaps: position,
    accepted: roller.fates.accepted,
    rollWallMs,
    rollCpuMs,
    generatorCpuMs,
    generatorRssBytes,
    peakRssBytes: peak,
    stateBytes: store.sizeBytes(),
    checksum: statisticsChecksum(
      tokens.map(token => roller.update(token)),
      windows,
    ),
    tokens: tokens.length,
    advanceMs: percentiles(advanceTimes),
    stepMs: percentiles(stepTimes),
  }
  await store.close()
  return result
}

async function restart(directory: string, seconds: number): Promise<Restarted> {
  const clock = new ManualClock(START_MS + seconds * 1000)
  const begun = { cpu: cpuMs(), wall: performance.now() }
  const { store, roller, windows } = openRoller(directory, clock)
  await roller.restore(() => {})
  const wallMs = performance.now() - begun.wall
  const cpu = cpuMs() - begun.cpu
  const rssBytes = process.memoryUsage.rss()
  const peak = peakRssBytes()
  // All tokens changed by being restored.
  const checksum = statisticsChecksum(
    roller
      .takeChanged()
      .sort()
      .map(token => roller.update(token)),
    windows,
  )
  await store.close()
  return { wallMs, cpuMs: cpu, rssBytes, peakRssBytes: peak, checksum }
}

/// Runs one phase in a process of its own; its last line of output is the result.
function phase<T>(name: string, directory: string, seconds: number): T {
  const file = process.argv[1] ?? ''
  const child = spawnSync(process.execPath, [...process.execArgv, file, name, directory, String(seconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  if (child.status !== 0) throw new Error(`the phase ${name} ended with ${child.status ?? child.signal}`)
  return JSON.parse(child.stdout)
}

function measure(hours: number, under: string): void {
  const directory = mkdtempSync(join(under, 'volumer-bench-day-'))
  try {
    const seconds = Math.round(hours * 3600)
    const rolled: Rolled = phase('--roll', directory, seconds)
    const restarted: Restarted = phase('--restart', directory, seconds)
    present(hours, rolled, restarted)
    if (rolled.checksum !== restarted.checksum) {
      throw new Error(`after the restart the statistics differ: ${rolled.checksum}, ${restarted.checksum}`)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function present(hours: number, rolled: Rolled, restarted: Restarted): void {
  const atMost = (value: number) => ({ value, atLeast: false })
  report({
    name: 'day',
    measures: [
      { what: 'peak RSS while rolling', value: rolled.peakRssBytes / MIB, unit: 'MiB', target: atMost(2048) },
      {
        what: 'state on disk',
        value: rolled.stateBytes / rolled.swaps,
        unit: 'bytes/swap',
        target: atMost(40),
      },
      { what: 'cold restart to ready', value: restarted.wallMs / 1000, unit: 's', target: atMost(30) },
      { what: 'cold restart, processor time', value: restarted.cpuMs / 1000, unit: 's' },
      { what: 'cold restart', value: (rolled.accepted / restarted.wallMs) * 1000, unit: 'rows/s' },
      { what: 'peak RSS of the restart', value: restarted.peakRssBytes / MIB, unit: 'MiB' },
      {
        what: 'decoded, rolled and saved, by processor time',
        value: (rolled.swaps / rolled.rollCpuMs) * 1000,
        unit: 'swaps/s',
      },
      {
        what: 'decoded, rolled and saved, by the clock',
        value: (rolled.swaps / rolled.rollWallMs) * 1000,
        unit: 'swaps/s',
      },
      ...SHARES.flatMap((share, i) => {
        const name = share === 1 ? 'longest' : `p${share * 100}`
        return [
          { what: `a step of view time, ${name}`, value: rolled.advanceMs[i] ?? 0, unit: 'ms' },
          { what: `a step to disk, ${name}`, value: rolled.stepMs[i] ?? 0, unit: 'ms' },
        ]
      }),
    ],
    checksum: rolled.checksum,
    notes: [
      `${hours} h of event time at ${PER_SECOND} swaps/s: ${rolled.swaps.toLocaleString('en')} swaps, ${rolled.accepted.toLocaleString('en')} accepted, ${rolled.tokens.toLocaleString('en')} tokens`,
      `the generator's tables are ${(rolled.generatorRssBytes / MIB).toFixed(0)} MiB of the peak, its time is not counted`,
      `statistics after the restart: ${restarted.checksum === rolled.checksum ? 'equal' : 'DIFFERENT'}`,
    ],
  })
}

const [first = '24', second, third] = process.argv.slice(2)
if (first === '--roll') console.log(JSON.stringify(await roll(second ?? '', Number(third))))
else if (first === '--restart') console.log(JSON.stringify(await restart(second ?? '', Number(third))))
else measure(Number(first), second ?? tmpdir())
