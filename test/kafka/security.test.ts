/// TLS and SASL, against the broker's listeners.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KafkaSecurity } from '../../src/adapters/kafka/security.js'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { append } from '../contract/append.js'
import { lines, readTo, records } from '../contract/trade-log.js'
import { sharedBroker } from './broker.js'
import { connect, freshTopic } from './connect.js'

const { user, password, ca, clientCertificate, clientKey, ...at } = await sharedBroker()
const tls = { ca, certificate: null, key: null }
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

const ways: [string, string, KafkaSecurity][] = [
  ['TLS', at.ssl, { tls, sasl: null }],
  [
    'TLS with a certificate of ours',
    at.ssl,
    { tls: { ca, certificate: clientCertificate, key: clientKey }, sasl: null },
  ],
  ...MECHANISMS.map((mechanism): [string, string, KafkaSecurity] => [
    `SASL ${mechanism}`,
    at.saslPlaintext,
    { tls: null, sasl: { mechanism, user, password } },
  ]),
  ['SASL over TLS', at.saslSsl, { tls, sasl: { mechanism: 'SCRAM-SHA-512', user, password } }],
]

for (const [name, bootstrap, security] of ways) {
  test(`${name}: swaps are appended and followed`, async t => {
    const { cluster } = await connect(t, bootstrap, security)
    const log = await KafkaTradeLog.open({ cluster, topic: await freshTopic(cluster, 'trades') })
    await append(log, 0, lines(0, 2000), 2000)
    assert.equal((await readTo(log, 0, 0, 2000)).flatMap(records).length, 2000)
    await log.close()
  })
}

const wrong: [string, string, KafkaSecurity, RegExp][] = [
  ...MECHANISMS.map((mechanism): [string, string, KafkaSecurity, RegExp] => [
    `a wrong password, ${mechanism}`,
    at.saslPlaintext,
    { tls: null, sasl: { mechanism, user, password: 'wrong' } },
    /refuses who we say we are: .*Authentication failed/i,
  ]),
  [
    'an unknown authority',
    at.ssl,
    { tls: { ca: null, certificate: null, key: null }, sasl: null },
    /unable to verify|self-signed/,
  ],
  ['no TLS where the broker wants it', at.ssl, { tls: null, sasl: null }, /does not answer/],
  ['TLS where the broker has none', at.plaintext, { tls, sasl: null }, /does not answer/],
]

for (const [name, bootstrap, security, message] of wrong) {
  test(`${name}: the start says so`, { timeout: 30_000 }, async t => {
    await assert.rejects(connect(t, bootstrap, security), (error: unknown) => {
      assert.ok(error instanceof Error)
      assert.match(error.message, message)
      assert.match(error.message, /^The Kafka broker at 127\.0\.0\.1:\d+ /)
      return true
    })
  })
}
