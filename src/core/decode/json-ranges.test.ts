import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordText, rowOf } from '../../../test/random/batch-rows.js'
import { JsonDecoder } from './json-decoder.js'

const GOOD = {
  id: '0xa:1',
  time: 1_790_000_000_123,
  who: 'al',
  token: 'BTC',
  side: 'buy',
  amount: '2',
  usd: '5',
}
const decoder = new JsonDecoder()

/// Decodes the texts as ranges of one buffer with other bytes around each.
function decode(texts: readonly string[]) {
  const at = new Int32Array(texts.length)
  const length = new Int32Array(texts.length)
  const parts: Buffer[] = []
  let end = 0
  const add = (bytes: Buffer) => {
    parts.push(bytes)
    end += bytes.length
  }
  texts.forEach((text, i) => {
    add(Buffer.from('\u0001{"'))
    at[i] = end
    length[i] = Buffer.byteLength(text)
    add(Buffer.from(text))
  })
  add(Buffer.from('}}'))
  return decoder.decodeRanges(Buffer.concat(parts), at, length)
}

test('each range is a record, and decodes as its line would', () => {
  const swaps = ['a', 'b', 'c'].map(token => JSON.stringify({ ...GOOD, token, note: 'ü"\\' }))
  const wants = swaps.map(text => {
    const { batch } = new JsonDecoder().decodeLines(Buffer.from(text))
    return rowOf(batch, 0)
  })
  const { batch, records, rejects } = decode(swaps)
  assert.deepEqual(rejects, [])
  assert.equal(records, 3)
  assert.deepEqual(
    wants.map((_, i) => rowOf(batch, i)),
    wants,
  )
  assert.deepEqual([...batch.record.subarray(0, 3)], [0, 1, 2])
  assert.deepEqual(
    wants.map((_, i) => recordText(batch, i)),
    swaps,
  )
})

test('a record may have line breaks between its tokens; in a row they are spaces', () => {
  const pretty = JSON.stringify(GOOD, null, 2)
  const { batch, rejects } = decode([`\n${pretty}\r\n`, JSON.stringify({ ...GOOD, token: 'ETH' })])
  assert.deepEqual(rejects, [])
  assert.deepEqual([rowOf(batch, 0).token, rowOf(batch, 1).token], ['BTC', 'ETH'])
  assert.equal(recordText(batch, 0), pretty.replaceAll('\n', ' '))
})

test('poison is rejected, record by record, and the rest goes on', () => {
  const good = JSON.stringify(GOOD)
  const texts = [
    '',
    ' \n',
    good,
    '{',
    `${good}${good}`,
    'nonsense',
    good.replace('BTC', 'B\nC'),
    '\u0000',
    good,
  ]
  const { batch, records, rejects } = decode(texts)
  assert.equal(records, texts.length)
  assert.deepEqual([...batch.record.subarray(0, batch.size)], [2, 8])
  assert.deepEqual(
    rejects.map(({ record }) => record),
    [0, 1, 3, 4, 5, 6, 7],
  )
  assert.deepEqual(
    rejects.map(({ line }) => line),
    [1, 2, 4, 5, 6, 7, 8],
  )
  assert.equal(rejects[0]?.reason, 'wanted a JSON object, got nothing')
  for (const { record, at, length } of rejects) {
    assert.equal(Buffer.from(batch.bytes.subarray(at, at + length)).toString(), texts[record])
  }
})

test('a record longer than the bound is rejected', () => {
  const { batch, rejects } = decode([
    JSON.stringify({ ...GOOD, note: 'x'.repeat(70_000) }),
    JSON.stringify(GOOD),
  ])
  assert.deepEqual([...batch.record.subarray(0, batch.size)], [1])
  assert.match(rejects[0]?.reason ?? '', /65536|65,536/)
})
