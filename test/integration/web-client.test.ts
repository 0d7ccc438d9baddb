/// volumer/client against a web role: what it gets, how it comes back, what it says when something is missing.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { MemoryApiKeys } from '../../src/adapters/memory/api-keys.js'
import {
  type Closed,
  type GapNotice,
  VolumerClient,
  type VolumerClientOptions,
  VolumerError,
} from '../../src/client/client.js'
import { hashOf } from '../../src/delivery/guard/guard.js'
import { apiKey } from '../contract/api-keys.js'
import { tokenGone, withVolume } from '../delivery/token-stats.js'
import { type Running, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

interface Told {
  readonly client: VolumerClient
  readonly gaps: GapNotice[]
  readonly closed: Closed[]
  opened: number
}

function clientOf(t: TestContext, { url }: Running, options: Partial<VolumerClientOptions> = {}): Told {
  const gaps: GapNotice[] = []
  const closed: Closed[] = []
  const client = new VolumerClient({
    url,
    WebSocket,
    // No jitter: half of the pause.
    random: () => 0,
    onGap: gap => gaps.push(gap),
    onClose: each => closed.push(each),
    onOpen: () => {
      told.opened++
    },
    ...options,
  })
  const told: Told = { client, gaps, closed, opened: 0 }
  t.after(() => client.close())
  return told
}

/// Cuts every connection.
async function cut({ role, clock }: Running): Promise<void> {
  for (const { id } of role.listClients()) role.closeClient(id)
  await until(() => role.clients().webSockets === 0, 'connections are cut')
  clock.advance(0)
}

test('REST calls are typed, and errors say what the server said', async t => {
  const running = await startWeb(t)
  running.feed.publish(['A', 'a/b', 'C'].map((token, i) => withVolume(token, 1, i + 1)))
  const { client } = clientOf(t, running)
  assert.equal((await client.token('a/b')).volume.m5, '2')
  assert.deepEqual((await client.token('A', { windows: ['5m'], fields: ['netVolume'] })).netVolume, {
    m5: '1',
  })
  const { tokens, missing } = await client.query(['C', 'nope', 'A'], { fields: ['volume'] })
  assert.deepEqual([tokens.map(({ token }) => token), missing], [['C', 'A'], ['nope']])
  assert.equal(
    (await client.tokens({ sort: 'volume.5m', order: 'asc', filter: 'volume.m5>1' })).tokens[0]?.token,
    'a/b',
  )
  assert.equal((await client.ranking('trending', { over: '5m' })).sort, 'trending.m5')
  assert.equal((await client.totals(['1m'])).volume.m1, '6')
  assert.equal((await client.status()).tokens, 3)
  const sent = await client.send([
    { id: 'x', time: 1, who: 'w', token: 'T', side: 'buy', amount: 1, usd: 1 },
    { id: 'y' },
  ])
  assert.equal(sent.appended, 1)
  assert.equal(sent.invalid.length, 1)
  const pages: string[][] = []
  for await (const page of client.pages({ limit: 2 })) pages.push(page.tokens.map(({ token }) => token))
  assert.deepEqual(pages, [['C', 'a/b'], ['A']])

  const refusal = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => null,
      each => each,
    )
    assert.ok(error instanceof VolumerError)
    return [error.code, error.status, error.field]
  }
  assert.deepEqual(await refusal(client.token('nope')), ['unknown-token', 404, 'token'])
  assert.deepEqual(await refusal(client.tokens({ limit: 0 })), ['invalid-parameter', 400, 'limit'])
  const nobody = new VolumerClient({ url: 'http://127.0.0.1:9' })
  assert.deepEqual(await refusal(nobody.totals()), ['unreachable', null, null])
})

test('states are whole in every update, also in mode delta', async t => {
  const running = await startWeb(t)
  running.feed.publish([withVolume('A', 1, 1)])
  const { client } = clientOf(t, running)
  const subscription = client.subscribe({ channel: 'token', tokens: ['A', 'B'], mode: 'delta' })
  const next = async () => {
    const { value } = await subscription.next()
    return [
      value?.type,
      value?.token,
      value?.stats?.volume?.m5 ?? null,
      value?.stats?.txns?.h24?.total ?? null,
    ]
  }
  assert.deepEqual(await next(), ['snapshot', 'A', '1', 1])
  assert.deepEqual(await next(), ['snapshot', 'B', null, null])
  running.feed.publish([withVolume('A', 2, 2)])
  running.feed.publish([withVolume('A', 3, 2)])
  running.feed.publish([withVolume('B', 3, 7)])
  running.feed.publish([tokenGone('B', 4)])
  assert.deepEqual(await next(), ['update', 'A', '2', 1])
  assert.deepEqual(await next(), ['update', 'A', '2', 1])
  assert.deepEqual(await next(), ['update', 'B', '7', 1])
  assert.deepEqual(await next(), ['update', 'B', null, null])
})

test('it comes back by itself and goes on where it was: nothing missing, nothing twice', async t => {
  const running = await startWeb(t)
  running.feed.publish([withVolume('A', 1, 1), withVolume('B', 1, 1)])
  const told = clientOf(t, running)
  const heard: (string | undefined)[] = []
  told.client.subscribe(
    { channel: 'token', tokens: ['A', 'B'], mode: 'delta', fields: ['volume'] },
    ({ token, stats }) => heard.push(`${token} ${stats?.volume?.m5}`),
  )
  const totals: (string | undefined)[] = []
  told.client.subscribe({ channel: 'totals', mode: 'delta', maxRate: 10 }, update =>
    totals.push(update.totals.volume.m5),
  )
  await until(() => heard.length === 2 && totals.length === 1, 'the snapshots')
  const expected = ['A 1', 'B 1']
  for (let version = 2; version <= 30; version++) {
    if (version % 10 === 0) await cut(running)
    const token = version % 3 === 0 ? 'B' : 'A'
    running.feed.publish([withVolume(token, version, version)])
    expected.push(`${token} ${version}`)
    await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => heard.length >= expected.length, `${expected.length} updates, heard ${heard}`)
  assert.deepEqual(heard, expected)
  assert.deepEqual(told.gaps, [])
  assert.ok(
    told.opened >= 2 && told.closed.every(({ code, retryInMs }) => code === 4000 && retryInMs !== null),
  )
  running.clock.advance(1000)
  await until(() => totals.at(-1) === '59', `the totals are current: ${totals}`)
})

test('what the server does not keep any more is a gap, and the newest state follows', async t => {
  const running = await startWeb(t, { limits: { resumeMs: 1000 } })
  running.feed.publish([withVolume('A', 1, 1)])
  const told = clientOf(t, running)
  const heard: unknown[] = []
  told.client.subscribe({ channel: 'token', tokens: ['A'] }, ({ type, stats }) =>
    heard.push([type, stats?.volume?.m5]),
  )
  await until(() => heard.length === 1, 'the snapshot')
  running.feed.publish([withVolume('A', 2, 2)])
  await until(() => heard.length === 2, 'the update')
  await cut(running)
  running.feed.publish([withVolume('A', 3, 3)])
  running.clock.advance(5000)
  await until(() => heard.length === 3, 'it is back')
  assert.deepEqual(heard.at(-1), ['snapshot', '3'])
  assert.deepEqual(told.gaps, [{ reason: 'cursorExpired', skipped: null, tokens: ['A'] }])
})

test('rankings are whole lists, in order', async t => {
  const running = await startWeb(t)
  running.feed.publish(['A', 'B', 'C'].map((token, i) => withVolume(token, 1, 10 - i)))
  const { client } = clientOf(t, running)
  const subscription = client.subscribe({
    channel: 'ranking',
    sort: 'volume.m5',
    limit: 2,
    mode: 'delta',
    fields: ['volume'],
  })
  const next = async () => {
    const { value } = await subscription.next()
    return value?.ranking.stats.map(({ token, volume }) => `${token} ${volume?.m5}`)
  }
  assert.deepEqual(await next(), ['A 10', 'B 9'])
  running.feed.publish([withVolume('C', 2, 11)])
  running.clock.advance(500)
  assert.deepEqual(await next(), ['C 11', 'A 10'])
  running.feed.publish([withVolume('A', 3, 12)])
  running.clock.advance(500)
  assert.deepEqual(await next(), ['A 12', 'C 11'])
})

test('leaving the loop unsubscribes; a slow reader keeps the newest of each', async t => {
  const running = await startWeb(t)
  running.feed.publish([withVolume('A', 1, 1)])
  const told = clientOf(t, running)
  for await (const { token } of told.client.subscribe({ channel: 'token', tokens: ['A'] })) {
    assert.equal(token, 'A')
    break
  }
  await until(() => running.role.clients().subscriptions === 0, 'it is unsubscribed')

  const slow = told.client.subscribe({ channel: 'token', tokens: ['A'] })
  await slow.next()
  for (let version = 2; version <= 1500; version++) {
    running.feed.publish([withVolume('A', version, version)])
    if (version % 100 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => told.gaps.length > 0, 'it is told')
  assert.equal(told.gaps[0]?.reason, 'slowConsumer')
  let newest: string | undefined
  while (newest !== '1500') newest = (await slow.next()).value?.stats?.volume?.m5
  told.client.close()
  assert.deepEqual(await slow.next(), { value: undefined, done: true })
})

test('what the server refuses ends that subscription with its error, and no other', async t => {
  const running = await startWeb(t)
  running.feed.publish([withVolume('A', 1, 1)])
  const { client } = clientOf(t, running)
  const good = client.subscribe({ channel: 'token', tokens: ['A'] })
  await good.next()
  const bad = client.subscribe({ channel: 'ranking', sort: 'nope' })
  await assert.rejects(bad.next(), {
    name: 'VolumerError',
    code: 'invalidRequest',
    field: 'subscriptions[0].sort',
  })
  assert.throws(() => client.subscribe({ channel: 'token', tokens: ['B', 'A'] }), { code: 'alreadyFollowed' })
  running.feed.publish([withVolume('A', 2, 2)])
  assert.equal((await good.next()).value?.stats?.volume?.m5, '2')
})

test('a key opens the server; once it is revoked there is no coming back', async t => {
  const keys = new MemoryApiKeys()
  await keys.add(apiKey('k', { hash: hashOf('secret') }))
  const running = await startWeb(t, { keys })
  running.feed.publish([withVolume('A', 1, 1)])
  await assert.rejects(clientOf(t, running).client.totals(), { code: 'key-missing', status: 401 })
  const told = clientOf(t, running, { key: 'secret' })
  assert.equal((await told.client.totals()).tokens, 1)
  const subscription = told.client.subscribe({ channel: 'token', tokens: ['A'] })
  await subscription.next()
  await keys.revoke('k', running.clock.now())
  running.role.keysChanged()
  await assert.rejects(subscription.next(), { code: 'close 1008' })
  assert.deepEqual(
    told.closed.map(({ code, retryInMs }) => [code, retryInMs]),
    [[1008, null]],
  )
})

test('a server that shuts down says when to come back, and the client does not come earlier', async t => {
  const running = await startWeb(t, { limits: { reconnectSpreadMs: 8000 } })
  const first = clientOf(t, running)
  const second = clientOf(t, running)
  first.client.subscribe({ channel: 'status' })
  await until(() => first.opened === 1, 'the first is there')
  second.client.subscribe({ channel: 'status' })
  await until(() => second.opened === 1, 'the second is there')
  const drained = running.role.drain()
  await until(() => first.closed.length === 1 && second.closed.length === 1, 'both are sent away')
  await drained
  assert.deepEqual([first.closed[0]?.code, first.closed[0]?.retryInMs], [1012, 125])
  assert.deepEqual([second.closed[0]?.code, second.closed[0]?.retryInMs], [1012, 4125])
})

test('it needs nothing but itself: no module of Node.js, no package, no file of the server', () => {
  const folder = resolve(dirname(fileURLToPath(import.meta.url)), '../../src/client')
  const files = readdirSync(folder).filter(name => name.endsWith('.js'))
  assert.ok(files.includes('client.js'))
  for (const name of files) {
    const text = readFileSync(resolve(folder, name), 'utf8')
    for (const [, from = ''] of text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
      assert.match(from, /^\.\/[\w-]+\.js$/, `${name} imports ${from}`)
    }
    assert.doesNotMatch(text, /\bprocess\.|\bBuffer\b|\brequire\(/, name)
  }
  const { exports } = JSON.parse(readFileSync(resolve(folder, '../../../package.json'), 'utf8'))
  assert.equal(exports['./client'].default, './dist/src/client/client.js')
})
