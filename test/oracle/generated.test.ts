/// The system against the oracle on generated streams: a day and more of log time with every fate, duplicates within
/// the slice, within the horizon and beyond it, disorder up to a day, ties, unknown and explicit prices, numbers at
/// the limits, odd names. Rolled in batches with view time moving between them, once in memory alone, once with a
/// small hot range, checkpoints, and restarts, so that most of the day lies on disk.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Differences } from '../simulation/difference.js'
import { Random, testSeed } from '../simulation/random.js'
import { DEFAULT_RULES, type RawBatch } from '../simulation/raw-swap.js'
import { Rolled } from '../simulation/rolled.js'
import { ODD_TOKENS, SwapStream } from '../simulation/streams.js'
import { Oracle } from './oracle.js'

const START_MS = 1_700_000_000_123
const BATCHES = Number(process.env.VOLUMER_ORACLE_BATCHES ?? 4000)
const INSTANTS = 25
const SECOND = DEFAULT_RULES.resolutionMs

const seed = testSeed()

test(`${BATCHES} batches of generated swaps equal the oracle`, async t => {
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const batches = generated(new Random(seed))
  const oracle = await Oracle.open(DEFAULT_RULES, { kind: 'log', batches })
  t.after(() => oracle.close())
  const { accepted, duplicate, late, early } = oracle.fates
  t.diagnostic(`the oracle counts ${JSON.stringify(oracle.fates)}`)
  assert.ok(
    accepted > BATCHES && Math.min(duplicate, late, early) > 50,
    'the stream has enough of every fate',
  )

  await t.test('in memory', async t => t.diagnostic(await compare(oracle, batches, null)))
  await t.test('with ten minutes in memory and the rest on disk, restarting', async t => {
    t.diagnostic(await compare(oracle, batches, 600 * SECOND))
  })
})

/// 30 hours of log time, so that a day of windows fills and then expires.
function generated(random: Random): RawBatch[] {
  const stream = new SwapStream(random, {
    tokens: [...ODD_TOKENS, ...Array.from({ length: 40 }, (_, i) => `token ${i}`)],
    traders: Array.from({ length: 150 }, (_, i) => `trader ${i}`),
    startMs: START_MS,
    rules: DEFAULT_RULES,
    batchMost: 20,
    pauseMsMost: (2 * 30 * 3_600_000) / BATCHES,
    idAlphabet: null,
    duplicateChance: 0.15,
    invalidChance: 0.005,
  })
  return Array.from({ length: BATCHES }, () => stream.batch())
}

async function compare(
  oracle: Oracle,
  batches: readonly RawBatch[],
  hotRangeMs: number | null,
): Promise<string> {
  const random = new Random(seed + 1)
  const startTick = Math.floor(START_MS / SECOND)
  const rolled = new Rolled({ rules: DEFAULT_RULES, startTick, hotRangeMs })
  const differences = new Differences()
  let offset = 0
  let compared = 0
  for (const [at, batch] of batches.entries()) {
    rolled.append(batch)
    offset += batch.records.length
    if (random.chance(0.3)) rolled.advance(Math.floor(batch.appendTime / SECOND) + random.below(3))
    if (random.chance(0.05)) await rolled.checkpoint()
    if (hotRangeMs !== null && random.chance(0.002)) await rolled.crash(rolled.viewTick)
    if (at % Math.ceil(batches.length / INSTANTS) !== 0 && at !== batches.length - 1) continue
    compared++
    await compareNow(oracle, rolled, offset, differences)
  }
  // Nothing more comes: the windows empty themselves.
  for (const step of [1, 59, 240, 3600, 40_000, 43_000]) {
    rolled.advance(rolled.viewTick + step)
    await compareNow(oracle, rolled, offset, differences)
  }
  assert.equal(differences.count, 0, differences.report())
  assert.ok(compared >= INSTANTS && differences.compared > 1000, 'too little was compared')
  const { accepted, duplicate, late, early } = rolled.fates
  assert.deepEqual({ accepted, duplicate, late, early }, oracle.fates)
  return differences.report()
}

async function compareNow(
  oracle: Oracle,
  rolled: Rolled,
  offset: number,
  differences: Differences,
): Promise<void> {
  const tick = rolled.viewTick
  const expected = await oracle.answers(tick, offset, `0:${offset}:${tick}`)
  differences.compareAll(tick * SECOND, rolled.answers(), expected)
}
