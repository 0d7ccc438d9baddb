/// What every StatsFeed keeps (src/ports/stats-feed.ts).
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { StatsUpdate } from '../../src/core/stats.js'
import { epochMs, offset, tick } from '../../src/core/units.js'
import type { StatsFeed } from '../../src/ports/stats-feed.js'

/// Opens an empty feed that goes with the test.
export type OpenStatsFeed = (t: TestContext) => StatsFeed

function update(token: string, at: number, second = 0): StatsUpdate {
  return {
    token,
    partition: 0,
    offset: offset(at),
    tick: tick(second),
    asOf: epochMs(second * 1000),
    price: at,
    firstSeen: epochMs(0),
    lastSeen: epochMs(second * 1000),
    cells: new Float64Array([at, second]),
  }
}

const gone = (token: string, at: number): StatsUpdate => ({
  token,
  partition: 0,
  offset: offset(at),
  tick: tick(0),
  cells: null,
})

const text = ({ token, offset, tick, cells }: StatsUpdate) =>
  `${token} ${offset}:${tick}${cells === null ? ' gone' : ''}`

/// Follows and notes what comes.
function followed(feed: StatsFeed): { seen: string[]; end: () => void } {
  const seen: string[] = []
  const end = feed.follow({
    onUpdates: updates => seen.push(...updates.map(text)),
    onCaughtUp: () => seen.push('caught up'),
  })
  return { seen, end }
}

export function statsFeedContract(name: string, open: OpenStatsFeed): void {
  const opened = (t: TestContext) => {
    const feed = open(t)
    t.after(() => feed.close())
    return feed
  }

  describe(`StatsFeed, ${name}`, () => {
    test('a follower gets the newest of each token, is told so, then gets what comes', t => {
      const feed = opened(t)
      feed.publish([update('BTC', 1), update('ETH', 2)])
      feed.publish([update('BTC', 3)])
      const { seen } = followed(feed)
      assert.deepEqual(seen.slice(0, 2).sort(), ['BTC 3:0', 'ETH 2:0'])
      assert.deepEqual(seen.slice(2), ['caught up'])
      feed.publish([update('ETH', 4), update('__proto__', 4)])
      assert.deepEqual(seen.slice(3), ['ETH 4:0', '__proto__ 4:0'])
    })

    test('a follower of an empty feed is told at once that it has seen all', t => {
      assert.deepEqual(followed(opened(t)).seen, ['caught up'])
    })

    test('what is not newer is dropped: publishing is idempotent', t => {
      const feed = opened(t)
      const { seen } = followed(feed)
      feed.publish([update('BTC', 5, 7)])
      feed.publish([update('BTC', 5, 7), update('BTC', 4, 9), update('BTC', 5, 6)])
      feed.publish([update('BTC', 5, 8), update('BTC', 6, 1)])
      assert.deepEqual(seen, ['caught up', 'BTC 5:7', 'BTC 5:8', 'BTC 6:1'])
    })

    test('a token that is gone is said to be, and is not among the kept', t => {
      const feed = opened(t)
      const { seen } = followed(feed)
      feed.publish([update('BTC', 1), update('ETH', 1)])
      feed.publish([gone('BTC', 2)])
      feed.publish([gone('BTC', 2)])
      assert.deepEqual(seen, ['caught up', 'BTC 1:0', 'ETH 1:0', 'BTC 2:0 gone'])
      assert.deepEqual(followed(feed).seen, ['ETH 1:0', 'caught up'])
      feed.publish([update('BTC', 3)])
      assert.deepEqual(seen.slice(4), ['BTC 3:0'])
    })

    test('a follower that ended gets nothing more; the others do', t => {
      const feed = opened(t)
      const first = followed(feed)
      const second = followed(feed)
      first.end()
      feed.publish([update('BTC', 1)])
      assert.deepEqual(first.seen, ['caught up'])
      assert.deepEqual(second.seen, ['caught up', 'BTC 1:0'])
    })

    test('publishing and following inside a callback loses nothing and keeps the order', t => {
      const feed = opened(t)
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
