import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeyedRecords } from './keyed-records.js'
import { partitionOf } from './partition.js'
import { linesByPartition } from './partitioned-lines.js'

/// Records `token:text` that lie in `bytes` with `between` after each, the text being the record.
function piece(entries: readonly (readonly [string, string])[], between: string): KeyedRecords {
  const size = entries.length
  const columns = {
    recordAt: new Int32Array(size),
    recordLength: new Int32Array(size),
    tokenAt: new Int32Array(size),
    tokenLength: new Int32Array(size),
  }
  let text = ''
  entries.forEach(([, record], i) => {
    columns.recordAt[i] = text.length
    columns.recordLength[i] = record.length
    text += record + between
  })
  entries.forEach(([token], i) => {
    columns.tokenAt[i] = text.length
    columns.tokenLength[i] = token.length
    text += token
  })
  return { size, bytes: Buffer.from(text), ...columns }
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('lines of one partition are not copied', () => {
  const records = piece(
    [
      ['A', '{"a":1}'],
      ['B', '{"b":2}'],
    ],
    '\n',
  )
  const [lines, ...more] = linesByPartition([records], 1)
  assert.equal(more.length, 0)
  assert.equal(lines?.bytes.buffer, records.bytes.buffer)
  assert.equal(text(lines?.bytes ?? new Uint8Array()), '{"a":1}\n{"b":2}\n')
  assert.equal(lines?.count, 2)
})

test('records that are no lines yet, and several pieces, become lines', () => {
  const pieces = [
    piece([['A', '{"a":1}']], ',  '),
    piece(
      [
        ['B', '{"b":2}'],
        ['A', '{"a":3}'],
      ],
      '\n',
    ),
  ]
  const [lines] = linesByPartition(pieces, 1)
  assert.equal(text(lines?.bytes ?? new Uint8Array()), '{"a":1}\n{"b":2}\n{"a":3}\n')
  assert.equal(lines?.count, 3)
})

test('each record goes to the partition of its token, in order, and no other', () => {
  const tokens = Array.from({ length: 200 }, (_, i) => `T${i % 37}`)
  const entries = tokens.map((token, i) => [token, `{"token":"${token}","i":${i}}`] as const)
  const pieces = [piece(entries.slice(0, 90), '\n'), piece(entries.slice(90), ' ')]
  const found = linesByPartition(pieces, 7)
  for (const { partition, bytes, count } of found) {
    const want = entries.filter(
      ([token]) => partitionOf(Buffer.from(token), 0, token.length, 7) === partition,
    )
    assert.equal(text(bytes), want.map(([, record]) => `${record}\n`).join(''))
    assert.equal(count, want.length)
  }
  assert.equal(
    found.reduce((sum, { count }) => sum + count, 0),
    200,
  )
})

test('nothing to append makes no lines', () => {
  assert.deepEqual(linesByPartition([], 3), [])
  assert.deepEqual(linesByPartition([piece([], '\n')], 1), [])
})
