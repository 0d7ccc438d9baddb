import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BOARD, filterOf, hashOf, type View, viewOf } from './route.js'

test('a view is the same after a way through the address', () => {
  const views: readonly View[] = [
    BOARD,
    { at: 'pulse' },
    {
      ...BOARD,
      window: 'm5',
      sort: 'change',
      order: 'asc',
      search: 'a&b=c#?"',
      bounds: { minVolume: '10', maxChange: '-2.5' },
    },
    { ...BOARD, sort: 'token', order: 'asc', filter: 'volume.h1>=10 and (txns.m5.buys>3 or priceUsd<1)' },
    { at: 'token', token: 'BTC', window: null, interval: null },
    { at: 'token', token: '100% /?#é<b>', window: 'h1', interval: '5m' },
  ]
  for (const view of views) assert.deepEqual(viewOf(hashOf(view)), view)
})

test('what an address cannot mean is left out', () => {
  for (const hash of ['', '#', '#/', '#/nowhere', '#/token/', '#/token/%E0%A4%A'])
    assert.deepEqual(viewOf(hash), BOARD)
  assert.deepEqual(viewOf('#/?window=week&sort=luck&order=up&minVolume=lots'), BOARD)
  assert.equal(hashOf(BOARD), '#/')
})

test('the filter that the API is asked with', () => {
  assert.equal(filterOf(BOARD, 'h1'), null)
  assert.equal(filterOf({ ...BOARD, search: ' pe"\\ ' }, 'h1'), 'token~"pe\\"\\\\"')
  assert.equal(
    filterOf(
      {
        ...BOARD,
        bounds: { minVolume: '1', minSwaps: '2', minTraders: '3', minChange: '-4', maxChange: '5' },
      },
      'm5',
    ),
    'volume.m5>=1 and txns.m5.total>=2 and txns.m5.traders>=3 and priceChange.m5>=-4 and priceChange.m5<=5',
  )
  // An “or” of the reader's stays together.
  assert.equal(filterOf({ ...BOARD, search: 'x', filter: 'a>1 or b>2' }, 'm5'), 'token~"x" and (a>1 or b>2)')
  assert.equal(filterOf({ ...BOARD, filter: 'a>1 or b>2' }, 'm5'), 'a>1 or b>2')
})
