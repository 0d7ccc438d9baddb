/// A broker that goes away under load: killed, stopped for an update, frozen. What was acknowledged is in the log once,
/// in order; what waits is bounded; everything goes on by itself.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { offset } from '../../src/core/units.js'
import { LogFullError, LogUnavailableError } from '../../src/ports/errors.js'
import { keyedLines } from '../contract/append.js'
import { lines, readTo, records } from '../contract/trade-log.js'
import { until } from '../wait/eventually.js'
import { ownCluster } from './broker.js'
import { connect, freshTopic } from './connect.js'

const brokers = await ownCluster({ brokers: 1 })
const [node] = brokers.nodes

/// Appends batches of ten records one after the other, in `callers` loops, until it is stopped.
function load(log: KafkaTradeLog, callers: number) {
  let next = 0
  let running = true
  const acknowledged: number[] = []
  const one = async () => {
    while (running) {
      const first = next
      next += 10
      const appended = await log.append([keyedLines(lines(first, 10), 'BTC')])
      assert.equal(appended[0]?.count, 10)
      for (let i = 0; i < 10; i++) acknowledged.push(first + i)
    }
  }
  const loops = Promise.all(Array.from({ length: callers }, one))
  return {
    acknowledged,
    async stop() {
      running = false
      await loops
    },
  }
}

async function opened(t: TestContext, more: { bufferBytesMax?: number; confirmMsMax?: number } = {}) {
  const { cluster, said } = await connect(t, brokers.bootstrap())
  const topic = await freshTopic(cluster, 'trades')
  const log = await KafkaTradeLog.open({ cluster, topic, ...more })
  return { log, said }
}

/// Everything in the log, and that each record is there once.
async function allRecords(log: KafkaTradeLog): Promise<Set<number>> {
  const { end } = await log.lookUpBounds(0)
  const found = (await readTo(log, 0, 0, end)).flatMap(records)
  const distinct = new Set(found)
  assert.equal(distinct.size, found.length, 'no record is there twice')
  return distinct
}

for (const [name, stop] of [
  ['killed', () => node?.kill()],
  ['stopped cleanly', () => node?.stop()],
] as const) {
  test(`a broker that is ${name} and started again: nothing is lost or there twice, readers go on`, async t => {
    const { log } = await opened(t)
    const seen: number[] = []
    const abort = new AbortController()
    const reading = (async () => {
      for await (const batch of log.follow(0, offset(0), abort.signal)) seen.push(...records(batch))
    })()
    const loading = load(log, 8)
    for (let round = 0; round < 2; round++) {
      const before = loading.acknowledged.length
      await until(() => loading.acknowledged.length > before + 500, 'appends are acknowledged')
      await stop()
      brokers.restart(0)
      await brokers.ready()
    }
    const before = loading.acknowledged.length
    await until(() => loading.acknowledged.length > before + 500, 'appends are acknowledged again')
    await loading.stop()
    const stored = await allRecords(log)
    for (const record of loading.acknowledged) assert.ok(stored.has(record), `${record} is in the log`)
    await until(() => seen.length >= stored.size, `the reader has seen ${stored.size} records`)
    abort.abort()
    await reading
    assert.deepEqual(
      seen,
      (await readTo(log, 0, 0, stored.size)).flatMap(records),
      'in the log’s order, each once',
    )
    await log.close()
  })
}

test('while the broker is away the buffer fills to its bound, then appends are refused, and later everything arrives', async t => {
  const bufferBytesMax = 200_000
  const { log, said } = await opened(t, { bufferBytesMax })
  await log.append([keyedLines(lines(0, 10), 'BTC')])
  await node?.kill()
  const waiting: Promise<unknown>[] = []
  let next = 10
  let refused = 0
  while (refused < 50) {
    const appending = log.append([keyedLines(lines(next, 10), 'BTC')])
    const outcome = await Promise.race([
      appending.then(
        () => 'done',
        error => error,
      ),
      pause(1, 'waits'),
    ])
    if (outcome === 'waits') {
      waiting.push(appending)
      next += 10
    } else {
      assert.ok(outcome instanceof LogFullError, String(outcome))
      assert.equal(outcome.retryAfterSeconds, 1)
      refused++
    }
    assert.ok(log.unconfirmedBytes <= bufferBytesMax, `${log.unconfirmedBytes} bytes wait`)
  }
  assert.ok(waiting.length > 100)
  await until(() => said.some(line => line.startsWith('Kafka is away')), 'the operator is told')
  brokers.restart(0)
  await Promise.all(waiting)
  await until(() => said.at(-1) === 'Kafka answers again.', 'the operator is told that it is back')
  assert.equal(log.unconfirmedBytes, 0)
  const stored = await allRecords(log)
  assert.deepEqual(
    [...stored],
    Array.from({ length: next }, (_, i) => i),
    'all that was taken, in order, and nothing that was refused',
  )
  await log.close()
})

test('a broker that stands still: who waits is told in time, and what was taken arrives when it goes on', async t => {
  const { log } = await opened(t, { confirmMsMax: 1500 })
  await log.append([keyedLines(lines(0, 10), 'BTC')])
  node?.freeze()
  const began = Date.now()
  await assert.rejects(log.append([keyedLines(lines(10, 10), 'BTC')]), LogUnavailableError)
  assert.ok(Date.now() - began < 10_000, 'in time')
  node?.thaw()
  await until(() => log.unconfirmedBytes === 0, 'it is confirmed after all')
  await log.append([keyedLines(lines(20, 10), 'BTC')])
  assert.equal((await allRecords(log)).size, 30)
  await log.close()
})
