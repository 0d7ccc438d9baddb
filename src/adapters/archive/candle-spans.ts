/// How candles are stored, whatever the database: one row per token and minute, from which longer candles are summed.
///
/// Volumes and counts of a longer candle are sums over its minutes, high and low their extremes, open and close those of
/// the first and last minute with a known price. Distinct traders do not add up, so each row says for every span how
/// many traders were new: `traders_1h` of a minute counts those that, when a swap of that minute was stored, had no
/// other swap of the token in the hour. Each trader of an hour is counted in exactly one of its minutes, so the sum over
/// an hour's minutes is the number of its distinct traders, whatever the order in which swaps came.

/// Spans in minutes, each a multiple of the one before.
export const SPANS = [
  { name: '1m', minutes: 1 },
  { name: '5m', minutes: 5 },
  { name: '15m', minutes: 15 },
  { name: '1h', minutes: 60 },
  { name: '4h', minutes: 240 },
  { name: '1d', minutes: 1440 },
] as const

export type SpanName = (typeof SPANS)[number]['name']

export const MINUTE_MS = 60_000
