import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTapCounts } from './run-tests.js'

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
