/// Records that are no swaps, in topic trades: each becomes a dead letter with its place and its reason, and the rest
/// goes on. The roller is the real one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaDeadLetters } from '../../src/adapters/kafka/dead-letters.js'
import { KafkaProducer } from '../../src/adapters/kafka/producer.js'
import { KafkaTradeLog } from '../../src/adapters/kafka/trade-log.js'
import { MemoryStateStore } from '../../src/adapters/memory/state-store.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { offset } from '../../src/core/units.js'
import { parseWindows } from '../../src/core/windows.js'
import type { DeadLetter } from '../../src/ports/dead-letters.js'
import { RollerRole } from '../../src/roles/roller.js'
import { sharedBroker } from './broker.js'
import { connect, freshTopic } from './connect.js'

const broker = await sharedBroker()
const clock = new SystemClock()

const swap = (id: string) => ({
  id,
  time: Date.now(),
  who: 'al',
  token: 'BTC',
  side: 'buy',
  amount: '1',
  usd: '2',
})

/// The records of partition 0 by offset: null stands for a record without value. A good one is a swap.
const RECORDS: readonly (string | null)[] = [
  JSON.stringify(swap('0')),
  null,
  '',
  'not JSON',
  JSON.stringify(swap('4'), null, 2),
  JSON.stringify({ ...swap('5'), usd: '-1' }),
  `${JSON.stringify(swap('6'))}\n${JSON.stringify(swap('6b'))}`,
  JSON.stringify({ ...swap('7'), note: 'x'.repeat(70_000) }),
  '\u0000\u0001\n\n\u0002',
  JSON.stringify({ ...swap('9'), time: 1 }),
  JSON.stringify({ ...swap('10'), time: Date.now() + 10 ** 9 }),
  JSON.stringify(swap('0')),
  JSON.stringify(swap('12')),
]
const ACCEPTED = 3
const REFUSED: readonly [number, DeadLetter['fate'], string | null, RegExp][] = [
  [1, 'invalid', null, /wanted a JSON object, got nothing/],
  [2, 'invalid', null, /wanted a JSON object, got nothing/],
  [3, 'invalid', null, /wanted/],
  [5, 'invalid', 'usd', /usd: wanted/],
  [6, 'invalid', null, /nothing after the record/],
  [7, 'invalid', null, /65536/],
  [8, 'invalid', null, /wanted/],
  [9, 'late', 'time', /before log time/],
  [10, 'early', 'time', /after log time/],
]

test('poison becomes dead letters, once, and the stream goes on', async t => {
  const { cluster } = await connect(t, broker.plaintext)
  const topic = await freshTopic(cluster, 'trades')
  const lettersTopic = await freshTopic(cluster, 'trades.dead')
  const log = await KafkaTradeLog.open({ cluster, topic })
  const deadLetters = await KafkaDeadLetters.open({ cluster, topic: lettersTopic, tradesTopic: topic })

  const producer = new KafkaProducer({ cluster })
  const append = producer.begin(RECORDS.length, 200_000)
  for (const [i, value] of RECORDS.entries()) {
    append.addParts(topic, 0, {
      key: i % 2 === 0 ? Buffer.from('BTC') : null,
      value: value === null ? null : Buffer.from(value),
      headers: [['trace', Buffer.from('abc')]],
      timestampMs: i * 1000,
    })
  }
  await append.done()
  await producer.close()

  const roll = async () => {
    const windows = parseWindows('1m,1h')
    assert.ok('windows' in windows)
    const roller = new RollerRole({
      config: {
        partition: 0,
        windows: windows.windows,
        resolutionMs: 1000,
        retentionMs: 3_600_000,
        admission: 'log-time',
        earlyToleranceMs: 60_000,
        dedupeHorizonMs: 3_600_000,
        hotRangeMs: 1_800_000,
      },
      log,
      store: new MemoryStateStore(),
      deadLetters,
      clock,
      nextTurn,
    })
    await roller.restore(() => {})
    for await (const batch of log.follow(0, offset(0), new AbortController().signal)) {
      roller.roll(batch)
      if (roller.position === RECORDS.length) break
    }
    await roller.checkpoint()
    return roller
  }
  // Twice, as after a crash before the delta: the letters are written again, and are read once.
  await roll()
  const roller = await roll()
  const refused = REFUSED.length
  assert.deepEqual(roller.fates, {
    accepted: ACCEPTED,
    duplicate: 1,
    late: 1,
    early: 1,
    invalid: refused - 2,
    conflict: 0,
  })
  const letters: DeadLetter[] = []
  for await (const letter of deadLetters.read()) letters.push(letter)
  assert.equal(letters.length, refused)
  for (const [i, [at, fate, field, reason]] of REFUSED.entries()) {
    const letter = letters[i]
    assert.deepEqual(letter?.origin, { kind: 'log', partition: 0, offset: at })
    assert.deepEqual([letter?.fate, letter?.field], [fate, field])
    assert.match(letter?.reason ?? '', reason)
    const input = Buffer.from(letter?.input ?? new Uint8Array(0)).toString()
    assert.equal(input, (RECORDS[at] ?? '').slice(0, 4096))
  }
  await deadLetters.close()
  await log.close()
})
