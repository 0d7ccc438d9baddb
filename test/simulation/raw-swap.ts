/// Swaps as a producer writes them, and what the tests of this folder feed: batches of log records.
///
/// Nothing here knows the core: numbers stay text until the model, the oracle or the system itself reads them.

export interface RawSwap {
  readonly id: string
  /// Epoch milliseconds.
  readonly time: number
  readonly who: string
  readonly token: string
  readonly side: 'buy' | 'sell'
  /// Decimal text, or a number to be sent as a JSON number.
  readonly amount: string | number
  readonly usd: string | number
  readonly block?: number
  readonly txIndex?: number
  readonly logIndex?: number
  readonly price?: string | number
}

/// A line that must be found invalid, as it is sent.
export interface InvalidLine {
  readonly invalid: string
}

export type RawRecord = RawSwap | InvalidLine

/// Records that are appended to the log together.
export interface RawBatch {
  readonly appendTime: number
  readonly records: readonly RawRecord[]
}

export function isSwap(record: RawRecord): record is RawSwap {
  return !('invalid' in record)
}

/// One JSON document per line, as the log keeps them.
export function ndjson(records: readonly RawRecord[]): Uint8Array {
  let text = ''
  for (const record of records) text += `${isSwap(record) ? JSON.stringify(record) : record.invalid}\n`
  return Buffer.from(text, 'utf8')
}

/// What the system under test and its checkers must agree on.
export interface Rules {
  /// Name and length of each window, shortest first.
  readonly windows: readonly (readonly [name: string, lengthMs: number])[]
  readonly resolutionMs: number
  readonly retentionMs: number
  readonly earlyToleranceMs: number
  readonly dedupeHorizonMs: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export const DEFAULT_RULES: Rules = {
  windows: [
    ['m1', MINUTE],
    ['m5', 5 * MINUTE],
    ['m15', 15 * MINUTE],
    ['m30', 30 * MINUTE],
    ['h1', HOUR],
    ['h2', 2 * HOUR],
    ['h4', 4 * HOUR],
    ['h6', 6 * HOUR],
    ['h8', 8 * HOUR],
    ['h12', 12 * HOUR],
    ['h24', 24 * HOUR],
  ],
  resolutionMs: 1000,
  retentionMs: 24 * HOUR,
  earlyToleranceMs: MINUTE,
  dedupeHorizonMs: HOUR,
}
