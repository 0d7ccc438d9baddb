import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keyedLines } from '../../../test/contract/append.js'
import { ManualClock } from '../../adapters/memory/clock.js'
import { MemoryTradeArchive } from '../../adapters/memory/trade-archive.js'
import { MemoryTradeLog } from '../../adapters/memory/trade-log.js'
import { nextTurn } from '../../adapters/system/turn.js'
import { type EpochMs, epochMs, offset } from '../../core/units.js'
import { DamagedError, UnavailableError } from '../../ports/errors.js'
import type { ArchiveBatch, Archived, ArchivePosition } from '../../ports/trade-archive.js'
import { Archiver } from './archiver.js'

const START = 1_790_000_000_000
const DAY = 86_400_000
const RULES = { resolutionMs: 1000, retentionMs: DAY, earlyToleranceMs: 60_000, dedupeHorizonMs: 3_600_000 }
const LIMITS = { tradesRetentionMs: 10 * DAY, candlesRetentionMs: 10 * DAY, sizeBytesMax: 2 ** 40 }
const INTERVAL = 5000

/// An archive that fails on command.
class FailingArchive extends MemoryTradeArchive {
  failure: Error | null = null
  maintained: EpochMs[] = []
  appends = 0

  constructor() {
    super(RULES, LIMITS)
  }

  override async position(partition: number): Promise<ArchivePosition | null> {
    this.#fail()
    return super.position(partition)
  }

  override async append(batch: ArchiveBatch): Promise<Archived> {
    this.appends++
    this.#fail()
    return super.append(batch)
  }

  override async maintain(partition: number, asOf: EpochMs): Promise<void> {
    this.maintained.push(asOf)
    return super.maintain(partition, asOf)
  }

  #fail(): void {
    if (this.failure !== null) throw this.failure
  }
}

interface Setting {
  readonly clock?: ManualClock
  readonly log?: MemoryTradeLog
  readonly archive?: FailingArchive
  readonly awaited?: boolean
}

function setUp({
  clock = new ManualClock(START),
  log,
  archive = new FailingArchive(),
  awaited = false,
}: Setting = {}) {
  const said: string[] = []
  const faults: unknown[] = []
  const released: number[] = []
  const stored: string[] = []
  const trades = log ?? new MemoryTradeLog({ clock })
  const archiver = new Archiver({
    partition: 0,
    log: trades,
    archive,
    rules: RULES,
    clock,
    intervalMs: INTERVAL,
    isAwaited: () => awaited,
    stored: swaps => stored.push(...swaps.map(({ id }) => id)),
    archived: (_, below) => released.push(below),
    nextTurn,
    say: message => said.push(message),
    fail: error => faults.push(error),
  })
  archiver.start()
  return { archive, archiver, clock, log: trades, said, faults, released, stored }
}

function line(id: string, time: number, more: object = {}): string {
  return `${JSON.stringify({ id, time, who: 'w', token: 'T', side: 'buy', amount: '1', usd: '1', ...more })}\n`
}

async function append(log: MemoryTradeLog, ...lines: readonly string[]): Promise<void> {
  await log.append([keyedLines(Buffer.from(lines.join('')), 'T')])
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 5000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `in time: ${what}`)
    await nextTurn()
  }
}

/// Moves the clock until the condition holds: alarms are set in turns that come later.
async function untilLater(clock: ManualClock, condition: () => boolean, what: string): Promise<void> {
  await until(() => {
    clock.advance(500)
    return condition()
  }, what)
}

async function idsIn(archive: MemoryTradeArchive): Promise<string[]> {
  const found: string[] = []
  for await (const swaps of archive.scan(epochMs(0), epochMs(2 ** 50)))
    found.push(...swaps.map(({ id }) => id))
  return found
}

test('what counts is stored, after the interval; the rest is not', async () => {
  const { archive, archiver, clock, log, released, faults } = setUp()
  await append(
    log,
    line('a', START),
    line('late', START - 2 * DAY),
    'nonsense\n',
    line('early', START + 60_001),
    line('a', START),
  )
  await append(log, line('b', START))
  await until(() => archiver.position === 0, 'the archiver knows where it is')
  assert.deepEqual(await idsIn(archive), [])
  await untilLater(clock, () => archiver.position === 6, 'everything is archived')
  assert.deepEqual(await idsIn(archive), ['a', 'b'])
  assert.deepEqual(archiver.counts, { archived: 2, duplicates: 1, expired: 0, lost: 0 })
  assert.deepEqual(released, [0, 6])
  await archiver.stop()
  assert.deepEqual(faults, [])
})

test('many swaps are stored before the interval is over', async () => {
  const { archiver, log } = setUp()
  for (let i = 0; i < 21; i++) {
    await append(log, ...Array.from({ length: 1000 }, (_, j) => line(`${i}:${j}`, START + j)))
  }
  await until(() => archiver.counts.archived >= 20_000, 'a full batch is stored')
  await archiver.stop()
  assert.equal(archiver.counts.archived, 21_000)
})

test('what somebody waits for is stored after a second, and told once it is', async () => {
  const { archive, archiver, clock, log, stored } = setUp({ awaited: true })
  await until(() => archiver.position === 0, 'the archiver follows')
  await append(log, line('a', START))
  await nextTurn()
  await nextTurn()
  clock.advance(999)
  await nextTurn()
  assert.deepEqual([archive.appends, stored], [0, []])
  clock.advance(1)
  await until(() => archiver.position === 1, 'it is archived')
  assert.deepEqual([await idsIn(archive), stored], [['a'], ['a']])
  await archiver.stop()
})

test('a stop stores what waits', async () => {
  const { archive, archiver, log } = setUp()
  await append(log, line('a', START))
  await until(() => archiver.position === 0, 'the archiver follows')
  await nextTurn()
  await archiver.stop()
  assert.deepEqual(await idsIn(archive), ['a'])
})

test('an archive that is away is tried again, less and less often, and loses nothing', async () => {
  const { archive, archiver, clock, log, said, faults } = setUp()
  await until(() => archiver.position === 0, 'the archiver follows')
  archive.failure = new UnavailableError('nobody answers')
  await append(log, line('a', START))
  await untilLater(clock, () => archiver.problem !== null, 'the archiver notices')
  const before = archive.appends
  clock.advance(0)
  for (let second = 0; second < 600; second++) {
    clock.advance(1000)
    await nextTurn()
    await nextTurn()
  }
  assert.ok(
    archive.appends - before >= 15 && archive.appends - before <= 30,
    `${archive.appends - before} tries`,
  )
  await append(log, line('b', START))
  archive.failure = null
  await untilLater(clock, () => archiver.position === 2, 'the archiver has caught up')
  assert.deepEqual(await idsIn(archive), ['a', 'b'])
  assert.equal(archiver.problem, null)
  assert.equal(said.length, 2)
  assert.match(said[0] ?? '', /nobody answers/)
  assert.deepEqual(faults, [])
  await archiver.stop()
})

test('a stop does not wait for an archive that is away', async () => {
  const archive = new FailingArchive()
  archive.failure = new UnavailableError('nobody answers')
  const { archiver, faults } = setUp({ archive })
  await until(() => archiver.problem !== null, 'the archiver notices')
  assert.equal(archiver.position, null)
  await archiver.stop()
  assert.deepEqual(faults, [])
})

test('an error that no retry helps is the process’s', async () => {
  const archive = new FailingArchive()
  archive.failure = new DamagedError('a block is bad', 'move it away')
  const { faults, archiver } = setUp({ archive })
  await until(() => faults.length > 0, 'the fault is told')
  assert.equal(faults[0], archive.failure)
  await archiver.stop()
})

test('it goes on where the archive is, also when another process has written meanwhile', async () => {
  const { archive, archiver, clock, log } = setUp()
  await append(log, line('a', START))
  await untilLater(clock, () => archiver.position === 1, 'the first is archived')
  await append(log, line('b', START), line('c', START))
  const other = setUp({ clock, log, archive })
  await untilLater(clock, () => other.archiver.position === 3 && archiver.position === 3, 'both are there')
  await append(log, line('d', START))
  await untilLater(
    clock,
    () => other.archiver.position === 4 && archiver.position === 4,
    'both are there again',
  )
  assert.deepEqual(await idsIn(archive), ['a', 'b', 'c', 'd'])
  await Promise.all([archiver.stop(), other.archiver.stop()])
  assert.deepEqual([...other.faults], [])
})

test('records that the log dropped are skipped, said and counted', async () => {
  const clock = new ManualClock(START)
  const log = new MemoryTradeLog({ clock, sizeBytesMax: 500 })
  for (let i = 0; i < 20; i++) await append(log, line(`a${i}`, START))
  log.release(0, offset(15))
  await append(log, line('last', START))
  const { first } = log.bounds(0)
  assert.ok(first > 0)
  const archive = new FailingArchive()
  await archive.skip(0, offset(0), offset(2), epochMs(START))
  const { archiver, said } = setUp({ clock, log, archive })
  await untilLater(clock, () => archiver.position === 21, 'the rest is archived')
  assert.equal(archiver.counts.lost, first - 2)
  assert.match(said[0] ?? '', new RegExp(`lacks ${first - 2} records.*offsets 2 to ${first - 1}`))
  assert.equal((await idsIn(archive)).length, 21 - first)
  await archiver.stop()
})

test('an archive of another log is refused', async () => {
  for (const [at, logTime] of [
    [7, START],
    [1, START - 1],
  ] as const) {
    const clock = new ManualClock(START)
    const log = new MemoryTradeLog({ clock })
    await append(log, line('a', START), line('b', START))
    const archive = new FailingArchive()
    await archive.skip(0, offset(0), offset(at), epochMs(logTime))
    const { faults, archiver } = setUp({ clock, log, archive })
    await until(() => faults.length > 0, 'the fault is told')
    assert.match(String(faults[0]), /SettingsMismatchError.*belongs to another trade log/)
    await archiver.stop()
  }
})

test('an idle archive is kept in order, by the clock once it has caught up', async () => {
  const { archive, archiver, clock, log } = setUp()
  await append(log, line('a', START))
  await untilLater(clock, () => archive.maintained.length >= 3, 'three times')
  assert.ok(archive.maintained.every((asOf, i, all) => i === 0 || asOf > (all[i - 1] ?? 0)))
  assert.ok((archive.maintained.at(-1) ?? 0) > START + 60_000)
  await archiver.stop()
})
