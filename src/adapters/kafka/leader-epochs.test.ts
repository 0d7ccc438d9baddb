import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeaderEpochs } from './leader-epochs.js'

test('the epoch below an offset is that of the stretch in which the record before it lies', () => {
  const epochs = new LeaderEpochs()
  epochs.note(0, 100, 3)
  epochs.note(0, 150, 3)
  epochs.note(0, 200, 5)
  epochs.note(1, 0, 9)
  assert.deepEqual(
    [100, 101, 200, 201, 10_000].map(offset => epochs.below(0, offset)),
    [-1, 3, 3, 5, 5],
  )
  // A position from before what was read: as it is kept with the state.
  epochs.note(0, 49, 2)
  assert.deepEqual([epochs.below(0, 49), epochs.below(0, 50), epochs.below(0, 101)], [-1, 2, 3])
  assert.equal(epochs.below(2, 5), -1)
})

test('only the newest epochs are kept', () => {
  const epochs = new LeaderEpochs()
  for (let epoch = 0; epoch < 1000; epoch++) epochs.note(0, epoch * 10, epoch)
  assert.equal(epochs.below(0, 9_995), 999)
  assert.equal(epochs.below(0, 15), -1)
})
