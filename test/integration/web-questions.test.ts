/// What instances ask one another: with their secret, of what is rolled there, and errors that tell what to do.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { RemoteTokenQueries } from '../../src/adapters/http/remote-token-queries.js'
import { NoTokenQueries } from '../../src/adapters/memory/no-token-queries.js'
import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { BusyError, UnavailableError } from '../../src/ports/errors.js'
import type { TokenQueries, TokenQuestion } from '../../src/ports/token-queries.js'
import { RollerQueries } from '../../src/roles/roller-queries.js'
import { QUERY_RULES, QUERY_START, swap } from '../contract/token-queries.js'
import { api } from '../delivery/api.js'
import { RolledTokens } from '../delivery/rolled-tokens.js'

const QUESTION: TokenQuestion = {
  ...{ token: 'BTC', asOf: null, stretches: [{ lengthMs: 420_000, agoMs: 0 }] },
  ...{ medians: [], largest: 1, newest: 1, traders: 1 },
}

function owner(): TokenQueries {
  return new RollerQueries({ roller: rolledTokens().roller, stopwatch: systemStopwatch, nextTurn })
}

function rolledTokens(): RolledTokens {
  const rolled = new RolledTokens(QUERY_RULES, QUERY_START / 1000)
  rolled.append({ appendTime: QUERY_START, records: [swap('a', 5, '7', { amount: '0' })] })
  return rolled
}

const from = (address: string, secret = 'sesame') =>
  new RemoteTokenQueries({ rules: QUERY_RULES, ownerOf: () => ({ address, secret }) })

test('without its secret an instance answers nobody, and reads nothing', async t => {
  const { call } = await api(t, { peers: { secret: 'sesame', queries: owner() } })
  const post = (headers: Record<string, string>, body = JSON.stringify(QUESTION)) =>
    call('POST', '/v1/questions', '/v1/questions', {
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
  const typeOf = ({ text }: { text: string }) => JSON.parse(text).type.replace('urn:volumer:problem:', '')
  assert.equal((await post({ authorization: 'Bearer sesame' })).status, 200)
  assert.equal(typeOf(await post({})), 'key-missing')
  assert.equal(typeOf(await post({ authorization: 'Bearer sesam' })), 'key-unknown')
  assert.equal(typeOf(await post({ authorization: 'Bearer x' }, '{')), 'key-unknown')
  assert.equal(typeOf(await post({ authorization: 'Bearer sesame' }, '{')), 'invalid-body')
  for (const wrong of [
    { ...QUESTION, stretches: [], medians: [0] },
    { ...QUESTION, stretches: [{ lengthMs: 1, agoMs: 0 }] },
    { ...QUESTION, medians: [1] },
    { ...QUESTION, largest: 101 },
    { ...QUESTION, surprise: 1 },
  ]) {
    const answer = await post({ authorization: 'Bearer sesame' }, JSON.stringify(wrong))
    assert.equal(typeOf(answer), 'invalid-body', JSON.stringify(wrong))
  }
  // What is kept of a token is asked for without any.
  const kept = await post({ authorization: 'Bearer sesame' }, JSON.stringify({ ...QUESTION, stretches: [] }))
  assert.equal(kept.status, 200)
  const alone = await api(t)
  const refused = await alone.call('POST', '/v1/questions', '/v1/questions', {
    headers: { 'content-type': 'application/json', authorization: 'Bearer null' },
    body: JSON.stringify(QUESTION),
  })
  assert.equal(typeOf(refused), 'key-unknown', 'an instance without a secret has none that could be guessed')
})

test('unknown numbers come through, and so do names', async t => {
  const rolled = new RolledTokens(QUERY_RULES, QUERY_START / 1000)
  const odd = { token: '🦄', who: '"Ω\n' }
  rolled.append({ appendTime: QUERY_START, records: [swap('a', 5, '7', { ...odd, amount: '0' })] })
  const queries = new RollerQueries({ roller: rolled.roller, stopwatch: systemStopwatch, nextTurn })
  const { running } = await api(t, { peers: { secret: 'sesame', queries } })
  const question = { ...QUESTION, token: '🦄' }
  assert.deepEqual(await from(running.url).ask(question), await queries.ask(question))
})

test('who cannot be asked, or does not roll the token any more, is unavailable', async t => {
  const { running } = await api(t, { peers: { secret: 'sesame', queries: new NoTokenQueries(QUERY_RULES) } })
  const unavailable = (queries: TokenQueries, what: RegExp) =>
    assert.rejects(
      queries.ask(QUESTION),
      error => error instanceof UnavailableError && what.test(error.message),
    )
  await unavailable(from(running.url), /answered 503/)
  await unavailable(from(running.url, 'wrong'), /answered 401/)
  await unavailable(from('http://127.0.0.1:9'), /cannot be reached/)
  await unavailable(new RemoteTokenQueries({ rules: QUERY_RULES, ownerOf: () => null }), /nobody says/)

  // Something else that listens there.
  const other = createServer((_request, response) =>
    response.end('{"kind":"answer","cells":[],"covered":[]}'),
  )
  await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve))
  t.after(() => other.close())
  const address = other.address()
  assert.ok(typeof address === 'object' && address !== null)
  await unavailable(from(`http://127.0.0.1:${address.port}`), /answered something else/)
})

test('an instance that is busy says so', async t => {
  const busy: TokenQueries = { rules: QUERY_RULES, ask: () => Promise.reject(new BusyError('enough')) }
  const { running } = await api(t, { peers: { secret: 'sesame', queries: busy } })
  await assert.rejects(from(running.url).ask(QUESTION), error => error instanceof BusyError)
})
