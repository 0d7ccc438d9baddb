import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordText, rowOf } from '../../../test/random/batch-rows.js'
import { Fingerprint } from '../fingerprint.js'
import { JsonDecoder } from './json-decoder.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const decoder = new JsonDecoder()

const GOOD = {
  id: '0xabc:1',
  time: 1_790_000_000_123,
  who: 'alice',
  token: 'BTC',
  side: 'buy',
  amount: '2.5',
  usd: '100000.25',
}

const line = (change: object) => JSON.stringify({ ...GOOD, ...change })
const tokens = (text: string) => {
  const { batch } = decoder.decodeLines(utf8(text))
  return Array.from({ length: batch.size }, (_, i) => rowOf(batch, i).token)
}
const reasonOf = (text: string | Uint8Array) => {
  const { batch, rejects } = decoder.decodeLines(typeof text === 'string' ? utf8(text) : text)
  assert.equal(batch.size, 0, `accepted ${text}`)
  assert.equal(rejects.length, 1)
  return rejects[0]?.reason
}

test('a line fills every column', () => {
  const text = line({ block: 18_259_481, txIndex: 12, logIndex: 34, tx: '0xabc', chain: 'ethereum' })
  const { batch, records, rejects } = decoder.decodeLines(utf8(`${text}\n`))
  assert.deepEqual(rejects, [])
  assert.equal(records, 1)
  assert.deepEqual(rowOf(batch, 0), {
    ...GOOD,
    amount: 2_500_000_000_000_000_000n,
    usd: 100_000_250_000n,
    price: 40_000.1,
    priceGiven: false,
    block: 18_259_481,
    txIndex: 12,
    logIndex: 34,
    tx: '0xabc',
    chain: 'ethereum',
  })
  assert.equal(recordText(batch, 0), text)
  const fingerprint = new Fingerprint()
  fingerprint.hash(utf8(GOOD.id), 0, GOOD.id.length)
  assert.deepEqual(
    [batch.id0[0], batch.id1[0], batch.id2[0]],
    [fingerprint.word0, fingerprint.word1, fingerprint.word2],
  )
})

test('lines: endings, blanks, and their numbers', () => {
  const text = `${line({ token: 'a' })}\r\n\n  \t\r\n ${line({ token: 'b' })} \nnonsense\n\n${line({ token: 'c' })}`
  const { batch, records, rejects } = decoder.decodeLines(utf8(text))
  assert.equal(records, 4)
  assert.deepEqual([...batch.record.subarray(0, batch.size)], [0, 1, 3])
  assert.deepEqual(
    [0, 1, 2].map(i => recordText(batch, i)),
    [line({ token: 'a' }), line({ token: 'b' }), line({ token: 'c' })],
  )
  assert.equal(rejects.length, 1)
  const { at, length, ...reject } = rejects[0] ?? { at: 0, length: 0 }
  assert.deepEqual(reject, {
    record: 2,
    line: 5,
    field: null,
    reason: 'not JSON: wanted null at byte 1, got "o"',
  })
  assert.equal(new TextDecoder().decode(batch.bytes.subarray(at, at + length)), 'nonsense')
})

test('no records', () => {
  for (const text of ['', '\n', '\r\n \n']) {
    const { batch, records, rejects } = decoder.decodeLines(utf8(text))
    assert.deepEqual([batch.size, records, rejects.length], [0, 0, 0])
  }
})

test('any order of keys, any spaces, unknown keys, the last of equal keys', () => {
  const reversed = JSON.stringify(Object.fromEntries(Object.entries(GOOD).reverse()))
  const spaced = line({ id: 'i' }).replaceAll(/([{}:,])/g, ' $1\t ')
  const unknown = line({
    token: 'u',
    more: { id: 1, deep: [[{}], 'x', 1e5, null, true] },
    toke: 1,
    tokens: 2,
  })
  const twice = `${line({ usd: 'NaN' }).slice(0, -1)},"usd":1,"token":"t"}`
  const escapedKey = line({ token: 'e' }).replace('"usd"', '"\\u0075sd"')
  assert.deepEqual(tokens([reversed, spaced, unknown, twice, escapedKey].join('\n')), [
    'BTC',
    'BTC',
    'u',
    't',
    'e',
  ])
})

test('any valid Unicode is a name', () => {
  const names = [
    '__proto__',
    'constructor',
    '🐸',
    'a b',
    'é',
    '"',
    '\\',
    '\n',
    '\u2028',
    'x'.repeat(128),
    '🐸'.repeat(128),
  ]
  assert.deepEqual(tokens(names.map(token => line({ token })).join('\n')), names)
  const escaped = String.raw`\ud83d\ude00\u0041\/\b\f\n\r\t\"\\`
  const text = line({ token: 'X' }).replace('"X"', `"${escaped}"`)
  assert.deepEqual(tokens(`${text}\n${text}`), ['😀A/\b\f\n\r\t"\\', '😀A/\b\f\n\r\t"\\'])
  const { batch } = decoder.decodeLines(utf8(text))
  assert.equal(recordText(batch, 0), text)
  assert.match(
    reasonOf(line({ token: '🐸'.repeat(129) })) ?? '',
    /^token: wanted a string of 1 to 128 characters, got "🐸/,
  )
})

test('numbers and strings are the same decimal', () => {
  for (const [amount, usd] of [
    ['"1e3"', '"10"'],
    ['1e3', '10'],
    ['1000', '"1E+1"'],
    ['"0001000.000"', '10.0000004'],
  ]) {
    const { batch } = decoder.decodeLines(
      utf8(
        line({})
          .replace('"2.5"', amount ?? '')
          .replace('"100000.25"', usd ?? ''),
      ),
    )
    assert.deepEqual([batch.amount2[0], batch.usd[0], batch.price[0]], [1000, 10_000_000, 0.01])
  }
})

test('price: given, else usd ÷ amount, else unknown', () => {
  const prices = [
    line({ price: '0.1' }),
    line({ price: 1e-7 }),
    line({ price: null }),
    line({ usd: 0 }),
    line({ amount: 0 }),
  ]
  const { batch } = decoder.decodeLines(utf8(prices.join('\n')))
  assert.deepEqual([...batch.price.subarray(0, 5)], [0.1, 1e-7, 40_000.1, Number.NaN, Number.NaN])
  assert.deepEqual([...batch.priceGiven.subarray(0, 5)], [1, 1, 0, 0, 0])
})

test('integers: plain digits up to their limits', () => {
  const most = { time: 253_402_300_799_999, block: 2 ** 53 - 1, txIndex: 2 ** 31 - 1, logIndex: '2147483647' }
  const { batch } = decoder.decodeLines(
    utf8(`${line(most)}\n${line({ time: '0', block: null, txIndex: '7' })}`),
  )
  assert.deepEqual(
    [batch.timeMs[0], batch.block[0], batch.txIndex[0], batch.logIndex[0]],
    [...Object.values(most)].map(Number),
  )
  assert.deepEqual([batch.timeMs[1], batch.block[1], batch.txIndex[1], batch.logIndex[1]], [0, -1, 7, -1])
})

test('every fault names its field, what was wanted and what came', () => {
  const decimal = 'wanted a decimal between 0 and 9000000000'
  const cases: [string, string][] = [
    [line({ usd: 'NaN' }), `usd: ${decimal}, got "NaN"`],
    [line({ usd: -1 }), `usd: ${decimal}, got -1`],
    [line({ usd: [1] }), `usd: ${decimal}, got an array`],
    [line({ usd: null }), `usd: ${decimal}, got null`],
    [line({ usd: undefined }), `usd: ${decimal}, got nothing`],
    [line({ usd: '1\u0000\u202e2' }), `usd: ${decimal}, got "1\\u{0}\\u{202e}2"`],
    [line({ amount: true }), 'amount: wanted a decimal from 0 to below 1000000000000000000, got true'],
    [line({ price: 0 }), 'price: wanted a decimal between 1e-40 and 1e40, got 0'],
    [line({ side: 'BUY' }), 'side: wanted "buy" or "sell", got "BUY"'],
    [line({ id: '' }), 'id: wanted a string of 1 to 128 characters, got ""'],
    [line({ id: 7 }), 'id: wanted a string of 1 to 128 characters, got 7'],
    [line({ who: {} }), 'who: wanted a string of 1 to 128 characters, got an object'],
    [
      line({ token: 'y'.repeat(129) }),
      `token: wanted a string of 1 to 128 characters, got "${'y'.repeat(40)}…"`,
    ],
    [line({ tx: 5 }), 'tx: wanted a string of at most 128 characters, got 5'],
    [
      line({ time: 1.5 }),
      'time: wanted an integer of epoch milliseconds between 0 and 253402300799999, got 1.5',
    ],
    [
      line({ block: 2 ** 53 }),
      'block: wanted an integer between 0 and 9007199254740991, got 9007199254740992',
    ],
    [line({ txIndex: 2 ** 31 }), 'txIndex: wanted an integer between 0 and 2147483647, got 2147483648'],
    [line({}).slice(0, -1), 'not JSON: wanted "," or "}" at byte 110, got the end'],
    [`${line({})}x`, 'not JSON: wanted nothing after the record at byte 111, got "x"'],
    ['[1,2]', 'wanted a JSON object, got [1,2]'],
    [line({ more: '\ud800' }), 'a lone surrogate at byte 120'],
    [line({ more: 'z'.repeat(70_000) }), 'wanted a record of at most 65536 bytes, got 70121'],
  ]
  for (const [text, reason] of cases) assert.equal(reasonOf(text), reason)
  const deep = (depth: number) => line({}).replace('{', `{"more":${'['.repeat(depth)}${']'.repeat(depth)},`)
  assert.match(reasonOf(deep(32)) ?? '', /^values nested deeper than 32 at byte/)
  assert.equal(tokens(deep(31)).length, 1)
  const broken = utf8(line({ token: 'Zé' }))
  broken[broken.indexOf(0x5a) + 2] = 0x41
  assert.match(reasonOf(broken) ?? '', /^invalid UTF-8 at byte/)
})

test('the batch grows with the input, and the decoder is reused', () => {
  const many = Array.from({ length: 5000 }, (_, i) => line({ id: `id${i}`, block: i })).join('\n')
  for (let round = 0; round < 2; round++) {
    const { batch, records } = decoder.decodeLines(utf8(many))
    assert.equal(records, 5000)
    assert.equal(batch.size, 5000)
    for (const i of [0, 1023, 1024, 4999])
      assert.deepEqual([rowOf(batch, i).id, batch.block[i]], [`id${i}`, i])
  }
  assert.equal(decoder.decodeLines(utf8(line({}))).batch.size, 1)
})

test('array: elements are rejected one by one', () => {
  const text = `[${line({ token: 'a' })}, ${line({ usd: 'x' })} ,5,\n${line({ token: 'b' })},{},[],"s",\n${line({ more: '\udc00' })}]\n`
  const { batch, records, rejects } = decoder.decodeArray(utf8(text))
  assert.equal(records, 8)
  assert.deepEqual([...batch.record.subarray(0, batch.size)], [0, 3])
  assert.deepEqual(
    rejects.map(({ record, line, reason }) => [record, line, reason.slice(0, 30)]),
    [
      [1, 1, 'usd: wanted a decimal between '],
      [2, 1, 'wanted a JSON object, got 5'],
      [4, 2, 'id: wanted a string of 1 to 12'],
      [5, 2, 'wanted a JSON object, got []'],
      [6, 2, 'wanted a JSON object, got "s"'],
      [7, 3, 'a lone surrogate at byte 120'],
    ],
  )
  assert.equal(decoder.decodeArray(utf8(' [ ] ')).records, 0)
})

test('array: an accepted element is one line, whatever its layout', () => {
  const pretty = JSON.stringify([GOOD, { ...GOOD, token: 'é' }, { ...GOOD, usd: 'x' }], null, 2)
  const { batch, rejects } = decoder.decodeArray(utf8(pretty))
  assert.equal(batch.size, 2)
  assert.equal(rejects[0]?.line, 20)
  for (let i = 0; i < 2; i++) {
    assert.doesNotMatch(recordText(batch, i), /\n/)
    assert.equal(JSON.parse(recordText(batch, i)).token, ['BTC', 'é'][i])
  }
})

test('array: a syntax error rejects what follows it', () => {
  const cases: [string, number, string][] = [
    ['', 0, 'not JSON: wanted "[" that begins an array at byte 0, got the end'],
    ['{}', 0, 'not JSON: wanted "[" that begins an array at byte 0, got "{"'],
    ['[', 0, 'not JSON: wanted a value at byte 0, got the end'],
    [`[${line({})}`, 1, 'not JSON: wanted "," or "]" at byte 0, got the end'],
    [`[${line({})},]`, 1, 'not JSON: wanted a value at byte 0, got "]"'],
    [`[${line({})} ${line({})}]`, 1, 'not JSON: wanted "," or "]" at byte 1, got "{"'],
    [`[${line({})}] x`, 1, 'not JSON: wanted nothing after the array at byte 0, got "x"'],
    [`[${line({})},{"id":x},${line({})}]`, 1, 'not JSON: wanted a value at byte 6, got "x"'],
  ]
  for (const [text, rows, reason] of cases) {
    const { batch, rejects } = decoder.decodeArray(utf8(text))
    assert.deepEqual([batch.size, rejects.length, rejects[0]?.reason], [rows, 1, reason], text)
    assert.equal((rejects[0]?.at ?? 0) + (rejects[0]?.length ?? 0), text.length)
  }
})

test('array: decoding stops at the most rejects that the caller wants', () => {
  const text = utf8(`[1,${line({})},2,3,${line({})}]`)
  assert.equal(decoder.decodeArray(text).rejects.length, 3)
  const { batch, rejects, records } = decoder.decodeArray(text, 2)
  assert.deepEqual([batch.size, rejects.length, records], [1, 2, 3])
})
