/// What every StatsFeed keeps (src/ports/stats-feed.ts).
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { FIELDS_PER_WINDOW, type StatsUpdate } from '../../src/core/stats.js'
import { epochMs, offset, tick } from '../../src/core/units.js'
import type { PartitionReport, StatsFeed } from '../../src/ports/stats-feed.js'
import { until } from '../wait/eventually.js'

/// Opens an empty feed of two windows that goes with the test.
export type OpenStatsFeed = (t: TestContext) => StatsFeed | Promise<StatsFeed>

export const FEED_WINDOWS_MS = [60_000, 300_000]

export function update(token: string, at: number, second = 0): StatsUpdate {
  const cells = new Float64Array(FEED_WINDOWS_MS.length * FIELDS_PER_WINDOW)
  for (let i = 0; i < cells.length; i++) cells[i] = i % 3 === 0 ? Number.NaN : at * 1000 + second + i
  return {
    token,
    partition: 0,
    offset: offset(at),
    tick: tick(second),
    asOf: epochMs(second * 1000),
    price: at,
    firstSeen: epochMs(0),
    lastSeen: epochMs(second * 1000),
    cells,
  }
}

export const gone = (token: string, at: number): StatsUpdate => ({
  token,
  partition: 0,
  offset: offset(at),
  tick: tick(0),
  cells: null,
})

const GAPS = [{ from: offset(2), to: offset(4), until: epochMs(1_790_000_000_000) }]
const FATES = { accepted: 1, duplicate: 2, late: 3, early: 4, invalid: 5, conflict: 1 }

export const report = (partition: number, replica: string, rolled: number): PartitionReport => ({
  ...{
    partition,
    replica,
    instance: 'host:1',
    address: null,
    secret: null,
    at: epochMs(Date.now()),
    state: 'live',
  },
  ...{ first: offset(0), end: offset(10), rolled: offset(rolled), checkpointed: offset(0) },
  ...{ logTime: null, viewTime: epochMs(5000), fates: FATES, gaps: GAPS },
})

const text = ({ token, offset, tick, cells }: StatsUpdate) =>
  `${token} ${offset}:${tick}${cells === null ? ' gone' : ''}`

interface Followed {
  readonly seen: string[]
  readonly updates: StatsUpdate[]
  readonly end: () => void
  /// What was seen of a token, in order.
  of(token: string): string[]
}

/// Follows and notes what comes.
export function followed(feed: StatsFeed): Followed {
  const seen: string[] = []
  const updates: StatsUpdate[] = []
  const end = feed.follow({
    onUpdates: some => {
      updates.push(...some)
      seen.push(...some.map(text))
    },
    onCaughtUp: () => seen.push('caught up'),
  })
  return { seen, updates, end, of: token => seen.filter(line => line.startsWith(`${token} `)) }
}

const caughtUp = (follower: Followed) => until(() => follower.seen.includes('caught up'), 'it has caught up')
const ofToken = (follower: Followed, token: string, count: number) =>
  until(() => follower.of(token).length >= count, `${count} updates of ${token}: ${follower.seen}`)

export function statsFeedContract(name: string, open: OpenStatsFeed): void {
  const opened = async (t: TestContext) => {
    const feed = await open(t)
    t.after(() => feed.close())
    return feed
  }

  describe(`StatsFeed, ${name}`, () => {
    test('reports reach every follower, and the last ones also those that come later', async t => {
      const feed = await opened(t)
      const heard: string[][] = [[], []]
      const follow = (i: number) =>
        feed.follow({
          onUpdates: () => {},
          onCaughtUp: () => {},
          onReports: reports => {
            for (const one of reports)
              heard[i]?.push(`${one.replica}/${one.partition} ${one.state} ${one.rolled}`)
            assert.deepEqual(
              reports.map(({ gaps, fates }) => ({ gaps, fates })),
              reports.map(() => ({ gaps: GAPS, fates: FATES })),
            )
          },
        })
      const endFirst = follow(0)
      feed.report([report(0, 'a', 5), report(1, 'a', 7)])
      await until(() => heard[0]?.includes('a/1 live 7') === true, 'the first one has heard')
      feed.report([report(1, 'a', 9), report(1, 'b', 3)])
      await until(() => heard[0]?.includes('b/1 live 3') === true, 'the first one has heard more')
      follow(1)
      await until(
        () => ['a/0 live 5', 'a/1 live 9', 'b/1 live 3'].every(line => heard[1]?.includes(line)),
        'so has the second',
      )
      endFirst()
    })

    test('a follower gets the newest of each token, is told so, then gets what comes', async t => {
      const feed = await opened(t)
      const first = followed(feed)
      feed.publish([update('BTC', 1), update('ETH', 2)])
      feed.publish([update('BTC', 3)])
      await caughtUp(first)
      await ofToken(first, 'BTC', 1)
      const second = followed(feed)
      await caughtUp(second)
      const before = second.seen.slice(0, second.seen.indexOf('caught up'))
      assert.deepEqual(before.sort(), ['BTC 3:0', 'ETH 2:0'])
      feed.publish([update('ETH', 4), update('__proto__', 4)])
      await ofToken(second, '__proto__', 1)
      assert.deepEqual(second.of('ETH').at(-1), 'ETH 4:0')
      assert.equal(second.seen.filter(line => line === 'caught up').length, 1)
    })

    test('an update arrives whole', async t => {
      const feed = await opened(t)
      const wanted = [update('BTC', 7, 1_790_000_000), update('Ünïcode 🦄', 8), update('N', 9)]
      feed.publish(wanted)
      const follower = followed(feed)
      for (const { token } of wanted) await ofToken(follower, token, 1)
      for (const want of wanted) {
        const got = follower.updates.find(({ token }) => token === want.token)
        assert.deepEqual({ ...got, rolledAt: undefined }, { ...want, rolledAt: undefined })
      }
    })

    test('a follower of an empty feed is told that it has seen all', async t => {
      const follower = followed(await opened(t))
      await caughtUp(follower)
      assert.deepEqual(follower.seen, ['caught up'])
    })

    test('what is not newer is dropped: publishing is idempotent', async t => {
      const feed = await opened(t)
      const follower = followed(feed)
      await caughtUp(follower)
      feed.publish([update('BTC', 5, 7)])
      feed.publish([update('BTC', 5, 7), update('BTC', 4, 9), update('BTC', 5, 6)])
      feed.publish([update('BTC', 5, 8), update('BTC', 6, 1)])
      feed.publish([update('END', 1)])
      await ofToken(follower, 'END', 1)
      assert.deepEqual(follower.of('BTC'), ['BTC 5:7', 'BTC 5:8', 'BTC 6:1'])
    })

    test('a token that is gone is said to be, and is not among the kept', async t => {
      const feed = await opened(t)
      const follower = followed(feed)
      await caughtUp(follower)
      feed.publish([update('BTC', 1), update('ETH', 1)])
      feed.publish([gone('BTC', 2)])
      feed.publish([gone('BTC', 2)])
      await ofToken(follower, 'BTC', 2)
      assert.deepEqual(follower.of('BTC'), ['BTC 1:0', 'BTC 2:0 gone'])
      const late = followed(feed)
      await caughtUp(late)
      assert.deepEqual(late.of('BTC'), [])
      assert.deepEqual(late.of('ETH'), ['ETH 1:0'])
      feed.publish([update('BTC', 3)])
      await ofToken(late, 'BTC', 1)
      assert.deepEqual(follower.of('BTC'), ['BTC 1:0', 'BTC 2:0 gone', 'BTC 3:0'])
    })

    test('a follower that ended gets nothing more; the others do', async t => {
      const feed = await opened(t)
      const first = followed(feed)
      const second = followed(feed)
      await caughtUp(first)
      first.end()
      feed.publish([update('BTC', 1)])
      await ofToken(second, 'BTC', 1)
      assert.deepEqual(first.seen, ['caught up'])
    })
  })
}

/// What every StatsFeed of one process keeps besides: followers are called before `publish` returns.
export function localStatsFeedContract(name: string, open: (t: TestContext) => StatsFeed): void {
  statsFeedContract(name, open)

  describe(`StatsFeed of this process, ${name}`, () => {
    test('followers are called at once', t => {
      const feed = open(t)
      feed.publish([update('BTC', 1), update('ETH', 2)])
      const { seen } = followed(feed)
      assert.deepEqual(seen, ['BTC 1:0', 'ETH 2:0', 'caught up'])
      feed.publish([update('ETH', 4)])
      assert.deepEqual(seen.slice(3), ['ETH 4:0'])
    })

    test('publishing and following inside a callback loses nothing and keeps the order', t => {
      const feed = open(t)
      feed.publish([update('BTC', 1)])
      const seen: string[] = []
      let inner: string[] = []
      feed.follow({
        onUpdates: updates => {
          seen.push(...updates.map(text))
          if (updates.some(({ token, offset }) => token === 'BTC' && offset === 1))
            feed.publish([update('BTC', 2)])
          if (updates.some(({ token, offset }) => token === 'BTC' && offset === 2))
            inner = followed(feed).seen
        },
        onCaughtUp: () => seen.push('caught up'),
      })
      feed.publish([update('BTC', 3)])
      assert.deepEqual(seen, ['BTC 1:0', 'caught up', 'BTC 2:0', 'BTC 3:0'])
      assert.deepEqual(inner, ['BTC 2:0', 'caught up', 'BTC 3:0'])
    })
  })
}
