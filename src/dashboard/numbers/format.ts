/// Numbers as people read them at a glance: few digits, always as many of them in a column. The exact value is in the title of whatever
/// shows one. An unknown value is an em dash.

export const UNKNOWN = '—'
const MINUS = '−'
const UNITS = ['', 'K', 'M', 'B', 'T', 'Q'] as const
const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉'

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/// Three significant digits and a unit: 1.24M, 12.4K, 812. Below 1,000 whole, unless `fine`: then 81.2, 8.12, 0.81.
export function compact(value: number, fine = false): string {
  if (!Number.isFinite(value)) return UNKNOWN
  const size = Math.abs(value)
  const sign = value < 0 ? MINUS : ''
  let unit = 0
  let scaled = size
  // What would be rounded up to 1,000 has the next unit.
  while (scaled >= 999.5 && unit < UNITS.length - 1) {
    scaled /= 1000
    unit++
  }
  if (scaled >= 999.5) return `${sign}${scaled.toExponential(2)}${UNITS[unit]}`
  return `${sign}${unit === 0 && !fine ? String(Math.round(scaled)) : threeDigits(scaled)}${UNITS[unit]}`
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  if (value >= 9.995) return value.toFixed(1)
  return value.toFixed(2)
}

/// Dollars: $1.24M, $812, $8.12, $0.05, −$3.40K.
export function usd(text: string | null | undefined): string {
  if (text === null || text === undefined) return UNKNOWN
  const value = Number(text)
  const size = Math.abs(value)
  const shown = size > 0 && size < 0.005 ? '<$0.01' : `$${compact(size, size < 99.95)}`
  return value < 0 ? `${MINUS}${shown}` : shown
}

/// A price in dollars per token, with five or six significant digits; leading zeros of very small ones are counted: 0.0₄1340 is
/// 0.00001340.
export function price(text: string | null | undefined): string {
  if (text === null || text === undefined) return UNKNOWN
  const value = Number(text)
  if (value === 0) return '0'
  if (value >= 1e9) return compact(value)
  if (value >= 1000) return withCents(value)
  if (value >= 100) return value.toFixed(2)
  if (value >= 10) return value.toFixed(3)
  if (value >= 0.001) return value.toFixed(value >= 1 ? 4 : 5)
  return tiny(value)
}

/// An amount of tokens with three significant digits: 1.24M, 81.2, 0.812, 0.00483, 0.0₅483.
export function quantity(text: string | null | undefined): string {
  if (text === null || text === undefined) return UNKNOWN
  const value = Number(text)
  if (value === 0) return '0'
  if (value >= 0.9995) return compact(value, true)
  return value >= 0.0009995 ? value.toFixed(2 - Math.floor(Math.log10(value))) : tiny(value, 2)
}

/// 84,040.45
function withCents(value: number): string {
  const [whole = '0', cents = '00'] = value.toFixed(2).split('.')
  return `${grouped.format(Number(whole))}.${cents}`
}

function tiny(value: number, decimals = 3): string {
  const [digits = '', exponent = '0'] = value.toExponential(decimals).split('e')
  const zeros = -Number(exponent) - 1
  const counted = [...String(zeros)].map(digit => SUBSCRIPTS[Number(digit)]).join('')
  return `0.0${counted}${digits.replace('.', '')}`
}

/// A change in percent, with its sign: +1.25%, −0.34%, 0.00%.
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN
  const size = Math.abs(value)
  const shown = size >= 999.5 ? compact(size) : size >= 99.95 ? size.toFixed(1) : size.toFixed(2)
  if (Number(shown) === 0) return '0.00%'
  return `${value < 0 ? MINUS : '+'}${shown}%`
}

/// 12,345; from a million on 1.23M.
export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN
  return Math.abs(value) < 999_999.5 ? grouped.format(value).replace('-', MINUS) : compact(value)
}

/// Every digit: 1,234,567.
export function whole(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN
  return grouped.format(value).replace('-', MINUS)
}

/// As `count`, from ten thousand on in short: for columns.
export function shortCount(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN
  return Math.abs(value) < 9999.5 ? grouped.format(value).replace('-', MINUS) : compact(value)
}

/// A decimal text with its thousands parted, every digit kept: 2,407,396.461103.
export function exact(text: string): string {
  const negative = text.startsWith('-')
  const [whole = '', fraction] = (negative ? text.slice(1) : text).split('.')
  const parted = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return `${negative ? MINUS : ''}${parted}${fraction === undefined ? '' : `.${fraction}`}`
}

/// 1.2 GiB
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return UNKNOWN
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let scaled = value
  let unit = 0
  while (scaled >= 1023.5 && unit < units.length - 1) {
    scaled /= 1024
    unit++
  }
  return `${unit === 0 || scaled >= 99.95 ? scaled.toFixed(0) : scaled.toFixed(1)} ${units[unit]}`
}

/// Milliseconds: 0.8 ms, 12 ms, 1.25 s.
export function delay(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return UNKNOWN
  if (ms >= 999.5) return `${(ms / 1000).toFixed(ms >= 9995 ? 1 : 2)} s`
  return `${ms < 9.95 && !Number.isInteger(ms) ? ms.toFixed(1) : ms.toFixed(0)} ms`
}

/// How long ago or how long, in one unit: 8 s, 4 min, 3 h, 2 d.
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/// 14:03:22, by the reader's clock.
export function clockTime(epochMs: number): string {
  return new Date(epochMs).toLocaleTimeString('en-GB')
}

/// 2026-11-24 14:03:22, by the reader's clock.
export function dateTime(epochMs: number): string {
  return `${new Date(epochMs).toLocaleDateString('sv-SE')} ${clockTime(epochMs)}`
}

/// A name in the middle of which something is left out: 0x1f3a…9c2d. Names that are short enough stay whole.
export function shortName(name: string): string {
  return name.length <= 16 ? name : `${name.slice(0, 8)}…${name.slice(-6)}`
}

/// `5m` of `m5`.
export function windowLabel(name: string): string {
  const unit = name.replace(/\d+$/, '')
  return name.slice(unit.length) + unit
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/// Length in ms of `m5` or `h24`.
export function windowMs(name: string): number {
  const unit = name.replace(/\d+$/, '')
  return Number(name.slice(unit.length)) * (UNIT_MS[unit] ?? 1)
}
