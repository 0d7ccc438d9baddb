import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Readiness } from '../../src/delivery/wire/status.js'
import { tokenGone, withVolume } from '../delivery/token-stats.js'
import { startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly field?: string
  readonly percent?: number
}

async function problem(url: string, init?: RequestInit): Promise<Problem & { headers: Headers }> {
  const response = await fetch(url, init)
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  const body: Problem = JSON.parse(await response.text())
  assert.equal(body.status, response.status)
  assert.match(body.type, /^urn:volumer:problem:[a-z-]+$/)
  assert.doesNotMatch(JSON.stringify(body), /node_modules|\bat .*:\d+/, 'no stack traces')
  return { ...body, headers: response.headers }
}

test('a token of any name is answered', async t => {
  const { url, feed } = await startWeb(t)
  const names = ['BTC', '__proto__', 'a/b?c#d%', '🚀', 'with space', 'ünï', 'x'.repeat(128), '🚀'.repeat(64)]
  feed.publish(names.map((name, i) => withVolume(name, i + 1, i + 0.5)))
  for (const [i, name] of names.entries()) {
    const response = await fetch(`${url}/v1/tokens/${encodeURIComponent(name)}`)
    assert.equal(response.status, 200, name)
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
    assert.equal(response.headers.get('cache-control'), 'private, no-cache')
    const stats = JSON.parse(await response.text())
    assert.equal(stats.token, name)
    assert.deepEqual(stats.volume, { m1: `${i + 0.5}`, m5: `${i + 0.5}`, h24: `${i + 0.5}` })
  }
})

test('windows can be chosen, in either spelling', async t => {
  const { url, feed } = await startWeb(t)
  feed.publish([withVolume('BTC', 1, 2)])
  const stats = JSON.parse(await (await fetch(`${url}/v1/tokens/BTC?window=24h,m1`)).text())
  assert.deepEqual(stats.volume, { m1: '2', h24: '2' })
  const wrong = await problem(`${url}/v1/tokens/BTC?window=7x`)
  assert.deepEqual([wrong.status, wrong.field], [400, 'window'])
})

test('the newest update is served, and a token that is gone is not found', async t => {
  const { url, feed } = await startWeb(t)
  feed.publish([withVolume('BTC', 5, 5)])
  feed.publish([withVolume('BTC', 4, 4)])
  const stats = JSON.parse(await (await fetch(`${url}/v1/tokens/BTC`)).text())
  assert.equal(stats.volume.m5, '5')
  feed.publish([tokenGone('BTC', 6)])
  const gone = await problem(`${url}/v1/tokens/BTC`)
  assert.deepEqual([gone.status, gone.type, gone.field], [404, 'urn:volumer:problem:unknown-token', 'token'])
})

test('tokens are listed by a statistic', async t => {
  const { url, feed } = await startWeb(t)
  feed.publish([withVolume('A', 1, 1), withVolume('B', 1, 3), withVolume('C', 1, 2), withVolume('D', 1, 3)])
  const list = async (query: string) => JSON.parse(await (await fetch(`${url}/v1/tokens${query}`)).text())
  const names = (answer: { tokens: { token: string }[] }) => answer.tokens.map(({ token }) => token).join('')
  const all = await list('')
  assert.deepEqual(
    { ...all, tokens: names(all) },
    {
      sort: 'volume.h24',
      order: 'desc',
      filter: null,
      asOf: 1_790_000_000_000,
      total: 4,
      next: null,
      consistent: null,
      tokens: 'BDCA',
    },
  )
  assert.equal(names(await list('?sort=volume.5m&order=asc&limit=2')), 'AC')
  assert.equal((await list('?sort=volume.5m')).sort, 'volume.m5')
  for (const [query, field] of [
    ['sort=volume.h2', 'sort'],
    ['sort=a&sort=b', 'sort'],
    ['order=up', 'order'],
    ['limit=0', 'limit'],
    ['limit=501', 'limit'],
    ['limit=ten', 'limit'],
  ]) {
    const wrong = await problem(`${url}/v1/tokens?${query}`)
    assert.deepEqual([wrong.status, wrong.field], [400, field], query)
  }
})

test('without tokens the list is empty', async t => {
  const { url } = await startWeb(t)
  const text = await (await fetch(`${url}/v1/tokens`)).text()
  assert.equal(
    text,
    '{"sort":"volume.h24","order":"desc","filter":null,"asOf":null,"total":0,"next":null,"consistent":null,"tokens":[]}',
  )
})

test("the predecessor's route answers in its shape", async t => {
  const { url, feed } = await startWeb(t)
  feed.publish([withVolume('BTC', 1, 1520.5)])
  const text = await (await fetch(`${url}/stats?token=BTC`)).text()
  assert.equal(text, '{\n  "1m": "1520.5",\n  "5m": "1520.5",\n  "24h": "1520.5"\n}\n')
  assert.equal((await problem(`${url}/stats?token=NOPE`)).status, 404)
  for (const query of ['', '?token=', '?token=A&token=B']) {
    const wrong = await problem(`${url}/stats${query}`)
    assert.deepEqual([wrong.status, wrong.field], [400, 'token'], query)
  }
})

test('readiness says why not, and nothing incomplete is served before', async t => {
  let readiness: Readiness = { ready: false, reason: 'state is being restored', percent: 40 }
  const { url, feed } = await startWeb(t, { readiness: () => readiness })
  feed.publish([withVolume('BTC', 1, 1)])
  assert.equal((await fetch(`${url}/livez`)).status, 200)
  const waiting = await problem(`${url}/readyz`)
  assert.deepEqual([waiting.status, waiting.detail, waiting.percent], [503, 'state is being restored', 40])
  assert.equal(waiting.headers.get('retry-after'), '1')
  for (const path of ['/v1/tokens/BTC', '/v1/tokens/NOPE', '/v1/tokens', '/stats?token=BTC']) {
    const starting = await problem(url + path)
    assert.deepEqual([starting.status, starting.type], [503, 'urn:volumer:problem:starting'], path)
    assert.ok(starting.headers.has('retry-after'))
  }
  readiness = { ready: true }
  assert.deepEqual(await (await fetch(`${url}/readyz`)).json(), { status: 'ready' })
  assert.equal((await fetch(`${url}/v1/tokens/BTC`)).status, 200)
  readiness = { ready: false, reason: 'the roller is behind', percent: null }
  assert.equal((await problem(`${url}/readyz`)).status, 503)
  assert.equal((await fetch(`${url}/v1/tokens/BTC`)).status, 200, 'statistics as of their time stay correct')
})

test('status and the index of routes are JSON', async t => {
  const { url, feed } = await startWeb(t)
  feed.publish([withVolume('BTC', 1, 1)])
  const status = JSON.parse(await (await fetch(`${url}/v1/status`)).text())
  assert.equal(status.tokens, 1)
  assert.equal(status.clients.webSockets, 0)
  assert.equal(status.fates.accepted, 3)
  const index = JSON.parse(await (await fetch(url)).text())
  assert.ok('POST /v1/trades' in index.routes)
})

test('what is no route, no method, and no URL is a problem', async t => {
  const { url } = await startWeb(t)
  assert.equal((await problem(`${url}/nope`)).type, 'urn:volumer:problem:unknown-route')
  const method = await problem(`${url}/v1/tokens`, { method: 'DELETE' })
  assert.deepEqual([method.status, method.headers.get('allow')], [405, 'GET, HEAD'])
  const trades = await problem(`${url}/v1/trades`, { method: 'DELETE' })
  assert.equal(trades.headers.get('allow'), 'GET, POST')
  assert.equal((await problem(`${url}/v1/tokens/%E0%A4`)).status, 400)
  assert.equal((await problem(`${url}/v1/tokens/${'x'.repeat(3000)}`)).status, 400)
  assert.equal((await fetch(`${url}/v1/tokens`, { method: 'HEAD' })).status, 200)
})

test('bytes that are no HTTP get a problem too', async t => {
  const { port } = await startWeb(t)
  const socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', data => {
    answer += data
  })
  socket.write('this is not HTTP\r\n\r\n')
  await until(() => socket.closed || socket.readableEnded, 'the server hangs up')
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n.*application\/problem\+json/s)
})

test('conditional requests: 304 while nothing has changed, and never for something older', async t => {
  const { url, feed, clock } = await startWeb(t)
  feed.publish([withVolume('A', 1, 1), withVolume('B', 1, 2)])
  const ask = async (path: string, tag?: string | null) => {
    const response = await fetch(url + path, tag ? { headers: { 'if-none-match': tag } } : {})
    return { status: response.status, tag: response.headers.get('etag'), text: await response.text() }
  }
  for (const path of [
    '/v1/tokens/A',
    '/v1/tokens/A?window=5m',
    '/v1/totals',
    '/v1/tokens?limit=1',
    '/openapi.json',
  ]) {
    const first = await ask(path)
    assert.match(first.tag ?? '', /^W\/"[^"]+"$/, path)
    assert.deepEqual(
      { ...(await ask(path, first.tag)), text: '' },
      { status: 304, tag: first.tag, text: '' },
      path,
    )
    assert.equal((await ask(path, '"x", W/"y"')).status, 200)
    assert.equal((await ask(path, `"x", ${first.tag?.slice(2)}`)).status, 304, 'weak comparison')
    assert.equal((await ask(path, '*')).status, 304)
  }
  const before = await ask('/v1/tokens/A')
  feed.publish([withVolume('B', 2, 3)])
  assert.equal((await ask('/v1/tokens/A', before.tag)).status, 304, 'another token has changed')
  feed.publish([withVolume('A', 2, 3)])
  assert.equal((await ask('/v1/tokens/A', before.tag)).status, 200)

  // A ranking may be a tenth of a second old. What it is asked for then must not be taken for what is newer.
  const path = '/v1/tokens?sort=volume.m5&limit=1&fields=volume'
  for (let i = 0; i < 3; i++) await ask(path)
  clock.advance(200)
  await ask(path)
  feed.publish([withVolume('A', 3, 100)])
  const old = await ask(path)
  clock.advance(200)
  const current = await ask(path, old.tag)
  assert.equal(current.status, 200)
  assert.equal(JSON.parse(current.text).tokens[0].volume.m5, '100')
})

test('answers are compressed for those who ask for it, from a size on', async t => {
  const { url, feed } = await startWeb(t)
  feed.publish([withVolume('A', 1, 1)])
  const encoding = async (path: string, accept: string, method = 'GET') => {
    const response = await fetch(url + path, { method, headers: { 'accept-encoding': accept } })
    const text = await response.text()
    if (path !== '/livez' && method === 'GET') assert.equal(JSON.parse(text).openapi ?? '3.1.0', '3.1.0')
    return [response.headers.get('content-encoding'), response.headers.get('vary')]
  }
  assert.deepEqual(await encoding('/openapi.json', 'gzip, deflate, br'), ['gzip', 'Accept-Encoding'])
  assert.deepEqual(await encoding('/openapi.json', '*'), ['gzip', 'Accept-Encoding'])
  assert.deepEqual(await encoding('/openapi.json', 'gzip;q=0, *'), [null, 'Accept-Encoding'])
  assert.deepEqual(await encoding('/openapi.json', 'br'), [null, 'Accept-Encoding'])
  assert.deepEqual(await encoding('/openapi.json', 'identity'), [null, 'Accept-Encoding'])
  assert.deepEqual(await encoding('/openapi.json', 'gzip', 'HEAD'), [null, 'Accept-Encoding'])
  assert.deepEqual(await encoding('/livez', 'gzip'), [null, null])
})
