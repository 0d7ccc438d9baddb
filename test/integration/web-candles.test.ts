/// The channel `candles`, over an archive in memory that is filled as the archiver fills it: what a client is left with
/// equals what GET /v1/tokens/{token}/candles answers.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { MemoryTradeArchive } from '../../src/adapters/memory/trade-archive.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { type CandlesUpdate, VolumerClient } from '../../src/client/client.js'
import { CANDLE_INTERVALS, type Candle, type CandleInterval } from '../../src/core/candles.js'
import { UnavailableError } from '../../src/ports/errors.js'
import type { AdmittedSwap, ArchiveBatch, Archived, CandleQuery } from '../../src/ports/trade-archive.js'
import { ARCHIVE_RULES, BOUNDLESS, swap, Writer } from '../contract/archive-writer.js'
import { EventPeer } from '../delivery/event-peer.js'
import { type Message, Peer, type Running, type Setting, START, startWeb } from '../delivery/web-harness.js'
import { Random, testSeed } from '../simulation/random.js'
import { until } from '../wait/eventually.js'

const MINUTE = 60_000
const NOW = START - (START % MINUTE)

/// Tells what was appended, as the archiver does, and fails on command.
class ToldArchive extends MemoryTradeArchive {
  onArchived: (swaps: readonly AdmittedSwap[]) => void = () => {}
  failure: Error | null = null
  questions = 0

  constructor() {
    super(ARCHIVE_RULES, BOUNDLESS)
  }

  override async append(batch: ArchiveBatch): Promise<Archived> {
    const archived = await super.append(batch)
    this.onArchived(batch.swaps)
    return archived
  }

  override async candles(query: CandleQuery): Promise<readonly Candle[]> {
    this.questions++
    if (this.failure !== null) throw this.failure
    return super.candles(query)
  }
}

async function serve(t: TestContext, setting: Setting = {}) {
  const archive = new ToldArchive()
  // The clock is moved by minutes.
  const limits = { silenceMs: 1e12, pingEveryMs: 1e12, slowReaderMs: 1e12 }
  const running = await startWeb(t, { archive, limits, ...setting })
  if (setting.archivedElsewhere !== true) archive.onArchived = swaps => running.role.archived(swaps)
  return { archive, running, writer: new Writer(archive) }
}

/// Moves the clock until the condition holds.
async function eventually({ clock }: Running, condition: () => boolean, what: string): Promise<void> {
  await until(() => {
    clock.advance(20)
    return condition()
  }, what)
}

const candlesOf = (peer: { readonly heard: readonly Message[] }) =>
  peer.heard.filter(({ channel }) => channel === 'candles')
const times = (message: Message | undefined) =>
  Array.isArray(message?.candles) ? message.candles.map(({ time }) => (time - NOW) / MINUTE) : null

async function rest(
  { url }: Running,
  token: string,
  interval: CandleInterval,
  from: number,
): Promise<unknown> {
  const query = `interval=${interval}&from=${from}&to=${from + 1000 * CANDLE_INTERVALS[interval]}`
  const response = await fetch(`${url}/v1/tokens/${encodeURIComponent(token)}/candles?${query}`)
  assert.equal(response.status, 200)
  return Reflect.get(Object(await response.json()), 'candles')
}

test('a snapshot, then what changes, late swaps too; in the schema of REST', async t => {
  const { running, writer } = await serve(t)
  await writer.swaps(START, swap('old', NOW - 9 * MINUTE), swap('a', NOW - 2 * MINUTE), swap('b', NOW))
  const peer = await Peer.connect(t, running)
  const subscription = { channel: 'candles', token: 'BTC', limit: 5, mode: 'delta' }
  peer.say({ op: 'subscribe', id: 1, subscriptions: [subscription] })
  await eventually(running, () => candlesOf(peer).length === 1, 'the snapshot comes')
  const [subscribed] = peer.heard
  assert.deepEqual(subscribed?.subscriptions, [{ interval: '1m', ...subscription }])
  const [snapshot] = candlesOf(peer)
  assert.deepEqual(
    [snapshot?.type, snapshot?.token, snapshot?.interval, snapshot?.from],
    ['snapshot', 'BTC', '1m', NOW - 4 * MINUTE],
  )
  assert.deepEqual(snapshot?.candles, await rest(running, 'BTC', '1m', NOW - 4 * MINUTE))
  assert.deepEqual(times(snapshot), [-2, 0])

  await writer.swaps(START + 1, swap('c', NOW + 1, { usd: '7' }), swap('ETH', NOW, { token: 'ETH' }))
  await eventually(running, () => candlesOf(peer).length === 2, 'the last candle has changed')
  assert.deepEqual([candlesOf(peer)[1]?.type, times(candlesOf(peer)[1])], ['update', [0]])
  await writer.swaps(START + 2, swap('late', NOW - 2 * MINUTE), swap('new', NOW - 3 * MINUTE))
  await eventually(running, () => candlesOf(peer).length === 3, 'late swaps change candles')
  assert.deepEqual(times(candlesOf(peer)[2]), [-3, -2])

  // A duplicate, another token and what is too old to be shown are no news.
  await writer.swaps(
    START + 3,
    swap('c', NOW + 1),
    swap('e', NOW, { token: 'ETH' }),
    swap('x', NOW - 5 * MINUTE),
  )
  await writer.swaps(START + 4, swap('d', NOW - MINUTE))
  await eventually(running, () => candlesOf(peer).length === 4, 'the next change')
  assert.deepEqual(times(candlesOf(peer)[3]), [-1])

  peer.say({ op: 'unsubscribe', candles: [{ token: 'BTC' }] })
  await eventually(running, () => peer.heard.at(-1)?.type === 'unsubscribed', 'the answer')
  assert.equal(running.role.followsArchive, false)
  await writer.swaps(START + 5, swap('f', NOW))
  assert.equal(candlesOf(peer).length, 4)
})

test('in mode full an update is whole; several intervals and tokens are told apart', async t => {
  const { running, writer } = await serve(t)
  await writer.swaps(START, swap('a', NOW - MINUTE), swap('b', NOW), swap('c', NOW, { token: 'a b' }))
  const peer = await Peer.connect(t, running)
  peer.say({
    op: 'subscribe',
    subscriptions: [
      { channel: 'candles', token: 'BTC' },
      { channel: 'candles', token: 'BTC', interval: '1h' },
      { channel: 'candles', token: 'a b', interval: '1s' },
    ],
  })
  await eventually(running, () => candlesOf(peer).length === 3, 'snapshots come')
  await writer.swaps(START + 1, swap('d', NOW + 1))
  await eventually(running, () => candlesOf(peer).length === 5, 'both intervals have changed')
  const [minutes, hours] = candlesOf(peer).slice(3)
  assert.deepEqual([minutes?.interval, times(minutes)], ['1m', [-1, 0]])
  assert.deepEqual([hours?.interval, Array.isArray(hours?.candles) && hours.candles.length], ['1h', 1])
  peer.say({ op: 'unsubscribe', candles: [{ token: 'BTC', interval: '1h' }, { token: 'a b' }] })
  await eventually(running, () => peer.heard.at(-1)?.type === 'unsubscribed', 'the answer')
  assert.equal(running.role.clients().subscriptions, 2)
  peer.say({ op: 'unsubscribe', channels: ['candles'] })
  await eventually(running, () => running.role.clients().subscriptions === 0, 'nothing is followed')
})

test('what is wrong is named', async t => {
  const { running } = await serve(t)
  const peer = await Peer.connect(t, running)
  const refused = async (subscription: object) => {
    peer.say({ op: 'subscribe', subscriptions: [{ channel: 'candles', token: 'BTC', ...subscription }] })
    const [message] = await peer.take(1)
    return [message?.type, message?.code, message?.field]
  }
  for (const [wrong, field, code = 'invalidRequest'] of [
    [{ token: undefined }, 'token'],
    [{ token: '' }, 'token'],
    [{ token: '\ud800' }, 'token', 'invalidToken'],
    [{ interval: '2m' }, 'interval'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 1001 }, 'limit'],
    [{ windows: ['5m'] }, 'windows'],
  ] as const) {
    assert.deepEqual(
      await refused(wrong),
      ['error', code, `subscriptions[0].${field}`],
      JSON.stringify(wrong),
    )
  }
  const without = await startWeb(t)
  const other = await Peer.connect(t, without)
  other.say({ op: 'subscribe', subscriptions: [{ channel: 'candles', token: 'BTC' }] })
  const [message] = await other.take(1)
  assert.match(String(message?.message), /keeps no archive/)
  assert.equal(message?.field, 'subscriptions[0].channel')
})

test('an archive that is away is asked again', async t => {
  const { archive, running, writer } = await serve(t)
  await writer.swaps(START, swap('a', NOW))
  archive.failure = new UnavailableError('nobody answers')
  const peer = await Peer.connect(t, running)
  peer.say({ op: 'subscribe', subscriptions: [{ channel: 'candles', token: 'BTC' }] })
  await eventually(running, () => archive.questions >= 3, 'it is tried again')
  // Once a second, not at every beat.
  const before = archive.questions
  for (let i = 0; i < 50; i++) running.clock.advance(100)
  assert.ok(archive.questions - before <= 5)
  // A new one, and one that goes while the archive is away.
  peer.say({ op: 'subscribe', subscriptions: [{ channel: 'candles', token: 'ETH' }] })
  await until(() => running.role.clients().subscriptions === 2, 'both are followed')
  peer.say({ op: 'unsubscribe', channels: ['candles'] })
  await until(() => !running.role.followsArchive, 'nobody follows')
  archive.failure = null
  peer.say({ op: 'subscribe', subscriptions: [{ channel: 'candles', token: 'BTC' }] })
  await eventually(running, () => candlesOf(peer).length === 1, 'the snapshot comes')
  archive.failure = new UnavailableError('nobody answers')
  await writer.swaps(START + 1, swap('b', NOW - MINUTE), swap('c', NOW))
  archive.failure = null
  await eventually(running, () => candlesOf(peer).length === 2, 'what came meanwhile follows')
  assert.deepEqual(times(candlesOf(peer)[1]), [-1, 0])
})

test('what another process archives is looked up each second', async t => {
  const { archive, running, writer } = await serve(t, { archivedElsewhere: true })
  const peer = await Peer.connect(t, running)
  peer.say({ op: 'subscribe', subscriptions: [{ channel: 'candles', token: 'BTC', mode: 'delta' }] })
  await eventually(running, () => candlesOf(peer).length === 1, 'an empty snapshot comes')
  assert.deepEqual(candlesOf(peer)[0]?.candles, [])
  await writer.swaps(START, swap('a', NOW), swap('b', NOW - MINUTE))
  await eventually(running, () => candlesOf(peer).length === 2, 'the first')
  await writer.swaps(START + 1, swap('c', NOW - MINUTE))
  await eventually(running, () => candlesOf(peer).length === 3, 'a late one')
  assert.deepEqual(times(candlesOf(peer)[2]), [-1])
  peer.terminate()
  await until(() => !running.role.followsArchive, 'nobody follows')
  const before = archive.questions
  running.clock.advance(10_000)
  assert.equal(archive.questions, before)
})

test('event streams have it, and the client puts changes into the whole', async t => {
  const { running, writer } = await serve(t)
  const subscriptions = JSON.stringify([
    { channel: 'candles', token: 'BTC', interval: '5m', limit: 3, mode: 'delta' },
  ])
  const events = await EventPeer.open(
    t,
    `${running.url}/v1/stream?subscriptions=${encodeURIComponent(subscriptions)}`,
  )
  t.after(() => events.terminate())
  const client = new VolumerClient({ url: running.url, WebSocket })
  t.after(() => client.close())
  const updates: CandlesUpdate[] = []
  client.subscribe({ channel: 'candles', token: 'BTC', interval: '5m', limit: 3, mode: 'delta' }, update =>
    updates.push(update),
  )
  const hours = client.subscribe({ channel: 'candles', token: 'BTC', interval: '1h' })
  await eventually(running, () => updates.length === 1 && candlesOf(events).length === 1, 'snapshots come')
  const first = await hours.next()
  assert.equal(first.value?.interval, '1h')
  hours.unsubscribe()
  for (let i = 1; i <= 20; i++) {
    const count = updates.length
    await writer.swaps(START + i * MINUTE, swap(`a${i}`, NOW + i * MINUTE), swap(`b${i}`, NOW))
    running.clock.moveTo(START + i * MINUTE)
    await eventually(
      running,
      () => updates.length > count && candlesOf(events).length === updates.length,
      'an update comes',
    )
  }
  const { from = 0, candles } = updates.at(-1) ?? {}
  assert.equal(candles?.length, 3)
  assert.deepEqual(candles, await rest(running, 'BTC', '5m', from))
  assert.equal((await client.candles('BTC', { interval: '5m', from })).candles.length, 3)
})

/// What a client knows from messages alone.
class View {
  readonly #known = new Map<number, unknown>()
  readonly #mode: string

  constructor(mode: string) {
    this.#mode = mode
  }

  hear(peer: Peer): void {
    for (const { channel, type, candles } of peer.heard.splice(0)) {
      assert.notEqual(type, 'error')
      if (channel !== 'candles') continue
      assert.ok(Array.isArray(candles))
      if (type === 'snapshot' || this.#mode === 'full') this.#known.clear()
      for (const candle of candles) this.#known.set(candle.time, candle)
    }
  }

  since(from: number): unknown[] {
    const shown = [...this.#known].filter(([time]) => time >= from)
    return shown.sort(([a], [b]) => a - b).map(([, candle]) => candle)
  }
}

function shownFrom(now: number, interval: CandleInterval, limit: number): number {
  const intervalMs = CANDLE_INTERVALS[interval]
  return Math.max(0, now - (now % intervalMs) - (limit - 1) * intervalMs)
}

test('whatever comes and however clients read, what they are left with is what REST answers', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const { archive, running, writer } = await serve(t)
  const tokens = ['BTC', 'ETH', 'a b']
  const followers = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const peer = await Peer.connect(t, running)
      const limit = 1 + random.below(20)
      const intervals: CandleInterval[] = ['1s', '1m', '5m', '1h', '1d']
      const interval = random.pick(intervals)
      const token = random.pick(tokens)
      const mode = random.pick(['full', 'delta'])
      const maxRate = random.pick([1, 10])
      const want = { channel: 'candles', token, interval, limit, mode, maxRate }
      peer.say({ op: 'subscribe', subscriptions: [want] })
      return { peer, token, interval, limit, want, view: new View(mode), paused: false }
    }),
  )
  let now = START
  for (let round = 0; round < 60; round++) {
    now += random.below(4) === 0 ? random.below(20 * MINUTE) : random.below(3000)
    running.clock.moveTo(now)
    const swaps = Array.from({ length: random.below(12) }, () =>
      swap(`s${random.below(400)}`, now + 30_000 - random.below(random.chance(0.2) ? 3_600_000 : 60_000), {
        token: random.pick(tokens),
        who: random.pick(['alice', 'bob', 'carol']),
        usd: String(random.below(1000)),
      }),
    )
    archive.failure = random.chance(0.1) ? new UnavailableError('away') : null
    await writer.swaps(now, ...swaps)
    for (const each of followers) {
      if (!random.chance(0.2)) continue
      if (each.paused) each.peer.resume()
      else each.peer.pause()
      each.paused = !each.paused
    }
    for (let i = random.below(20); i > 0; i--) {
      running.clock.advance(100)
      now += 100
      await nextTurn()
    }
  }
  archive.failure = null
  for (const { peer } of followers) peer.resume()
  for (const each of followers) {
    let expected: unknown
    const agrees = async () => {
      running.clock.advance(200)
      each.view.hear(each.peer)
      const from = shownFrom(running.clock.now(), each.interval, each.limit)
      expected = await rest(running, each.token, each.interval, from)
      return JSON.stringify(each.view.since(from)) === JSON.stringify(expected)
    }
    const deadline = Date.now() + 10_000
    while (!(await agrees())) {
      const from = shownFrom(running.clock.now(), each.interval, each.limit)
      if (Date.now() > deadline) assert.deepEqual(each.view.since(from), expected, JSON.stringify(each.want))
    }
  }
})
