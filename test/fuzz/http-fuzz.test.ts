/// Random requests to every documented route, valid, nearly valid and garbage: the server must answer each as the documents say,
/// never with a 5xx that is the caller's fault, never not at all, and go on.
///
/// Runs for VOLUMER_FUZZ_SECONDS (8 by default). A failure prints its seed, with which VOLUMER_SEED repeats it.

import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { OPERATIONS } from '../../src/delivery/http/operations.js'
import { RollerQueries } from '../../src/roles/roller-queries.js'
import { api as apiOf, type RunningApi } from '../delivery/api.js'
import { at, object } from '../delivery/documents.js'
import { randomStats } from '../delivery/random-stats.js'
import { RolledTokens } from '../delivery/rolled-tokens.js'
import { START } from '../delivery/web-harness.js'
import { Random, testSeed } from '../simulation/random.js'
import { DEFAULT_RULES } from '../simulation/raw-swap.js'
import { until } from '../wait/eventually.js'

const SECONDS = Number(process.env.VOLUMER_FUZZ_SECONDS ?? 8)
const NAMES = ['BTC', '__proto__', 'a/b', '🚀', 'ü', ' ', 'constructor', 'x'.repeat(128)]
const NASTY = [
  '',
  '0',
  '-1',
  '1e999',
  'null',
  'NaN',
  '*',
  '..',
  '%',
  '%00',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  '[]',
  '{}',
  '[object Object]',
  '1'.repeat(400),
  "' or 1=1",
  '<script>',
  '../../etc/passwd',
  'volume.h24',
  'volume.m5>1',
  '💥',
  'a,b,c',
  '5m',
]

interface Call {
  readonly method: string
  readonly path: string
  readonly target: string
  readonly headers: Record<string, string>
  readonly body: Buffer | null
}

class Caller {
  readonly random: Random
  constructor(random: Random) {
    this.random = random
  }

  /// A value that the schema allows, most of the time.
  value(schema: unknown): unknown {
    const { random } = this
    if (random.chance(0.12))
      return random.pick<unknown>([
        ...NASTY,
        null,
        5,
        -1,
        1e308,
        true,
        [],
        {},
        ['BTC', 5],
        JSON.parse('{"__proto__":1}'),
      ])
    const {
      type,
      enum: names,
      items,
      minimum,
      maximum,
      anyOf,
      properties,
      required,
      minItems,
    } = object(schema)
    if (Array.isArray(names)) return random.pick(names)
    if (Array.isArray(anyOf)) return this.value(random.pick(anyOf))
    switch (type) {
      case 'integer':
      case 'number':
        if (Number(maximum) > START) return START - random.below(100_000_000)
        return Number(minimum ?? 0) + random.below(Math.max(1, Math.min(600, Number(maximum ?? 600))))
      case 'array':
        return Array.from({ length: Number(minItems ?? 0) + random.below(4) }, () => this.value(items))
      case 'object':
        return Object.fromEntries(
          Object.entries(object(properties))
            .filter(([key]) => (Array.isArray(required) && required.includes(key)) || random.chance(0.5))
            .map(([key, each]) => [key, this.value(each)]),
        )
      case 'boolean':
        return random.chance(0.5)
      default:
        return random.pick([...NAMES, ...NASTY, '5m', 'h24', 'volume.m5', 'priceUsd', '*'])
    }
  }

  resolved(document: unknown, schema: unknown): unknown {
    const reference = object(schema).$ref
    return typeof reference === 'string' ? at(document, ...reference.split('/').slice(1)) : schema
  }

  call(document: unknown): Call {
    const { random } = this
    const { path, method } = random.pick(
      OPERATIONS.filter(({ stream }: { stream?: boolean }) => stream !== true),
    )
    const operation = at(document, 'paths', path, method.toLowerCase())
    const parameters = at(operation, 'parameters')
    const query = new URLSearchParams()
    let target: string = path
    for (const parameter of Array.isArray(parameters) ? parameters : []) {
      const { name, in: where, required, schema } = object(parameter)
      const value = this.value(this.resolved(document, schema))
      const text = Array.isArray(value)
        ? value.join(',')
        : typeof value === 'string'
          ? value
          : JSON.stringify(value)
      if (where === 'path') target = target.replace(`{${name}}`, encoded(text))
      else if (where === 'query' && (required === true || random.chance(0.4)))
        query.append(String(name), wellFormed(text))
    }
    if (random.chance(0.05)) query.append(random.pick(NASTY), wellFormed(random.pick(NASTY)))
    const search = query.toString()
    const headers: Record<string, string> = {}
    if (random.chance(0.2))
      headers['accept-encoding'] = random.pick(['gzip', 'gzip;q=0', '*', 'br', 'gzip, deflate', ';;;'])
    if (random.chance(0.2))
      headers['if-none-match'] = random.pick(['*', 'W/"x"', '"x"', ',,', 'W/"0:1:1790000000-x"'])
    if (random.chance(0.1)) headers.origin = random.pick(['https://evil.example', 'null', 'x'])
    if (random.chance(0.1))
      headers.authorization = random.pick(['Bearer x', 'Basic', 'Bearer', 'x'.repeat(3000)])
    const body = method === 'POST' ? this.body(document, operation, headers) : null
    const verb = random.chance(0.05) ? random.pick(['DELETE', 'PUT', 'HEAD', 'OPTIONS', 'PATCH']) : method
    return { method: verb, path, target: search === '' ? target : `${target}?${search}`, headers, body }
  }

  body(document: unknown, operation: unknown, headers: Record<string, string>): Buffer {
    const { random } = this
    const content = object(at(operation, 'requestBody', 'content'))
    const type = random.chance(0.9)
      ? random.pick(Object.keys(content))
      : random.pick(['text/plain', 'image/png', ''])
    if (type !== '') headers['content-type'] = type
    if (random.chance(0.1)) headers['content-encoding'] = random.pick(['gzip', 'identity', 'br', 'x'])
    const schema = this.resolved(document, object(content['application/json']).schema)
    const text = JSON.stringify(this.value(schema) ?? null)
    const bytes = Buffer.from(type === 'application/x-ndjson' ? text.replaceAll('},{', '}\n{') : text)
    if (random.chance(0.2))
      for (let i = random.below(4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256)
    return random.chance(0.1) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
  }
}

/// As every client sends it: lone surrogates have no UTF-8.
const wellFormed = (text: string): string => Buffer.from(text).toString()

function encoded(text: string): string {
  const name = encodeURIComponent(wellFormed(text))
  // Dots alone are removed from paths by every URL parser, and nothing is another path.
  return /^\.{0,2}$/.test(name) ? 'BTC' : name
}

function send(
  port: number,
  agent: Agent,
  { method, target, headers, body }: Call,
): Promise<{ status: number; type: string | null; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { agent, host: '127.0.0.1', port, method, path: target, headers, timeout: 10_000 },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = response.headers['content-encoding'] === undefined ? bytes.toString() : ''
          resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? null, text })
        })
        response.on('error', reject)
      },
    )
    asked.on('timeout', () => asked.destroy(new Error('no answer within 10 s')))
    asked.on('error', reject)
    asked.end(body ?? undefined)
  })
}

async function world(t: Parameters<typeof apiOf>[0], random: Random): Promise<RunningApi> {
  const rolled = new RolledTokens(DEFAULT_RULES, START / 1000)
  const records = NAMES.flatMap((token, i) =>
    Array.from({ length: 20 }, (_, k) => ({
      ...{ id: `${i}:${k}`, time: START - random.below(80_000_000), who: random.pick(NAMES), token },
      ...{ side: random.pick(['buy', 'sell'] as const), amount: '1.5', usd: String(random.below(1000)) },
    })),
  )
  rolled.append({ appendTime: START, records })
  const queries = new RollerQueries({ roller: rolled.roller, stopwatch: systemStopwatch, nextTurn })
  const api = await apiOf(t, { queries })
  api.running.feed.publish(NAMES.map(token => randomStats(random, token, 1)))
  return api
}

test(`${SECONDS} s of random requests are answered as the documents say`, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const api = await world(t, random)
  const caller = new Caller(random)
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  t.after(() => agent.destroy())
  const statuses = new Map<number, number>()
  const deadline = Date.now() + SECONDS * 1000
  let version = 1
  for (let calls = 0; calls < 500 || Date.now() < deadline; calls++) {
    const call = caller.call(api.openApi)
    const shown = () =>
      `VOLUMER_SEED=${seed}, call ${calls}: ${JSON.stringify({ ...call, body: call.body?.toString() })}`
    const answer = await send(api.running.port, agent, call).catch(error =>
      assert.fail(`${shown()}: ${error}`),
    )
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
    assert.ok(answer.status < 500, `${shown()} → ${answer.status} ${answer.text}`)
    assert.doesNotMatch(answer.text, /node_modules|\n +at /, 'no stack traces')
    const documented = object(at(api.openApi, 'paths', call.path, call.method.toLowerCase(), 'responses'))
    if (answer.text !== '' && String(answer.status) in documented) {
      api.assertAnswer(call.method, call.path, answer.status, answer.type, answer.text)
    } else if (answer.text !== '' && answer.status >= 400) {
      assert.match(answer.type ?? '', /problem\+json/, shown())
    }
    if (calls % 20 === 0) {
      version++
      api.running.feed.publish([randomStats(random, random.pick(NAMES), version)])
      api.running.clock.advance(random.pick([0, 50, 200]))
    }
  }
  t.diagnostic(`statuses ${JSON.stringify(Object.fromEntries([...statuses].sort()))}`)
  assert.ok((statuses.get(200) ?? 0) > 50 && (statuses.get(400) ?? 0) > 50, 'both good and bad ones')
  assert.deepEqual(api.running.errors, [])
})

test('random bytes on the port leave the server as it was', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const { running } = await world(t, random)
  const deadline = Date.now() + (SECONDS * 1000) / 4
  for (let rounds = 0; rounds < 20 || Date.now() < deadline; rounds++) {
    const socket = connect(running.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.resume()
    const head = random.pick([
      '',
      'GET / HTTP/1.1\r\n',
      'POST /v1/trades HTTP/1.1\r\nHost: x\r\n',
      'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n',
    ])
    const bytes = Buffer.from(Array.from({ length: random.below(400) }, () => random.below(256)))
    socket.write(Buffer.concat([Buffer.from(head), bytes]))
    if (random.chance(0.5)) socket.end()
    await new Promise(resolve => setTimeout(resolve, 5))
    socket.destroy()
  }
  assert.equal((await fetch(`${running.url}/livez`)).status, 200)
  await until(() => running.role.clients().webSockets === 0, 'nothing is left')
  assert.equal(running.role.clients().bodyBytesInFlight, 0)
})
