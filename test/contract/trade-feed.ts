/// What every TradeFeed keeps (src/ports/trade-feed.ts).

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { epochMs, microUsd, offset } from '../../src/core/units.js'
import type { ArchivedSwap } from '../../src/ports/trade-archive.js'
import type { TokenTrades, TradeFeed } from '../../src/ports/trade-feed.js'
import { until } from '../wait/eventually.js'

export type OpenTradeFeed = (t: TestContext) => TradeFeed | Promise<TradeFeed>

export function liveTrade(
  token: string,
  at: number,
  partition = 0,
  more: Partial<ArchivedSwap> = {},
): ArchivedSwap {
  return {
    ...{ id: `${token}:${at}`, time: epochMs(1_790_000_000_000 + at), who: 'alice', token, side: 'buy' },
    ...{ amount: '1.5', usd: microUsd(2_000_000 + at), price: 2, block: null, txIndex: null, logIndex: null },
    ...{ tx: null, chain: null, partition, offset: offset(at), logTime: epochMs(1_790_000_000_500 + at) },
    ...more,
  }
}

export function liveTrades(token: string, at: readonly number[], partition = 0): TokenTrades {
  const trades = at.map(each => liveTrade(token, each, partition))
  return { token, trades, rolledAt: epochMs(1_790_000_001_000) }
}

function followed(feed: TradeFeed, wanted: readonly string[] = ['A', 'B']) {
  const heard: ArchivedSwap[] = []
  const end = feed.follow({
    get wantsAny() {
      return wanted.length > 0
    },
    wants: token => wanted.includes(token),
    onTrades: updates => heard.push(...updates.flatMap(({ trades }) => trades)),
  })
  return {
    heard,
    end,
    places: () => heard.map(({ token, partition, offset: at }) => `${token}${partition}:${at}`),
  }
}

export function tradeFeedContract(name: string, open: OpenTradeFeed): void {
  test(`${name}: followers get what is published from then on, whole and in order`, async t => {
    const feed = await open(t)
    const first = followed(feed)
    feed.publish([liveTrades('A', [1, 3]), liveTrades('B', [2])])
    await until(() => first.heard.length === 3, 'three swaps')
    assert.deepEqual(first.heard[0], liveTrade('A', 1))
    const second = followed(feed)
    feed.publish([liveTrades('A', [4])])
    await until(() => second.heard.length === 1 && first.heard.length === 4, 'one more')
    assert.deepEqual(first.places(), ['A0:1', 'A0:3', 'B0:2', 'A0:4'])
    assert.deepEqual(second.places(), ['A0:4'])
    first.end()
    feed.publish([liveTrades('A', [5])])
    await until(() => second.heard.length === 2, 'one more for who is left')
    assert.equal(first.heard.length, 4)
  })

  test(`${name}: what replicas publish comes once, of each partition`, async t => {
    const feed = await open(t)
    const { places, heard } = followed(feed)
    feed.publish([liveTrades('A', [1, 2])])
    feed.publish([liveTrades('A', [1, 2, 3])])
    feed.publish([liveTrades('A', [2])])
    feed.publish([liveTrades('B', [1], 1)])
    feed.publish([liveTrades('A', [4])])
    await until(() => heard.some(({ offset: at }) => at === 4), 'the last one')
    assert.deepEqual(places(), ['A0:1', 'A0:2', 'A0:3', 'B1:1', 'A0:4'])
  })

  test(`${name}: what somebody follows is wanted`, async t => {
    const feed = await open(t)
    const { end } = followed(feed, ['A'])
    assert.equal(feed.isFollowed, true)
    assert.equal(feed.wants('A'), true)
    end()
  })
}
