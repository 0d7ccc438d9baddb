/// Channel `trades`: swaps as they are accepted, each once, whatever a client does.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { VolumerClient } from '../../src/client/client.js'
import { liveTrades } from '../contract/trade-feed.js'
import { Api, object } from '../delivery/documents.js'
import { EventPeer } from '../delivery/event-peer.js'
import { withVolume } from '../delivery/token-stats.js'
import { type Message, Peer, type Running, type Setting, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'
import { serversOnOneDirectory } from './server.js'

const offsets = (messages: readonly Message[]): number[] =>
  messages.flatMap(({ trades }) =>
    Array.isArray(trades) ? trades.map(each => Number(object(each).offset)) : [],
  )

interface Following {
  readonly running: Running
  readonly api: Api
  readonly peer: Peer
  /// Takes messages until so many swaps have come; each must be as documented.
  swaps(count: number): Promise<Message[]>
}

async function following(
  t: TestContext,
  setting: Setting = {},
  subscription: object = {},
): Promise<Following> {
  const running = await startWeb(t, setting)
  const api = await Api.of(running.url)
  const peer = await Peer.connect(t, running)
  peer.say({
    op: 'subscribe',
    id: 1,
    subscriptions: [{ channel: 'trades', tokens: ['BTC', 'ETH'], ...subscription }],
  })
  const begun = await peer.take(3)
  assert.deepEqual(
    begun.map(({ type, token, trades }) => [type, token, trades]),
    [
      ['subscribed', undefined, undefined],
      ['snapshot', 'BTC', []],
      ['snapshot', 'ETH', []],
    ],
  )
  for (const message of begun) api.assertMessage(message)
  return { running, api, peer, swaps: count => swapsOf(peer, api, count) }
}

async function swapsOf(peer: Peer, api: Api, count: number): Promise<Message[]> {
  const all: Message[] = []
  await until(
    () => {
      all.push(...peer.heard.splice(0).filter(({ type }) => type !== 'heartbeat'))
      return offsets(all).length >= count
    },
    `${count} swaps, heard ${offsets(all).length}`,
  )
  for (const message of all) api.assertMessage(message)
  return all
}

test('swaps come as they are accepted, those of a token together, to who follows it', async t => {
  const { running, swaps } = await following(t)
  running.trades.publish([liveTrades('BTC', [1, 3]), liveTrades('ETH', [2]), liveTrades('DOGE', [4])])
  const messages = await swaps(3)
  assert.deepEqual(
    messages.map(({ type, token }) => [type, token]),
    [
      ['update', 'BTC'],
      ['update', 'ETH'],
    ],
  )
  assert.deepEqual(offsets(messages), [1, 3, 2])
  const [first] = messages
  assert.deepEqual(object(first?.times), {
    event: 1_790_000_000_003,
    rolled: 1_790_000_001_000,
    sent: 1_790_000_000_000,
  })
  const trade = Array.isArray(first?.trades) ? first.trades[0] : null
  assert.deepEqual(trade, {
    ...{ id: 'BTC:1', time: 1_790_000_000_001, who: 'alice', token: 'BTC', side: 'buy', amount: '1.5' },
    ...{ usd: '2.000001', price: '2', block: null, txIndex: null, logIndex: null, tx: null, chain: null },
    ...{ partition: 0, offset: 1, logTime: 1_790_000_000_501 },
  })
})

test('many at once come in messages of a hundred', async t => {
  const { running, swaps } = await following(t)
  const many = Array.from({ length: 250 }, (_, i) => i)
  running.trades.publish([liveTrades('BTC', many)])
  const messages = await swaps(250)
  assert.deepEqual(
    messages.map(message => offsets([message]).length),
    [100, 100, 50],
  )
  assert.deepEqual(offsets(messages), many)
})

test('a cursor brings back exactly what was missed, over a WebSocket and as Last-Event-ID', async t => {
  const { running, peer, swaps, api } = await following(t)
  running.trades.publish([liveTrades('BTC', [1])])
  // Statistics are in the same row of positions.
  running.feed.publish([withVolume('BTC', 1, 1)])
  const [update] = await swaps(1)
  peer.terminate()
  await until(() => running.role.clients().webSockets === 0, 'it is gone')
  running.trades.publish([liveTrades('BTC', [2, 3])])
  running.trades.publish([liveTrades('ETH', [4])])
  running.trades.publish([liveTrades('BTC', [5])])
  running.clock.advance(60_000)
  const subscription = { channel: 'trades', tokens: ['BTC', 'ETH'] }
  const again = await Peer.connect(t, running)
  again.say({ op: 'subscribe', subscriptions: [subscription], cursor: update?.cursor })
  const missed = await swapsOf(again, api, 4)
  assert.deepEqual(
    missed.map(({ type }) => type),
    ['subscribed', 'update', 'update'],
  )
  assert.deepEqual(offsets(missed), [2, 3, 5, 4])
  running.trades.publish([liveTrades('BTC', [6])])
  assert.deepEqual(offsets(await swapsOf(again, api, 1)), [6])

  const query = encodeURIComponent(JSON.stringify([subscription]))
  const events = await EventPeer.open(
    t,
    `${running.url}/v1/stream?subscriptions=${query}`,
    String(update?.cursor),
  )
  await until(() => offsets(events.heard).length === 5, 'five events')
  assert.deepEqual(offsets(events.heard), [2, 3, 5, 6, 4])
})

test('what is not kept any more is a gap, and the newest follow', async t => {
  const { running, peer, swaps, api } = await following(t)
  running.trades.publish([liveTrades('BTC', [1])])
  const [update] = await swaps(1)
  peer.terminate()
  await until(() => running.role.clients().webSockets === 0, 'it is gone')
  running.clock.advance(130_000)
  running.trades.publish([liveTrades('BTC', [2])])
  for (const [cursor, reason] of [
    [update?.cursor, 'cursorExpired'],
    ['nobody.1', 'cursorUnknown'],
  ]) {
    const again = await Peer.connect(t, running)
    again.say({ op: 'subscribe', subscriptions: [{ channel: 'trades', tokens: ['BTC'] }], cursor })
    const heard = await again.take(3)
    for (const message of heard) api.assertMessage(message)
    assert.deepEqual(
      heard.map(({ type }) => type),
      ['subscribed', 'gap', 'snapshot'],
    )
    assert.deepEqual([heard[1]?.reason, heard[1]?.tokens], [reason, ['BTC']])
  }
})

test('a slow reader gets every swap, in order, when it reads on', async t => {
  const { running, peer, swaps } = await following(t, {
    limits: { unsentSoftBytes: 16 * 1024, slowReaderMs: 3_600_000 },
  })
  peer.pause()
  let last = 0
  const unsent = () => running.role.clients().unsentBytes
  // More than the sockets' buffers hold.
  for (; last < 60_000 && unsent() < 16 * 1024; last += 50) {
    running.trades.publish([
      liveTrades(
        'BTC',
        Array.from({ length: 50 }, (_, i) => last + i),
      ),
    ])
    if (last % 1000 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  for (let i = 0; i < 40; i++, last++) running.trades.publish([liveTrades('BTC', [last])])
  assert.ok(unsent() < 64 * 1024, `bounded: ${unsent()}`)
  peer.resume()
  const messages = await swaps(last)
  assert.deepEqual(
    offsets(messages),
    Array.from({ length: last }, (_, i) => i),
  )
  assert.deepEqual(
    messages.filter(({ type }) => type !== 'update'),
    [],
  )
  // The last ones had waited, and came as few.
  assert.ok(messages.length <= last / 50 + 4, `${messages.length} messages`)
})

test('a maximum rate gathers swaps, and loses none', async t => {
  const { running, swaps, peer } = await following(t, {}, { maxRate: 2 })
  running.clock.advance(1000)
  peer.heard.length = 0
  for (let i = 1; i <= 20; i++) {
    running.trades.publish([liveTrades('BTC', [i])])
    running.clock.advance(100)
  }
  running.clock.advance(1000)
  const messages = await swaps(20)
  assert.deepEqual(
    offsets(messages),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
  assert.ok(messages.length >= 4 && messages.length <= 6, `${messages.length} messages in two seconds`)
})

test('swaps that wait for their rate go before one that need not', async t => {
  const { running, swaps } = await following(t, {}, { maxRate: 2 })
  // Between two beats of the server, which would let go what waits.
  running.clock.advance(1050)
  running.trades.publish([liveTrades('BTC', [1])])
  running.trades.publish([liveTrades('BTC', [2])])
  running.clock.advance(500)
  running.trades.publish([liveTrades('BTC', [3])])
  assert.deepEqual(offsets(await swaps(3)), [1, 2, 3])
})

test('unsubscribed tokens and channels are silent', async t => {
  const { running, peer, swaps, api } = await following(t)
  peer.say({ op: 'unsubscribe', id: 2, trades: ['BTC'] })
  const [answer] = await peer.take(1)
  api.assertMessage(answer)
  assert.deepEqual([answer?.type, answer?.trades], ['unsubscribed', ['BTC']])
  running.trades.publish([liveTrades('BTC', [1]), liveTrades('ETH', [2])])
  assert.deepEqual(offsets(await swaps(1)), [2])
  peer.say({ op: 'unsubscribe', channels: ['trades'] })
  await peer.take(1)
  assert.equal(running.role.clients().subscriptions, 0)
  assert.equal(running.trades.wants('ETH'), false)
  running.trades.publish([liveTrades('ETH', [3])])
  peer.say({ op: 'ping', id: 3 })
  assert.deepEqual(
    (await peer.take(1)).map(({ type }) => type),
    ['pong'],
  )
})

test('trades count among the tokens that a client may follow', async t => {
  const { peer } = await following(t, { limits: { tokensPerClientMax: 3 } })
  peer.say({ op: 'subscribe', tokens: ['BTC'] })
  assert.equal((await peer.take(2))[0]?.type, 'subscribed')
  peer.say({ op: 'subscribe', tokens: ['ETH'] })
  assert.deepEqual(
    (await peer.take(1)).map(({ code }) => code),
    ['tooManyTokens'],
  )
  peer.say({ op: 'subscribe', subscriptions: [{ channel: 'trades', tokens: ['BTC'], mode: 'delta' }] })
  assert.deepEqual(
    (await peer.take(1)).map(({ code, field }) => [code, field]),
    [['invalidRequest', 'subscriptions[0].mode']],
  )
})

test('the client hands out each swap once, across a lost connection', async t => {
  const running = await startWeb(t)
  let opened = 0
  const client = new VolumerClient({ url: running.url, WebSocket, random: () => 0, onOpen: () => opened++ })
  t.after(() => client.close())
  const heard: number[] = []
  client.subscribe({ channel: 'trades', tokens: ['BTC'] }, update =>
    heard.push(...update.trades.map(({ offset }) => offset)),
  )
  await until(() => running.trades.wants('BTC'), 'it is followed')
  running.trades.publish([liveTrades('BTC', [1, 2])])
  await until(() => heard.length === 2, 'two swaps')
  const [{ id = 0 } = {}] = running.role.listClients()
  running.role.closeClient(id)
  await until(() => running.role.clients().webSockets === 0, 'it is gone')
  running.trades.publish([liveTrades('BTC', [3])])
  await until(() => opened === 2, 'it has come back')
  running.trades.publish([liveTrades('BTC', [4])])
  await until(() => heard.length === 4, 'four swaps')
  assert.deepEqual(heard, [1, 2, 3, 4])
})

test('from POST to the feed: what is accepted comes once, what is not does not come', async t => {
  const server = await serversOnOneDirectory(t, []).start()
  assert.ok(await server.ready())
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws`)
  t.after(() => ws.terminate())
  const peer = new Peer(ws)
  await new Promise(resolve => ws.once('open', resolve))
  peer.say({ op: 'subscribe', subscriptions: [{ channel: 'trades', tokens: ['T'] }] })
  await peer.take(2)
  const now = Date.now()
  const swap = (id: string, time: number, more: object = {}) =>
    JSON.stringify({ id, time, who: 'alice', token: 'T', side: 'buy', amount: '2', usd: '5', ...more })
  const lines = [
    swap('a', now, { tx: '0x1', chain: 'base', block: 7 }),
    swap('a', now),
    swap('late', now - 90_000_000),
    swap('early', now + 600_000),
    swap('other', now, { token: 'U' }),
    '{"id":"broken"}',
    swap('b', now - 5000),
  ]
  const post = () =>
    fetch(`${server.url}/v1/trades`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.join('\n'),
    })
  assert.equal((await post()).status, 200)
  await post()
  await fetch(`${server.url}/v1/trades`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `[${swap('c', now)}]`,
  })
  const messages: Message[] = []
  await until(() => {
    messages.push(...peer.heard.splice(0))
    return JSON.stringify(messages).includes('"id":"c"')
  }, 'the last swap')
  const trades = messages.flatMap(({ trades: some }) => (Array.isArray(some) ? some.map(object) : []))
  assert.deepEqual(
    trades.map(({ id }) => id),
    ['a', 'b', 'c'],
  )
  const { tx, chain, block, price, usd, partition } = trades[0] ?? {}
  assert.deepEqual([tx, chain, block, price, usd, partition], ['0x1', 'base', 7, '2.5', '5', 0])
})
