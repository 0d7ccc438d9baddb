import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RollsFold } from './rolls-fold.js'

const judge = (fold: RollsFold, ...ranges: readonly (readonly [number, number])[]) =>
  ranges.map(([coversFrom, coversTo]) => fold.judge({ coversFrom, coversTo }))

test('deltas of one writer follow one another', () => {
  const fold = new RollsFold(0, false)
  assert.deepEqual(judge(fold, [0, 10], [10, 20], [20, 25]), ['adds', 'adds', 'adds'])
  assert.equal(fold.position, 25)
})

test('a zombie’s deltas are covered, or add what nobody had covered yet', () => {
  const fold = new RollsFold(0, false)
  assert.deepEqual(judge(fold, [0, 10], [10, 20], [10, 15], [20, 40], [15, 30], [30, 50], [40, 45]), [
    'adds',
    'adds',
    'covered',
    'adds',
    'covered',
    'adds',
    'covered',
  ])
  assert.equal(fold.position, 50)
})

test('behind a hole nothing is taken until somebody has covered it again', () => {
  const fold = new RollsFold(100, false)
  assert.deepEqual(judge(fold, [110, 120], [120, 130], [100, 125], [120, 130]), [
    'hole',
    'hole',
    'adds',
    'adds',
  ])
  assert.equal(fold.position, 130)
})

test('where retention has dropped the beginning, the first delta that is kept begins the state', () => {
  assert.deepEqual(judge(new RollsFold(0, true), [900, 950], [950, 960]), ['begins', 'adds'])
  // What this machine has of before reaches into it, or does not.
  assert.deepEqual(judge(new RollsFold(930, true), [900, 950], [950, 960]), ['adds', 'adds'])
  const outdated = new RollsFold(500, true)
  assert.deepEqual(judge(outdated, [900, 950], [800, 940], [950, 960]), ['begins', 'covered', 'adds'])
  assert.equal(outdated.position, 960)
  // A later hole is one.
  assert.deepEqual(judge(new RollsFold(0, true), [900, 950], [960, 970]), ['begins', 'hole'])
})

test('where nothing was dropped, a delta that does not begin at 0 is no beginning', () => {
  assert.deepEqual(judge(new RollsFold(0, false), [10, 20], [0, 15], [10, 20]), ['hole', 'adds', 'adds'])
})
