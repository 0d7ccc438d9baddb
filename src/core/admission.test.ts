import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusalOf } from './admission.js'

const HOUR = 3_600_000
const RULES = { resolutionMs: 1000, retentionMs: 24 * HOUR, earlyToleranceMs: 60_000 }

test('late and early begin where the example says', () => {
  const logTime = 100_000_500
  assert.equal(refusalOf(13_600_999, logTime, RULES), 'late')
  assert.equal(refusalOf(13_601_000, logTime, RULES), null)
  assert.equal(refusalOf(logTime, logTime, RULES), null)
  assert.equal(refusalOf(100_060_500, logTime, RULES), null)
  assert.equal(refusalOf(100_060_501, logTime, RULES), 'early')
})
