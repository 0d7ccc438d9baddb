/// The state store on topic rolls: what every store keeps, what comes with several writers, and what becomes of caches
/// and topics that are not what they were.
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deleteRecordsV2 } from '@platformatic/kafka'
import { KafkaProducer } from '../../src/adapters/kafka/producer.js'
import type { KafkaStateStore } from '../../src/adapters/kafka/state-store.js'
import { offset } from '../../src/core/units.js'
import { sharedStateContract } from '../contract/shared-state.js'
import { delta, plainDeltas, stateStoreContract } from '../contract/state-store.js'
import { eventually } from '../wait/eventually.js'
import { sharedBroker } from './broker.js'
import { deleteTopic, makeTopic } from './connect.js'
import { type Machine, type Machines, machines, RULES } from './rolls.js'

const broker = await sharedBroker()

stateStoreContract('Kafka', async t => {
  const { machine } = await machines(t, broker.plaintext)
  return (await machine('a', { deltaSegmentBytes: 400 })).open()
})

sharedStateContract('Kafka', async t => {
  const { machine } = await machines(t, broker.plaintext)
  return { open: async name => (await machine(name)).open() }
})

/// Stores deltas [0, 10), [10, 20), … and returns them.
async function appendSome(store: KafkaStateStore, count: number, from = 0) {
  const deltas = Array.from({ length: count }, (_, i) => delta(from + i * 10, from + i * 10 + 10))
  for (const one of deltas) await store.appendDelta(one)
  return deltas
}

/// Appends a record of anybody's to partition 0.
async function appendRaw({ cluster, topic }: Machines, key: string | null, value: Buffer | null) {
  const producer = new KafkaProducer({ cluster })
  const append = producer.begin(1, 10_000)
  append.addParts(topic, 0, { key: key === null ? null : Buffer.from(key), value, timestampMs: Date.now() })
  await append.done()
  await producer.close()
}

const cacheOf = ({ directory }: Machine): string => {
  const [id = ''] = readdirSync(directory)
  return join(directory, id, '0')
}

test('a start reads only what is new; without its cache it reads everything', async t => {
  const { machine } = await machines(t, broker.plaintext)
  const first = await (await machine('a')).open()
  const deltas = await appendSome(first, 50)
  await first.close()
  const again = await machine('a')
  const shares: number[] = []
  const store = await again.rolls.openState(0, share => shares.push(share), t.signal)
  assert.deepEqual(shares, [1], 'nothing was read')
  assert.deepEqual(plainDeltas(store.deltas()), plainDeltas(deltas))
  await store.close()
  rmSync(cacheOf(again), { recursive: true })
  const cold = await (await machine('a')).rolls.openState(0, share => shares.push(share), t.signal)
  assert.equal(shares.length, 52)
  assert.deepEqual(
    shares.toSorted((a, b) => a - b),
    shares
      .slice(1)
      .toSorted((a, b) => a - b)
      .concat(1),
  )
  assert.deepEqual(plainDeltas(cold.deltas()), plainDeltas(deltas))
  await cold.close()
})

test('a cache that is damaged in any file is thrown away and read again', async t => {
  const { machine } = await machines(t, broker.plaintext)
  const first = await machine('a')
  const store = await first.open()
  const deltas = await appendSome(store, 20)
  await store.appendParts([
    {
      block: 1,
      segment: 1,
      coversFrom: offset(0),
      coversTo: offset(10),
      head: Buffer.from('head'),
      pieces: [],
    },
  ])
  await store.close()
  const cache = cacheOf(first)
  const files = readdirSync(cache, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
  assert.ok(files.length >= 5, files.join(' '))
  for (const file of files) {
    for (const damage of [
      () =>
        writeFileSync(
          file,
          Buffer.from(readFileSync(file).map((byte, i) => (i % 50 === 20 ? byte ^ 0x55 : byte))),
        ),
      () => appendFileSync(file, 'garbage'.repeat(20)),
      () => writeFileSync(file, ''),
      () => rmSync(file),
    ]) {
      damage()
      const next = await (await machine('a')).open()
      let read = plainDeltas([])
      // Payloads are verified when they are read.
      try {
        read = plainDeltas(next.deltas())
        await next.close()
      } catch {
        await next.discard()
        const anew = await (await machine('a')).open()
        read = plainDeltas(anew.deltas())
        await anew.close()
      }
      assert.deepEqual(read, plainDeltas(deltas), file)
      if (!existsSync(file)) break
    }
  }
})

test('records that are none of ours are told, skipped, and leave no trace', async t => {
  const all = await machines(t, broker.plaintext)
  const store = await (await all.machine('a')).open()
  const deltas = await appendSome(store, 3)
  await appendRaw(all, null, null)
  await appendRaw(all, 'something', Buffer.from('no delta'))
  await appendRaw(all, '0:30', Buffer.alloc(200, 1))
  deltas.push(...(await appendSome(store, 2, 30)))
  await store.close()
  const other = await all.machine('b')
  const read = await other.open()
  assert.deepEqual(plainDeltas(read.deltas()), plainDeltas(deltas))
  assert.deepEqual(
    other.poison.map(({ offset: at, reason }) => `${at} ${reason}`),
    ['3 it is too short', '4 it is too short', '5 it fails its checksum'],
  )
  assert.equal(other.said.length, 0)
  await read.close()
})

test('an unknown version stops the start', async t => {
  const all = await machines(t, broker.plaintext)
  await appendRaw(all, '0:0', Buffer.alloc(200, 9))
  const { open } = await all.machine('a')
  await assert.rejects(open(), {
    code: 'E_UNKNOWN_FORMAT',
    message: /has format 9; this program reads format 1/,
  })
})

test('behind a delta that somebody destroyed the state is rolled again, and later starts know what was rolled', async t => {
  const all = await machines(t, broker.plaintext)
  const store = await (await all.machine('a')).open()
  await appendSome(store, 2)
  await store.close()
  // The third one never came; the next ones are there.
  const lost = await (await all.machine('lost')).open()
  await assert.rejects(lost.appendDelta(delta(30, 40)), { code: 'E_INVARIANT' })
  await lost.close()
  const faulty = await all.machine('faulty')
  await appendBehindHole(all, faulty)
  const next = await all.machine('b')
  const found = await next.open()
  assert.equal(found.position(), 20)
  assert.match(next.said.join(), /lacks a delta before 2 others: the state is rolled again from offset 20 on/)
  await found.appendDelta(delta(20, 45))
  await found.close()
  const last = await all.machine('c')
  const healed = await last.open()
  assert.deepEqual(plainDeltas(healed.deltas()), plainDeltas([delta(0, 10), delta(10, 20), delta(20, 45)]))
  await healed.close()
})

/// Deltas [30, 40) and [40, 50), as they lie there when the one before was destroyed.
async function appendBehindHole({ cluster, topic, trades }: Machines, { rolls }: Machine): Promise<void> {
  const { rollRecord, rulesHash } = await import('../../src/adapters/kafka/rolls-record.js')
  assert.ok(rolls)
  const producer = new KafkaProducer({ cluster })
  for (const one of [delta(30, 40), delta(40, 50)]) {
    const append = producer.begin(1, 10_000)
    const roll = {
      ...{
        kind: 'delta' as const,
        ...one,
        partition: 0,
        leaderEpoch: -1,
        rules: rulesHash(RULES),
        spread: 0,
        state: 0,
      },
      tradesId: cluster.topic(trades)?.id ?? '',
      writer: '0'.repeat(32),
    }
    append.addParts(topic, 0, rollRecord(roll, Date.now()))
    await append.done()
  }
  await producer.close()
}

async function dropBefore({ cluster, topic }: Machines, at: number): Promise<void> {
  const connection = await cluster.control()
  const partitions = [{ partitionIndex: 0, offset: BigInt(at) }]
  await connection.call(deleteRecordsV2.api, [{ name: topic, partitions }], 10_000)
}

test('where retention has dropped the beginning, the state begins with what is kept; an outdated cache is of no use', async t => {
  const all = await machines(t, broker.plaintext)
  const outdated = await (await all.machine('outdated')).open()
  await appendSome(outdated, 3)
  await outdated.close()
  const recent = await (await all.machine('recent')).open()
  const deltas = await appendSome(recent, 10, 30)
  await recent.close()
  await dropBefore(all, 8)
  for (const name of ['cold', 'outdated']) {
    const store = await (await all.machine(name)).open()
    assert.equal(store.position(), 130, name)
    assert.deepEqual(plainDeltas(store.deltas()), plainDeltas(deltas.slice(5)), name)
    await store.close()
  }
  const warm = await (await all.machine('recent')).open()
  assert.equal(plainDeltas(warm.deltas()).length, 13)
  await warm.close()
  // And where everything is gone, because nothing came for so long.
  await dropBefore(all, 13)
  const left = await (await all.machine('recent')).open()
  assert.equal(left.position(), 130)
  await left.close()
})

test('others with other rules are refused while they may still write', async t => {
  const { machine } = await machines(t, broker.plaintext)
  const store = await (await machine('a')).open()
  await appendSome(store, 1)
  const other = await machine('b', { rules: { ...RULES, retentionMs: 3_600_000 } })
  await assert.rejects(other.open(), {
    code: 'E_SETTINGS_MISMATCH',
    message: /with another resolution, retention/,
  })
  await store.close()
})

test('a state of a topic trades that was deleted is refused', { timeout: 60_000 }, async t => {
  const { machine, cluster, trades } = await machines(t, broker.plaintext)
  const store = await (await machine('a')).open()
  await appendSome(store, 1)
  await store.close()
  await deleteTopic(cluster, trades)
  await eventually(() => makeTopic(cluster, trades, 1, {}))
  await eventually(async () => {
    await cluster.refresh()
    const again = await machine('a')
    await assert.rejects(again.open(), {
      code: 'E_SETTINGS_MISMATCH',
      message: /was deleted and made again, .* delete topic \S+rolls, too/,
    })
  })
})
