/// The two checkers, SQL and the naive model, were written apart from each other as well: on the same stream they
/// must agree on every fate and every answer. Where they do, a difference with the system is the system's.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Differences } from '../simulation/difference.js'
import { Model } from '../simulation/model.js'
import { Random, testSeed } from '../simulation/random.js'
import { DEFAULT_RULES } from '../simulation/raw-swap.js'
import { ODD_TOKENS, SwapStream } from '../simulation/streams.js'
import { Oracle } from './oracle.js'

test('the oracle and the naive model agree', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const stream = new SwapStream(new Random(seed), {
    tokens: ODD_TOKENS,
    traders: Array.from({ length: 30 }, (_, i) => `trader ${i}`),
    startMs: 1_700_000_000_123,
    rules: DEFAULT_RULES,
    batchMost: 20,
    pauseMsMost: 300_000,
    idAlphabet: null,
    duplicateChance: 0.15,
    invalidChance: 0.01,
  })
  const batches = Array.from({ length: 500 }, () => stream.batch())
  const oracle = await Oracle.open(DEFAULT_RULES, { kind: 'log', batches })
  t.after(() => oracle.close())
  const model = new Model(DEFAULT_RULES)
  const differences = new Differences()
  for (const [at, batch] of batches.entries()) {
    model.apply(batch)
    if (at % 50 !== 49) continue
    const tick = Math.floor(batch.appendTime / DEFAULT_RULES.resolutionMs) + (at % 3) * 50
    model.advance(tick)
    const version = `0:${model.offset}:${model.viewTick}`
    const expected = await oracle.answers(model.viewTick, model.offset, version)
    differences.compareAll(model.viewTick * DEFAULT_RULES.resolutionMs, model.answers(), expected)
  }
  assert.equal(differences.count, 0, differences.report())
  assert.ok(differences.compared > 100, 'too few answers were compared')
  const { accepted, duplicate, late, early } = model.fates
  assert.deepEqual(oracle.fates, { accepted, duplicate, late, early })
  for (const [fate, count] of Object.entries(model.fates)) assert.ok(count > 0, `the stream has no ${fate}`)
})
