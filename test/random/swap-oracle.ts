/// What a JSON record means, written naively on JSON.parse, BigInt and regular expressions: the oracle of the decoder's
/// tests. It shares no code with the decoder.

export interface PlainSwap {
  id: string
  time: number
  who: string
  token: string
  side: string
  /// 10^-18 tokens.
  amount: bigint
  /// Micro-dollars.
  usd: bigint
  price: number
  priceGiven: boolean
  block: number
  txIndex: number
  logIndex: number
  /// Empty where it was not given.
  tx: string
  chain: string
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const DECIMAL = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?)(\d+))?$/

function wellFormed(value: unknown): boolean {
  if (typeof value === 'string') return !/[\ud800-\udfff]/u.test(value)
  if (value === null || typeof value !== 'object') return true
  return Object.entries(value).every(([key, inner]) => wellFormed(key) && wellFormed(inner))
}

/// How deep containers nest in the text of valid JSON, duplicate keys included.
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const c of text.replace(/"(?:[^"\\]|\\.)*"/g, '')) {
    if (c === '{' || c === '[') deepest = Math.max(deepest, ++depth)
    if (c === '}' || c === ']') depth--
  }
  return deepest
}

/// The integer value × 10^decimals, half to even; null for what is no decimal.
function fixed(text: string, decimals: number): bigint | null {
  const match = DECIMAL.exec(text)
  if (match === null || text.length > 100) return null
  const exponent = Number(match[4] ?? 0) * (match[3] === '-' ? -1 : 1)
  if (Math.abs(exponent) > 60) return null
  const fraction = match[2] ?? ''
  const value = BigInt((match[1] ?? '') + fraction)
  const shift = exponent - fraction.length + decimals
  if (shift >= 0) return value * 10n ** BigInt(shift)
  const unit = 10n ** BigInt(-shift)
  const twice = (value % unit) * 2n
  const down = value / unit
  return twice > unit || (twice === unit && down % 2n === 1n) ? down + 1n : down
}

function decimalText(atto: bigint, decimals: number): string {
  const text = atto.toString().padStart(decimals + 1, '0')
  return `${text.slice(0, -decimals)}.${text.slice(-decimals)}`
}

/// The swap, or null where the record is invalid. `sourceOf` gives the source text of a number by its key, because
/// JSON.parse rounds numbers.
export function plainSwap(bytes: Uint8Array): PlainSwap | null {
  if (bytes.length > 65_536) return null
  let text: string
  let parsed: unknown
  try {
    text = utf8.decode(bytes)
    parsed = JSON.parse(text)
  } catch {
    return null
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) return null
  if (depthOf(text) > 32 || loneSurrogate(text)) return null
  // Numbers become strings with a mark, strings get another one, so that their digits survive.
  const marked = text.replace(/"(?:[^"\\]|\\.)*"(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token, colon) =>
    colon !== undefined ? token : token[0] === '"' ? `"s${token.slice(1)}` : `"n${token}"`,
  )
  const fields = new Map<string, unknown>(Object.entries(JSON.parse(marked)))
  return swapOf(fields)
}

function loneSurrogate(text: string): boolean {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"/g)) if (!wellFormed(JSON.parse(token))) return true
  return false
}

function swapOf(fields: ReadonlyMap<string, unknown>): PlainSwap | null {
  const given = (name: string) => {
    const value = fields.get(name)
    return value === undefined || value === null ? undefined : value
  }
  const text = (name: string, atLeast: number) => {
    const value = given(name)
    if (typeof value !== 'string' || value[0] !== 's') return null
    const length = [...value].length - 1
    return length >= atLeast && length <= 128 ? value.slice(1) : null
  }
  const optionalText = (name: string) => (given(name) === undefined ? '' : text(name, 0))
  const integer = (name: string, max: bigint) => {
    const value = given(name)
    if (typeof value !== 'string' || !/^.\d+$/.test(value) || BigInt(value.slice(1)) > max) return null
    return Number(value.slice(1))
  }
  const optionalInteger = (name: string, max: bigint) => (given(name) === undefined ? -1 : integer(name, max))
  const decimal = (name: string) => {
    const value = given(name)
    return typeof value === 'string' ? value.slice(1) : ''
  }
  const id = text('id', 1)
  const time = integer('time', 253_402_300_799_999n)
  const who = text('who', 1)
  const token = text('token', 1)
  const side = text('side', 1)
  const amount = fixed(decimal('amount'), 18)
  const usd = fixed(decimal('usd'), 6)
  const block = optionalInteger('block', 9_007_199_254_740_991n)
  const txIndex = optionalInteger('txIndex', 2_147_483_647n)
  const logIndex = optionalInteger('logIndex', 2_147_483_647n)
  const tx = optionalText('tx')
  const chain = optionalText('chain')
  if (id === null || time === null || who === null || token === null || side === null) return null
  if (amount === null || usd === null || block === null || txIndex === null || logIndex === null) return null
  if ((side !== 'buy' && side !== 'sell') || tx === null || chain === null) return null
  if (amount >= 10n ** 36n || usd > 9_000_000_000_000_000n) return null
  const priceGiven = given('price') !== undefined
  let price = Number.NaN
  if (priceGiven) {
    if (fixed(decimal('price'), 0) === null) return null
    price = Number(decimal('price'))
    if (!(price >= 1e-40 && price <= 1e40)) return null
  } else if (usd > 0n && amount > 0n) {
    price = Number(decimalText(usd, 6)) / Number(decimalText(amount, 18))
  }
  return { id, time, who, token, side, amount, usd, price, priceGiven, block, txIndex, logIndex, tx, chain }
}
