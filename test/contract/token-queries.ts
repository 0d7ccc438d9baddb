/// What every adapter of TokenQueries promises. See src/ports/token-queries.ts.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { epochMs } from '../../src/core/units.js'
import { BusyError } from '../../src/ports/errors.js'
import type { TokenQueries, TokenQuestion } from '../../src/ports/token-queries.js'
import { RolledTokens } from '../delivery/rolled-tokens.js'
import type { Accepted } from '../simulation/model.js'
import {
  expectedText,
  largestOf,
  middleOf,
  statisticsText,
  swapText,
  tradersOf,
  traderText,
  tradeText,
} from '../simulation/questions.js'
import { Random, testSeed } from '../simulation/random.js'
import type { RawSwap, Rules } from '../simulation/raw-swap.js'
import { SwapStream } from '../simulation/streams.js'

const MINUTE = 60_000
export const QUERY_RULES: Rules = {
  windows: [
    ['m1', MINUTE],
    ['m5', 5 * MINUTE],
    ['h1', 60 * MINUTE],
  ],
  resolutionMs: 1000,
  retentionMs: 60 * MINUTE,
  earlyToleranceMs: MINUTE,
  dedupeHorizonMs: 10 * MINUTE,
}
/// A Monday.
export const QUERY_START = 1_790_000_000_000
const START_TICK = QUERY_START / 1000

export type OpenQueries = (t: TestContext, rolled: RolledTokens) => Promise<TokenQueries> | TokenQueries

export function tokenQueriesContract(name: string, open: OpenQueries): void {
  test(`${name}: every answer equals the naive model's`, async t => {
    const seed = testSeed()
    t.diagnostic(`VOLUMER_SEED=${seed}`)
    const random = new Random(seed)
    const rolled = new RolledTokens(QUERY_RULES, START_TICK)
    const queries = await open(t, rolled)
    const stream = new SwapStream(random, {
      tokens: ['BTC', '__proto__', '🦄'],
      traders: ['alice', 'bob', 'carol', 'Ω'],
      startMs: QUERY_START,
      rules: QUERY_RULES,
      batchMost: 40,
      pauseMsMost: 5 * MINUTE,
      idAlphabet: null,
      duplicateChance: 0.1,
      invalidChance: 0.05,
    })
    let answers = 0
    for (let round = 0; round < 60; round++) {
      rolled.append(stream.batch())
      rolled.advance(Math.max(rolled.model.viewTick, Math.floor(stream.logTime / 1000)))
      for (let i = 0; i < 4; i++) {
        const question = randomQuestion(random, rolled.model.viewTick)
        const outcome = await queries.ask(question)
        const expected = expectedOutcome(rolled, question)
        assert.equal(shown(outcome, question), expected, JSON.stringify(question))
        if (outcome.kind === 'answer') answers++
      }
    }
    assert.ok(answers > 100, `${answers} answers`)
  })

  test(`${name}: an instant outside of the retention is refused with those that are inside`, async t => {
    const rolled = new RolledTokens(QUERY_RULES, START_TICK)
    rolled.append({ appendTime: QUERY_START, records: [swap('a', 0, '5')] })
    const queries = await open(t, rolled)
    const { from, to } = { from: QUERY_START - 60 * MINUTE + 1000, to: QUERY_START + 1000 }
    const at = (asOf: number) => queries.ask({ ...plain('BTC', MINUTE), asOf: epochMs(asOf) })
    assert.equal((await at(to - 1)).kind, 'answer')
    assert.deepEqual(await at(to), { kind: 'outOfRetention', from, to })
    assert.deepEqual(await at(from - 1), { kind: 'outOfRetention', from, to })
    // Inside, but before the token's first swap.
    assert.deepEqual(await at(from), { kind: 'unknownToken' })
    assert.deepEqual(await queries.ask(plain('NOPE', MINUTE)), { kind: 'unknownToken' })
  })

  test(`${name}: boundaries of any window are those of a configured one`, async t => {
    const rolled = new RolledTokens(QUERY_RULES, START_TICK)
    const queries = await open(t, rolled)
    rolled.append({ appendTime: QUERY_START, records: [swap('a', 0, '5')] })
    const trades = async (second: number) => {
      rolled.advance(START_TICK + second)
      const answer = await queries.ask(plain('BTC', 7 * MINUTE))
      assert.equal(answer.kind, 'answer')
      return answer.kind === 'answer' ? answer.cells[9] : null
    }
    assert.deepEqual([await trades(0), await trades(419), await trades(420)], [1, 1, 0])
  })

  test(`${name}: more questions than can wait are refused, and do not stay`, async t => {
    const rolled = new RolledTokens(QUERY_RULES, START_TICK)
    rolled.append({ appendTime: QUERY_START, records: [swap('a', 0, '5')] })
    const queries = await open(t, rolled)
    const asked = await Promise.allSettled(
      Array.from({ length: 500 }, () => queries.ask(plain('BTC', MINUTE))),
    )
    const refused = asked.filter(one => one.status === 'rejected')
    assert.ok(refused.length > 0 && refused.length < 500, `${refused.length} of 500 were refused`)
    for (const { reason } of refused) assert.ok(reason instanceof BusyError, String(reason))
    assert.equal((await queries.ask(plain('BTC', MINUTE))).kind, 'answer')
  })
}

const NOTHING = { asOf: null, medians: [], largest: 0, newest: 0, traders: 0 }

function plain(token: string, lengthMs: number): TokenQuestion {
  return { ...NOTHING, token, stretches: [{ lengthMs, agoMs: 0 }] }
}

export function swap(id: string, secondsAgo: number, usd: string, more: Partial<RawSwap> = {}): RawSwap {
  const time = QUERY_START - secondsAgo * 1000
  return { id, time, who: 'alice', token: 'BTC', side: 'buy', amount: '1', usd, ...more }
}

function randomQuestion(random: Random, now: number): TokenQuestion {
  const asOf = random.chance(0.5) ? null : epochMs((now - random.below(3700)) * 1000 + random.below(1000))
  const stretches = Array.from({ length: random.between(0, 3) }, () => ({
    lengthMs: random.chance(0.3) ? 5 * MINUTE : random.between(1, 3700) * 1000,
    agoMs: random.chance(0.6) ? 0 : random.below(2000) * 1000,
  }))
  return {
    token: random.pick(['BTC', '__proto__', '🦄']),
    asOf,
    stretches,
    medians: stretches.map((_, i) => i).filter(() => random.chance(0.4)),
    largest: random.below(4),
    newest: random.below(4),
    traders: random.below(4),
  }
}

function shown(outcome: Awaited<ReturnType<TokenQueries['ask']>>, question: TokenQuestion): string {
  if (outcome.kind !== 'answer') return outcome.kind
  return JSON.stringify({
    version: [outcome.partition, outcome.offset, outcome.tick, outcome.asOf],
    price: String(outcome.price),
    seen: [outcome.firstSeen, outcome.lastSeen],
    covered: outcome.covered,
    stretches: question.stretches.map((_, i) =>
      outcome.covered[i] ? statisticsText(question.token, outcome.cells, i) : null,
    ),
    medians: outcome.medians.map(middle => middle?.map(String) ?? null),
    largest: outcome.largest.map(tradeText),
    newest: outcome.newest.map(tradeText),
    traders: outcome.traders.map(traderText),
    fates: Object.entries(outcome.fates).sort(),
  })
}

/// A repetition repeats one swap here, since no id is accepted twice: conflicts are exact.
function fatesOf(model: RolledTokens['model'], token: string): unknown {
  const counted = model.tokenFates().get(token)
  if (counted === undefined) return null
  const { accepted, duplicate, late, early, conflictAtLeast } = counted.fates
  const fates = { accepted, duplicate, late, early, conflict: conflictAtLeast, since: counted.since }
  return Object.entries(fates).sort()
}

function expectedOutcome({ model }: RolledTokens, question: TokenQuestion): string {
  const { viewTick: now, rules } = model
  const to = question.asOf === null ? now : Math.floor(question.asOf / 1000)
  const retained = now - rules.retentionMs / 1000
  if (to > now || to <= retained) return 'outOfRetention'
  const all = model.stretch(question.token, retained, to)
  if (all.length === 0) return 'unknownToken'
  const times = all.map(each => each.swap.time)
  const bounds = question.stretches.map(({ lengthMs, agoMs }) => {
    const end = to - agoMs / 1000
    return { after: end - lengthMs / 1000, to: end }
  })
  const covered = bounds.map(({ after }) => after >= retained)
  const found: (readonly Accepted[] | null)[] = bounds.map((each, i) =>
    covered[i] ? model.stretch(question.token, each.after, each.to) : null,
  )
  const first = found[0] ?? []
  return JSON.stringify({
    version: [0, model.offset, to, to * 1000],
    price: String(all.findLast(each => each.price !== null)?.price ?? Number.NaN),
    seen: [Math.min(...times), Math.max(...times)],
    covered,
    stretches: found.map(swaps => (swaps === null ? null : expectedText(question.token, swaps))),
    medians: question.medians.map(i => middleOf(found[i] ?? [])),
    largest: largestOf(first, question.largest),
    newest: [...first].reverse().slice(0, question.newest).map(swapText),
    traders: tradersOf(first, question.traders),
    fates: fatesOf(model, question.token),
  })
}
