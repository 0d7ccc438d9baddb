import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RollsFold } from './rolls-fold.js'

/// A state that has grown from nothing, read from the topic's first record on.
const grown = (position: number, first = 0) => new RollsFold({ position, state: 0, first, from: first })

const judge = (fold: RollsFold, ...ranges: readonly (readonly [number, number])[]) =>
  ranges.map(([coversFrom, coversTo]) => fold.judge({ coversFrom, coversTo }))

test('deltas of one writer follow one another', () => {
  const fold = grown(0)
  assert.deepEqual(judge(fold, [0, 10], [10, 20], [20, 25]), ['adds', 'adds', 'adds'])
  assert.equal(fold.position, 25)
})

test('a zombie’s deltas are covered, or add what nobody had covered yet', () => {
  const fold = grown(0)
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
  const fold = grown(100)
  assert.deepEqual(judge(fold, [110, 120], [120, 130], [100, 125], [120, 130]), [
    'hole',
    'hole',
    'adds',
    'adds',
  ])
  assert.equal(fold.position, 130)
})

test('where retention has dropped the beginning, the first delta that is kept begins the state', () => {
  assert.deepEqual(judge(grown(0, 5), [900, 950], [950, 960]), ['begins', 'adds'])
  // What this machine has of before reaches into it, or does not.
  assert.deepEqual(judge(grown(930, 5), [900, 950], [950, 960]), ['adds', 'adds'])
  const outdated = grown(500, 5)
  assert.deepEqual(judge(outdated, [900, 950], [800, 940], [950, 960]), ['begins', 'covered', 'adds'])
  assert.equal(outdated.position, 960)
  // A later hole is one.
  assert.deepEqual(judge(grown(0, 5), [900, 950], [960, 970]), ['begins', 'hole'])
})

test('where nothing was dropped, a delta that does not begin at 0 is no beginning', () => {
  assert.deepEqual(judge(grown(0), [10, 20], [0, 15], [10, 20]), ['hole', 'adds', 'adds'])
})

interface Written {
  readonly at: number
  readonly kind: 'began' | 'parts' | 'delta' | 'ended'
  readonly state: number
  readonly coversFrom: number
  readonly coversTo: number
}

/// Folds records as whoever opens a partition does. Returns what of it counts, as `kind from-to`.
function folded(fold: RollsFold, records: readonly Written[]): string[] {
  const taken: string[] = []
  for (const record of records) {
    const { kind, coversFrom, coversTo } = record
    const standing = fold.enter(record, record.at)
    if (standing === 'anew') taken.length = 0
    if (standing === 'void' || kind === 'began') continue
    if (kind === 'ended') fold.end(record)
    else if (kind === 'parts' ? fold.takesParts(record) : ['adds', 'begins'].includes(fold.judge(record)))
      taken.push(`${kind} ${coversFrom}-${coversTo}`)
  }
  return taken
}

const isWhole = ({ damage, isUnfinished }: RollsFold): boolean => damage === null && !isUnfinished

/// Records from offset `at` on, of a backfill that began its state there.
function rebuilt(at: number): Written[] {
  const all: readonly (readonly [Written['kind'], number, number])[] = [
    ['began', 30, 60],
    ['parts', 0, 10],
    ['parts', 10, 25],
    ['delta', 30, 40],
    ['delta', 40, 60],
    ['ended', 25, 60],
    // A roller's.
    ['delta', 60, 70],
  ]
  return all.map(([kind, coversFrom, coversTo], i) => {
    return { at: at + i, kind, coversFrom, coversTo, state: kind === 'began' ? 0 : at + 1 }
  })
}

const WHOLE = ['parts 0-10', 'parts 10-25', 'delta 30-40', 'delta 40-60', 'delta 60-70']
const zombie = (at: number, state: number): Written => {
  return { at, kind: 'delta', state, coversFrom: 0, coversTo: 1000 }
}

test('a state that a backfill wrote takes the place of what is there, wherever reading begins', () => {
  for (const fold of [
    grown(0),
    grown(90),
    grown(90, 100),
    new RollsFold({ position: 50, state: 0, first: 3, from: 98 }),
  ]) {
    assert.deepEqual(folded(fold, [zombie(98, 0), ...rebuilt(100)]).slice(-5), WHOLE)
    assert.ok(isWhole(fold))
    assert.deepEqual([fold.state, fold.position], [101, 70])
  }
})

test('what is written on former states after another one began is void', () => {
  const records = rebuilt(100).flatMap(record => [record, zombie(record.at, 0), zombie(record.at, 7)])
  const fold = grown(0)
  assert.deepEqual(folded(fold, records), WHOLE)
  assert.ok(isWhole(fold))
  // A backfill that was taken for dead goes on, too, and ends.
  const two = grown(0)
  const [began, ...rest] = rebuilt(100)
  assert.ok(began)
  assert.deepEqual(folded(two, [began, ...rebuilt(200), ...rest]), WHOLE)
  assert.deepEqual([isWhole(two), two.state], [true, 201])
})

test('a record that lacks is noticed, one that is there twice does nothing', () => {
  const all = rebuilt(100)
  for (const left of all.slice(0, -1)) {
    const lacking = grown(0)
    folded(
      lacking,
      all.filter(record => record !== left),
    )
    assert.equal(isWhole(lacking), false, `without ${left.kind} ${left.coversFrom}`)
    // The next run mends it.
    assert.deepEqual(folded(lacking, rebuilt(200)), WHOLE)
    assert.ok(isWhole(lacking))
    const double = grown(0)
    const records = all.flatMap(record =>
      record === left && record.kind !== 'began' ? [record, record] : [record],
    )
    assert.deepEqual(folded(double, records), WHOLE)
    assert.ok(isWhole(double))
  }
})

test('until it is ended, a state is unfinished, whoever reads it', () => {
  for (let length = 1; length < 6; length++) {
    const fold = grown(90)
    folded(fold, [...rebuilt(100).slice(0, length), zombie(120, 0)])
    assert.equal(fold.isUnfinished, true, `${length} records`)
  }
})

test('a state whose beginning is older than what is kept goes on with the deltas that are', () => {
  for (const first of [101, 103, 105, 106]) {
    const fold = grown(0, first)
    const kept = rebuilt(100).filter(({ at }) => at >= first)
    const taken = folded(fold, [zombie(first, 0), ...kept])
    assert.ok(isWhole(fold))
    assert.deepEqual(
      taken,
      WHOLE.filter(each => kept.some(one => each === `delta ${one.coversFrom}-${one.coversTo}`)),
    )
    assert.deepEqual([fold.state, fold.position], [101, 70])
  }
  // One that knows it reads on.
  const known = new RollsFold({ position: 60, state: 101, first: 104, from: 106 })
  assert.deepEqual(folded(known, rebuilt(100).slice(-1)), ['delta 60-70'])
  assert.ok(isWhole(known))
})
