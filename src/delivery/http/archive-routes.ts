/// What the archive knows: GET /v1/tokens/{token}/candles, GET /v1/tokens/{token}/trades, GET /v1/traders/{who}/trades, and
/// everything: GET /v1/trades.

import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { CANDLE_INTERVALS, filled } from '../../core/candles.js'
import { type EpochMs, epochMs } from '../../core/units.js'
import { parseDuration } from '../../core/windows.js'
import type { Clock } from '../../ports/clock.js'
import { BusyError, PortError } from '../../ports/errors.js'
import type { ArchivedSwap, TradeArchive, TradesOf } from '../../ports/trade-archive.js'
import {
  type CandlesAnswer,
  candleJson,
  cursorOf,
  type LongWindows,
  longWindowsJson,
  placeOf,
  type TradesPage,
  tradeJson,
} from '../wire/archive.js'
import { ProblemError } from '../wire/problem.js'
import {
  CANDLES_MAX,
  GetCandles,
  GetLongWindows,
  GetTokenTrades,
  GetTraderTrades,
  GetTrades,
} from './operations/archive.js'
import { serve } from './serve.js'

const CANDLES = 500
const TRADES = 100
/// The last millisecond of the year 9999, and one more.
const TIME_MS_END = 253_402_300_800_000
const RETRY_SECONDS = 2
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const LONG_WINDOWS_MS = [7 * DAY_MS, 30 * DAY_MS]
const LONG_WINDOW_MS_MAX = 366 * DAY_MS

export interface ArchiveRoutesOptions {
  /// Null where there is none.
  readonly archive: Pick<TradeArchive, 'candles' | 'closeBefore' | 'windows' | 'trades' | 'scan'> | null
  readonly clock: Clock
}

type Archive = NonNullable<ArchiveRoutesOptions['archive']>

export function archiveRoutes(app: FastifyInstance, { archive, clock }: ArchiveRoutesOptions): void {
  const ask = async <T>(question: (archive: Archive) => Promise<T>): Promise<T> => {
    if (archive === null) throw new ProblemError('no-archive', 'this server keeps no archive: see --archive')
    try {
      return await question(archive)
    } catch (error) {
      if (!(error instanceof PortError && error.retryable)) throw error
      const extra = { retryAfterSeconds: RETRY_SECONDS }
      if (error instanceof BusyError) {
        throw new ProblemError('overloaded', 'the archive answers other questions for now', extra)
      }
      throw new ProblemError('archive-away', 'the archive does not answer for now', extra)
    }
  }

  serve(app, GetCandles, async ({ params: { token }, query }): Promise<CandlesAnswer> => {
    const { interval = '1m', fill = 'none' } = query
    const intervalMs = CANDLE_INTERVALS[interval]
    const to = epochMs(query.to ?? clock.now() + 1)
    const from = epochMs(query.from ?? Math.max(0, to - CANDLES * intervalMs))
    checkRange(from, to)
    if (to - from > CANDLES_MAX * intervalMs) {
      const detail = `from and to are at most ${CANDLES_MAX} candles of ${interval} apart`
      throw new ProblemError('invalid-parameter', detail, { field: 'from' })
    }
    const candles = await ask(each => each.candles({ token, interval, from, to }))
    const firstBegins = epochMs(Math.ceil(from / intervalMs) * intervalMs)
    const before = fill === 'previous' ? await ask(each => each.closeBefore(token, firstBegins)) : null
    const until = Math.min(to, clock.now() + 1)
    const all = filled(candles, fill, { from, to: Math.max(until, lastOf(candles) + 1), intervalMs }, before)
    return { token, interval, from, to, fill, candles: all.map(candleJson) }
  })

  serve(app, GetLongWindows, async ({ params: { token }, query }): Promise<LongWindows> => {
    const lengths = query.window === undefined ? LONG_WINDOWS_MS : query.window.map(longWindowMs)
    const unique = [...new Set(lengths)].sort((a, b) => a - b)
    return longWindowsJson(token, unique, await ask(each => each.windows(token, unique)))
  })

  const page = async (of: TradesOf, query: PageQuery): Promise<TradesPage> => {
    const { cursor, limit = TRADES } = query
    const to = epochMs(query.to ?? TIME_MS_END)
    const from = epochMs(query.from ?? 0)
    checkRange(from, to)
    const after = cursor === undefined ? null : placeOf(cursor)
    if (cursor !== undefined && after === null) {
      throw new ProblemError('invalid-parameter', 'cursor is that of an answer', { field: 'cursor' })
    }
    // One more tells whether there is another page.
    const found = await ask(each => each.trades({ of, from, to, limit: limit + 1, after }))
    const shown = found.slice(0, limit)
    const last = found.length > limit ? shown.at(-1) : undefined
    return { trades: shown.map(tradeJson), cursor: last === undefined ? null : cursorOf(last) }
  }

  serve(app, GetTokenTrades, ({ params: { token }, query }) => page({ token }, query))
  serve(app, GetTraderTrades, ({ params: { who }, query }) => page({ who }, query))

  let dumping = false
  serve(app, GetTrades, async ({ query, reply }) => {
    const to = epochMs(query.to ?? TIME_MS_END)
    const from = epochMs(query.from ?? 0)
    checkRange(from, to)
    const lines = await ask(async each => {
      if (dumping) throw new BusyError('one client at a time gets everything')
      dumping = true
      const swaps = each.scan(from, to)[Symbol.asyncIterator]()
      try {
        // The first ones tell whether there will be an answer.
        return linesOf(await swaps.next(), swaps, () => {
          dumping = false
        })
      } catch (error) {
        dumping = false
        throw error
      }
    })
    return reply.type('application/x-ndjson').send(Readable.from(lines))
  })
}

function longWindowMs(text: string): number {
  const lengthMs = parseDuration(text)
  if (lengthMs !== null && lengthMs % MINUTE_MS === 0 && lengthMs <= LONG_WINDOW_MS_MAX) return lengthMs
  const detail = `${JSON.stringify(text)} is no window of whole minutes up to 366d, such as 7d or 90m`
  throw new ProblemError('invalid-parameter', detail, { field: 'window' })
}

interface PageQuery {
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

async function* linesOf(
  first: IteratorResult<readonly ArchivedSwap[]>,
  rest: AsyncIterator<readonly ArchivedSwap[]>,
  onEnd: () => void,
): AsyncGenerator<string> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) {
      yield next.value.map(swap => `${JSON.stringify(tradeJson(swap))}\n`).join('')
    }
  } finally {
    onEnd()
    await rest.return?.()
  }
}

const lastOf = (candles: readonly { readonly time: number }[]): number => candles.at(-1)?.time ?? 0

function checkRange(from: EpochMs, to: EpochMs): void {
  if (from < to) return
  throw new ProblemError('invalid-parameter', 'from is before to', { field: 'from' })
}
