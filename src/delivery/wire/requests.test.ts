import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequest } from './requests.js'

const error = (text: string) => parseRequest(text).error

test('requests are read, tokens once each, ids given back', () => {
  assert.deepEqual(parseRequest('{"op":"subscribe","tokens":["BTC","ETH","BTC"],"id":1}').request, {
    op: 'subscribe',
    tokens: ['BTC', 'ETH'],
    id: 1,
  })
  assert.deepEqual(parseRequest('{"op":"unsubscribe","tokens":[],"id":"x"}').request, {
    op: 'unsubscribe',
    tokens: [],
    id: 'x',
  })
  assert.deepEqual(parseRequest('{"op":"ping"}').request, { op: 'ping' })
})

test('a bare text subscribes to the token of that name', () => {
  for (const token of ['BTC', '__proto__', '🚀 to the moon', '"quoted"', ' padded ', '[1]']) {
    assert.deepEqual(parseRequest(token).request, { op: 'subscribe', tokens: [token] })
  }
})

test('what is wrong is named by code and field', () => {
  assert.equal(error('{"op":')?.code, 'invalidJson')
  assert.equal(error('{}')?.code, 'invalidRequest')
  assert.deepEqual(error('{"op":"dance","id":7}'), {
    code: 'unknownOp',
    message: 'op is "subscribe", "unsubscribe" or "ping"',
    field: 'op',
    id: 7,
  })
  assert.equal(error('{"op":"subscribe"}')?.field, 'tokens')
  assert.equal(error('{"op":"subscribe","tokens":"BTC"}')?.field, 'tokens')
  assert.equal(error('{"op":"subscribe","tokens":["BTC",null]}')?.code, 'invalidRequest')
  assert.equal(error('{"op":"ping","id":{}}')?.field, 'id')
  assert.equal(error(`{"op":"ping","id":"${'i'.repeat(65)}"}`)?.field, 'id')
  assert.equal(error('')?.code, 'invalidToken')
  assert.equal(error('x'.repeat(129))?.code, 'invalidToken')
  assert.equal(error('{"op":"subscribe","tokens":["A","\\ud800"]}')?.field, 'tokens[1]')
  assert.equal(parseRequest('x'.repeat(128)).error, undefined)
})
