import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { Readiness } from '../../src/delivery/wire/status.js'
import { Watcher } from '../../src/roles/watcher.js'
import { tokenGone, withVolume } from '../delivery/token-stats.js'
import { type Message, Peer, START, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

/// What matters of a message about a token.
function brief({ type, seq, token, stats }: Message): string {
  const volume = stats === null ? 'none' : Object(stats).volume.m5
  return `${seq} ${type} ${token} ${volume}`
}

test('a subscription gets its answer, snapshots, then updates in the same schema', async t => {
  const running = await startWeb(t)
  running.feed.publish([withVolume('BTC', 1, 10)])
  const peer = await Peer.connect(t, running)
  peer.say({ op: 'subscribe', tokens: ['BTC', 'ETH'], id: 1 })
  const [subscribed, ...snapshots] = await peer.take(3)
  assert.deepEqual(subscribed, { type: 'subscribed', seq: 1, id: 1, tokens: ['BTC', 'ETH'] })
  assert.deepEqual(snapshots.map(brief), ['2 snapshot BTC 10', '3 snapshot ETH none'])
  assert.deepEqual(snapshots[0]?.times, { event: 1_789_999_999_500, rolled: null, sent: START })

  running.clock.advance(5)
  running.feed.publish([
    { ...withVolume('BTC', 2, 20), rolledAt: running.clock.now() },
    withVolume('ETH', 2, 1),
    withVolume('DOGE', 2, 1),
  ])
  running.feed.publish([tokenGone('ETH', 3)])
  const updates = await peer.take(3)
  assert.deepEqual(updates.map(brief), ['4 update BTC 20', '5 update ETH 1', '6 update ETH none'])
  assert.deepEqual(updates[0]?.times, {
    event: 1_789_999_999_500,
    rolled: START + 5,
    sent: START + 5,
  })
  assert.deepEqual(Object.keys(updates[0] ?? {}), Object.keys(snapshots[0] ?? {}))
  const overHttp = await (await fetch(`${running.url}/v1/tokens/BTC`)).json()
  assert.deepEqual(updates[0]?.stats, overHttp)
})

test('a bare text subscribes, as the predecessor’s clients do', async t => {
  const running = await startWeb(t)
  running.feed.publish([withVolume('BTC', 1, 10)])
  const peer = await Peer.connect(t, running)
  peer.say('BTC')
  const [subscribed, snapshot] = await peer.take(2)
  assert.deepEqual(subscribed, { type: 'subscribed', seq: 1, tokens: ['BTC'] })
  assert.deepEqual(snapshot && brief(snapshot), '2 snapshot BTC 10')
})

test('an unsubscribed token is silent; a subscription that is repeated gives a snapshot again', async t => {
  const running = await startWeb(t)
  const peer = await Peer.connect(t, running)
  peer.say({ op: 'subscribe', tokens: ['A', 'B'] })
  peer.say({ op: 'unsubscribe', tokens: ['A', 'never'], id: 'u' })
  assert.deepEqual((await peer.take(4)).at(-1), {
    type: 'unsubscribed',
    seq: 4,
    id: 'u',
    tokens: ['A', 'never'],
  })
  running.feed.publish([withVolume('A', 1, 1), withVolume('B', 1, 1)])
  peer.say({ op: 'subscribe', tokens: ['B'] })
  assert.deepEqual(
    (await peer.take(3)).map(({ type, token }) => `${type} ${token}`),
    ['update B', 'subscribed undefined', 'snapshot B'],
  )
  assert.equal(running.role.clients().subscriptions, 1)
})

test('a heartbeat comes each second, and a ping is answered', async t => {
  const running = await startWeb(t)
  const peer = await Peer.connect(t, running)
  peer.say({ op: 'ping', id: 9 })
  assert.deepEqual(await peer.take(1), [{ type: 'pong', seq: 1, id: 9, time: START }])
  running.clock.advance(3_000)
  const beats = await peer.take(3)
  assert.deepEqual(
    beats.map(({ type, seq }) => [type, seq]),
    [
      ['heartbeat', 2],
      ['heartbeat', 3],
      ['heartbeat', 4],
    ],
  )
  const times = beats.map(({ time }) => Number(time))
  assert.deepEqual([(times[1] ?? 0) - (times[0] ?? 0), (times[2] ?? 0) - (times[1] ?? 0)], [1000, 1000])
})

test('what a client says wrongly is answered, and the connection goes on', async t => {
  const running = await startWeb(t, { limits: { tokensPerClientMax: 3 } })
  const peer = await Peer.connect(t, running)
  for (const message of [
    '{oops',
    { op: 'dance', id: 1 },
    { op: 'subscribe', tokens: 'BTC', id: 2 },
    { op: 'subscribe', tokens: ['A', 'x'.repeat(129)], id: 3 },
    { op: 'subscribe', tokens: ['A', 'B', 'C', 'D'], id: 4 },
  ]) {
    peer.say(message)
  }
  const errors = await peer.take(5)
  assert.deepEqual(
    errors.map(({ type, seq, code, field, id }) => [type, seq, code, field, id]),
    [
      ['error', 1, 'invalidJson', null, undefined],
      ['error', 2, 'unknownOp', 'op', 1],
      ['error', 3, 'invalidRequest', 'tokens', 2],
      ['error', 4, 'invalidToken', 'tokens[1]', 3],
      ['error', 5, 'tooManyTokens', 'tokens', 4],
    ],
  )
  peer.say({ op: 'subscribe', tokens: ['A', 'B', 'C'] })
  assert.equal((await peer.take(4))[0]?.type, 'subscribed')
})

test('binary frames, huge messages and floods are closed with their codes', async t => {
  const running = await startWeb(t, { limits: { requestsPerSecond: 5, requestBytesMax: 1024 } })
  const binary = await Peer.connect(t, running)
  binary.ws.send(Buffer.from([1, 2, 3]))
  assert.equal((await binary.close()).code, 1003)
  const huge = await Peer.connect(t, running)
  huge.say('x'.repeat(2000))
  assert.equal((await huge.close()).code, 1009)
  const flood = await Peer.connect(t, running)
  for (let i = 0; i < 30; i++) flood.say({ op: 'ping' })
  assert.deepEqual(await flood.close(), { code: 4029, reason: 'too many messages' })
  assert.equal(flood.heard.filter(({ type }) => type === 'pong').length, 20)
  assert.equal(flood.heard.at(-1)?.code, 'tooManyMessages')
  await until(() => running.role.clients().webSockets === 0, 'all are gone')
})

test('a silent peer is pinged, and ended when it does not answer', async t => {
  const running = await startWeb(t)
  const alive = await Peer.connect(t, running)
  const dead = new Peer(new WebSocket(running.wsUrl, { autoPong: false }))
  t.after(() => dead.ws.terminate())
  let pings = 0
  alive.ws.on('ping', () => pings++)
  await until(() => running.role.clients().webSockets === 2, 'both are connected')
  for (let i = 1; i <= 3; i++) {
    running.clock.advance(16_000)
    await until(() => pings === i, `ping ${i} is answered`)
    await until(() => alive.heard.length >= i, 'heartbeats arrive')
    // The pong is on its way when the ping has been heard; a message behind it proves that it has arrived.
    alive.say({ op: 'ping', id: i })
    await until(() => alive.heard.some(({ id }) => id === i), 'the pong has arrived')
  }
  assert.equal((await dead.close()).code, 1006)
  assert.equal(running.role.clients().webSockets, 1)
})

test('connections are limited, and refused in HTTP', async t => {
  const running = await startWeb(t, { limits: { clientsMax: 2 } })
  await Peer.connect(t, running)
  await Peer.connect(t, running)
  const refusal = (url: string) =>
    new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
      const ws = new WebSocket(url)
      ws.on('open', () => reject(new Error('it was accepted')))
      ws.on('error', () => undefined)
      ws.on('unexpected-response', (request, response) => {
        resolve([response.statusCode, response.headers['retry-after']])
        request.destroy()
      })
    })
  assert.deepEqual(await refusal(running.wsUrl), [503, '5'])
  assert.deepEqual(await refusal(running.wsUrl.replace('/ws', '/elsewhere')), [404, undefined])
})

test('snapshots wait until the statistics are complete', async t => {
  let readiness: Readiness = { ready: false, reason: 'restoring', percent: 0 }
  const running = await startWeb(t, { readiness: () => readiness })
  const peer = await Peer.connect(t, running)
  peer.say('BTC')
  assert.equal((await peer.take(1))[0]?.type, 'subscribed')
  running.feed.publish([withVolume('BTC', 1, 1)])
  running.feed.publish([withVolume('BTC', 2, 2)])
  running.clock.advance(100)
  readiness = { ready: true }
  running.clock.advance(100)
  await until(() => peer.heard.some(({ type }) => type === 'snapshot'), 'the snapshot comes')
  const aboutTokens = peer.heard.filter(({ type }) => type !== 'heartbeat')
  assert.deepEqual(
    aboutTokens.map(({ type, token, stats }) => [type, token, Object(stats).volume.m5]),
    [['snapshot', 'BTC', '2']],
  )
})

test('every one of many subscribers gets every update', async t => {
  const running = await startWeb(t)
  const peers = await Promise.all(Array.from({ length: 100 }, () => Peer.connect(t, running)))
  for (const peer of peers) peer.say('BTC')
  for (const peer of peers) await peer.take(2)
  for (let version = 1; version <= 20; version++) running.feed.publish([withVolume('BTC', version, version)])
  for (const peer of peers) {
    const heard = await peer.take(20)
    assert.deepEqual(
      heard.map(brief),
      Array.from({ length: 20 }, (_, i) => `${i + 3} update BTC ${i + 1}`),
    )
  }
  assert.deepEqual(running.role.clients().updatesConflated, 0)
})

test('an update is on the wire in the turn in which the watcher was told', async t => {
  const running = await startWeb(t)
  const peer = await Peer.connect(t, running)
  peer.say('BTC')
  await peer.take(2)
  let version = 0
  const source = { takeChanged: () => ['BTC'], update: () => withVolume('BTC', ++version, version) }
  const { feed, clock } = running
  const watcher = new Watcher({ source, feed, clock, updatesPerSecond: 20 })
  const before = running.role.clients().messagesSent
  watcher.changed()
  assert.equal(running.role.clients().messagesSent, before + 1)
  watcher.changed()
  watcher.changed()
  assert.equal(running.role.clients().messagesSent, before + 1, 'conflated')
  running.clock.advance(50)
  assert.deepEqual((await peer.take(2)).map(brief), ['3 update BTC 1', '4 update BTC 2'])
})
