/// Standings and pages against ranking from scratch, while numbers move.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStats } from '../../../test/delivery/random-stats.js'
import { rank } from '../../../test/delivery/rank.js'
import { THREE_WINDOWS } from '../../../test/delivery/token-stats.js'
import { Random, testSeed } from '../../../test/simulation/random.js'
import { ManualClock } from '../../adapters/memory/clock.js'
import { TokenTable } from '../token-table.js'
import { placeWindows } from '../wire/metrics.js'
import { parseFilter } from './filter.js'
import { Pages } from './pages.js'
import type { RankingRule } from './rank.js'
import { type Order, parseSort } from './sort.js'
import { Standings } from './standings.js'

const WINDOWS = placeWindows(THREE_WINDOWS)

function rule(sort: string, order: Order = 'desc', filter?: string): RankingRule {
  const key = parseSort(sort, WINDOWS)
  const parsed = filter === undefined ? null : parseFilter(filter, WINDOWS)
  assert.ok('keyOf' in key && (parsed === null || 'matches' in parsed))
  return { sort: key, order, filter: parsed }
}

const RULES = [
  rule('volume.m5'),
  rule('volume.m5', 'asc'),
  rule('priceUsd', 'asc'),
  rule('amount.h24', 'desc', 'txns.h24.total>0'),
  rule('priceChange.m1', 'desc', 'priceChange.m1>0 or volume.h24>1'),
  rule('netVolume.m1', 'asc'),
  rule('firstSeen'),
  rule('trending.m1'),
]

function world() {
  const clock = new ManualClock(1_000_000)
  const table: TokenTable = new TokenTable([(token, _, after) => standings.note(token, after)])
  const standings: Standings = new Standings({ tokens: table, clock })
  const pages = new Pages({ standings, tokens: table, clock, instance: 1, nextTurn: async () => undefined })
  let version = 0
  const change = (random: Random, tokens: number) => {
    const token = `t${random.below(tokens)}`
    version++
    const stats = randomStats(random, token, version)
    if (random.chance(0.1)) table.take({ ...stats, cells: null })
    else table.take(stats)
  }
  return { clock, table, standings, pages, change }
}

const names = (entries: readonly { readonly stats: { readonly token: string } }[]) =>
  entries.map(({ stats }) => stats.token)

test('a ranking that is kept in order is the one from scratch, whatever has changed', t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const { clock, table, standings, change } = world()
  const held = RULES.map(each => standings.hold(each))
  for (let round = 0; round < 200; round++) {
    for (let i = random.below(30); i > 0; i--) change(random, 40)
    clock.advance(100)
    for (const [i, each] of RULES.entries()) {
      const standing = held[i]
      assert.ok(standing)
      assert.ok(standings.refresh(standing))
      const { entries, total } = rank(table.values(), each, 1000)
      assert.deepEqual(names(standing.first(1000)), names(entries), `${each.sort.name} ${each.order}`)
      assert.equal(standing.size, total)
      const offset = random.below(entries.length + 2)
      assert.deepEqual(names(standing.slice(offset, 5)), names(entries.slice(offset, offset + 5)))
      for (const { stats } of standing.first(1000)) assert.equal(stats, table.get(stats.token))
    }
  }
})

test('a large ranking is filled over turns, and not answered from before it is complete', () => {
  const random = new Random(2)
  const { clock, table, standings } = world()
  for (let i = 0; i < 12_000; i++) table.take(randomStats(random, `t${i}`, 1))
  const each = rule('volume.m5')
  const standing = standings.hold(each)
  assert.ok(standing)
  assert.equal(standings.refresh(standing), false)
  assert.equal(standings.asked(each), null)
  for (let i = 0; i < 12; i++) clock.advance(0)
  assert.equal(standings.refresh(standing), true)
  assert.equal(standing.size, 12_000)
  const ranked = rank(table.values(), each, 12_000).entries
  assert.deepEqual(names(standing.first(12_000)), names(ranked))
  for (const [offset, limit] of [
    [511, 2],
    [1000, 3000],
    [11_999, 5],
    [12_000, 5],
  ] as const) {
    assert.deepEqual(names(standing.slice(offset, limit)), names(ranked.slice(offset, offset + limit)))
  }
  // All in one place, then all of them gone: chunks split, shrink and are put together.
  for (let i = 0; i < 12_000; i++) {
    const stats = randomStats(random, `t${i}`, 2)
    table.take(i % 7 > 0 ? { ...stats, cells: null } : stats)
  }
  clock.advance(100)
  standings.refresh(standing)
  assert.deepEqual(names(standing.first(12_000)), names(rank(table.values(), each, 12_000).entries))
})

test('rankings nobody wants are let go, and there are only so many', () => {
  const { clock, standings } = world()
  const many = Array.from({ length: 70 }, (_, i) => rule('volume.m5', 'desc', `volume.m5>${i}`))
  for (const each of many) standings.asked(each)
  assert.equal(standings.size, 0, 'once is not enough')
  for (const each of many) standings.asked(each)
  assert.equal(standings.size, 64)
  clock.advance(31_000)
  assert.equal(standings.size, 0)
  const held = many.map(each => standings.hold(each))
  assert.equal(held.filter(standing => standing !== null).length, 64, 'what is held is never pushed out')
  const [first] = held
  assert.ok(first)
  standings.release(first)
  assert.ok(standings.hold(rule('open.m5')))
})

test('pages are of one instant: each token once, in the order and with the values of the first page', async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const { table, pages, change, clock } = world()
  for (let i = 0; i < 300; i++) change(random, 80)
  for (const each of RULES) {
    const expected = rank(table.values(), each, 1000)
    const got: unknown[] = []
    let cursor: string | null = '*'
    while (cursor !== null) {
      const page = await pages.page(each, 7, cursor)
      assert.ok(page)
      assert.equal(page.consistent, true)
      assert.equal(page.total, expected.total)
      got.push(...page.entries.map(({ stats }) => stats))
      cursor = page.next
      for (let i = 0; i < 40; i++) change(random, 90)
      clock.advance(150)
    }
    assert.deepEqual(
      got,
      expected.entries.map(({ stats }) => stats),
      each.sort.name,
    )
  }
})

test('a page that is not kept any more goes on by value, and says so', async () => {
  const random = new Random(3)
  const { table, pages, change, clock } = world()
  for (let i = 0; i < 300; i++) change(random, 80)
  for (const each of RULES) {
    const expected = names(rank(table.values(), each, 1000).entries)
    const first = await pages.page(each, 7, '*')
    assert.ok(first?.next)
    clock.advance(121_000)
    const got = names(first.entries)
    for (let cursor: string | null = first.next; cursor !== null; ) {
      const page = await pages.page(each, 7, cursor)
      assert.ok(page)
      assert.equal(page.consistent, false)
      got.push(...names(page.entries))
      cursor = page.next
    }
    assert.deepEqual(got, expected, 'nothing has moved meanwhile')
  }
})

test('a cursor of another ranking, or none at all, is refused', async () => {
  const random = new Random(4)
  const { pages, change } = world()
  for (let i = 0; i < 300; i++) change(random, 80)
  const next = (await pages.page(rule('volume.m5'), 7, '*'))?.next
  assert.ok(next)
  assert.equal(await pages.page(rule('volume.m5', 'asc'), 7, next), null)
  assert.equal(await pages.page(rule('volume.m5', 'desc', 'volume.m5>1'), 7, next), null)
  for (const cursor of [
    '',
    'x',
    '**',
    'bnVsbA',
    'W10',
    Buffer.from('[1,2,"x",{},5]').toString('base64url'),
  ]) {
    assert.equal(await pages.page(rule('volume.m5'), 7, cursor), null, cursor)
  }
})
