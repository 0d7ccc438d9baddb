import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryTradeFeed } from '../../src/adapters/memory/trade-feed.js'
import { tradeFeedContract } from './trade-feed.js'

tradeFeedContract('in this process', () => new MemoryTradeFeed())

test('in this process: what nobody follows is not wanted', () => {
  const feed = new MemoryTradeFeed()
  assert.equal(feed.isFollowed, false)
  let any = false
  const end = feed.follow({
    get wantsAny() {
      return any
    },
    wants: token => any && token === 'A',
    onTrades: () => {},
  })
  assert.deepEqual([feed.isFollowed, feed.wants('A')], [false, false])
  any = true
  assert.deepEqual([feed.isFollowed, feed.wants('A'), feed.wants('B')], [true, true, false])
  end()
  assert.equal(feed.isFollowed, false)
})
