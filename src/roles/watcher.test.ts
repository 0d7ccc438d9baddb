import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenGone, withVolume } from '../../test/delivery/token-stats.js'
import { ManualClock } from '../adapters/memory/clock.js'
import type { StatsUpdate } from '../core/stats.js'
import type { StatsFeed } from '../ports/stats-feed.js'
import { PIECE_UPDATES, type StatsSource, Watcher } from './watcher.js'

const START = 1_790_000_000_000

/// A roller as the watcher sees it: each token's newest version.
class Source implements StatsSource {
  readonly newest = new Map<string, StatsUpdate>()
  computed = 0
  #changed = new Set<string>()

  change(...updates: StatsUpdate[]): void {
    for (const update of updates) {
      this.newest.set(update.token, update)
      this.#changed.add(update.token)
    }
  }

  takeChanged(): string[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  update(token: string): StatsUpdate {
    this.computed++
    return this.newest.get(token) ?? tokenGone(token, 0)
  }
}

/// Writes down what is published, and when.
class Recorder implements Pick<StatsFeed, 'publish'> {
  readonly seen: string[] = []
  calls = 0
  readonly #clock: ManualClock

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  publish(updates: readonly StatsUpdate[]): void {
    this.calls++
    const at = this.#clock.now() - START
    for (const { token, offset, rolledAt } of updates) {
      this.seen.push(`${at} ${token}@${offset} rolled ${(rolledAt ?? 0) - START}`)
    }
  }

  take(): string[] {
    return this.seen.splice(0)
  }
}

function setUp(updatesPerSecond = 20) {
  const clock = new ManualClock(START)
  const source = new Source()
  const feed = new Recorder(clock)
  const watcher = new Watcher({ source, feed, clock, updatesPerSecond })
  const change = (...updates: StatsUpdate[]) => {
    source.change(...updates)
    watcher.changed()
  }
  return { clock, source, feed, watcher, change }
}

test('the first change leaves at once, later ones as one update when the interval ends, with the newest', () => {
  const { clock, source, feed, watcher, change } = setUp()
  change(withVolume('BTC', 1, 1))
  assert.deepEqual(feed.take(), ['0 BTC@1 rolled 0'])
  for (const [at, version] of [
    [10, 2],
    [20, 3],
    [40, 4],
  ] as const) {
    clock.moveTo(START + at)
    change(withVolume('BTC', version, version))
  }
  assert.deepEqual(feed.take(), [])
  assert.equal(source.computed, 1, 'what is not sent is not computed')
  clock.moveTo(START + 1000)
  assert.deepEqual(feed.take(), ['50 BTC@4 rolled 40'])
  assert.equal(source.computed, 2)
  assert.deepEqual(watcher.counts(), { published: 2, conflated: 2 })
})

test('a token that changes all the time is published 20 times a second, evenly', () => {
  const { clock, feed, change } = setUp()
  for (let ms = 0; ms < 1000; ms++) {
    clock.moveTo(START + ms)
    change(withVolume('BTC', ms + 1, 1))
  }
  const seen = feed.take()
  assert.equal(seen.length, 20)
  assert.deepEqual(
    seen.map(line => Number(line.split(' ')[0])),
    Array.from({ length: 20 }, (_, i) => i * 50),
  )
})

test('tokens do not wait for one another', () => {
  const { clock, feed, change } = setUp()
  change(withVolume('BTC', 1, 1))
  clock.advance(30)
  change(withVolume('BTC', 2, 1), withVolume('ETH', 2, 1))
  assert.deepEqual(feed.take(), ['0 BTC@1 rolled 0', '30 ETH@2 rolled 30'])
  clock.advance(5)
  change(withVolume('ETH', 3, 1))
  clock.advance(1000)
  assert.deepEqual(feed.take(), ['50 BTC@2 rolled 30', '80 ETH@3 rolled 35'])
})

test('changes of one batch are published together, and a quiet watcher wakes nobody', () => {
  const { clock, feed, change } = setUp()
  change(...Array.from({ length: PIECE_UPDATES }, (_, i) => withVolume(`T${i}`, 1, 1)))
  assert.equal(feed.calls, 1)
  assert.equal(feed.take().length, PIECE_UPDATES)
  clock.advance(10_000)
  assert.equal(feed.calls, 1)
})

test('the first call publishes everything at once: the feed is complete before anybody says ready', () => {
  const { feed, change } = setUp()
  change(...Array.from({ length: 10 * PIECE_UPDATES }, (_, i) => withVolume(`T${i}`, 1, 1)))
  assert.equal(feed.take().length, 10 * PIECE_UPDATES)
})

test('many changes at once are spread over turns, and what is traded meanwhile goes first', () => {
  const { clock, feed, change } = setUp()
  change()
  const count = 3 * PIECE_UPDATES
  change(...Array.from({ length: count }, (_, i) => withVolume(`T${i}`, 1, 1)))
  const first = feed.take()
  assert.equal(first.length, PIECE_UPDATES)
  assert.equal(first[0], '0 T0@1 rolled 0')
  // The last of the backlog is traded, and so is a new token: both are in the next piece.
  change(withVolume(`T${count - 1}`, 2, 1), withVolume('NEW', 2, 1))
  const second = feed.take()
  assert.equal(second.length, PIECE_UPDATES)
  assert.deepEqual(second.slice(0, 3), [
    `0 T${count - 1}@2 rolled 0`,
    '0 NEW@2 rolled 0',
    `0 T${PIECE_UPDATES}@1 rolled 0`,
  ])
  clock.advance(1)
  const rest = feed.take()
  const all = [...first, ...second, ...rest].map(line => line.split(/[ @]/)[1])
  assert.equal(all.length, count + 1)
  assert.equal(new Set(all).size, count + 1, 'each once')
})

test('a token that is gone is published as gone', () => {
  const { clock, feed, change } = setUp()
  change(withVolume('BTC', 1, 1))
  clock.advance(10)
  change(tokenGone('BTC', 2))
  clock.advance(100)
  assert.deepEqual(feed.take(), ['0 BTC@1 rolled 0', '50 BTC@2 rolled 10'])
})

test('a clock that is set back holds nothing up', () => {
  const { clock, feed, change } = setUp()
  change(withVolume('BTC', 1, 1))
  clock.moveTo(START - 3_600_000)
  change(withVolume('BTC', 2, 1))
  assert.deepEqual(feed.take(), ['0 BTC@1 rolled 0', '-3600000 BTC@2 rolled -3600000'])
})

test('a flush publishes what waits', () => {
  const { clock, source, feed, watcher, change } = setUp()
  change(withVolume('BTC', 1, 1))
  clock.advance(1)
  change(withVolume('BTC', 2, 1))
  source.change(withVolume('ETH', 3, 1))
  watcher.flush()
  assert.deepEqual(feed.take(), ['0 BTC@1 rolled 0', '1 BTC@2 rolled 1', '1 ETH@3 rolled 1'])
  clock.advance(1000)
  assert.deepEqual(feed.take(), [])
})
