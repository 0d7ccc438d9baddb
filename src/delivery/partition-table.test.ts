import assert from 'node:assert/strict'
import { test } from 'node:test'
import { epochMs, offset } from '../core/units.js'
import type { PartitionReport } from '../ports/stats-feed.js'
import { PartitionTable } from './partition-table.js'

const NOW = 1_790_000_000_000

function report(instance: string, more: Partial<PartitionReport> = {}): PartitionReport {
  return {
    partition: 0,
    replica: 'a',
    instance,
    address: `http://${instance}`,
    secret: `secret of ${instance}`,
    at: epochMs(NOW),
    state: 'live',
    first: offset(0),
    end: offset(100),
    rolled: offset(90),
    checkpointed: offset(80),
    logTime: null,
    viewTime: null,
    fates: { accepted: 80, duplicate: 10, late: 0, early: 0, invalid: 0, conflict: 0 },
    gaps: [],
    ...more,
  }
}

const ownersOf = (table: PartitionTable, now = NOW) =>
  table.rows(1, epochMs(now)).map(({ replica, owner, state }) => `${replica} ${owner} ${state}`)

test('a partition that nobody has reported is unknown', () => {
  const table = new PartitionTable()
  assert.deepEqual(ownersOf(table), ['null null unknown'])
  assert.equal(table.ownerOf(0, epochMs(NOW)), null)
  assert.equal(table.fates(), null)
})

test('while a partition moves, the one that serves is shown and asked', () => {
  const table = new PartitionTable()
  table.take([report('old', { state: 'handing over' }), report('new', { state: 'restoring' })], epochMs(NOW))
  assert.deepEqual(ownersOf(table), ['a old handing over'])
  assert.deepEqual(table.ownerOf(0, epochMs(NOW)), { address: 'http://old', secret: 'secret of old' })
  table.take([report('new')], epochMs(NOW + 1000))
  table.take([report('old', { state: 'handing over' })], epochMs(NOW + 1500))
  assert.deepEqual(ownersOf(table, NOW + 1500), ['a new live'])
})

test('a process that is silent for ten seconds counts only where there is no other', () => {
  const table = new PartitionTable()
  table.take([report('dead')], epochMs(NOW))
  assert.deepEqual(ownersOf(table, NOW + 10_001), ['a dead silent'])
  assert.equal(table.ownerOf(0, epochMs(NOW + 10_001)), null)
  table.take([report('successor', { state: 'restoring' })], epochMs(NOW + 10_001))
  assert.deepEqual(ownersOf(table, NOW + 10_001), ['a successor restoring'])
})

test('each replica set has its row, and fates are those of whoever is furthest', () => {
  const table = new PartitionTable()
  const fates = { accepted: 95, duplicate: 12, late: 0, early: 0, invalid: 0, conflict: 0 }
  const further = report('b1', { replica: 'b', rolled: offset(99), fates })
  table.take([report('a1'), further, report('a1', { partition: 1 })], epochMs(NOW))
  assert.deepEqual(ownersOf(table), ['a a1 live', 'b b1 live'])
  assert.deepEqual(table.fates(), { ...fates, accepted: 175, duplicate: 22 })
})

test('what was said before anybody listened serves nothing', () => {
  const table = new PartitionTable()
  table.take([report('a1')], null)
  assert.equal(table.isServed(0), false)
  table.take([report('a1', { state: 'catching up' })], epochMs(NOW))
  assert.equal(table.isServed(0), false)
  table.take([report('a1')], epochMs(NOW))
  assert.equal(table.isServed(0), true)
})
