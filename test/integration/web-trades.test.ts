import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { MemoryTradeLog } from '../../src/adapters/memory/trade-log.js'
import { partitionOf } from '../../src/core/partition.js'
import { LogFullError, StorageFullError } from '../../src/ports/errors.js'
import type { TradeLog } from '../../src/ports/trade-log.js'
import { appendedText, lettersIn, type Running, START, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

function swap(id: string, fields: Readonly<Record<string, unknown>> = {}): string {
  const swap = { id, time: START, who: 'w', token: 'BTC', side: 'buy', amount: '1', usd: '2' }
  return JSON.stringify({ ...swap, ...fields })
}

const NDJSON = { 'content-type': 'application/x-ndjson' }
const JSON_TYPE = { 'content-type': 'application/json' }

async function post(
  { url }: Running,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = NDJSON,
) {
  const response = await fetch(`${url}/v1/trades`, { method: 'POST', body, headers })
  return { status: response.status, headers: response.headers, answer: JSON.parse(await response.text()) }
}

test('lines are appended as they came, and the answer counts them', async t => {
  const running = await startWeb(t)
  const body = `${swap('1')}\n${swap('2', { token: '🚀', more: [1, { a: null }] })}\n`
  const { status, answer } = await post(running, body)
  assert.deepEqual([status, answer], [200, { appended: 2, invalid: [] }])
  assert.deepEqual(await appendedText(running.log), [body])
  assert.equal(running.log.bounds(0).end, 2)
})

test('good lines are taken, bad ones are reported and dead-lettered', async t => {
  const running = await startWeb(t)
  const lines = [
    swap('1'),
    '',
    `  ${swap('2')}\r`,
    swap('3', { usd: 'NaN' }),
    '{',
    swap('4', { side: 'hold' }),
    swap('5'),
  ]
  const { status, answer } = await post(running, lines.join('\n'))
  assert.equal(status, 200)
  assert.equal(answer.appended, 3)
  const places = answer.invalid.map(({ line, field }: { line: number; field: string }) => [line, field])
  assert.deepEqual(places, [
    [4, 'usd'],
    [5, null],
    [6, 'side'],
  ])
  for (const { reason } of answer.invalid) assert.match(reason, /wanted|got/)
  assert.deepEqual(await appendedText(running.log), [`${swap('1')}\n${swap('2')}\n${swap('5')}\n`])
  const letters = await lettersIn(running.deadLetters)
  assert.deepEqual(
    letters.map(({ fate, field, origin, input }) => [fate, field, origin, Buffer.from(input).toString()]),
    [
      ['invalid', 'usd', { kind: 'http', line: 4 }, swap('3', { usd: 'NaN' })],
      ['invalid', null, { kind: 'http', line: 5 }, '{'],
      ['invalid', 'side', { kind: 'http', line: 6 }, swap('4', { side: 'hold' })],
    ],
  )
})

test('a JSON array is taken, one line per element', async t => {
  const running = await startWeb(t)
  const body = `[\n${JSON.stringify(JSON.parse(swap('1')), null, 2)},\n 7,\n${swap('2')}]`
  const { status, answer } = await post(running, body, JSON_TYPE)
  assert.equal(status, 200)
  assert.equal(answer.appended, 2)
  assert.equal(answer.invalid.length, 1)
  assert.deepEqual([answer.invalid[0].index, answer.invalid[0].field], [1, null])
  const [text = ''] = await appendedText(running.log)
  const lines = text.split('\n')
  assert.equal(lines.length, 3)
  assert.deepEqual(JSON.parse(lines[0] ?? ''), JSON.parse(swap('1')))
  assert.equal(lines[1], swap('2'))
})

test('empty bodies append nothing', async t => {
  const running = await startWeb(t)
  assert.deepEqual((await post(running, '')).answer, { appended: 0, invalid: [] })
  assert.deepEqual((await post(running, '\n\n')).answer, { appended: 0, invalid: [] })
  assert.deepEqual((await post(running, '[]', JSON_TYPE)).answer, { appended: 0, invalid: [] })
})

test('a large body of lines is taken whole, with the right line numbers', async t => {
  const running = await startWeb(t)
  const lines = Array.from({ length: 5000 }, (_, i) => swap(`${i}`))
  lines[4321] = 'bad'
  const { answer } = await post(running, lines.join('\n'), { 'content-type': 'text/plain; charset=utf-8' })
  assert.equal(answer.appended, 4999)
  assert.equal(answer.invalid[0].line, 4322)
  const [text = ''] = await appendedText(running.log)
  assert.deepEqual(
    text.split('\n').slice(0, -1),
    lines.filter(line => line !== 'bad'),
  )
})

test('swaps go to the partition of their token, in order', async t => {
  const running = await startWeb(t, { partitions: 4 })
  const lines = Array.from({ length: 200 }, (_, i) => swap(`${i}`, { token: `T${i % 20}` }))
  assert.equal((await post(running, lines.join('\n'))).answer.appended, 200)
  const expected = ['', '', '', '']
  for (const line of lines) {
    const token = Buffer.from(JSON.parse(line).token)
    const partition = partitionOf(token, 0, token.length, 4)
    expected[partition] = `${expected[partition]}${line}\n`
  }
  assert.deepEqual(await appendedText(running.log), expected)
})

test('gzip is inflated, within bounds', async t => {
  const running = await startWeb(t, { limits: { bodyBytesMax: 100_000 } })
  const gzip = { ...NDJSON, 'content-encoding': 'gzip' }
  assert.deepEqual((await post(running, gzipSync(`${swap('1')}\n`), gzip)).answer, {
    appended: 1,
    invalid: [],
  })
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20))
  assert.ok(bomb.length < 100_000)
  const burst = await post(running, bomb, gzip)
  assert.deepEqual([burst.status, burst.answer.type], [413, 'urn:volumer:problem:body-too-large'])
  const cut = await post(running, gzipSync(swap('2').repeat(50)).subarray(0, 60), gzip)
  assert.deepEqual([cut.status, cut.answer.type], [400, 'urn:volumer:problem:invalid-body'])
  assert.equal((await post(running, 'not gzip', gzip)).status, 400)
  assert.equal(
    (await post(running, 'x', { ...NDJSON, 'content-encoding': 'br' })).answer.field,
    'content-encoding',
  )
  assert.equal(running.role.clients().bodyBytesInFlight, 0)
  assert.equal(running.log.bounds(0).end, 1)
})

test('a body that is too large is refused, announced or not', async t => {
  const running = await startWeb(t, { limits: { bodyBytesMax: 1000 } })
  const large = `${swap('1')}\n`.repeat(100)
  assert.equal((await post(running, large)).status, 413)
  const stream = new Blob([large]).stream()
  const chunked = await fetch(`${running.url}/v1/trades`, {
    method: 'POST',
    body: stream,
    headers: NDJSON,
    duplex: 'half',
  })
  assert.equal(chunked.status, 413)
  assert.equal(running.log.bounds(0).end, 0)
  assert.equal(running.role.clients().bodyBytesInFlight, 0)
})

test('media types other than those of swaps are refused', async t => {
  const running = await startWeb(t)
  for (const type of ['application/xml', 'multipart/form-data', 'application/x-www-form-urlencoded']) {
    const { status, answer } = await post(running, swap('1'), { 'content-type': type })
    assert.deepEqual([status, answer.field], [415, 'content-type'], type)
  }
  const response = await fetch(`${running.url}/v1/trades`, { method: 'POST' })
  assert.equal(response.status, 415)
})

test("another site's page cannot write through a browser", async t => {
  const running = await startWeb(t)
  const { status } = await post(running, swap('1'), {
    'content-type': 'text/plain',
    origin: 'https://evil.example',
  })
  assert.equal(status, 403)
  const own = await post(running, swap('1'), { 'content-type': 'text/plain', origin: running.url })
  assert.equal(own.status, 200)
})

test('too many bytes under way: 503, and room again afterwards', async t => {
  const running = await startWeb(t, { limits: { bodyBytesInFlightMax: 1950 } })
  const socket = connect(running.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1900\r\n\r\n{',
  )
  await until(() => running.role.clients().bodyBytesInFlight === 1900, 'the first body is under way')
  const refused = await post(running, swap('1'))
  assert.deepEqual([refused.status, refused.answer.type], [503, 'urn:volumer:problem:overloaded'])
  assert.equal(refused.headers.get('retry-after'), '1')
  socket.destroy()
  await until(() => running.role.clients().bodyBytesInFlight === 0, 'the broken body is let go')
  assert.equal((await post(running, swap('1'))).status, 200)
})

test('a body that comes too slowly is given up', async t => {
  const running = await startWeb(t)
  const socket = connect(running.port, '127.0.0.1')
  let answer = ''
  socket.on('data', data => {
    answer += data
  })
  socket.write(
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n{',
  )
  await until(() => running.role.clients().bodyBytesInFlight === 100, 'the body is awaited')
  running.clock.advance(29_000)
  assert.equal(answer, '')
  running.clock.advance(1_000)
  await until(() => socket.closed, 'the server hangs up')
  assert.match(answer, /^HTTP\/1\.1 408 .*connection: close.*body-too-slow/is)
  assert.equal(running.role.clients().bodyBytesInFlight, 0)
})

test('above the rate: 429, until the debt is paid', async t => {
  const running = await startWeb(t, { limits: { swapsPerSecond: 10 } })
  const batch = Array.from({ length: 30 }, (_, i) => swap(`${i}`)).join('\n')
  assert.equal((await post(running, batch)).answer.appended, 30)
  const refused = await post(running, swap('x'))
  assert.deepEqual([refused.status, refused.answer.type], [429, 'urn:volumer:problem:rate-limited'])
  assert.equal(refused.headers.get('retry-after'), '3')
  running.clock.advance(3_000)
  assert.equal((await post(running, swap('x'))).status, 200)
})

/// A log that fails as it is told to.
function failingLog() {
  const inner = new MemoryTradeLog({ clock: new ManualClock(START) })
  const failing: { failure: Error | null } = { failure: null }
  const log: TradeLog = {
    partitions: inner.partitions,
    append: pieces => (failing.failure === null ? inner.append(pieces) : Promise.reject(failing.failure)),
    follow: (partition, from, signal) => inner.follow(partition, from, signal),
    bounds: partition => inner.bounds(partition),
    lookUpBounds: partition => inner.lookUpBounds(partition),
    release: (partition, below) => inner.release(partition, below),
    sizeBytes: () => inner.sizeBytes(),
    close: () => inner.close(),
  }
  return { log, failing }
}

test('a full log is 503 with Retry-After, and an unexpected failure a 500 that tells nothing', async t => {
  const { log, failing } = failingLog()
  const running = await startWeb(t, { log })
  failing.failure = new LogFullError('the queue is full', 2)
  const full = await post(running, swap('1'))
  assert.deepEqual([full.status, full.headers.get('retry-after')], [503, '2'])
  failing.failure = new StorageFullError('the disk is full')
  const storage = await post(running, swap('1'))
  assert.deepEqual([storage.status, storage.answer.type], [503, 'urn:volumer:problem:storage-full'])
  assert.ok(storage.headers.has('retry-after'))
  failing.failure = new Error('secret inner working')
  const internal = await post(running, swap('1'))
  assert.equal(internal.status, 500)
  assert.doesNotMatch(JSON.stringify(internal.answer), /secret/)
  assert.deepEqual(running.errors.splice(0), [failing.failure])
  failing.failure = null
  assert.equal((await post(running, swap('1'))).status, 200)
  assert.equal(running.role.clients().bodyBytesInFlight, 0)
})

test('many invalid records: the list is cut and says so; a body of rubbish is refused whole', async t => {
  const running = await startWeb(t)
  const some = await post(running, `${'x\n'.repeat(1500)}${swap('1')}`)
  assert.equal(some.status, 200)
  assert.deepEqual(
    [some.answer.appended, some.answer.invalid.length, some.answer.invalidTotal],
    [1, 1000, 1500],
  )
  const rubbish = await post(running, `${swap('2')}\n${'x\n'.repeat(10_001)}`)
  assert.deepEqual([rubbish.status, rubbish.answer.type], [400, 'urn:volumer:problem:invalid-body'])
  assert.equal(running.log.bounds(0).end, 1)
  const array = await post(running, `[${'1,'.repeat(200_000)}1]`, JSON_TYPE)
  assert.equal(array.status, 400)
})
