import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordText, rowOf } from '../../../test/random/batch-rows.js'
import { fuzzSeconds, type Random, randomness } from '../../../test/random/randomness.js'
import { plainSwap } from '../../../test/random/swap-oracle.js'
import { JsonDecoder } from './json-decoder.js'
import type { DecodeResult } from './reject.js'

const encoder = new TextEncoder()

const DECIMALS = [
  '0',
  '1',
  '12.5',
  '0.000001',
  '0.0000005',
  '0.0000015',
  '1e3',
  '1.5e-7',
  '2E+2',
  '1e61',
  '9000000000',
  '9000000000.0000006',
  '999999999999999999',
  '1e18',
  '123456789.123456789123456789',
  '1234567890.5',
  '007',
  '.5',
  '5.',
  '-1',
  '-0',
  '+1',
  'NaN',
  'Infinity',
  '0x1',
  '',
  '1e',
  '01',
  '00.1',
  '1e-40',
  '9007199254740993',
  '0.1e',
  '1 ',
  '12345.678901234567891234',
  '5061.237630',
  '0.00000000000000000049',
  '0.5000000000000000005',
] as const

const INTEGERS = [
  '0',
  '1',
  '12',
  '123456789',
  '1234567890',
  '1790000000123',
  '253402300799999',
  '253402300800000',
  '2147483647',
  '2147483648',
  '9007199254740991',
  '9007199254740992',
  '123456789012345',
  '1234567890123456',
  '-1',
  '-0',
  '1.0',
  '1e3',
  '007',
  '00',
  '',
  '1.',
  'x',
] as const

const TEXTS = [
  'a',
  '0x1f',
  'BTC',
  '',
  '__proto__',
  'constructor',
  '🐸',
  'é',
  'ß'.repeat(128),
  '漢'.repeat(129),
  'x'.repeat(128),
  'x'.repeat(129),
  String.raw`\n`,
  String.raw`\u0041`,
  String.raw`\ud83d\ude00`,
  String.raw`\ud83d`,
  String.raw`\udc00\ud83d`,
  String.raw`\x`,
  String.raw`\u12g4`,
  String.raw`\\`,
  String.raw`\"`,
  String.raw`\/`,
  '\t',
  '\u007f',
  '\u2028',
  String.raw`\u0000`,
  String.raw`\uD83D\u0041`,
  String.raw`\ud83d\ud83d\ude00`,
  'buy',
] as const

const JUNK = [
  'null',
  'true',
  'false',
  '{}',
  '[]',
  '[1,2]',
  '{"id":"x"}',
  'tru',
  '"',
  '[',
  '}',
  '1',
  '"s"',
  'nulll',
] as const
const SPACE = ['', '', '', '', '', ' ', '\t', '\r', '  ', '\u00a0', '\f'] as const
const KEYS = ['id', 'time', 'who', 'token', 'side', 'amount', 'usd'] as const
const OPTIONAL = [
  'block',
  'txIndex',
  'logIndex',
  'price',
  'tx',
  'chain',
  'other',
  '__proto__',
  'toke',
  'tokens',
  '',
] as const

/// A value for the key: usually a sensible one.
function value(random: Random, key: string): string {
  if (random.below(60) === 0) return random.pick(JUNK)
  const odd = random.below(6) === 0
  const quoted = (text: string) => (random.below(2) === 0 ? `"${text}"` : text)
  switch (key) {
    case 'side':
      return odd ? `"${random.pick(TEXTS)}"` : random.pick(['"buy"', '"sell"'])
    case 'amount':
    case 'usd':
    case 'price':
      return quoted(
        odd ? random.pick(DECIMALS) : `${random.below(10 ** (1 + random.below(10)))}.${random.below(1e9)}`,
      )
    case 'time':
    case 'block':
    case 'txIndex':
    case 'logIndex':
      return random.below(5) === 0
        ? quoted(random.pick(INTEGERS))
        : String(random.below(10 ** (1 + random.below(9))))
    case 'other':
      return nested(random, 0)
    default:
      return `"${odd ? random.pick(TEXTS) : `0x${random.below(2 ** 50).toString(16)}`}"`
  }
}

function nested(random: Random, depth: number): string {
  if (random.below(300) === 0)
    return '['.repeat(29 + random.below(5)) + random.pick(['', '{"a":[]}']) + ']'.repeat(29 + random.below(5))
  const kind = depth > 4 ? 0 : random.below(4)
  if (kind === 1) return `[${nested(random, depth + 1)},${nested(random, depth + 1)}]`
  if (kind === 2) return `{"${random.pick(TEXTS)}":${nested(random, depth + 1)}}`
  return random.pick(['1', '-0', '-1.5e+3', '01', '1.', '"t"', `"${random.pick(TEXTS)}"`, random.pick(JUNK)])
}

function record(random: Random): string {
  const space = () => (random.below(12) === 0 ? random.pick(SPACE) : '')
  const keys: string[] = [...KEYS]
  for (let i = random.below(5); i > 0; i--) keys.push(random.pick(OPTIONAL))
  for (let i = random.below(10) === 0 ? keys.length : 0; i > 0; i--) {
    const [a, b] = [random.below(keys.length), random.below(keys.length)]
    ;[keys[a], keys[b]] = [keys[b] ?? '', keys[a] ?? '']
  }
  if (random.below(20) === 0) keys.push(random.pick(KEYS))
  if (random.below(20) === 0) keys.splice(random.below(keys.length), 1)
  const members = keys.map(key => {
    const name = random.below(40) === 0 ? key.replace(/^./, c => `\\u00${c.charCodeAt(0).toString(16)}`) : key
    return `${space()}"${name}"${space()}:${space()}${value(random, key)}${space()}`
  })
  return `${space()}{${members.join(',')}}${space()}`
}

/// Sometimes changes bytes of the record, never into line breaks.
function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.below(4) !== 0 || bytes.length === 0) return bytes
  const out = [...bytes]
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(out.length)
    const byte = random.pick([
      0x22, 0x5c, 0x7b, 0x7d, 0x2c, 0x3a, 0x30, 0x65, 0x2e, 0x2d, 0x80, 0xed, 0xf0, 0xff, 0, 0x20,
    ])
    const kind = random.below(3)
    out.splice(at, kind === 0 ? 0 : 1, ...(kind === 1 ? [] : [byte]))
  }
  return Uint8Array.from(out)
}

function joined(records: readonly Uint8Array[], open: string, separator: string, close: string): Uint8Array {
  const parts = records.flatMap((bytes, i) => [encoder.encode(i === 0 ? open : separator), bytes])
  parts.push(encoder.encode(close))
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function assertSame(result: DecodeResult, records: readonly Uint8Array[]): number {
  assert.equal(result.records, records.length)
  assert.equal(result.batch.size + result.rejects.length, records.length)
  let row = 0
  records.forEach((bytes, i) => {
    const text = new TextDecoder().decode(bytes)
    const expected = plainSwap(bytes)
    const accepted = row < result.batch.size && result.batch.record[row] === i
    if (!accepted) {
      const reject = result.rejects[i - row]
      assert.equal(reject?.record, i)
      assert.equal(expected, null, `rejected (${reject?.reason}): ${text}`)
      return
    }
    if (expected === null) assert.fail(`accepted: ${text}`)
    assert.deepEqual(rowOf(result.batch, row), expected, text)
    assert.equal(recordText(result.batch, row), text.trim(), 'the record comes verbatim')
    row++
  })
  return row
}

test('decodeLines agrees with JSON.parse and a naive reading', () => {
  const random = randomness('decodeLines')
  const decoder = new JsonDecoder()
  const until = performance.now() + 500 + fuzzSeconds() * 1000
  let accepted = 0
  let total = 0
  for (let round = 0; round < 20 || performance.now() < until; round++) {
    const records = Array.from({ length: 100 }, () => mutated(random, encoder.encode(record(random)))).filter(
      bytes => new TextDecoder().decode(bytes).replace(/[ \t\r]/g, '') !== '',
    )
    accepted += assertSame(decoder.decodeLines(joined(records, '', '\n', '\n')), records)
    total += records.length
  }
  assert.ok(
    accepted > total / 10 && accepted < total,
    `accepted ${accepted} of ${total}: the generator is off`,
  )
})

test('decodeArray agrees with JSON.parse and a naive reading', () => {
  const random = randomness('decodeArray')
  const decoder = new JsonDecoder()
  const until = performance.now() + 300 + fuzzSeconds() * 1000
  for (let round = 0; round < 20 || performance.now() < until; round++) {
    const isJson = (text: string) => {
      try {
        return JSON.parse(text) !== undefined
      } catch {
        return false
      }
    }
    const texts = Array.from({ length: 20 }, () => record(random)).filter(isJson)
    const records = texts.map(text => encoder.encode(text.trim()))
    if (records.length === 0) continue
    assertSame(
      decoder.decodeArray(joined(records, random.pick(['[', ' [ ', '[\n']), random.pick([',', ' ,\n']), ']')),
      records,
    )
  }
})

test('any truncation of an array rejects the rest and keeps what came before', () => {
  const decoder = new JsonDecoder()
  const good = '{"id":"a","time":1,"who":"w","token":"t","side":"buy","amount":"1","usd":"1"}'
  const whole = encoder.encode(`[${good},${good},${good}]`)
  for (let end = 0; end < whole.length; end++) {
    const { batch, rejects } = decoder.decodeArray(whole.subarray(0, end))
    // Element i ends at (i + 1) × (its length and one separator).
    assert.equal(batch.size, Math.floor(end / (good.length + 1)), `cut at ${end}`)
    assert.equal(rejects.length, 1)
  }
  assert.equal(decoder.decodeArray(whole).batch.size, 3)
})
