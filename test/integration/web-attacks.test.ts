/// Each attack is tried, and what it must not do is looked at: hold memory, hold connections, delay others, crash, or end in a
/// 5xx that is the attacker's fault.

import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { WebSocket } from 'ws'
import { withVolume } from '../delivery/token-stats.js'
import { Peer, type Running, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

interface Raw {
  readonly socket: Socket
  text: string
  ended: boolean
}

function raw(t: TestContext, { port }: Running): Raw {
  const socket = connect(port, '127.0.0.1')
  const heard: Raw = { socket, text: '', ended: false }
  socket.on('data', data => {
    heard.text += data.toString('latin1')
  })
  socket.on('close', () => {
    heard.ended = true
  })
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  return heard
}

const HANDSHAKE =
  'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

/// A frame as a client sends it, masked with zeros.
function frame(opcode: number, payload: Buffer, fin = true): Buffer {
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10)
  head[0] = (fin ? 0x80 : 0) | opcode
  head[1] = 0x80 | (payload.length < 126 ? payload.length : payload.length < 65_536 ? 126 : 127)
  if (head.length === 4) head.writeUInt16BE(payload.length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([head, Buffer.alloc(4), payload])
}

/// The close code of a server's close frame at the end of what was heard.
function closeCode(text: string): number | null {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = bytes.length - 4; at >= 0; at--) {
    if (bytes[at] === 0x88 && (bytes[at + 1] ?? 0) >= 2) return bytes.readUInt16BE(at + 2)
  }
  return null
}

async function works(running: Running): Promise<void> {
  assert.equal((await fetch(`${running.url}/livez`)).status, 200)
  const peer = new WebSocket(running.wsUrl)
  await new Promise((resolve, reject) => peer.once('open', resolve).once('error', reject))
  peer.terminate()
}

test('slow-loris: a header that never ends is cut off, at its time', async t => {
  const running = await startWeb(t, { limits: { headersTimeoutMs: 300 } })
  const slow = Array.from({ length: 20 }, () => raw(t, running))
  for (const { socket } of slow) socket.write('GET /v1/tokens HTTP/1.1\r\nHost: x\r\nX-A: ')
  const drip = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write('a')
  }, 50)
  t.after(() => clearInterval(drip))
  await until(() => slow.every(({ ended }) => ended), 'all are cut')
  for (const { text } of slow) assert.match(text, /^HTTP\/1\.1 408 .*application\/problem\+json/s)
  await works(running)
})

test('a body that never ends is cut off, and gives its memory back', async t => {
  const running = await startWeb(t, { limits: { bodyTimeoutMs: 1000 } })
  const slow = raw(t, running)
  slow.socket.write(
    'POST /v1/tokens/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{"tokens"',
  )
  await until(() => running.role.clients().bodyBytesInFlight === 4000, 'it is awaited')
  running.clock.advance(1001)
  await until(() => slow.ended, 'it is cut')
  assert.match(slow.text, /^HTTP\/1\.1 408 /)
  assert.equal(running.role.clients().bodyBytesInFlight, 0)
})

test('a compression bomb is refused while it inflates', async t => {
  const running = await startWeb(t)
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, ' '))
  assert.ok(bomb.length < 300_000)
  const before = process.memoryUsage().rss
  for (const [path, type] of [
    ['/v1/trades', 'application/x-ndjson'],
    ['/v1/tokens/query', 'application/json'],
  ] as const) {
    const response = await fetch(running.url + path, {
      method: 'POST',
      headers: { 'content-type': type, 'content-encoding': 'gzip' },
      body: bomb,
    })
    assert.equal(response.status, 413, path)
    await response.arrayBuffer()
  }
  assert.ok(process.memoryUsage().rss - before < 120 * 1024 * 1024)
  assert.equal(running.role.clients().bodyBytesInFlight, 0)
})

test('a WebSocket cannot send compressed messages: the offer is not taken, the bit is an error', async t => {
  const running = await startWeb(t)
  const peer = raw(t, running)
  peer.socket.write(`${HANDSHAKE}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`)
  await until(() => peer.text.includes('\r\n\r\n'), 'it is connected')
  assert.match(peer.text, /^HTTP\/1\.1 101 /)
  assert.doesNotMatch(peer.text, /sec-websocket-extensions/i)
  const compressed = frame(1, Buffer.from([0]))
  compressed[0] = 0xc1
  peer.socket.write(compressed)
  await until(() => peer.ended || closeCode(peer.text) !== null, 'it is closed')
  assert.equal(closeCode(peer.text), 1002)
})

test('a message in endless fragments, huge frames, and announced sizes without bytes end the connection', async t => {
  const running = await startWeb(t)
  const open = async () => {
    const peer = raw(t, running)
    peer.socket.write(`${HANDSHAKE}\r\n`)
    await until(() => peer.text.includes('\r\n\r\n'), 'it is connected')
    return peer
  }
  const fragments = await open()
  fragments.socket.write(frame(1, Buffer.from('{'), false))
  for (let i = 0; i < 200; i++) fragments.socket.write(frame(0, Buffer.from(' '), false))
  await until(() => closeCode(fragments.text) !== null || fragments.ended, 'fragments are closed')
  assert.equal(closeCode(fragments.text), 1008)

  const empty = await open()
  empty.socket.write(frame(1, Buffer.alloc(0), false))
  for (let i = 0; i < 200; i++) empty.socket.write(frame(0, Buffer.alloc(0), false))
  await until(() => closeCode(empty.text) !== null || empty.ended, 'empty fragments are closed')

  const huge = await open()
  const head = frame(1, Buffer.alloc(70_000)).subarray(0, 14)
  huge.socket.write(head)
  await until(() => closeCode(huge.text) !== null, 'it is closed by its head alone')
  assert.equal(closeCode(huge.text), 1009)

  const unmasked = await open()
  unmasked.socket.write(Buffer.from([0x81, 0x01, 0x41]))
  await until(() => closeCode(unmasked.text) !== null || unmasked.ended, 'unmasked is closed')

  const control = await open()
  control.socket.write(frame(9, Buffer.alloc(126)))
  await until(() => closeCode(control.text) !== null || control.ended, 'a large ping is closed')

  const garbled = await open()
  garbled.socket.write(frame(1, Buffer.from([0xff, 0xfe, 0xfd])))
  await until(() => closeCode(garbled.text) !== null, 'text that is not UTF-8 is closed')
  assert.equal(closeCode(garbled.text), 1007)
  await works(running)
})

test('a flood of pings, pongs and messages is closed, and answers do not pile up', async t => {
  const running = await startWeb(t)
  const flood = raw(t, running)
  flood.socket.write(`${HANDSHAKE}\r\n`)
  await until(() => flood.text.includes('\r\n\r\n'), 'it is connected')
  flood.socket.pause()
  const pings = Buffer.concat(Array.from({ length: 2000 }, () => frame(9, Buffer.alloc(100, 'p'))))
  flood.socket.write(pings)
  await until(() => (running.role.gauges().closed.get('tooManyMessages') ?? 0) === 1, 'it is closed')
  assert.ok(running.role.clients().unsentBytes < 300_000)
})

test('prototypes are not poisoned by any way in', async t => {
  const running = await startWeb(t)
  running.feed.publish([withVolume('__proto__', 1, 1), withVolume('constructor', 1, 2)])
  const poison =
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"tokens":["__proto__"]}'
  const query = await fetch(`${running.url}/v1/tokens/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: poison,
  })
  assert.equal(query.status, 400)
  for (const path of [
    '/v1/tokens?__proto__[polluted]=1',
    '/v1/tokens?__proto__=1&constructor=2',
    '/v1/tokens?sort=__proto__.h24',
    '/v1/tokens?filter=constructor.h24>1',
    '/v1/tokens/BTC?fields=__proto__',
    '/v1/rankings/__proto__',
  ]) {
    const response = await fetch(running.url + path)
    assert.equal(response.status, 400, path)
    await response.arrayBuffer()
  }
  const peer = await Peer.connect(t, running)
  peer.say(poison.replace('{', '{"op":"subscribe",'))
  peer.say('{"op":"subscribe","tokens":["__proto__","constructor"],"windows":["5m"],"fields":["volume"]}')
  peer.say('{"op":"subscribe","subscriptions":[{"channel":"__proto__"}]}')
  peer.say(
    '{"op":"subscribe","subscriptions":[{"channel":"ranking","name":"__proto__","fields":["volume"]}]}',
  )
  peer.say('{"op":"unsubscribe","rankings":["__proto__"],"tokens":["constructor"]}')
  await until(() => peer.heard.some(({ type }) => type === 'unsubscribed'), 'all is answered')
  assert.ok(peer.heard.some(({ channel, name }) => channel === 'ranking' && name === '__proto__'))
  assert.equal(Reflect.get({}, 'polluted'), undefined)
  assert.equal(Reflect.get(Object, 'polluted'), undefined)
})

test('one address may have only so many clients, and all together only so many', async t => {
  const running = await startWeb(t, { limits: { clientsPerAddressMax: 3 } })
  const peers = [await Peer.connect(t, running), await Peer.connect(t, running)]
  const stream = await fetch(`${running.url}/v1/stream?token=A`)
  assert.equal(stream.status, 200)
  const full = await fetch(`${running.url}/v1/stream?token=A`)
  assert.equal(full.status, 503)
  assert.ok(full.headers.has('retry-after'))
  await assert.rejects(Peer.connect(t, running), /503/)
  peers[0]?.terminate()
  await until(() => running.role.clients().webSockets === 1, 'one is gone')
  await Peer.connect(t, running)
  await stream.body?.cancel()
})

test('one client can follow only so much, and rankings of all together are bounded', async t => {
  const running = await startWeb(t, { limits: { tokensPerClientMax: 5, statesPerClientMax: 100 } })
  const peer = await Peer.connect(t, running)
  peer.say({ op: 'subscribe', tokens: ['1', '2', '3', '4', '5', '6'] })
  assert.equal((await peer.take(1))[0]?.code, 'tooManyTokens')
  const ranking = (i: number) => ({
    channel: 'ranking',
    name: `${i}`,
    filter: `volume.m5>${i}`,
    fields: ['volume'],
  })
  peer.say({ op: 'subscribe', subscriptions: Array.from({ length: 64 }, (_, i) => ranking(i)) })
  await until(
    () => peer.heard.filter(({ type }) => type === 'snapshot').length === 64,
    'so many are followed',
  )
  peer.heard.splice(0)
  // What it has under the same name stays, since nothing of a request that is refused is done.
  peer.say({ op: 'subscribe', tokens: ['1'] })
  peer.say({
    op: 'subscribe',
    subscriptions: [
      { ...ranking(65), name: '1' },
      { channel: 'token', tokens: ['2'] },
    ],
  })
  await until(() => peer.heard.some(({ type }) => type === 'error'), 'no more')
  assert.equal(peer.heard.find(({ type }) => type === 'error')?.code, 'tooManySubscriptions')
  assert.equal(running.role.clients().subscriptions, 65)
  peer.say({ op: 'subscribe', subscriptions: [ranking(1)] })
  await until(
    () => peer.heard.filter(({ name }) => name === '1').length === 1,
    'what stays the same is no new ranking',
  )
  peer.terminate()
  await until(() => running.role.clients().webSockets === 0, 'it is gone')
  const next = await Peer.connect(t, running)
  next.say({ op: 'subscribe', subscriptions: [ranking(65)] })
  assert.equal((await next.take(2))[0]?.type, 'subscribed')
})

test('a filter is no regular expression, and can be neither deep nor long enough to hold up anybody', async t => {
  const running = await startWeb(t)
  const filters = [
    `${'('.repeat(5000)}volume.h1>1${')'.repeat(5000)}`,
    '('.repeat(9000),
    Array.from({ length: 900 }, () => 'volume.h1>1').join(' or '),
    `volume.h1>${'1'.repeat(9000)}`,
    `volume.h1>1 and ${'a'.repeat(9000)}!`,
    `${'('.repeat(300)}volume.h1>1${')'.repeat(300)}`,
    Array.from({ length: 80 }, () => 'volume.h1>1').join(' or '),
    '(a+)+$',
  ]
  for (const filter of filters) {
    const answer = await fetch(`${running.url}/v1/tokens?filter=${encodeURIComponent(filter)}`)
    assert.equal(answer.status, 400, filter.slice(0, 40))
    // What is too long for an address is not looked at.
    const { field } = Object(await answer.json())
    if (filter.length < 1000) assert.equal(field, 'filter')
  }
  const peer = await Peer.connect(t, running)
  const ranking = { channel: 'ranking', sort: 'volume.h1', limit: 1 }
  for (const [id, filter] of filters.entries()) {
    peer.say({ op: 'subscribe', subscriptions: [{ ...ranking, filter }], id })
    assert.equal((await peer.take(1))[0]?.type, 'error', filter.slice(0, 40))
  }
  await works(running)
})

test('requests that try to be two are refused', async t => {
  const running = await startWeb(t)
  for (const head of [
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n\r\n',
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello',
    'GET /livez HTTP/1.1\r\nHost: x\r\nX: a\nY: b\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: x\r\n${'Abcd: efgh\r\n'.repeat(5000)}\r\n`,
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ]) {
    const peer = raw(t, running)
    peer.socket.write(head)
    await until(
      () => peer.ended || /^HTTP\/1\.1 4\d\d /.test(peer.text),
      `it is refused: ${head.slice(0, 60)}`,
    )
    assert.doesNotMatch(peer.text, /HTTP\/1\.1 (2|5)\d\d /)
    peer.socket.destroy()
  }
  await works(running)
})
