/// What every TradeArchive keeps, held against the oracle on random streams of swaps.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryStateStore } from '../../src/adapters/memory/state-store.js'
import { startPartThread } from '../../src/adapters/threads/part-making.js'
import { bucketOf, CANDLE_INTERVAL_NAMES, CANDLE_INTERVALS } from '../../src/core/candles.js'
import type { RollerConfig } from '../../src/core/roller/config.js'
import { epochMs } from '../../src/core/units.js'
import type { StateStore } from '../../src/ports/state-store.js'
import type { TradeArchive } from '../../src/ports/trade-archive.js'
import { backfill } from '../../src/roles/backfill.js'
import { oracleCandles, oracleTrades, type PlainCandle } from '../oracle/candles.js'
import { Oracle } from '../oracle/oracle.js'
import { Differences } from '../simulation/difference.js'
import { fixed } from '../simulation/model.js'
import { Random, testSeed } from '../simulation/random.js'
import { DEFAULT_RULES, isSwap, type RawBatch } from '../simulation/raw-swap.js'
import { Rolled } from '../simulation/rolled.js'
import { ODD_TOKENS, SwapStream } from '../simulation/streams.js'

import {
  DAY,
  EVER,
  HOUR,
  MINUTE,
  type OpenArchive,
  plainCandle,
  SECOND,
  START,
  tradesOf,
} from './archive-writer.js'

export function streamTests(opened: OpenArchive): void {
  test('a roller that is rebuilt from it answers what SQL computes, and goes on with the log', async t => {
    const seed = testSeed()
    t.diagnostic(`VOLUMER_SEED=${seed}`)
    const random = new Random(seed)
    const batches = stream(random)
    const oracle = await Oracle.open(DEFAULT_RULES, { kind: 'log', batches })
    t.after(() => oracle.close())
    const { writer } = await opened(t)
    const hotRangeMs = random.pick([1, 10, 60, 300]) * MINUTE
    const rolled = new Rebuilt(hotRangeMs)
    const differences = new Differences()
    let since: RawBatch[] = []
    for (const [at, batch] of batches.entries()) {
      since.push(batch)
      rolled.append(batch)
      if (random.chance(0.3)) rolled.advance(Math.floor(batch.appendTime / SECOND) + random.below(3))
      if (!random.chance(0.03) && at < batches.length - 1) continue
      await writer.append(...since)
      since = []
      rolled.advance(Math.floor(writer.logTime / SECOND))
      await rolled.rebuild(writer.archive, random)
      const tick = rolled.viewTick
      const expected = await oracle.answers(tick, writer.next, `0:${writer.next}:${tick}`)
      differences.compareAll(tick * SECOND, rolled.answers(), expected)
    }
    for (const step of [1, 59, 3600, 80_000, 3000]) {
      rolled.advance(rolled.viewTick + step)
      const tick = rolled.viewTick
      const expected = await oracle.answers(tick, writer.next, `0:${writer.next}:${tick}`)
      differences.compareAll(tick * SECOND, rolled.answers(), expected)
    }
    assert.equal(differences.count, 0, differences.report())
    assert.ok(differences.compared > 30, 'too little was compared')
    assert.ok(rolled.rebuilds > 0)
  })

  test('random streams: trades and candles are what SQL computes, at any time', async t => {
    const seed = testSeed()
    t.diagnostic(`VOLUMER_SEED=${seed}`)
    const { writer, reopen, place } = await opened(t)
    const batches = stream(new Random(seed))
    const oracle = await Oracle.open(DEFAULT_RULES, { kind: 'log', batches })
    t.after(() => oracle.close())
    const random = new Random(seed + 1)
    let archived = 0
    let since: RawBatch[] = []
    for (const [at, batch] of batches.entries()) {
      since.push(batch)
      const last = at === batches.length - 1
      if (!last && !random.chance(0.1)) continue
      archived += (await writer.append(...since)).archived
      since = []
      const logTime = Math.max(...batches.slice(0, at + 1).map(({ appendTime }) => appendTime))
      if (random.chance(0.3)) await writer.archive.maintain(0, epochMs(logTime))
      if (place.durable && random.chance(0.1)) await reopen()
      if (last || random.chance(0.1))
        await compare(writer.archive, oracle, batches, writer.next, last ? 1 : 5)
    }
    assert.equal(archived, oracle.fates.accepted)
  })
}

/// A roller whose state is thrown away and rebuilt from an archive.
class Rebuilt extends Rolled {
  rebuilds = 0
  readonly #config: RollerConfig
  readonly #place: { store: StateStore }

  constructor(hotRangeMs: number) {
    const place: { store: StateStore } = { store: new MemoryStateStore() }
    const startTick = Math.floor(START / SECOND)
    super({ rules: DEFAULT_RULES, startTick, hotRangeMs, openStore: () => place.store })
    this.#place = place
    const windows = DEFAULT_RULES.windows.map(([name, lengthMs]) => ({ name, lengthMs }))
    this.#config = { ...DEFAULT_RULES, windows, partition: 0, admission: 'log-time', hotRangeMs }
  }

  /// Killed and begun again at random moments.
  async rebuild(archive: TradeArchive, random: Random): Promise<void> {
    const store = new MemoryStateStore()
    const reader = await archive.openRows(0, epochMs(0))
    assert.ok(reader !== null)
    const before = random.chance(0.3) ? epochMs(reader.position.logTime - random.below(2 * HOUR)) : null
    const target = (before === null ? null : await reader.positionBefore(before)) ?? reader.position
    const accepted = await reader.count(EVER.from, EVER.to, target.offset)
    for (let killed = true; killed; ) {
      killed = false
      const options = {
        config: this.#config,
        target: { ...target, position: target.offset, accepted },
        from: EVER.from,
      }
      await backfill({
        ...{ ...options, reader, store, startPartMaking: startPartThread },
        progress: () => {
          if (random.chance(0.1)) throw new Killed()
        },
        nextTurn: async () => {
          if (random.chance(0.02)) throw new Killed()
        },
      }).catch(error => {
        if (!(error instanceof Killed)) throw error
        killed = true
      })
    }
    await reader.close()
    assert.equal(store.position(), target.offset)
    this.#place.store = store
    await this.crash(this.viewTick)
    this.rebuilds++
  }
}

class Killed extends Error {}

const TOKENS = [...ODD_TOKENS, ...Array.from({ length: 8 }, (_, i) => `token ${i}`)]
const TRADERS = Array.from({ length: 25 }, (_, i) => `trader ${i}`)
const BATCHES = 240

/// 50 hours of log time, so that days close.
function stream(random: Random): RawBatch[] {
  const swaps = new SwapStream(random, {
    tokens: TOKENS,
    traders: TRADERS,
    startMs: START + 123,
    rules: DEFAULT_RULES,
    batchMost: 12,
    pauseMsMost: (2 * 50 * HOUR) / BATCHES,
    idAlphabet: null,
    duplicateChance: 0.15,
    invalidChance: 0.01,
  })
  return Array.from({ length: BATCHES }, () => swaps.batch())
}

/// Windows are what the oracle's minutes sum up to.
async function compareWindows(
  archive: TradeArchive,
  oracle: Oracle,
  tokens: readonly string[],
  upTo: number,
): Promise<void> {
  const expected = await oracleCandles(oracle, MINUTE, upTo)
  const sum = (candles: readonly PlainCandle[], pick: (candle: PlainCandle) => string) =>
    candles.reduce((total, candle) => total + fixed(pick(candle), 6), 0n)
  for (const token of tokens) {
    const { windows } = await archive.windows(token, [7 * MINUTE, HOUR, 7 * DAY])
    assert.equal(windows.length, 3)
    for (const { from, to, buyUsd, sellUsd, buys, sells, open, high, low, close } of windows) {
      const inside = (expected.get(token) ?? []).filter(({ time }) => time >= from && time < to)
      const priced = inside.filter(candle => candle.close !== null)
      assert.deepEqual(
        [buyUsd, sellUsd, buys, sells, open, close],
        [
          sum(inside, ({ buyVolume }) => buyVolume),
          sum(inside, ({ sellVolume }) => sellVolume),
          inside.reduce((total, candle) => total + candle.buys, 0),
          inside.reduce((total, candle) => total + candle.sells, 0),
          priced[0]?.open ?? null,
          priced.at(-1)?.close ?? null,
        ],
        `window of ${token} from ${from} below offset ${upTo}`,
      )
      const extreme = (of: typeof Math.max, pick: (candle: PlainCandle) => number | null) =>
        priced.length === 0 ? null : of(...priced.map(candle => pick(candle) ?? Number.NaN))
      assert.deepEqual([high, low], [extreme(Math.max, c => c.high), extreme(Math.min, c => c.low)])
    }
  }
}

async function compare(
  archive: TradeArchive,
  oracle: Oracle,
  batches: readonly RawBatch[],
  upTo: number,
  /// One token and one trader in so many.
  every: number,
): Promise<void> {
  const chosen = (names: readonly string[]) => names.filter((_, i) => i % every === upTo % every)
  const tokens = chosen(TOKENS)
  const traders = chosen(TRADERS)
  for (const interval of CANDLE_INTERVAL_NAMES) {
    const expected = await oracleCandles(oracle, CANDLE_INTERVALS[interval], upTo)
    for (const token of tokens) {
      const found = await archive.candles({ token, interval, ...EVER })
      assert.deepEqual(
        found.map(plainCandle),
        expected.get(token) ?? [],
        `candles of ${interval} of ${token} below offset ${upTo}`,
      )
    }
  }
  await compareWindows(archive, oracle, tokens, upTo)
  const records = batches.flatMap(batch => batch.records)
  const sent = (seq: number) => {
    const record = records[seq]
    return record !== undefined && isSwap(record) ? [record.id, record.time] : null
  }
  for (const of of [...tokens.map(token => ({ token })), ...traders.map(who => ({ who }))]) {
    const expected = (await oracleTrades(oracle, of, upTo)).map(sent)
    const found = await tradesOf(archive, of, 100_000)
    assert.deepEqual(
      found.map(({ id, time }) => [id, time]),
      expected,
      `trades of ${JSON.stringify(of)} below offset ${upTo}`,
    )
  }
  let scanned = 0
  let hour = 0
  for await (const swaps of archive.scan(EVER.from, EVER.to)) {
    for (const { time } of swaps) {
      scanned++
      assert.ok(bucketOf(time, HOUR) >= hour, 'hours ascend')
      hour = bucketOf(time, HOUR)
    }
  }
  assert.equal(scanned, await oracle.number(`SELECT count(*) FROM accepted WHERE seq < ${upTo}`))
}
