/// States that a backfill writes to topic rolls: what each machine has afterwards, whatever it had before and whoever goes on writing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deleteRecordsV2 } from '@platformatic/kafka'
import type { RebuiltState } from '../../src/adapters/kafka/rebuilt-state.js'
import type { KafkaStateStore } from '../../src/adapters/kafka/state-store.js'
import { MemoryStateStore } from '../../src/adapters/memory/state-store.js'
import { epochMs, offset } from '../../src/core/units.js'
import type { SlicePart, StateStore } from '../../src/ports/state-store.js'
import { delta, plainDeltas } from '../contract/state-store.js'
import { sharedBroker } from './broker.js'
import { type Machine, type Machines, machines } from './rolls.js'

const broker = await sharedBroker()
const END = { position: offset(60), logTime: epochMs(1_000_000), spread: 1, incompleteUntil: null }
const DELTAS = [delta(30, 40), delta(40, 60)]

/// Larger than a record is, and small ones.
const PARTS: readonly SlicePart[] = [2_500_000, 0, 10].map((bytes, i) => ({
  ...{ block: i, segment: 1 + (i >> 1), coversFrom: offset(0), coversTo: offset(60) },
  head: Buffer.from(`head ${i}`),
  pieces: [Buffer.alloc(bytes, i + 1), Buffer.from('last')],
}))

async function built(deltas = DELTAS): Promise<MemoryStateStore> {
  const store = new MemoryStateStore()
  await store.appendParts(PARTS)
  for (const one of deltas) await store.appendDelta(one)
  return store
}

const rebuilding = async ({ rolls }: Machine): Promise<RebuiltState> => rolls.rebuilt(0, await built(), END)

async function rebuild(machine: Machine): Promise<RebuiltState> {
  const state = await rebuilding(machine)
  await state.begin()
  await state.write(() => {})
  await state.end()
  await state.verify(() => {})
  return state
}

const plainParts = (store: StateStore) =>
  [...store.parts()].map(part => ({
    ...{ block: part.block, segment: part.segment, coversFrom: part.coversFrom, coversTo: part.coversTo },
    head: Buffer.from(part.head()).toString(),
    pieces: Array.from({ length: part.pieces() }, (_, i) => Buffer.from(part.piece(i)).toString('latin1')),
  }))

/// It has the state that was rebuilt, and these deltas of rollers.
async function has(store: KafkaStateStore, more: readonly ReturnType<typeof delta>[], what: string) {
  assert.deepEqual(plainDeltas(store.deltas()), plainDeltas([...DELTAS, ...more]), what)
  assert.ok(JSON.stringify(plainParts(store)) === JSON.stringify(plainParts(await built())), `${what}: parts`)
  assert.deepEqual(store.placement(), { carried: 1, settled: 1 })
}

/// Two machines that have a former state; one of them is open, and does not know what goes on.
async function withFormer(all: Machines) {
  const former = await (await all.machine('former')).open()
  for (let at = 0; at < 90; at += 10) await former.appendDelta(delta(at, at + 10))
  await former.noteGap({ from: offset(1), to: offset(2), until: epochMs(Date.now() + 3_600_000) })
  await former.appendParts(PARTS.slice(2))
  await former.close()
  return (await all.machine('zombie')).open()
}

test('every machine has the new state and nothing of the former one, and goes on with it', async t => {
  const all = await machines(t, broker.plaintext)
  const zombie = await withFormer(all)
  await rebuild(await all.machine('backfill'))
  const waiting = zombie.overtaken(offset(0), AbortSignal.timeout(30_000))
  await assert.rejects(waiting, { code: 'E_STATE_REPLACED' })
  await assert.rejects(zombie.appendDelta(delta(90, 95)), {
    code: 'E_STATE_REPLACED',
    message: /has written the state anew, .* What was rolled since is in the trade log/,
  })
  for (const name of ['former', 'new']) {
    const store = await (await all.machine(name)).open()
    await has(store, [], name)
    assert.deepEqual(store.gaps(), [])
    await store.close()
  }
  const next = await (await all.machine('new')).open()
  await next.appendDelta(delta(60, 75))
  await next.close()
  await zombie.close()
  for (const name of ['former', 'new', 'zombie', 'cold']) {
    const store = await (await all.machine(name)).open()
    await has(store, [delta(60, 75)], name)
    await store.close()
  }
})

test('what came before is dropped, and the next start of a former machine knows nothing of it', async t => {
  const all = await machines(t, broker.plaintext)
  const zombie = await withFormer(all)
  const state = await rebuild(await all.machine('backfill'))
  assert.equal(await state.dropFormer(), true)
  await assert.rejects(zombie.appendDelta(delta(90, 95)), { code: 'E_STATE_REPLACED' })
  await zombie.close()
  for (const name of ['former', 'zombie', 'cold']) {
    const machine = await all.machine(name)
    const store = await machine.open()
    await has(store, [], name)
    await store.close()
    assert.equal(machine.said.join(), '')
  }
})

test('a state that is not ended is refused by every machine, until another one is', async t => {
  const all = await machines(t, broker.plaintext)
  const zombie = await withFormer(all)
  await zombie.close()
  const killed = await rebuilding(await all.machine('killed'))
  await killed.begin()
  const refused = async () => {
    for (const name of ['former', 'cold']) {
      await assert.rejects((await all.machine(name)).open(), {
        code: 'E_UNFINISHED_STATE',
        message: /began to write and did not bring to its end: half of it would be served\. Nothing is lost/,
      })
    }
  }
  await refused()
  await killed.write(() => {})
  await refused()
  // Another run begins, and the first one was not dead.
  await rebuild(await all.machine('again'))
  await killed.end()
  await assert.rejects(
    killed.verify(() => {}),
    { message: /is void, since another `volumer backfill`/ },
  )
  for (const name of ['former', 'cold']) {
    const store = await (await all.machine(name)).open()
    await has(store, [], name)
    await store.close()
  }
})

test('what is not in a rebuilt state is declared to whoever opens it', async t => {
  const all = await machines(t, broker.plaintext)
  await (await withFormer(all)).close()
  const { rolls } = await all.machine('backfill')
  const until = epochMs(Date.now() + 3_600_000)
  const state = rolls.rebuilt(0, await built(), { ...END, incompleteUntil: until })
  await state.begin()
  await state.write(() => {})
  await state.end()
  await state.verify(() => {})
  for (const name of ['former', 'cold']) {
    const store = await (await all.machine(name)).open()
    await has(store, [], name)
    assert.deepEqual(store.gaps(), [{ from: 0, to: 60, until }])
    await store.close()
  }
})

test('a state of nothing, and one whose beginning retention has dropped', async t => {
  const all = await machines(t, broker.plaintext)
  await (await withFormer(all)).close()
  const { rolls } = await all.machine('backfill')
  const nothing = rolls.rebuilt(0, new MemoryStateStore(), { ...END, position: offset(0) })
  await nothing.begin()
  await nothing.write(() => {})
  await nothing.end()
  await nothing.verify(() => {})
  const empty = await (await all.machine('former')).open()
  assert.deepEqual([empty.position(), plainDeltas(empty.deltas()), plainParts(empty)], [0, [], []])
  await empty.close()

  await rebuild(await all.machine('backfill'))
  const store = await (await all.machine('former')).open()
  await store.appendDelta(delta(60, 70))
  await store.close()
  const connection = await all.cluster.control()
  const partitions = [{ partitionIndex: 0, offset: BigInt((await endOf(all)) - 3) }]
  await connection.call(deleteRecordsV2.api, [{ name: all.topic, partitions }], 10_000)
  const cold = await (await all.machine('cold')).open()
  assert.equal(cold.position(), 70)
  assert.deepEqual(plainDeltas(cold.deltas()), plainDeltas([delta(40, 60), delta(60, 70)]))
  await cold.close()
  const warm = await (await all.machine('former')).open()
  await has(warm, [delta(60, 70)], 'warm')
  await warm.close()
})

async function endOf({ cluster, topic }: Machines): Promise<number> {
  const { lookUpBounds } = await import('../../src/adapters/kafka/offsets.js')
  return (await lookUpBounds(cluster, topic, [0])).get(0)?.end ?? 0
}
