/// Questions about a token with many swaps in each block, which are answered from summaries of whole blocks where these will
/// do: random stretches against the naive model.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunReader } from '../../src/core/roller/storage/run-reader.js'
import { tick } from '../../src/core/units.js'
import { Model } from './model.js'
import { asked } from './questions.js'
import { Random, testSeed } from './random.js'
import type { RawSwap, Rules } from './raw-swap.js'
import { Rolled } from './rolled.js'

const START = 1_790_000_000_000
const MINUTE = 60_000
const RULES: Rules = {
  windows: [['m1', MINUTE]],
  resolutionMs: 1000,
  retentionMs: 20 * MINUTE,
  earlyToleranceMs: MINUTE,
  dedupeHorizonMs: MINUTE,
}

function swap(random: Random, id: number, time: number): RawSwap {
  return {
    ...{ id: `s${id}`, time, who: `t${random.below(40)}`, token: random.chance(0.9) ? 'BTC' : 'ETH' },
    ...{
      side: random.pick(['buy', 'sell'] as const),
      amount: String(random.below(5)),
      usd: String(random.below(900)),
    },
    // Ties in time are told apart by the place, or by the id.
    ...(random.chance(0.7) ? { block: 1 + random.below(3), txIndex: random.below(3), logIndex: id } : {}),
  }
}

test('questions about a busy token agree with the naive model', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const rolled = new Rolled({ rules: RULES, startTick: START / 1000, hotRangeMs: 3 * MINUTE })
  const model = new Model(RULES)
  model.advance(START / 1000)
  let rowsRead = 0
  const readRows = RunReader.prototype.readRows
  t.mock.method(RunReader.prototype, 'readRows', function (this: RunReader, withPlaces: boolean) {
    rowsRead += this.count
    readRows.call(this, withPlaces)
  })
  let id = 0
  let questions = 0
  for (let second = 0; second < 2000; second += 4) {
    const now = START + second * 1000
    const late = random.chance(0.05) ? random.below(15) * MINUTE : 0
    const records = [swap(random, id++, now - late)]
    for (let i = random.between(6, 14); i > 0; i--) records.push(swap(random, id++, now - random.below(4000)))
    const batch = { appendTime: now, records }
    rolled.append(batch)
    model.apply(batch)
    rolled.advance(now / 1000)
    model.advance(now / 1000)
    if (second % 120 === 0) await rolled.checkpoint()
    if (second < 600 || second % 60 !== 0) continue
    rowsRead = 0
    for (let i = 0; i < 3; i++, questions++) {
      const fault = asked(rolled, model, random.below(2 ** 31))()
      assert.equal(fault, null, `VOLUMER_SEED=${seed}, second ${second}`)
    }
  }
  assert.ok(questions > 60)
  // Summaries were used: a stretch that is all of the retention reads no rows on disk but those at its ends.
  rowsRead = 0
  const now = model.viewTick
  const query = rolled.ask('BTC', { ...NOTHING, stretches: [{ after: tick(now - 1200), to: tick(now) }] })
  while (query?.step() === 'more') {}
  const rows = query?.rows ?? 0
  assert.ok(rows > 2500 && rowsRead < rows / 2, `${rowsRead} of ${rows} rows were read`)
})

const NOTHING = { medians: [], largest: 0, newest: 0, traders: 0 }
