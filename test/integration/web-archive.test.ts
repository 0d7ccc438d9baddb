/// Candles and trades over HTTP, from an archive in memory that is filled as the archiver fills it.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MemoryTradeArchive } from '../../src/adapters/memory/trade-archive.js'
import type { Candle } from '../../src/core/candles.js'
import { BusyError, UnavailableError } from '../../src/ports/errors.js'
import { ARCHIVE_RULES, BOUNDLESS, swap, Writer } from '../contract/archive-writer.js'
import { START, startWeb } from '../delivery/web-harness.js'
import type { RawSwap } from '../simulation/raw-swap.js'

const MINUTE = 60_000
/// The minute in which the server's clock stands.
const NOW = START - (START % MINUTE)

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

async function ask(url: string): Promise<Answer> {
  const response = await fetch(url)
  const body: Record<string, unknown> = JSON.parse(await response.text())
  return { status: response.status, headers: response.headers, body }
}

async function serve(
  t: TestContext,
  swaps: readonly RawSwap[],
  archive = new MemoryTradeArchive(ARCHIVE_RULES, BOUNDLESS),
) {
  await new Writer(archive).swaps(START, ...swaps)
  const { url } = await startWeb(t, { archive })
  return { archive, get: (path: string) => ask(`${url}${path}`) }
}

const list = (value: unknown): Record<string, unknown>[] => {
  assert.ok(Array.isArray(value))
  return value
}

test('candles are answered as documented', async t => {
  const { get } = await serve(t, [
    swap('a', NOW - 3 * MINUTE, { usd: '100', amount: '2' }),
    swap('b', NOW - 3 * MINUTE + 1, { usd: '60.25', amount: '1', side: 'sell', who: 'bob' }),
    swap('c', NOW - MINUTE, { usd: '0' }),
  ])
  const { status, headers, body } = await get(
    `/v1/tokens/BTC/candles?interval=1m&from=${NOW - 5 * MINUTE}&to=${NOW}`,
  )
  assert.equal(status, 200)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.deepEqual(body, {
    token: 'BTC',
    interval: '1m',
    from: NOW - 5 * MINUTE,
    to: NOW,
    fill: 'none',
    candles: [
      {
        time: NOW - 3 * MINUTE,
        open: '50',
        high: '60.25',
        low: '50',
        close: '60.25',
        volume: '160.25',
        buyVolume: '100',
        sellVolume: '60.25',
        buys: 1,
        sells: 1,
        traders: 2,
      },
      {
        time: NOW - MINUTE,
        open: null,
        high: null,
        low: null,
        close: null,
        volume: '0',
        buyVolume: '0',
        sellVolume: '0',
        buys: 1,
        sells: 0,
        traders: 1,
      },
    ],
  })
})

test('candles are filled up to now, with the close before', async t => {
  const { get } = await serve(t, [
    swap('old', NOW - 600 * MINUTE, { usd: '4' }),
    swap('a', NOW - 2 * MINUTE, { usd: '6' }),
  ])
  const range = `from=${NOW - 4 * MINUTE}&to=${NOW + 10 * MINUTE}`
  const closes = async (fill: string) => {
    const { body } = await get(`/v1/tokens/BTC/candles?${range}&fill=${fill}`)
    return list(body.candles).map(({ time, open, close, volume }) => [
      (Number(time) - NOW) / MINUTE,
      open,
      close,
      volume,
    ])
  }
  assert.deepEqual(await closes('previous'), [
    [-4, '2', '2', '0'],
    [-3, '2', '2', '0'],
    [-2, '3', '3', '6'],
    [-1, '3', '3', '0'],
    [0, '3', '3', '0'],
  ])
  assert.deepEqual(await closes('null'), [
    [-4, null, null, '0'],
    [-3, null, null, '0'],
    [-2, '3', '3', '6'],
    [-1, null, null, '0'],
    [0, null, null, '0'],
  ])
  assert.deepEqual(await closes('none'), [[-2, '3', '3', '6']])
})

test('without from and to, the newest 500 candles', async t => {
  const { get } = await serve(t, [
    swap('a', START),
    swap('b', START - 499 * MINUTE),
    swap('c', START - 502 * MINUTE),
  ])
  const { body } = await get('/v1/tokens/BTC/candles')
  assert.equal(list(body.candles).length, 2)
  assert.deepEqual([body.to, body.from], [START + 1, START + 1 - 500 * MINUTE])
  assert.deepEqual((await get('/v1/tokens/NONE/candles?interval=1d')).body.candles, [])
})

test('long windows are answered in the shape of statistics, and say what is not known', async t => {
  const DAY = 24 * 60 * MINUTE
  const archive = new MemoryTradeArchive(ARCHIVE_RULES, BOUNDLESS)
  const writer = new Writer(archive)
  await writer.swaps(NOW - 9 * DAY, swap('a', NOW - 9 * DAY, { usd: '100', amount: '2' }))
  await writer.swaps(NOW - 3 * DAY, swap('b', NOW - 3 * DAY, { usd: '60.25', amount: '1', side: 'sell' }))
  await writer.swaps(START, swap('c', NOW, { usd: '30', amount: '1' }))
  const { url } = await startWeb(t, { archive })
  const get = (path: string) => ask(`${url}${path}`)
  const { status, body } = await get('/v1/tokens/BTC/windows')
  assert.equal(status, 200)
  const to = NOW + MINUTE
  const unknown = { buyers: null, sellers: null, traders: null }
  assert.deepEqual(body, {
    token: 'BTC',
    asOf: START,
    swapsFrom: 0,
    exactTo: '1m',
    from: { d7: to - 7 * DAY, d30: to - 30 * DAY },
    to: { d7: to, d30: to },
    complete: { d7: true, d30: true },
    volume: { d7: '90.25', d30: '190.25' },
    buyVolume: { d7: '30', d30: '130' },
    sellVolume: { d7: '60.25', d30: '60.25' },
    txns: {
      d7: { buys: 1, sells: 1, total: 2, ...unknown },
      d30: { buys: 2, sells: 1, total: 3, ...unknown },
    },
    priceChange: { d7: -50.207469, d30: -40 },
    open: { d7: '60.25', d30: '50' },
    high: { d7: '60.25', d30: '60.25' },
    low: { d7: '30', d30: '30' },
    close: { d7: '30', d30: '30' },
  })
  const chosen = await get('/v1/tokens/BTC/windows?window=90m,h24,2d,24h')
  assert.deepEqual(Object.keys(Object(chosen.body.volume)), ['m90', 'h24', 'd2'])
  const none = await get('/v1/tokens/NONE/windows?window=7d')
  assert.deepEqual(
    [none.body.volume, none.body.open, none.body.priceChange],
    [{ d7: '0' }, { d7: null }, { d7: null }],
  )
  for (const wrong of ['90s', '367d', 'week', '7d,', '0d']) {
    const { status, body } = await get(`/v1/tokens/BTC/windows?window=${wrong}`)
    assert.deepEqual([status, body.field], [400, 'window'], wrong)
  }
})

test('trades come in pages, by token and by trader, whatever their names', async t => {
  const names = ['a/b?c', '__proto__', '🦄']
  const swaps = names.flatMap(name =>
    Array.from({ length: 25 }, (_, i) =>
      swap(`${name}${i}`, NOW - Math.floor(i / 3) * 7, { token: name, who: name }),
    ),
  )
  const { get } = await serve(t, swaps)
  for (const name of names) {
    for (const path of [`tokens/${encodeURIComponent(name)}`, `traders/${encodeURIComponent(name)}`]) {
      const ids: unknown[] = []
      let cursor: unknown = null
      let pages = 0
      do {
        const { status, body } = await get(
          `/v1/${path}/trades?limit=10${cursor === null ? '' : `&cursor=${cursor}`}`,
        )
        assert.equal(status, 200, JSON.stringify(body))
        ids.push(...list(body.trades).map(({ id }) => id))
        cursor = body.cursor
        pages++
      } while (cursor !== null)
      assert.equal(pages, 3)
      assert.equal(new Set(ids).size, 25)
      assert.equal(ids.length, 25)
    }
  }
  const one = await get(`/v1/tokens/__proto__/trades?from=${NOW - 7}&to=${NOW - 6}&limit=1`)
  assert.deepEqual(list(one.body.trades), [
    {
      id: '__proto__5',
      time: NOW - 7,
      who: '__proto__',
      token: '__proto__',
      side: 'buy',
      amount: '2',
      usd: '100',
      price: '50',
      block: null,
      txIndex: null,
      logIndex: null,
      tx: null,
      chain: null,
      partition: 0,
      offset: 30,
      logTime: START,
    },
  ])
  assert.equal(typeof one.body.cursor, 'string')
})

test('what is asked wrongly is refused with the parameter’s name', async t => {
  const { get } = await serve(t, [])
  for (const [path, field] of [
    ['tokens/BTC/candles?interval=2m', 'interval'],
    ['tokens/BTC/candles?fill=zero', 'fill'],
    ['tokens/BTC/candles?from=yesterday', 'from'],
    ['tokens/BTC/candles?to=-1', 'to'],
    ['tokens/BTC/candles?from=5&to=5', 'from'],
    ['tokens/BTC/candles?interval=1s&from=0&to=5000001', 'from'],
    ['tokens/BTC/trades?limit=0', 'limit'],
    ['tokens/BTC/trades?limit=1001', 'limit'],
    ['tokens/BTC/trades?cursor=', 'cursor'],
    ['tokens/BTC/trades?cursor=bm9uc2Vuc2U', 'cursor'],
    [`tokens/BTC/trades?cursor=${Buffer.from('[9e15,null,null,null,"a"]').toString('base64url')}`, 'cursor'],
    ['traders/w/trades?from=9&to=8', 'from'],
    ['traders/w/trades?from=253402300800000', 'from'],
    ['traders/w/trades?from=1&from=2', 'from'],
  ]) {
    const { status, body } = await get(`/v1/${path}`)
    assert.deepEqual(
      [status, body.type, body.field],
      [400, 'urn:volumer:problem:invalid-parameter', field],
      path,
    )
  }
})

test('an archive that is away, busy or not there says so, and when to come back', async t => {
  const { url } = await startWeb(t)
  const none = await ask(`${url}/v1/tokens/BTC/candles`)
  assert.deepEqual([none.status, none.body.type], [404, 'urn:volumer:problem:no-archive'])

  class Failing extends MemoryTradeArchive {
    failure: Error = new UnavailableError('away')
    override async candles(): Promise<readonly Candle[]> {
      throw this.failure
    }
  }
  const failing = new Failing(ARCHIVE_RULES, BOUNDLESS)
  const { get } = await serve(t, [], failing)
  const away = await get('/v1/tokens/BTC/candles')
  assert.deepEqual([away.status, away.body.type], [503, 'urn:volumer:problem:archive-away'])
  assert.equal(away.headers.get('retry-after'), '2')
  failing.failure = new BusyError('busy')
  const busy = await get('/v1/tokens/BTC/candles')
  assert.deepEqual([busy.status, busy.body.type], [503, 'urn:volumer:problem:overloaded'])
})
