/// What every TradeArchive keeps (src/ports/trade-archive.ts).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CANDLE_INTERVAL_NAMES } from '../../src/core/candles.js'
import { epochMs, offset } from '../../src/core/units.js'
import type { Archived, ArchivedSwap } from '../../src/ports/trade-archive.js'
import { BatchBuilder } from '../../src/roles/archiver/batch-builder.js'
import { Random } from '../simulation/random.js'
import { DEFAULT_RULES, ndjson, type RawSwap } from '../simulation/raw-swap.js'

import {
  ARCHIVE_RULES,
  DAY,
  EVER,
  HOUR,
  idsOf,
  type MakeArchivePlace,
  MINUTE,
  minutesOf,
  opener,
  plainCandle,
  START,
  swap,
  tradesOf,
  Writer,
} from './archive-writer.js'
import { streamTests } from './trade-archive-streams.js'

export function tradeArchiveContract(name: string, make: MakeArchivePlace): void {
  const opened = opener(make)
  describe(`TradeArchive, ${name}`, { concurrency: false }, () => {
    test('an empty archive knows nothing, and says so', async t => {
      const { archive } = await opened(t)
      assert.equal(await archive.position(0), null)
      assert.deepEqual(await idsOf(archive), [])
      assert.deepEqual(await minutesOf(archive), [])
      assert.equal(await archive.closeBefore('BTC', epochMs(START)), null)
      const { tradesFrom, candlesFrom } = await archive.summary()
      assert.deepEqual({ tradesFrom, candlesFrom }, { tradesFrom: 0, candlesFrom: 0 })
    })

    test('swaps come back as they were sent, at every limit', async t => {
      const { archive, writer } = await opened(t)
      const sent: RawSwap[] = [
        swap('all', START + 1, {
          price: '0.1',
          block: 2 ** 53 - 1,
          txIndex: 2 ** 31 - 1,
          logIndex: 0,
          tx: '0xabc',
          chain: 'ethereum',
        } as Partial<RawSwap>),
        swap('nothing', START + 2, { amount: '0', usd: '0', side: 'sell' }),
        swap('least', START + 3, { amount: '0.000000000000000001', usd: '0.000001', price: '1e-40' }),
        swap('most', START + 4, {
          amount: '999999999999999999.999999999999999999',
          usd: '9000000000',
          price: '1e40',
        }),
        swap('odd \u0000 "\' \\ % 🦄 é', START + 5, { who: '\u0000\u{10ffff}', token: 'BTC' }),
        swap('third', START + 6, { amount: '3', usd: '1' }),
      ]
      assert.deepEqual(await writer.swaps(START + 6, ...sent), {
        archived: 6,
        duplicates: 0,
        expired: 0,
      })
      const common = { who: 'alice', token: 'BTC', side: 'buy', amount: '2', usd: 100_000_000, price: 50 }
      const none = { block: null, txIndex: null, logIndex: null, tx: null, chain: null }
      const expected = [
        {
          ...common,
          id: 'all',
          price: 0.1,
          block: 2 ** 53 - 1,
          txIndex: 2 ** 31 - 1,
          logIndex: 0,
          tx: '0xabc',
          chain: 'ethereum',
        },
        { ...common, ...none, id: 'nothing', amount: '0', usd: 0, price: null, side: 'sell' },
        { ...common, ...none, id: 'least', amount: '0.000000000000000001', usd: 1, price: 1e-40 },
        {
          ...common,
          ...none,
          id: 'most',
          amount: '999999999999999999.999999999999999999',
          usd: 9e15,
          price: 1e40,
        },
        { ...common, ...none, id: 'odd \u0000 "\' \\ % 🦄 é', who: '\u0000\u{10ffff}' },
        { ...common, ...none, id: 'third', amount: '3', usd: 1_000_000, price: 1 / 3 },
      ].map((fields, i) => {
        return { ...fields, time: START + 1 + i, partition: 0, offset: i, logTime: START + 6 }
      })
      assert.deepEqual([...(await tradesOf(archive, { token: 'BTC' }))].reverse(), expected)
      assert.equal((await tradesOf(archive, { who: '\u0000\u{10ffff}' })).length, 1)
      const scanned: ArchivedSwap[] = []
      for await (const swaps of archive.scan(EVER.from, EVER.to)) scanned.push(...swaps)
      assert.deepEqual(scanned, expected)
    })

    test('the position moves with what is appended, and a batch counts once', async t => {
      const { archive, writer } = await opened(t)
      await writer.swaps(START, swap('a', START), { invalid: 'nonsense' }, swap('b', START))
      assert.deepEqual(await archive.position(0), { offset: 3, logTime: START })
      await writer.swaps(START + 5, { invalid: '{}' })
      assert.deepEqual(await archive.position(0), { offset: 4, logTime: START + 5 })
      const again = new Writer(archive)
      await assert.rejects(again.swaps(START, swap('a', START)), { code: 'E_POSITION_MOVED' })
      await assert.rejects(new Writer(archive, 0, 7).swaps(START, swap('c', START)), {
        code: 'E_POSITION_MOVED',
      })
      assert.deepEqual(await idsOf(archive), ['b', 'a'])
      assert.deepEqual(await archive.position(0), { offset: 4, logTime: START + 5 })
      assert.equal(await archive.position(1), null)
    })

    test('partitions have positions of their own', async t => {
      const { archive, writer } = await opened(t)
      await writer.swaps(START, swap('a', START))
      await new Writer(archive, 7, 100).swaps(START + 1, swap('b', START, { token: 'ETH' }))
      assert.deepEqual(await archive.position(0), { offset: 1, logTime: START })
      assert.deepEqual(await archive.position(7), { offset: 101, logTime: START + 1 })
      assert.deepEqual(await idsOf(archive, { token: 'ETH' }), ['b'])
      // Each has a roller of its own, which knows nothing of the others' ids.
      await new Writer(archive, 7, 101).swaps(START + 1, swap('a', START, { token: 'ETH' }))
      assert.deepEqual(await idsOf(archive, { token: 'ETH' }), ['b', 'a'])
    })

    test('records that the log dropped are skipped', async t => {
      const { archive, writer } = await opened(t)
      await writer.swaps(START, swap('a', START))
      await archive.skip(0, offset(1), offset(50), epochMs(START + 9))
      assert.deepEqual(await archive.position(0), { offset: 50, logTime: START + 9 })
      await new Writer(archive, 0, 50).swaps(START + 9, swap('b', START + 1))
      assert.deepEqual(await idsOf(archive), ['b', 'a'])
      await assert.rejects(archive.skip(0, offset(1), offset(60), epochMs(START)), {
        code: 'E_POSITION_MOVED',
      })
    })

    test('an id counts once within the horizon, and always within its slice', async t => {
      const { archive, writer } = await opened(t)
      const counted: Record<string, Archived> = {}
      counted.batch = await writer.swaps(
        START,
        swap('a', START),
        swap('a', START, { usd: '7' }),
        swap('a', START - 5000),
      )
      counted.sameAgain = await writer.swaps(START + HOUR - 1, swap('a', START))
      counted.anotherTime = await writer.swaps(START + HOUR - 1, swap('a', START + 5000))
      // Beyond the horizon: the slice tells, by whichever millisecond of it.
      counted.slice = await writer.swaps(START + HOUR, swap('a', START + 999))
      counted.beyond = await writer.swaps(START + HOUR, swap('a', START + 1000))
      // The duplicates since have not made the id younger.
      counted.again = await writer.swaps(START + 2 * HOUR - 1, swap('a', START + 2000))
      counted.anew = await writer.swaps(START + 2 * HOUR, swap('a', START + 2000))
      assert.deepEqual(
        Object.fromEntries(Object.entries(counted).map(([what, { archived }]) => [what, archived])),
        { batch: 1, sameAgain: 0, anotherTime: 0, slice: 0, beyond: 1, again: 0, anew: 1 },
      )
      assert.deepEqual(
        (await tradesOf(archive, { token: 'BTC' })).map(({ time, usd }) => [time - START, usd]),
        [
          [2000, 100_000_000],
          [1000, 100_000_000],
          [0, 100_000_000],
        ],
      )
    })

    test('candles: a late swap changes each that it belongs to', async t => {
      const { archive, writer } = await opened(t)
      const at = START + 12 * HOUR
      await writer.swaps(
        at + 90_000,
        swap('b', at + 61_000, { usd: '300' }),
        swap('c', at + 62_000, { usd: '200' }),
      )
      const candle = (minute: number, prices: readonly (number | null)[], buys: string, count: number) => {
        const [open = null, high = null, low = null, close = null] = prices
        const numbers = { buyVolume: buys, sellVolume: '0', buys: count, sells: 0, traders: 1 }
        return { time: at + minute * MINUTE, open, high, low, close, ...numbers }
      }
      assert.deepEqual(await minutesOf(archive), [candle(1, [150, 150, 100, 100], '500', 2)])
      await writer.swaps(at + 91_000, swap('a', at + 60_000, { usd: '500' }), swap('z', at, { usd: '0' }))
      assert.deepEqual(await minutesOf(archive), [
        candle(0, [], '0', 1),
        candle(1, [250, 250, 100, 100], '1000', 3),
      ])
      const [hour] = await archive.candles({ token: 'BTC', interval: '1h', ...EVER })
      assert.deepEqual(
        hour === undefined ? null : plainCandle(hour),
        candle(0, [250, 250, 100, 100], '1000', 4),
      )
    })

    test('candles: traders are distinct in every interval, in whatever order swaps come', async t => {
      const { archive, writer } = await opened(t)
      // Offsets into the day at which two traders trade, in an order that jumps about.
      const times = [
        9 * HOUR,
        9 * HOUR + 61_000,
        2 * HOUR,
        9 * HOUR + 20 * MINUTE,
        2 * HOUR + 1,
        5 * HOUR,
        23 * HOUR,
      ]
      const now = START + DAY
      for (const [i, time] of times.entries()) {
        const who = i % 3 === 0 ? 'bob' : 'alice'
        await writer.swaps(
          now,
          swap(`s${i}`, START + time, { who }),
          swap(`t${i}`, START + time, { who: 'carol' }),
        )
        await archive.maintain(0, epochMs(now))
      }
      const counts: Record<string, number[]> = {}
      for (const interval of CANDLE_INTERVAL_NAMES) {
        const found = await archive.candles({ token: 'BTC', interval, ...EVER })
        counts[interval] = found.map(({ traders }) => traders)
      }
      assert.deepEqual(counts, {
        '1s': [2, 2, 2, 2, 2, 2],
        '1m': [2, 2, 2, 2, 2, 2],
        '5m': [2, 2, 3, 2, 2],
        '15m': [2, 2, 3, 2, 2],
        '1h': [2, 2, 3, 2],
        '4h': [2, 2, 3, 2],
        '1d': [3],
      })
    })

    test('candles of a busy second: traders who come again count once', async t => {
      const { archive, writer } = await opened(t)
      const swaps = [0, 1, 0, 1].flatMap((second, round) =>
        Array.from({ length: 60 }, (_, i) =>
          swap(`${round}:${i}`, START + second * 1000 + i * 16 + round, { who: `trader ${i}` }),
        ),
      )
      await writer.swaps(START + 2000, ...swaps)
      const found = await archive.candles({ token: 'BTC', interval: '1s', ...EVER })
      assert.deepEqual(
        found.map(({ time, buys, traders }) => [time - START, buys, traders]),
        [
          [0, 120, 60],
          [1000, 120, 60],
        ],
      )
    })

    test('candles begin within the range that is asked for', async t => {
      const { archive, writer } = await opened(t)
      for (let i = 0; i < 5; i++) await writer.swaps(START + HOUR, swap(`s${i}`, START + i * MINUTE))
      const asked = async (from: number, to: number) =>
        (
          await archive.candles({
            token: 'BTC',
            interval: '1m',
            from: epochMs(START + from),
            to: epochMs(START + to),
          })
        ).map(({ time }) => (time - START) / MINUTE)
      assert.deepEqual(await asked(MINUTE, 3 * MINUTE), [1, 2])
      assert.deepEqual(await asked(MINUTE + 1, 3 * MINUTE + 1), [2, 3])
      assert.deepEqual(await asked(MINUTE, MINUTE), [])
      assert.deepEqual(await asked(10 * MINUTE, 90 * MINUTE), [])
      assert.deepEqual(await archive.candles({ token: 'nobody’s', interval: '1m', ...EVER }), [])
    })

    test('the close before a time is found days back', async t => {
      const { archive, writer } = await opened(t)
      const now = START + 3 * DAY
      await writer.swaps(now - 2 * DAY - HOUR, swap('a', now - 2 * DAY - HOUR, { usd: '10' }))
      await archive.maintain(0, epochMs(now - 2 * DAY))
      await writer.swaps(
        now,
        swap('b', now - 10 * MINUTE, { usd: '20' }),
        swap('c', now - 5 * MINUTE, { usd: '0' }),
        swap('d', now - 10 * MINUTE + 1, { usd: '30' }),
      )
      const before = (ms: number) => archive.closeBefore('BTC', epochMs(now - ms))
      for (let turn = 0; turn < 2; turn++) {
        assert.equal(await before(0), 15)
        assert.equal(await before(9 * MINUTE), 15)
        assert.equal(await before(10 * MINUTE), 5)
        assert.equal(await before(2 * DAY), 5)
        assert.equal(await before(2 * DAY + 2 * HOUR), null)
        assert.equal(await archive.closeBefore('ETH', epochMs(now)), null)
        await archive.maintain(0, epochMs(now + HOUR))
      }
    })

    test('long windows are whole minutes up to that of asOf', async t => {
      const { archive, writer } = await opened(t)
      const empty = await archive.windows('BTC', [HOUR])
      assert.deepEqual([empty.asOf, empty.windows], [null, []])
      const now = START + 10 * DAY + 30_000
      const minute = START + 10 * DAY
      await writer.swaps(minute - 8 * DAY, swap('old', minute - 8 * DAY, { usd: '8' }))
      await writer.swaps(
        minute - 7 * DAY,
        swap('just out', minute + MINUTE - 7 * DAY - 1, { usd: '1000' }),
        swap('in', minute + MINUTE - 7 * DAY, { usd: '7' }),
      )
      await writer.swaps(
        now,
        swap('sold', minute - HOUR, { usd: '5', side: 'sell' }),
        swap('unpriced', minute - 1, { usd: '0' }),
        swap('last', now, { usd: '3' }),
        swap('ahead', minute + MINUTE, { usd: '2000' }),
      )
      const { asOf, windows, completeFrom } = await archive.windows('BTC', [HOUR, 7 * DAY])
      assert.deepEqual([asOf, completeFrom], [now, 0])
      const to = minute + MINUTE
      const prices = { open: 1.5, high: 1.5, low: 1.5, close: 1.5 }
      assert.deepEqual(windows, [
        { from: to - HOUR, to, ...prices, buyUsd: 3_000_000n, sellUsd: 0n, buys: 2, sells: 0 },
        {
          ...{ from: to - 7 * DAY, to, open: 3.5, high: 3.5, low: 1.5, close: 1.5 },
          ...{ buyUsd: 10_000_000n, sellUsd: 5_000_000n, buys: 3, sells: 1 },
        },
      ])
      await archive.maintain(0, epochMs(now + 45_000))
      const later = await archive.windows('BTC', [HOUR])
      assert.deepEqual([later.asOf, later.windows[0]?.to], [now + 45_000, to + MINUTE])
      const [none] = (await archive.windows('NONE', [2 * MINUTE])).windows
      assert.deepEqual([none?.from, none?.buys, none?.open, none?.buyUsd], [to - MINUTE, 0, null, 0n])
    })

    test('it is known from when on nothing is missing', async t => {
      const { archive, writer } = await opened(t)
      const tolerance = ARCHIVE_RULES.earlyToleranceMs
      const completeFrom = async () => (await archive.summary()).completeFrom
      await writer.swaps(START, swap('a', START))
      assert.equal(await completeFrom(), 0, 'it began with its log')
      await archive.skip(0, offset(1), offset(50), epochMs(START))
      const after = new Writer(archive, 0, 50)
      await after.swaps(START + HOUR, swap('b', START + HOUR))
      assert.equal(await completeFrom(), START + HOUR + tolerance)
      await after.swaps(START + 2 * HOUR, swap('c', START + 2 * HOUR))
      await new Writer(archive, 3, 0).swaps(START + 3 * HOUR, swap('d', START))
      assert.equal(await completeFrom(), START + HOUR + tolerance)
      await new Writer(archive, 4, 7).swaps(START + 4 * HOUR, { invalid: 'x' })
      assert.equal(await completeFrom(), START + 4 * HOUR + tolerance, 'its log is older')
    })

    test('trades come newest first in pages, without a hole or a repetition', async t => {
      const { archive, writer } = await opened(t)
      const random = new Random(7)
      const now = START + 5 * HOUR
      const sent: RawSwap[] = []
      // Few times, so that all parts of the order decide; some hours, so that pages cross them.
      for (let i = 0; i < 300; i++) {
        const place = random.below(3)
        sent.push(
          swap(`id${i}`, now - random.below(4) * HOUR - random.below(3), {
            who: random.chance(0.5) ? 'alice' : 'bob',
            token: random.chance(0.7) ? 'BTC' : 'ETH',
            ...(place > 0 ? { block: random.below(2) } : {}),
            ...(place > 1 ? { txIndex: random.below(2), logIndex: i } : {}),
          }),
        )
      }
      await writer.swaps(now, ...sent)
      await archive.maintain(0, epochMs(now))
      const ordered = [...sent].sort(
        (a, b) =>
          b.time - a.time ||
          (b.block ?? -1) - (a.block ?? -1) ||
          (b.txIndex ?? -1) - (a.txIndex ?? -1) ||
          (b.logIndex ?? -1) - (a.logIndex ?? -1) ||
          Buffer.compare(Buffer.from(b.id), Buffer.from(a.id)),
      )
      for (const of of [{ token: 'ETH' }, { who: 'bob' }, { token: 'BTC' }]) {
        const expected = ordered
          .filter(({ token, who }) => ('token' in of ? token === of.token : who === of.who))
          .map(({ id }) => id)
        const paged: string[] = []
        let after: ArchivedSwap | null = null
        for (;;) {
          const page: readonly ArchivedSwap[] = await archive.trades({ of, ...EVER, limit: 17, after })
          paged.push(...page.map(({ id }) => id))
          after = page.at(-1) ?? null
          if (page.length < 17) break
          // What comes in between belongs to pages before.
          if (paged.length === 34 && 'token' in of) {
            await writer.swaps(now, swap(`new ${of.token}`, now + 5, { ...of, who: 'carol' }))
          }
        }
        assert.deepEqual(paged, expected)
      }
      const ranged = await archive.trades({
        of: { token: 'BTC' },
        from: epochMs(now - 2 * HOUR - 1),
        to: epochMs(now - HOUR),
        limit: 1000,
        after: null,
      })
      assert.deepEqual(
        ranged.map(({ id }) => id),
        ordered
          .filter(({ token, time }) => token === 'BTC' && time >= now - 2 * HOUR - 1 && time < now - HOUR)
          .map(({ id }) => id),
      )
    })

    test('what is older than the limits goes, whole hours and days, and is not taken any more', async t => {
      const { archive, writer } = await opened(t, {
        tradesRetentionMs: 30 * HOUR,
        candlesRetentionMs: 3 * DAY,
      })
      for (let hour = 0; hour < 6 * 24; hour += 5) {
        const time = START + hour * HOUR
        await writer.swaps(
          time,
          swap(`s${hour}`, time, { usd: String(hour + 1), token: hour < 30 ? 'OLD' : 'BTC' }),
        )
      }
      const now = START + 6 * DAY
      await archive.maintain(0, epochMs(now))
      const { tradesFrom, candlesFrom } = await archive.summary()
      assert.ok(tradesFrom <= now - 30 * HOUR && tradesFrom > now - 36 * HOUR, `trades from ${tradesFrom}`)
      assert.ok(candlesFrom <= now - 3 * DAY && candlesFrom > now - 5 * DAY, `candles from ${candlesFrom}`)
      const trades = await tradesOf(archive, { token: 'BTC' })
      assert.deepEqual(
        trades.map(({ time }) => (time - START) / HOUR),
        [140, 135, 130, 125, 120, 115].filter(hour => START + hour * HOUR >= tradesFrom),
      )
      const days = await archive.candles({ token: 'BTC', interval: '1d', ...EVER })
      assert.deepEqual(
        days.map(({ time }) => (time - START) / DAY),
        [3, 4, 5],
      )
      assert.deepEqual(await idsOf(archive, { token: 'OLD' }), [])
      // A retention that was shorter before would let such a swap through.
      const old = new BatchBuilder(
        0,
        { ...DEFAULT_RULES, retentionMs: 9 * DAY },
        {
          offset: writer.next,
          logTime: epochMs(now),
        },
      )
      const bytes = ndjson([swap('old', START + 2 * DAY)])
      await old.add(
        {
          partition: 0,
          firstOffset: writer.next,
          count: 1,
          appendTime: epochMs(now),
          bytes,
          ranges: null,
          broken: null,
        },
        async () => {},
      )
      assert.deepEqual(await archive.append(old.take()), { archived: 0, duplicates: 0, expired: 1 })
    })

    test('the age of what is stored is that of the slowest partition', async t => {
      const { archive, writer } = await opened(t, { tradesRetentionMs: 30 * HOUR })
      const slow = new Writer(archive, 1)
      await writer.swaps(START, swap('a', START))
      await slow.swaps(START, swap('b', START))
      await writer.swaps(START + 3 * DAY, swap('c', START + 3 * DAY))
      await archive.maintain(0, epochMs(START + 3 * DAY))
      assert.ok((await archive.summary()).tradesFrom < START)
      assert.deepEqual(await slow.swaps(START + HOUR, swap('d', START)), {
        archived: 1,
        duplicates: 0,
        expired: 0,
      })
      await archive.maintain(1, epochMs(START + 3 * DAY))
      assert.ok((await archive.summary()).tradesFrom > START)
      assert.deepEqual(await idsOf(archive), ['c'])
    })

    test('questions are answered from one state while batches are stored', async t => {
      const { archive, writer } = await opened(t)
      let done = false
      const asking = (async () => {
        let asked = 0
        let before = 0
        while (!done) {
          // Each batch has a swap in every one of ten hours: a state has all ten or none.
          const found = await archive.candles({ token: 'BTC', interval: '1h', ...EVER })
          const counts = new Set(found.map(({ buys }) => buys))
          assert.ok(
            counts.size <= 1 && (found.length === 0 || found.length === 10),
            JSON.stringify([...counts]),
          )
          const [count = 0] = counts
          assert.ok(count >= before, 'a later question knows no less')
          before = count
          asked++
        }
        return asked
      })()
      const now = START + 10 * HOUR
      for (let i = 0; i < 30; i++) {
        await writer.swaps(
          now,
          ...Array.from({ length: 10 }, (_, hour) => swap(`${i}:${hour}`, START + hour * HOUR)),
        )
        if (i % 7 === 0) await archive.maintain(0, epochMs(now + i * MINUTE))
      }
      done = true
      assert.ok((await asking) > 3)
    })

    streamTests(opened)
  })
}
