/// What is computed on demand, over HTTP, held against the naive model and the documents.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { VolumerClient } from '../../src/client/client.js'
import type { WebLimits } from '../../src/delivery/limits.js'
import { placeWindows } from '../../src/delivery/wire/metrics.js'
import { encodeStats } from '../../src/delivery/wire/stats.js'
import { RollerQueries } from '../../src/roles/roller-queries.js'
import { api, type RunningApi } from '../delivery/api.js'
import { RolledTokens } from '../delivery/rolled-tokens.js'
import { THREE_WINDOWS, tokenStats } from '../delivery/token-stats.js'
import { START } from '../delivery/web-harness.js'
import { addWindow, emptyAnswer, plainOrNull } from '../simulation/answer.js'
import { figures } from '../simulation/model.js'
import { Random, testSeed } from '../simulation/random.js'
import type { RawSwap, Rules } from '../simulation/raw-swap.js'
import { SwapStream } from '../simulation/streams.js'

const MINUTE = 60_000
const RULES: Rules = {
  windows: THREE_WINDOWS.map(({ name, lengthMs }) => [name, lengthMs] as const),
  resolutionMs: 1000,
  retentionMs: 24 * 60 * MINUTE,
  earlyToleranceMs: MINUTE,
  dedupeHorizonMs: 60 * MINUTE,
}
const NOW = START / 1000
const PATH = '/v1/tokens/{token}'

interface Asked extends RunningApi {
  readonly rolled: RolledTokens
  /// Publishes what has changed, as the watcher does.
  publish(): void
  get(target: string): Promise<Record<string, Record<string, unknown>> & { token: string; asOf: number }>
  refused(target: string): Promise<{ status: number; type: string; field?: string; detail: string }>
}

async function serving(t: TestContext, limits: Partial<WebLimits> = {}): Promise<Asked> {
  const rolled = new RolledTokens(RULES, NOW)
  const queries = new RollerQueries({ roller: rolled.roller, stopwatch: systemStopwatch, nextTurn })
  const documents = await api(t, { queries, limits })
  const pathOf = (target: string) => {
    const list = /\/(top-traders|largest-trades|recent-trades|fates)(\?|$)/.exec(target)?.[1]
    return list === undefined ? PATH : `${PATH}/${list}`
  }
  const call = (target: string) => documents.call('GET', pathOf(target), target)
  return Object.assign(documents, {
    rolled,
    publish() {
      documents.running.feed.publish(rolled.machine.takeChanged().map(token => rolled.machine.update(token)))
    },
    async get(target: string) {
      const { status, text } = await call(target)
      assert.equal(status, 200, text)
      return JSON.parse(text)
    },
    async refused(target: string) {
      return JSON.parse((await call(target)).text)
    },
  })
}

function swap(id: string, secondsAgo: number, usd: string, more: Partial<RawSwap> = {}): RawSwap {
  return {
    id,
    time: START - secondsAgo * 1000,
    who: 'alice',
    token: 'BTC',
    side: 'buy',
    amount: '2',
    usd,
    ...more,
  }
}

test('any window as of any instant, in the bytes of the naive model', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const asked = await serving(t)
  const { rolled } = asked
  const { model } = rolled
  const tokens = ['BTC', '__proto__', '🦄']
  const stream = new SwapStream(random, {
    tokens,
    traders: ['alice', 'bob', 'carol'],
    startMs: START,
    rules: RULES,
    batchMost: 60,
    pauseMsMost: 5 * MINUTE,
    idAlphabet: null,
    duplicateChance: 0.1,
    invalidChance: 0,
  })
  for (let round = 0; round < 30; round++) {
    rolled.append(stream.batch())
    rolled.advance(Math.max(model.viewTick, Math.floor(stream.logTime / 1000)))
    asked.publish()
    const token = random.pick(tokens)
    const lengths = [...new Set(Array.from({ length: 3 }, () => random.between(1, 7200)))].sort(
      (a, b) => a - b,
    )
    const to = model.viewTick - (random.chance(0.5) ? 0 : random.below(1800))
    const all = model.stretch(token, model.viewTick - 86_400, to)
    if (all.length === 0) continue
    const times = all.map(each => each.swap.time)
    const expected = emptyAnswer({
      token,
      priceUsd: plainOrNull(all.findLast(each => each.price !== null)?.price ?? null),
      asOf: to * 1000,
      version: `0:${model.offset}:${to}`,
      firstSeen: Math.min(...times),
      lastSeen: Math.max(...times),
    })
    for (const seconds of lengths) {
      addWindow(expected, nameOf(seconds), figures(model.stretch(token, to - seconds, to)))
    }
    const target = `/v1/tokens/${encodeURIComponent(token)}?window=${lengths.map(s => `${s}s`).join(',')}`
    const { text } = await asked.call(
      'GET',
      PATH,
      to === model.viewTick ? target : `${target}&asOf=${to * 1000 + 999}`,
    )
    assert.equal(text, JSON.stringify(expected))
  }
})

const nameOf = (seconds: number): string =>
  seconds % 3600 === 0 ? `h${seconds / 3600}` : seconds % 60 === 0 ? `m${seconds / 60}` : `s${seconds}`

test('configured windows say the same whether they are kept or computed', async t => {
  const asked = await serving(t)
  const { rolled } = asked
  rolled.append({ appendTime: START, records: [swap('a', 30, '7'), swap('b', 90, '5.5', { side: 'sell' })] })
  asked.publish()
  const stats = rolled.machine.stats('BTC')
  assert.ok(stats !== null)
  const kept = await asked.call('GET', PATH, '/v1/tokens/BTC')
  const computed = await asked.call('GET', PATH, `/v1/tokens/BTC?asOf=${START}`)
  assert.equal(kept.text, encodeStats(stats, placeWindows(THREE_WINDOWS)))
  assert.equal(computed.text, kept.text)
  const everything = '?fields=*&window=1m,5m,24h'
  const derived = await asked.call('GET', PATH, `/v1/tokens/BTC${everything}`)
  assert.equal(
    (await asked.call('GET', PATH, `/v1/tokens/BTC${everything}&asOf=${START}`)).text,
    derived.text,
  )
})

test('the window before and the change, in percent', async t => {
  const asked = await serving(t)
  const { rolled } = asked
  rolled.append({
    appendTime: START,
    records: [
      // 7 minutes are 420 seconds: a and b are in them, c to e in those before, f before these.
      swap('a', 0, '30', { who: 'bob' }),
      swap('b', 419, '10', { side: 'sell' }),
      swap('c', 420, '100'),
      swap('d', 500, '60', { side: 'sell', who: 'carol' }),
      swap('e', 839, '1', { price: '1000' }),
      swap('f', 840, '5000'),
    ],
  })
  asked.publish()
  const answer = await asked.get('/v1/tokens/BTC?window=7m&compare=previous&fields=*,medianTrade')
  assert.deepEqual(answer.volume, { m7: '40' })
  assert.deepEqual(answer.medianTrade, { m7: '20' })
  const { previous, change } = answer
  assert.deepEqual(previous?.volume, { m7: '161' })
  assert.deepEqual(previous?.medianTrade, { m7: '60' })
  assert.deepEqual(previous?.txns, {
    m7: { buys: 2, sells: 1, total: 3, buyers: 1, sellers: 1, traders: 2 },
  })
  assert.deepEqual(change?.volume, { m7: percent(161, 40) })
  assert.deepEqual(change?.medianTrade, { m7: percent(60, 20) })
  assert.deepEqual(change?.netVolume, { m7: percent(41, 20) })
  assert.deepEqual(change?.largestTrade, { m7: -70 })
  assert.deepEqual(change?.open, { m7: percent(1000, 5) })
  assert.deepEqual(change?.txns, {
    m7: { buys: -50, sells: 0, total: percent(3, 2), buyers: 0, sellers: 0, traders: 0 },
  })
  // 0 net buyers before: no percentage says by how much that has changed.
  assert.deepEqual(previous?.netBuyers, { m7: 0 })
  assert.deepEqual(change?.netBuyers, { m7: null })
  assert.equal(Object.hasOwn(previous ?? {}, 'trending'), false)
})

const percent = (before: number, now: number) => Math.round(((now - before) / before) * 100 * 1e6) / 1e6

test('what the retention does not cover is null before, and refused now', async t => {
  const asked = await serving(t)
  asked.rolled.append({ appendTime: START, records: [swap('a', 30, '7')] })
  asked.publish()
  const answer = await asked.get('/v1/tokens/BTC?compare=previous&fields=volume')
  assert.deepEqual(answer.volume, { m1: '7', m5: '7', h24: '7' })
  assert.deepEqual(answer.previous?.volume, { m1: '0', m5: '0', h24: null })
  assert.deepEqual(answer.change?.volume, { m1: null, m5: null, h24: null })

  // Unasked, the windows that are covered then.
  const earlier = await asked.get(`/v1/tokens/BTC?asOf=${START - 10_000}&fields=volume,trending`)
  assert.deepEqual(earlier.volume, { m1: '7', m5: '7' })
  assert.deepEqual(earlier.trending, { m1: null, m5: null })
  const named = await asked.refused(`/v1/tokens/BTC?asOf=${START - 10_000}&window=24h`)
  assert.deepEqual([named.status, named.field], [400, 'window'])
})

test('median: the middle one, or the mean of both, rounded half-even', async t => {
  const asked = await serving(t)
  const medianOf = async (sizes: readonly string[], second: number) => {
    const records = sizes.map((usd, i) => swap(`${second}-${i}`, second, usd))
    asked.rolled.append({ appendTime: START, records })
    asked.publish()
    const answer = await asked.get(
      `/v1/tokens/BTC?fields=medianTrade&window=1s&asOf=${START - second * 1000}`,
    )
    return answer.medianTrade?.s1
  }
  assert.equal(await medianOf(['3', '1', '2'], 1), '2')
  assert.equal(await medianOf(['1', '2', '4', '8'], 2), '3')
  assert.equal(await medianOf(['0.000001', '0.000002'], 3), '0.000002')
  assert.equal(await medianOf(['0.000002', '0.000003'], 4), '0.000002')
  assert.equal(await medianOf(['9000000000', '9000000000'], 5), '9000000000')
  assert.equal((await asked.get(`/v1/tokens/BTC?fields=medianTrade&window=1s`)).medianTrade?.s1, null)
})

test('top traders, largest swaps, newest swaps', async t => {
  const asked = await serving(t)
  const place = { block: 7, txIndex: 3, logIndex: 1 }
  asked.rolled.append({
    appendTime: START,
    records: [
      swap('a', 400, '50', { who: 'bob' }),
      swap('b', 30, '20', { ...place, amount: '123456789012345.123456789012345678' }),
      swap('c', 20, '30', { side: 'sell' }),
      swap('d', 10, '10', { who: 'carol', amount: '0', price: '4' }),
      swap('e', 5, '20', { who: 'bob', amount: '0' }),
    ],
  })
  asked.publish()
  const top = await asked.get('/v1/tokens/BTC/top-traders?window=7m')
  assert.deepEqual(top.traders, [
    {
      ...{ who: 'bob', volume: '70', buyVolume: '70', sellVolume: '0', netVolume: '70', buys: 2, sells: 0 },
      lastSeen: START - 5000,
    },
    {
      ...{
        who: 'alice',
        volume: '50',
        buyVolume: '20',
        sellVolume: '30',
        netVolume: '-10',
        buys: 1,
        sells: 1,
      },
      lastSeen: START - 20_000,
    },
    {
      ...{ who: 'carol', volume: '10', buyVolume: '10', sellVolume: '0', netVolume: '10', buys: 1, sells: 0 },
      lastSeen: START - 10_000,
    },
  ])
  assert.deepEqual([top.window, top.asOf, top.version], ['m7', START, `0:5:${NOW}`])
  const minute = await asked.get('/v1/tokens/BTC/top-traders?window=1m&limit=1')
  assert.equal(JSON.stringify(minute.traders).includes('alice'), true)

  const volumes = (list: unknown) => (Array.isArray(list) ? list.map(each => each.usd) : [])
  const largest = await asked.get('/v1/tokens/BTC/largest-trades?limit=4')
  // Of two of 20, the newer comes first.
  assert.deepEqual(volumes(largest.trades), ['50', '30', '20', '20'])
  const trades: unknown = largest.trades
  assert.deepEqual(Array.isArray(trades) ? trades.slice(2) : [], [
    {
      ...{ time: START - 5000, who: 'bob', side: 'buy', amount: '0', usd: '20', price: null },
      ...{ block: null, txIndex: null, logIndex: null },
    },
    {
      ...{ time: START - 30_000, who: 'alice', side: 'buy', amount: '123456789012345.123456789012345678' },
      ...{ usd: '20', price: plainOrNull(20 / Number('123456789012345.123456789012345678')) },
      ...place,
    },
  ])
  const recent = await asked.get('/v1/tokens/BTC/recent-trades?limit=2')
  assert.deepEqual([recent.window, volumes(recent.trades)], ['m1', ['20', '10']])
  assert.deepEqual(volumes((await asked.get('/v1/tokens/BTC/recent-trades?limit=100')).trades), [
    ...['20', '10', '30', '20', '50'],
  ])
  const past = await asked.get(`/v1/tokens/BTC/largest-trades?asOf=${START - 15_000}&limit=1`)
  // The longest window of which the retention holds all.
  assert.deepEqual([past.window, volumes(past.trades)], ['m5', ['30']])
})

test('what became of the swaps of a token', async t => {
  const asked = await serving(t)
  const twice = swap('b', 30, '20')
  asked.rolled.append({
    appendTime: START,
    records: [
      ...[swap('late', 86_400, '1'), swap('a', 400, '50'), twice, twice, { ...twice, usd: '21' }],
      ...[swap('older', 86_401, '1'), swap('early', -61, '1'), swap('other', 1, '1', { token: 'ETH' })],
      { invalid: '{"token":"BTC"}' },
    ],
  })
  asked.publish()
  assert.deepEqual(await asked.get('/v1/tokens/BTC/fates'), {
    ...{ token: 'BTC', asOf: START, version: `0:9:${NOW}`, since: START },
    // The late one that came before the first accepted one counts for no token.
    fates: { accepted: 2, duplicate: 2, late: 1, early: 1, conflict: 1 },
  })
  const client = new VolumerClient({ url: asked.running.url })
  assert.deepEqual((await client.fates('ETH')).fates, {
    ...{ accepted: 1, duplicate: 0, late: 0, early: 0, conflict: 0 },
  })
})

test('what cannot be asked is refused, and named', async t => {
  const asked = await serving(t)
  asked.rolled.append({ appendTime: START, records: [swap('a', 30, '7')] })
  asked.publish()
  for (const [target, status, field] of [
    ['/v1/tokens/BTC?window=7x', 400, 'window'],
    ['/v1/tokens/BTC?window=25h', 400, 'window'],
    ['/v1/tokens/BTC?window=1500ms', 400, 'window'],
    ['/v1/tokens/BTC?asOf=tomorrow', 400, 'asOf'],
    [`/v1/tokens/BTC?asOf=${START + 1000}`, 400, 'asOf'],
    [`/v1/tokens/BTC?asOf=${START - 86_400_000}`, 400, 'asOf'],
    ['/v1/tokens/BTC?compare=next', 400, 'compare'],
    ['/v1/tokens/BTC?fields=meanTrade', 400, 'fields'],
    ['/v1/tokens/NOPE?window=7m', 404, 'token'],
    ['/v1/tokens/NOPE/top-traders', 404, 'token'],
    ['/v1/tokens/NOPE/fates', 404, 'token'],
    ['/v1/tokens/BTC/fates?window=5m', 400, 'window'],
    ['/v1/tokens/BTC/top-traders?limit=101', 400, 'limit'],
    ['/v1/tokens/BTC/largest-trades?window=5m,1h', 400, 'window'],
    ['/v1/tokens/BTC/recent-trades?window=5m', 400, 'window'],
  ] as const) {
    const problem = await asked.refused(target)
    assert.deepEqual(
      [problem.status, problem.field],
      [status, field],
      `${target}: ${JSON.stringify(problem)}`,
    )
  }
})

test('what is computed is answered conditionally, and not where nobody can', async t => {
  const asked = await serving(t)
  asked.rolled.append({ appendTime: START, records: [swap('a', 30, '7')] })
  asked.publish()
  const { url } = asked.running
  const first = await fetch(`${url}/v1/tokens/BTC?window=7m`)
  const etag = first.headers.get('etag') ?? ''
  const again = await fetch(`${url}/v1/tokens/BTC?window=7m`, { headers: { 'if-none-match': etag } })
  assert.equal(again.status, 304)

  const alone = await api(t)
  alone.running.feed.publish([asked.rolled.machine.update('BTC')])
  const away = await alone.call('GET', PATH, '/v1/tokens/BTC?window=7m')
  assert.equal(away.status, 503)
  assert.equal(JSON.parse(away.text).type, 'urn:volumer:problem:owner-away')
  assert.equal((await alone.call('GET', PATH, '/v1/tokens/BTC')).status, 200)
})

test('what is computed costs more, the more swaps there are', async t => {
  const asked = await serving(t, { costPerSecond: 100 })
  asked.rolled.append({ appendTime: START, records: [swap('a', 30, '7')] })
  // What is known before a question is asked: how many swaps there are lately.
  asked.running.feed.publish([
    tokenStats('BTC', 1, [{ BUYS: 5 }, { BUYS: 9_999 }, { BUYS: 20_000, SELLS: 9_999 }]),
  ])
  const left = async (target: string) => {
    const { headers, status } = await fetch(asked.running.url + target)
    assert.equal(status, 200)
    return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])
  }
  const before = await left('/v1/tokens/BTC')
  const computed = await left('/v1/tokens/BTC?window=7m')
  const listed = await left('/v1/tokens/BTC/top-traders')
  const short = await left('/v1/tokens/BTC?window=1s')
  assert.deepEqual([before - computed, computed - listed, listed - short], [13, 12, 11])
  // Nothing is computed of what is kept, however many swaps there are.
  asked.running.feed.publish([tokenStats('BTC', 2, [{ BUYS: 30_000 }, { BUYS: 30_000 }, { BUYS: 30_000 }])])
  const [again, kept] = [await left('/v1/tokens/BTC?window=1s'), await left('/v1/tokens/BTC/fates')]
  assert.equal(again - kept, 10)
})

test('the client asks for all of it', async t => {
  const asked = await serving(t)
  asked.rolled.append({
    appendTime: START,
    records: [swap('a', 30, '7'), swap('b', 500, '5', { who: 'bob' })],
  })
  asked.publish()
  const client = new VolumerClient({ url: asked.running.url })
  const answer = await client.token('BTC', {
    windows: ['7m'],
    fields: ['volume'],
    asOf: START,
    compare: 'previous',
  })
  assert.deepEqual(
    [answer.volume, answer.previous?.volume, answer.change?.volume],
    [{ m7: '7' }, { m7: '5' }, { m7: 40 }],
  )
  assert.equal((await client.topTraders('BTC', { window: '7m' })).traders[0]?.who, 'alice')
  assert.equal((await client.largestTrades('BTC', { limit: 1 })).trades[0]?.usd, '7')
  assert.equal((await client.recentTrades('BTC', 1)).trades.length, 1)
})
