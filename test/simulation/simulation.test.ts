/// Property test: whatever happens, every statistic of every token equals the naive model's after every step, across
/// batch splits, steps of time, checkpoints, full disks, crashes and restores, hot and cold.
///
/// Runs for VOLUMER_FUZZ_SECONDS (20 by default). A failure prints its seed, with which VOLUMER_SEED repeats it, and
/// the shortest failing history that was found.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { EmbeddedStateStore } from '../../src/adapters/embedded/state-store.js'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { memoryScratchDirectory } from '../contract/scratch.js'
import { haunted, randomHistory } from './histories.js'
import { Random, testSeed } from './random.js'
import { firstFailure, shrink, tell } from './steps.js'

const SECONDS = Number(process.env.VOLUMER_FUZZ_SECONDS ?? 20)
const FEWEST = 20

test(`${SECONDS} s of random histories agree with the naive model`, async t => {
  const first = testSeed()
  t.diagnostic(`VOLUMER_SEED=${first}`)
  const deadline = Date.now() + SECONDS * 1000
  let histories = 0
  let steps = 0
  for (; histories < FEWEST || Date.now() < deadline; histories++) {
    const seed = (first + histories) >>> 0
    const random = new Random(seed)
    const history = randomHistory(random, random.pick([30, 100, 250]))
    const failure = await firstFailure(history)
    if (failure !== null) {
      const shortest = await shrink(history, 20_000)
      assert.fail(
        `VOLUMER_SEED=${seed} fails: ${failure}\n\nShortest failing history:\n${tell(shortest)}\n${await firstFailure(shortest)}`,
      )
    }
    steps += history.steps.length
  }
  t.diagnostic(`${histories} histories, ${steps} steps`)
})

test('so do histories whose state lies in files that every crash closes and opens again', async t => {
  const first = testSeed()
  t.diagnostic(`VOLUMER_SEED=${first}`)
  const deadline = Date.now() + (SECONDS * 1000) / 4
  let histories = 0
  for (; histories < FEWEST || Date.now() < deadline; histories++) {
    const seed = (first + histories) >>> 0
    const random = new Random(seed)
    const history = randomHistory(random, random.pick([30, 100]))
    const directory = memoryScratchDirectory(t)
    const openStore = (): EmbeddedStateStore =>
      new EmbeddedStateStore({ directory, partition: 0, clock: new ManualClock(0), deltaSegmentBytes: 4000 })
    const failure = await firstFailure(history, openStore)
    assert.equal(failure, null, `VOLUMER_SEED=${seed}: ${failure}\n${tell(history)}`)
    rmSync(directory, { recursive: true, force: true })
  }
  t.diagnostic(`${histories} histories`)
})

test('so do histories with a changelog that several writers share, zombies among them, and with stores that are lost', async t => {
  const first = testSeed()
  t.diagnostic(`VOLUMER_SEED=${first}`)
  const deadline = Date.now() + (SECONDS * 1000) / 4
  let histories = 0
  for (; histories < FEWEST || Date.now() < deadline; histories++) {
    const seed = (first + histories) >>> 0
    const random = new Random(seed)
    const history = haunted(randomHistory(random, random.pick([30, 100, 250])), random)
    const failure = await firstFailure(history)
    if (failure === null) continue
    const shortest = await shrink(history, 20_000)
    assert.fail(`VOLUMER_SEED=${seed} fails: ${failure}\n\nShortest failing history:\n${tell(shortest)}`)
  }
  t.diagnostic(`${histories} histories`)
})
