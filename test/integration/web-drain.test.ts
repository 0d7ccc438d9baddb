import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { Peer, startWeb } from '../delivery/web-harness.js'
import { until } from '../wait/eventually.js'

test('a drain sends WebSockets away, each with its own time to come back', async t => {
  const running = await startWeb(t)
  const peers = await Promise.all(Array.from({ length: 5 }, () => Peer.connect(t, running)))
  const drained = running.role.drain()
  const after: unknown[] = []
  for (const peer of peers) {
    assert.deepEqual(await peer.close(), { code: 1012, reason: 'the server is shutting down' })
    const last = peer.heard.at(-1)
    assert.equal(last?.type, 'serverShutdown')
    after.push(last?.reconnectAfterMs)
  }
  assert.deepEqual(after.sort(), [0, 1000, 2000, 3000, 4000])
  await drained
  await assert.rejects(fetch(`${running.url}/livez`))
})

test('a request under way is finished, what is new is refused', async t => {
  const running = await startWeb(t)
  const request = (body: string) =>
    `POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  const open = () => {
    const socket = connect(running.port, '127.0.0.1')
    const heard = { socket, text: '' }
    socket.on('data', data => {
      heard.text += data
    })
    return heard
  }
  const underWay = open()
  underWay.socket.write(request('[]  ').slice(0, -2))
  const late = open()
  late.socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHost')
  await until(() => running.role.clients().bodyBytesInFlight === 4, 'the body is awaited')
  await until(() => late.text.includes('live'), 'the second connection is answered')

  const drained = running.role.drain()
  underWay.socket.write('  ')
  await until(() => underWay.socket.closed, 'the first connection is closed')
  assert.match(underWay.text, /^HTTP\/1\.1 200 OK.*connection: close.*"appended":0/is)
  late.socket.write(': x\r\n\r\n')
  await until(() => late.socket.closed, 'the second connection is closed')
  await drained
  assert.equal(running.role.clients().webSockets, 0)
})

test('swaps that come over an open connection while the server closes are told when to come back', async t => {
  const running = await startWeb(t)
  const socket = connect(running.port, '127.0.0.1')
  let text = ''
  socket.on('data', data => {
    text += data
  })
  const post = (body: string) =>
    `POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  // The head of the second request keeps the connection from being idle.
  socket.write(`${post('[]')}POST /v1/trades HTTP/1.1\r\nHost`)
  await until(() => text.includes('"appended":0'), 'the first request is answered')
  text = ''
  const drained = running.role.drain()
  socket.write(': x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n[]')
  await until(() => socket.closed, 'the connection is closed')
  assert.match(text, /^HTTP\/1\.1 503 .*\r\nretry-after: 5\r\n.*"type":"urn:volumer:problem:draining"/is)
  assert.match(text, /\r\nconnection: close\r\n/i)
  await drained
})

test('clients that do not say goodbye do not hold the drain up', async t => {
  const running = await startWeb(t)
  const slow = connect(running.port, '127.0.0.1')
  slow.on('error', () => undefined)
  slow.write('POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n{')
  const mute = connect(running.port, '127.0.0.1')
  mute.on('error', () => undefined)
  mute.resume()
  mute.write(
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  const { clients } = running.role
  await until(() => clients().bodyBytesInFlight === 10 && clients().webSockets === 1, 'both are there')
  const drained = running.role.drain()
  running.clock.advance(2_000)
  await drained
  await until(() => slow.closed && mute.closed, 'both are cut')
  assert.equal(clients().webSockets, 0)
})

test('while draining, a new WebSocket and new swaps are refused', async t => {
  const running = await startWeb(t)
  // A body under way keeps the server open.
  const holder = connect(running.port, '127.0.0.1')
  holder.on('error', () => undefined)
  holder.write(
    'POST /v1/trades HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n{',
  )
  await until(() => running.role.clients().bodyBytesInFlight === 10, 'the body is awaited')
  const drained = running.role.drain()
  const ws = new WebSocket(running.wsUrl)
  await new Promise(resolve => ws.once('error', resolve))
  await assert.rejects(fetch(`${running.url}/v1/trades`, { method: 'POST' }))
  holder.destroy()
  await drained
  assert.equal(running.log.bounds(0).end, 0)
})
