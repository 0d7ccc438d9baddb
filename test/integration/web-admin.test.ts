/// The admin port: metrics in the format and with the names that Prometheus expects, and what operators do with clients.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MemoryApiKeys } from '../../src/adapters/memory/api-keys.js'
import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { adminServer } from '../../src/delivery/admin/server.js'
import { hashOf } from '../../src/delivery/guard/guard.js'
import { DEFAULT_WEB_LIMITS } from '../../src/delivery/limits.js'
import { ServerMetrics } from '../../src/delivery/metrics/server-metrics.js'
import { apiKey } from '../contract/api-keys.js'
import { DocumentSchemas, escaped } from '../delivery/documents.js'
import { withVolume } from '../delivery/token-stats.js'
import { Peer, type Running, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

async function admin(t: TestContext, running: Running, metrics: ServerMetrics): Promise<string> {
  const { role } = running
  const app = adminServer({
    guard: role.guard,
    limits: DEFAULT_WEB_LIMITS,
    version: '1',
    metrics: () => metrics.exposition(running.status(), role.gauges(), { cpuSeconds: 1.5, node: 'v1' }),
    clients: () => role.listClients(),
    closeClient: id => role.closeClient(id),
    onError: error => running.errors.push(error),
  })
  t.after(() => app.close())
  return app.listen({ host: '127.0.0.1', port: 0 })
}

/// Families of an exposition: name, type, samples by full name with labels.
function families(text: string): Map<string, { type: string; samples: Map<string, number> }> {
  const found = new Map<string, { type: string; samples: Map<string, number> }>()
  let name = ''
  assert.ok(text.endsWith('\n'))
  for (const line of text.trimEnd().split('\n')) {
    const help = /^# HELP ([a-z_]+) \S.*$/.exec(line)
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line)
    if (help !== null) {
      name = help[1] ?? ''
      assert.equal(found.has(name), false, `${name} comes once`)
    } else if (type !== null) {
      assert.equal(type[1], name)
      found.set(name, { type: type[2] ?? '', samples: new Map() })
    } else {
      const sample = /^([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (-?[\d.e+-]+|NaN|[+-]Inf)$/.exec(
        line,
      )
      assert.ok(sample, `a sample: ${line}`)
      assert.equal(
        (sample[1] ?? '').replace(/_(bucket|sum|count)$/, ''),
        name.replace(/_(bucket|sum|count)$/, ''),
        line,
      )
      const samples = found.get(name)?.samples
      const key = `${sample[1]}${sample[2] ?? ''}`
      assert.equal(samples?.has(key), false, `${key} comes once`)
      samples?.set(key, Number(sample[3]))
    }
  }
  return found
}

test('metrics are in the format, with base units and conventional names, and none per token', async t => {
  const metrics = new ServerMetrics(systemStopwatch)
  const running = await startWeb(t, { metrics })
  const url = await admin(t, running, metrics)
  const peer = await Peer.connect(t, running)
  const tokens = Array.from({ length: 50 }, (_, i) => `SECRET${i}`)
  peer.say({ op: 'subscribe', tokens })
  await peer.take(51)
  running.feed.publish(tokens.map(token => withVolume(token, 1, 1)))
  await peer.take(50)
  await (await fetch(`${running.url}/v1/tokens/SECRET1`)).arrayBuffer()
  await (await fetch(`${running.url}/v1/tokens/NOPE`)).arrayBuffer()
  metrics.roll(() => undefined)
  await metrics.checkpoint(async () => undefined)

  const response = await fetch(`${url}/metrics`)
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  const text = await response.text()
  assert.doesNotMatch(text, /SECRET|NOPE|127\.0\.0\.1/)
  const all = families(text)
  for (const [name, { type, samples }] of all) {
    assert.match(name, /^(volumer|process)_/)
    assert.equal(type === 'counter', name.endsWith('_total'), `${name} is a ${type}`)
    assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|mb)(_|$)/)
    assert.ok(samples.size < 200)
  }
  const value = (name: string, labels = '') => all.get(name)?.samples.get(name + labels)
  assert.equal(value('volumer_swaps_total', '{fate="accepted"}'), 3)
  assert.equal(value('volumer_tokens'), 50)
  assert.equal(value('volumer_live_swaps_left_out_total'), 0)
  assert.equal(value('volumer_clients', '{transport="websocket"}'), 1)
  assert.equal(value('volumer_http_requests_total', '{operation="getToken",code="200"}'), 1)
  assert.equal(value('volumer_http_requests_total', '{operation="getToken",code="404"}'), 1)
  assert.equal(value('process_cpu_seconds_total'), 1.5)
  assert.equal(value('volumer_build_info', '{version="0.0.0-test",node="v1"}'), 1)

  const delivery = all.get('volumer_delivery_duration_seconds')?.samples
  assert.equal(delivery?.get('volumer_delivery_duration_seconds_count'), 50)
  assert.ok(delivery?.has('volumer_delivery_duration_seconds_bucket{le="0.0001"}'), 'from 0.1 ms')
  assert.equal(delivery?.get('volumer_delivery_duration_seconds_bucket{le="+Inf"}'), 50)
  for (const [name, { type, samples }] of all) {
    if (type !== 'histogram') continue
    let before = 0
    for (const [key, count] of samples) {
      if (!key.startsWith(`${name}_bucket`)) continue
      if (key.includes('le="0.0001"')) before = 0
      assert.ok(count >= before, `${key} is cumulative`)
      before = count
    }
  }
})

test('operators see clients and close them', async t => {
  const metrics = new ServerMetrics(systemStopwatch)
  const running = await startWeb(t, { metrics })
  const url = await admin(t, running, metrics)
  const peer = await Peer.connect(t, running)
  peer.say('A')
  await peer.take(2)
  const document: unknown = JSON.parse(await (await fetch(`${url}/openapi.json`)).text())
  const schemas = new DocumentSchemas(document)
  const listed = await fetch(`${url}/admin/clients`)
  const body = JSON.parse(await listed.text())
  const pointer = [
    '',
    'paths',
    '/admin/clients',
    'get',
    'responses',
    '200',
    'content',
    'application/json',
    'schema',
  ]
  schemas.assertMatches(pointer.map(escaped).join('/'), body, 'clients')
  const [{ id, subscriptions }] = body.clients
  assert.equal(subscriptions, 1)
  const close = (which: string) => fetch(`${url}/admin/clients/${which}`, { method: 'DELETE' })
  assert.equal((await close(String(id))).status, 200)
  assert.deepEqual(await peer.close(), { code: 4000, reason: 'closed by an operator' })
  await until(() => running.role.clients().webSockets === 0, 'it is gone')
  assert.equal((await close(String(id))).status, 404)
  assert.equal((await close('x')).status, 400)
  assert.equal(running.role.gauges().closed.get('closedByOperator'), 1)
})

test('where keys are on, the admin port asks for the scope admin', async t => {
  const keys = new MemoryApiKeys()
  await keys.add(apiKey('reader', { hash: hashOf('r') }))
  await keys.add(apiKey('op', { scopes: ['admin'], hash: hashOf('o') }))
  const metrics = new ServerMetrics(systemStopwatch)
  const url = await admin(t, await startWeb(t, { keys, metrics }), metrics)
  const ask = async (key?: string) =>
    (await fetch(`${url}/metrics`, key === undefined ? {} : { headers: { 'x-api-key': key } })).status
  assert.deepEqual([await ask(), await ask('r'), await ask('o')], [401, 403, 200])
})
