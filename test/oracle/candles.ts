/// What candles and trades the archive must have, by SQL over the oracle's accepted swaps.

import type { Oracle } from './oracle.js'

/// A candle as plain values: prices are numbers, volumes decimal text.
export interface PlainCandle {
  readonly time: number
  readonly open: number | null
  readonly high: number | null
  readonly low: number | null
  readonly close: number | null
  readonly buyVolume: string
  readonly sellVolume: string
  readonly buys: number
  readonly sells: number
  readonly traders: number
}

/// Every candle of every token, of records below offset `upTo`; by token, ascending.
export async function oracleCandles(
  oracle: Oracle,
  intervalMs: number,
  upTo: number,
): Promise<Map<string, PlainCandle[]>> {
  const rows = await oracle.rows(`
    SELECT token, CAST("time" - "time" % ${intervalMs} AS DOUBLE) AS bucket,
      arg_min(price, place) FILTER (price IS NOT NULL), max(price), min(price),
      arg_max(price, place) FILTER (price IS NOT NULL),
      usd_text(coalesce(sum(micro) FILTER (side = 'buy'), 0)), usd_text(coalesce(sum(micro) FILTER (side = 'sell'), 0)),
      CAST(count(*) FILTER (side = 'buy') AS INTEGER), CAST(count(*) FILTER (side = 'sell') AS INTEGER),
      CAST(count(DISTINCT who) AS INTEGER)
    FROM accepted WHERE seq < ${upTo} GROUP BY token, bucket ORDER BY token, bucket`)
  const byToken = new Map<string, PlainCandle[]>()
  for (const row of rows) {
    const token = String(row[0])
    const number = (at: number) => (row[at] === null ? null : Number(row[at]))
    const candle = {
      time: Number(row[1]),
      open: number(2),
      high: number(3),
      low: number(4),
      close: number(5),
      buyVolume: String(row[6]),
      sellVolume: String(row[7]),
      buys: Number(row[8]),
      sells: Number(row[9]),
      traders: Number(row[10]),
    }
    const list = byToken.get(token)
    if (list === undefined) byToken.set(token, [candle])
    else list.push(candle)
  }
  return byToken
}

/// The offsets of the accepted swaps below `upTo` of a token or trader, newest first in chain order.
export async function oracleTrades(
  oracle: Oracle,
  of: { readonly token: string } | { readonly who: string },
  upTo: number,
): Promise<number[]> {
  const [column, name] = 'token' in of ? ['token', of.token] : ['who', of.who]
  const rows = await oracle.rows(
    `SELECT CAST(seq AS DOUBLE) FROM accepted WHERE seq < ${upTo} AND ${column} = '${name.replaceAll("'", "''")}'
     ORDER BY place DESC`,
  )
  return rows.map(([seq]) => Number(seq))
}
