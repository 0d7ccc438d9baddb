import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { HashIndex } from './hash-index.js'

function idsOf(index: HashIndex, hash: number): number[] {
  const ids: number[] = []
  for (let id = index.first(hash); id >= 0; id = index.next()) ids.push(id)
  return ids.sort((a, b) => a - b)
}

test('an empty table finds nothing, and says so when something is removed', () => {
  const index = new HashIndex()
  assert.equal(index.first(7), -1)
  assert.throws(() => index.remove(7, 1), { code: 'E_INVARIANT' })
})

test('ids with one hash are all found, and removed one by one', () => {
  const index = new HashIndex()
  for (const id of [0, 5, 9]) index.add(-3, id)
  assert.deepEqual(idsOf(index, -3), [0, 5, 9])
  index.remove(-3, 5)
  assert.deepEqual(idsOf(index, -3), [0, 9])
  assert.equal(index.size, 2)
})

test('while the table grows, and afterwards, it holds what a Map of sets holds', () => {
  const random = randomness('hash index')
  for (const hashes of [5, 300, 1 << 30]) {
    const index = new HashIndex(16)
    const model = new Map<number, Set<number>>()
    const added: { hash: number; id: number }[] = []
    let next = 0
    for (let step = 0; step < 6000; step++) {
      // Mostly additions first, so that several growths overlap with look-ups; then mostly removals.
      if (added.length === 0 || random.below(10) < (step < 4000 ? 8 : 2)) {
        const hash = (random.below(hashes) - Math.floor(hashes / 2)) | 0
        const id = next++
        index.add(hash, id)
        model.set(hash, (model.get(hash) ?? new Set()).add(id))
        added.push({ hash, id })
      } else {
        const [gone] = added.splice(random.below(added.length), 1)
        if (gone === undefined) continue
        index.remove(gone.hash, gone.id)
        model.get(gone.hash)?.delete(gone.id)
      }
      const hash = added[random.below(added.length)]?.hash ?? 0
      // With few hashes a cluster holds thousands: looking at some of them will do.
      if (hashes > 5 || step % 100 === 0) {
        assert.deepEqual(
          idsOf(index, hash),
          [...(model.get(hash) ?? [])].sort((a, b) => a - b),
        )
      }
    }
    assert.equal(index.size, added.length)
  }
})
