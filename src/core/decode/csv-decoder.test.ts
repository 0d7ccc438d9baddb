import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordText, rowOf } from '../../../test/random/batch-rows.js'
import { fuzzSeconds, type Random, randomness } from '../../../test/random/randomness.js'
import { type PlainSwap, plainSwap } from '../../../test/random/swap-oracle.js'
import { CsvDecoder, readCsvHeader } from './csv-decoder.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const HEADER = 'id,block,time,who,token,side,amount,usd'
const ROW = '0xab:0,18259481,1696209119000,0x9008,0xb3ad,buy,5061.237630223885835542,2175.275381'

function opened(text: string): { decoder: CsvDecoder; rest: string } {
  const header = readCsvHeader(utf8(text), true)
  if (header === null || typeof header === 'string') assert.fail(`no header: ${header}`)
  return {
    decoder: new CsvDecoder(header),
    rest: new TextDecoder().decode(utf8(text).subarray(header.length)),
  }
}

/// Decodes a whole file at once.
function decoded(text: string) {
  const { decoder, rest } = opened(text)
  return decoder.decode(utf8(rest), true)
}

test('a row fills every column', () => {
  const { batch, records, rejects, consumed } = decoded(`${HEADER}\n${ROW}\n`)
  assert.deepEqual([records, rejects, consumed], [1, [], ROW.length + 1])
  assert.deepEqual(rowOf(batch, 0), {
    id: '0xab:0',
    time: 1_696_209_119_000,
    who: '0x9008',
    token: '0xb3ad',
    side: 'buy',
    amount: 5_061_237_630_223_885_835_542n,
    usd: 2_175_275_381n,
    price: 2175.275381 / Number('5061.237630223885835542'),
    priceGiven: false,
    block: 18_259_481,
    txIndex: -1,
    logIndex: -1,
    tx: '',
    chain: '',
  })
  assert.equal(recordText(batch, 0), ROW)
})

test('columns by name, optional ones, unknown ones, byte order mark, quotes, line ends', () => {
  const text = [
    '\ufeff"token",who,"id",side,note,usd,amount,time,price,txIndex,logIndex,block,tx,chain',
    '"a ""b"", c",w,i1,sell,"x\r\ny",1,2,3,0.5,1,2,,,',
    '🐸,"w\n",i2,buy,,1e0,2,3,,,,7,"",eth',
    '',
    't,w,i3,buy,,1,2,3,,,,,,',
  ].join('\r\n')
  const { batch, records, rejects } = decoded(text)
  assert.deepEqual([records, rejects], [3, []])
  const rows = [0, 1, 2].map(i => rowOf(batch, i))
  assert.deepEqual(
    rows.map(({ token, who, price, priceGiven, block, logIndex }) => [
      token,
      who,
      price,
      priceGiven,
      block,
      logIndex,
    ]),
    [
      ['a "b", c', 'w', 0.5, true, -1, 2],
      ['🐸', 'w\n', 0.5, false, 7, -1],
      ['t', 'w', 0.5, false, -1, -1],
    ],
  )
})

test('bad rows are rejected one by one, with the line of the file', () => {
  const rows = [
    ROW,
    ROW.replace('2175', 'NaN'),
    `${ROW},`,
    '',
    ROW.replace('0x9008', '"a\nb"').replace('buy', 'hold'),
    ROW.replace('0x9008', '"a"b'),
    ROW.replace('0x9008', '"never closed'),
    ROW.replace('0x9008', ''),
    `${'x'.repeat(70_000)},${ROW}`,
    ROW,
  ]
  const { batch, records, rejects } = decoded(`${HEADER}\n${rows.join('\n')}`)
  assert.equal(records, 9)
  assert.deepEqual([...batch.record.subarray(0, batch.size)], [0, 8])
  assert.deepEqual(
    rejects.map(({ record, line, field, reason }) => [record, line, field, reason]),
    [
      [1, 3, 'usd', 'usd: wanted a decimal between 0 and 9000000000, got "NaN.275381"'],
      [2, 4, null, 'wanted 8 fields, got 9'],
      [3, 6, 'side', 'side: wanted "buy" or "sell", got "hold"'],
      [4, 8, null, 'wanted a closing quote, then a comma or the end of the line'],
      [5, 9, null, 'wanted a closing quote, then a comma or the end of the line'],
      [6, 10, 'who', 'who: wanted a string of 1 to 128 characters, got nothing'],
      [7, 11, null, `wanted a record of at most 65536 bytes, got ${70_001 + ROW.length}`],
    ],
  )
  const bytes = utf8(`${HEADER}\n${ROW.replace('0xab:0', 'X')}`)
  bytes[bytes.lastIndexOf(0x58)] = 0xff
  const header = readCsvHeader(bytes, true)
  if (header === null || typeof header === 'string') assert.fail('no header')
  const result = new CsvDecoder(header).decode(bytes.subarray(header.length), true)
  assert.equal(result.rejects[0]?.reason, 'id: wanted valid UTF-8, got "\ufffd"')
})

test('a header that is none says what is missing', () => {
  const wrong = (text: string) => readCsvHeader(utf8(text), true)
  assert.equal(
    wrong('id,time,who\n'),
    'header: wanted the columns token, side, amount, usd too, got "id,time,who"',
  )
  assert.equal(wrong(`${HEADER},id`), 'header: wanted the column id once, got it twice')
  assert.equal(wrong('"id'), 'header: wanted a closing quote, then a comma or the end of the line')
  assert.equal(typeof wrong(''), 'string')
  assert.equal(readCsvHeader(utf8(HEADER), false), null)
})

/// A field as CSV, quoted when it must be and sometimes when it need not.
function csvField(random: Random, text: string): string {
  const must = /[",\r\n]/.test(text)
  return must || random.below(8) === 0 ? `"${text.replaceAll('"', '""')}"` : text
}

test('chunks cut anywhere decode as the whole, and as the same swaps in JSON', () => {
  const random = randomness('csv')
  const columns = ['id', 'block', 'time', 'who', 'token', 'side', 'amount', 'usd', 'price', 'other'] as const
  const names = ['a', '🐸', 'x,y', 'q"q', '"', 'l\nl', 'r\rr', 'end\r', ' ', '', '__proto__'] as const
  const until = performance.now() + fuzzSeconds() * 1000
  for (let round = 0; round < 40 || performance.now() < until; round++) {
    const newline = random.pick(['\n', '\r\n'])
    const expected: (PlainSwap | null)[] = []
    let text = columns.join(',') + newline
    for (let i = 0; i < 30; i++) {
      const swap: Record<string, string> = {
        id: `i${i}`,
        block: random.pick(['', '1', '18259481', 'x']),
        time: String(random.below(2e12)),
        who: random.pick(names),
        token: random.pick(names),
        side: random.pick(['buy', 'sell']),
        amount: random.pick(['0', '1.5', `${random.below(1e12)}.${random.below(1e9)}`]),
        usd: random.pick(['0', '2', '1e3', `${random.below(1e7)}.${random.below(1e9)}`]),
        price: random.pick(['', '', '0.1', '-1']),
        other: random.pick(names),
      }
      text += columns.map(name => csvField(random, swap[name] ?? '')).join(',') + newline
      const given = Object.entries(swap).filter(([, value]) => value !== '')
      expected.push(plainSwap(utf8(JSON.stringify(Object.fromEntries(given)))))
    }
    const { decoder, rest } = opened(text)
    const bytes = utf8(rest)
    const got: (PlainSwap | null)[] = []
    let at = 0
    let cut = 0
    while (at < bytes.length) {
      cut = Math.min(bytes.length, cut + 1 + random.below(300))
      const result = decoder.decode(bytes.slice(at, cut), cut === bytes.length)
      const swaps = new Array<PlainSwap | null>(result.records).fill(null)
      for (let i = 0; i < result.batch.size; i++) swaps[result.batch.record[i] ?? -1] = rowOf(result.batch, i)
      got.push(...swaps)
      at += result.consumed
    }
    assert.deepEqual(got, expected)
  }
})
