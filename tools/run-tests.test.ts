import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTapCounts, parseTapFailures } from './run-tests.js'

test('totals are read from the end of the tap report, cancelled tests count as failed', () => {
  const tap = [
    'ok 1 - prints',
    '# pass 900',
    '1..2',
    '# tests 9',
    '# suites 0',
    '# pass 4',
    '# fail 1',
    '# cancelled 1',
    '# skipped 2',
    '# todo 1',
    '# duration_ms 12.5',
  ].join('\n')
  assert.deepEqual(parseTapCounts(tap), { passed: 4, failed: 2, skipped: 3 })
})

test('a report without totals is no result', () => {
  assert.equal(parseTapCounts('ok 1 - half a report\n'), null)
})

test('a failure is told with its name, its place and the beginning of its error; not the test around it', () => {
  const details = (indent: string, type: string, error: readonly string[]): string[] =>
    [
      '  ---',
      '  duration_ms: 1.5',
      "  location: 'dist/a.test.js:3:1'",
      `  failureType: '${type}'`,
      ...error.map(line => `  ${line}`),
      '  ...',
    ].map(line => indent + line)
  const tap = [
    'TAP version 13',
    '    ok 1 - fine',
    '    not ok 2 - a seed',
    ...details('    ', 'testCodeFailure', ['error: |-', '  first', '  second', '  third']),
    'not ok 1 - all seeds',
    ...details('', 'subtestsFailed', ["error: '1 subtest failed'"]),
    'ok 2 - other',
  ].join('\n')
  assert.deepEqual(parseTapFailures(tap, 3), [
    "  a seed\n  location: 'dist/a.test.js:3:1'\n  error: |-\n    first\n    second",
  ])
  assert.deepEqual(parseTapFailures('ok 1 - fine\n'), [])
})
