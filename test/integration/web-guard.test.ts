/// Who may do what, and how much: keys, scopes, origins, rates.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { MemoryApiKeys } from '../../src/adapters/memory/api-keys.js'
import { epochMs } from '../../src/core/units.js'
import { hashOf } from '../../src/delivery/guard/guard.js'
import type { Scope } from '../../src/ports/api-keys.js'
import { apiKey } from '../contract/api-keys.js'
import { EventPeer } from '../delivery/event-peer.js'
import { withVolume } from '../delivery/token-stats.js'
import { Peer, type Running, type Setting, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

async function guarded(
  t: TestContext,
  setting: Setting = {},
): Promise<Running & { readonly keys: MemoryApiKeys }> {
  const keys = new MemoryApiKeys()
  const add = (id: string, scopes: readonly Scope[]) =>
    keys.add(apiKey(id, { scopes, hash: hashOf(`secret-${id}`) }))
  await add('reader', ['read'])
  await add('writer', ['ingest'])
  await add('gone', ['read', 'ingest', 'admin'])
  await keys.revoke('gone', epochMs(2))
  const running = await startWeb(t, { keys, ...setting })
  running.feed.publish([withVolume('BTC', 1, 1)])
  return { ...running, keys }
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/// Status and problem type of a refusal, or `101`.
function upgrade(
  url: string,
  options: { headers?: Record<string, string>; origin?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, options)
    ws.on('open', () => {
      resolve('101')
      ws.terminate()
    })
    ws.on('error', () => undefined)
    ws.on('unexpected-response', (_, response) => {
      let body = ''
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => {
        resolve(`${response.statusCode} ${JSON.parse(body).type.split(':').at(-1)}`)
        ws.terminate()
      })
      response.on('error', reject)
    })
  })
}

test('without a key, with a wrong one, with one of another scope: refused, and said why', async t => {
  const { url } = await guarded(t)
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(url + path, init)
    const text = await response.text()
    const type = response.status === 200 ? '' : ` ${JSON.parse(text).type.split(':').at(-1)}`
    if (response.status === 401) assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    return `${response.status}${type}`
  }
  for (const path of [
    '/v1/tokens/BTC',
    '/v1/tokens',
    '/v1/totals',
    '/v1/status',
    '/stats?token=BTC',
    '/v1/stream?token=BTC',
  ]) {
    assert.equal(await ask(path), '401 key-missing', path)
    assert.equal(await ask(path, { headers: bearer('nope') }), '401 key-unknown', path)
    assert.equal(await ask(path, { headers: bearer('secret-gone') }), '401 key-unknown', path)
    assert.equal(await ask(path, { headers: bearer('secret-writer') }), '403 scope-missing', path)
  }
  assert.equal(await ask('/v1/tokens/BTC', { headers: bearer('secret-reader') }), '200')
  assert.equal(await ask('/v1/tokens/BTC', { headers: { 'x-api-key': 'secret-reader' } }), '200')
  assert.equal(
    await ask('/v1/tokens/BTC', { headers: { authorization: 'Basic secret-reader' } }),
    '401 key-missing',
  )
  assert.equal(
    await ask('/v1/tokens/BTC?key=secret-reader'),
    '401 key-missing',
    'not in addresses, which get logged',
  )
  assert.equal(await ask('/v1/tokens/BTC', { headers: bearer('x'.repeat(5000)) }), '401 key-unknown')
  const post = (key: string) => ({
    method: 'POST',
    headers: { ...bearer(key), 'content-type': 'application/x-ndjson' },
    body: '',
  })
  assert.equal(await ask('/v1/trades', post('secret-reader')), '403 scope-missing')
  assert.equal(await ask('/v1/trades', post('secret-writer')), '200')
  for (const path of ['/', '/livez', '/readyz', '/docs', '/openapi.json', '/asyncapi.json'])
    assert.equal(await ask(path), '200', path)
  assert.equal(await ask('/nope'), '404 unknown-route')
})

test('feeds need a key too, in a header or, for browsers, in the address; revoking it closes them', async t => {
  const running = await guarded(t)
  const { wsUrl, url, keys, role } = running
  assert.equal(await upgrade(wsUrl), '401 key-missing')
  assert.equal(await upgrade(`${wsUrl}?key=nope`), '401 key-unknown')
  assert.equal(await upgrade(wsUrl, { headers: bearer('secret-writer') }), '403 scope-missing')
  assert.equal(await upgrade(wsUrl, { headers: bearer('secret-reader') }), '101')

  const peer = await Peer.connect(t, { ...running, wsUrl: `${wsUrl}?key=secret-reader` })
  const stream = await EventPeer.open(t, `${url}/v1/stream?token=BTC&key=secret-reader`)
  await until(() => role.clients().subscriptions === 1 && role.clients().webSockets >= 1, 'both are there')
  assert.ok(role.listClients().some(({ key, transport }) => key === 'reader' && transport === 'eventStream'))
  await keys.revoke('reader', epochMs(3))
  role.keysChanged()
  assert.deepEqual(await peer.close(), { code: 1008, reason: 'the API key is not valid any more' })
  await until(() => stream.closed !== null, 'the stream is closed')
  assert.equal(stream.closed?.code, 1008)
})

test('pages of other sites may neither write nor follow, unless they are allowed', async t => {
  const { url, wsUrl, port } = await startWeb(t, { corsOrigins: ['https://a.example'] })
  const origin = (from: string) => ({ origin: from })
  assert.equal(await upgrade(wsUrl, origin('https://evil.example')), '403 cross-site')
  assert.equal(await upgrade(wsUrl, origin('null')), '403 cross-site')
  assert.equal(await upgrade(wsUrl, origin(`http://127.0.0.1:${port + 1}`)), '403 cross-site')
  assert.equal(await upgrade(wsUrl, origin('https://a.example')), '101')
  assert.equal(await upgrade(wsUrl, origin(`http://127.0.0.1:${port}`)), '101')

  const ask = async (from: string, init: RequestInit = {}) => {
    const headers = { ...Object.fromEntries(new Headers(init.headers)), origin: from }
    const response = await fetch(`${url}/v1/tokens`, { ...init, headers })
    await response.arrayBuffer()
    return response
  }
  const allowed = await ask('https://a.example')
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://a.example')
  assert.match(allowed.headers.get('vary') ?? '', /Origin/)
  const other = await ask('https://evil.example')
  assert.equal(other.headers.get('access-control-allow-origin'), null)
  assert.match(other.headers.get('vary') ?? '', /Origin/)
  const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }
  assert.equal((await ask('https://a.example', preflight)).status, 204)
  const refused = await ask('https://evil.example', preflight)
  assert.equal(refused.status, 405)
  assert.equal(refused.headers.get('access-control-allow-methods'), null)
})

test('without configuration no page may, and answers do not vary', async t => {
  const { url } = await startWeb(t)
  const response = await fetch(`${url}/v1/totals`, { headers: { origin: 'https://a.example' } })
  await response.arrayBuffer()
  assert.equal(response.headers.get('access-control-allow-origin'), null)
})

test('who spends more than its rate waits, alone, and is told for how long', async t => {
  const { url, clock, keys, wsUrl } = await guarded(t, { limits: { costPerSecond: 5 } })
  await keys.add(apiKey('other', { hash: hashOf('secret-other') }))
  const ask = async (path: string, key: string) => {
    const response = await fetch(url + path, { headers: bearer(key) })
    await response.arrayBuffer()
    return response
  }
  const first = await ask('/v1/tokens/BTC', 'secret-reader')
  assert.equal(first.headers.get('ratelimit-policy'), '"cost";q=50;w=10')
  assert.equal(first.headers.get('ratelimit'), '"cost";r=49;t=1')
  for (let i = 0; i < 10; i++) await ask('/v1/tokens', 'secret-reader')
  const refused = await ask('/v1/tokens', 'secret-reader')
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  assert.equal(refused.headers.get('ratelimit'), '"cost";r=0;t=11')
  assert.equal((await ask('/v1/tokens', 'secret-other')).status, 200, 'others are not concerned')
  assert.equal(await upgrade(wsUrl, { headers: bearer('secret-reader') }), '429 rate-limited')
  for (let i = 0; i < 20; i++) assert.equal((await ask('/livez', 'x')).status, 200, 'health is free')
  clock.advance(1000)
  assert.equal((await ask('/v1/tokens', 'secret-reader')).status, 200)

  // A batch costs by its tokens.
  clock.advance(60_000)
  const query = (count: number) =>
    fetch(`${url}/v1/tokens/query`, {
      method: 'POST',
      headers: { ...bearer('secret-reader'), 'content-type': 'application/json' },
      body: JSON.stringify({ tokens: Array.from({ length: count }, (_, i) => `t${i}`) }),
    })
  const batch = await query(400)
  await batch.arrayBuffer()
  assert.equal(batch.headers.get('ratelimit'), '"cost";r=9;t=9')
})

test('guessing keys is slow, for the address that does it', async t => {
  const { url } = await guarded(t, { limits: { costPerSecond: 10 } })
  const statuses: number[] = []
  for (let i = 0; i < 20; i++) {
    const response = await fetch(`${url}/v1/totals`, { headers: bearer(`guess-${i}`) })
    await response.arrayBuffer()
    statuses.push(response.status)
  }
  assert.deepEqual(statuses, [
    ...Array.from({ length: 10 }, () => 401),
    ...Array.from({ length: 10 }, () => 429),
  ])
  const response = await fetch(`${url}/v1/totals`, { headers: bearer('secret-reader') })
  assert.equal(response.status, 200, 'a key has a rate of its own')
})

test('behind a proxy that is trusted the address is the one it saw, not what the client says before that', async t => {
  const { url } = await startWeb(t, { trustProxy: true, limits: { costPerSecond: 1 } })
  const ask = async (forwarded: string) => {
    const response = await fetch(`${url}/v1/totals`, { headers: { 'x-forwarded-for': forwarded } })
    await response.arrayBuffer()
    return response.status
  }
  for (let i = 0; i < 10; i++) assert.equal(await ask(`10.9.9.${i}, 10.0.0.1`), 200)
  assert.equal(await ask('10.8.8.8, 10.0.0.1'), 429)
  assert.equal(await ask('10.0.0.2'), 200)
})
