/// After any damage, `repair` makes a directory that opens, and says what is lost: whatever it does not name as lost
/// is there.
import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  type EmbeddedStores,
  lettersDirectory,
  logDirectory,
  openEmbeddedStores,
  stateDirectory,
} from '../../src/adapters/embedded/data-directory.js'
import { writeFormat } from '../../src/adapters/embedded/format-file.js'
import { type RepairReport, repair } from '../../src/adapters/embedded/repair.js'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { epochMs, offset } from '../../src/core/units.js'
import { randomness } from '../random/randomness.js'
import { append } from './append.js'
import { fromHttp, fromLog } from './dead-letters.js'
import { openLetters, openLog, openState } from './embedded-stores.js'
import { memoryScratchDirectory } from './scratch.js'
import { delta, part } from './state-store.js'
import { lines, readTo, records } from './trade-log.js'

const clock = new SystemClock()
const END = 400
const POSITION = 300
const SETTINGS = { partitions: 1, resolutionMs: 1000 }

/// A directory with records 0 … 399, of which the state covers 300. With `shortened`, the log and the deltas have
/// dropped their beginnings, which parts cover.
async function build(directory: string, shortened: boolean): Promise<void> {
  const log = openLog(logDirectory(directory), shortened ? { sizeBytesMax: 6000 } : {})
  const state = openState(stateDirectory(directory, 0))
  const letters = openLetters(lettersDirectory(directory))
  for (let at = 0; at < END; at += 10) await append(log, 0, lines(at, 10), 10)
  for (let at = 0; at < POSITION; at += 10) {
    await state.appendDelta(delta(at, at + 10))
    if (at < 150) await state.appendParts([part(Math.floor(at / 40), at / 10, at)])
    await letters.append([fromLog(0, at), fromHttp(at)])
  }
  await letters.append([fromLog(0, 350)])
  if (shortened) {
    const deltas = { coveredBelow: offset(150), logTimeBefore: epochMs(2 ** 50), blockBelow: 2 ** 40 }
    await state.forget({ partsBelowBlock: 0, deltas })
    log.release(0, offset(POSITION))
  }
  for (const store of [log, state, letters]) await store.close()
  writeFormat(directory, SETTINGS)
}

const open = (directory: string) => openEmbeddedStores({ directory, clock, ...SETTINGS })

/// Every record that the report does not name as lost is in a delta, in a part or in the log to be rolled.
async function check(stores: EmbeddedStores, report: RepairReport, what: string): Promise<void> {
  const state = stores.states[0]
  assert.ok(state !== undefined)
  const position = state.position()
  const { first, end } = stores.log.bounds(0)
  assert.ok(first <= position && position <= end, what)
  const inLog = new Set((await readTo(stores.log, 0, first, end)).flatMap(records))
  const covered = [...state.deltas(), ...state.parts()]
  for (const { coversTo } of covered)
    assert.ok(coversTo <= position, `${what}: nothing is rolled again that is kept`)
  for (let record = 0; record < END; record++) {
    const isKept =
      covered.some(({ coversFrom, coversTo }) => coversFrom <= record && record < coversTo) ||
      (inLog.has(record) && (record >= position || position >= POSITION))
    const isLost = report.lost.some(({ from, to }) => from <= record && record < to)
    assert.ok(
      isKept || isLost,
      `${what}: record ${record} is neither kept nor reported\n${report.done.join('\n')}`,
    )
  }
  for await (const { origin } of stores.deadLetters.read()) {
    assert.ok(
      origin.kind === 'http' || origin.offset < end,
      `${what}: letters of offsets to come would hide others`,
    )
  }
}

async function repairAndCheck(directory: string, what: string): Promise<RepairReport> {
  const report = await repair({ directory, clock, resolutionMs: 1000 })
  const stores = await open(directory)
  try {
    await check(stores, report, what)
    // And it goes on from there.
    const { end } = stores.log.bounds(0)
    assert.equal((await append(stores.log, 0, lines(1000, 1), 1)).firstOffset, end)
  } finally {
    await stores.close()
  }
  return report
}

for (const shortened of [false, true]) {
  const kind = shortened ? 'with dropped beginnings' : 'complete'

  test(`a directory ${kind}: whatever is damaged, repair makes one that opens and names what is lost`, async t => {
    const random = randomness(t.name)
    const scratch = memoryScratchDirectory(t)
    const whole = join(scratch, 'whole')
    await build(whole, shortened)
    const files = readdirSync(whole, { recursive: true, encoding: 'utf8' }).filter(file =>
      statSync(join(whole, file)).isFile(),
    )
    let repaired = 0
    let lossless = 0
    for (let round = 0; round < 120; round++) {
      const copy = join(scratch, 'copy')
      rmSync(copy, { recursive: true, force: true })
      cpSync(whole, copy, { recursive: true })
      // One file, sometimes two; what a witness does not tell any more, nobody knows, so it is damaged alone.
      const chosen = new Set([files[random.below(files.length)] ?? ''])
      const segments = files.filter(file => file.endsWith('.segment'))
      if (round % 3 === 2)
        for (let i = 0; i < 2; i++) chosen.add(segments[random.below(segments.length)] ?? '')
      if (chosen.size > 1) for (const file of chosen) if (file.endsWith('witness')) chosen.delete(file)
      const what = []
      for (const file of chosen) {
        const size = statSync(join(copy, file)).size
        const at = random.below(size)
        const how = random.below(3)
        what.push(`${file} ${['flipped', 'cut', 'removed'][how]} at ${at}`)
        if (how === 0) {
          const bytes = readFileSync(join(copy, file))
          bytes[at] = (bytes[at] ?? 0) ^ 4
          writeFileSync(join(copy, file), bytes)
        } else if (how === 1) truncateSync(join(copy, file), at)
        else rmSync(join(copy, file))
      }
      const report = await repairAndCheck(copy, what.join(', '))
      if (report.movedTo === null) continue
      repaired++
      if (report.lost.length === 0) lossless++
      assert.ok(existsSync(report.movedTo) && report.done.length > 0)
    }
    assert.ok(repaired > 60, `${repaired} were damaged`)
    t.diagnostic(`${repaired} repaired, ${lossless} of them without loss`)
  })
}

async function built(t: TestContext, shortened = false): Promise<string> {
  const directory = memoryScratchDirectory(t, 'data')
  await build(directory, shortened)
  return directory
}

test('a whole directory is left alone', async t => {
  const directory = await built(t)
  const report = await repair({ directory, clock, resolutionMs: 1000 })
  assert.deepEqual(report, { movedTo: null, done: [], lost: [] })
})

test('a damaged state is rebuilt from a log that goes back to the first record: nothing is lost', async t => {
  const directory = await built(t)
  rmSync(join(stateDirectory(directory, 0), 'deltas', 'witness'))
  const report = await repairAndCheck(directory, 'state')
  assert.deepEqual(report.lost, [])
  const stores = await open(directory)
  assert.equal(stores.states[0]?.position(), 0)
  await stores.close()
})

test('log records that the state covers are no loss; those beyond are named exactly', async t => {
  const directory = await built(t)
  const log = join(logDirectory(directory), '0')
  const segments = readdirSync(log)
    .filter(name => name.endsWith('.segment'))
    .sort()
  rmSync(join(log, segments[0] ?? ''))
  assert.deepEqual((await repairAndCheck(directory, 'first segment')).lost, [])

  const other = await built(t)
  const last = join(logDirectory(other), '0', segments.at(-1) ?? '')
  truncateSync(last, statSync(last).size - 1)
  const report = await repairAndCheck(other, 'last frame')
  assert.deepEqual(report.lost, [{ partition: 0, of: 'records', from: 390, to: 400 }])
})

test('a directory that is open is not repaired', async t => {
  const directory = await built(t)
  const stores = await open(directory)
  await assert.rejects(repair({ directory, clock: new ManualClock(0), resolutionMs: 1000 }), {
    code: 'E_LOCKED',
  })
  await stores.close()
})
