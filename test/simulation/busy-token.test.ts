/// Questions about a token with many swaps in each block, which are answered from summaries of blocks and spans where these
/// will do: random stretches against the naive model.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { SUMMARY_LIMITS, type SummaryLimits } from '../../src/core/roller/query/summaries.js'
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
/// Spans of two blocks of the nine that are kept.
const SHORT_SPANS: SummaryLimits = {
  ...SUMMARY_LIMITS,
  spanBlocks: 2,
  runRows: 100,
  askedSwaps: 0,
  aheadSwaps: 500,
}
const OFTEN = { every: 4, late: 0.05, matters: false, askEach: 120 }
const LARGEST_USD = ['9000000000', '8999999999.999999', '4503599627.370496', '0', '0.000001']

interface Trading {
  readonly random: Random
  /// Seconds between batches, and the chance that a swap of one is late by minutes.
  readonly every: number
  readonly late: number
  /// Whether such swaps are among the largest, and of traders who trade late only.
  readonly matters: boolean
  /// Questions are asked each so many seconds.
  readonly askEach: number
  /// Chance that a swap is of one of the largest sizes that there are.
  readonly huge: number
  readonly tokens: readonly string[]
}

function swap({ random, huge, tokens, matters }: Trading, id: number, time: number, isLate = false): RawSwap {
  const isHuge = random.chance(huge)
  const usd = isLate && matters ? 885 + random.below(40) : random.below(900)
  const who = isLate && matters ? `late${random.below(2)}` : `t${random.below(40)}`
  return {
    ...{
      id: `s${id}`,
      time,
      who,
      token: random.chance(0.9) ? 'BTC' : random.pick(tokens),
    },
    ...{
      side: random.pick(['buy', 'sell'] as const),
      amount: String(random.below(5)),
      usd: isHuge ? random.pick(LARGEST_USD) : String(usd),
    },
    // Ties in time are told apart by the place, or by the id.
    ...(random.chance(0.7) ? { block: 1 + random.below(3), txIndex: random.below(3), logIndex: id } : {}),
  }
}

async function trade(
  t: TestContext,
  summaries: SummaryLimits,
  options: Omit<Trading, 'random'>,
  seconds: number,
) {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const trading = { random, ...options }
  const rolled = new Rolled({ rules: RULES, startTick: START / 1000, hotRangeMs: 3 * MINUTE, summaries })
  const model = new Model(RULES)
  model.advance(START / 1000)
  let id = 0
  let questions = 0
  let bytesMost = 0
  for (let second = 0; second < seconds; second += options.every) {
    const now = START + second * 1000
    const late = random.chance(options.late) ? random.below(15) * MINUTE : 0
    const records = [swap(trading, id++, now - late, late > 0)]
    for (let i = random.between(6, 14); i > 0; i--)
      records.push(swap(trading, id++, now - random.below(4000)))
    const batch = { appendTime: now, records }
    rolled.append(batch)
    model.apply(batch)
    rolled.advance(now / 1000)
    model.advance(now / 1000)
    if (second % 120 === 0) {
      // Questions that are begun before blocks and late swaps go to disk, and ended when they have been summed up.
      const early = Array.from({ length: second < 600 ? 0 : 3 }, () =>
        asked(rolled, model, random.below(2 ** 31)),
      )
      await rolled.checkpoint()
      if (random.chance(0.5)) while (rolled.summarize()) {}
      for (const end of early) assert.equal(end(), null, `VOLUMER_SEED=${seed}, second ${second}`)
    }
    if (second < 600 || second % options.askEach !== 0) continue
    // Sometimes all that is missing has been made, sometimes part of it.
    if (random.chance(0.6)) while (rolled.summarize()) {}
    for (let i = 0; i < 3; i++, questions++) {
      const fault = asked(rolled, model, random.below(2 ** 31))()
      assert.equal(fault, null, `VOLUMER_SEED=${seed}, second ${second}`)
      bytesMost = Math.max(bytesMost, rolled.summaryBytes)
    }
  }
  assert.ok(questions > 15)
  assert.ok(bytesMost > 0 && bytesMost <= summaries.bytesMax, `${bytesMost} bytes are kept`)
  return { rolled, model }
}

/// Rows on disk of which all was read, of those that a question about all of the retention looked at.
function rowsRead(t: TestContext, rolled: Rolled, now: number, more: object): { read: number; of: number } {
  let read = 0
  const { readSizes } = RunReader.prototype
  const mocked = t.mock.method(RunReader.prototype, 'readSizes', function (this: RunReader) {
    read += this.count
    readSizes.call(this)
  })
  const stretches = [{ after: tick(now - 1200), to: tick(now) }]
  const query = rolled.ask('BTC', { ...NOTHING, ...more, stretches })
  while (query?.step() === 'more') {}
  mocked.mock.restore()
  return { read, of: query?.rows ?? 0 }
}

const NOTHING = { medians: [], largest: 0, newest: 0, traders: 0 }

test('questions about a busy token agree with the naive model', async t => {
  const { rolled, model } = await trade(t, SHORT_SPANS, { ...OFTEN, huge: 0, tokens: ['ETH'] }, 2000)
  const now = model.viewTick
  const before = rowsRead(t, rolled, now, {})
  while (rolled.summarize()) {}
  // Summaries are used: a stretch that is all of the retention reads no rows on disk but those at its ends; when those at the
  // top were seen last, one block tells.
  for (const [what, ...more] of [
    ['statistics', {}],
    ['median', { medians: [0] }],
    ['largest', { largest: 10 }],
    ['traders', { traders: 2 }],
  ] as const) {
    const { read, of } = rowsRead(t, rolled, now, more[0])
    assert.equal(of, before.of)
    assert.ok(of > 2500 && read < of / 2, `${what}: ${read} of ${of} rows were read`)
  }
})

test('with swaps that come late into what is summed up, answers agree with the naive model', async t => {
  const seldom = { ...SHORT_SPANS, runRows: 20, aheadSwaps: 100 }
  await trade(
    t,
    seldom,
    { every: 16, late: 0.8, matters: true, askEach: 160, huge: 0, tokens: ['ETH'] },
    9000,
  )
})

test('what has left the retention takes no room', async t => {
  const { rolled, model } = await trade(t, SHORT_SPANS, { ...OFTEN, huge: 0, tokens: ['ETH'] }, 1300)
  while (rolled.summarize()) {}
  const before = rolled.summaryBytes
  // Blocks leave one after the other, in the end the tokens.
  let now = model.viewTick
  for (let i = 0; i < 24; i++) {
    now += 60
    const swapped = {
      id: `other${i}`,
      time: now * 1000,
      who: 'a',
      token: 'DOGE',
      side: 'buy',
      amount: '1',
      usd: '1',
    } as const
    rolled.append({ appendTime: now * 1000, records: [swapped] })
    rolled.advance(now)
    await rolled.checkpoint()
    while (rolled.summarize()) {}
  }
  assert.ok(before > 20_000)
  // Traders' numbers stay until the token is freed.
  assert.ok(rolled.summaryBytes < 4000, `${rolled.summaryBytes} bytes`)
})

test('the largest sums that there are agree with the naive model', async t => {
  await trade(t, SHORT_SPANS, { ...OFTEN, huge: 0.02, tokens: ['ETH'] }, 1300)
})

test('with room for few summaries, which are let go all the time, answers agree with the naive model', async t => {
  const small = { ...SHORT_SPANS, runRows: 5, aheadSwaps: 20, bytesMax: 30_000 }
  await trade(t, small, { ...OFTEN, huge: 0.001, tokens: ['ETH', 'SOL', 'DOGE'] }, 1600)
})
