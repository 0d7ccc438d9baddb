/// The language of the golden scripts. One statement per line; `#` begins a comment; words are separated by spaces
/// and may be JSON strings ("with space").
///
///   rules windows=m1,m5 retention=h1        optional, first: also resolution=, early=, horizon=
///   order free                              arrival order of the swaps between two other statements does not matter
///   one partition                           tokens of this script depend on each other (by ids or log time)
///   at 12:00:05.250 buy BTC 1.5 for 100 by alice id a1
///        [block 7] [tx 1] [log 2] [price 66.5] [arrives 12:00:09]
///   advance 12:05:05                        moves view time
///   expect BTC m5 volume=100 buys=1         statistics of one window
///   expect BTC priceUsd=66 firstSeen=12:00:05.250
///   expect BTC gone                         the token is not listed
///   expect fates accepted=1 duplicate=0     also late, early, conflict
///
/// Times are hours of one day and may go past 24. A swap is appended to the log when it happens, unless it says
/// otherwise with `arrives`. `null` is the unknown value.

import { DEFAULT_RULES, type RawSwap, type Rules } from '../simulation/raw-swap.js'

interface SwapStatement {
  readonly kind: 'swap'
  readonly appendTime: number
  readonly swap: RawSwap
}

interface AdvanceStatement {
  readonly kind: 'advance'
  readonly tick: number
}

/// `window` is null for fields of the token itself.
interface ExpectStatement {
  readonly kind: 'expect'
  readonly token: string
  readonly window: string | null
  readonly fields: readonly (readonly [field: string, value: string | number | null])[]
}

interface GoneStatement {
  readonly kind: 'gone'
  readonly token: string
}

interface FatesStatement {
  readonly kind: 'fates'
  readonly fates: readonly (readonly [fate: string, count: number])[]
}

export type Statement = { readonly line: number } & (
  | SwapStatement
  | AdvanceStatement
  | ExpectStatement
  | GoneStatement
  | FatesStatement
)

export interface Script {
  readonly rules: Rules
  readonly orderFree: boolean
  readonly onePartition: boolean
  readonly statements: readonly Statement[]
}

/// 2023-11-15 00:00:00 UTC: the day of the scripts.
const DAY_MS = 1_700_006_400_000

const NUMBERS = new Set(['buys', 'sells', 'total', 'buyers', 'sellers', 'traders', 'priceChange'])
const TEXTS = new Set([
  ...['volume', 'buyVolume', 'sellVolume', 'amount', 'open', 'high', 'low', 'close', 'vwap'],
  ...['largestTrade', 'priceUsd'],
])
const TIMES = new Set(['firstSeen', 'lastSeen'])
const FATES = new Set(['accepted', 'duplicate', 'late', 'early', 'conflict'])
const SWAP_WORDS = new Set(['for', 'by', 'id', 'block', 'tx', 'log', 'price', 'arrives'])

/// Reads a script; throws with the line's number and what was wanted.
export function parseScript(text: string): Script {
  const script = {
    rules: DEFAULT_RULES,
    orderFree: false,
    onePartition: false,
    statements: [] as Statement[],
  }
  for (const [at, source] of text.split('\n').entries()) {
    const line = at + 1
    const [verb, ...rest] = wordsOf(source)
    try {
      if (verb === undefined) continue
      else if (verb === 'rules') script.rules = parseRules(rest)
      else if (verb === 'order' && rest.join(' ') === 'free') script.orderFree = true
      else if (verb === 'one' && rest.join(' ') === 'partition') script.onePartition = true
      else if (verb === 'at') script.statements.push({ line, ...parseSwap(rest) })
      else if (verb === 'advance')
        script.statements.push({ line, ...parseAdvance(rest, script.rules.resolutionMs) })
      else if (verb === 'expect') script.statements.push({ line, ...parseExpect(rest) })
      else throw new Error('no such statement')
    } catch (error) {
      throw new Error(`line ${line}: ${error instanceof Error ? error.message : error}\n  ${source}`)
    }
  }
  return script
}

function wordsOf(source: string): string[] {
  const words: string[] = []
  for (const [word] of source.matchAll(/#.*|"(?:[^"\\]|\\.)*"|[^\s#"]\S*/g)) {
    if (word.startsWith('#')) break
    words.push(word.startsWith('"') ? String(JSON.parse(word)) : word)
  }
  return words
}

function parseAdvance(words: readonly string[], resolutionMs: number): AdvanceStatement {
  wanted(words.length === 1, 'advance TIME')
  return { kind: 'advance', tick: Math.floor(timeOf(words[0]) / resolutionMs) }
}

function parseSwap(words: readonly string[]): SwapStatement {
  const [time, side, token, amount, ...rest] = words
  wanted(side === 'buy' || side === 'sell', 'at TIME buy|sell TOKEN AMOUNT for USD by WHO id ID')
  wanted(token !== undefined && amount !== undefined, 'a token and an amount')
  const options = new Map<string, string>()
  for (let i = 0; i < rest.length; i += 2) {
    const [name, value] = [rest[i], rest[i + 1]]
    wanted(name !== undefined && SWAP_WORDS.has(name), `one of ${[...SWAP_WORDS].join(', ')}, not ${name}`)
    wanted(value !== undefined, `a value after ${name}`)
    options.set(name, value)
  }
  const usd = options.get('for')
  const who = options.get('by')
  const id = options.get('id')
  wanted(usd !== undefined && who !== undefined && id !== undefined, 'for USD, by WHO and id ID')
  const price = options.get('price')
  return {
    kind: 'swap',
    appendTime: timeOf(options.get('arrives') ?? time),
    swap: {
      ...{ id, time: timeOf(time), who, token, side, amount, usd },
      ...wholeNumber('block', options.get('block')),
      ...wholeNumber('txIndex', options.get('tx')),
      ...wholeNumber('logIndex', options.get('log')),
      ...(price === undefined ? {} : { price }),
    },
  }
}

function wholeNumber(
  field: 'block' | 'txIndex' | 'logIndex',
  text: string | undefined,
): Pick<RawSwap, 'block' | 'txIndex' | 'logIndex'> {
  if (text === undefined) return {}
  wanted(/^\d+$/.test(text), `a whole number as ${field}, not ${text}`)
  return { [field]: Number(text) }
}

function parseExpect(words: readonly string[]): ExpectStatement | GoneStatement | FatesStatement {
  const [token, second, ...rest] = words
  wanted(token !== undefined && second !== undefined, 'expect TOKEN [WINDOW] FIELD=VALUE …')
  if (token === 'fates') return { kind: 'fates', fates: [second, ...rest].map(fateOf) }
  if (second === 'gone') return { kind: 'gone', token }
  const window = second.includes('=') ? null : second
  const fields = (window === null ? [second, ...rest] : rest).map(fieldOf)
  wanted(fields.length > 0, 'at least one FIELD=VALUE')
  return { kind: 'expect', token, window, fields }
}

function fateOf(word: string): [string, number] {
  const [fate, count] = pairOf(word)
  wanted(FATES.has(fate), `one of ${[...FATES].join(', ')}, not ${fate}`)
  return [fate, Number(count)]
}

function fieldOf(word: string): [string, string | number | null] {
  const [field, text] = pairOf(word)
  wanted(NUMBERS.has(field) || TIMES.has(field) || TEXTS.has(field), `a known field, not ${field}`)
  if (text === 'null') return [field, null]
  if (NUMBERS.has(field)) return [field, Number(text)]
  return [field, TIMES.has(field) ? timeOf(text) : text]
}

function pairOf(word: string): [string, string] {
  const at = word.indexOf('=')
  wanted(at > 0, `FIELD=VALUE, not ${word}`)
  return [word.slice(0, at), word.slice(at + 1)]
}

function parseRules(words: readonly string[]): Rules {
  const given = new Map(words.map(pairOf))
  const take = (name: string): string | undefined => {
    const text = given.get(name)
    given.delete(name)
    return text
  }
  const length = (name: string, other: number): number => {
    const text = take(name)
    return text === undefined ? other : lengthOf(text)
  }
  const windows = take('windows')?.split(',')
  const rules = {
    windows: windows?.map(name => [name, lengthOf(name)] as const) ?? DEFAULT_RULES.windows,
    resolutionMs: length('resolution', DEFAULT_RULES.resolutionMs),
    retentionMs: length('retention', DEFAULT_RULES.retentionMs),
    earlyToleranceMs: length('early', DEFAULT_RULES.earlyToleranceMs),
    dedupeHorizonMs: length('horizon', DEFAULT_RULES.dedupeHorizonMs),
  }
  wanted(given.size === 0, `no such rule: ${[...given.keys()].join(', ')}`)
  return rules
}

/// `m5`, `h1`, `s90`: the names under which windows are answered.
function lengthOf(text: string): number {
  const parts = /^(ms|s|m|h)(\d+)$/.exec(text)
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[parts?.[1] ?? '']
  wanted(unit !== undefined, `a length like m5, s90 or h1, not ${text}`)
  return unit * Number(parts?.[2])
}

/// `12:00:05.250`
function timeOf(text: string | undefined): number {
  const parts = /^(\d+):(\d\d):(\d\d)(?:\.(\d{3}))?$/.exec(text ?? '')
  wanted(parts !== null, `a time like 12:00:05.250, not ${text}`)
  const [, hours = '', minutes = '', seconds = '', ms = '0'] = parts
  return DAY_MS + ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(ms)
}

function wanted(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`wanted ${what}`)
}
