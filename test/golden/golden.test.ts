/// Every golden script, delivered in every way, against the same expectations: to the byte.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Model } from '../simulation/model.js'
import { testSeed } from '../simulation/random.js'
import { runScript, type Subject } from './run.js'
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
  })
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
