/// A token's statistics as the API writes them, spelled out a second time: the checkers build this shape from
/// their own figures, and its JSON text must equal the system's, byte for byte.

export interface Txns {
  buys: number
  sells: number
  total: number
  buyers: number
  sellers: number
  traders: number
}

/// Keyed by window name.
export type PerWindow<Value> = Record<string, Value>

/// Fields in the order in which they are written.
export interface Answer {
  token: string
  priceUsd: string | null
  asOf: number
  version: string
  firstSeen: number
  lastSeen: number
  volume: PerWindow<string>
  buyVolume: PerWindow<string>
  sellVolume: PerWindow<string>
  amount: PerWindow<string>
  txns: PerWindow<Txns>
  priceChange: PerWindow<number | null>
  open: PerWindow<string | null>
  high: PerWindow<string | null>
  low: PerWindow<string | null>
  close: PerWindow<string | null>
  vwap: PerWindow<string | null>
  largestTrade: PerWindow<string | null>
}

/// The figures of one window, from which a checker fills an answer.
export interface WindowFigures {
  readonly volume: string
  readonly buyVolume: string
  readonly sellVolume: string
  readonly amount: string
  readonly buys: number
  readonly sells: number
  readonly buyers: number
  readonly sellers: number
  readonly traders: number
  readonly open: number | null
  readonly high: number | null
  readonly low: number | null
  readonly close: number | null
  readonly priceChange: number | null
  readonly vwap: number | null
  readonly largestTrade: string | null
}

export const EMPTY_WINDOW: WindowFigures = {
  volume: '0',
  buyVolume: '0',
  sellVolume: '0',
  amount: '0',
  buys: 0,
  sells: 0,
  buyers: 0,
  sellers: 0,
  traders: 0,
  open: null,
  high: null,
  low: null,
  close: null,
  priceChange: null,
  vwap: null,
  largestTrade: null,
}

/// An answer without any window yet.
export function emptyAnswer(
  head: Pick<Answer, 'token' | 'priceUsd' | 'asOf' | 'version' | 'firstSeen' | 'lastSeen'>,
): Answer {
  return {
    token: head.token,
    priceUsd: head.priceUsd,
    asOf: head.asOf,
    version: head.version,
    firstSeen: head.firstSeen,
    lastSeen: head.lastSeen,
    volume: {},
    buyVolume: {},
    sellVolume: {},
    amount: {},
    txns: {},
    priceChange: {},
    open: {},
    high: {},
    low: {},
    close: {},
    vwap: {},
    largestTrade: {},
  }
}

/// Adds a window; windows must be added in the order of the configuration.
export function addWindow(answer: Answer, name: string, f: WindowFigures): void {
  answer.volume[name] = f.volume
  answer.buyVolume[name] = f.buyVolume
  answer.sellVolume[name] = f.sellVolume
  answer.amount[name] = f.amount
  answer.txns[name] = {
    buys: f.buys,
    sells: f.sells,
    total: f.buys + f.sells,
    buyers: f.buyers,
    sellers: f.sellers,
    traders: f.traders,
  }
  answer.priceChange[name] = f.priceChange
  answer.open[name] = plainOrNull(f.open)
  answer.high[name] = plainOrNull(f.high)
  answer.low[name] = plainOrNull(f.low)
  answer.close[name] = plainOrNull(f.close)
  answer.vwap[name] = plainOrNull(f.vwap)
  answer.largestTrade[name] = f.largestTrade
}

export function plainOrNull(x: number | null): string | null {
  return x === null ? null : plain(x)
}

/// The shortest decimal that reads back as `x`, without an exponent: 1e-7 is `0.0000001`, 1e21 is `1` and 21 zeros.
export function plain(x: number): string {
  const text = String(x)
  const parts = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (parts === null) return text
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits.padEnd(point, '0')
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
