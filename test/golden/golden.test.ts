/// Every golden script, delivered in every way, against the same expectations: to the byte.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Model } from '../simulation/model.js'
import { Random, testSeed } from '../simulation/random.js'
import { Rolled } from '../simulation/rolled.js'
import { type Delivery, runScript, type Subject } from './run.js'
import { parseScript, type Script } from './script.js'

const FOLDER = resolve(fileURLToPath(import.meta.url), '../../../../test/golden')
const seed = testSeed()

const scripts = readdirSync(FOLDER)
  .filter(name => name.endsWith('.txt'))
  .sort()

test('there are golden scripts', () => {
  assert.ok(scripts.length >= 9, `found ${scripts.length}`)
})

for (const name of scripts) {
  test(`golden ${name}`, async t => {
    t.diagnostic(`VOLUMER_SEED=${seed}`)
    const script = parseScript(readFileSync(join(FOLDER, name), 'utf8'))
    assert.ok(
      script.statements.some(statement => statement.kind === 'expect'),
      'a script expects something',
    )

    await t.test('the naive model agrees with what was computed by hand', async () => {
      const outcome = await runScript(script, { subjects: [modelSubject(script)], shuffle: null, copies: 1 })
      assert.deepEqual(outcome.failures, [])
    })

    const straight = await runScript(script, { subjects: [rolled(script)], shuffle: null, copies: 1 })
    await t.test('straight', () => assert.deepEqual(straight.failures, []))

    for (const [how, delivery] of deliveries(script)) {
      await t.test(how, async () => {
        const outcome = await runScript(script, delivery)
        assert.deepEqual(outcome.failures, [])
        assert.equal(outcome.transcript, straight.transcript)
      })
    }
  })
}

/// Every way but the straight one.
function deliveries(script: Script): [how: string, delivery: Delivery][] {
  const once = (...subjects: readonly Subject[]): Delivery => ({ subjects, shuffle: null, copies: 1 })
  const all: [string, Delivery][] = [
    ['crashed after every line, nothing saved', once(rolled(script, { crashes: true }))],
    ['saved, crashed and restored after every line', once(rolled(script, { crashes: true, saves: 1 }))],
    [
      'saved after every third line, crashed after every line',
      once(rolled(script, { crashes: true, saves: 3 })),
    ],
    ['with slices on disk', once(rolled(script, { saves: 1, hotRangeMs: 0 }))],
    [
      'with slices on disk, crashed and restored after every line',
      once(rolled(script, { crashes: true, saves: 2, hotRangeMs: 0 })),
    ],
    ['everything sent twice', { ...once(rolled(script)), copies: 2 }],
    ['everything sent twice, on disk', { ...once(rolled(script, { saves: 1, hotRangeMs: 0 })), copies: 2 }],
  ]
  if (!script.onePartition) all.push(['split over two partitions', once(rolled(script), rolled(script))])
  if (script.orderFree) {
    for (let i = 0; i < 5; i++) {
      const shuffle = new Random(seed + i)
      all.push([`in shuffled arrival order ${i + 1}`, { ...once(rolled(script)), shuffle }])
      const crashing = rolled(script, { crashes: true, saves: 2, hotRangeMs: 0 })
      all.push([`in shuffled arrival order ${i + 1}, crashing`, { ...once(crashing), shuffle, copies: 2 }])
    }
  }
  return all
}

interface Hardship {
  readonly crashes?: boolean
  /// Saves after every so many statements.
  readonly saves?: number
  readonly hotRangeMs?: number
}

function rolled(script: Script, hardship: Hardship = {}): Subject {
  const {
    crashes = false,
    saves = Number.POSITIVE_INFINITY,
    hotRangeMs = Number.POSITIVE_INFINITY,
  } = hardship
  const subject = new Rolled({ rules: script.rules, startTick: startTick(script), hotRangeMs })
  let statements = 0
  return {
    async append(batch) {
      subject.append(batch)
    },
    advance: tick => subject.advance(tick),
    answers: () => subject.answers(),
    fates: () => new Map(Object.entries(subject.fates)),
    async afterStatement() {
      statements++
      if (statements % saves === 0) await subject.checkpoint()
      if (crashes) await subject.crash(startTick(script))
    },
  }
}

/// Where view time begins: a minute before the first swap.
function startTick(script: Script): number {
  const times = script.statements.flatMap(one => (one.kind === 'swap' ? [one.swap.time] : []))
  return Math.floor(Math.min(...times) / script.rules.resolutionMs) - 60
}

function modelSubject(script: Script): Subject {
  const model = new Model(script.rules)
  return {
    async append(batch) {
      model.apply(batch)
    },
    advance: tick => model.advance(tick),
    answers: () => model.answers(),
    fates: () => {
      const { conflictAtLeast, accepted, duplicate, late, early } = model.fates
      return new Map(Object.entries({ accepted, duplicate, late, early, conflict: conflictAtLeast }))
    },
    async afterStatement() {},
  }
}
