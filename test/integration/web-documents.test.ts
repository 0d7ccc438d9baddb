/// The documents are true: valid by their own standards, complete, and what the server answers matches them.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv } from 'ajv'
import { MemoryTradeArchive } from '../../src/adapters/memory/trade-archive.js'
import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { ADMIN_OPERATIONS } from '../../src/delivery/admin/operations.js'
import { bareServer } from '../../src/delivery/http/bare-server.js'
import { GetLive, GetReady } from '../../src/delivery/http/operations/server.js'
import { OPERATIONS } from '../../src/delivery/http/operations.js'
import { serve } from '../../src/delivery/http/serve.js'
import { DEFAULT_WEB_LIMITS } from '../../src/delivery/limits.js'
import { openApi } from '../../src/delivery/spec/openapi.js'
import * as messages from '../../src/delivery/wire/messages.js'
import { RollerQueries } from '../../src/roles/roller-queries.js'
import { ARCHIVE_RULES, BOUNDLESS, swap, Writer } from '../contract/archive-writer.js'
import { api as apiOf } from '../delivery/api.js'
import { at, object } from '../delivery/documents.js'
import { RolledTokens } from '../delivery/rolled-tokens.js'
import { tokenGone, withVolume } from '../delivery/token-stats.js'
import { Peer, START } from '../delivery/web-harness.js'
import { DEFAULT_RULES } from '../simulation/raw-swap.js'
import { until } from '../wait/eventually.js'

const require = createRequire(import.meta.url)

test('the OpenAPI documents are valid OpenAPI 3.1', async t => {
  const { openApi: document } = await apiOf(t)
  const admin = openApi(ADMIN_OPERATIONS, '1')
  for (const each of [document, admin]) {
    const { valid, errors } = await new Validator().validate(structuredClone(each))
    assert.ok(valid, JSON.stringify(errors, null, 1))
    assert.equal(each.openapi, '3.1.0')
  }
})

test('the AsyncAPI document is valid AsyncAPI 3', async t => {
  const { asyncApi } = await apiOf(t)
  const path = require.resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json')
  const ajv = new Ajv({ strict: false, validateFormats: false })
  const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')))
  assert.ok(validate(asyncApi), ajv.errorsText(validate.errors))
})

test('every operation and every message is documented, none twice', async t => {
  const { openApi: document, asyncApi } = await apiOf(t)
  const ids = OPERATIONS.map(({ id }) => id).sort()
  const documented = Object.values(object(document.paths)).flatMap(methods =>
    Object.values(object(methods)).map(of => String(at(of, 'operationId'))),
  )
  assert.deepEqual(documented.sort(), ids)
  assert.equal(new Set(ids).size, ids.length)
  // And a route that is none of them is not made.
  const limits = DEFAULT_WEB_LIMITS
  const app = bareServer({ operations: [GetLive], limits, trustProxy: false, onError: () => undefined })
  assert.doesNotThrow(() => serve(app, GetLive, () => ({ status: 'live' })))
  assert.throws(() => serve(app, GetReady, () => ({ status: 'ready' })), /none of the operations/)
  assert.throws(() => app.get('/secret', () => ''), /none of the operations/)

  const documentedMessages = Object.keys(object(at(asyncApi, 'components', 'messages')))
  for (const name of Object.keys(messages.SERVER_MESSAGES)) assert.ok(documentedMessages.includes(name), name)
  const mentioned = Object.values(object(asyncApi.operations)).flatMap(operation => {
    const of = at(operation, 'messages')
    return Array.isArray(of) ? of.map(each => String(at(each, '$ref')).split('/').at(-1)) : []
  })
  assert.deepEqual(mentioned.sort(), documentedMessages.sort())
})

test('every example matches its schema, by a validator of other people', async t => {
  const api = await apiOf(t)
  let checked = 0
  for (const [path, methods] of Object.entries(object(api.openApi.paths))) {
    for (const [method, operation] of Object.entries(object(methods))) {
      for (const [status, response] of Object.entries(object(at(operation, 'responses')))) {
        for (const [type, media] of Object.entries(object(at(response, 'content')))) {
          const examples = [
            at(media, 'example'),
            ...Object.values(object(at(media, 'examples'))).map(each => at(each, 'value')),
          ]
          for (const example of examples.filter(each => each !== undefined)) {
            const body = /json$/.test(type) ? JSON.stringify(example) : String(example)
            api.assertAnswer(method.toUpperCase(), path, Number(status), type, body)
            checked++
          }
          assert.ok(
            examples.some(each => each !== undefined),
            `${method} ${path} ${status} has an example`,
          )
        }
      }
    }
  }
  for (const [name, message] of Object.entries(object(at(api.asyncApi, 'components', 'messages')))) {
    const examples = at(message, 'examples')
    assert.ok(Array.isArray(examples) && examples.length > 0, `${name} has examples`)
    for (const { payload } of examples) {
      api.assertRequest(name, payload)
      checked++
    }
  }
  assert.ok(checked > 80, `${checked} examples`)
})

test('an example that is wrong does not pass', async t => {
  const api = await apiOf(t)
  assert.throws(
    () => api.assertAnswer('GET', '/livez', 200, 'application/json', '{"status":"dead"}'),
    /does not match/,
  )
  assert.throws(() => api.assertAnswer('GET', '/livez', 418, 'application/json', '{}'), /not documented/)
  assert.throws(() => api.assertMessage({ type: 'heartbeat', seq: 0, time: 1 }), /does not match/)
  assert.throws(() => api.assertMessage({ type: 'rumour', seq: 1 }), /documented message/)
})

test('what the server answers matches the documents', async t => {
  const archive = new MemoryTradeArchive(ARCHIVE_RULES, BOUNDLESS)
  await new Writer(archive).swaps(START, swap('a', START, { usd: '0' }), swap('b', START, { block: 1 }))
  const rolled = new RolledTokens(DEFAULT_RULES, START / 1000)
  rolled.append({
    appendTime: START,
    records: [{ id: 'a', time: START, who: 'alice', token: 'BTC', side: 'buy', amount: '2', usd: '5' }],
  })
  const queries = new RollerQueries({ roller: rolled.roller, stopwatch: systemStopwatch, nextTurn })
  const script = { type: 'text/javascript; charset=utf-8', bytes: new TextEncoder().encode('export {}') }
  const dashboard = { page: new Uint8Array(), assets: new Map([['index-1.js', script]]) }
  const { running, call } = await apiOf(t, {
    archive,
    queries,
    peers: { secret: 'sesame', queries },
    dashboard,
  })
  running.feed.publish([withVolume('BTC', 1, 10), withVolume('ETH', 1, 20), withVolume('a/b?ü', 1, 5)])
  const json = { 'content-type': 'application/json' }
  const calls: [string, string, string, RequestInit?][] = [
    ['GET', '/', '/'],
    ['GET', '/assets/{file}', '/assets/index-1.js'],
    ['GET', '/assets/{file}', '/assets/nope.js'],
    ['GET', '/v1/tokens/{token}', '/v1/tokens/BTC'],
    ['GET', '/v1/tokens/{token}', '/v1/tokens/a%2Fb%3F%C3%BC?window=5m&fields=*'],
    ['GET', '/v1/tokens/{token}', '/v1/tokens/NOPE'],
    ['GET', '/v1/tokens/{token}', '/v1/tokens/BTC?fields=nope'],
    [
      'GET',
      '/v1/tokens/{token}',
      `/v1/tokens/BTC?window=7m,90s&fields=*,medianTrade&asOf=${START}&compare=previous`,
    ],
    ['GET', '/v1/tokens/{token}/top-traders', '/v1/tokens/BTC/top-traders?window=7m'],
    ['GET', '/v1/tokens/{token}/top-traders', '/v1/tokens/BTC/top-traders?window=7d'],
    ['GET', '/v1/tokens/{token}/largest-trades', '/v1/tokens/BTC/largest-trades'],
    ['GET', '/v1/tokens/{token}/fates', '/v1/tokens/BTC/fates'],
    [
      'POST',
      '/v1/questions',
      '/v1/questions',
      {
        headers: { ...json, authorization: 'Bearer sesame' },
        body: '{"token":"BTC","asOf":null,"stretches":[{"lengthMs":420000,"agoMs":0}],"medians":[0],"largest":1,"newest":1,"traders":1}',
      },
    ],
    ['POST', '/v1/questions', '/v1/questions', { headers: json, body: '{}' }],
    ['GET', '/v1/tokens/{token}/recent-trades', '/v1/tokens/BTC/recent-trades'],
    ['GET', '/v1/tokens', '/v1/tokens?sort=volume.h24&limit=2&cursor=*'],
    ['GET', '/v1/tokens', '/v1/tokens?filter=volume.m1>12&fields=trending,volume'],
    ['GET', '/v1/tokens', '/v1/tokens?filter=volume.m1>'],
    ['GET', '/v1/rankings/{ranking}', '/v1/rankings/trending?over=1m'],
    ['GET', '/v1/rankings/{ranking}', '/v1/rankings/new'],
    ['GET', '/v1/rankings/{ranking}', '/v1/rankings/gainers?filter=volume.m1>0'],
    ['GET', '/v1/rankings/{ranking}', '/v1/rankings/losers'],
    ['GET', '/v1/rankings/{ranking}', '/v1/rankings/nope'],
    ['GET', '/v1/totals', '/v1/totals'],
    ['GET', '/v1/totals', '/v1/totals?window=7m'],
    [
      'POST',
      '/v1/tokens/query',
      '/v1/tokens/query',
      { headers: json, body: '{"tokens":["BTC","X"],"fields":["*"]}' },
    ],
    ['POST', '/v1/tokens/query', '/v1/tokens/query', { headers: json, body: '{"tokens":[]}' }],
    ['POST', '/v1/tokens/query', '/v1/tokens/query', { body: '{}' }],
    ['POST', '/v1/trades', '/v1/trades', { headers: json, body: '[{"id":1}]' }],
    ['POST', '/v1/trades', '/v1/trades', { headers: { 'content-type': 'image/png' }, body: 'x' }],
    ['GET', '/v1/tokens/{token}/candles', '/v1/tokens/BTC/candles?interval=5m&fill=previous'],
    ['GET', '/v1/tokens/{token}/candles', '/v1/tokens/BTC/candles?interval=2m'],
    ['GET', '/v1/tokens/{token}/windows', '/v1/tokens/BTC/windows'],
    ['GET', '/v1/tokens/{token}/windows', '/v1/tokens/BTC/windows?window=90s'],
    ['GET', '/v1/tokens/{token}/trades', '/v1/tokens/BTC/trades?limit=1'],
    ['GET', '/v1/tokens/{token}/trades', '/v1/tokens/BTC/trades?limit=0'],
    ['GET', '/v1/traders/{who}/trades', '/v1/traders/alice/trades'],
    ['GET', '/v1/trades', '/v1/trades?from=0'],
    ['GET', '/stats', '/stats?token=BTC&x=1'],
    ['GET', '/v1/status', '/v1/status'],
    ['GET', '/livez', '/livez'],
    ['GET', '/readyz', '/readyz'],
    ['GET', '/openapi.json', '/openapi.json'],
    ['GET', '/asyncapi.json', '/asyncapi.json'],
    ['GET', '/docs', '/docs'],
    ['GET', '/v1/stream', '/v1/stream?token=BTC&maxRate=0'],
  ]
  const called = new Set<string>()
  for (const [method, path, target, init] of calls) {
    await call(method, path, target, init)
    called.add(path)
  }
  assert.deepEqual([...called].sort(), Object.keys(object((await apiOf(t)).openApi.paths)).sort())
})

test('what is said over a WebSocket matches the documents', async t => {
  const archive = new MemoryTradeArchive(ARCHIVE_RULES, BOUNDLESS)
  await new Writer(archive).swaps(START, swap('a', START, { usd: '0' }), swap('b', START))
  const api = await apiOf(t, { archive })
  const { running } = api
  running.feed.publish([withVolume('BTC', 1, 10), withVolume('ETH', 1, 20)])
  const peer = await Peer.connect(t, running)
  for (const request of [
    '{oops',
    { op: 'dance', id: 7 },
    { op: 'subscribe', tokens: ['BTC'], id: 1 },
    { op: 'subscribe', tokens: ['ETH'], mode: 'delta', fields: ['*'], windows: ['5m'], cursor: 'other.1' },
    {
      op: 'subscribe',
      id: 'x',
      subscriptions: [
        { channel: 'ranking', name: 'top', sort: 'volume.m5', limit: 2, mode: 'delta' },
        { channel: 'totals' },
        { channel: 'status' },
        { channel: 'candles', token: 'BTC', interval: '1h', mode: 'delta' },
      ],
    },
    { op: 'unsubscribe', tokens: ['NOPE'] },
    { op: 'unsubscribe', candles: [{ token: 'NOPE' }] },
    { op: 'ping', id: 3 },
  ]) {
    if (typeof request === 'object' && request.op === 'subscribe')
      api.assertRequest('SubscribeRequest', request)
    peer.say(request)
  }
  const types = new Set(['error', 'subscribed', 'snapshot', 'gap', 'unsubscribed', 'pong', 'candles'])
  const heard: unknown[] = []
  const take = () => {
    for (const message of peer.heard.splice(0)) {
      heard.push(message)
      types.delete(message.type)
      types.delete(String(message.channel))
    }
    return types.size === 0
  }
  const takeLater = () => {
    running.clock.advance(10)
    return take()
  }
  await until(takeLater, `still to come: ${[...types]}`)
  running.feed.publish([withVolume('BTC', 2, 30), withVolume('ETH', 2, 21), tokenGone('BTC', 3)])
  for (const more of ['update', 'heartbeat']) types.add(more)
  running.clock.advance(1000)
  await until(take, `still to come: ${[...types]}`)
  const drained = running.role.drain()
  types.add('serverShutdown')
  await until(take, `still to come: ${[...types]}`)
  running.clock.advance(5000)
  await drained
  for (const message of heard) api.assertMessage(message)
  assert.ok(heard.length > 15)
})

test('the page shows every operation and message, and needs nothing from elsewhere', async t => {
  const { running, openApi: document, asyncApi } = await apiOf(t)
  const response = await fetch(`${running.url}/docs`)
  const page = await response.text()
  for (const methods of Object.values(object(document.paths))) {
    for (const operation of Object.values(object(methods))) {
      assert.ok(page.includes(`<section id="${at(operation, 'operationId')}">`))
    }
  }
  for (const name of Object.keys(object(at(asyncApi, 'components', 'messages')))) {
    assert.ok(page.includes(`<section id="${name}">`), name)
  }
  assert.doesNotMatch(page, /<script|<link|<img|\bsrc=|url\(|@import/)
  for (const [, target = ''] of page.matchAll(/href="([^"]*)"/g)) {
    assert.match(target, /^(#[\w-]+|openapi\.json|asyncapi\.json)$/)
    if (target.startsWith('#')) assert.ok(page.includes(`id="${target.slice(1)}"`), target)
  }
  assert.match(
    response.headers.get('content-security-policy') ?? '',
    /default-src 'none'; style-src 'sha256-/,
  )
})
