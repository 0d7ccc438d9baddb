import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offset } from '../../core/units.js'
import type { SlicePart } from '../../ports/state-store.js'
import { MemoryStateStore } from '../memory/state-store.js'
import { PartsAssembler, piecesOf } from './rolls-parts.js'

const part = (block: number, sizes: readonly number[]): SlicePart => ({
  ...{ block, segment: block >> 1, coversFrom: offset(block), coversTo: offset(1000) },
  head: Buffer.alloc(block * 3, block),
  pieces: sizes.map((size, i) => Buffer.alloc(size, i + 1)),
})
const PARTS = [part(1, []), part(2, [0]), part(3, [5, 700, 1]), part(4, [40]), part(7, [2000])]

const plain = (parts: readonly SlicePart[]) =>
  parts.map(({ head, pieces, ...rest }) => ({
    ...rest,
    head: Buffer.from(head).toString('hex'),
    pieces: pieces.map(piece => Buffer.from(piece).toString('hex')),
  }))

async function stored(): Promise<MemoryStateStore> {
  const store = new MemoryStateStore()
  await store.appendParts(PARTS)
  return store
}

test('parts come back out of pieces of any length', async () => {
  const store = await stored()
  for (const bytesMax of [1, 7, 31, 32, 33, 100, 900, 100_000]) {
    const assembler = new PartsAssembler()
    const back: SlicePart[] = []
    let end = 0
    for (const { at, bytes } of piecesOf(store.parts(), bytesMax)) {
      assert.equal(at, end, 'pieces follow one another')
      end = at + bytes.length
      const taken = assembler.take(Buffer.from(bytes))
      assert.ok(typeof taken !== 'string', String(taken))
      back.push(...taken)
    }
    assert.ok(assembler.isComplete)
    assert.deepEqual(plain(back), plain(PARTS), `pieces of ${bytesMax} bytes`)
  }
})

test('a stream that ends within a part, and one that is none, are noticed', async () => {
  const [first] = piecesOf((await stored()).parts(), 40)
  assert.ok(first)
  const cut = new PartsAssembler()
  cut.take(first.bytes)
  assert.equal(cut.isComplete, false)
  const bytes = Buffer.concat([...piecesOf((await stored()).parts(), 1e6)].map(piece => piece.bytes))
  bytes.writeUInt8(bytes.readUInt8(33) ^ 1, 33)
  assert.equal(typeof new PartsAssembler().take(bytes), 'string')
})
