/// `volumer verify --from-log` on Kafka: what webs serve is what the topic's swaps come to, partition by partition, also while
/// swaps go on coming; other rules than the rollers' make it count otherwise.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../integration/command.js'
import { Random, testSeed } from '../simulation/random.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { freshPrefix } from './connect.js'
import { AGREE_MS, Fleet } from './fleet/fleet.js'

const broker = await sharedBroker()
const PARTITIONS = 3

test('what is served is what the topic’s swaps come to', { timeout: 240_000 }, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const fleet = new Fleet(t, broker.plaintext, new Random(seed))
  const prefix = freshPrefix()
  const flags = ['--kafka-prefix', prefix, '--kafka-partitions', String(PARTITIONS)]
  const roller = await fleet.roller(...flags)
  const { server } = await fleet.web(...flags)
  await fleet.ready()
  const topic = ['--from-log', '--kafka', broker.plaintext, '--kafka-prefix', prefix]
  const verify = (...args: readonly string[]) => run(['verify', '--url', server.url, ...topic, ...args])
  await fleet.underLoad(async () => {
    await eventually(async () => assert.ok(fleet.ledger.acknowledgedSwaps > 2000), AGREE_MS)
    const during = await verify(...fleet.ledger.tokens)
    assert.equal(during.code, 0, during.output)
    assert.match(during.output, /10 tokens, [\d,]+ swaps: everything that is served is what was counted\.\n$/)
  })
  await fleet.agree('load')
  // A state that was restored is compared with one that never was.
  await roller.server.kill()
  await fleet.restart(roller)
  await fleet.agree('restart')
  const restored = await verify(...fleet.ledger.tokens)
  assert.equal(restored.code, 0, restored.output)

  // Three seconds ahead.
  const ahead = ['e1', 'e2'].map(id => {
    return { id, time: Date.now() + 3000, who: 'w', token: 'EARLY', side: 'buy', amount: '1', usd: '1' }
  })
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(ahead)
  const posted = await fetch(`${server.url}/v1/trades`, { method: 'POST', headers, body })
  assert.equal(posted.status, 200)
  await eventually(async () => {
    const { output } = await verify('EARLY', '--early-tolerance', '1ms')
    assert.match(output, /DIFFERENT "EARLY" txns\.m1: served \{"buys":2,.*counted/)
  }, AGREE_MS)
  const right = await verify('EARLY')
  assert.equal(right.code, 0, right.output)

  const nowhere = await run(['verify', '--url', server.url, ...topic, '--kafka-prefix', `${prefix}no-`])
  assert.equal(nowhere.code, 1, nowhere.output)
  assert.match(nowhere.output, /Kafka has no topic \S+no-trades/)
})
