/// Readers that are too slow: what they miss, what they never miss, and when they are closed.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { withVolume } from '../delivery/token-stats.js'
import { type Message, Peer, type Running, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

const TOKENS = Array.from({ length: 200 }, (_, i) => `T${i}`)

let version = 0

/// Publishes a new version of every token, turn after turn, until the condition holds.
async function publishUntil(running: Running, condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) {
    assert.ok(round < 2_000, 'in time: the condition of the published updates')
    version++
    running.feed.publish(TOKENS.map(token => withVolume(token, version, version)))
    await new Promise(resolve => setImmediate(resolve))
  }
}

async function subscribed(t: TestContext, running: Running): Promise<Peer> {
  const peer = await Peer.connect(t, running)
  peer.say({ op: 'subscribe', tokens: TOKENS })
  await peer.take(1 + TOKENS.length)
  return peer
}

const volume = ({ stats }: Message): number => Number(Object(stats).volume.m5)

test('a reader that catches up hears of the gap, and ends with the newest state of every token', async t => {
  const running = await startWeb(t)
  const peer = await subscribed(t, running)
  peer.ws.pause()
  await publishUntil(running, () => running.role.clients().updatesConflated > 10 * TOKENS.length)
  const newest = version
  peer.ws.resume()
  const last = new Map<unknown, number>()
  const isCaughtUp = () => {
    for (const message of peer.heard) if (message.type === 'update') last.set(message.token, volume(message))
    return TOKENS.every(token => last.get(token) === newest)
  }
  await until(isCaughtUp, 'the newest state has come')

  const gaps = peer.heard.filter(({ type }) => type === 'gap')
  const skipped = gaps.reduce((sum, gap) => sum + Number(gap.skipped), 0)
  assert.ok(gaps.length >= 1)
  assert.equal(gaps[0]?.reason, 'slowReader')
  assert.equal(skipped, running.role.clients().updatesConflated)
  const seqs = peer.heard.map(({ seq }) => seq)
  assert.deepEqual(
    seqs,
    Array.from(seqs, (_, i) => i + (seqs[0] ?? 0)),
    'no message is missing',
  )
  for (const token of TOKENS) {
    const versions = peer.heard.filter(message => message.token === token).map(volume)
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
      'versions never go back',
    )
  }

  running.feed.publish([withVolume('T0', ++version, version)])
  await until(() => peer.heard.at(-1)?.token === 'T0', 'live again')
  assert.equal(running.role.clients().slowReadersClosed, 0)
})

test('a reader that takes nothing is closed, with a code that says why when it reads on', async t => {
  const running = await startWeb(t)
  const peer = await subscribed(t, running)
  peer.ws.pause()
  await publishUntil(running, () => running.role.clients().updatesConflated > 0)
  running.clock.advance(9_000)
  assert.equal(running.role.clients().slowReadersClosed, 0, 'not yet')
  running.clock.advance(2_000)
  assert.equal(running.role.clients().slowReadersClosed, 1)
  peer.ws.resume()
  assert.deepEqual(await peer.close(), { code: 4008, reason: 'slow reader' })
  await until(() => running.role.clients().webSockets === 0, 'it is gone')
})

test('a raw socket that never reads costs bounded memory, delays nobody, and is cut', async t => {
  const running = await startWeb(t)
  const quick = await subscribed(t, running)
  const raw = connect(running.port, '127.0.0.1')
  t.after(() => raw.destroy())
  raw.on('error', () => undefined)
  raw.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  await until(() => running.role.clients().webSockets === 2, 'it is connected')
  raw.pause()
  raw.write(maskedText(JSON.stringify({ op: 'subscribe', tokens: TOKENS })))
  await until(() => running.role.clients().subscriptions === 2 * TOKENS.length, 'it is subscribed')

  await publishUntil(running, () => running.role.clients().updatesConflated > 20 * TOKENS.length)
  assert.ok(running.role.clients().unsentBytes < 2 * 1024 * 1024)
  const newest = version
  await until(
    () => quick.heard.filter(m => m.token === 'T0').some(m => volume(m) === newest),
    'the quick one has it',
  )

  // Above the soft bound for ten seconds, then two more to answer the close.
  running.clock.advance(14_000)
  await until(() => running.role.clients().webSockets === 1, 'it is cut')
  assert.equal(running.role.clients().slowReadersClosed, 1)
  assert.equal(running.role.clients().subscriptions, TOKENS.length)
})

test('a client that asks and never reads is closed at the hard bound', async t => {
  const running = await startWeb(t, { limits: { requestsPerSecond: 1_000_000, unsentHardBytes: 300_000 } })
  const peer = await Peer.connect(t, running)
  peer.ws.pause()
  const long = Array.from({ length: 400 }, (_, i) => `${i}`.padEnd(128, 'x'))
  for (let i = 0; running.role.clients().slowReadersClosed === 0; i++) {
    assert.ok(i < 2_000, 'in time: the hard bound')
    peer.say({ op: 'unsubscribe', tokens: long })
    await new Promise(resolve => setImmediate(resolve))
  }
  peer.ws.resume()
  assert.equal((await peer.close()).code, 4008)
})

/// A short text frame as a client sends it.
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text)
  assert.ok(payload.length >= 126 && payload.length < 65_536)
  const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([head, payload])
}
