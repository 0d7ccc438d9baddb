import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, sharedNumbers } from './check-architecture.js'

const found = (file: string, source: string) => check(file, source).map(({ line, what }) => `${line} ${what}`)

test('imports that point the right way are fine', () => {
  assert.deepEqual(found('src/ports/clock.ts', `import type { EpochMs } from '../core/units.js'`), [])
  assert.deepEqual(found('src/adapters/memory/log.ts', `import { x } from '../../ports/trade-log.js'`), [])
  assert.deepEqual(found('src/roles/web.ts', `import { x } from '../delivery/http.js'\nimport 'node:fs'`), [])
  assert.deepEqual(found('src/commands/start.ts', `import { x } from '../adapters/system/clock.js'`), [])
  assert.deepEqual(found('src/main.ts', `import { x } from './adapters/system/clock.js'`), [])
})

test('an import against the direction is found, in each spelling and with its line', () => {
  for (const statement of [
    `import { x } from '../ports/clock.js'`,
    `import type { x } from "../ports/clock.js"`,
    `export { x } from '../ports/clock.js'`,
    `import '../ports/clock.js'`,
    `const x = import('../ports/clock.js')`,
    `import {\n  x,\n  y,\n} from '../ports/clock.js'`,
  ]) {
    const violations = check('src/core/dedupe.ts', `// first line\n${statement}\n`)
    assert.equal(violations.length, 1, statement)
    assert.ok((violations[0]?.line ?? 0) >= 2, statement)
    assert.match(violations[0]?.what ?? '', /src\/core imports src\/ports\/clock\.js/)
  }
  assert.equal(found('src/delivery/http.ts', `import { x } from '../roles/web.js'`).length, 1)
  assert.equal(found('src/adapters/memory/log.ts', `import { x } from '../../roles/web.js'`).length, 1)
  assert.equal(found('src/roles/web.ts', `import { x } from '../main.js'`).length, 1)
  assert.equal(found('src/core/a.ts', `import { x } from '../../test/oracle.js'`).length, 1)
})

test('only the composition root imports adapters', () => {
  const source = `import { MemoryTradeLog } from '../adapters/memory/trade-log.js'`
  assert.equal(found('src/roles/consumer.ts', source).length, 1)
  assert.equal(found('src/commands/send.ts', source).length, 1)
  assert.deepEqual(found('src/roles/consumer.test.ts', source), [])
})

test('the core imports no node: module and no package', () => {
  assert.equal(found('src/core/a.ts', `import { readFileSync } from 'node:fs'`).length, 1)
  assert.equal(found('src/core/a.ts', `import fastify from 'fastify'`).length, 1)
  assert.equal(found('src/ports/a.ts', `import 'node:fs'`).length, 1)
})

test('the Kafka client is behind its ports', () => {
  const source = `import { Connection } from '@platformatic/kafka'`
  assert.deepEqual(found('src/adapters/kafka/connection.ts', source), [])
  assert.equal(found('src/adapters/embedded/stream.ts', source).length, 1)
  assert.equal(found('src/commands/start-kafka.ts', source).length, 1)
})

test('what makes the core impure is found', () => {
  for (const code of [
    'async function f() {}',
    'await x',
    'const p: Promise<void> = x',
    'const t = Date.now()',
    'const d = new Date(0)',
    'Math.random()',
    'process.env.HOME',
    'setTimeout(f, 1)',
    'setInterval(f, 1)',
    'performance.now()',
  ]) {
    assert.ok(found('src/core/a.ts', `const a = 1\n${code}`).length > 0, code)
  }
})

test('prose about it is not', () => {
  assert.deepEqual(
    found('src/core/a.ts', `/// Never await Date.now() here.\n/* Promise */\nconst s = 'process.env'`),
    [],
  )
})

test('clock, timers and environment outside the core belong to their one place', () => {
  assert.equal(found('src/roles/web.ts', 'setTimeout(f, 1)').length, 1)
  assert.equal(found('src/delivery/ws.ts', 'Date.now()').length, 1)
  assert.equal(found('src/commands/send.ts', 'process.env.HOME').length, 1)
  assert.deepEqual(found('src/adapters/system/clock.ts', 'setTimeout(f, 1); Date.now()'), [])
  assert.deepEqual(found('src/config.ts', 'process.env'), [])
  assert.deepEqual(found('src/config/keys.ts', 'process.env'), [])
})

test('a folder that the design does not know is a violation', () => {
  assert.equal(found('src/helpers/x.ts', `import '../core/units.js'`).length, 1)
})

test('two decisions with one number are found', () => {
  assert.deepEqual(sharedNumbers(['0001-a.md', '0002-b.md', '0010-c.md']), [])
  assert.deepEqual(sharedNumbers(['0001-a.md', '0002-b.md', '0002-c.md']), [
    { file: 'docs/adr/0002-c.md', line: 1, what: 'has the number of 0002-b.md' },
  ])
})
