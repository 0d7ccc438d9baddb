/// Questions about a busy token over a whole day, answered on demand from slices in memory and on disk.
///
///   node dist/bench/queries.js [HOURS] [SWAPS_PER_SECOND] [TOKENS]        24 hours, 50 a second, 1 token
///
/// A day of swaps is rolled with its durable state on this disk. One token with 50 swaps a second, 4,320,000 a day, is the
/// busiest of a system that takes 1,000 a second, with as many traders as it has there. (Of 10,000 tokens the busiest has
/// about one swap in nine.) Then questions are asked about it one after the other, as a web asks them, in steps of two
/// milliseconds a turn; the processor's time is what tells on a machine with other work. Before that the process is started
/// anew, and sums up what it will (Roller.summarize); and once more at the end, to ask before it has.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ManualClock } from '../src/adapters/memory/clock.js'
import { systemStopwatch } from '../src/adapters/system/stopwatch.js'
import { nextTurn } from '../src/adapters/system/turn.js'
import { TokenQuery } from '../src/core/roller/query/token-query.js'
import { Roller } from '../src/core/roller/roller.js'
import { Field } from '../src/core/stats.js'
import { epochMs } from '../src/core/units.js'
import type { TokenQuestion } from '../src/ports/token-queries.js'
import { RollerQueries } from '../src/roles/roller-queries.js'
import { openRoller, START_MS } from './durable-roller.js'
import { logBatch, swapsOf } from './load.js'
import { Checksum, type Measure, report } from './report.js'

const [hours = 24, perSecond = 50, tokens = 1] = process.argv.slice(2).map(Number)
const CHECKPOINT_SECONDS = 30
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const TOKEN = 'BTC'
const TRADERS_OF_ONE = 107_000

const directory = mkdtempSync(join(tmpdir(), 'volumer-bench-queries-'))
try {
  await run()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

interface Steps {
  steps: number
  totalMs: number
  longestMs: number
  /// Of the newest question.
  each: number[]
}

/// Takes the time of every call of a method.
function timeSteps<K extends string>(of: Record<K, () => unknown>, name: K): Steps {
  const steps: Steps = { steps: 0, totalMs: 0, longestMs: 0, each: [] }
  const method = of[name]
  of[name] = function (this: unknown) {
    const begun = performance.now()
    const result = method.call(this)
    const took = performance.now() - begun
    steps.steps++
    steps.totalMs += took
    steps.longestMs = Math.max(steps.longestMs, took)
    steps.each.push(took)
    return result
  }
  return steps
}

async function run(): Promise<void> {
  const swaps = swapsOf(7, tokens === 1 ? { tokens, traders: TRADERS_OF_ONE } : { tokens })
  const clock = new ManualClock(START_MS)
  const summing = timeSteps(Roller.prototype, 'summarize')
  const asking = timeSteps(TokenQuery.prototype, 'step')
  let { store, roller, summaries } = openRoller(directory, clock)
  let position = 0
  const seconds = Math.round(hours * 3600)
  for (let second = 1; second <= seconds; second++) {
    const now = START_MS + second * 1000
    clock.moveTo(now)
    roller.advance()
    const batch = logBatch(swaps.next(now, perSecond), position, now)
    roller.roll(batch)
    position += batch.count
    roller.takeChanged()
    if (second % CHECKPOINT_SECONDS === 0 || second === seconds) await roller.checkpoint()
    while (second % CHECKPOINT_SECONDS === 0 && roller.summarize()) {}
    if (second % 21_600 === 0) console.error(`  hour ${second / 3600}`)
  }
  const whileRolling = { ...summing }

  const restart = async (): Promise<RollerQueries> => {
    await store.close()
    const opened = openRoller(directory, clock)
    store = opened.store
    roller = opened.roller
    summaries = opened.summaries
    await roller.restore(() => {})
    roller.advance()
    return new RollerQueries({ roller, stopwatch: systemStopwatch, nextTurn })
  }
  let queries = await restart()
  Object.assign(summing, { steps: 0, totalMs: 0, longestMs: 0, each: [] })
  while (roller.summarize()) {}
  const checksum = new Checksum()
  const measures: Measure[] = []
  const nothing = { token: TOKEN, asOf: null, medians: [], largest: 0, newest: 0, traders: 0 }
  const measure = async (
    what: string,
    times: number,
    ask: (i: number) => TokenQuestion,
    target?: number,
    isSame = false,
  ) => {
    const took: number[] = []
    let looked = 0
    // Of each step of the same question, the least time: what it takes by itself, whatever else the machine does.
    let least: number[] = []
    const cpuBefore = process.cpuUsage()
    for (let i = 0; i < times; i++) {
      const question = ask(i)
      asking.each = []
      const begun = performance.now()
      const answer = await queries.ask(question)
      took.push(performance.now() - begun)
      if (answer.kind !== 'answer') throw new Error(`${what}: ${answer.kind}`)
      least = asking.each.map((took, step) => Math.min(took, least[step] ?? Number.POSITIVE_INFINITY))
      looked = (answer.cells[Field.BUYS] ?? 0) + (answer.cells[Field.SELLS] ?? 0)
      for (const cell of answer.cells) checksum.add(Number.isNaN(cell) ? -1 : Math.floor(cell))
    }
    const cpu = process.cpuUsage(cpuBefore)
    took.sort((a, b) => a - b)
    const at = (share: number) => took[Math.min(took.length - 1, Math.floor(share * took.length))] ?? 0
    measures.push({ what: `${what}, p50`, value: at(0.5), unit: 'ms' })
    const aim = target === undefined ? {} : { target: { value: target, atLeast: false } }
    measures.push({ what: `${what}, p99`, value: at(0.99), unit: 'ms', ...aim })
    measures.push({ what: `${what}, processor`, value: (cpu.user + cpu.system) / 1000 / times, unit: 'ms' })
    if (isSame) measures.push({ what: `${what}, longest step`, value: Math.max(...least), unit: 'ms' })
    return { looked, p50: at(0.5) }
  }

  measures.push({ what: 'summing up while a day is rolled', value: whileRolling.totalMs, unit: 'ms' })
  measures.push({ what: 'summing up after a start', value: summing.totalMs, unit: 'ms' })
  measures.push({ what: 'longest step of it', value: summing.longestMs, unit: 'ms' })
  measures.push({ what: 'summaries', value: summaries.bytes / 2 ** 20, unit: 'MiB' })
  measures.push({ what: 'summaries, a swap', value: summaries.bytes / position, unit: 'bytes' })

  const span = Math.min(DAY, seconds * 1000)
  const first = () => ({ ...nothing, stretches: [{ lengthMs: span - MINUTE, agoMs: 0 }] })
  await measure('a day less a minute, first question after a start', 1, first, 50)
  await measure('7 minutes', 300, () => ({ ...nothing, stretches: [{ lengthMs: 7 * MINUTE, agoMs: 0 }] }), 50)
  await measure(
    'an hour and the one before, as of any instant',
    200,
    i => ({
      ...nothing,
      asOf: epochMs(clock.now() - ((i * 7_919_000) % (span - 3 * 60 * MINUTE))),
      stretches: [
        { lengthMs: 60 * MINUTE, agoMs: 0 },
        { lengthMs: 60 * MINUTE, agoMs: 60 * MINUTE },
      ],
    }),
    50,
  )
  const day = await measure(
    'a day less a minute',
    40,
    i => ({ ...nothing, stretches: [{ lengthMs: span - (i + 2) * MINUTE, agoMs: 0 }] }),
    50,
  )
  measures.push({ what: 'swaps in it', value: day.looked, unit: 'swaps' })
  measures.push({ what: 'of it, a swap', value: (day.p50 * 1e6) / day.looked, unit: 'ns' })
  const whole = [{ lengthMs: span, agoMs: 0 }]
  await measure('a day: top traders', 30, () => ({ ...nothing, traders: 10, stretches: whole }), 50, true)
  await measure('a day: largest swaps', 30, () => ({ ...nothing, largest: 10, stretches: whole }), 50, true)
  await measure('a day: median', 30, () => ({ ...nothing, medians: [0], stretches: whole }), 50, true)
  measures.push({
    what: 'longest step of any question, whatever held it up',
    value: asking.longestMs,
    unit: 'ms',
  })
  queries = await restart()
  await measure('a day less a minute, before anything is summed up', 1, first)
  await store.close()
  report({
    name: 'queries',
    measures,
    checksum: checksum.toString(),
    notes: [
      `${position} swaps of ${hours} h in ${tokens} tokens rolled, ${perSecond} a second of event time`,
    ],
  })
}
