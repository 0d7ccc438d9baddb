/// The roller alone, and JSON bytes → validated → rolled: all statistics, the eleven default windows, all of them
/// full and expiring, 5 % duplicates, 5 % late, 10,000 tokens, 300,000 traders, on one core.
///
///   node dist/bench/roller.js [swaps per second of event time] [swaps measured]
///
/// The stream is first rolled until every window is full (a bit more than 24 h of event time), then measured.
/// Everything is kept in memory. Times are of the process's processor (user + system), so that others on the
/// machine do not count, and of the clock.

import { JsonDecoder } from '../src/core/decode/json-decoder.js'
import { Roller } from '../src/core/roller/roller.js'
import { Field } from '../src/core/stats.js'
import { epochMs, offset, tick } from '../src/core/units.js'
import { rollerConfig, swapsOf } from './load.js'
import { Checksum, report } from './report.js'

const HOUR_MS = 3_600_000
const START_MS = 1_790_000_000_000
const BATCH_SECONDS = 4

const perSecond = Number(process.argv[2] ?? 50)
const measured = Number(process.argv[3] ?? 2_000_000)
const roller = new Roller(rollerConfig(Number.POSITIVE_INFINITY), tick(START_MS / 1000))
const generator = swapsOf(7)
const decoder = new JsonDecoder()
const used = { decodeCpu: 0, decodeWall: 0, rollCpu: 0, rollWall: 0 }
let position = 0
let now = START_MS

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/// Rolls some seconds of event time; the decoder's and the roller's times are added up apart.
function step(): number {
  now += BATCH_SECONDS * 1000
  const { bytes, size: count } = generator.next(now, perSecond * BATCH_SECONDS)
  const begin = { cpu: cpuMs(), wall: performance.now() }
  const { batch, records } = decoder.decodeLines(bytes)
  const between = { cpu: cpuMs(), wall: performance.now() }
  // As the consumer does: view time first, then the batch, then what changed.
  for (let s = BATCH_SECONDS - 1; s >= 0; s--) roller.advance(tick(now / 1000 - s))
  roller.apply(batch, offset(position), records, epochMs(now))
  roller.takeChanged()
  const end = { cpu: cpuMs(), wall: performance.now() }
  used.decodeCpu += between.cpu - begin.cpu
  used.decodeWall += between.wall - begin.wall
  used.rollCpu += end.cpu - between.cpu
  used.rollWall += end.wall - between.wall
  position += records
  return count
}

while (now < START_MS + 24.2 * HOUR_MS) step()
for (const key of ['decodeCpu', 'decodeWall', 'rollCpu', 'rollWall'] as const) used[key] = 0
let swaps = 0
while (swaps < measured) swaps += step()

const checksum = new Checksum()
for (const token of roller.tokens().sort()) {
  const stats = roller.stats(token)
  checksum.addText(token)
  for (const value of stats?.cells ?? []) checksum.add(Number.isNaN(value) ? -1 : Math.round(value * 1e6))
  checksum.add(stats?.cells[Field.BUYS] ?? 0)
}
const rate = (ms: number): number => (swaps / ms) * 1000
report({
  name: 'roller',
  measures: [
    {
      what: 'roller alone, by processor time',
      value: rate(used.rollCpu),
      unit: 'swaps/s',
      target: { value: 1_000_000, atLeast: true },
    },
    { what: 'roller alone, by the clock', value: rate(used.rollWall), unit: 'swaps/s' },
    { what: 'roller alone', value: (used.rollCpu / swaps) * 1e6, unit: 'ns/swap' },
    {
      what: 'JSON → validated → rolled, by processor time',
      value: rate(used.rollCpu + used.decodeCpu),
      unit: 'swaps/s',
      target: { value: 500_000, atLeast: true },
    },
    { what: 'JSON → validated', value: (used.decodeCpu / swaps) * 1e6, unit: 'ns/swap' },
  ],
  checksum: checksum.toString(),
  notes: [
    `${perSecond} swaps a second of event time, ${swaps.toLocaleString('en')} measured`,
    `fates ${JSON.stringify(roller.fates)}; ${JSON.stringify(roller.sizes)}`,
    `RSS ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
  ],
})
