/// Random messages over the WebSocket protocol, valid, nearly valid and garbage, in random frames: every message that comes back
/// is a documented one, every request with an id is answered, and the server goes on.
///
/// Runs for VOLUMER_FUZZ_SECONDS (8 by default). A failure prints its seed, with which VOLUMER_SEED repeats it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { MemoryTradeArchive } from '../../src/adapters/memory/trade-archive.js'
import { ARCHIVE_RULES, BOUNDLESS } from '../contract/archive-writer.js'
import { liveTrades } from '../contract/trade-feed.js'
import { api as apiOf } from '../delivery/api.js'
import { randomStats } from '../delivery/random-stats.js'
import { Peer } from '../delivery/web-harness.js'
import { Random, testSeed } from '../simulation/random.js'
import { until } from '../wait/eventually.js'

const SECONDS = Number(process.env.VOLUMER_FUZZ_SECONDS ?? 8)
const TOKENS = ['BTC', '__proto__', 'ü', '🚀', 'constructor']
const JUNK: readonly unknown[] = [
  null,
  0,
  -1,
  1e308,
  true,
  '',
  'x',
  'x'.repeat(200),
  [],
  {},
  [null],
  ['BTC', 5],
  { a: 1 },
  '\ud800',
  '\u0000',
]

function junkOr<T>(random: Random, value: T): unknown {
  return random.chance(0.08) ? random.pick(JUNK) : value
}

function shape(random: Random): Record<string, unknown> {
  const chosen: Record<string, unknown> = {}
  if (random.chance(0.3)) chosen.windows = junkOr(random, random.pick([['5m'], ['m1', 'h24'], ['7m'], []]))
  if (random.chance(0.3)) chosen.fields = junkOr(random, random.pick([['volume'], ['*'], ['nope'], []]))
  if (random.chance(0.3)) chosen.mode = junkOr(random, random.pick(['full', 'delta', 'x']))
  if (random.chance(0.3)) chosen.maxRate = junkOr(random, random.pick([0.1, 5, 1000, 0, 1001]))
  if (random.chance(0.05)) chosen[random.pick(['__proto__x', 'depth', ''])] = random.pick(JUNK)
  return chosen
}

function subscription(random: Random): unknown {
  const channel = random.pick(['token', 'trades', 'ranking', 'totals', 'status', 'candles', 'nope'])
  const base: Record<string, unknown> = {
    channel: junkOr(random, channel),
    ...(random.chance(0.7) ? shape(random) : {}),
  }
  if (channel === 'trades')
    for (const name of ['windows', 'fields', 'mode']) if (random.chance(0.9)) delete base[name]
  if (channel === 'token' || channel === 'trades')
    base.tokens = junkOr(
      random,
      TOKENS.filter(() => random.chance(0.4)),
    )
  if (channel === 'status' || channel === 'totals') delete base.fields
  if (channel === 'candles') {
    delete base.fields
    delete base.windows
    base.token = junkOr(random, random.pick(TOKENS))
    if (random.chance(0.5)) base.interval = junkOr(random, random.pick(['1s', '5m', '2m']))
    if (random.chance(0.3)) base.limit = junkOr(random, random.pick([1, 1000, 1001, 0]))
  }
  if (channel === 'ranking') {
    if (random.chance(0.5)) base.name = junkOr(random, random.pick(['a', 'b', '__proto__', 'ü']))
    if (random.chance(0.5))
      base.sort = junkOr(random, random.pick(['volume.m5', 'priceUsd', 'nope', 'trending.h24']))
    if (random.chance(0.3))
      base.filter = junkOr(random, random.pick(['volume.m5>1', '(((', 'priceUsd>=0 or x', 'txns.m1.total=0']))
    if (random.chance(0.3)) base.limit = junkOr(random, random.pick([1, 100, 101, 0]))
  }
  return junkOr(random, base)
}

function request(random: Random, id: number, cursor: unknown): unknown {
  switch (random.below(8)) {
    case 0:
    case 1:
      return {
        op: 'subscribe',
        id,
        tokens: junkOr(
          random,
          TOKENS.filter(() => random.chance(0.4)),
        ),
        ...shape(random),
      }
    case 2:
    case 3: {
      const subscriptions = Array.from({ length: 1 + random.below(3) }, () => subscription(random))
      return {
        op: 'subscribe',
        id,
        subscriptions: junkOr(random, subscriptions),
        ...(random.chance(0.3) ? { cursor: junkOr(random, cursor) } : {}),
      }
    }
    case 4:
      return {
        op: 'unsubscribe',
        id,
        tokens: junkOr(
          random,
          TOKENS.filter(() => random.chance(0.4)),
        ),
      }
    case 5:
      return {
        op: 'unsubscribe',
        id,
        trades: junkOr(
          random,
          TOKENS.filter(() => random.chance(0.4)),
        ),
        rankings: junkOr(random, ['a', '__proto__']),
        ...(random.chance(0.5) ? { candles: junkOr(random, [{ token: random.pick(TOKENS) }]) } : {}),
        channels: junkOr(random, ['totals']),
      }
    case 6:
      return { op: 'ping', id }
    default:
      return { op: random.pick(['dance', '', 'subscribe', 'unsubscribe']), id }
  }
}

test(`${SECONDS} s of random messages are answered as the documents say`, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const archive = new MemoryTradeArchive(ARCHIVE_RULES, BOUNDLESS)
  const limits = { requestsPerSecond: 1_000_000, tokensPerClientMax: 5 }
  const api = await apiOf(t, { archive, limits })
  const { running } = api
  const deadline = Date.now() + SECONDS * 1000
  let peer = await Peer.connect(t, running)
  let version = 0
  let cursor: unknown = 'x'
  const answered = new Map<string, number>()
  for (let id = 1; id < 500 || Date.now() < deadline; id++) {
    const message = request(random, id, cursor)
    let text = JSON.stringify(message)
    const mutated = random.chance(0.1)
    if (mutated) {
      const place = random.below(text.length)
      text =
        text.slice(0, place) +
        random.pick(['', '}', '"', '\\', '\u2028', '{', ',']) +
        text.slice(place + random.below(3))
    }
    peer.say(text)
    if (random.chance(0.3)) {
      version++
      running.feed.publish([randomStats(random, random.pick(TOKENS), version)])
    }
    if (random.chance(0.3)) {
      version++
      running.trades.publish([liveTrades(random.pick(TOKENS), [version])])
    }
    if (random.chance(0.1)) running.clock.advance(random.pick([10, 100]))
    // What was mutated may have lost its id, and a text that is no object subscribes to a token.
    const fence = `fence ${id}`
    peer.say({ op: 'ping', id: fence })
    await until(
      () => peer.closed !== null || peer.heard.some(each => each.id === fence),
      `VOLUMER_SEED=${seed}: an answer to ${text}`,
    )
    assert.equal(peer.closed, null, `VOLUMER_SEED=${seed}: ${text} closed the connection`)
    const heard = peer.heard.splice(0)
    for (const each of heard) {
      api.assertMessage(each)
      if (each.cursor !== undefined) cursor = each.cursor
      if (each.id === id) answered.set(each.type, (answered.get(each.type) ?? 0) + 1)
    }
    if (!mutated) {
      const own = heard.filter(each => each.id === id)
      assert.equal(own.length, 1, `VOLUMER_SEED=${seed}: ${text} → ${JSON.stringify(own)}`)
    }
    if (random.chance(0.01)) {
      peer.terminate()
      peer = await Peer.connect(t, running)
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(answered)))
  for (const type of ['subscribed', 'unsubscribed', 'error', 'pong'])
    assert.ok((answered.get(type) ?? 0) > 10, type)
  assert.deepEqual(running.errors, [])
})

test('random frames end at most their own connection', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const { running } = await apiOf(t)
  const witness = await Peer.connect(t, running)
  witness.say('BTC')
  await witness.take(2)
  const deadline = Date.now() + (SECONDS * 1000) / 4
  for (let rounds = 0; rounds < 20 || Date.now() < deadline; rounds++) {
    const ws = new WebSocket(running.wsUrl)
    ws.on('error', () => undefined)
    await new Promise(resolve => ws.once('open', resolve))
    const socket: { write(bytes: Buffer): void } = Reflect.get(ws, '_socket')
    for (let i = random.below(5); i >= 0; i--) {
      const bytes = Buffer.from(Array.from({ length: 2 + random.below(60) }, () => random.below(256)))
      // Often a real opcode, so that something deeper is reached.
      if (random.chance(0.7)) bytes[0] = random.pick([0x81, 0x82, 0x01, 0x80, 0x88, 0x89, 0x8a, 0xc1])
      socket.write(bytes)
    }
    await new Promise(resolve => setTimeout(resolve, 5))
    ws.terminate()
  }
  running.feed.publish([randomStats(random, 'BTC', 1)])
  await until(() => witness.heard.some(({ type }) => type === 'update'), 'others are served')
  await until(() => running.role.clients().webSockets === 1, 'nothing is left')
  assert.deepEqual(running.errors, [])
})
