/// Swaps that come late into blocks and spans that are summed up, step by step: questions that are under way while these go to
/// disk and are summed up again, and the parts of an answer that single late swaps decide.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SUMMARY_LIMITS } from '../../src/core/roller/query/summaries.js'
import { RunReader } from '../../src/core/roller/storage/run-reader.js'
import { tick } from '../../src/core/units.js'
import { Model } from './model.js'
import { begun } from './questions.js'
import type { RawSwap, Rules } from './raw-swap.js'
import { Rolled } from './rolled.js'

const BLOCK = 128
/// Seconds; a block begins with it.
const START = Math.ceil(1_790_000_000 / (2 * BLOCK)) * 2 * BLOCK
const RULES: Rules = {
  windows: [['m1', 60_000]],
  resolutionMs: 1000,
  retentionMs: 12 * BLOCK * 1000,
  earlyToleranceMs: 60_000,
  dedupeHorizonMs: 60_000,
}
/// Late swaps go to disk after so many blocks have (sealing.ts).
const SWEEP_EVERY = 16

class History {
  readonly rolled = new Rolled({
    ...{ rules: RULES, startTick: START, hotRangeMs: BLOCK * 1000 },
    summaries: { ...SUMMARY_LIMITS, spanBlocks: 2, runRows: 8, askedSwaps: 0, aheadSwaps: 50 },
  })
  readonly model = new Model(RULES)
  #id = 0
  #now = START

  constructor() {
    this.model.advance(START)
  }

  /// Rolls a block of swaps that differ in size, by nine traders.
  async block(): Promise<void> {
    for (let second = 0; second < BLOCK; second += 8) {
      this.swap(this.#now + second, `t${(second / 8) % 9}`, 100 + ((second * 7 + this.#id) % 97))
    }
    this.#now += BLOCK
    this.rolled.advance(this.#now)
    this.model.advance(this.#now)
    await this.rolled.checkpoint()
  }

  swap(time: number, who: string, usd: number): void {
    const id = this.#id++
    const place = { block: 1, txIndex: 1, logIndex: id }
    const swap: RawSwap = {
      id: `s${id}`,
      time: time * 1000,
      who,
      token: 'BTC',
      side: 'buy',
      amount: '1',
      usd: String(usd),
      ...place,
    }
    const batch = { appendTime: Math.max(this.#now, time) * 1000, records: [swap] }
    this.rolled.append(batch)
    this.model.apply(batch)
  }

  sumUp(): void {
    while (this.rolled.summarize()) {}
  }

  /// Blocks [from, to), counted from the beginning.
  ask(from: number, to: number): () => string | null {
    const stretches = [{ after: tick(START + from * BLOCK - 1), to: tick(START + to * BLOCK - 1) }]
    return begun(this.rolled, this.model, 'BTC', {
      stretches,
      medians: [0],
      largest: 3,
      newest: 1,
      traders: 2,
    })
  }
}

/// Of 17 blocks, 16 are on disk, and the next one takes late swaps there too.
async function beforeSweep(): Promise<History> {
  const history = new History()
  for (let block = 0; block < SWEEP_EVERY; block++) await history.block()
  history.sumUp()
  return history
}

test('a question under way does not see what goes to disk and is summed up meanwhile', async () => {
  const history = await beforeSweep()
  for (const block of [8, 9, 10, 12]) history.swap(START + block * BLOCK + 3, `late${block}`, 5000 + block)
  history.sumUp()
  assert.equal(history.ask(6, 14)(), null)
  // Some read spans, some blocks.
  const early = [history.ask(6, 14), history.ask(7, 13), history.ask(8, 9)]
  for (const block of [9, 11]) history.swap(START + block * BLOCK + 5, 'later', 9000)
  await history.block()
  await history.block()
  history.sumUp()
  for (const end of early) assert.equal(end(), null)
  assert.equal(history.ask(7, 14)(), null)
})

test('late swaps decide what is largest, who is at the top and when they were seen last, wherever they are kept', async t => {
  const history = await beforeSweep()
  const late = (block: number, usd: number) => history.swap(START + block * BLOCK + 70, 'late', usd)
  late(9, 40_000)
  assert.equal(history.ask(7, 14)(), null, 'in memory, before it is summed up')
  history.sumUp()
  assert.equal(history.ask(7, 14)(), null, 'in memory')
  await history.block()
  await history.block()
  assert.equal(history.ask(7, 14)(), null, 'in a part')
  history.sumUp()
  assert.equal(history.ask(7, 14)(), null, 'summed up')
  late(12, 30_000)
  assert.equal(history.ask(7, 14)(), null, 'one more in memory')
  // Spans that hold them are used.
  const { readSizes } = RunReader.prototype
  let read = 0
  t.mock.method(RunReader.prototype, 'readSizes', function (this: RunReader) {
    read += this.count
    readSizes.call(this)
  })
  const stretches = [{ after: tick(START + 8 * BLOCK - 1), to: tick(START + 14 * BLOCK - 1) }]
  const query = history.rolled.ask('BTC', { stretches, medians: [], largest: 0, newest: 0, traders: 0 })
  while (query?.step() === 'more') {}
  assert.equal(query?.rows, 6 * 16 + 2)
  assert.ok(read <= 2 * 17, `${read} rows were read`)
})
