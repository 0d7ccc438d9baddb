/// What every StateStore keeps (src/ports/state-store.ts).
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { epochMs, offset } from '../../src/core/units.js'
import type { Delta, SlicePart, StateStore, StoredPart } from '../../src/ports/state-store.js'

/// Opens an empty store that goes with the test.
export type OpenStateStore = (t: TestContext) => StateStore | Promise<StateStore>

/// A delta over [from, to) whose payload says so.
export function delta(from: number, to: number, more: Partial<Delta> = {}): Delta {
  return {
    coversFrom: offset(from),
    coversTo: offset(to),
    logTime: epochMs(1_000_000 + to),
    maxBlock: Math.floor(to / 100),
    payload: Buffer.from(`delta ${from} ${to} ${'x'.repeat(from % 97)}`),
    ...more,
  }
}

export function part(segment: number, block: number, from: number, more: Partial<SlicePart> = {}): SlicePart {
  return {
    block,
    segment,
    coversFrom: offset(from),
    coversTo: offset(from + 10),
    head: Buffer.from(`part ${segment} ${block} ${from} ${'y'.repeat(from % 89)}`),
    pieces: Array.from({ length: from % 7 }, (_, i) =>
      Buffer.from(`piece ${i} ${'z'.repeat((from + i) % 83)}`),
    ),
    ...more,
  }
}

/// With bytes as text, to compare.
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
export const plainDeltas = (deltas: Iterable<Delta>) =>
  [...deltas].map(d => ({ ...d, payload: text(d.payload) }))
export const plainParts = (parts: Iterable<SlicePart>) =>
  [...parts].map(({ head, pieces, ...header }) => ({ ...header, head: text(head), pieces: pieces.map(text) }))

/// The same of parts that are stored, every piece read.
export function readBack(parts: Iterable<StoredPart>): ReturnType<typeof plainParts> {
  return [...parts].map(part => {
    const { block, segment, coversFrom, coversTo } = part
    const pieces = Array.from({ length: part.pieces() }, (_, i) => text(part.piece(i)))
    return { block, segment, coversFrom, coversTo, head: text(part.head()), pieces }
  })
}

const EVERYTHING = { coveredBelow: offset(2 ** 40), logTimeBefore: epochMs(2 ** 50), blockBelow: 2 ** 40 }
const NOTHING = { coveredBelow: offset(0), logTimeBefore: epochMs(0), blockBelow: -1 }

export function stateStoreContract(name: string, open: OpenStateStore): void {
  const opened = async (t: TestContext) => {
    const store = await open(t)
    t.after(() => store.close())
    return store
  }

  describe(`StateStore, ${name}`, () => {
    test('an empty store begins at 0 and holds nothing', async t => {
      const store = await opened(t)
      assert.equal(store.position(), 0)
      assert.deepEqual([...store.deltas()], [])
      assert.deepEqual(readBack(store.parts()), [])
      assert.deepEqual(store.readParts(5), [])
    })

    test('deltas are read back in order, and the position moves with them', async t => {
      const store = await opened(t)
      const deltas = [delta(0, 7), delta(7, 8, { maxBlock: -1, payload: new Uint8Array(0) }), delta(8, 30)]
      for (const one of deltas) {
        await store.appendDelta(one)
        assert.equal(store.position(), one.coversTo)
      }
      assert.deepEqual(plainDeltas(store.deltas()), plainDeltas(deltas))
    })

    test('deltas that are appended together are kept in order', async t => {
      const store = await opened(t)
      const deltas = Array.from({ length: 40 }, (_, i) => delta(i * 5, i * 5 + 5))
      await Promise.all(deltas.map(one => store.appendDelta(one)))
      assert.deepEqual(plainDeltas(store.deltas()), plainDeltas(deltas))
    })

    test('a delta that would leave offsets out is refused and changes nothing', async t => {
      const store = await opened(t)
      await store.appendDelta(delta(0, 10))
      await assert.rejects(store.appendDelta(delta(11, 20)), { code: 'E_INVARIANT' })
      await assert.rejects(store.appendDelta(delta(9, 8)), { code: 'E_INVARIANT' })
      assert.equal(store.position(), 10)
      await store.appendDelta(delta(10, 20))
      assert.equal([...store.deltas()].length, 2)
    })

    test('deltas of several writers may overlap: what adds nothing is left out', async t => {
      const store = await opened(t)
      const kept = [delta(0, 10), delta(5, 25), delta(25, 26), delta(0, 30)]
      const leftOut = [delta(0, 10), delta(3, 9), delta(10, 25), delta(26, 26), delta(29, 30)]
      await store.appendDelta(delta(0, 10))
      for (const one of [...leftOut.slice(0, 2), delta(5, 25), ...leftOut.slice(2, 3), delta(25, 26)]) {
        await store.appendDelta(one)
      }
      for (const one of [...leftOut.slice(3, 4), delta(0, 30), ...leftOut.slice(4)])
        await store.appendDelta(one)
      assert.equal(store.position(), 30)
      assert.deepEqual(plainDeltas(store.deltas()), plainDeltas(kept))
    })

    test('the first delta may begin anywhere, the next may not', async t => {
      const store = await opened(t)
      await store.appendDelta(delta(500, 510))
      assert.equal(store.position(), 510)
      await assert.rejects(store.appendDelta(delta(511, 520)), { code: 'E_INVARIANT' })
      await store.appendDelta(delta(505, 520))
      assert.deepEqual(plainDeltas(store.deltas()), plainDeltas([delta(500, 510), delta(505, 520)]))
    })

    test('parts are read by block, and all in the order of their segments', async t => {
      const store = await opened(t)
      const first = [part(3, 1, 0), part(3, 2, 0), part(3, 1, 10)]
      const second = [part(3, 4, 20), part(5, 1, 20), part(5, 9, 30)]
      await store.appendParts(first)
      assert.deepEqual(readBack(store.readParts(1)), plainParts(first.filter(p => p.block === 1)))
      await store.appendParts(second)
      assert.deepEqual(
        readBack(store.readParts(1)),
        plainParts([...first, ...second].filter(p => p.block === 1)),
      )
      assert.deepEqual(readBack(store.readParts(9)), plainParts(second.slice(2)))
      assert.deepEqual(store.readParts(3), [])
      assert.deepEqual(readBack(store.parts()), plainParts([...first, ...second]))
    })

    test('a part has as many pieces as it was given, also none and also large ones', async t => {
      const store = await opened(t)
      const pieces = [Buffer.alloc(300_000, 'a'), Buffer.alloc(0), Buffer.from('b')]
      const many = Array.from({ length: 600 }, (_, i) => Buffer.from(`${i}`))
      const parts = [
        part(1, 1, 0, { pieces: [] }),
        part(1, 2, 0, { pieces }),
        part(1, 3, 0, { pieces: many }),
      ]
      await store.appendParts(parts)
      assert.deepEqual(readBack(store.parts()), plainParts(parts))
      const [stored] = store.readParts(2)
      assert.throws(() => stored?.piece(3), { code: 'E_INVARIANT' })
    })

    test('parts of a lower segment are refused, and none of their call is stored', async t => {
      const store = await opened(t)
      await store.appendParts([part(2, 1, 0)])
      await assert.rejects(store.appendParts([part(3, 7, 0), part(1, 8, 0)]), { code: 'E_INVARIANT' })
      assert.deepEqual(readBack(store.parts()), plainParts([part(2, 1, 0)]))
    })

    test('forgetting drops no part that is still wanted, and keeps the position', async t => {
      const store = await opened(t)
      for (let i = 0; i < 20; i++) {
        await store.appendDelta(delta(i * 100, i * 100 + 100))
        await store.appendParts([part(i, i, i * 100), part(i, i + 1, i * 100)])
      }
      const size = store.sizeBytes()
      await store.forget({ partsBelowBlock: 0, deltas: NOTHING })
      assert.equal(plainDeltas(store.deltas()).length, 20)
      assert.equal(readBack(store.parts()).length, 40)
      await store.forget({ partsBelowBlock: 10, deltas: { ...EVERYTHING, coveredBelow: offset(1000) } })
      const deltas = [...store.deltas()]
      const parts = [...store.parts()]
      assert.deepEqual(
        plainDeltas(deltas),
        plainDeltas(
          Array.from({ length: deltas.length }, (_, i) => {
            const from = (20 - deltas.length + i) * 100
            return delta(from, from + 100)
          }),
        ),
      )
      assert.ok(deltas.length >= 10 && deltas.length < 20, `${deltas.length} deltas are left`)
      assert.ok(parts.length >= 22 && parts.length < 40, `${parts.length} parts are left`)
      for (let block = 10; block <= 20; block++) {
        const want = [part(block - 1, block, (block - 1) * 100), part(block, block, block * 100)]
        assert.deepEqual(readBack(store.readParts(block)), plainParts(want.filter(p => p.segment < 20)))
      }
      assert.equal(store.position(), 2000)
      assert.ok(store.sizeBytes() < size)
      await store.forget({ partsBelowBlock: 1000, deltas: EVERYTHING })
      assert.equal(store.position(), 2000)
      await store.appendDelta(delta(2000, 2100))
      assert.equal(plainDeltas(store.deltas()).at(-1)?.coversTo, 2100)
    })

    test('a condition of forgetting that a delta does not meet keeps it', async t => {
      for (const kept of [
        { coveredBelow: offset(99) },
        { logTimeBefore: epochMs(1_000_100) },
        { blockBelow: 1 },
      ]) {
        const store = await opened(t)
        await store.appendDelta(delta(0, 100))
        await store.appendDelta(delta(100, 200))
        await store.forget({ partsBelowBlock: 0, deltas: { ...EVERYTHING, ...kept } })
        assert.equal([...store.deltas()].length, 2, JSON.stringify(kept))
      }
    })
  })
}
