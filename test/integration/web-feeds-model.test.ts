/// Model-based test of the feeds: random clients subscribe, unsubscribe, stop reading, read on, disconnect and resume, over
/// WebSockets and streams of events, while random updates are published. Whenever things settle, each client's view must be
/// the server's, by the messages alone, and nothing that a cursor promises may be missing.
///
/// Runs for VOLUMER_FUZZ_SECONDS (8 by default). A failure prints its seed, with which VOLUMER_SEED repeats it.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { merged } from '../../src/client/merge.js'
import { liveTrades } from '../contract/trade-feed.js'
import { Api } from '../delivery/documents.js'
import { EventPeer } from '../delivery/event-peer.js'
import { View } from '../delivery/feed-model.js'
import { randomStats } from '../delivery/random-stats.js'
import { tokenGone } from '../delivery/token-stats.js'
import { Peer, type Running, startWeb } from '../delivery/web-harness.js'
import { Random, testSeed } from '../simulation/random.js'
import { until } from '../wait/eventually.js'

const SECONDS = Number(process.env.VOLUMER_FUZZ_SECONDS ?? 8)
const TOKENS = Array.from({ length: 12 }, (_, i) => (i === 0 ? '__proto__' : `T${i}`))
const CLIENTS = 6
const LIMITS = { unsentSoftBytes: 24 * 1024, resumeMs: 120_000, requestsPerSecond: 1_000_000 }

interface Want {
  readonly fields: readonly string[] | null
  readonly windows: readonly string[] | null
  readonly mode: 'full' | 'delta'
  readonly maxRate: number | null
}

interface RankingWant extends Want {
  readonly sort: string
  readonly order: 'asc' | 'desc'
  readonly filter: string | null
  readonly offset: number
  readonly limit: number
}

class ModelClient {
  readonly view: View
  /// Tokens whose swaps it follows, with its maximum rate.
  readonly trades = new Map<string, number | null>()
  readonly wants = new Map<string, Want>()
  readonly rankings = new Map<string, RankingWant>()
  totals = false
  peer: Peer | EventPeer | null = null
  paused = false
  checkedSeq = 0

  constructor(published: ReadonlyMap<string, readonly number[]>) {
    this.view = new View(published)
  }

  get connected(): boolean {
    return this.peer !== null && this.peer.closed === null
  }
}

function randomWant(random: Random): Want {
  return {
    fields: random.chance(0.5)
      ? null
      : random.pick([['volume'], ['txns', 'priceUsd'], ['*'], ['close', 'firstSeen']]),
    windows: random.chance(0.5) ? null : random.pick([['m1'], ['5m', '24h']]),
    mode: random.pick(['full', 'delta']),
    maxRate: random.chance(0.7) ? null : random.pick([1, 5]),
  }
}

const options = ({ fields, windows, mode, maxRate }: Want) => ({
  mode,
  ...(fields === null ? {} : { fields }),
  ...(windows === null ? {} : { windows }),
  ...(maxRate === null ? {} : { maxRate }),
})

class World {
  readonly random: Random
  readonly running: Running
  readonly api: Api
  readonly t: TestContext
  readonly published = new Map<string, number[]>()
  readonly clients = Array.from({ length: CLIENTS }, () => new ModelClient(this.published))
  version = 0
  steps: string[] = []

  constructor(t: TestContext, running: Running, api: Api, random: Random) {
    this.t = t
    this.running = running
    this.api = api
    this.random = random
  }

  publish(): void {
    const { random } = this
    const updates = Array.from({ length: 1 + random.below(6) }, () => {
      const token = random.pick(TOKENS)
      this.version++
      const rolledAt = this.running.clock.now()
      return random.chance(0.1)
        ? tokenGone(token, this.version)
        : { ...randomStats(random, token, this.version), rolledAt }
    })
    this.running.feed.publish(updates)
    if (random.chance(0.7)) this.publishTrades(random.below(random.chance(0.1) ? 300 : 5))
  }

  publishTrades(count: number): void {
    const token = this.random.pick(TOKENS)
    if (count === 0) return
    const offsets = Array.from({ length: count }, () => ++this.version)
    this.published.set(token, [...(this.published.get(token) ?? []), ...offsets])
    this.running.trades.publish([liveTrades(token, offsets)])
  }

  /// More than the sockets' buffers hold, so that who does not read falls behind.
  async flood(tokens: readonly string[]): Promise<void> {
    const { role, feed } = this.running
    const before = role.clients().updatesConflated
    for (let round = 0; round < 600 && role.clients().updatesConflated - before < 50; round++) {
      for (let i = 0; i < 10; i++) {
        this.version++
        feed.publish(tokens.map(token => randomStats(this.random, token, this.version)))
      }
      await new Promise(resolve => setImmediate(resolve))
      for (const client of this.clients) this.listen(client)
    }
  }

  async connect(client: ModelClient): Promise<void> {
    const { random } = this
    client.view.reconnected()
    client.checkedSeq = 0
    client.paused = false
    // A stream says in its address what it follows, and cannot change it.
    const all = new Set([...client.wants.values()].map(want => JSON.stringify(options(want))))
    if (
      client.wants.size > 0 &&
      client.rankings.size === 0 &&
      !client.totals &&
      client.trades.size === 0 &&
      all.size === 1 &&
      random.chance(0.6)
    ) {
      const [shape = '{}'] = all
      const { fields, windows, ...rest } = JSON.parse(shape)
      const query = new URLSearchParams(rest)
      for (const token of client.wants.keys()) query.append('token', token)
      if (fields !== undefined) query.set('fields', fields.join(','))
      if (windows !== undefined) query.set('window', windows.join(','))
      const known = [...client.wants.keys()].every(token => client.view.tokens.has(token))
      if (!known) for (const token of client.wants.keys()) client.view.tokens.delete(token)
      client.peer = await EventPeer.open(
        this.t,
        `${this.running.url}/v1/stream?${query}`,
        known ? client.view.cursor : null,
      )
      return
    }
    const peer = await Peer.connect(this.t, this.running)
    client.peer = peer
    const known = [...client.wants].filter(([token]) => client.view.tokens.has(token))
    const fresh = [...client.wants].filter(([token]) => !client.view.tokens.has(token))
    const tokenSubscriptions = (wants: readonly (readonly [string, Want])[]) =>
      wants.map(([token, want]) => ({ channel: 'token', tokens: [token], ...options(want) }))
    const tradesSubscriptions = (wants: readonly (readonly [string, number | null])[]) =>
      wants.map(([token, maxRate]) => tradesSubscription(token, maxRate))
    const knownTrades = [...client.trades].filter(([token]) => client.view.trades.has(token))
    const freshTrades = [...client.trades].filter(([token]) => !client.view.trades.has(token))
    const cursor = client.view.cursor
    if (known.length + knownTrades.length > 0) {
      peer.say({
        op: 'subscribe',
        subscriptions: [...tokenSubscriptions(known), ...tradesSubscriptions(knownTrades)],
        ...(cursor === null ? {} : { cursor }),
      })
    }
    const others = [
      ...tokenSubscriptions(fresh),
      ...tradesSubscriptions(freshTrades),
      ...[...client.rankings].map(([name, want]) => rankingSubscription(name, want)),
      ...(client.totals ? [{ channel: 'totals', mode: 'delta', maxRate: 10 }] : []),
    ]
    if (others.length > 0) peer.say({ op: 'subscribe', subscriptions: others })
  }

  async act(client: ModelClient): Promise<void> {
    const { random } = this
    if (!client.connected) {
      if (random.chance(0.5)) await this.connect(client)
      return
    }
    const { peer } = client
    this.listen(client)
    if (!(peer instanceof Peer)) {
      if (random.chance(0.2)) await this.disconnect(client)
      else if (random.chance(0.3)) this.togglePause(client)
      return
    }
    switch (random.below(11)) {
      case 0:
      case 1: {
        const tokens = TOKENS.filter(() => random.chance(0.3))
        const want = randomWant(random)
        for (const token of tokens) {
          client.wants.set(token, want)
          client.view.tokens.delete(token)
        }
        // What is on its way of the old shape must not be merged with the new one's.
        if (tokens.length > 0)
          await this.settleRequest(client, { op: 'subscribe', tokens, ...options(want) }, tokens)
        break
      }
      case 2: {
        const tokens = TOKENS.filter(() => random.chance(0.2))
        for (const token of tokens) client.wants.delete(token)
        await this.settleRequest(client, { op: 'unsubscribe', tokens }, tokens)
        for (const token of tokens) client.view.tokens.delete(token)
        break
      }
      case 3: {
        const name = random.pick(['a', 'ü'])
        const want = {
          ...randomWant(random),
          sort: random.pick(['volume.m5', 'priceUsd', 'firstSeen', 'txns.h24.traders', 'token']),
          order: random.pick(['asc', 'desc'] as const),
          filter: random.chance(0.5) ? null : 'txns.h24.total>=2',
          offset: random.chance(0.5) ? 0 : random.below(4),
          limit: 1 + random.below(5),
        }
        client.rankings.set(name, want)
        const subscriptions = [rankingSubscription(name, want)]
        await this.settleRequest(client, { op: 'subscribe', subscriptions }, [name])
        break
      }
      case 4:
        client.rankings.delete('a')
        await this.settleRequest(client, { op: 'unsubscribe', rankings: ['a'] }, ['a'])
        client.view.rankings.delete('a')
        break
      case 5:
        client.totals = true
        await this.settleRequest(
          client,
          {
            op: 'subscribe',
            subscriptions: [{ channel: 'totals', mode: 'delta', maxRate: 10 }],
          },
          ['totals'],
        )
        break
      case 6:
        await this.disconnect(client)
        break
      case 7: {
        const tokens = TOKENS.filter(() => random.chance(0.3))
        const maxRate = random.chance(0.7) ? null : 2
        for (const token of tokens) {
          client.trades.set(token, maxRate)
          client.view.trades.delete(token)
        }
        const subscriptions = tokens.map(token => tradesSubscription(token, maxRate))
        if (tokens.length > 0) {
          const subjects = tokens.map(token => `trades ${token}`)
          await this.settleRequest(client, { op: 'subscribe', subscriptions }, subjects)
        }
        break
      }
      case 8: {
        const trades = TOKENS.filter(() => random.chance(0.3))
        for (const token of trades) client.trades.delete(token)
        const subjects = trades.map(token => `trades ${token}`)
        await this.settleRequest(client, { op: 'unsubscribe', trades }, subjects)
        for (const token of trades) client.view.trades.delete(token)
        break
      }
      default:
        this.togglePause(client)
    }
  }

  togglePause(client: ModelClient): void {
    if (client.paused) client.peer?.resume()
    else client.peer?.pause()
    client.paused = !client.paused
  }

  async disconnect(client: ModelClient): Promise<void> {
    this.listen(client)
    client.peer?.terminate()
    await until(() => client.peer?.closed !== null, 'it is disconnected')
    this.listen(client)
    client.peer = null
  }

  /// Says something, and waits for its answer.
  async settleRequest(client: ModelClient, request: object, subjects: readonly string[]): Promise<void> {
    const { peer } = client
    if (!(peer instanceof Peer)) return
    if (client.paused) this.togglePause(client)
    const id = `r${this.steps.length}`
    client.view.pending = { id, subjects: new Set(subjects) }
    let answered = false
    peer.say({ ...request, id })
    await until(
      () => {
        this.listen(client, message => {
          assert.notEqual(message.type, 'error', JSON.stringify(message))
          answered ||= message.id === id
        })
        return answered
      },
      `the answer to ${JSON.stringify(request)}`,
    )
  }

  /// Takes what the client has heard into its view.
  listen(client: ModelClient, also: (message: Peer['heard'][number]) => void = () => undefined): void {
    for (const message of client.peer?.heard.splice(0) ?? []) {
      this.api.assertMessage(message)
      const fault = client.view.hear(message)
      assert.equal(fault, null, `${fault}\n${JSON.stringify(message).slice(0, 1000)}`)
      also(message)
    }
  }

  /// Everybody reads on and time passes: views must become the server's.
  async settle(): Promise<void> {
    for (const client of this.clients) if (client.paused) this.togglePause(client)
    await until(
      () => {
        this.running.clock.advance(50)
        for (const client of this.clients) this.listen(client)
        return this.clients.every(client => !client.connected || this.fault(client) === null)
      },
      `the views agree: ${this.clients.map(client => (client.connected ? this.fault(client) : null)).find(fault => fault !== null)}`,
    ).catch(async error => {
      const faults = this.clients.map(client => (client.connected ? this.fault(client) : null))
      throw new Error(`${faults.filter(fault => fault !== null).join('\n')}`, { cause: error })
    })
  }

  /// What of the client's view is not the server's; null when nothing.
  fault(client: ModelClient): string | null {
    for (const [token, want] of client.wants) {
      const expected = this.expected(token, want)
      const known = client.view.tokens.get(token)
      if (JSON.stringify(known) !== JSON.stringify(expected)) {
        return `${token} ${JSON.stringify(want)} is known as ${JSON.stringify(known)}, not ${JSON.stringify(expected)}`
      }
    }
    for (const token of client.trades.keys()) {
      const missing = client.view.missing(token)
      if (missing !== null) return missing
    }
    for (const [name, want] of client.rankings) {
      const expected = (this.ranked.get(rankingKey(want)) ?? []).slice(want.offset)
      const known = client.view.rankings.get(name)
      if (JSON.stringify(known?.names) !== JSON.stringify(expected)) {
        return `the ranking ${name} ${JSON.stringify(want)} is known as ${JSON.stringify(known?.names)}, not ${JSON.stringify(expected)}`
      }
      for (const token of expected) {
        if (JSON.stringify(known?.stats.get(token)) !== JSON.stringify(this.expected(token, want)))
          return `${token} in ${name}`
      }
    }
    return client.totals && JSON.stringify(client.view.totals) !== this.totals
      ? `the totals ${this.totals}`
      : null
  }

  readonly ranked = new Map<string, readonly string[]>()
  readonly whole = new Map<string, unknown>()
  totals = ''

  /// What the server answers over HTTP, which other tests hold against recomputation.
  async ask(): Promise<void> {
    this.ranked.clear()
    this.whole.clear()
    // Rankings may be a tenth of a second old.
    this.running.clock.advance(100)
    const get = async (path: string) => JSON.parse(await (await fetch(this.running.url + path)).text())
    const body = JSON.stringify({ tokens: TOKENS, fields: ['*'] })
    const headers = { 'content-type': 'application/json' }
    const queried = await fetch(`${this.running.url}/v1/tokens/query`, { method: 'POST', headers, body })
    for (const stats of JSON.parse(await queried.text()).tokens) this.whole.set(stats.token, stats)
    for (const client of this.clients) {
      for (const want of client.rankings.values()) {
        const limit = String(want.offset + want.limit)
        const query = new URLSearchParams({ sort: want.sort, order: want.order, limit })
        if (want.filter !== null) query.set('filter', want.filter)
        const { tokens } = await get(`/v1/tokens?${query}`)
        this.ranked.set(
          rankingKey(want),
          tokens.map(({ token }: { token: string }) => token),
        )
      }
    }
    this.totals = JSON.stringify(await get('/v1/totals'))
  }

  expected(token: string, { fields, windows }: Want): unknown {
    const whole = this.whole.get(token)
    if (whole === undefined) return null
    const chosen = fields === null ? null : new Set(['token', 'asOf', 'version', ...fields])
    const names =
      windows?.map(each => (/^\d/.test(each) ? each.replace(/^(\d+)(\w)$/, '$2$1') : each)) ?? null
    const derived = ['netVolume', 'netBuyers', 'averageTrade', 'trending']
    return Object.fromEntries(
      Object.entries(merged({}, whole))
        .filter(([key]) => (chosen === null ? !derived.includes(key) : chosen.has('*') || chosen.has(key)))
        .map(([key, value]) => [
          key,
          names === null || typeof value !== 'object' || value === null
            ? value
            : Object.fromEntries(Object.entries(value).filter(([window]) => names.includes(window))),
        ]),
    )
  }
}

/// It does not read, and follows enough for the sockets' buffers to fill.
function canFallBehind({ paused, wants }: ModelClient): boolean {
  const whole = [...wants.values()].filter(
    ({ fields, windows, maxRate }) => fields === null && windows === null && maxRate === null,
  )
  return paused && whole.length >= 3
}

const rankingKey = ({ sort, order, filter, offset, limit }: RankingWant): string =>
  JSON.stringify([sort, order, filter, offset, limit])

const tradesSubscription = (token: string, maxRate: number | null): object => ({
  channel: 'trades',
  tokens: [token],
  ...(maxRate === null ? {} : { maxRate }),
})

function rankingSubscription(name: string, want: RankingWant): object {
  const { sort, order, filter, offset, limit } = want
  return {
    channel: 'ranking',
    name,
    sort,
    order,
    limit,
    ...(offset === 0 ? {} : { offset }),
    ...(filter === null ? {} : { filter }),
    ...options({ ...want, maxRate: null }),
  }
}

test(`${SECONDS} s of random clients: every view becomes the server's`, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const deadline = Date.now() + SECONDS * 1000
  let rounds = 0
  let gaps = 0
  for (; rounds === 0 || Date.now() < deadline; rounds++) {
    await t.test(`VOLUMER_SEED=${(seed + rounds) >>> 0}`, async inner => {
      const running = await startWeb(inner, { limits: LIMITS })
      const world = new World(inner, running, await Api.of(running.url), new Random((seed + rounds) >>> 0))
      for (let step = 0; step < 60; step++) {
        world.steps.push('')
        for (let i = world.random.below(4); i > 0; i--) world.publish()
        if (world.random.chance(0.3)) running.clock.advance(world.random.pick([10, 100, 300]))
        await world.act(world.random.pick(world.clients))
        const slow = world.clients.find(canFallBehind)
        if (slow !== undefined && world.random.chance(0.1)) await world.flood([...slow.wants.keys()])
        if (step % 10 < 9) continue
        await world.ask()
        await world.settle()
      }
      gaps += world.clients.reduce((sum, client) => sum + client.view.gaps.length, 0)
    })
  }
  t.diagnostic(`${rounds} histories, ${gaps} gaps`)
})
